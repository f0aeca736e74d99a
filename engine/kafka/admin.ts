import { setTimeout as sleep } from "node:timers/promises";
import type {
  Client,
  GroupDescriptions,
  IAdminClient,
  KafkaConsumer,
  ListOffsetsResult,
  Metadata,
  OffsetSpec,
} from "@confluentinc/kafka-javascript";
import { connectionSettings, loadBinding } from "./binding.ts";
import { KafkaError, kafkaError } from "./errors.ts";
import { type CommittedOffset, checkOffsets, type OffsetToCommit, type TopicPartition } from "./offsets.ts";
import { promised } from "./promise.ts";

export type TopicSpec = { topic: string; partitions: number; replicas?: number; config?: Record<string, string> };

export type Admin = {
  /** Creates topics and waits until they can be described. One that exists already is an error unless `ifMissing`. */
  createTopics(topics: TopicSpec[], options?: { ifMissing?: boolean }): Promise<void>;
  deleteTopics(topics: string[]): Promise<void>;
  /** Names, without Kafka's own (`__…`). */
  listTopics(): Promise<string[]>;
  /** The number of partitions of a topic, or null if it does not exist. */
  partitionCount(topic: string): Promise<number | null>;
  /** Per partition the first offset kept and the next one to be written. */
  watermarks(topic: string): Promise<{ partition: number; low: number; high: number }[]>;
  /** What a group has committed, transactions settled (an open one fails with kind `retry`). */
  committed(groupId: string, partitions: TopicPartition[]): Promise<CommittedOffset[]>;
  /** Whether a group has a member with this instance id: one that is alive, or was a session ago. */
  hasInstance(groupId: string, instanceId: string): Promise<boolean>;
  /** Sets what a group has committed, from outside. It must have no member: else it fails, and nothing is set. */
  resetCommits(groupId: string, offsets: readonly OffsetToCommit[]): Promise<void>;
  /** Waits for calls that are under way. */
  close(): Promise<void>;
};

/** As the binding lists a commit: without one the offset is negative or missing; metadata is a text or a list with one. */
type Committed = TopicPartition & { offset?: number; metadata?: unknown };

/**
 * Asks and changes what brokers keep about topics and groups. Every call ends within `timeoutMs` (default 10 s)
 * and rejects with a KafkaError. `config` takes further librdkafka settings (SASL, TLS).
 */
