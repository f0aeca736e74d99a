import type { LiveRule } from "../rules/liveRule.ts";
import { ruleKey } from "../rules/ruleKey.ts";
import type { RuleCount } from "./outcome.ts";
import { outlineOf } from "./outline.ts";

/** Versions on trial beside live ones: what they would change, batch by batch. */
export interface Trials {
  /** A new batch. */
  begin(): void;
  /** Where the transactions are noted that this version alerts on, or would; undefined where nobody compares. */
  of(rule: LiveRule): Set<number> | undefined;
  /**
   * Adds what each version on trial would add and drop to its count, or a count where it has seen nothing.
   * @returns which transactions, by ruleKey
   */
  compare(counts: RuleCount[]): ReadonlyMap<string, TrialChange>;
}

/** Numbers in the batch of what a version on trial would alert on and the live one did not, and the other way round. */
export interface TrialChange {
  readonly added: readonly number[];
  readonly dropped: readonly number[];
}

/** Without a version on trial it costs a look-up a rule and batch. */
export function createTrials(rules: readonly LiveRule[]): Trials {
  const pairs = rules.flatMap((trial, i) => {
    const live = rules[i - 1];
    return outlineOf(trial).trial && !outlineOf(trial).throttled && live?.name === trial.name ? [{ live, trial }] : [];
  });
  const alerted = new Map(pairs.flatMap(({ live, trial }) => [live, trial]).map((rule) => [rule, new Set<number>()]));
  return {
    begin() {
      for (const transactions of alerted.values()) transactions.clear();
    },
    of: pairs.length === 0 ? () => undefined : (rule) => alerted.get(rule),
    compare(counts) {
      const changes = new Map<string, TrialChange>();
      if (pairs.length === 0) return changes;
      const places = new Map(counts.map(({ rule: name, version }, i) => [ruleKey({ name, version }), i]));
      for (const { live, trial } of pairs) {
        const [before, after] = [alerted.get(live)!, alerted.get(trial)!];
        const added = missing(after, before);
        const dropped = missing(before, after);
        if (added.length + dropped.length === 0) continue;
        changes.set(ruleKey(trial), { added, dropped });
        const nothing = {
          rule: trial.name,
          version: trial.version,
          evaluations: 0,
          matches: 0,
          traps: 0,
          fuel: 0,
          skipped: 0,
        };
        const change = { added: added.length, dropped: dropped.length };
        const at = places.get(ruleKey(trial));
        if (at === undefined) counts.push({ ...nothing, ...change });
        else counts[at] = { ...counts[at]!, ...change };
      }
      return changes;
    },
  };
}

/** What of `all` the other one lacks, in order. */
const missing = (all: ReadonlySet<number>, other: ReadonlySet<number>): number[] =>
  [...all].filter((each) => !other.has(each)).sort((a, b) => a - b);
