/** How long an alert takes, from when its record was due at the producer: to a WebSocket, to a reader of committed records, to a row. */
import { WebSocket } from "ws";
import { createProducer } from "../../../engine/kafka/producer.ts";
import { until } from "../../../test/support/engineProcess.ts";
import { figure, type Goal } from "../../figure.ts";
import { pendingLoad } from "../../load/load.ts";
import { openLoop } from "../../load/openLoop.ts";
import { createHistogram, type Histogram } from "../../measure/histogram.ts";
import type { Context, Figure, Measured } from "../../scenario.ts";
import { type At, readTopic, watchRows } from "./alertReaders.ts";
import { type ApiScene, PARTITIONS } from "./scene.ts";

/** Of a message what is looked at. */
interface Shown {
  readonly id?: string;
  readonly early?: boolean;
  readonly partition: number;
  readonly offset: string;
}

export interface AlertLoad {
  /** Transactions; one in fifty raises an alert. */
  readonly perSecond: number;
  readonly seconds: number;
  /** Without any the load comes once: that warms up, and fills the store. */
  readonly runs: number;
  /** The percentiles that are figures, as shares; those in the middle and of 99 % have goals at the rate that is promised. */
  readonly shares: readonly number[];
}

/** What is promised, at so many transactions a second. */
const GOALS_AT = 10_000;

export interface Way {
  readonly name: string;
  /** ms, by share. */
  readonly goals: { readonly [share: number]: Goal | undefined };
  /** Of the run under way. */
  histogram: Histogram;
  /** All alerts that came this way, in all runs. */
  readonly seen: Set<string>;
  /** Of each run that counts. */
  readonly runs: Histogram[];
}

const way = (name: string, p50?: number, p99?: number): Way => ({
  name,
  goals: { 0.5: p50 === undefined ? p50 : { below: p50 }, 0.99: p99 === undefined ? p99 : { below: p99 } },
  ...{ histogram: createHistogram(), seen: new Set(), runs: [] },
});

const WARM_UP = { perSecond: 10_000, seconds: 10, runs: 0, shares: [] };

/** Before all else: for its first minute the broker's JVM compiles what it runs, and takes half a core from those who are measured. */
export async function warmUp(scene: ApiScene, quick: boolean): Promise<void> {
  for (let times = quick ? 1 : 6; times > 0; times--) await alertLatency(scene, WARM_UP, () => {});
}

