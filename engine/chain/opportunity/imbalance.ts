/**
 * How far a pool is from balance, as seed 002 defines it: k = x · y, each side's ideal is √k, and the imbalance is the larger relative deviation.
 * The seed counts tokens, which are equal only in pools of equal prices, and so flags every other pool; we count what they are worth.
 */
export interface Imbalance {
  /** percent, of values; null where a price is not known */
  readonly pct: number | null;
  /** percent, of amounts as the seed has it */
  readonly rawPct: number;
}

/** A side of a pool: units of its token, and what one is worth in any currency, if that is known. */
export interface PoolSide {
  readonly amount: number;
  readonly price: number | null;
}

/** Flagged from here on: percent. */
export const IMBALANCE_THRESHOLD_PCT = 5;
/** What seed 002 calls a small opportunity, USD. */
export const SMALL_OPPORTUNITY_USD = { from: 10_000, to: 100_000 } as const;

/** @returns undefined for a pool with nothing on one side: there is no price in it */
export function imbalanceOf(one: PoolSide, other: PoolSide): Imbalance | undefined {
  if (!(one.amount > 0 && other.amount > 0)) return undefined;
  const known = one.price !== null && other.price !== null && one.price > 0 && other.price > 0;
  return {
    pct: known ? deviation(one.amount * one.price, other.amount * other.price) : null,
    rawPct: deviation(one.amount, other.amount),
  };
}

/** max(|x − √(x y)|, |y − √(x y)|) / √(x y) in percent; the larger side's is always the larger. */
const deviation = (x: number, y: number): number => (Math.sqrt(Math.max(x, y) / Math.min(x, y)) - 1) * 100;

export const isSmallOpportunity = (usd: number): boolean =>
  usd >= SMALL_OPPORTUNITY_USD.from && usd <= SMALL_OPPORTUNITY_USD.to;
