import type { Rule } from "../sandbox/rule.ts";

/**
 * Which sandboxes keep their instance between batches. V8 gives a process so many live memories and no more, so beyond the
 * budget an instance is made for a batch and let go after it (65 µs). Rules are run in the same order in every batch: a cache that drops the
 * least recently used would drop each one just before its turn (measured: 91 µs an event); here those that are in stay in,
 * and one that has not been run for a while gives its place up. A thread has one such budget, whatever rule sets it runs.
 */
export interface Residents {
  /** A batch begins. */
  begin(): void;
  /** The sandbox has run. */
  used(rule: Rule): void;
}

/** Batches without a run after which a place may be taken … */
const IDLE_BATCHES = 64;
/** … and after which it is given up: the rule may be of a set that is gone. */
const GONE_BATCHES = 4_096;

/** @param budget instances to keep at most */
export function createResidents(budget: number): Residents {
  /** With the batch it last ran in; least recently used first. */
  const lastRun = new Map<Rule, number>();
  let batch = 0;
  return {
    begin() {
      batch++;
      const [oldest, ran] = lastRun.entries().next().value ?? [undefined, batch];
      if (oldest === undefined || batch - ran < GONE_BATCHES) return;
      oldest.release();
      lastRun.delete(oldest);
    },
    used(rule) {
      if (!lastRun.delete(rule) && lastRun.size >= budget) {
        const [oldest, ran] = lastRun.entries().next().value ?? [rule, batch];
        if (batch - ran < IDLE_BATCHES) return rule.release();
        oldest.release();
        lastRun.delete(oldest);
      }
      lastRun.set(rule, batch);
    },
  };
}
