/** Records of a batch that the client's added method read: see native/consumeBatch.h, which draws their layout. */
import type { KafkaConsumer as NativeConsumer } from "@confluentinc/kafka-javascript";
import { loadBinding } from "./binding.ts";
import { type KafkaError, kafkaError } from "./errors.ts";
import type { Message } from "./message.ts";
import type { TopicPartition } from "./offsets.ts";
import { promised } from "./promise.ts";

type Native = {
  consumeBatch?(timeoutMs: number, limit: number, done: (error: unknown, ...result: unknown[]) => void): void;
};

/** [bytes, count, topics, content types, late error] */
type Batch = [ArrayBuffer, number, string[], string[], unknown];

/** What one read gave: a table of `count` entries of 32 B, and behind it the values. See native/consumeBatch.h. */
export interface RecordTable {
  readonly bytes: ArrayBuffer;
  readonly count: number;
  readonly topics: readonly string[];
  /** As they were sent, in latin1. */
  readonly contentTypes: readonly string[];
}

const NO_VALUE = 0xffff_ffff;
/** Of a record without a header `content-type`. */
export const NO_NAME = 0xffff;

/** Whether the client was compiled with the method. Connects to nothing. */
export function canReadBatches(): boolean {
  const consumer = new (loadBinding().KafkaConsumer)({ "group.id": "none" } as never, {});
  return (consumer.getClient() as Native).consumeBatch !== undefined;
}

/**
 * Reads records without their keys, and of their headers `content-type` alone: 0.5 us a record in place of 7. Undefined for a ready binary
 * of the client, which lacks the method.
 */
export function batchReader(consumer: NativeConsumer, groupId: string) {
  const native = consumer.getClient() as Native;
  if (!native.consumeBatch) return undefined;
  /** Came behind records: what the next read answers. */
  let late: KafkaError | undefined;

  return async (limit: number, timeoutMs: number): Promise<RecordTable> => {
    if (late) {
      const error = late;
      late = undefined;
      throw error;
    }
    const action = `poll the group "${groupId}"`;
    const [bytes, count, topics, contentTypes, error] = await promised<Batch>(action, (done) =>
      native.consumeBatch!(timeoutMs, limit, (failure, ...batch) => done(failure as never, batch as Batch)),
    );
    if (error) late = kafkaError(action, error);
    return { bytes, count, topics, contentTypes };
  };
}

/** An object a record. A list of headers is shared by all of its content type. */
export function messagesOf({ bytes, count, topics, contentTypes }: RecordTable): Message[] {
  const f64 = new Float64Array(bytes, 0, count * 4);
  const u32 = new Uint32Array(bytes, 0, count * 8);
  const headers = contentTypes.map((type) => [{ "content-type": Buffer.from(type, "latin1") }]);
  const messages = new Array<Message>(count);
  for (let i = 0; i < count; i++) {
    const length = u32[i * 8 + 5]!;
    const names = u32[i * 8 + 7]!;
    messages[i] = {
      topic: topics[names & NO_NAME]!,
      partition: u32[i * 8 + 6]!,
      offset: f64[i * 4]!,
      timestamp: f64[i * 4 + 1]!,
      key: null,
      value: length === NO_VALUE ? null : Buffer.from(bytes, u32[i * 8 + 4]!, length),
      size: length === NO_VALUE ? 0 : length,
      headers: headers[names >>> 16] as NonNullable<Message["headers"]>,
    };
  }
  return messages;
}

/** Those that it has records of; a partition is named once for each time that its records follow another's. */
export function partitionsOf({ bytes, count, topics }: RecordTable): TopicPartition[] {
  const u32 = new Uint32Array(bytes, 0, count * 8);
  const found: TopicPartition[] = [];
  for (let i = 0; i < count; i++) {
    const partition = u32[i * 8 + 6]!;
    const topic = topics[u32[i * 8 + 7]! & NO_NAME]!;
    const last = found.at(-1);
    if (last?.partition !== partition || last.topic !== topic) found.push({ topic, partition });
  }
  return found;
}
