/** Records of a batch that the client's added method read: see native/consumeBatch.h, which draws their layout. */
import type { KafkaConsumer as NativeConsumer } from "@confluentinc/kafka-javascript";
import { loadBinding } from "./binding.ts";
import { type KafkaError, kafkaError } from "./errors.ts";
import type { Message } from "./message.ts";
import type { TopicPartition } from "./offsets.ts";
import { promised } from "./promise.ts";

type Native = {
  consumeBatch?(
    timeoutMs: number,
    limit: number,
    spare: SharedArrayBuffer | null,
    done: (error: unknown, ...result: unknown[]) => void,
  ): void;
};

/** [bytes, partitions, topics, content types, late error] */
type Batch = [SharedArrayBuffer | null, number[], string[], string[], unknown];

/** What one read gave: the records of each partition, a table of entries of 32 B, and behind all of these the values. See native/consumeBatch.h. */
export interface RecordTable {
  readonly bytes: SharedArrayBuffer;
  readonly parts: readonly TablePart[];
  /** As they were sent, in latin1. An entry has the place of its own and 1, or 0. */
  readonly contentTypes: readonly string[];
  /** Nobody reads it any more: another read may go there. */
  readonly release?: () => void;
}

export interface TablePart extends TopicPartition {
  /** Where its first entry is in the buffer. */
  readonly at: number;
  readonly count: number;
  /** How many look like a block's. */
  readonly looks: number;
}

const ENTRY_BYTES = 32;
const NO_VALUE = 0xffff_ffff;
/** What stands idle: of what was read, a few reads wait or are at a worker. What a buffer costs is its pages, which the kernel clears. */
const MOST_SPARES = 8;
const MOST_SPARE_BYTES = 32 << 20;
/** Of these sizes: smaller ones are made for their records alone, larger ones are few. */
const [LEAST_SPARE, LARGEST_SPARE] = [1 << 20, 8 << 20];

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
  /** By size. */
  const spares: SharedArrayBuffer[] = [];
  const keep = (bytes: SharedArrayBuffer): void => {
    if (bytes.byteLength < LEAST_SPARE || bytes.byteLength > LARGEST_SPARE) return;
    spares.push(bytes);
    spares.sort((a, b) => a.byteLength - b.byteLength);
    while (spares.length > MOST_SPARES || sizeOf(spares) > MOST_SPARE_BYTES) spares.shift();
  };

  return async (limit: number, timeoutMs: number): Promise<RecordTable> => {
    if (late) {
      const error = late;
      late = undefined;
      throw error;
    }
    const action = `poll the group "${groupId}"`;
    const spare = spares.pop() ?? null;
    let filled = false;
    try {
      const [own, numbers, topics, contentTypes, error] = await promised<Batch>(action, (done) =>
        native.consumeBatch!(timeoutMs, limit, spare, (failure, ...batch) => done(failure as never, batch as Batch)),
      );
      if (error) late = kafkaError(action, error);
      const parts = partsOf(numbers, topics);
      filled = own === null && parts.length > 0;
      const bytes = own ?? (filled ? spare! : NOTHING);
      return { bytes, parts, contentTypes, release: () => keep(bytes) };
    } finally {
      if (spare !== null && !filled) keep(spare);
    }
  };
}

const NOTHING = new SharedArrayBuffer(0);

const sizeOf = (buffers: readonly SharedArrayBuffer[]): number =>
  buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);

/** @param numbers of each partition: its topic's place, its number, records, bytes, how many look like a block's */
function partsOf(numbers: readonly number[], topics: readonly string[]): TablePart[] {
  const parts: TablePart[] = [];
  let at = 0;
  for (let i = 0; i < numbers.length; i += 5) {
    const [topic, partition, count, , looks] = numbers.slice(i, i + 5) as [number, number, number, number, number];
    parts.push({ topic: topics[topic]!, partition, at, count, looks });
    at += count * ENTRY_BYTES;
  }
  return parts;
}

/** An object a record, with a copy of its value: the table is released. A list of headers is shared by all of its content type. */
export function messagesOf({ bytes, parts, contentTypes, release }: RecordTable): Message[] {
  const headers = contentTypes.map((type) => [{ "content-type": Buffer.from(type, "latin1") }]);
  const messages = parts.flatMap(({ topic, partition, at, count }) => {
    const f64 = new Float64Array(bytes, at, count * 4);
    const u32 = new Uint32Array(bytes, at, count * 8);
    return Array.from({ length: count }, (_, i): Message => {
      const [start, length] = [u32[i * 8 + 4]!, u32[i * 8 + 5]!];
      return {
        ...{ topic, partition, offset: f64[i * 4]!, timestamp: f64[i * 4 + 1]!, key: null },
        value: length === NO_VALUE ? null : Buffer.from(new Uint8Array(bytes, start, length)),
        size: length === NO_VALUE ? 0 : length,
        headers: headers[u32[i * 8 + 6]! - 1] as NonNullable<Message["headers"]>,
      };
    });
  });
  release?.();
  return messages;
}
