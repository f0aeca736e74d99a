/** What a rule makes of one transaction, and why: its condition with every value met, then the rule itself in its sandbox. */

import { ALWAYS } from "../condition/condition.ts";
import { describeFailure, type Explanation, explain, firstFailure } from "../rules/explain.ts";
import { filterCondition } from "../rules/filterCondition.ts";
import type { LiveRule } from "../rules/liveRule.ts";
import { SEVERITIES, type Severity } from "../sandbox/manifest.ts";
import type { ListTable } from "../world/listTable.ts";
import { type Lists, NO_LISTS } from "../world/world.ts";
import type { Decoded } from "./decode.ts";
import { createRuleStage } from "./ruleStage.ts";

export interface RuleExplanation {
  /** The condition holds, so the rule is shown the transaction. */
  readonly sees: boolean;
  readonly condition: Explanation;
  /** The first comparison that failed, in words; null when the condition holds. */
  readonly why_not: string | null;
  readonly alerts: readonly { readonly severity: Severity; readonly message: string }[];
  readonly tags: readonly string[];
  readonly score: number | null;
  /** What it failed with, if it did. */
  readonly failure: { readonly reason: string; readonly detail: string } | null;
  /** What its code asked of lists, in order, and the answers: the first 64. */
  readonly lists: readonly AskedList[];
  readonly fuel: number;
}

export interface AskedList {
  readonly list: string;
  readonly entry: string;
  readonly has: boolean;
}

/** @param decoded a batch of one transaction  @param lists those that the rule names */
export function explainRule(rule: LiveRule, decoded: Decoded, lists: Lists = NO_LISTS): RuleExplanation {
  const wanted = rule.condition ?? filterCondition(rule.manifest.filter);
  const condition = explain(wanted, { bytes: decoded.bytes, u32: decoded.words }, decoded.frames[0]!, lists);
  const failed = firstFailure(condition);
  const asked: AskedList[] = [];
  // The condition has had its say: what is asked of lists from now on, the rule's code asks.
  const seeing: LiveRule[] = condition.holds ? [{ ...rule, silent: false, condition: ALWAYS }] : [];
  const run = createRuleStage(seeing)(decoded, condition.holds ? overheard(lists, asked) : NO_LISTS);
  const [failure] = run.failures;
  return {
    sees: condition.holds,
    condition,
    why_not: failed ? describeFailure(failed) : null,
    alerts: run.alerts.map(({ severity, message }) => ({ severity: SEVERITIES[severity]!, message })),
    tags: run.tags.get(0) ?? [],
    score: run.scores.get(0) ?? null,
    failure: failure ? { reason: failure.reason, detail: failure.detail } : null,
    lists: asked,
    fuel: run.counts[0]?.fuel ?? 0,
  };
}

/** Questions of one transaction that are shown. */
const SHOWN_QUESTIONS = 64;

/** Lists that note what they are asked. */
function overheard(lists: Lists, asked: AskedList[]): Lists {
  const listen = (list: string, table: ListTable): ListTable => ({
    ...table,
    has(words, at) {
      const has = table.has(words, at);
      const entry = `0x${Buffer.from(words.slice(at, at + table.bytes / 4).buffer).toString("hex")}`;
      if (asked.length < SHOWN_QUESTIONS) asked.push({ list, entry, has });
      return has;
    },
  });
  return new Map([...lists].map(([name, table]) => [name, listen(name, table)]));
}
