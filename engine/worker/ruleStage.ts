import { type AmendableIndex, createAmendableIndex } from "../rules/amendedIndex.ts";
import type { LiveRule } from "../rules/liveRule.ts";
import type { Scene } from "../sandbox/hostFunctions.ts";
import type { Rule } from "../sandbox/rule.ts";
import { RuleRun } from "../sandbox/ruleRun.ts";
import { createLocalState, type LocalState } from "../state/localState.ts";
import { type Lists, NO_LISTS, tablesOf } from "../world/world.ts";
import type { Decoded } from "./decode.ts";
import { countOf, createMatches, type Matched } from "./matches.ts";
import { orderedRules } from "./orderedRules.ts";
import type { RuleCount } from "./outcome.ts";
import { type Outline, outlineOf } from "./outline.ts";
import { createSandboxes, type Sandboxes } from "./sandboxes.ts";
import { createTrials } from "./trials.ts";
import { createTurns } from "./turns.ts";

/**
 * Rules that are only counted, by their number in the rule set, and how many transactions each saw. Of 10,000 of them thousands match in a batch:
 * an object for each took a fifth of the stage's time.
 */
export interface Counted {
  readonly rules: Uint32Array;
  readonly seen: Uint32Array;
}

/** The counts of modules, likewise. */
export interface Ran extends Counted {
  readonly matches: Uint32Array;
  readonly traps: Uint32Array;
  readonly fuel: Float64Array;
}

/** What the rules made of a batch, with their counts in parts: `countsOf` puts these together. */
export interface StageRun extends Omit<Matched, "counts"> {
  readonly counted: Counted;
  readonly ran: Ran;
  /** Versions on trial, those beside them, and rules without a module that alert. */
  readonly others: readonly RuleCount[];
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
/** What a call of a module has to know, as bits. */
const TRAIT = { asks: 1, takesFacts: 2, silent: 4, compared: 8 } as const;

export interface RuleStage {
  /** @param decoded with facts, if it wants them  @param lists those that the rules name */
  (decoded: Decoded, lists?: Lists): StageRun;
  /** All of them, by name. */
  countsOf(run: StageRun): RuleCount[];
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
  const compared = rules.map((rule) => trials.of(rule) !== undefined);
  // apart from the rules, which lie anywhere in memory: it is all that a batch reads of most
  const traits = Uint8Array.from(
    outlines,
    ({ asks, takesFacts, silent }, i) =>
      (asks ? TRAIT.asks : 0) |
      (takesFacts ? TRAIT.takesFacts : 0) |
      (silent ? TRAIT.silent : 0) |
      (compared[i] ? TRAIT.compared : 0),
  );
  const counted = rules.map(
    (_, i) => throttled[i]! || (ways[i] === WAY.alerts && outlines[i]!.silent && !compared[i]!),
  );
  const countedRules = new Uint32Array(rules.length);
  const countedSeen = new Uint32Array(rules.length);
  const run = new RuleRun(); // each module's, in turn
  const ran = {
    rules: new Uint32Array(rules.length),
    seen: new Uint32Array(rules.length),
    matches: new Uint32Array(rules.length),
    traps: new Uint32Array(rules.length),
    fuel: new Float64Array(rules.length),
  };
  const conditions = outlines.map(({ condition }) => condition);
  const index = after
    ? after.stage.index.amended(conditions, counted, after.places)
    : createAmendableIndex(conditions, counted);
  const known: (Rule | undefined)[] = rules.map(() => undefined);
  const turns = createTurns(rules);

  const runAll = (
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
    let ranCount = 0;
    turns.take((m) => {
      const number = found.rules[m]!;
      const [from, to] = [found.starts[m]!, found.starts[m + 1]!];
      const has = traits[number]!;
      const sandbox = (known[number] ??= sandboxes.of(rules[number]!));
      let state: LocalState | undefined;
      let scene: Scene | undefined;
      if (has & TRAIT.asks) {
        const { state: declared, lists: uses } = rules[number]!.manifest;
        if (declared !== undefined) {
          state = states.get(number) ?? createLocalState(declared);
          states.set(number, state);
        }
        scene = {
          state: state?.open(`${source}/${partition}`, { words, frames, events }),
          lists: uses && tablesOf(uses, lists),
        };
      }
      sandbox.run(has & TRAIT.takesFacts ? withFacts : all, found.transactions, to - from, scene, from, run);
      state?.close();
      if (has & TRAIT.compared) return matched.add(rules[number]!, run, outlines[number]!);
      ran.rules[ranCount] = number;
      ran.seen[ranCount] = run.evaluations;
      ran.traps[ranCount] = run.failures.length;
      ran.fuel[ranCount] = run.fuel;
      const silent = has & TRAIT.silent && run.failures.length === 0;
      ran.matches[ranCount++] = silent ? run.alerts : matched.report(rules[number]!, run, outlines[number]!);
    });
    const { counts: others, ...rest } = matched;
    return {
      ...rest,
      others,
      counted: { rules: countedRules.slice(0, countedCount), seen: countedSeen.slice(0, countedCount) },
      ran: {
        rules: ran.rules.slice(0, ranCount),
        seen: ran.seen.slice(0, ranCount),
        matches: ran.matches.slice(0, ranCount),
        traps: ran.traps.slice(0, ranCount),
        fuel: ran.fuel.slice(0, ranCount),
      },
      trialChanges: trials.compare(others),
    };
  };
  const countsOf: RuleStage["countsOf"] = ({ counted: { rules: numbers, seen }, ran, others }) => [
    ...Array.from(numbers, (number, i) => {
      const count = countOf(outlines[number]!, seen[i]!);
      return throttled[number] ? { ...count, evaluations: 0, matches: 0, skipped: seen[i]! } : count;
    }),
    ...Array.from(ran.rules, (number, i) => ({
      ...countOf(outlines[number]!, ran.seen[i]!),
      matches: ran.matches[i]!,
      traps: ran.traps[i]!,
      fuel: ran.fuel[i]!,
    })),
    ...others,
  ];
  return Object.assign(runAll, { countsOf, wantsFacts: outlines.some((outline) => outline.wantsFacts), index });
}
