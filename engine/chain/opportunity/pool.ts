/** A pool of any kind whose trades can be said to the unit: what is asked of it is the same, how it answers is constantProduct.ts and concentratedPool.ts. */
import type { Address } from "../swap.ts";
import { type ConcentratedPool, type PoolTrade, rangeSide, swapThrough, virtualReserves } from "./concentratedPool.ts";
import { afterSwap, amountIn, amountOut, type Pair, type Side, sideOf } from "./constantProduct.ts";

export type Pool = Pair | ConcentratedPool;
export type Trade = PoolTrade<Pool>;

export const isPair = (pool: Pool): pool is Pair => "reserve0" in pool;

/**
 * What a swap pays and gets, and what it leaves of the pool.
 * @param exact which of the two amounts `amount` is
 * @returns undefined where it gets nothing, the pool does not have so much, or what is known of it would not be enough
 */
export function tradeOf(pool: Pool, tokenIn: Address, exact: "in" | "out", amount: bigint): Trade | undefined {
  if (!isPair(pool)) return swapThrough(pool, tokenIn, exact, amount);
  const side = sideOf(pool, tokenIn);
  const paid = side && (exact === "in" ? amount : amountIn(side, amount));
  const got = side && (exact === "in" ? amountOut(side, amount) : amount);
  if (!paid || !got) return undefined;
  return { amountIn: paid, amountOut: got, after: afterSwap(pool, tokenIn, paid, got) };
}

/** As constant product, which is what any of these pools is at its price: exact for a pair, of a concentrated pool until `most` is paid. */
export interface ProductSide extends Side {
  readonly most: bigint | undefined;
}

export function productSide(pool: Pool, tokenIn: Address): ProductSide | undefined {
  if (!isPair(pool)) return rangeSide(pool, tokenIn);
  const side = sideOf(pool, tokenIn);
  return side && { ...side, most: undefined };
}

/** What a pair holds; of a concentrated pool what a pair of its price and depth would. */
export const reservesOf = (pool: Pool): readonly [bigint, bigint] =>
  isPair(pool) ? [pool.reserve0, pool.reserve1] : virtualReserves(pool);

/**
 * Of a swap by a searcher's contract with the token's transfer: two of pairs take from 170,000 to 230,000 on mainnet. Of a concentrated pool, which asks
 * its caller for payment, half as much again.
 */
export const swapGas = (pool: Pool): bigint => (isPair(pool) ? 100_000n : 150_000n);
