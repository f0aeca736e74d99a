import { type Candidates, compileFilter } from "../rules/candidates.ts";
import type { LiveRule } from "../rules/catalogue.ts";
import type { Manifest } from "../sandbox/parseManifest.ts";
import { KIND } from "../sandbox/results.ts";
import { createRule, type Rule } from "../sandbox/rule.ts";
import type { Alert } from "./alerts.ts";
import type { Decoded } from "./decode.ts";
import type { RuleCount } from "./outcome.ts";

/** What the rules made of a batch. */
export interface Matched {
  /** By rule, then by transaction. */
  readonly alerts: readonly Alert[];
  readonly tags: Map<number, string[]>;
  /** The highest score of each transaction that got one. */
  readonly scores: Map<number, number>;
  readonly failures: readonly RuleFailure[];
  /** Of every rule, also of those that saw nothing. */
  readonly counts: readonly RuleCount[];
}

/** A rule failed on a transaction: the transaction's other rules and the rule's other transactions are not affected. */
export interface RuleFailure {
  readonly rule: string;
  readonly version: number;
  /** Number in the batch. */
  readonly transaction: number;
  readonly policy: Manifest["onError"];
  readonly reason: string;
  readonly detail: string;
}

interface Prepared extends LiveRule {
  readonly candidates: Candidates;
  readonly sandboxed: Rule;
}

/** Runs every rule over its candidates of a batch, one call a rule, in the order of the snapshot. */
export function createRuleStage(rules: readonly LiveRule[]): (decoded: Decoded) => Matched {
  const prepared: Prepared[] = rules.map((rule) => ({
    ...rule,
    candidates: compileFilter(rule.manifest.filter),
    sandboxed: createRule(rule.module),
  }));
  let indices = new Uint32Array(4_096);

  return ({ words, frames, count }) => {
    if (indices.length < count) indices = new Uint32Array(count);
    const alerts: Alert[] = [];
    const tags = new Map<number, string[]>();
    const scores = new Map<number, number>();
    const failures: RuleFailure[] = [];
    const counts: RuleCount[] = [];
    for (const { name, version, manifest, candidates, sandboxed } of prepared) {
      const found = candidates.select({ words, offsets: frames, count }, indices);
      const run = sandboxed.run({ words, offsets: frames }, indices, found);
      const before = alerts.length;
      for (const { transaction, kind, severity, text, score } of run.matches) {
        if (kind === KIND.alert) {
          const last = alerts.at(-1);
          const again = alerts.length > before && last?.transaction === transaction;
          alerts.push({
            rule: name,
            version,
            transaction,
            severity,
            message: utf8(text),
            ordinal: again ? last.ordinal + 1 : 0,
          });
        } else if (kind === KIND.tag) {
          const known = tags.get(transaction);
          if (!known) tags.set(transaction, [utf8(text)]);
          else if (!known.includes(utf8(text))) known.push(utf8(text));
        } else {
          scores.set(transaction, Math.max(score, scores.get(transaction) ?? 0));
        }
      }
      for (const { transaction, code, message } of run.failures)
        failures.push({
          rule: name,
          version,
          transaction,
          policy: manifest.onError,
          reason: `rule_${code}`,
          detail: message,
        });
      counts.push({
        rule: name,
        version,
        evaluations: run.evaluations,
        matches: alerts.length - before,
        traps: run.failures.length,
        fuel: run.fuel,
      });
    }
    return { alerts, tags, scores, failures, counts };
  };
}

const decoder = new TextDecoder();
const utf8 = (bytes: Uint8Array): string => decoder.decode(bytes);
