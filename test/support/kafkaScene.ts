/** What a system test over Kafka needs: topics and a group of its own, an engine over them, and whether it is done. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore, type Store } from "../../clickhouse/client.ts";
import { stopEmbedded } from "../../clickhouse/embedded/open.ts";
import { createAdmin } from "../../engine/kafka/admin.ts";
import { createProducer, type Headers, type Producer } from "../../engine/kafka/producer.ts";
import { decodeLedger } from "../../engine/sink/ledger.ts";
import { type EngineProcess, startWeir, untilDone } from "./engineProcess.ts";
import { STANDSTILL_MS } from "./kafkaBroker.ts";
import { uniqueName } from "./sharedKafka.ts";
import { fillStore } from "./storeTemplate.ts";

export interface KafkaScene {
  readonly topics: { readonly txRaw: string; readonly alerts: string; readonly deadLetters: string };
  /** WEIR_DATA; the embedded store is in its folder `clickhouse`. */
  readonly data: string;
  start(args?: readonly string[], env?: Readonly<Record<string, string>>, through?: readonly string[]): EngineProcess;
  /** Puts records on a partition and waits for the broker. */
  send(records: readonly SentRecord[]): Promise<void>;
  /** Waits until everything on the topic is published and stored, and the ledger says so. */
  settle(engine: EngineProcess): Promise<void>;
  /** The engine's store, opened once. */
  store(): Promise<Store>;
  /** Ends engines and store, removes the files. */
  close(): Promise<void>;
}

export interface SentRecord {
  readonly partition: number;
  readonly value: Buffer | null;
  readonly headers?: Headers;
}

export interface SceneOptions {
  readonly brokers: string;
  readonly partitions?: number;
  /** Of each topic that the engine writes; default 1. */
  readonly outputPartitions?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Where the engine keeps its data; default a new folder. */
  readonly data?: string;
}

export async function createKafkaScene(options: SceneOptions): Promise<KafkaScene> {
  const { brokers, partitions = 2, outputPartitions = 1, env = {}, data } = options;
  const folder = data ?? (await mkdtemp(join(tmpdir(), "weir-scene-")));
  if (data === undefined) await fillStore(join(folder, "clickhouse"));
  const topics = {
    txRaw: uniqueName("tx_raw"),
    alerts: uniqueName("alerts"),
    deadLetters: uniqueName("dead_letters"),
    mevBundles: uniqueName("mev_bundles"),
    arbitrages: uniqueName("arbitrage-transactions"),
    opportunities: uniqueName("arbitrage-opportunities"),
    riskMetrics: uniqueName("risk-metrics"),
  };
  const group = uniqueName("weir");
  const admin = await createAdmin({ brokers, timeoutMs: STANDSTILL_MS });
  await admin.createTopics([
    { topic: topics.txRaw, partitions, config: { "max.message.bytes": String(8 << 20) } },
    ...[
      topics.alerts,
      topics.deadLetters,
      topics.mevBundles,
      topics.arbitrages,
      topics.opportunities,
      topics.riskMetrics,
    ].map((topic) => ({
      topic,
      partitions: outputPartitions,
    })),
  ]);
  let producer: Producer | undefined;
  let store: Store | undefined;
  const engines = new Set<EngineProcess>();

  async function settled(): Promise<boolean> {
    const marks = await admin.watermarks(topics.txRaw);
    const committed = await admin.committed(
      group,
      marks.map(({ partition }) => ({ topic: topics.txRaw, partition })),
    );
    return committed.every(({ partition, offset, metadata }) => {
      const { high } = marks.find((mark) => mark.partition === partition)!;
      if (offset === null || metadata === "") return high === (offset ?? 0);
      const { stored, ranges } = decodeLedger(metadata, offset);
      return ranges.length === 0 && stored === high;
    });
  }

  return {
    topics,
    data: folder,
    start(args = ["start", "--no-api"], more = {}, through = []) {
      const variables = {
        KAFKA_BROKERS: brokers,
        KAFKA_GROUP_ID: group,
        KAFKA_INSTANCE_ID: "one",
        KAFKA_TOPIC_TX_RAW: topics.txRaw,
        KAFKA_TOPIC_ALERTS: topics.alerts,
        KAFKA_TOPIC_DEAD_LETTERS: topics.deadLetters,
        KAFKA_TOPIC_MEV_BUNDLES: topics.mevBundles,
        KAFKA_TOPIC_ARBITRAGE_TRANSACTIONS: topics.arbitrages,
        KAFKA_TOPIC_ARBITRAGE_OPPORTUNITIES: topics.opportunities,
        KAFKA_TOPIC_RISK_METRICS: topics.riskMetrics,
        WEIR_DATA: folder,
        WEIR_THREADS: "1",
        WEIR_RANGE_MAX_AGE_MS: "300",
        ...env,
        ...more,
      };
      const engine = startWeir(args, variables, through);
      engines.add(engine);
      void engine.exited.then(() => engines.delete(engine));
      return engine;
    },
    async send(records) {
      producer ??= await createProducer({ brokers });
      for (const { partition, value, headers } of records)
        while (!producer.produce(topics.txRaw, partition, null, value, headers)) await producer.room();
      await producer.flush();
    },
    settle: (engine) => untilDone([engine], settled),
    async store() {
      store ??= await openStore({ folder: join(folder, "clickhouse"), database: "weir" });
      return store;
    },
    async close() {
      for (const engine of engines) await engine.kill();
      await producer?.close();
      await admin.close();
      await store?.close();
      await stopEmbedded(join(folder, "clickhouse"));
      if (data === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
