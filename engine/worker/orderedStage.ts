/** The second stage: rules with state see what the first has left for them. A pure function, too: state in, changes out. */
import type { RuleStateRows } from "../../clickhouse/tables/ruleState.ts";
import type { LiveRule } from "../rules/liveRule.ts";
import { ruleKey } from "../rules/ruleKey.ts";
import type { Rule } from "../sandbox/rule.ts";
import { entryLayout, shapeOf } from "../state/declaration.ts";
import { createStateSession, type StateSession } from "../state/session.ts";
import type { StateChange, StateTable } from "../state/stateTable.ts";
import { type Lists, NO_LISTS, tablesOf } from "../world/world.ts";
import type { Decoded } from "./decode.ts";
import { createMatches, type Matched } from "./matches.ts";
import { orderedRules } from "./orderedRules.ts";
import type { Handover } from "./outcome.ts";
import type { Sandboxes } from "./sandboxes.ts";
import { createTrials } from "./trials.ts";

/** By `ruleKey`: a table for each declaration of the rule. */
export type StateTables = ReadonlyMap<string, readonly StateTable[]>;
/** By `ruleKey`: what changed in each of its tables. */
export type StateChanges = ReadonlyMap<string, readonly (StateChange | undefined)[]>;

/** @param rules of which those in the handover run, but for what is not among them */
export type OrderedStage = (
  decoded: Decoded,
  handover: Handover,
  tables: StateTables,
  lists?: Lists,
) => { readonly matched: Matched; readonly changes: StateChanges };

interface Runner {
  readonly rule: LiveRule;
  readonly sandbox: Rule | undefined;
  readonly session: StateSession;
}

export function createOrderedStage(rules: readonly LiveRule[], sandboxes: Sandboxes): OrderedStage {
  const ordered = new Map([...orderedRules(rules)].map((rule) => [ruleKey(rule), rule]));
  const runners = new Map<string, Runner>();
  const trials = createTrials([...ordered.values()]);

  function runnerOf(key: string, rule: LiveRule): Runner {
    const found = runners.get(key);
    if (found) return found;
    const runs = rule.module !== null || rule.banned !== undefined;
    const made = {
      rule,
      sandbox: runs ? sandboxes.of(rule) : undefined,
      session: createStateSession(rule.manifest.state ?? []),
    };
    runners.set(key, made);
    return made;
  }

  return ({ words, frames, events }, handover, tables, lists = NO_LISTS) => {
    trials.begin();
    sandboxes.begin();
    const matched = createMatches(trials);
    const changes = new Map<string, readonly (StateChange | undefined)[]>();
    for (const { key, seen } of handover.rules) {
      const rule = ordered.get(key);
      if (rule === undefined) continue; // a rule is sought that ends threads, and this one is not tried now
      const { sandbox, session } = runnerOf(key, rule);
      if (sandbox === undefined) {
        matched.addAll(rule, { transactions: seen, from: 0, to: seen.length }, words, frames);
        continue;
      }
      session.open(tables.get(key) ?? [], { words, frames, events });
      const offsets = rule.manifest.facts === undefined ? frames : handover.shown;
      const run = sandbox.run({ words, offsets }, seen, seen.length, {
        state: session,
        lists: tablesOf(rule.manifest.lists ?? [], lists),
      });
      changes.set(key, session.close());
      matched.add(rule, run);
    }
    return { matched: { ...matched, trialChanges: trials.compare(matched.counts) }, changes };
  };
}

/** Whose state it is: a version on trial has its own, all others the rule's. */
export const stateOwner = ({ name, version, trial }: Pick<LiveRule, "name" | "version" | "trial">) => ({
  rule: name,
  trial: trial ? version : 0,
});

/** Rows of what changed, in the order of rules, declarations and writes. */
export function stateRows(
  { source, partition, from }: Pick<Decoded, "source" | "partition" | "from">,
  rules: readonly LiveRule[],
  changes: StateChanges,
): RuleStateRows[] {
  return rules.flatMap((rule) =>
    (changes.get(ruleKey(rule)) ?? []).flatMap((change, i) => {
      const declaration = rule.manifest.state![i]!;
      const { name } = declaration;
      const { keyWords, entryWords } = entryLayout(declaration);
      const place = { source, partition, offset: from, ...stateOwner(rule), name, shape: shapeOf(declaration) };
      return change ? [{ ...place, entries: change.entries, keyWords, entryWords }] : [];
    }),
  );
}
