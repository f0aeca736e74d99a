/**
 * A circuit breaker: after so many failures in a row an endpoint is left alone for a while, then one call may try it.
 *
 *     closed ──failures in a row──▶ open ──openMs──▶ half open ──success──▶ closed
 *                                     ▲───────────failure──────────┘
 */
export interface Breaker {
  /** Whether a call may be made now; half open lets one through, until it is told how that went. */
  allows(): boolean;
  success(): void;
  failure(): void;
  state(): "closed" | "open" | "half_open";
}

/** Five failures, a minute: what the monitor that this replaces had. */
export function createBreaker({
  failures = 5,
  openMs = 60_000,
  now,
}: {
  failures?: number;
  openMs?: number;
  now: () => number;
}): Breaker {
  let inRow = 0;
  let openUntil = 0;
  let trying = false;
  const state = () => (inRow < failures ? "closed" : now() < openUntil ? "open" : "half_open");
  return {
    state,
    allows() {
      if (state() === "closed") return true;
      if (state() === "open" || trying) return false;
      trying = true;
      return true;
    },
    success() {
      inRow = 0;
      trying = false;
    },
    failure() {
      inRow++;
      trying = false;
      if (inRow >= failures) openUntil = now() + openMs;
    },
  };
}
