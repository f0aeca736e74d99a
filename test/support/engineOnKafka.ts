/** An engine of a test's own on the shared broker: topics that nobody else has, and the variables that lead it there. */
import type { Admin } from "../../engine/kafka/admin.ts";
import { uniqueName } from "./sharedKafka.ts";

export interface TestTopics {
  readonly txRaw: string;
  readonly blockStatus: string;
  readonly alerts: string;
  readonly deadLetters: string;
  readonly mevBundles: string;
  readonly arbitrages: string;
  readonly opportunities: string;
  readonly riskMetrics: string;
  readonly group: string;
}

export const testTopics = (): TestTopics => ({
  txRaw: uniqueName("tx_raw"),
  blockStatus: uniqueName("block_status"),
  alerts: uniqueName("alerts"),
  deadLetters: uniqueName("dead_letters"),
  mevBundles: uniqueName("mev_bundles"),
  arbitrages: uniqueName("arbitrage-transactions"),
  opportunities: uniqueName("arbitrage-opportunities"),
  riskMetrics: uniqueName("risk-metrics"),
  group: uniqueName("weir"),
});

export const createTestTopics = (
  admin: Admin,
  { txRaw, blockStatus, alerts, deadLetters, mevBundles, arbitrages, opportunities, riskMetrics }: TestTopics,
  partitions: { readonly txRaw: number; readonly alerts: number; readonly blockStatus?: number },
): Promise<unknown> =>
  admin.createTopics([
    { topic: txRaw, partitions: partitions.txRaw },
    { topic: alerts, partitions: partitions.alerts },
    ...(partitions.blockStatus ? [{ topic: blockStatus, partitions: partitions.blockStatus }] : []),
    ...[deadLetters, mevBundles, arbitrages, opportunities, riskMetrics].map((topic) => ({ topic, partitions: 1 })),
  ]);

/** @param folder WEIR_DATA; batches and ranges are so small that several are under way at once */
export const engineVariables = (
  topics: TestTopics,
  { brokers, folder, instance }: { readonly brokers: string; readonly folder: string; readonly instance: string },
): Record<string, string> => ({
  KAFKA_BROKERS: brokers,
  KAFKA_GROUP_ID: topics.group,
  KAFKA_INSTANCE_ID: instance,
  KAFKA_TOPIC_TX_RAW: topics.txRaw,
  KAFKA_TOPIC_BLOCK_STATUS: topics.blockStatus,
  KAFKA_TOPIC_ALERTS: topics.alerts,
  KAFKA_TOPIC_DEAD_LETTERS: topics.deadLetters,
  KAFKA_TOPIC_MEV_BUNDLES: topics.mevBundles,
  KAFKA_TOPIC_ARBITRAGE_TRANSACTIONS: topics.arbitrages,
  KAFKA_TOPIC_ARBITRAGE_OPPORTUNITIES: topics.opportunities,
  KAFKA_TOPIC_RISK_METRICS: topics.riskMetrics,
  WEIR_DATA: folder,
  WEIR_THREADS: "2",
  WEIR_BATCH_MAX_RECORDS: "300",
  WEIR_RANGE_MAX_AGE_MS: "300",
});
