import type { LiveRule } from "../rules/liveRule.ts";
import { outlineOf } from "./outline.ts";

/** Rules that must see the batches of a partition in order: those with state, and versions that are compared with such. */
export function orderedRules(rules: readonly LiveRule[]): ReadonlySet<LiveRule> {
  const hasState = (rule: LiveRule): boolean => outlineOf(rule).hasState;
  const ordered = new Set(rules.filter(hasState));
  rules.forEach((trial, i) => {
    const live = rules[i - 1];
    if (!outlineOf(trial).trial || live?.name !== trial.name || !(hasState(trial) || hasState(live))) return;
    ordered.add(live).add(trial);
  });
  return ordered;
}
