/**
 * Rules at scale: 1, 100, 1,000 and 10,000 rules of each mix through the engine's rule stage in one thread, over frames in memory in
 * batches of 4,096; then as many WebAssembly modules. Beside it what others make of the same rules: a loop over closures,
 * json-rules-engine, and Esper. Every count is checked against brute force over the JSON. Last, the five example rules.
 */

import { createThreadClock } from "../../engine/worker/stopwatch.ts";
import { figure, type Goal } from "../figure.ts";
import { readReferenceMix } from "../load/referenceMix.ts";
import { type JsonRule, MIXES, type MixName, mixRules, mixTransactions } from "../load/ruleMix.ts";
import { bruteForce, type MixTransaction, type Pairs, parseTransaction } from "../load/ruleTruth.ts";
import { type RuleCase, runRuleCase } from "../measure/ruleCase.ts";
import { compileClosures, runClosures } from "../peers/closures.ts";
import { prepareEsper, runEsper } from "../peers/esper.ts";
import { createJsonRulesEngine } from "../peers/jsonRulesEngine.ts";
import type { Check, Context, Figure, Measured, Scenario } from "../scenario.ts";
import { measureExampleRules } from "./exampleRules.ts";

const COUNTS = [1, 100, 1_000, 10_000];
/** What is promised at 10,000 rules. */
const GOALS: Readonly<Record<MixName, Goal>> = {
  dense: { atLeast: 2_000_000 },
  sparse: { atLeast: 2_000_000 },
  ranges: { atLeast: 1_000_000 },
  "ranges sparse": { atLeast: 1_000_000 },
};
const MODULES_GOAL: Goal = { atLeast: 400_000 };
/** The time of 10,000 rules by that of 100. */
const GROWTH_GOAL: Goal = { below: 3 };
/** Alerts a transaction in the mixes that write them: "at most 0.05". */
const SPARSE_GOAL: Goal = { below: 0.05 };
/** Pairs that a peer's run has, so that it takes about a second. */
const CLOSURE_PAIRS = 4_000_000;
const JSON_RULES_ENGINE_PAIRS = 20_000;
/** Deployment takes 25 s, ranges longer; then there are 7 s of runs. */
const ESPER_SECONDS = 90;
const ESPER_MIXES: readonly MixName[] = ["dense", "ranges"];

interface Sizes {
  readonly transactions: number;
  /** Transactions that are counted by brute force. */
  readonly checked: number;
  readonly counts: readonly number[];
  readonly esper: readonly number[];
  readonly modules: readonly number[];
}
const FULL: Sizes = { transactions: 102_400, checked: 5_000, counts: COUNTS, esper: COUNTS, modules: [100, 10_000] };
const QUICK: Sizes = {
  transactions: 24_576,
  checked: 1_000,
  counts: [100, 10_000],
  esper: [1_000],
  modules: [100, 10_000],
};

interface Truth {
  readonly transactions: readonly MixTransaction[];
  /** What a figure is of: the size of a record, and matches by so many rules. */
  load(mix: MixName, rules: number): string;
  of(mix: MixName, rules: number): Pairs;
}

export const rules: Scenario = {
  name: "rules",
  async run(context) {
    const { quick, only } = context;
    const sizes = quick ? QUICK : FULL;
    const truth = createTruth(sizes.checked);
    const parts: Record<string, () => Promise<Measured>> = {
      reference: () => checkReference(context),
      ...Object.fromEntries(
        (Object.keys(MIXES) as MixName[]).map((mix) => [mix, () => measureMix(mix, sizes, truth, context)]),
      ),
      modules: () => measureModules(sizes, truth, context),
      peers: () => measurePeers(sizes, truth, context),
      esper: () => measureEsper(sizes, truth, context),
      examples: () => measureExampleRules(context),
    };
    const measured: Measured[] = [];
    for (const [name, part] of Object.entries(parts)) if (name.includes(only)) measured.push(await part());
    return {
      checks: measured.flatMap(({ checks }) => checks),
      figures: measured.flatMap(({ figures }) => figures),
    };
  },
};

