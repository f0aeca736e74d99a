/**
 * Follows a topic of which few records come, beside the stream: takes what there is, has it handled, and says what came of it. What it says and
 * how far it has come are one Kafka transaction, so a reader of committed records sees each once; whatever is written elsewhere before must bear
 * to be written again. Of all engines of a group one does it a partition, as Kafka assigns them.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { needsPerson } from "../needsPerson.ts";
import type { Config } from "../ops/config.ts";
import { messageOf } from "../ops/errors.ts";
import type { Log } from "../ops/log.ts";
import { logSeldom } from "../ops/logSeldom.ts";
import { countSent, type Metrics } from "../ops/metrics.ts";
import { type Admin, createAdmin } from "./admin.ts";
import { type Consumer, createConsumer } from "./consumer.ts";
import { type FollowerName, followerGroup } from "./followers.ts";
import type { Message } from "./message.ts";
import { createProducer } from "./producer.ts";
import { inTransaction, put } from "./transaction.ts";

export interface FollowTopicOptions {
  readonly config: Pick<Config, "kafka">;
  readonly topic: string;
  /** Of the consumer group, behind the engine's, and in the log. */
  readonly name: FollowerName;
  /** @param messages of any of its partitions, of each in order; never none */
  readonly handle: (messages: readonly Message[], session: FollowSession) => Promise<Handled>;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "recordsSent" | "rates">;
  readonly signal: AbortSignal;
}

/** What came of some records. */
export interface Handled {
  readonly records: readonly OutputRecord[];
  /** Called once they are committed. */
  readonly count: () => void;
}

export interface OutputRecord {
  readonly topic: string;
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface FollowSession {
  readonly admin: Admin;
  /** Asks until it holds or the time is over, while nothing more is read and the group does not take us for dead. @returns whether it holds */
  wait(holds: () => Promise<boolean>, ms: number): Promise<boolean>;
}

export const JSON_HEADERS = { "content-type": "application/json" };

const POLL_RECORDS = 500;
/** After something broke. */
const PAUSE_MS = 2_000;
/** How often the topic is looked for: it is there once somebody has made the topics, or puts something on it. */
const LOOK_MS = 10_000;
/** A process without an instance id of its own gets one for as long as it lives. */
const PROCESS_ID = randomUUID();

/** Runs until the signal aborts; whatever is away is waited for. @throws what only a person can mend */
export async function followTopic(options: FollowTopicOptions): Promise<void> {
  const { topic, name, log, signal } = options;
  while (!signal.aborted) {
    try {
      if (await isThere(options)) await run(options);
      else await sleep(LOOK_MS, undefined, { signal });
    } catch (error) {
      if (signal.aborted) return;
      if (needsPerson(error)) throw error;
      const facts = { event: `${name}_broken`, topic, reason: messageOf(error) };
      logSeldom(log, "warn", facts, "Following a topic broke; beginning anew");
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => {}); // aborted: the loop's head ends it
    }
  }
}

async function isThere({ config: { kafka }, topic }: FollowTopicOptions): Promise<boolean> {
  const admin = await createAdmin({ brokers: kafka.brokers!.join(",") });
  try {
    return (await admin.partitionCount(topic)) !== null;
  } finally {
    await admin.close();
  }
}

async function run({ config, topic, name, handle, log, metrics, signal }: FollowTopicOptions): Promise<void> {
  const { groupId, instanceId } = config.kafka;
  const brokers = config.kafka.brokers!.join(",");
  const producer = await createProducer({
    brokers,
    transactionalId: `${followerGroup(groupId, name)}-${instanceId ?? PROCESS_ID}`,
    onSent: countSent(metrics),
  });
  const admin = await createAdmin({ brokers });
  let consumer: Consumer | undefined;
  try {
    const reader = (consumer = await createConsumer({
      brokers,
      groupId: followerGroup(groupId, name),
      ...(instanceId === undefined ? {} : { instanceId }),
      topics: [topic],
      onAssign: () => [],
      onRevoke: async () => {},
      onLost: () => {},
      onError: ({ message }) =>
        logSeldom(log, "warn", { event: "kafka_error", reason: message }, "The Kafka client reports an error"),
    }));

    /** With the epochs of now: should a partition change hands before its offset is committed, that is refused. */
    async function take(most: number) {
      const messages = await reader.poll(most);
      return { messages, offsets: endsOf(messages).map((end) => ({ ...end, epoch: reader.epoch(end) ?? -1 })) };
    }
    /** What was fetched already when reading was paused. */
    const early: Awaited<ReturnType<typeof take>>[] = [];

    async function wait(holds: () => Promise<boolean>, ms: number): Promise<boolean> {
      const deadline = performance.now() + ms;
      reader.pause(reader.owned());
      try {
        while (!(await holds())) {
          if (performance.now() > deadline) return false;
          for (let polls = 0; polls < 3; polls++) {
            const taken = await take(1); // 0.1 s: rebalances arrive through it
            if (taken.messages.length > 0) early.push(taken);
          }
          signal.throwIfAborted();
        }
        return true;
      } finally {
        reader.resume(reader.owned());
      }
    }

    while (!signal.aborted) {
      const { messages, offsets } = early.shift() ?? (await take(POLL_RECORDS));
      if (messages.length === 0) continue;
      const { records, count } = await handle(messages, { admin, wait });
      await inTransaction(producer, `publish ${name}`, async () => {
        for (const { topic, key, value, headers } of records) await put(producer, topic, null, key, value, headers);
        await producer.sendOffsets(offsets, reader);
      });
      count();
    }
  } finally {
    await consumer?.close();
    await producer.close();
    await admin.close();
  }
}

/** Behind the last message of each partition. */
function endsOf(messages: readonly Message[]) {
  const ends = new Map<number, { topic: string; partition: number; offset: number; metadata: string }>();
  for (const { topic, partition, offset } of messages)
    ends.set(partition, { topic, partition, offset: offset + 1, metadata: "" });
  return [...ends.values()];
}

/** By their partition. */
export function byPartition<Placed extends { readonly partition: number }>(
  records: readonly Placed[],
): Map<number, Placed[]> {
  const partitions = new Map<number, Placed[]>();
  for (const record of records) {
    const others = partitions.get(record.partition);
    if (others) others.push(record);
    else partitions.set(record.partition, [record]);
  }
  return partitions;
}
