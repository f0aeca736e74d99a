import { frameBytes } from "../frame/readFrame.ts";
import { alertText } from "../rules/alertText.ts";
import { type AmendableIndex, createAmendableIndex } from "../rules/amendedIndex.ts";
import type { LiveRule } from "../rules/liveRule.ts";
import type { Scene } from "../sandbox/hostFunctions.ts";
import type { Manifest } from "../sandbox/parseManifest.ts";
import { KIND } from "../sandbox/results.ts";
import type { Rule, RuleRun } from "../sandbox/rule.ts";
import { createLocalState, type LocalState } from "../state/localState.ts";
import { type Lists, NO_LISTS, tablesOf } from "../world/world.ts";
import type { Alert } from "./alerts.ts";
import type { Decoded } from "./decode.ts";
import { orderedRules } from "./orderedRules.ts";
import type { RuleCount } from "./outcome.ts";
import { type Outline, outlineOf } from "./outline.ts";
import { createSandboxes, type Sandboxes } from "./sandboxes.ts";
import { createTrials, type TrialChange, type Trials } from "./trials.ts";
import { createTurns } from "./turns.ts";

/** What the rules made of a batch. */
export interface Matched {
  /** Rule by rule, each by transaction. */
  readonly alerts: readonly Alert[];
  readonly tags: Map<number, string[]>;
  /** The highest score of each transaction that got one. */
  readonly scores: Map<number, number>;
  readonly failures: readonly RuleFailure[];
  /** Of the rules that saw a transaction and are not only counted, and of versions on trial whose live one alerted. */
  readonly counts: readonly RuleCount[];
  /** Rules that were left out, and what they see. */
  readonly left: readonly { readonly rule: LiveRule; readonly seen: Uint32Array }[];
  /** Of versions on trial, by ruleKey. */
  readonly trialChanges: ReadonlyMap<string, TrialChange>;
}

/**
 * Rules that are only counted, by their number in the rule set, and how many transactions each saw. Of 10,000 of them thousands match in a batch:
 * an object for each took a fifth of the stage's time.
 */
