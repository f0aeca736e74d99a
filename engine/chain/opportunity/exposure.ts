/** What a sandwich could take from a swap before it is executed: as much as its sender's slippage limit allows. */
import { amountOut, type Side, squareRoot, WHOLE } from "./constantProduct.ts";

export interface Exposure {
  /** The largest front-run after which the victim still gets its least. */
  readonly front: bigint;
  /** What the victim gets less than it would without. */
  readonly loss: bigint;
  /** What is left to the attacker in the token paid, before gas: negative where fees take more than the victim leaves. */
  readonly profit: bigint;
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
  if (undisturbed === 0n || undisturbed < least || front <= 0n) return { front: 0n, loss: 0n, profit: 0n };
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
