/**
 * The whole way: Kafka → five example rules in the sandbox → ClickHouse and the alerts topic, against a real broker and store.
 *
 * A run: the engine has joined its group and waits. The load is put on the topic inside an open transaction, so that the engine
 * sees none of it; then the transaction is committed, and the clock runs until the ledger says that everything is stored.
 * The first fills warm up, the broker's JVM above all, and are not counted. CPU is what the kernel counted for the engine's threads
 * in that time. In a last fill, not counted either, the main thread is sampled to see what it works for.
 */

import { UsageError } from "../../engine/ops/errors.ts";
import { startBroker } from "../../test/support/kafkaBroker.ts";
import { readCommitted } from "../../test/support/readCommitted.ts";
import { figure, type Goal } from "../figure.ts";
import { fill, warmUpFills } from "../load/fill.ts";
import { blocksLoad, jsonRecords, type Load, type LoadRecord, packedRecords, pendingLoad } from "../load/load.ts";
import type { JsonRule } from "../load/ruleMix.ts";
import { cpuOf, MAIN } from "../measure/cpuOf.ts";
import { type EngineUnderTest, startEngine } from "../measure/engine.ts";
import type { Runtime } from "../measure/engineProcess.ts";
import { consumeWithKcat, findKcat } from "../peers/kcat.ts";
import type { Check, Context, Figure, Measured, Scenario } from "../scenario.ts";

export interface Case {
  readonly load: Load;
  /** In place of the examples. */
  readonly rules?: readonly JsonRule[];
  readonly format: "json" | "packed";
  readonly goal: Goal | undefined;
}

/** One fill, measured. */
interface Sample {
  readonly seconds: number;
  /** µs of CPU a transaction, by what used it. */
  readonly cpu: Readonly<Record<string, number>>;
  readonly runtime: Runtime;
  readonly kcatSeconds: number | undefined;
}

/** tx/s, on 2 cores with the broker on the same machine. */
const GOALS: Readonly<Record<string, Goal>> = {
  "pending json": { atLeast: 40_000 },
  "pending packed": { atLeast: 80_000 },
};
/** Below 1.5 GB, without the store and the broker. */
const MEMORY_GOAL: Goal = { below: 1_500 };
/** Of so many each is a check. */
const MOST_RULES = 20;
/** kcat reads the first two fills, so that its start counts for less. */
const KCAT_FILLS = 2;
export const e2e: Scenario = {
  name: "e2e",
  async run(context) {
    const { quick, only, say } = context;
    say("making the load");
    const [jsonCount, packedCount, rounds] = quick ? [150_000, 250_000, 5] : [300_000, 600_000, 12];
    let made: Promise<Load> | undefined;
    const blocks = (): Promise<Load> => (made ??= blocksLoad(rounds, say));
    const loads: Readonly<Record<string, () => Promise<Load> | Load>> = {
      "pending json": () => pendingLoad(jsonCount),
      "pending packed": () => pendingLoad(packedCount),
      "blocks json": blocks,
      "blocks packed": blocks,
    };
    const names = Object.keys(loads).filter((name) => name.includes(only));
    if (names.length === 0)
      throw new UsageError(`Cannot run "${only}": expected a part of ${Object.keys(loads).join(", ")}`);
    const broker = await startBroker({ measured: true });
    try {
      const measured: Measured[] = [];
      for (const name of names) {
        const format = name.endsWith("json") ? "json" : "packed";
        measured.push(
          await measureCase(broker.brokers, { load: await loads[name]!(), format, goal: GOALS[name] }, context),
        );
      }
      return {
        checks: measured.flatMap(({ checks }) => checks),
        figures: measured.flatMap(({ figures }) => figures),
      };
    } finally {
      await broker.close();
    }
  },
};

