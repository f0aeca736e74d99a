import { setTimeout as sleep } from "node:timers/promises";

/**
 * Lets calls through at a steady rate: each takes the next free slot of 1/perSecond, and up to a tenth of a second's slots may be
 * taken at once, so that calls of one block go out together.
 */
export function createPace({
  perSecond,
  now,
  wait = (ms) => sleep(ms),
}: {
  perSecond: number;
  now: () => number;
  wait?: (ms: number) => Promise<unknown>;
}): () => Promise<void> {
  const slot = 1000 / perSecond;
  const burst = Math.max(0, 100 - slot);
  let next = -Infinity;
  return async () => {
    next = Math.max(next + slot, now() - burst);
    const ahead = next - now();
    if (ahead > 0) await wait(ahead);
  };
}
