import type { LiveRule } from "../rules/liveRule.ts";
import type { RuleCount } from "./outcome.ts";

/** Versions on trial beside live ones: what they would change, batch by batch. */
export interface Trials {
  /** A new batch. */
  begin(): Trials;
  /** This version alerts on the transaction, or would. */
  alerted(rule: LiveRule, transaction: number): void;
  /** Adds what each version on trial would add and drop to its count, or a count where it has seen nothing. */
  compare(counts: RuleCount[]): void;
}

/** Without a version on trial it costs nothing but a question a match. */
export function createTrials(rules: readonly LiveRule[]): Trials {
  const pairs = rules.flatMap((trial, i) => {
    const live = rules[i - 1];
    return trial.trial && live?.name === trial.name ? [{ live, trial }] : [];
  });
  const found = new Map(pairs.flatMap(({ live, trial }) => [live, trial]).map((rule) => [rule, new Set<number>()]));
  const trials: Trials = {
    begin() {
      for (const transactions of found.values()) transactions.clear();
      return trials;
    },
    alerted(rule, transaction) {
      if (found.size > 0) found.get(rule)?.add(transaction);
    },
    compare(counts) {
      for (const { live, trial } of pairs) {
        const [before, after] = [found.get(live)!, found.get(trial)!];
        const added = missing(after, before);
        const dropped = missing(before, after);
        if (added + dropped === 0) continue;
        const { name: rule, version } = trial;
        const at = counts.findIndex((count) => count.rule === rule && count.version === version);
        const nothing = { rule, version, evaluations: 0, matches: 0, traps: 0, fuel: 0 };
        if (at < 0) counts.push({ ...nothing, added, dropped });
        else counts[at] = { ...counts[at]!, added, dropped };
      }
    },
  };
  return trials;
}

/** How many of `all` the other one lacks. */
function missing(all: ReadonlySet<number>, other: ReadonlySet<number>): number {
  let count = 0;
  for (const each of all) if (!other.has(each)) count++;
  return count;
}