export async function createAdmin(options: {
  brokers: string;
  timeoutMs?: number;
  config?: Record<string, unknown>;
}): Promise<Admin> {
  const binding = loadBinding();
  const { brokers, timeoutMs: timeout = 10_000 } = options;
  let client: IAdminClient & Pick<Client<never>, "getMetadata">; // the package's types forget that it is a Client
  try {
    client = binding.AdminClient.create({
      "bootstrap.servers": brokers,
      ...connectionSettings,
      ...options.config,
    }) as typeof client;
  } catch (error) {
    throw kafkaError(`reach the brokers "${brokers}"`, error);
  }

  /** Calls of `client` under way: to disconnect it before they have ended stops the event loop until then, 10 s and more without a broker. */
  const underWay = new Set<Promise<unknown>>();
  let closing = false;
  async function ask<T>(action: string, call: (done: (error: unknown, result?: T) => void) => void): Promise<T> {
    if (closing)
      throw new KafkaError(`Cannot ${action}: the client is closing, expected it open`, "configuration", -172);
    const answer = promised(action, call);
    underWay.add(answer);
    return answer.finally(() => underWay.delete(answer));
  }

  // All topics at once: asking for one that is missing gives an error that a broker which is starting gives too.
  async function allTopics(): Promise<Metadata["topics"]> {
    const { topics } = await ask<Metadata>(`read the topics of "${brokers}"`, (done) =>
      client.getMetadata({ allTopics: true, timeout }, done),
    );
    return topics;
  }

  async function partitionCount(topic: string): Promise<number | null> {
    const topics = await allTopics();
    return topics.find(({ name }) => name === topic)?.partitions.length ?? null;
  }

  async function untilCount(topic: string, ready: (count: number | null) => boolean): Promise<void> {
    const deadline = Date.now() + timeout;
    for (;;) {
      const count = await partitionCount(topic);
      if (ready(count)) return;
      if (Date.now() > deadline) {
        throw kafkaError(`see the topic "${topic}" change`, {
          message: `still ${count ?? "no"} partitions`,
          code: -185,
        });
      }
      await sleep(20);
    }
  }

  /** Just after a topic was made or a broker started, leaders and coordinators are unknown for some milliseconds: asks again until the time is up. */
  async function settled<T>(ask: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + timeout;
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if ((error as KafkaError).kind !== "retry" || Date.now() > deadline) throw error;
        await sleep(50);
      }
    }
  }

  async function offsetsAt(topic: string, count: number, offset: OffsetSpec) {
    const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition, offset }));
    const listed = await ask<ListOffsetsResult[]>(`read the offsets of "${topic}"`, (done) =>
      client.listOffsets(partitions, { timeout }, done),
    );
    for (const { partition, error } of listed) {
      if (error) throw kafkaError(`read the offsets of "${topic}/${partition}"`, error);
    }
    return new Map(listed.map(({ partition, offset }) => [partition, offset]));
  }

  /**
   * A consumer that never joins, one a group for as long as this admin lives: to connect one is 20 ms of CPU here and as much in
   * the broker. The admin client's own call, listConsumerGroupOffsets, crashes the process now and then (binding 1.10.1:
   * segmentation fault right after the answer, also for groups that have commits).
   */
  const readers = new Map<string, Promise<KafkaConsumer>>();
  function commitReader(groupId: string, action: string): Promise<KafkaConsumer> {
    const known = readers.get(groupId);
    if (known) return known;
    const consumer = new binding.KafkaConsumer(
      { "bootstrap.servers": brokers, "group.id": groupId, ...connectionSettings, ...options.config } as never,
      {},
    );
    const opening = promised(action, (done) => consumer.connect({ timeout }, done)).then(() => consumer);
    opening.catch(() => readers.delete(groupId));
    readers.set(groupId, opening);
    return opening;
  }

  return {
    async createTopics(topics, { ifMissing = false } = {}) {
      await Promise.all(
        topics.map(async ({ topic, partitions, replicas = -1, config = {} }) => {
          try {
            await ask(`create the topic "${topic}"`, (done) =>
              client.createTopic(
                { topic, num_partitions: partitions, replication_factor: replicas, config },
                timeout,
                done,
              ),
            );
          } catch (error) {
            const exists = kafkaError("", error).code === 36;
            if (!(ifMissing && exists)) throw error;
            return;
          }
          await untilCount(topic, (count) => count === partitions);
        }),
      );
    },
    async deleteTopics(topics) {
      for (const topic of topics) {
        await ask(`delete the topic "${topic}"`, (done) => client.deleteTopic(topic, timeout, done));
        await untilCount(topic, (count) => count === null);
      }
    },
    async listTopics() {
      const topics = await allTopics();
      return topics.map(({ name }) => name).filter((name) => !name.startsWith("__"));
    },
    partitionCount,
    async watermarks(topic) {
      const count = await partitionCount(topic);
      if (count === null) {
        throw kafkaError(`read the offsets of "${topic}"`, { message: "the topic does not exist", code: 3 });
      }
      const low = await settled(() => offsetsAt(topic, count, binding.OffsetSpec.EARLIEST));
      const high = await settled(() => offsetsAt(topic, count, binding.OffsetSpec.LATEST));
      return Array.from({ length: count }, (_, partition) => ({
        partition,
        low: low.get(partition) ?? 0,
        high: high.get(partition) ?? 0,
      }));
    },
    async committed(groupId, partitions) {
      const action = `read the commits of the group "${groupId}"`;
      const listed = await settled(async () => {
        const reader = await commitReader(groupId, action);
        return promised<Committed[]>(action, (done) => reader.committed([...partitions], timeout, done as never));
      });
      return listed.map(({ topic, partition, offset = -1, metadata }) => ({
        ...{ topic, partition, offset: offset >= 0 ? offset : null },
        metadata: [metadata].flat().filter((text) => typeof text === "string")[0] ?? "",
      }));
    },
    async hasInstance(groupId, instanceId) {
      const action = `describe the group "${groupId}"`;
      const { groups } = await settled(async () => {
        const described = await ask<GroupDescriptions>(action, (done) =>
          client.describeGroups([groupId], { timeout }, done),
        );
        for (const { error } of described.groups) if (error) throw kafkaError(action, error);
        return described;
      });
      return groups.some(({ members }) => members.some((member) => member.groupInstanceId === instanceId));
    },
    async resetCommits(groupId, offsets) {
      checkOffsets(offsets);
      const action = `set the commits of the group "${groupId}"`;
      const client = await commitReader(groupId, action);
      const commits = offsets.map(({ topic, partition, offset, metadata }) => ({ topic, partition, offset, metadata }));
      try {
        client.commitSync(commits);
      } catch (error) {
        throw kafkaError(action, error);
      }
    },
    async close() {
      const opened = await Promise.allSettled(readers.values());
      for (const reader of opened)
        if (reader.status === "fulfilled") await promised("disconnect", (done) => reader.value.disconnect(done));
      closing = true;
      await Promise.allSettled(underWay);
      client.disconnect();
    },
  };
}
