/** Topics and clients of a test's own on the shared broker. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll } from "vitest";
import { type Admin, createAdmin } from "../../engine/kafka/admin.ts";
import { type Consumer, type ConsumerOptions, createConsumer } from "../../engine/kafka/consumer.ts";
import type { KafkaError } from "../../engine/kafka/errors.ts";
import type { Message } from "../../engine/kafka/message.ts";
import { createProducer, type Producer, type ProducerOptions } from "../../engine/kafka/producer.ts";
import { STANDSTILL_MS } from "./kafkaBroker.ts";
import { sharedBrokers, uniqueName } from "./sharedKafka.ts";

/** For all tests of the file that calls it; what a test opens is closed behind it. */
export function useKafkaClients() {
  let brokers: string;
  let admin: Admin;
  const open: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    brokers = await sharedBrokers();
    admin = await createAdmin({ brokers, timeoutMs: STANDSTILL_MS });
  });
  afterEach(async () => {
    for (const client of open.splice(0).reverse()) await client.close();
  });
  afterAll(() => admin?.close());

  return {
    brokers: () => brokers,
    admin: () => admin,
    async topicOf(partitions: number): Promise<string> {
      const topic = uniqueName("client");
      await admin.createTopics([{ topic, partitions }]);
      return topic;
    },
    async producerOf(options: Partial<ProducerOptions> = {}): Promise<Producer> {
      const producer = await createProducer({ brokers, ...options });
      open.push(producer);
      return producer;
    },
    /** A consumer that starts at the group's commits and gives everything up at once, unless the test says otherwise. */
    async consumerOf(topic: string, options: Partial<ConsumerOptions> = {}): Promise<Consumer> {
      const consumer = await createConsumer({
        brokers,
        groupId: `group-of-${topic}`,
        bulk: true, // as the engine reads
        topics: [topic],
        onAssign: () => [],
        onRevoke: async () => {},
        onLost: () => {},
        onError: () => {},
        ...options,
      });
      open.push(consumer);
      return consumer;
    },
  };
}

/** Polls until `count` records are there. */
export async function take(consumer: Consumer, count: number): Promise<Message[]> {
  const messages: Message[] = [];
  while (messages.length < count) messages.push(...(await consumer.poll(500)));
  return messages;
}

export async function until(
  condition: () => boolean,
  meanwhile: () => Promise<unknown> = () => sleep(10),
): Promise<void> {
  for (const end = Date.now() + 600_000; !condition(); ) {
    if (Date.now() > end) throw new Error(`Cannot go on: still not ${condition}, expected it within 600 s`);
    await meanwhile();
  }
}

export const texts = (messages: Message[]) => messages.map(({ value }) => value!.toString());
export const kindOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    (error: KafkaError) => error.kind,
  );