function createTruth(checked: number): Truth {
  const lines = mixTransactions(checked);
  const transactions = lines.map(parseTransaction);
  const bytes = Math.round(lines.reduce((sum, { length }) => sum + length, 0) / checked);
  const known = new Map<string, Pairs>();
  const of = (mix: MixName, rules: number): Pairs => {
    const key = `${mix} ${rules}`;
    const pairs = known.get(key) ?? bruteForce(mixRules(mix, rules), transactions);
    known.set(key, pairs);
    return pairs;
  };
  return {
    transactions,
    of,
    load: (mix, rules) => `${bytes} B, ${(of(mix, rules).matches / checked).toFixed(2)} matches a transaction`,
  };
}

/** Our way to count, on rules and transactions that others have counted. */
async function checkReference({ say }: Context): Promise<Measured> {
  const count = 1_000;
  const reference = readReferenceMix(count);
  if (typeof reference === "string") {
    say(`the count is not compared with the reference's: ${reference}`);
    return { checks: [], figures: [] };
  }
  const transactions = reference.transactions.map(parseTransaction);
  const checks = [100, 1_000, 10_000].map((rules) => ({
    name: `reference: brute force of ${count} transactions by ${rules} rules`,
    expected: reference.matches(count, rules),
    got: bruteForce(reference.rules.slice(0, rules), transactions).matches,
  }));
  return { checks, figures: [] };
}

const samePairs = (name: string, expected: Pairs, got: Pairs): Check[] => [
  { name: `${name}: matches`, expected: expected.matches, got: got.matches },
  { name: `${name}: which ones (checksum)`, expected: expected.checksum, got: got.checksum },
];

async function measureMix(mix: MixName, sizes: Sizes, truth: Truth, context: Context): Promise<Measured> {
  const alerts = mix.endsWith("sparse");
  const checks: Check[] = [];
  const figures: Figure[] = [];
  const times: Record<number, readonly number[]> = {};
  for (const count of sizes.counts) {
    const title = `${mix}, ${count} rules`;
    const result = await measureCase(title, mix, count, "json", alerts, sizes, truth, context);
    checks.push(...result.checks);
    const goal = count === 10_000 ? GOALS[mix] : undefined;
    figures.push(...caseFigures(title, result, sizes, goal, truth.load(mix, count)));
    if (alerts && count === 10_000)
      figures.push(figure(`${title}: alerts of a transaction`, "", [result.matches / sizes.transactions], SPARSE_GOAL));
    times[count] = result.microseconds;
  }
  const growth = times[10_000]!.map((each, i) => each / times[100]![i]!);
  figures.push(figure(`${mix}: time of 10,000 rules by that of 100`, "", growth, GROWTH_GOAL));
  return { checks, figures };
}

/**
 * 10,000 different modules of a mix behind their conditions; each says again whether the transaction is one. The goal is for rules as they are
 * written out, made by the compiler; that no two of them share code is the worst there can be, and beyond it.
 */
async function measureModules(sizes: Sizes, truth: Truth, context: Context): Promise<Measured> {
  const checks: Check[] = [];
  const figures: Figure[] = [];
  const cases: readonly { readonly mix: MixName; readonly count: number; readonly as: RuleCase["as"] }[] = [
    ...sizes.modules.map((count) => ({ mix: "dense", count, as: "modules" }) as const),
    { mix: "dense", count: 10_000, as: "own code" },
    { mix: "sparse", count: 10_000, as: "modules" },
  ];
  for (const { mix, count, as } of cases) {
    const title = `${mix}, ${count} modules${as === "own code" ? ", each with code of its own" : ""}`;
    const result = await measureCase(title, mix, count, as, false, sizes, truth, context);
    checks.push(...result.checks);
    figures.push(
      ...caseFigures(
        title,
        result,
        sizes,
        mix === "dense" && count === 10_000 && as === "modules" ? MODULES_GOAL : undefined,
        truth.load(mix, count),
      ),
    );
  }
  return { checks, figures };
}

async function measureCase(
  title: string,
  mix: MixName,
  count: number,
  as: RuleCase["as"],
  alerts: boolean,
  { transactions, checked }: Sizes,
  truth: Truth,
  { runs, say }: Context,
) {
  const result = await runRuleCase({ mix, rules: count, as, alerts, transactions, checked, runs });
  say(`${title}: ${result.microseconds.map((each) => each.toFixed(2)).join(", ")} µs a transaction`);
  const checks = [
    ...samePairs(title, truth.of(mix, count), result.pairs),
    { name: `${title}: matches that the stage counts`, expected: result.selected, got: result.matches },
    { name: `${title}: alerts`, expected: alerts ? result.selected : 0, got: result.alerts },
    { name: `${title}: failures`, expected: 0, got: result.failures },
  ];
  return { ...result, checks };
}

