/** What is known of an endpoint, and what that is worth: the lower its cost, the sooner it is asked. */
export interface EndpointHealth {
  /** Mean time of an answer in ms, the last tenths weighing most; 0 before the first. */
  readonly latencyMs: number;
  /** Share of calls that failed, the same mean; 0 to 1. */
  readonly errors: number;
  /** Newest block that it named; -1 before the first. */
  readonly head: number;
}

/** A sample counts a fifth: after 10 samples what was before weighs 10 %. */
const WEIGHT = 0.2;
/** An endpoint that fails half of its calls is worth one that takes 6 times as long. */
const ERROR_FACTOR = 10;
/** A block behind the others is as bad as a second's wait. */
const BEHIND_MS = 1_000;

export const UNKNOWN: EndpointHealth = { latencyMs: 0, errors: 0, head: -1 };

export function observed(health: EndpointHealth, ms: number, ok: boolean): EndpointHealth {
  return {
    ...health,
    latencyMs: health.latencyMs === 0 ? ms : mean(health.latencyMs, ms),
    errors: mean(health.errors, ok ? 0 : 1),
  };
}

const mean = (before: number, sample: number): number => before + WEIGHT * (sample - before);

/** @param newest the newest block that any endpoint of the chain named; @returns ms, to be compared with others' */
export function costOf({ latencyMs, errors, head }: EndpointHealth, newest: number): number {
  const behind = head < 0 ? 0 : newest - head;
  return latencyMs * (1 + ERROR_FACTOR * errors) + BEHIND_MS * behind + errors;
}
