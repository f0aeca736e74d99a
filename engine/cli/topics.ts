import type { Command } from "commander";
import { createAdmin } from "../kafka/admin.ts";
import { type Config, ConfigError } from "../ops/config.ts";
import { loadConfiguration } from "./configuration.ts";
import { printRows } from "./terminal.ts";

/** Partitions as the design fixes them: many for what comes in, few for what goes out. */
export const topicPlan = ({ kafka: { topics } }: Config) => [
  { topic: topics.txRaw, partitions: 12 },
  { topic: topics.alerts, partitions: 6 },
  { topic: topics.deadLetters, partitions: 3 },
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
            .map(({ topic, partitions }) => ({
              topic,
              partitions,
              replicas: Number(replication),
              config: { "max.message.bytes": String(8 << 20) },
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
