/** What a rule makes of one transaction, and why: its condition with every value met, then the rule itself in its sandbox. */

import { ALWAYS } from "../condition/condition.ts";
import { describeFailure, explain, firstFailure } from "../rules/explain.ts";
import type { Explanation } from "../rules/explanation.ts";
import { filterCondition } from "../rules/filterCondition.ts";
import type { LiveRule } from "../rules/liveRule.ts";
import { SEVERITIES, type Severity } from "../sandbox/manifest.ts";
import { createLocalState, type LocalState } from "../state/localState.ts";
import type { StateSession } from "../state/session.ts";
import type { StateTable } from "../state/stateTable.ts";
import { amountText } from "../state/values.ts";
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
  /** What its code asked of its state, in order, and the answers: the first 64. */
  readonly state: readonly AskedState[];
  readonly fuel: number;
}

export interface AskedList {
  readonly list: string;
  readonly entry: string;
  readonly has: boolean;
}

export interface AskedState {
  readonly name: string;
  readonly key: string;
  readonly action: "get" | "add" | "set";
  /** Its value, or the sum of its window, then: decimal. */
  readonly answer: string;
}

export interface ExplainOptions {
  /** Those that the rule names. */
  readonly lists?: Lists;
  /** Its state before the batch, one table a declaration; default: it remembers nothing. */
  readonly past?: readonly StateTable[] | undefined;
  /** Number of the transaction; default: the last one. */
  readonly at?: number;
}

/** @param batch the transaction, behind those that the rule has seen since its state was so; with facts, if it wants them */
export function explainRule(
  rule: LiveRule,
  batch: Decoded,
  { lists = NO_LISTS, past, at = batch.count - 1 }: ExplainOptions = {},
): RuleExplanation {
  const decoded = part(batch, at, at + 1);
  const wanted = rule.condition ?? filterCondition(rule.manifest.filter);
  const condition = explain(
    wanted,
    { bytes: decoded.bytes, u32: decoded.words },
    (decoded.shown ?? decoded.frames)[0]!,
    lists,
  );
  const failed = firstFailure(condition);
  const asked: AskedList[] = [];
  const askedState: AskedState[] = [];
  const declared = rule.manifest.state ?? [];
  const state = createLocalState(declared, past && (() => [...past]));
  if (at > 0 && declared.length > 0)
    createRuleStage([rule], { states: new Map([[0, state]]) })(part(batch, 0, at), lists);
  // The condition has had its say: what is asked of lists from now on, the rule's code asks.
  const seeing: LiveRule[] = condition.holds ? [{ ...rule, silent: false, condition: ALWAYS }] : [];
  const states = new Map([[0, overheardState(state, askedState)]]);
  const run = createRuleStage(seeing, { states })(decoded, condition.holds ? overheard(lists, asked) : NO_LISTS);
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
    state: askedState,
    fuel: run.ran.fuel[0] ?? 0,
  };
}

/** Questions of one transaction that are shown. */
const SHOWN_QUESTIONS = 64;

/** Some transactions of a batch. */
const part = (all: Decoded, from: number, to: number): Decoded => ({
  ...all,
  count: to - from,
  frames: all.frames.subarray(from, to),
  ...(all.shown && { shown: all.shown.subarray(from, to) }),
  offsets: all.offsets.subarray(from, to),
  times: all.times.subarray(from, to),
  indexes: all.indexes.subarray(from, to),
  events: all.events.subarray(from, to),
});

/** State that notes what it is asked. */
function overheardState(state: LocalState, asked: AskedState[]): LocalState {
  return {
    ...state,
    open(stream, shown) {
      const session = state.open(stream, shown);
      const listen =
        (action: AskedState["action"]): StateSession["get"] =>
        (number, key, amount) => {
          const { name, key: kind, value } = session.declarations[number]!;
          const bytes = Buffer.from(new Uint8Array(key.slice(0, kind === "address" ? 5 : 8).buffer));
          const there = session[action](number, key, amount);
          if (asked.length < SHOWN_QUESTIONS)
            asked.push({ name, key: `0x${bytes.toString("hex")}`, action, answer: amountText(value, amount) });
          return there;
        };
      return { ...session, get: listen("get"), add: listen("add"), set: listen("set") };
    },
  };
}

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
