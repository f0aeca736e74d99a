/** A swap that waits, as its record has it: 30 ether for a token of Uniswap V2, which SushiSwap and the chain's coin have pools of, too. */
import { createRequire } from "node:module";
import { type Abi, encodeFunctionData, type Hex } from "viem";
import { builtInRegistry, type V2Factory } from "../../registry/registry.ts";
import { amountOut, type Pair, sideOf } from "../constantProduct.ts";
import type { MarketMember } from "../market.ts";

const { abi } = createRequire(import.meta.url)("@uniswap/v2-periphery/build/UniswapV2Router02.json") as { abi: Abi };
const chain = builtInRegistry.chains.get(1)!;
const [uniswap, sushi] = [...chain.v2Factories.values()] as unknown as [V2Factory, V2Factory];
export const WETH = chain.wrapped!;
const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
export const TOK = `0x${"7".repeat(40)}`; // lower than WETH
export const ETHER = 10n ** 18n;
export const TRADER = `0x${"9".repeat(40)}` as Hex;
export const hex = (value: bigint | number): Hex => `0x${value.toString(16)}`;

const pool = (address: string, token0: string, token1: string, reserve0: bigint, reserve1: bigint): Pair => ({
  ...{ address: `0x${address.repeat(40)}`, token0, token1, reserve0, reserve1, keep: 9_970n },
});
export const here = pool("1", TOK, WETH, 300_000n * ETHER, 300n * ETHER);
export const there = pool("2", TOK, WETH, 80_000n * ETHER, 80n * ETHER);
export const priced = pool("3", USDC, WETH, 30_000_000n * 10n ** 6n, 10_000n * ETHER);
export const member = ({ keep, reserve0, reserve1, ...pair }: Pair, factory = uniswap.address) => ({
  ...{ ...pair, factory, reserve0: hex(reserve0), reserve1: hex(reserve1) },
});
export const market: MarketMember = {
  blockNumber: "0x64",
  pools: [member(here), member(there, sushi.address), member(priced), member(pool("4", TOK, WETH, 1n, 1n), TRADER)],
  decimals: { [TOK]: 9 },
};

export const PAID = 30n * ETHER;
export const bought = amountOut(sideOf(here, WETH)!, PAID);
const buy = (least: bigint): Hex =>
  encodeFunctionData({ abi, functionName: "swapExactETHForTokens", args: [least, [WETH, TOK], TRADER, 9n] });

/** The record of a swap that waits. @param least that its sender must get, of `bought` */
export function waitingSwap(least: bigint, more: Record<string, unknown> = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      ...{ chainId: 1, hash: `0x${"5".repeat(64)}`, from: TRADER, to: uniswap.routers[0], nonce: "0x0", value: hex(PAID) },
      ...{ gas: "0x30d40", gasPrice: hex(20n * 10n ** 9n), type: "0x0", input: buy(least), v: "0x25", r: "0x1", s: "0x2" },
      ...{ blockNumber: null, blockHash: null, transactionIndex: null, seenAt: 1_700_000_000_123, market, ...more },
    }),
  ); // biome-ignore format: parts of a record
}