export interface Counted {
  readonly rules: Uint32Array;
  readonly seen: Uint32Array;
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

export interface RuleStageOptions {
  /** Of the thread. Default: of this stage. */
  readonly sandboxes?: Sandboxes;
  /** The stage of a rule set that differs in little, and of each rule its number there, or −1: see ruleSetChange.ts. */
  readonly after?: { readonly stage: RuleStage; readonly places: Int32Array };
  /** Rules that must see batches in order are left out here: see orderedStage.ts. Default: batches come in order. */
  readonly leavesOrdered?: boolean;
  /** State by place in the rule set, for what is not to begin without a past. */
  readonly states?: Map<number, LocalState>;
}

/** What is to be done where a rule sees something. */
const WAY = { left: 0, alerts: 1, runs: 2 } as const;

export interface RuleStage {
  /** @param decoded with facts, if it wants them  @param lists those that the rules name */
  (decoded: Decoded, lists?: Lists): Matched & { readonly counted: Counted };
  /** The same as of other rules. */
  countsOf(counted: Counted): RuleCount[];
  /** Whether any rule asks for facts: see withFacts.ts. */
  readonly wantsFacts: boolean;
  readonly index: AmendableIndex;
}

/**
 * Runs the rules over a batch: the index says which see what, then those without a module in the order of the rule set, and one call
 * for each module, in their turns. State that rules declare is kept here, stream by stream: batches must come in order.
 */
export function createRuleStage(
  rules: readonly LiveRule[],
  { sandboxes = createSandboxes(), leavesOrdered = false, states = new Map(), after }: RuleStageOptions = {},
): RuleStage {
  const left = leavesOrdered ? orderedRules(rules) : new Set<LiveRule>();
  const trials = createTrials(left.size === 0 ? rules : rules.filter((rule) => !left.has(rule)));
  const outlines = rules.map(outlineOf);
  const waysOf = ({ alertsOnAll }: Outline, i: number): number =>
    left.size > 0 && left.has(rules[i]!) ? WAY.left : alertsOnAll ? WAY.alerts : WAY.runs;
  const ways = Uint8Array.from(outlines, waysOf);
  const throttled = outlines.map((outline) => outline.throttled);
  // apart from the rules, which lie anywhere in memory: it is all that a batch reads of most
  const silent = outlines.map((outline) => outline.silent);
  const names = outlines.map(({ name }) => name);
  const versions = outlines.map(({ version }) => version);
  // likewise: a manifest is two more objects that each call of a module would wait for
  const asks = outlines.map((outline) => outline.asks);
  const takesFacts = outlines.map((outline) => outline.takesFacts);
  const counted = rules.map(
    (rule, i) => throttled[i]! || (ways[i] === WAY.alerts && silent[i]! && trials.of(rule) === undefined),
  );
  const countedRules = new Uint32Array(rules.length);
  const countedSeen = new Uint32Array(rules.length);
  const conditions = outlines.map(({ condition }) => condition);
  const index = after
    ? after.stage.index.amended(conditions, counted, after.places)
    : createAmendableIndex(conditions, counted);
  const known: (Rule | undefined)[] = rules.map(() => undefined);
  const turns = createTurns(rules);

  const run = (
    { source, partition, bytes, words, frames, shown = frames, count, events }: Decoded,
    lists = NO_LISTS,
  ) => {
    const found = index.select({ bytes, words, offsets: shown, count }, lists);
    trials.begin();
    const matched = createMatches(trials);
    sandboxes.begin();
    turns.begin();
    const all = { words, offsets: frames };
    const withFacts = { words, offsets: shown };
    let countedCount = 0;
    for (let m = 0; m < found.matched; m++) {
      const number = found.rules[m]!;
      if (counted[number]) {
        countedRules[countedCount] = number;
        countedSeen[countedCount++] = found.counts[m]!;
        continue;
      }
      const way = ways[number];
      if (way === WAY.runs) {
        turns.add(number, m);
        continue;
      }
      const rule = rules[number]!;
      const [from, to] = [found.starts[m]!, found.starts[m + 1]!];
      if (way === WAY.alerts)
        matched.addAll(rule, { transactions: found.transactions, from, to }, words, frames, outlines[number]);
      else matched.left.push({ rule, seen: found.transactions.slice(from, to) });
    }
    turns.take((m) => {
      const number = found.rules[m]!;
      const rule = rules[number]!;
      const seen = found.transactions.subarray(found.starts[m]!, found.starts[m + 1]!);
      const sandbox = (known[number] ??= sandboxes.of(rule));
      let state: LocalState | undefined;
      let scene: Scene | undefined;
      if (asks[number]) {
        const { state: declared, lists: uses } = rule.manifest;
        if (declared !== undefined) {
          state = states.get(number) ?? createLocalState(declared);
          states.set(number, state);
        }
        scene = {
          state: state?.open(`${source}/${partition}`, { words, frames, events }),
          lists: uses && tablesOf(uses, lists),
        };
      }
      const run = sandbox.run(takesFacts[number] ? withFacts : all, seen, seen.length, scene);
      state?.close();
      matched.add(rule, run, { name: names[number]!, version: versions[number]!, silent: silent[number]! });
    });
    return {
      ...matched,
      counted: { rules: countedRules.slice(0, countedCount), seen: countedSeen.slice(0, countedCount) },
      trialChanges: trials.compare(matched.counts),
    };
  };
  const countsOf = ({ rules: numbers, seen }: Counted): RuleCount[] =>
    Array.from(numbers, (number, i) => {
      const count = countOf(names[number]!, versions[number]!, seen[i]!);
      return throttled[number] ? { ...count, evaluations: 0, matches: 0, skipped: seen[i]! } : count;
    });
  return Object.assign(run, { countsOf, wantsFacts: outlines.some((outline) => outline.wantsFacts), index });
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
  /** What a module reported. @param named the same of the rule, where that is at hand and the rule somewhere in memory */
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

  function add(of: LiveRule, run: RuleRun, { name: rule, version, silent }: Named = outlineOf(of)): void {
    const alerted = trials.of(of);
    let matches = 0;
    /** Alerts so far of the transaction that the run is at: results come in its order. */
    let [current, ordinal] = [-1, 0];
    for (const { transaction, kind, severity, text, score } of run.matches) {
      if (kind === KIND.alert) {
        matches++;
        alerted?.add(transaction);
        ordinal = transaction === current ? ordinal + 1 : 0;
        current = transaction;
        if (!silent) alerts.push({ rule, version, transaction, severity, message: text, ordinal });
      } else if (silent) continue;
      else if (kind === KIND.tag) addTag(tags, transaction, text);
      else scores.set(transaction, Math.max(score, scores.get(transaction) ?? 0));
    }
    for (const { transaction, code, message } of run.failures) {
      const policy = silent ? "skip" : of.manifest.onError; // a version on trial leaves no trace but its counts
      failures.push({ rule, version, transaction, policy, reason: `rule_${code}`, detail: message });
    }
    const { evaluations, fuel } = run;
    counts.push({
      rule,
      version,
      evaluations,
      matches,
      traps: run.failures.length,
      fuel,
      skipped: 0,
      added: 0,
      dropped: 0,
    });
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
    counts.push(countOf(rule, version, to - from));
  }

  return { alerts, tags, scores, failures, counts, left: [], add, addAll };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array) => new Uint8Array(buffer, byteOffset, byteLength);

/** What a rule without a module sees, it matches. */
const countOf = (rule: string, version: number, seen: number): RuleCount => ({
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
