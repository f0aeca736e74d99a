/** Counting in this process's memory. */
import { type Policy, type State, step, type Verdict } from "./policy.ts";

export interface Limiter {
  /** Counts a request, unless it is too many. Never rejects. @param cost 0: what is left is asked, and nothing counted; default 1 */
  take(key: string, policy: Policy, cost?: 0 | 1): Verdict | Promise<Verdict>;
}

/** Of keys that were asked for longest ago, the oldest are forgotten: 100 bytes each. */
const MAX_KEYS = 100_000;

export function createMemoryLimiter(now: () => number = Date.now): Limiter {
  const states = new Map<string, State>();
  return {
    take(key, policy, cost) {
      const { verdict, state } = step(states.get(key), policy, now(), cost);
      if (cost === 0) return verdict;
      states.delete(key); // and to the end of the order
      states.set(key, state);
      if (states.size > MAX_KEYS) states.delete(states.keys().next().value!);
      return verdict;
    },
  };
}
