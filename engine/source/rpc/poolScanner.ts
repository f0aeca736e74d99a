/**
 * What the pools that the registry lists (`pools`) hold at the end of each block, as the record of the block's last transaction says it (member
 * `market`, chain/opportunity/market.ts): read from a node once, by `getReserves`, then followed by their Sync logs.
 */
import { type Abi, parseAbi } from "viem";
import type { MarketMember } from "../../chain/opportunity/market.ts";
import type { Chain } from "../../chain/registry/registry.ts";
import type { Address } from "../../chain/swap.ts";
import { createCaller } from "./contractCalls.ts";
import type { Endpoints } from "./endpoints.ts";
import type { MarketReader, Wanted } from "./marketReader.ts";
import { tagOf } from "./readBlock.ts";
import { within } from "./within.ts";

export interface ScannedPools {
  /** All that could be read, and the pair that prices the coin. */
  readonly market: MarketMember;
  readonly unread: readonly { readonly name: string; readonly address: Address; readonly reason: string }[];
}

export interface PoolScanner {
  /** @param stateBlock the last block that the markets followed */
  scan(stateBlock: number): Promise<ScannedPools>;
}

const ABI = parseAbi([
  "function factory() view returns (address)",
  "function token0() view returns (address)",
  "function token1() view returns (address)",
]) as Abi;
const NAMES = ["factory", "token0", "token1"] as const;

export interface PoolScannerOptions {
  readonly endpoints: Pick<Endpoints, "use">;
  readonly chain: Chain;
  readonly markets: Pick<MarketReader, "marketOfPairs">;
  /** How long a block waits for its pools. */
  readonly withinMs: number;
}

export function createPoolScanner({ endpoints, chain, markets, withinMs }: PoolScannerOptions): PoolScanner {
  /** They never change, and are asked for until a pool answers. */
  const identities = new Map<Address, Wanted>();

  async function identify(pools: readonly Address[], stateBlock: number): Promise<void> {
    if (pools.length === 0) return;
    const answers = await endpoints.use((endpoint) =>
      createCaller(
        endpoint,
        tagOf(stateBlock),
        ABI,
        chain.multicall,
      )(pools.flatMap((to) => NAMES.map((functionName) => ({ to, functionName })))),
    );
    for (const [i, pool] of pools.entries()) {
      const [factory, token0, token1] = (answers.slice(3 * i, 3 * i + 3) as (string | null)[]).map((each) =>
        each?.toLowerCase(),
      );
      if (factory && token0 && token1) identities.set(pool, { factory, token0, token1, fee: undefined });
    }
  }

  return {
    async scan(stateBlock) {
      const pools = [...chain.pools].map(([name, address]) => ({ name, address }));
      const unknown = pools.flatMap(({ address }) => (identities.has(address) ? [] : [address]));
      await within(withinMs, identify(unknown, stateBlock));
      const wanted = pools.flatMap(({ address }) => {
        const identity = identities.get(address);
        return identity && chain.v2Factories.has(identity.factory) ? [identity] : [];
      });
      const market = await markets.marketOfPairs(wanted, stateBlock);
      const read = new Set(market.pools.map(({ address }) => address));
      const unread = pools.flatMap(({ name, address }) => {
        if (read.has(address)) return [];
        const identity = identities.get(address);
        if (!identity)
          return [
            { name, address, reason: `${name}: it did not say in time, or has no factory(), token0() and token1()` },
          ];
        if (!chain.v2Factories.has(identity.factory))
          return [
            {
              name,
              address,
              reason: `${name}: its factory "${identity.factory}" is not among the registry's v2Factories`,
            },
          ];
        return [
          { name, address, reason: `${name}: it did not say in time what it holds, or is not the pair of its factory` },
        ];
      });
      return { market, unread };
    },
  };
}
