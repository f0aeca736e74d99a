/** A producer and a consumer that are there before their broker goes and still when it is back: nothing is lost or read twice. */
import { expect } from "vitest";
import { createAdmin } from "../../engine/kafka/admin.ts";
import { createConsumer } from "../../engine/kafka/consumer.ts";
import { createProducer } from "../../engine/kafka/producer.ts";
import { STANDSTILL_MS } from "./kafkaBroker.ts";
import { kindOf, texts, until } from "./kafkaClients.ts";
import { uniqueName } from "./sharedKafka.ts";

/** However long the broker takes to come back. */
const timeoutMs = 600_000;

export async function openThroughOutage(brokers: string) {
  const topic = uniqueName("through");
  const admin = await createAdmin({ brokers, timeoutMs: STANDSTILL_MS });
  await admin.createTopics([{ topic, partitions: 1 }]);
  await admin.close();
  const producer = await createProducer({ brokers, timeoutMs });
  const errors: string[] = [];
  let since: string[] = []; // read since the last assignment: an outage longer than the session means a new one
  const consumer = await createConsumer({
    ...{ brokers, topics: [topic], groupId: `group-of-${topic}`, bulk: true, timeoutMs },
    onAssign: () => {
      since = [];
      return [];
    },
    onRevoke: async () => {},
    onLost: () => {},
    onError: ({ kind }) => errors.push(kind),
  });
  const poll = async () => {
    const messages = await consumer.poll(500);
    since.push(...texts(messages)); // not in one line: `since` may be another list after the poll
  };
  producer.produce(topic, 0, null, Buffer.from("0"));
  await until(() => since.length === 1, poll);
  await consumer.commit([{ topic, partition: 0, offset: 1, metadata: "before" }]);
  let polling: Promise<void>;
  let outcome: Promise<string>;

  return {
    /** The broker has gone. */
    async during(): Promise<void> {
      for (let i = 1; i <= 100; i++) producer.produce(topic, 0, null, Buffer.from(String(i)));
      outcome = kindOf(consumer.commit([{ topic, partition: 0, offset: 1, metadata: "during" }]));
      polling = until(() => since.at(-1) === "100", poll);
      polling.catch(() => {}); // said where it is awaited
      await until(() => errors.includes("retry")); // it said that the broker is away
    },
    /** It is back. */
    async after(): Promise<void> {
      await producer.flush();
      await polling;
      expect(since.filter((text) => text !== "0")).toEqual(Array.from({ length: 100 }, (_, i) => String(i + 1)));
      expect(["no error", "retry", "rebalance"]).toContain(await outcome);
      await consumer.commit([{ topic, partition: 0, offset: 101, metadata: "after" }]);
      expect(await consumer.committed([{ topic, partition: 0 }])).toEqual([
        { topic, partition: 0, offset: 101, metadata: "after" },
      ]);
    },
    async close(): Promise<void> {
      await consumer.close();
      await producer.close();
    },
  };
}
