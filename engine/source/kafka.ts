import { CONTENT, CONTENT_TYPES, type Content } from "../frame/content.ts";
import type { RecordTable } from "../kafka/consumeBatch.ts";
import type { Consumer } from "../kafka/consumer.ts";
import { createConsumer } from "../kafka/consumer.ts";
import type { Message } from "../kafka/message.ts";
import type { Failpoint } from "../ops/failpoint.ts";
import { type Records, recordsAt, recordsOf, type SourceRecord } from "./records.ts";
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
          const polled = await consumer.pollTable(POLL_RECORDS);
          if ((Array.isArray(polled) ? polled : polled.parts).length === 0) continue;
          failpoint("after poll");
          for (const [partition, records] of recordsByPartition(polled)) events.records(partition, records);
        }
      } finally {
        running = undefined;
        await consumer.close();
      }
    },
  };
}

/** Of one topic. */
export function recordsByPartition(polled: RecordTable | Message[]): Map<number, Records> {
  if (!Array.isArray(polled)) return splitTable(polled);
  return new Map([...byPartition(polled)].map(([partition, records]) => [partition, recordsOf(records)]));
}

/** Each partition's part of the table; nothing is copied. */
function splitTable({ bytes, parts, contentTypes, release }: RecordTable): Map<number, Records> {
  const contents = contentTypes.map(contentOfText);
  const held = { records: parts.reduce((sum, { count }) => sum + count, 0), release };
  return new Map(
    parts.map(({ partition, at, count, looks }) => {
      const records = recordsAt(bytes, at, count, looks > 0, held);
      if (contents.length > 0)
        for (let i = 0; i < count; i++)
          records.u32[i * 8 + 6] = contents[records.u32[i * 8 + 6]! - 1] ?? CONTENT.unknown;
      return [partition, records];
    }),
  );
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

function contentOf(headers: readonly Record<string, unknown>[]): Content {
  const value = headers.find((header) => header["content-type"] !== undefined)?.["content-type"];
  if (value === undefined) return CONTENT.unknown;
  return contentOfText(Buffer.isBuffer(value) ? value.toString("latin1") : String(value));
}

const contentOfText = (text: string): Content =>
  CONTENT_TYPES[text.split(";")[0]!.trim().toLowerCase()] ?? CONTENT.unknown;
