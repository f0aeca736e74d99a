/**
 * Pools of Uniswap V2's kind, to the wei: what the pair's and the router's contracts compute, in the same integers.
 * Source: UniswapV2Library.getAmountOut and getAmountIn, with the fee as a fraction.
 */
import type { Address } from "../swap.ts";

/** A pair at one moment. Amounts are in the tokens' smallest units. */
export interface Pair {
  readonly address: Address;
  readonly token0: Address;
  readonly token1: Address;
  readonly reserve0: bigint;
  readonly reserve1: bigint;
  /** What of an input counts, in ten thousandths: 9,970 leaves the pool 0.3 %. */
  readonly keep: bigint;
}

/** Of a `keep`. */
export const WHOLE = 10_000n;
/** Uniswap V2 and most of its forks. */
export const UNISWAP_KEEP = 9_970n;
/** What is usual: Uniswap and most forks, PancakeSwap, others. */
export const KEEPS = [UNISWAP_KEEP, 9_975n, 9_980n, 9_983n, 9_990n, 9_995n, 9_999n] as const;

/** A pair as a trade meets it. */
export interface Side {
  readonly reserveIn: bigint;
  readonly reserveOut: bigint;
  readonly keep: bigint;
}

/** @returns undefined when the pair does not have the token */
export function sideOf({ token0, token1, reserve0, reserve1, keep }: Pair, tokenIn: Address): Side | undefined {
  if (tokenIn === token0) return { reserveIn: reserve0, reserveOut: reserve1, keep };
  if (tokenIn === token1) return { reserveIn: reserve1, reserveOut: reserve0, keep };
  return undefined;
}

export const otherToken = ({ token0, token1 }: Pick<Pair, "token0" | "token1">, token: Address): Address =>
  token === token0 ? token1 : token0;

/** What an input buys: 0 where the pool is empty or the input too small to buy anything. */
export function amountOut({ reserveIn, reserveOut, keep }: Side, amountIn: bigint): bigint {
  if (amountIn <= 0n || reserveIn <= 0n || reserveOut <= 0n) return 0n;
  const counted = amountIn * keep;
  return (counted * reserveOut) / (reserveIn * WHOLE + counted);
}

/** The least input that buys so much; undefined where the pool does not have it. */
export function amountIn({ reserveIn, reserveOut, keep }: Side, out: bigint): bigint | undefined {
  if (out <= 0n || reserveIn <= 0n || out >= reserveOut) return undefined;
  return (reserveIn * out * WHOLE) / ((reserveOut - out) * keep) + 1n;
}

/** The pair after it received `amountIn` of a token that is its own, and paid `out` of the other. */
export function afterSwap(pair: Pair, tokenIn: Address, amountIn: bigint, out: bigint): Pair {
  return tokenIn === pair.token0
    ? { ...pair, reserve0: pair.reserve0 + amountIn, reserve1: pair.reserve1 - out }
    : { ...pair, reserve0: pair.reserve0 - out, reserve1: pair.reserve1 + amountIn };
}

/** Largest integer whose square is not above `value`, which is not negative: Newton's steps from above. */
export function squareRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt((value.toString(16).length * 4) / 2 + 1);
  for (let next = (root + value / root) >> 1n; next < root; next = (root + value / root) >> 1n) root = next;
  return root;
}
