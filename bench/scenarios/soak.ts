/**
 * A steady load for minutes, over Kafka into the store, as in e2e: whether memory and lag stay where they are. They are looked at each second;
 * what came before a fifth of the time is warming up. It fails when one of them grows for certain, and by more than is allowed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createProducer } from "../../engine/kafka/producer.ts";
import { UsageError } from "../../engine/ops/errors.ts";
import { startBroker } from "../../test/support/kafkaBroker.ts";
import type { Chart } from "../chart.ts";
import { figure } from "../figure.ts";
import { flatness, type Point } from "../fit.ts";
import { jsonRecords, pendingLoad } from "../load/load.ts";
import { openLoop } from "../load/openLoop.ts";
import { cpuOf } from "../measure/cpuOf.ts";
import { type EngineUnderTest, startEngine } from "../measure/engine.ts";
import type { Check, Context, Figure, Measured, Scenario } from "../scenario.ts";

/** A third of what two cores take. */
const PER_SECOND = 20_000;
const MOST_PER_SECOND = 200_000;
/** A stall of the broker's makes records late, not lost: half a minute's worth. */
const QUEUE = { "queue.buffering.max.messages": 2_000_000, "queue.buffering.max.kbytes": 1 << 20 };
const LOOK_MS = 1_000;
/** The same transactions come again after so many seconds. */
const CYCLE_SECONDS = 10;
const WARM_UP = 0.2;
/** What memory may grow by over the whole time. */
const MEMORY_SHARE = 0.05;
/** RSS at 100,000 tx/s, which is more than this. */
const MEMORY_GOAL = { below: 1_000 };

/** Of each second: minutes, and megabytes or records. */
interface Watched {
  readonly engine: Point[];
  readonly store: Point[];
  readonly lag: Point[];
}

export const soak: Scenario = {
  name: "soak",
  async run(context) {
    const perSecond = Number(context.only || PER_SECOND);
    if (!Number.isInteger(perSecond) || perSecond < 1 || perSecond > MOST_PER_SECOND)
      throw new UsageError(`Cannot run "${context.only}": expected a rate, 1 to ${MOST_PER_SECOND} transactions a second`); // biome-ignore format: one line
    // records are let go soon after they were stored: 10 minutes are 5 GB of them
    const broker = await startBroker({ measured: true, settings: { "log.retention.check.interval.ms": 10_000, "log.segment.bytes": 64 << 20, "log.retention.bytes": 128 << 20 } }); // biome-ignore format: one line
    const engine = await startEngine(broker.brokers, "soak");
    try {
      return await soakEngine(broker.brokers, engine, context, perSecond);
    } finally {
      await engine.stop();
      await broker.close();
    }
  },
};

async function soakEngine(
  brokers: string,
  engine: EngineUnderTest,
  { minutes, say }: Context,
  perSecond: number,
): Promise<Measured> {
  const load = pendingLoad(perSecond * CYCLE_SECONDS);
  const records = jsonRecords(load);
  const cycles = Math.round((minutes * 60) / CYCLE_SECONDS);
  const producer = await createProducer({ brokers, config: QUEUE });
  const watched: Watched = { engine: [], store: [], lag: [] };
  const before = await engine.usage();
  await engine.runtime();
  const ended = new AbortController();
  const watching = watch(engine, watched, ended.signal, say);
  try {
    await openLoop({
      perSecond,
      seconds: cycles * CYCLE_SECONDS,
      fire(i) {
        const { key, value } = records[i % records.length]!;
        if (!producer.produce(engine.topics.input, null, key, value))
          throw new Error("Cannot measure: the producer's queue is full, expected room for what is due");
      },
    });
    await producer.flush();
  } finally {
    ended.abort();
    await watching;
    await producer.close();
  }
  const runtime = await engine.runtime();
  await engine.stored();
  const cpu = cpuOf(before, await engine.usage(), cycles * records.length);
  const alerts = Object.values(load.expected.alerted).reduce((sum, count) => sum + count, 0);
  const flat = judge(watched, perSecond);
  const figures = [
    ...flat.figures,
    figure("peak RSS of the engine", "MB", [(engine.peakMemory() ?? 0) / 1e6], MEMORY_GOAL),
    ...Object.entries(cpu).map(([name, each]) => figure(`CPU ${name}`, "µs/tx", [each])),
    figure("main thread, garbage collection", "% of the time", [runtime.gcMs / (10 * cycles * CYCLE_SECONDS)]),
    figure("main thread, longest pause for garbage collection", "ms", [runtime.longestGcMs]),
    figure("main thread, event loop lag, p99", "ms", [runtime.loopP99Ms]),
  ];
  return {
    checks: [...flat.checks, ...(await count(engine, cycles * records.length, cycles * alerts))],
    figures: figures.map((each) => ({ ...each, load: `${load.bytes} B, ${(alerts / records.length).toFixed(3)} alerts a transaction, ${perSecond} tx/s` })), // biome-ignore format: one line
    charts: charts(watched),
  };
}

