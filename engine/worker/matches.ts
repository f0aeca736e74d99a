/** What the rules made of a batch, as it comes together. */
import { frameBytes } from "../frame/readFrame.ts";
import { alertText } from "../rules/alertText.ts";
import type { LiveRule } from "../rules/liveRule.ts";
import type { Manifest } from "../sandbox/parseManifest.ts";
import { KIND, type RuleRun } from "../sandbox/ruleRun.ts";
import type { Alert } from "./alerts.ts";
import type { RuleCount } from "./outcome.ts";
import { type Outline, outlineOf } from "./outline.ts";
import type { TrialChange, Trials } from "./trials.ts";

export interface Matched {
  /** Rule by rule, each by transaction. */
  readonly alerts: readonly Alert[];
  readonly tags: Map<number, string[]>;
  /** The highest score of each transaction that got one. */
  readonly scores: Map<number, number>;
  readonly failures: readonly RuleFailure[];
  /** Of the rules that saw a transaction, and of versions on trial whose live one alerted. */
  readonly counts: readonly RuleCount[];
  /** Rules that were left out, and what they see. */
  readonly left: readonly { readonly rule: LiveRule; readonly seen: Uint32Array }[];
  /** Of versions on trial, by ruleKey. */
  readonly trialChanges: ReadonlyMap<string, TrialChange>;
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

type Named = Pick<Outline, "name" | "version" | "silent">;
/** What a rule without a module says of a transaction. */
type Saying = Named & Pick<Outline, "severity" | "text" | "message">;

/** Some of a list of transactions: a view of them would cost as much as an alert's id. */
interface Seen {
  readonly transactions: Uint32Array;
  readonly from: number;
  readonly to: number;
}

interface Collecting extends Omit<Matched, "trialChanges"> {
  readonly counts: RuleCount[];
  readonly left: { rule: LiveRule; seen: Uint32Array }[];
  /** What a module reported. @param named the same of the rule, where that is at hand and the rule somewhere in memory  @returns its alerts */
  report(rule: LiveRule, run: RuleRun, named?: Named): number;
  /** The same, with its count. */
  add(rule: LiveRule, run: RuleRun, named?: Named): void;
  /** What a JSON rule sees, it reports. @param offsets of the frames of all transactions, in bytes */
  addAll(rule: LiveRule, seen: Seen, words: Uint32Array, offsets: Uint32Array, saying?: Saying): void;
}

export function createMatches(trials: Pick<Trials, "of">): Collecting {
  const alerts: Alert[] = [];
  const tags = new Map<number, string[]>();
  const scores = new Map<number, number>();
  const failures: RuleFailure[] = [];
  const counts: RuleCount[] = [];

  function report(of: LiveRule, run: RuleRun, { name: rule, version, silent }: Named = outlineOf(of)): number {
    const alerted = trials.of(of);
    let matches = 0;
    /** Alerts so far of the transaction that the run is at: results come in its order. */
    let [current, ordinal] = [-1, 0];
    for (let i = 0; i < run.count; i++) {
      const transaction = run.transactions[i]!;
      const kind = run.kinds[i]!;
      if (kind === KIND.alert) {
        matches++;
        alerted?.add(transaction);
        ordinal = transaction === current ? ordinal + 1 : 0;
        current = transaction;
        if (!silent)
          alerts.push({ rule, version, transaction, severity: run.severities[i]!, message: run.texts[i]!, ordinal });
      } else if (silent) continue;
      else if (kind === KIND.tag) addTag(tags, transaction, run.texts[i]!);
      else scores.set(transaction, Math.max(run.scores[i]!, scores.get(transaction) ?? 0));
    }
    for (const { transaction, code, message } of run.failures) {
      const policy = silent ? "skip" : of.manifest.onError; // a version on trial leaves no trace but its counts
      failures.push({ rule, version, transaction, policy, reason: `rule_${code}`, detail: message });
    }
    return matches;
  }

  function add(of: LiveRule, run: RuleRun, named: Named = outlineOf(of)): void {
    const { evaluations, failures, fuel } = run;
    counts.push({ ...countOf(named, evaluations), matches: report(of, run, named), traps: failures.length, fuel });
  }

  function addAll(
    of: LiveRule,
    { transactions, from, to }: Seen,
    words: Uint32Array,
    offsets: Uint32Array,
    { name: rule, version, silent, severity, text, message: template }: Saying = outlineOf(of),
  ): void {
    const alerted = trials.of(of);
    if (alerted) for (let i = from; i < to; i++) alerted.add(transactions[i]!);
    if (!silent) {
      const frames = template === undefined ? undefined : frameBytes(bytesOf(words));
      for (let i = from; i < to; i++) {
        const transaction = transactions[i]!;
        const message = frames === undefined ? text : alertText(template!, frames, offsets[transaction]!);
        alerts.push({ rule, version, transaction, severity, message, ordinal: 0 });
      }
    }
    counts.push(countOf({ name: rule, version }, to - from));
  }

  return { alerts, tags, scores, failures, counts, left: [], report, add, addAll };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array) => new Uint8Array(buffer, byteOffset, byteLength);

/** What a rule without a module sees, it matches. */
export const countOf = ({ name: rule, version }: Pick<Named, "name" | "version">, seen: number): RuleCount => ({
  rule,
  version,
  evaluations: seen,
  matches: seen,
  traps: 0,
  fuel: 0,
  skipped: 0,
  added: 0,
  dropped: 0,
});

function addTag(tags: Map<number, string[]>, transaction: number, tag: string): void {
  const known = tags.get(transaction);
  if (!known) tags.set(transaction, [tag]);
  else if (!known.includes(tag)) known.push(tag);
}
