/** JSON rules as the rule stage takes them, without a catalogue. */
import type { Condition } from "../../engine/condition/condition.ts";
import { parseCondition } from "../../engine/condition/parseCondition.ts";
import type { LiveRule } from "../../engine/rules/liveRule.ts";
import type { JsonRule } from "./ruleMix.ts";

const MANIFEST = {
  manifest: 1,
  description: "",
  severity: "medium",
  parameters: {},
  filter: {},
  onError: "dlq",
} as const;

/** @throws Error for a condition that the engine does not know */
export function conditionOf({ id, conditions }: JsonRule): Condition {
  const parsed = parseCondition(conditions);
  if (!parsed.ok) throw new Error(`Cannot read the condition of rule "${id}": ${parsed.problems[0]!.message}`);
  return parsed.condition;
}

/** Rules that alert, or only count their matches. */
export const liveRules = (rules: readonly JsonRule[], { silent }: { silent: boolean }): LiveRule[] =>
  rules.map((rule) => ({
    ...{ name: rule.id, version: 1, manifest: { ...MANIFEST, name: rule.id } },
    ...{ condition: conditionOf(rule), module: null, silent },
  }));
