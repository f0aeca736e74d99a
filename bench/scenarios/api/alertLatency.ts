/** How long an alert takes, from when its record was due on Kafka: to a WebSocket, to a reader of committed records, to a row. */
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { createAdmin } from "../../../engine/kafka/admin.ts";
import { createProducer } from "../../../engine/kafka/producer.ts";
import { openTail } from "../../../engine/kafka/tail.ts";
import { until } from "../../../test/support/engineProcess.ts";
import { figure, type Goal } from "../../figure.ts";
import { pendingLoad } from "../../load/load.ts";
import { openLoop, percentile } from "../../load/openLoop.ts";
import type { Context, Figure, Measured } from "../../scenario.ts";
import { type ApiScene, PARTITIONS } from "./scene.ts";

const TX_PER_SECOND = 10_000;
/** How often it is looked which rows there are: what a time may be too long by. */
const LOOK_MS = 25;

/** Where an alert's transaction stood on its topic. */
interface At {
  readonly partition: number;
  readonly offset: number;
}

/** Of a message what is looked at. */
interface Shown {
  readonly id?: string;
  readonly early?: boolean;
  readonly partition: number;
  readonly offset: string;
}

interface Way {
  readonly name: string;
  readonly goals: readonly [p50: Goal | undefined, p99: Goal | undefined];
  /** ms, of the run under way. */
  latencies: number[];
  /** All alerts that came this way, in all runs. */
  readonly seen: Set<string>;
  readonly p50: number[];
  readonly p99: number[];
}

const way = (name: string, p50?: number, p99?: number): Way => ({
  name,
  goals: [p50 === undefined ? undefined : { below: p50 }, p99 === undefined ? undefined : { below: p99 }],
  ...{ latencies: [], seen: new Set(), p50: [], p99: [] },
});

/** Without runs the load comes once: that warms up, and fills the store. */
export async function alertLatency(scene: ApiScene, { runs, quick, say }: Context): Promise<Measured> {
  const { brokers, topics, url } = scene;
  const dues = Array.from({ length: PARTITIONS }, (): number[] => []);
  const ways = {
    early: way("WebSocket, provisional", 10, 50),
    socket: way("WebSocket, published"),
    topic: way("read_committed reader", 25, 100),
    row: way("row that can be queried"),
  };
  /** Every run sends the same transactions, so the same ids: where it stands tells an alert from that of another run. */
  function came({ latencies, seen }: Way, id: string, { partition, offset }: At): void {
    latencies.push(performance.now() - dues[partition]![offset]!);
    seen.add(`${id} ${partition} ${offset}`);
  }

  const producer = await createProducer({ brokers, config: { "linger.ms": 1 } });
  const ws = new WebSocket(`${url.replace("http", "ws")}/ws/alerts?format=bare&early=true`);
  ws.on("message", (bytes: Buffer) => {
    const { id, early = false, partition, offset } = JSON.parse(bytes.toString()) as Shown;
    if (id !== undefined) came(early ? ways.early : ways.socket, id, { partition, offset: Number(offset) }); // a heartbeat has none
  });
  await new Promise((resolve, reject) => ws.once("open", resolve).once("error", reject));
  const stop = new AbortController();
  let expected = 0;

  async function send(): Promise<void> {
    const seconds = quick ? 5 : 10;
    for (let run = 0; run <= runs; run++) {
      const { lines, expected: truth } = pendingLoad(TX_PER_SECOND * seconds);
      expected += Object.values(truth.alerted).reduce((sum, count) => sum + count, 0);
      for (const each of Object.values(ways)) each.latencies = [];
      const before = scene.cpu();
      await openLoop({
        perSecond: TX_PER_SECOND,
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
        60_000,
        20,
      );
      const cpu = scene.cpu();
      for (const { name, latencies, p50, p99 } of Object.values(ways)) {
        const [half, most] = [percentile(latencies, 0.5), percentile(latencies, 0.99)];
        say(`alert to ${name}: p50 ${half.toFixed(1)} ms, p99 ${most.toFixed(1)} ms of ${latencies.length}`);
        if (run === 0) continue; // warms up
        p50.push(half);
        p99.push(most);
      }
      say(`CPU: engine ${(((cpu.engine - before.engine) * 1e6) / lines.length).toFixed(1)} µs, store ${(((cpu.store - before.store) * 1e6) / lines.length).toFixed(1)} µs a transaction`); // biome-ignore format: one line
    }
    await scene.settle();
  }

  try {
    await Promise.all([
      send().finally(() => stop.abort()),
      readTopic(scene, came, ways.topic, stop.signal),
      watchRows(scene, came, ways.row, stop.signal),
    ]);
  } finally {
    stop.abort();
    ws.terminate();
    await producer.close();
  }
  return {
    checks: Object.values(ways).map(({ name, seen }) => ({ name: `alerts to ${name}`, expected, got: seen.size })),
    figures: runs === 0 ? [] : Object.values(ways).flatMap(figuresOf),
  };
}

const figuresOf = ({ name, goals: [half, most], p50, p99 }: Way): Figure[] => [
  figure(`alert to ${name} at ${TX_PER_SECOND} tx/s, p50`, "ms", p50, half),
  figure(`alert to ${name} at ${TX_PER_SECOND} tx/s, p99`, "ms", p99, most),
];

type Came = (way: Way, id: string, at: At) => void;

async function readTopic({ brokers, topics }: ApiScene, came: Came, to: Way, signal: AbortSignal): Promise<void> {
  const admin = await createAdmin({ brokers });
  const marks = await admin.watermarks(topics.alerts);
  await admin.close();
  const from = marks.map(({ partition }) => ({ topic: topics.alerts, partition, offset: 0 }));
  const tail = await openTail({ brokers, from, onError: (error) => process.stderr.write(`${error.message}\n`) });
  while (!signal.aborted) {
    for (const { value } of await tail.poll(1_000)) {
      const { id, source } = JSON.parse(String(value)) as { id: string; source: At };
      came(to, id, source);
    }
  }
  await tail.close();
}

/** Rows of a partition become visible in the order of their offsets, so the last that is there says which are new. */
async function watchRows({ store }: ApiScene, came: Came, to: Way, signal: AbortSignal): Promise<void> {
  const known = new Array<number>(PARTITIONS).fill(-1);
  while (!signal.aborted) {
    const rows = await store.rows<{ id: string; partition: number; offset: string }>(
      `SELECT lower(hex(alert_id)) AS id, partition, offset FROM alerts WHERE offset > {known:Array(Int64)}[partition + 1] ORDER BY offset`,
      { known },
    );
    for (const { id, partition, offset } of rows) {
      known[partition] = Math.max(known[partition]!, Number(offset));
      came(to, id, { partition, offset: Number(offset) });
    }
    await sleep(LOOK_MS);
  }
}
