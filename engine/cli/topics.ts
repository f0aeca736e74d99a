import type { Command } from "commander";
import { createAdmin } from "../kafka/admin.ts";
import { type Config, ConfigError } from "../ops/config.ts";
import { loadConfiguration } from "./configuration.ts";
import { printRows } from "./terminal.ts";

const DAY_MS = 86_400_000;

/** Partitions as the design fixes them: many for what comes in, few for what goes out. */
const topicPlan = ({ kafka: { topics } }: Config): { topic: string; partitions: number; config?: object }[] => [
  { topic: topics.txRaw, partitions: 12 },
  { topic: topics.blockStatus, partitions: 1, config: { "retention.ms": String(30 * DAY_MS) } },
  { topic: topics.alerts, partitions: 6 },
  { topic: topics.deadLetters, partitions: 3 },
  { topic: topics.mevBundles, partitions: 6 },
  { topic: topics.arbitrageTransactions, partitions: 10 },
  { topic: topics.arbitrageOpportunities, partitions: 5 },
  ...(topics.riskMetrics === undefined ? [] : [{ topic: topics.riskMetrics, partitions: 3 }]),
];

/** The configured brokers. @throws ConfigError that says how to set them */
export function brokersOf({ kafka }: Config): string {
  if (!kafka.brokers) {
    throw new ConfigError([
      {
        variable: "KAFKA_BROKERS",
        problem: "it is not set",
        expected: "host:port, as in KAFKA_BROKERS=localhost:9092",
      },
    ]);
  }
  return kafka.brokers.join(",");
}

export function topicsCommand(command: Command): void {
  command
    .option("--json", "a JSON line a topic")
    .option("--replication <n>", "replicas of each partition", "1")
    .action(async ({ json = false, replication }: { json?: boolean; replication: string }) => {
      const { config } = loadConfiguration();
      const admin = await createAdmin({ brokers: brokersOf(config) });
      try {
        const existing = new Set(await admin.listTopics());
        const plan = topicPlan(config);
        await admin.createTopics(
          plan
            .filter(({ topic }) => !existing.has(topic))
            // A record may be 4 MiB, and packing adds to it: the broker must take 8.
            .map(({ topic, partitions, config }) => ({
              topic,
              partitions,
              replicas: Number(replication),
              config: { "max.message.bytes": String(8 << 20), ...config },
            })),
        );
        printRows(
          plan.map(({ topic, partitions }) => ({
            topic,
            partitions,
            state: existing.has(topic) ? "was there" : "created",
          })),
          { json },
        );
      } finally {
        await admin.close();
      }
    });
}
