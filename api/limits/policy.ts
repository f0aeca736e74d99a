/**
 * Three ways to count requests. Each is a pure step: (what is remembered, policy, time) in, verdict and what to remember out.
 *
 *     fixed    a count that begins anew with each window: cheap, and lets twice the limit through around a window's edge
 *     sliding  the count of this window, and of the one before as far as it still overlaps the last `windowMs`
 *     bucket   tokens that refill evenly, up to `burst`: a pause is paid back at once
 *
 * `redisLimiter.ts` has the same three in Lua, and one test runs both.
 */
export const KINDS = ["fixed", "sliding", "bucket"] as const;
export type Kind = (typeof KINDS)[number];

export interface Policy {
  readonly kind: Kind;
  /** Requests in a window. */
  readonly limit: number;
  readonly windowMs: number;
  /** Of a bucket: tokens at most; default: the limit. */
  readonly burst?: number;
}

export interface Verdict {
  readonly allowed: boolean;
  /** Requests that would be allowed right now. */
  readonly remaining: number;
  /** Until nothing of what was counted counts any more. */
  readonly resetMs: number;
  /** Until the next request is allowed; 0 when this one was. */
  readonly retryMs: number;
}

/** fixed, sliding: window's number, its count, the count of the one before. bucket: tokens, when they were counted, unused. */
export type State = readonly [number, number, number];

/** @param now in ms @param cost 0: what is left is asked, and nothing counted */
export function step(
  state: State | undefined,
  policy: Policy,
  now: number,
  cost: 0 | 1 = 1,
): { verdict: Verdict; state: State } {
  return policy.kind === "bucket" ? bucket(state, policy, now, cost) : windows(state, policy, now, cost);
}

function windows(state: State | undefined, { kind, limit, windowMs }: Policy, now: number, cost: 0 | 1) {
  const window = Math.max(Math.floor(now / windowMs), state?.[0] ?? 0); // a clock that goes back begins no window anew
  const elapsed = Math.max(0, now - window * windowMs);
  const [known, counted, countedBefore] = state ?? [window, 0, 0];
  const count = known === window ? counted : 0;
  const before = kind === "fixed" ? 0 : known === window ? countedBefore : known === window - 1 ? counted : 0;
  const overlapping = (before * (windowMs - elapsed)) / windowMs;
  const allowed = overlapping + count + cost <= limit;
  const after = count + (allowed ? cost : 0);
  const verdict = {
    allowed,
    remaining: Math.max(0, Math.floor(limit - overlapping - after)),
    resetMs: kind === "fixed" || after === 0 ? windowMs - elapsed : 2 * windowMs - elapsed,
    retryMs: allowed ? 0 : Math.ceil(kind === "fixed" ? windowMs - elapsed : waitFor(before, count)),
  };
  return { verdict, state: [window, after, before] as const };

  /** When what overlaps has shrunk enough: in this window, or in the next, where this one's count is what overlaps. */
  function waitFor(before: number, count: number): number {
    if (count + 1 <= limit) return windowMs - elapsed - ((limit - count - 1) * windowMs) / before;
    return windowMs - elapsed + windowMs - ((limit - 1) * windowMs) / count;
  }
}

function bucket(state: State | undefined, { limit, windowMs, burst = limit }: Policy, now: number, cost: 0 | 1) {
  const perMs = limit / windowMs;
  const [left, at] = state ?? [burst, now, 0];
  const tokens = Math.min(burst, left + Math.max(0, now - at) * perMs);
  const allowed = tokens >= cost;
  const after = allowed ? tokens - cost : tokens;
  const verdict = {
    allowed,
    remaining: Math.floor(after),
    resetMs: Math.ceil((burst - after) / perMs),
    retryMs: allowed ? 0 : Math.ceil((1 - tokens) / perMs),
  };
  return { verdict, state: [after, now, 0] as const };
}
