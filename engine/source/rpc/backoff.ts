/**
 * How long to wait before the next attempt: doubling from `firstMs` up to `mostMs`, of which a random half to whole, so that many who
 * lost the same node do not come back at once.
 *
 * @param attempt 0 for the first wait; @param random in [0, 1)
 */
export function backoffMs(attempt: number, random: number, { firstMs = 250, mostMs = 30_000 } = {}): number {
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 30));
  return whole * (0.5 + random / 2);
}
