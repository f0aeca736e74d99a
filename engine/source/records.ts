import { type Content, NULL_VALUE } from "../frame/content.ts";
import { freeBuffers } from "../ops/freeBuffer.ts";

/**
 * Records of one partition as they were read, by ascending offsets: a table of them, and the bytes that it points into. They wait for a
 * worker as they are, with no object for each of them (dispatch/recordQueue.ts says what that costs).
 *
 *     entry, 32 B:  f64 offset │ f64 record time, ms │ u32 start │ u32 length │ u32 content │ u32 0
 *
 * A batch begins with the same table (batch.ts), where `start` counts from the beginning of the batch.
 */
export interface Records {
  readonly count: number;
  /** The table as 4 doubles and as 8 integers an entry. */
  readonly f64: Float64Array;
  readonly u32: Uint32Array;
  /** What `start` counts in: the whole of a buffer, which several tables may share. */
  readonly bytes: Uint8Array;
  /** How many of all records that point into the buffer still wait. */
  readonly waiting: { records: number };
}

export const RECORD_ENTRY_BYTES = 32;

/** One record by itself. */
export interface SourceRecord {
  readonly offset: number;
  /** Broker's time of the record in ms, 0 when there is none (recordings). Part of the row, so it must be the same on a replay. */
  readonly time: number;
  readonly content: Content;
  /** null: a Kafka record without a value. It becomes a dead letter like any other that cannot be decoded. */
  readonly value: Uint8Array | null;
}

export const offsetAt = ({ f64 }: Records, i: number): number => f64[i * 4]!;
export const timeAt = ({ f64 }: Records, i: number): number => f64[i * 4 + 1]!;
export const startAt = ({ u32 }: Records, i: number): number => u32[i * 8 + 4]!;
/** Bytes of its value; 0 for one without. */
export function sizeAt({ u32 }: Records, i: number): number {
  const length = u32[i * 8 + 5]!;
  return length === NULL_VALUE ? 0 : length;
}
export const hasValue = ({ u32 }: Records, i: number): boolean => u32[i * 8 + 5] !== NULL_VALUE;
export const contentAt = ({ u32 }: Records, i: number): Content => u32[i * 8 + 6] as Content;

/** Room for so many records of these bytes, to be filled by `setRecord`. @param waiting of all tables of these bytes */
export function emptyRecords(count: number, bytes: Uint8Array, waiting = { records: count }): Records {
  const table = new ArrayBuffer(count * RECORD_ENTRY_BYTES);
  return { count, f64: new Float64Array(table), u32: new Uint32Array(table), bytes, waiting };
}

/** Less than this is left to the collector: to give it back takes 5 us. */
const LARGE = 64 << 10;

/** These are in a batch now, and nobody reads them here any more. With the last of them the buffer goes. */
export function letGo({ bytes, count, waiting }: Records): void {
  waiting.records -= count;
  if (waiting.records === 0 && bytes.length >= LARGE) freeBuffers([bytes.buffer]);
}

/** @param length NULL_VALUE for a record without a value */
export function setRecord(
  { f64, u32 }: Pick<Records, "f64" | "u32">,
  i: number,
  offset: number,
  time: number,
  start: number,
  length: number,
  content: Content,
): void {
  f64[i * 4] = offset;
  f64[i * 4 + 1] = time;
  u32[i * 8 + 4] = start;
  u32[i * 8 + 5] = length;
  u32[i * 8 + 6] = content;
}

/** Of records that come one by one, whose values are copied together. */
export function recordsOf(list: readonly SourceRecord[]): Records {
  const bytes = new Uint8Array(list.reduce((size, { value }) => size + (value?.length ?? 0), 0));
  const records = emptyRecords(list.length, bytes);
  let at = 0;
  for (const [i, { offset, time, content, value }] of list.entries()) {
    setRecord(records, i, offset, time, at, value?.length ?? NULL_VALUE, content);
    if (value) bytes.set(value, at);
    at += value?.length ?? 0;
  }
  return records;
}

/** Those from the place `from` to before `to`; nothing is copied. */
export const sliceRecords = ({ f64, u32, ...rest }: Records, from: number, to: number): Records => ({
  ...rest,
  count: to - from,
  f64: f64.subarray(from * 4, to * 4),
  u32: u32.subarray(from * 8, to * 8),
});