/** @returns figures, and the ways with all that was measured */
export async function alertLatency(
  scene: ApiScene,
  { perSecond, seconds, runs, shares }: AlertLoad,
  say: Context["say"],
): Promise<Measured & { readonly ways: readonly Way[] }> {
  const { brokers, topics, url } = scene;
  /** Where each partition begins for us: an earlier load may lie before. */
  const firsts = await scene.nextOffsets();
  const dues = firsts.map((): number[] => []);
  const ways = {
    early: way("WebSocket, provisional", 10, 50),
    socket: way("WebSocket, published"),
    topic: way("read_committed reader", 25, 100),
    row: way("row that can be queried"),
  };
  /** Every run sends the same transactions, so the same ids: where it stands tells an alert from that of another run. */
  function came({ histogram, seen }: Way, id: string, { partition, offset }: At): void {
    const at = offset - firsts[partition]!;
    if (at < 0) return;
    histogram.record(performance.now() - dues[partition]![at]!);
    seen.add(`${id} ${partition} ${offset}`);
  }

  const producer = await createProducer({ brokers }); // lingers 5 ms, as ours do: with 1 ms the broker takes 48 µs of CPU a transaction for it, not 30
  const ws = new WebSocket(`${url.replace("http", "ws")}/ws/alerts?format=bare&early=true`);
  ws.on("message", (bytes: Buffer) => {
    const { id, early = false, partition, offset } = JSON.parse(bytes.toString()) as Shown;
    if (id !== undefined) came(early ? ways.early : ways.socket, id, { partition, offset: Number(offset) }); // a heartbeat has none
  });
  await new Promise((resolve, reject) => ws.once("open", resolve).once("error", reject));
  const stop = new AbortController();
  let expected = 0;
  let bytes = 0;
  let alerting = 0;
  const cpus: ReturnType<ApiScene["cpu"]>[] = [];

  async function send(): Promise<void> {
    for (let run = 0; run <= runs; run++) {
      const load = pendingLoad(perSecond * seconds);
      const { lines } = load;
      const alerts = Object.values(load.expected.alerted).reduce((sum, count) => sum + count, 0);
      expected += alerts;
      bytes = load.bytes;
      alerting = alerts / lines.length;
      for (const each of Object.values(ways)) each.histogram = createHistogram();
      const before = scene.cpu();
      await openLoop({
        perSecond,
        seconds,
        fire(i, due) {
          const partition = i % PARTITIONS;
          dues[partition]!.push(due);
          if (!producer.produce(topics.txRaw, partition, null, lines[i]!))
            throw new Error("Cannot measure: the producer's queue is full, expected room for what is due");
        },
      });
      await producer.flush();
      await until(
        () => Object.values(ways).every(({ seen }) => seen.size >= expected),
        () => Object.values(ways).map(({ name, seen }) => `${name}: ${seen.size} of ${expected} alerts`).join(", "), // biome-ignore format: one line
      );
      const after = scene.cpu();
      const each = (who: keyof typeof after): number => ((after[who] - before[who]) * 1e6) / lines.length;
      const cpu = { engine: each("engine"), store: each("store"), broker: each("broker"), load: each("load") };
      for (const { name, histogram } of Object.values(ways))
        say(`alert to ${name} at ${perSecond} tx/s: p50 ${histogram.percentile(0.5).toFixed(1)} ms, p99 ${histogram.percentile(0.99).toFixed(1)} ms of ${histogram.count}`); // biome-ignore format: one line
      const uses = Object.entries(cpu).map(([who, used]) => `${who} ${used.toFixed(1)} µs`);
      say(`CPU: ${uses.join(", ")} a transaction`);
      if (run === 0) continue; // warms up
      for (const { histogram, runs } of Object.values(ways)) runs.push(histogram);
      cpus.push(cpu);
    }
    await scene.settle();
  }

  try {
    await Promise.all([
      send().finally(() => stop.abort()),
      readTopic(scene, (id, at) => came(ways.topic, id, at), stop.signal),
      watchRows(scene, (id, at) => came(ways.row, id, at), firsts, stop.signal),
    ]);
  } finally {
    stop.abort();
    ws.terminate();
    await producer.close();
  }
  const all = Object.values(ways);
  const used = (["engine", "store", "broker", "load"] as const).flatMap((who) => {
    const each = cpus.map((cpu) => cpu[who]).filter(Number.isFinite);
    return each.length > 0 ? [figure(`alerts: CPU of the ${who} at ${perSecond} tx/s`, "µs/tx", each)] : [];
  });
  const measured = runs === 0 ? [] : [...all.flatMap((each) => figuresOf(each, perSecond, shares)), ...used];
  return {
    checks: all.map(({ name, seen }) => ({ name: `alerts to ${name} at ${perSecond} tx/s`, expected, got: seen.size })),
    figures: measured.map((each) => ({ ...each, load: `${bytes} B, ${alerting.toFixed(3)} alerts a transaction` })),
    ways: all,
  };
}

const figuresOf = ({ name, goals, runs }: Way, perSecond: number, shares: readonly number[]): Figure[] =>
  shares.map((share) =>
    figure(
      `alert to ${name} at ${perSecond} tx/s, p${Number((share * 100).toFixed(3))}`,
      "ms",
      runs.map((histogram) => histogram.percentile(share)),
      perSecond === GOALS_AT ? goals[share] : undefined,
    ),
  );