/** @param after what else is to be asked of the engine, once all is counted */
export async function measureCase(
  brokers: string,
  { load, rules, format, goal }: Case,
  { runs, quick, say }: Context,
  after: (engine: EngineUnderTest) => Promise<Measured> = async () => ({ checks: [], figures: [] }),
): Promise<Measured> {
  const title = `${load.name} ${format}`;
  const records = format === "json" ? jsonRecords(load) : packedRecords(load);
  const kcat = findKcat();
  if (!kcat) say("kcat is not installed: its rate is left out (Debian: apt-get install kcat)");
  say(`${title}: ${load.lines.length} transactions of ${load.bytes} B in ${records.length} records`);
  const engine = await startEngine(brokers, `bench-${load.name.replaceAll(" ", "-")}-${format}`, rules);
  try {
    const warmUps = warmUpFills(quick);
    for (let run = 1; run <= warmUps; run++) {
      const { seconds } = await measureFill(brokers, engine, records, load, format, undefined);
      say(`${title}: warm-up ${run} of ${warmUps}, ${Math.round(load.lines.length / seconds)} tx/s`);
    }
    const samples: Sample[] = [];
    for (let run = 1; run <= runs; run++) {
      const sample = await measureFill(brokers, engine, records, load, format, kcat);
      samples.push(sample);
      say(`${title}: run ${run} of ${runs}, ${Math.round(load.lines.length / sample.seconds)} tx/s`);
    }
    const peak = engine.peakMemory();
    let profile: Readonly<Record<string, number>> = {};
    const { cpu } = await measureFill(brokers, engine, records, load, format, undefined, async (run) => {
      profile = await engine.profile(run);
    });
    const checks = await check(brokers, engine, load, title, warmUps + runs + 1);
    const more = await after(engine);
    return {
      checks: [...checks, ...more.checks],
      figures: [...figures(title, load, samples, mainThread(profile, cpu[MAIN]), peak, goal), ...more.figures],
    };
  } finally {
    await engine.stop();
  }
}

async function measureFill(
  brokers: string,
  engine: EngineUnderTest,
  records: readonly LoadRecord[],
  { lines }: Load,
  format: Case["format"],
  kcat: string | undefined,
  around: (run: () => Promise<void>) => Promise<void> = (run) => run(),
): Promise<Sample> {
  // JSON needs no header, and few producers set one; it would cost the binding some 4 µs a record.
  const type = format === "json" ? undefined : "application/vnd.weir.frames.v1";
  const filling = await fill(brokers, engine.topics.input, records, type);
  const before = await engine.usage();
  await engine.runtime(); // from here on
  let seconds = 0;
  await around(async () => {
    await filling.release();
    const began = performance.now();
    await engine.stored();
    seconds = (performance.now() - began) / 1000;
  });
  const cpu = cpuOf(before, await engine.usage(), lines.length);
  const runtime = await engine.runtime();
  await filling.close();
  const kcatSeconds = kcat && (await consumeWithKcat(kcat, brokers, engine.topics.input, KCAT_FILLS * records.length));
  return { seconds, cpu, runtime, kcatSeconds: kcatSeconds ? kcatSeconds / KCAT_FILLS : undefined };
}

/** Shares of a sampled profile, which is in time gone by, of the CPU that the thread used meanwhile. */
function mainThread(profile: Readonly<Record<string, number>>, cpu: number | undefined): Record<string, number> {
  const busy = Object.entries(profile).filter(([name]) => name !== "idle");
  const all = busy.reduce((sum, [, seconds]) => sum + seconds, 0);
  if (cpu === undefined) return {};
  return Object.fromEntries(busy.sort(([, a], [, b]) => b - a).map(([name, seconds]) => [name, (cpu * seconds) / all]));
}

