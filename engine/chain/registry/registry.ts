import type { Layout } from "../protocols/exchange.ts";
import { solidly, uniswapV2 } from "../protocols/uniswapV2.ts";
import { pancakeV3, uniswapV3 } from "../protocols/uniswapV3.ts";
import type { Address } from "../swap.ts";

/** What is known of chains and protocols before a block is read. */
export interface Registry {
  readonly chains: ReadonlyMap<number, Chain>;
  readonly protocols: readonly Protocol[];
}

export interface Chain {
  readonly id: number;
  readonly name: string;
  /** The wrapped coin (WETH, WBNB …). */
  readonly wrapped: Address;
}

export interface Protocol {
  readonly name: string;
  /** First topic of its swaps' logs. */
  readonly topic0: string;
  readonly layout: Layout;
  /** A real log of it is among the fixtures. What is not proven is never of high confidence. */
  readonly proven: boolean;
}

export const builtInRegistry: Registry = {
  chains: new Map(
    [
      { id: 1, name: "Ethereum", wrapped: "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2" },
      { id: 10, name: "Optimism", wrapped: "0x4200000000000000000000000000000000000006" },
      { id: 56, name: "BSC", wrapped: "0xbb4cdb9cbd36b01bd1cbaebf2de08d9173bc095c" },
      { id: 137, name: "Polygon", wrapped: "0x0d500b1d8e8ef31e21c99d1db9a6444d3adf1270" },
      { id: 8453, name: "Base", wrapped: "0x4200000000000000000000000000000000000006" },
      { id: 42161, name: "Arbitrum", wrapped: "0x82af49447d8a07e3bd95bd0d56f35241523fbab1" },
    ].map((chain) => [chain.id, chain]),
  ),
  protocols: [
    {
      name: "uniswap_v2",
      topic0: "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822",
      layout: uniswapV2,
      proven: true,
    },
    {
      name: "solidly",
      topic0: "0xb3e2773606abfd36b5bd91394b3a54d1398336c65005baf7bf7a05efeffaf75b",
      layout: solidly,
      proven: false,
    },
    {
      name: "uniswap_v3",
      topic0: "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67",
      layout: uniswapV3,
      proven: true,
    },
    {
      name: "pancakeswap_v3",
      topic0: "0x19b47279256b2a23a1665c810c8d55a1758940ee09377d4f8d26497a3577dc83",
      layout: pancakeV3,
      proven: false,
    },
  ],
};
