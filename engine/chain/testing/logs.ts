import { frameBytes, logsAt, u32At } from "../../frame/readFrame.ts";
import { OFFSET } from "../../frame/schema.ts";
import type { BlockView } from "../blockView.ts";
import type { Address } from "../swap.ts";
import { type Log, transactionOf } from "./fixtures.ts";
import { viewsOf } from "./views.ts";

/** Logs for tests: each a function of what a test is about. Numbers stand in the receipt in the order in which they are listed. */

type Word = bigint | number | string;
type Unplaced = Omit<Log, "logIndex">;

export const WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2";

/** An address that reads as its name in hex; the first letters decide which of two is lower. */
export function named(name: string): Address {
  return `0x${Buffer.from(name).toString("hex").padEnd(40, "0")}`;
}

/** A word: addresses and bytes32 as `0x…`, numbers of either sign. */
export function word(value: Word): string {
  if (typeof value === "string") return value.slice(2).padStart(64, "0");
  return BigInt.asUintN(256, BigInt(value)).toString(16).padStart(64, "0");
}

export function log(address: Address, topics: readonly Word[], data: readonly Word[]): Unplaced {
  return { address, topics: topics.map((topic) => `0x${word(topic)}`), data: `0x${data.map(word).join("")}` };
}

export const transfer = (token: Address, from: Address, to: Address, amount: Word): Unplaced =>
  log(token, ["0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef", from, to], [amount]);

export const deposit = (token: Address, account: Address, amount: Word): Unplaced =>
  log(token, ["0xe1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c", account], [amount]);

export const withdrawal = (token: Address, account: Address, amount: Word): Unplaced =>
  log(token, ["0x7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65", account], [amount]);

/** Uniswap V2: in and out of token0 and token1. */
export const swapV2 = (
  pool: Address,
  [in0, in1]: readonly [Word, Word],
  [out0, out1]: readonly [Word, Word],
  to: Address,
): Unplaced =>
  log(
    pool,
    ["0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822", named("router"), to],
    [in0, in1, out0, out1],
  );

export const sync = (pool: Address, reserve0: Word, reserve1: Word): Unplaced =>
  log(pool, ["0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1"], [reserve0, reserve1]);

/** Uniswap V3: what the pool received, negative what it paid. */
export const swapV3 = (pool: Address, amount0: Word, amount1: Word, to: Address): Unplaced =>
  log(
    pool,
    ["0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67", named("router"), to],
    [amount0, amount1, 2n ** 96n, 1n, 0],
  );

/** Uniswap V4: what the swapper received, negative what it paid. */
export const swapV4 = (manager: Address, id: Word, amount0: Word, amount1: Word): Unplaced =>
  log(
    manager,
    ["0x40e9cecb9f5f1f1c5b9c97dec2917b7ee92e57ba5563708daca94dd84ad7112f", id, named("router")],
    [amount0, amount1, 2n ** 96n, 1n, 0, 3000],
  );

export const swapBalancerV2 = (
  vault: Address,
  id: Word,
  tokenIn: Address,
  tokenOut: Address,
  amountIn: Word,
  amountOut: Word,
): Unplaced =>
  log(
    vault,
    ["0x2170c741c41531aec20e7c107c24eecfdd15e69c9bb0a8dd37b1840b9e0b207b", id, tokenIn, tokenOut],
    [amountIn, amountOut],
  );

/** Trader Joe 2.1: X and Y of one bin, in and out. */
export const swapBin = (
  pair: Address,
  bin: Word,
  [inX, inY]: readonly [bigint, bigint],
  [outX, outY]: readonly [bigint, bigint],
  to: Address,
): Unplaced =>
  log(
    pair,
    ["0xad7d6f97abf51ce18e17a38f4d70e975be9c0708474987bb3e26ad21bd93ca70", named("router"), to],
    [bin, (inY << 128n) | inX, (outY << 128n) | outX, 0, 0, 0],
  );

export const exchangeCurve = (
  pool: Address,
  buyer: Address,
  sold: Word,
  amountIn: Word,
  bought: Word,
  amountOut: Word,
): Unplaced =>
  log(
    pool,
    ["0x8b3e96f2b889fa771c53c981b40daf005f63f637f1869f707052d15a3dd97140", buyer],
    [sold, amountIn, bought, amountOut],
  );

/** A block of one transaction with these logs. */
export function blockOf(logs: readonly Unplaced[], given: Parameters<typeof transactionOf>[1] = {}): BlockView {
  return viewsOf([transactionOf(placed(logs), given)])[0]!;
}

/** The same with more logs than a record of 4 MiB has as JSON: a frame that is put together of several transactions' logs. */
export function floodOf(logs: readonly Unplaced[]): BlockView {
  const all = placed(logs);
  const parts: Uint8Array[] = [];
  for (let i = 0; i < all.length; i += 4_000) {
    const view = viewsOf([transactionOf(all.slice(i, i + 4_000))])[0]!;
    const at = logsAt(view, 0);
    parts.push(view.bytes.slice(i === 0 ? 0 : at, at + u32At(view, OFFSET.logsLength)));
  }
  const whole = frameBytes(Uint8Array.from(Buffer.concat(parts)));
  whole.u32[OFFSET.size >> 2] = whole.bytes.length;
  whole.u32[OFFSET.logsLength >> 2] = whole.bytes.length - logsAt(whole, 0);
  whole.u32[OFFSET.logCount >> 2] = all.length;
  return { ...whole, chainId: 1, blockNumber: 1, frames: [0], complete: true };
}

export function placed(logs: readonly Unplaced[]): Log[] {
  return logs.map((unplaced, i) => ({ ...unplaced, logIndex: `0x${i.toString(16)}` }));
}