function figures(
  title: string,
  load: Load,
  samples: readonly Sample[],
  main: Readonly<Record<string, number>>,
  peak: number | undefined,
  goal: Goal | undefined,
): Figure[] {
  const rate = (seconds: number): number => load.lines.length / seconds;
  const rates = samples.map(({ seconds }) => rate(seconds));
  const kcat = samples.flatMap(({ kcatSeconds }) => (kcatSeconds === undefined ? [] : [rate(kcatSeconds)]));
  const alerting = Object.values(load.expected.alerted).reduce((sum, count) => sum + count, 0) / load.lines.length;
  const measured = [
    figure(`${title}: rate`, "tx/s", rates, goal),
    ...(kcat.length > 0 ? [figure(`${title}: kcat only consuming`, "tx/s", kcat)] : []),
    ...Object.keys(samples[0]!.cpu).map((name) =>
      figure(
        `${title}: CPU ${name}`,
        "µs/tx",
        samples.map(({ cpu }) => cpu[name]!),
      ),
    ),
    ...Object.entries(main).map(([name, cpu]) => figure(`${title}: CPU main thread, ${name}`, "µs/tx", [cpu])),
    ...runtimeFigures(title, samples),
    ...(peak === undefined ? [] : [figure(`${title}: peak RSS of the engine`, "MB", [peak / 1e6], MEMORY_GOAL)]),
  ];
  return measured.map((each) => ({ ...each, load: `${load.bytes} B, ${alerting.toFixed(3)} alerts a transaction` }));
}

function runtimeFigures(title: string, samples: readonly Sample[]): Figure[] {
  const of = (name: string, unit: string, value: (sample: Sample) => number): Figure =>
    figure(`${title}: main thread, ${name}`, unit, samples.map(value));
  return [
    of("garbage collection", "% of the time", ({ runtime, seconds }) => runtime.gcMs / (10 * seconds)),
    of("longest pause for garbage collection", "ms", ({ runtime }) => runtime.longestGcMs),
    of("event loop lag, p50", "ms", ({ runtime }) => runtime.loopP50Ms),
    of("event loop lag, p99", "ms", ({ runtime }) => runtime.loopP99Ms),
  ];
}

/** Everything that was put on the topic, so many times the load, is in the store once, and each alert on its topic once. */
async function check(
  brokers: string,
  engine: EngineUnderTest,
  load: Load,
  title: string,
  fills: number,
): Promise<Check[]> {
  const { store, topics } = engine;
  const number = async (sql: string): Promise<number> => Number((await store.rows<{ n: string }>(sql))[0]!.n);
  const total = load.lines.length * fills;
  const byRule = await store.rows<{ rule: string; n: string }>(
    "SELECT rule, uniqExact(partition, offset, n) AS n FROM alerts GROUP BY rule",
  );
  const { alerted, failed } = load.expected;
  const rules = [...new Set([...Object.keys(alerted), ...byRule.map(({ rule }) => rule)])].sort();
  const found = new Map(byRule.map(({ rule, n }) => [rule, Number(n)]));
  const byEach = rules.map((rule) => ({ name: `transactions alerted by ${rule}`, expected: (alerted[rule] ?? 0) * fills, got: found.get(rule) ?? 0 })); // biome-ignore format: a row
  const alerts = await number("SELECT count() AS n FROM alerts");
  const published = (await readCommitted(brokers, topics.alerts)).map(
    ({ value }) => (JSON.parse(String(value)) as { id: string }).id,
  );
  return [
    { name: "transactions stored", expected: total, got: await number("SELECT count() AS n FROM transactions") },
    {
      name: "positions stored",
      expected: total,
      got: await number("SELECT uniqExact(partition, offset, n) AS n FROM transactions"),
    },
    ...(rules.length > MOST_RULES
      ? [{ name: "rules that alerted on other than they must", expected: 0, got: byEach.filter(({ expected, got }) => expected !== got).length }] // biome-ignore format: a row
      : byEach),
    {
      name: "dead letters",
      expected: Object.values(failed).reduce((sum, count) => sum + count, 0) * fills,
      got: await number("SELECT count() AS n FROM dead_letters"),
    },
    { name: "alerts published", expected: alerts, got: published.length },
    {
      name: "different alerts published", // every fill is the same transactions, so the same ids
      expected: await number("SELECT uniqExact(alert_id) AS n FROM alerts"),
      got: new Set(published).size,
    },
  ].map((each) => ({ ...each, name: `${title}: ${each.name}` }));
}
