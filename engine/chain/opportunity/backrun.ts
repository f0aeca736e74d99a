/** What somebody could earn between two pools of the same tokens. */
import type { Address } from "../swap.ts";
import { amountIn, otherToken, type Side, squareRoot, WHOLE } from "./constantProduct.ts";
import { type Pool, productSide, tradeOf } from "./pool.ts";

/** Buy in one pool, sell in another. */
export interface Cycle<P extends Pool = Pool> {
  readonly token: Address;
  readonly amountIn: bigint;
  /** Bought in the first pool and sold in the second. */
  readonly between: bigint;
  readonly amountOut: bigint;
  readonly profit: bigint;
  readonly buy: P;
  readonly sell: P;
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

/** Ranges of both pools that a trade is followed through. */
const MAX_RANGES = 256;

/**
 * The best trade from `token` through `buy` and back through `sell`; undefined when it earns nothing.
 *
 * Two pairs: the closed form. Through a concentrated pool it holds until a range ends; there both pools are taken as they are then, and so on,
 * until the best input lies within the ranges. Where what is known of a pool ends before that, it is the best as far as that.
 */
export function bestCycle<P extends Pool>(buy: P, sell: P, token: Address): Cycle<P> | undefined {
  const middle = otherToken(buy, token);
  let input = 0n;
  for (let range = 0, [from, to]: Pool[] = [buy, sell]; range < MAX_RANGES; range++) {
    const first = productSide(from, token);
    const second = productSide(to, middle);
    if (first === undefined || second === undefined) break;
    const best = bestInput(first, second);
    const most = smallest(first.most, second.most === undefined ? undefined : inputFor(first, second.most));
    const paid = most === undefined || best < most ? best : most;
    const one = tradeOf(from, token, "in", paid);
    const two = one && tradeOf(to, middle, "in", one.amountOut);
    if (two === undefined) break;
    input += paid;
    if (paid === best) break;
    [from, to] = [one!.after, two.after];
  }
  const one = tradeOf(buy, token, "in", input);
  const two = one && tradeOf(sell, middle, "in", one.amountOut);
  if (two === undefined || two.amountOut <= input) return undefined;
  const amounts = { amountIn: input, between: two.amountIn, amountOut: two.amountOut };
  return { token, ...amounts, profit: two.amountOut - input, buy, sell };
}

/** The input that buys all that the next pool's range takes: a trifle more, or rounding would end it a unit before. */
function inputFor(side: Side, out: bigint): bigint | undefined {
  const paid = amountIn(side, out);
  return paid === undefined ? undefined : paid + side.reserveIn / 1_000_000_000_000n + 1n;
}

const smallest = (one: bigint | undefined, other: bigint | undefined): bigint | undefined =>
  one === undefined ? other : other === undefined || one < other ? one : other;
