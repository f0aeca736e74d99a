/** Counting in this process's memory. */
import { type Policy, type State, step, type Verdict } from "./policy.ts";

export interface Limiter {
  /** Counts a request, unless it is too many. Never rejects. */
  take(key: string, policy: Policy): Verdict | Promise<Verdict>;
}

/** Of keys that were asked for longest ago, the oldest are forgotten: 100 bytes each. */
const MAX_KEYS = 100_000;

export function createMemoryLimiter(now: () => number = Date.now): Limiter {
  const states = new Map<string, State>();
  return {
    take(key, policy) {
      const { verdict, state } = step(states.get(key), policy, now());
      states.delete(key); // and to the end of the order
      states.set(key, state);
      if (states.size > MAX_KEYS) states.delete(states.keys().next().value!);
      return verdict;
    },
  };
}
