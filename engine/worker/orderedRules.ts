import type { LiveRule } from "../rules/liveRule.ts";

/** Rules that must see the batches of a partition in order: those with state, and versions that are compared with such. */
export function orderedRules(rules: readonly LiveRule[]): ReadonlySet<LiveRule> {
  const hasState = ({ manifest, throttled }: LiveRule): boolean => !throttled && (manifest.state?.length ?? 0) > 0;
  const ordered = new Set(rules.filter(hasState));
  rules.forEach((trial, i) => {
    const live = rules[i - 1];
    if (!trial.trial || live?.name !== trial.name || !(hasState(trial) || hasState(live))) return;
    ordered.add(live).add(trial);
  });
  return ordered;
}
