/** Opportunities that are real: what somebody could earn right behind a swap, between the pools of a pair that it has pulled apart. */
import type { Address } from "../swap.ts";
import { amountOut, otherToken, type Pair, type Side, sideOf, squareRoot, WHOLE } from "./constantProduct.ts";
import type { Market, Prediction } from "./predictSwap.ts";

/** Buy in one pool, sell in another. */
export interface Cycle {
  readonly token: Address;
  readonly amountIn: bigint;
  /** Bought in the first pool and sold in the second. */
  readonly between: bigint;
  readonly amountOut: bigint;
  readonly profit: bigint;
  readonly buy: Pair;
  readonly sell: Pair;
}

/**
 * The input that leaves most, in closed form. With f = keep / 10,000, a and b the first pool's reserves, c and d the second's
 * (b and c of the same token), an input x comes back as
 *
 *     z(x) = f₁f₂ b d x / (a c + (f₁ c + f₁f₂ b) x)
 *
 * and z′(x) = 1 at x = (√(f₁f₂ a b c d) − a c) / (f₁ c + f₁f₂ b). Below zero there is nothing to earn.
 * @returns in integers, rounded down: within some units of the best input, where profit is flat
 */
export function bestInput(first: Side, second: Side): bigint {
  const { reserveIn: a, reserveOut: b, keep: f1 } = first;
  const { reserveIn: c, reserveOut: d, keep: f2 } = second;
  if (a <= 0n || b <= 0n || c <= 0n || d <= 0n) return 0n;
  // All multiplied by 10,000²: f₁ and f₂ are in ten thousandths.
  const top = WHOLE * squareRoot(f1 * f2 * a * b * c * d) - WHOLE * WHOLE * a * c;
  return top <= 0n ? 0n : top / (f1 * WHOLE * c + f1 * f2 * b);
}

/** The best trade from `token` through `buy` and back through `sell`; undefined when it earns nothing. */
export function bestCycle(buy: Pair, sell: Pair, token: Address): Cycle | undefined {
  const first = sideOf(buy, token);
  const second = first && sideOf(sell, otherToken(buy, token));
  if (first === undefined || second === undefined) return undefined;
  const amountIn = bestInput(first, second);
  const between = amountOut(first, amountIn);
  const out = amountOut(second, between);
  return out > amountIn ? { token, amountIn, between, amountOut: out, profit: out - amountIn, buy, sell } : undefined;
}

export interface Backrun extends Cycle {
  /** profit − gas, where profit is in the chain's coin; of other tokens null: they would have to be sold first. */
  readonly netProfit: bigint | null;
}

export interface BackrunCost {
  /** The chain's wrapped coin: trades that begin and end with it are preferred, since gas is paid in it. */
  readonly wrapped: Address;
  /** wei for a unit of gas */
  readonly gasPrice: bigint;
}

/** Two swaps of a V2 pair and their transfers, from a searcher's contract: from 170,000 to 230,000 on mainnet. */
export const BACKRUN_GAS = 200_000n;

/** What could be earned behind a swap, best first; nothing behind one that reverts. */
export function findBackruns(
  market: Market,
  { hops, after, reverts }: Prediction,
  { wrapped, gasPrice }: BackrunCost,
): Backrun[] {
  if (reverts) return [];
  /** Pools as the swap leaves them. */
  const moved = new Map(after.map((pair) => [pair.address, pair]));
  const found = hops.flatMap(({ tokenIn, tokenOut }, i) => {
    const here = after[i]!;
    const token = tokenIn === wrapped || tokenOut === wrapped ? wrapped : tokenIn;
    return market
      .pairsOf(tokenIn, tokenOut)
      .filter(({ address }) => address !== here.address)
      .flatMap((pair) => {
        const other = moved.get(pair.address) ?? pair;
        return bestCycle(here, other, token) ?? bestCycle(other, here, token) ?? [];
      });
  });
  return found
    .map((cycle) => ({ ...cycle, netProfit: cycle.token === wrapped ? cycle.profit - BACKRUN_GAS * gasPrice : null }))
    .sort((one, other) => compare(other.netProfit ?? 0n, one.netProfit ?? 0n) || compare(other.profit, one.profit));
}

const compare = (one: bigint, other: bigint): number => (one < other ? -1 : one > other ? 1 : 0);
