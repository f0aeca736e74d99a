/** An engine with its API over a broker, as `weir start` runs it, and what its processes use. */
import { join } from "node:path";
import { readAddress } from "../../../clickhouse/embedded/lockFile.ts";
import { createAdmin } from "../../../engine/kafka/admin.ts";
import { until } from "../../../test/support/engineProcess.ts";
import { startBroker } from "../../../test/support/kafkaBroker.ts";
import { createKafkaScene, type KafkaScene } from "../../../test/support/kafkaScene.ts";
import { processCpu } from "../../measure/processCpu.ts";

export interface ApiScene {
  readonly brokers: string;
  readonly topics: KafkaScene["topics"];
  readonly url: string;
  readonly store: Awaited<ReturnType<KafkaScene["store"]>>;
  /** CPU seconds so far, of the engine with its API and of the processes around it. */
  cpu(): Readonly<Record<"engine" | "store" | "broker" | "load", number>>;
  /** Of the topic of transactions, by partition. */
  nextOffsets(): Promise<number[]>;
  /** Resolves once all that was sent is stored. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** As `weir topics` makes them. */
export const PARTITIONS = 12;
const OUTPUT_PARTITIONS = 6;

export async function openApiScene(): Promise<ApiScene> {
  const broker = await startBroker({ measured: true });
  const scene = await createKafkaScene({
    brokers: broker.brokers,
    partitions: PARTITIONS,
    outputPartitions: OUTPUT_PARTITIONS,
    env: {
      API_PORT: "0",
      WEIR_ANONYMOUS: "viewer",
      RATE_LIMIT_PER_MINUTE: "0",
      WEIR_THREADS: "2",
      WEIR_RANGE_MAX_AGE_MS: "1000",
      LOG_LEVEL: "warn",
    },
  });
  const close = async (): Promise<void> => {
    await scene.close();
    await broker.close();
  };
  try {
    const engine = scene.start(["start"]);
    const url = (): string | undefined => /API {2}(http:\/\/\S+)/.exec(engine.log())?.[1];
    await until(() => url() !== undefined, engine.log);
    const { pid: storePid } = (await readAddress(join(scene.data, "clickhouse")))!;
    const isLive = async (): Promise<boolean> => {
      const { components } = (await (await fetch(`${url()}/health`)).json()) as { components: Record<string, { up: boolean }> }; // biome-ignore format: one line
      return components.live?.up === true && components.kafka?.up === true;
    };
    await until(isLive, engine.log);
    return {
      brokers: broker.brokers,
      topics: scene.topics,
      url: url()!,
      store: await scene.store(),
      cpu: () => ({
        engine: processCpu(engine.child.pid!),
        store: processCpu(storePid),
        broker: processCpu(broker.pid),
        load: processCpu(process.pid),
      }),
      async nextOffsets() {
        const admin = await createAdmin({ brokers: broker.brokers });
        const marks = await admin.watermarks(scene.topics.txRaw);
        await admin.close();
        return marks.sort((a, b) => a.partition - b.partition).map(({ high }) => high);
      },
      settle: () => scene.settle(engine),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
