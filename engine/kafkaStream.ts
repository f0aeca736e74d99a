import { randomUUID } from "node:crypto";
import { followLag } from "./consumerLag.ts";
import type { EngineParts, Stream } from "./engine.ts";
import { createProducer } from "./kafka/producer.ts";
import { promised } from "./kafka/promise.ts";
import type { ComponentState } from "./ops/health.ts";
import { logSeldom } from "./ops/logSeldom.ts";
import { countSent } from "./ops/metrics.ts";
import { createKafkaLedger } from "./sink/kafkaLedger.ts";
import { createKafkaSource, type KafkaSource } from "./source/kafka.ts";

/**
 * A transaction that a dead engine left open is aborted by the broker after this long; until then readers of committed records
 * and the next owner of its partitions wait. An engine with an instance id does not wait: its successor fences it.
 */
const TRANSACTION_TIMEOUT_MS = 15_000;

/** Shorter than a health check may take, so that the answer says why there is none. */
const ANSWER_WITHIN_MS = 1_500;

/** A process without an instance id of its own gets one for as long as it lives. */
const PROCESS_ID = randomUUID();

type KafkaStreamParts = Pick<EngineParts, "config" | "log" | "metrics" | "failpoint">;

/** The share of the configured topic that this engine gets, with the ledger in Kafka. */
export async function kafkaStream({ config, log, metrics, failpoint }: KafkaStreamParts): Promise<Stream> {
  const { groupId, instanceId, topics } = config.kafka;
  const brokers = config.kafka.brokers!.join(",");
  const producer = await createProducer({
    brokers,
    transactionalId: `${groupId}-${instanceId ?? PROCESS_ID}`,
    config: { "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS },
    onSent: countSent(metrics),
  });
  const source = createKafkaSource({
    brokers,
    topic: topics.txRaw,
    groupId,
    ...(instanceId === undefined ? {} : { instanceId }),
    failpoint,
    onError: ({ message }) =>
      logSeldom(log, "warn", { event: "kafka_error", reason: message }, "The Kafka client reports an error"),
  });
  const ledger = createKafkaLedger({
    topic: topics.txRaw,
    consumer: source.consumer,
    producer,
    topics: {
      alerts: topics.alerts,
      dead_letters: topics.deadLetters,
      mev_bundles: topics.mevBundles,
      "arbitrage-transactions": topics.arbitrageTransactions,
      "arbitrage-opportunities": topics.arbitrageOpportunities,
      "risk-metrics": topics.riskMetrics,
    },
    failpoint,
  });
  const following = followLag(source, topics.txRaw, metrics);
  return {
    source,
    ledger,
    component: { name: "kafka", check: () => ask(source, topics.txRaw) },
    async close() {
      following.stop();
      await producer.close();
    },
  };
}

/** A client that has lost its brokers goes on trying and stays silent; so does one that has nothing to say. Hence the question. */
async function ask(source: KafkaSource, topic: string): Promise<ComponentState> {
  const { native } = source.consumer();
  await promised("reach the brokers", (done) => native.getMetadata({ topic, timeout: ANSWER_WITHIN_MS }, done));
  return { up: true };
}
