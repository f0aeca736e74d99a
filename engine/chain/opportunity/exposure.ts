/** What a sandwich could take from a swap before it is executed: as much as its sender's slippage limit allows. */
import type { Address } from "../swap.ts";
import { type ConcentratedPool, virtualReserves } from "./concentratedPool.ts";
import { amountOut, otherToken, type Side, sideOf, squareRoot, WHOLE } from "./constantProduct.ts";
import { isPair, type Pool, tradeOf } from "./pool.ts";

export interface Exposure {
  /** The largest front-run after which the victim still gets its least. */
  readonly front: bigint;
  /** What the victim gets less than it would without. */
  readonly loss: bigint;
  /** What is left to the attacker in the token paid, before gas: negative where fees take more than the victim leaves. */
  readonly profit: bigint;
}

const NONE: Exposure = { front: 0n, loss: 0n, profit: 0n };

/**
 * Of a swap that pays `victimIn` to a pool of any kind. An attacker is taken to bring no more than the pool holds of that token.
 * @param least of the token bought
 * @returns undefined: of a concentrated pool less is known than the front-run would go through
 */
export function exposureIn(pool: Pool, tokenIn: Address, victimIn: bigint, least: bigint): Exposure | undefined {
  if (!isPair(pool)) return rangeExposure(pool, tokenIn, victimIn, least);
  const side = sideOf(pool, tokenIn)!;
  return sandwichExposure(side, victimIn, least, side.reserveIn);
}

/**
 * The same by trial: more in front never leaves the victim more, so the largest front-run is found by halving, and each trial is the contract's own sum.
 * Within one range it would be an equation as below, but the front-runs that matter cross ticks.
 */
function rangeExposure(pool: ConcentratedPool, tokenIn: Address, paid: bigint, least: bigint): Exposure | undefined {
  const undisturbed = tradeOf(pool, tokenIn, "in", paid)?.amountOut;
  if (undisturbed === undefined) return undefined;
  if (undisturbed < least) return NONE;
  const behind = (front: bigint) => {
    const ahead = tradeOf(pool, tokenIn, "in", front);
    const victim = ahead && tradeOf(ahead.after, tokenIn, "in", paid);
    return victim && { bought: ahead.amountOut, out: victim.amountOut, after: victim.after };
  };
  const capital = virtualReserves(pool)[tokenIn === pool.token0 ? 0 : 1];
  let [low, high] = [0n, capital + 1n];
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    const found = behind(middle);
    if (found !== undefined && found.out >= least) low = middle;
    else high = middle;
  }
  // Was it the victim's limit that ended it, or our knowledge?
  if (high <= capital && behind(high) === undefined) return undefined;
  const found = low === 0n ? undefined : behind(low)!;
  const back = found && tradeOf(found.after, otherToken(pool, tokenIn), "in", found.bought);
  if (found === undefined) return NONE;
  return back && { front: low, loss: undisturbed - found.out, profit: back.amountOut - low };
}

/**
 * The front-run x that leaves a victim, who pays v, exactly its least m. With f = keep / 10,000 and reserves A and B before:
 *
 *     f v · A B / (A + f x) = m · (A + x + f v)      the victim's trade in the pool that x has left
 *
 * a quadratic in x. Rounding in the pool is in the victim's favour, so the x found here always leaves it its least.
 * @param least of the token bought; what allows any price (0) is bounded by `capital`
 * @param capital most that an attacker could pay
 */
export function sandwichExposure(pool: Side, victimIn: bigint, least: bigint, capital: bigint): Exposure {
  const undisturbed = amountOut(pool, victimIn);
  const front = smaller(capital, least > 0n ? largestFront(pool, victimIn, least) : capital);
  if (undisturbed === 0n || undisturbed < least || front <= 0n) return NONE;
  const bought = amountOut(pool, front);
  const ahead = moved(pool, front, bought);
  const victimOut = amountOut(ahead, victimIn);
  const behind = moved(ahead, victimIn, victimOut);
  const back = amountOut({ reserveIn: behind.reserveOut, reserveOut: behind.reserveIn, keep: pool.keep }, bought);
  return { front, loss: undisturbed - victimOut, profit: back - front };
}

export function largestFront({ reserveIn, reserveOut, keep }: Side, victimIn: bigint, least: bigint): bigint {
  // All multiplied by 10,000².
  const a = keep * WHOLE;
  const b = reserveIn * WHOLE * WHOLE + keep * WHOLE * reserveIn + keep * keep * victimIn;
  const room = (keep * WHOLE * victimIn * reserveOut * reserveIn) / least;
  const c = room - reserveIn * (reserveIn * WHOLE * WHOLE + keep * WHOLE * victimIn);
  if (c <= 0n) return 0n;
  return (squareRoot(b * b + 4n * a * c) - b) / (2n * a);
}

const moved = ({ reserveIn, reserveOut, keep }: Side, amountIn: bigint, out: bigint): Side => ({
  reserveIn: reserveIn + amountIn,
  reserveOut: reserveOut - out,
  keep,
});

const smaller = (one: bigint, other: bigint): bigint => (one < other ? one : other);
