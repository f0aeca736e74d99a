/**
 * The rule stage alone, in this process and one thread: frames in memory → candidates → sandbox → alerts, by the five example
 * rules. Beside it the same rules in plain JavaScript over parsed JSON, which is also what the counts are checked against.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { admitAgain, loadModule } from "../../engine/rules/content.ts";
import type { LiveRule } from "../../engine/rules/liveRule.ts";
import type { Decoded } from "../../engine/worker/decode.ts";
import type { Matched } from "../../engine/worker/matches.ts";
import { createRuleStage, type RuleStage } from "../../engine/worker/ruleStage.ts";
import { createThreadClock } from "../../engine/worker/stopwatch.ts";
import { figure } from "../figure.ts";
import { decodeBatches } from "../load/frames.ts";
import { blocksLoad, type Load, pendingLoad } from "../load/load.ts";
import { countPlain, type PlainTransaction, runPlain } from "../peers/plainRules.ts";
import type { Check, Context, Figure, Measured } from "../scenario.ts";

/** Records of a batch, as the engine has by default. */
const BATCH = 4_096;
/** How often all batches are run through in one measurement: at least some 0.2 s, since the clock ticks at 4 ms. */
const PASSES = 5;
const MODULES = fileURLToPath(new URL("../../rules-as/examples/build", import.meta.url));

/** Part of the scenario `rules`. */
export async function measureExampleRules(context: Context): Promise<Measured> {
  const { quick, say } = context;
  const [count, rounds] = quick ? [40_000, 2] : [100_000, 4];
  const measured: Measured[] = [];
  for (const load of [pendingLoad(count), await blocksLoad(rounds, say)])
    measured.push(await measureLoad(load, context));
  return {
    checks: measured.flatMap(({ checks }) => checks),
    figures: measured.flatMap(({ figures }) => figures),
  };
}

async function measureLoad(load: Load, { runs, say }: Context): Promise<Measured> {
  const stage = createRuleStage(await exampleRules());
  const batches = decodeBatches(load.lines, BATCH);
  const texts = load.lines.map(String);
  const parsed = texts.map((text) => JSON.parse(text) as PlainTransaction);
  const transactions = load.lines.length;
  say(`${load.name}: ${transactions} transactions in ${batches.length} batches`);

  const outcomes = batches.map((batch) => withCounts(stage, batch)); // warms up, too
  const totals = sumUp(outcomes);
  const perTransaction = (work: () => unknown): number[] => {
    work();
    return Array.from({ length: runs }, () => (cpuSeconds(work) * 1e6) / transactions);
  };
  const sandbox = perTransaction(() => {
    for (const batch of batches) stage(batch);
  });
  const plain = perTransaction(() => runPlain(parsed));
  const plainFromText = perTransaction(() => runPlain(texts.map((text) => JSON.parse(text) as PlainTransaction)));
  return {
    checks: check(load.name, texts, batches, outcomes),
    figures: figures(load, totals, { sandbox, plain, plainFromText }),
  };
}

function withCounts(stage: RuleStage, batch: Decoded): Matched {
  const run = stage(batch);
  return { ...run, counts: stage.countsOf(run) };
}

/** The five examples, as they are built. */
export async function exampleRules(): Promise<LiveRule[]> {
  const files = (await readdir(MODULES)).filter((file) => file.endsWith(".wasm")).sort();
  return Promise.all(
    files.map(async (file) => {
      const rule = loadModule(admitAgain(await readFile(join(MODULES, file)))).with({});
      return { ...rule, name: rule.manifest.name, version: 1 };
    }),
  );
}

const clock = createThreadClock();

function cpuSeconds(work: () => unknown): number {
  const began = clock();
  for (let pass = 0; pass < PASSES; pass++) work();
  return (clock() - began) / PASSES;
}

interface Totals {
  readonly evaluations: number;
  readonly fuel: number;
}

function sumUp(outcomes: readonly Matched[]): Totals {
  const counts = outcomes.flatMap((outcome) => outcome.counts);
  return {
    evaluations: counts.reduce((sum, each) => sum + each.evaluations, 0),
    fuel: counts.reduce((sum, each) => sum + each.fuel, 0),
  };
}

function figures(
  { name, lines, bytes }: Load,
  { evaluations, fuel }: Totals,
  { sandbox, plain, plainFromText }: Record<"sandbox" | "plain" | "plainFromText", number[]>,
): Figure[] {
  const each = evaluations / lines.length;
  return [
    figure(`${name}: five rules in the sandbox`, "µs/tx", sandbox),
    figure(
      `${name}: a rule's look at a candidate`,
      "ns",
      sandbox.map((us) => (us * 1_000) / each),
    ),
    figure(
      `${name}: rate of one thread`,
      "tx/s",
      sandbox.map((us) => 1e6 / us),
    ),
    figure(`${name}: plain JavaScript, parsed objects in memory`, "µs/tx", plain),
    figure(`${name}: plain JavaScript with JSON.parse`, "µs/tx", plainFromText),
    figure(`${name}: rules that see a transaction`, "", [each]),
    figure(`${name}: fuel of a transaction`, "", [fuel / lines.length]),
    figure(`${name}: transaction`, "B", [bytes]),
  ];
}

/** Each rule saw, alerted on and failed on as many transactions as plain JavaScript says. */
function check(
  name: string,
  texts: readonly string[],
  batches: readonly Decoded[],
  outcomes: readonly Matched[],
): Check[] {
  const expected = countPlain(texts);
  const found = outcomes[0]!.counts.map(({ rule }) => rule);
  const all = [...new Set([...found, ...Object.keys(expected.seen)])].sort();
  const sum = (count: (outcome: Matched) => number): number => outcomes.reduce((total, each) => total + count(each), 0);
  return [
    { name: `${name}: decoded`, expected: texts.length, got: batches.reduce((total, { count }) => total + count, 0) },
    ...all.flatMap((rule) => [
      {
        name: `${name}: seen by ${rule}`,
        expected: expected.seen[rule] ?? 0,
        got: sum(({ counts }) => counts.find((each) => each.rule === rule)?.evaluations ?? 0),
      },
      {
        name: `${name}: alerted by ${rule}`,
        expected: expected.alerted[rule] ?? 0,
        got: sum(
          ({ alerts }) => new Set(alerts.filter((each) => each.rule === rule).map((each) => each.transaction)).size,
        ),
      },
      {
        name: `${name}: failures of ${rule}`,
        expected: expected.failed[rule] ?? 0,
        got: sum(({ failures }) => failures.filter((each) => each.rule === rule).length),
      },
    ]),
  ];
}