async function watch(
  engine: EngineUnderTest,
  watched: Watched,
  ended: AbortSignal,
  say: Context["say"],
): Promise<void> {
  const began = performance.now();
  for (let look = 1; !ended.aborted; look++) {
    await sleep(began + look * LOOK_MS - performance.now(), undefined, { signal: ended }).catch(() => {});
    const minute = (performance.now() - began) / 60_000;
    const lag = await engine.lag();
    const memory = engine.memory();
    if (lag !== undefined) watched.lag.push([minute, lag]);
    for (const who of ["engine", "store"] as const) if (memory[who] !== undefined) watched[who].push([minute, memory[who] / 1e6]); // biome-ignore format: one line
    if (look % 30 === 0) say(`${minute.toFixed(1)} min: engine ${Math.round((memory.engine ?? 0) / 1e6)} MB, store ${Math.round((memory.store ?? 0) / 1e6)} MB, ${lag ?? "?"} records behind`); // biome-ignore format: one line
  }
}

/** The store's memory is ClickHouse's business: it is shown, and not judged. */
function judge(watched: Watched, perSecond: number): { figures: Figure[]; checks: Check[] } {
  const warm = (points: readonly Point[]): Point[] =>
    points.filter(([minute]) => minute >= WARM_UP * (points.at(-1)?.[0] ?? 0));
  const figures: Figure[] = [];
  const checks: Check[] = [];
  const look = (name: string, unit: string, all: readonly Point[], allowed: (median: number) => number): void => {
    const points = warm(all);
    const values = points.map(([, value]) => value);
    const median = figure(name, unit, values);
    const { slope, spread, flat } = flatness(points, allowed(median.median));
    const growth = figure(`${name}: slope`, `${unit}/min`, [slope]);
    figures.push(median, { ...growth, min: figure("", "", [slope - spread]).median, max: figure("", "", [slope + spread]).median }); // biome-ignore format: one line
    checks.push({ name: `${name} grows for certain`, expected: 0, got: flat ? 0 : 1 });
  };
  if (watched.engine.length > 0) look("RSS of the engine", "MB", watched.engine, (median) => MEMORY_SHARE * median);
  if (watched.store.length > 0) figures.push(figure("RSS of the store", "MB", warm(watched.store).map(([, mb]) => mb))); // biome-ignore format: one line
  look("records not stored yet", "records", watched.lag, () => perSecond); // a second's worth
  return { figures, checks };
}

async function count({ store }: EngineUnderTest, transactions: number, alerts: number): Promise<Check[]> {
  const number = async (what: string, from: string): Promise<number> =>
    Number((await store.rows<{ n: string }>(`SELECT ${what} AS n FROM ${from}`))[0]!.n);
  return [
    { name: "transactions stored", expected: transactions, got: await number("count()", "transactions") },
    { name: "positions stored", expected: transactions, got: await number("uniqExact(partition, offset)", "transactions") }, // biome-ignore format: a row
    { name: "alerts stored", expected: alerts, got: await number("count()", "alerts") },
  ];
}

const charts = ({ engine, store, lag }: Watched): Chart[] => [
  {
    ...{ name: "memory", title: "Memory", x: { label: "minutes" }, y: { label: "MB resident" } },
    series: [
      { name: "engine", points: engine, bare: true },
      { name: "store", points: store, bare: true },
    ].filter(({ points }) => points.length > 0),
  },
  {
    ...{ name: "lag", title: "Lag", x: { label: "minutes" }, y: { label: "records not stored yet" } },
    series: [{ name: "behind", points: lag, bare: true }],
  },
];
