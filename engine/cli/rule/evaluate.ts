/** One rule over frames by the engine's own rule stage, and what it made of them as lines in the order of the transactions. */
import { readRegistry } from "../../chain/registry/readRegistry.ts";
import { createRegistry } from "../../chain/registry/registry.ts";
import { OFFSET, PRESENT } from "../../frame/schema.ts";
import type { LiveRule } from "../../rules/liveRule.ts";
import { SEVERITIES } from "../../sandbox/manifest.ts";
import type { Decoded } from "../../worker/decode.ts";
import { createRuleStage } from "../../worker/ruleStage.ts";
import { createFactStage } from "../../worker/withFacts.ts";
import { type Lists, NO_LISTS } from "../../world/world.ts";
import { loadConfiguration } from "../configuration.ts";

/** What a rule said of a transaction: an alert, a tag, a score, or that it failed. The contract's line, members in this order. */
export interface MatchLine {
  readonly rule: string;
  readonly tx_hash: string;
  /** null while pending */
  readonly block_number: number | null;
  readonly severity?: string;
  readonly message?: string;
  readonly tag?: string;
  readonly score?: number;
  /** code of engine/sandbox/trap.ts; `message` says more */
  readonly failure?: string;
}

export interface Totals {
  readonly transactions: number;
  /** alerts, tags and scores */
  readonly matches: number;
  /** transactions that it failed on */
  readonly traps: number;
  readonly fuel: number;
  /** transactions that its filter let through */
  readonly evaluations: number;
}

export interface Evaluator {
  /** Lines by transaction; of each its alerts, tags, score and failure. Whatever the batches, they and the totals are the same. */
  evaluate(decoded: Decoded): Evaluated[];
  totals(): Totals;
}

export interface Evaluated {
  /** Number in the batch. */
  readonly transaction: number;
  readonly line: MatchLine;
}

/** @param lists those that the rule names */
export function createEvaluator(rule: LiveRule, lists: Lists = NO_LISTS): Evaluator {
  const runRules = createRuleStage([rule]);
  const find = runRules.wantsFacts ? createFactStage(configuredRegistry(), lists) : (decoded: Decoded) => decoded;
  const totals = { transactions: 0, matches: 0, traps: 0, fuel: 0, evaluations: 0 };

  return {
    totals: () => ({ ...totals }),
    evaluate(decoded) {
      const run = runRules(find(decoded), lists);
      const { alerts, tags, scores, failures } = run;
      const lines: Evaluated[] = [];
      const add = (transaction: number, what: Omit<MatchLine, "rule" | "tx_hash" | "block_number">): void => {
        lines.push({ transaction, line: { rule: rule.name, ...place(decoded, transaction), ...what } });
      };
      for (const { transaction, severity, message } of alerts)
        add(transaction, { severity: SEVERITIES[severity]!, message });
      for (const [transaction, names] of tags) for (const tag of names) add(transaction, { tag });
      for (const [transaction, score] of scores) add(transaction, { score });
      totals.matches += lines.length;
      for (const { transaction, reason, detail } of failures)
        add(transaction, { failure: reason.replace(/^rule_/, ""), message: detail });
      totals.transactions += decoded.count;
      for (const { evaluations, traps, fuel } of runRules.countsOf(run)) {
        totals.evaluations += evaluations;
        totals.traps += traps;
        totals.fuel += fuel;
      }
      return lines.sort((a, b) => a.transaction - b.transaction); // stable: kinds stay in their order
    },
  };
}

const configuredRegistry = () => createRegistry(readRegistry(loadConfiguration().config.registry));

/** Hash and height of a transaction of the batch. */
function place({ bytes, words, frames }: Decoded, transaction: number): Pick<MatchLine, "tx_hash" | "block_number"> {
  const frame = frames[transaction]!;
  const hash = frame + OFFSET.hash;
  const at = (frame + OFFSET.blockNumber) >> 2;
  const mined = (words[(frame + OFFSET.present) >> 2]! & PRESENT.blockNumber) !== 0;
  return {
    tx_hash: `0x${Buffer.from(bytes.buffer, bytes.byteOffset + hash, 32).toString("hex")}`,
    block_number: mined ? words[at + 1]! * 0x1_0000_0000 + words[at]! : null,
  };
}