function caseFigures(
  title: string,
  {
    microseconds,
    matches,
    p99Milliseconds,
    rssBytes,
    rssBefore,
    buildSeconds,
  }: Awaited<ReturnType<typeof runRuleCase>>,
  { transactions }: Sizes,
  goal: Goal | undefined,
  load: string,
): Figure[] {
  const figures = [
    figure(
      `${title}: rate of one core`,
      "tx/s",
      microseconds.map((each) => 1e6 / each),
      goal,
    ),
    figure(`${title}: CPU`, "µs/tx", microseconds),
    figure(`${title}: matches of a transaction`, "", [matches / transactions]),
    figure(`${title}: p99 of a batch`, "ms", [p99Milliseconds]),
    figure(`${title}: RSS`, "MB", [rssBytes / 1e6]),
    figure(`${title}: RSS without the stage`, "MB", [rssBefore / 1e6]),
    figure(`${title}: index and sandboxes made`, "s", [buildSeconds]),
  ];
  return figures.map((each) => ({ ...each, load }));
}

const clock = createThreadClock();

/** Closures in a loop and json-rules-engine, on as many of the checked transactions as they get through in a second. */
async function measurePeers(
  { counts }: Sizes,
  { transactions, load }: Truth,
  { runs, say }: Context,
): Promise<Measured> {
  const checks: Check[] = [];
  const figures: Figure[] = [];
  for (const mix of ESPER_MIXES)
    for (const count of counts) {
      const all = mixRules(mix, count);
      const some = (pairs: number): readonly MixTransaction[] =>
        transactions.slice(0, Math.max(2, Math.round(pairs / count)));
      const closures = compileClosures(all);
      const run = createJsonRulesEngine(all);
      const peers = [
        {
          peer: "closures",
          shown: some(CLOSURE_PAIRS),
          run: async (shown: readonly MixTransaction[]) => runClosures(closures, shown),
        },
        { peer: "json-rules-engine", shown: some(JSON_RULES_ENGINE_PAIRS), run },
      ];
      for (const each of peers) {
        const title = `${mix}, ${count} rules: ${each.peer}`;
        const got = await each.run(each.shown);
        checks.push(...samePairs(title, bruteForce(all, each.shown), got));
        const rates: number[] = [];
        for (let i = 0; i < runs; i++) rates.push(await rateOf(() => each.run(each.shown), each.shown.length));
        figures.push({ ...figure(title, "tx/s", rates), load: load(mix, count) });
        say(`${title}: ${rates.map(Math.round).join(", ")} tx/s`);
      }
    }
  return { checks, figures };
}

/** Transactions a second of the thread's CPU; at least 0.1 s, since the clock ticks at 4 ms. */
async function rateOf(run: () => Promise<unknown>, transactions: number): Promise<number> {
  const began = clock();
  let done = 0;
  for (; clock() - began < 0.1; done += transactions) await run();
  return done / (clock() - began);
}

/** Left out, with the reason on stderr, where Java, Maven or Maven Central are missing, and where it takes too long. */
async function measureEsper({ esper }: Sizes, truth: Truth, { runs, say }: Context): Promise<Measured> {
  const checks: Check[] = [];
  const figures: Figure[] = [];
  let classPath: string;
  try {
    classPath = await prepareEsper();
  } catch (error) {
    say(`Esper is left out: ${(error as Error).message.split("\n")[0]}`);
    return { checks, figures };
  }
  for (const mix of ESPER_MIXES)
    for (const count of esper) {
      const title = `${mix}, ${count} rules: Esper`;
      const all: readonly JsonRule[] = mixRules(mix, count);
      try {
        const result = await runEsper(classPath, all, truth.transactions, runs, ESPER_SECONDS);
        checks.push(...samePairs(title, truth.of(mix, count), result));
        const rates = result.microseconds.map((each) => 1e6 / each);
        figures.push(
          { ...figure(title, "tx/s", rates), load: truth.load(mix, count) },
          figure(`${title}, deployment`, "s", [result.deploySeconds]),
        );
        say(`${title}: ${result.microseconds.map((each) => each.toFixed(2)).join(", ")} µs a transaction`);
      } catch (error) {
        say(`${title} is left out: ${(error as Error).message}`);
      }
    }
  return { checks, figures };
}
