import type { Address } from "../swap.ts";
import { afterSwap, amountIn, amountOut, otherToken, type Pair, sideOf } from "./constantProduct.ts";
import type { RouterSwap } from "./routerSwap.ts";

/** Pairs as they were after the last block that is known. */
export interface Market {
  /** The pair through which a router trades two tokens. */
  pairOf(router: Address, one: Address, other: Address): Pair | undefined;
  /** All pairs of two tokens, on any venue. */
  pairsOf(one: Address, other: Address): readonly Pair[];
}

export interface Hop {
  /** Before the trade. */
  readonly pair: Pair;
  readonly tokenIn: Address;
  readonly amountIn: bigint;
  readonly tokenOut: Address;
  readonly amountOut: bigint;
}

/** What a swap would do if it were the next to be executed. */
export interface Prediction {
  readonly hops: readonly Hop[];
  /** Of each hop, after the trade. */
  readonly after: readonly Pair[];
  /** It gets less, or has to pay more, than its sender agreed to: it will revert, and nothing of this happens. */
  readonly reverts: boolean;
}

/** @returns undefined where a pair of the path is not known, or has not what is asked of it */
export function predictSwap(
  market: Market,
  router: Address,
  { path, exact, amount, limit }: RouterSwap,
): Prediction | undefined {
  const pairs: Pair[] = [];
  for (let i = 0; i + 1 < path.length; i++) {
    const pair = market.pairOf(router, path[i]!, path[i + 1]!);
    // Through one pair twice: the second trade meets what the first left, which a router's quote does not know of either.
    if (pair === undefined || pairs.some(({ address }) => address === pair.address)) return undefined;
    pairs.push(pair);
  }
  const hops = exact === "in" ? forward(pairs, path, amount) : backward(pairs, path, amount);
  if (hops === undefined) return undefined;
  const reverts = exact === "in" ? hops.at(-1)!.amountOut < limit : hops[0]!.amountIn > limit;
  return { hops, after: hops.map((hop) => afterSwap(hop.pair, hop.tokenIn, hop.amountIn, hop.amountOut)), reverts };
}

function forward(pairs: readonly Pair[], path: readonly Address[], amount: bigint): Hop[] | undefined {
  const hops: Hop[] = [];
  for (const [i, pair] of pairs.entries()) {
    const tokenIn = path[i]!;
    const out = amountOut(sideOf(pair, tokenIn)!, amount);
    if (out === 0n) return undefined;
    hops.push({ pair, tokenIn, amountIn: amount, tokenOut: otherToken(pair, tokenIn), amountOut: out });
    amount = out;
  }
  return hops;
}

function backward(pairs: readonly Pair[], path: readonly Address[], amount: bigint): Hop[] | undefined {
  const hops: Hop[] = [];
  for (let i = pairs.length - 1; i >= 0; i--) {
    const pair = pairs[i]!;
    const tokenIn = path[i]!;
    const paid = amountIn(sideOf(pair, tokenIn)!, amount);
    if (paid === undefined) return undefined;
    hops.unshift({ pair, tokenIn, amountIn: paid, tokenOut: otherToken(pair, tokenIn), amountOut: amount });
    amount = paid;
  }
  return hops;
}
