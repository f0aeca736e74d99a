import { CONTENT, CONTENT_TYPES, type Content } from "../frame/content.ts";
import type { Consumer } from "../kafka/consumer.ts";
import { createConsumer } from "../kafka/consumer.ts";
import type { Message } from "../kafka/message.ts";
import type { Failpoint } from "../ops/failpoint.ts";
import type { SourceRecord } from "./batch.ts";
import type { Source } from "./source.ts";

export interface KafkaSourceOptions {
  readonly brokers: string;
  readonly topic: string;
  readonly groupId: string;
  readonly instanceId?: string;
  /** How long a revoked partition may be drained, in ms; the group waits for it. */
  readonly onError: (error: Error) => void;
  readonly config?: Record<string, unknown>;
  readonly failpoint: Failpoint;
}

export interface KafkaSource extends Source {
  /** The group member behind it, once it runs: the ledger commits in its name. */
  consumer(): Consumer;
  /** The same, undefined before and after. */
  running(): Consumer | undefined;
}

/** Records a poll takes at most: 4,096 of 656 B are 2.7 MB, about 30 ms of the binding's work. */
const POLL_RECORDS = 4_096;

/** A consumer group's share of a topic. */
export function createKafkaSource(options: KafkaSourceOptions): KafkaSource {
  const { brokers, topic, groupId, instanceId, onError, config, failpoint } = options;
  let consumer: Consumer | undefined;
  let running: Consumer | undefined;
  const joined = (): Consumer => {
    if (!consumer)
      throw new Error(`Cannot use the consumer of "${topic}": it is not running, expected run() to be under way`);
    return consumer;
  };
  const numbers = (partitions: readonly { partition: number }[]): number[] =>
    partitions.map(({ partition }) => partition);

  return {
    name: topic,
    consumer: joined,
    running: () => running,
    pause: (partition) => joined().pause([{ topic, partition }]),
    resume: (partition) => joined().resume([{ topic, partition }]),
    async run(events, signal) {
      let broken: Error | undefined;
      consumer = await createConsumer({
        brokers,
        groupId,
        topics: [topic],
        bulk: true,
        ...(instanceId === undefined ? {} : { instanceId }),
        ...(config === undefined ? {} : { config }),
        async onAssign(partitions) {
          const starts = await events.assign(numbers(partitions));
          failpoint("after assign");
          return partitions.map(({ partition }) => ({ topic, partition, offset: starts.get(partition)! }));
        },
        async onRevoke(partitions) {
          failpoint("before revoke");
          await events.revoke(numbers(partitions));
        },
        onLost: (partitions) => events.lose(numbers(partitions)),
        onError(error) {
          if (error.kind === "fenced" || error.kind === "fatal") broken ??= error;
          onError(error);
        },
      });
      running = consumer;
      try {
        while (!signal.aborted) {
          if (broken) throw broken;
          const messages = await consumer.poll(POLL_RECORDS);
          if (messages.length === 0) continue;
          failpoint("after poll");
          for (const [partition, records] of byPartition(messages)) events.records(partition, records);
        }
      } finally {
        running = undefined;
        await consumer.close();
      }
    },
  };
}

/** Messages of one topic as records, by partition. */
export function byPartition(messages: readonly Message[]): Map<number, SourceRecord[]> {
  const partitions = new Map<number, SourceRecord[]>();
  for (const message of messages) {
    let records = partitions.get(message.partition);
    if (!records) partitions.set(message.partition, (records = []));
    records.push({
      offset: message.offset,
      time: message.timestamp ?? 0,
      content: message.headers ? contentOf(message.headers) : CONTENT.unknown,
      // The binding gives an empty value as null or as empty, depending on Node: the outcome must not.
      value: message.value && message.value.length > 0 ? message.value : null,
    });
  }
  return partitions;
}

/** Header values seen so far, as they were sent: a topic has a handful, and reading one for each record costs 0.6 µs. */
const known = new Map<string, Content>();
const MOST_KNOWN = 64;
/** Records read in bulk share their headers: those of the last one, and what they say. */
let last: readonly Record<string, unknown>[] = [];
let lastContent: Content = CONTENT.unknown;

function contentOf(headers: readonly Record<string, unknown>[]): Content {
  if (headers !== last) {
    last = headers;
    lastContent = readContent(headers);
  }
  return lastContent;
}

function readContent(headers: readonly Record<string, unknown>[]): Content {
  for (const header of headers) {
    const value = header["content-type"];
    if (value === undefined) continue;
    const sent = Buffer.isBuffer(value) ? value.toString("latin1") : String(value);
    let content = known.get(sent);
    if (content === undefined) {
      content = CONTENT_TYPES[sent.split(";")[0]!.trim().toLowerCase()] ?? CONTENT.unknown;
      if (known.size < MOST_KNOWN) known.set(sent, content);
    }
    return content;
  }
  return CONTENT.unknown;
}
