import { type Content, NULL_VALUE } from "../frame/content.ts";
import { looksLikeBlock } from "./peekBlock.ts";

/**
 * Records of one partition as they were read, by ascending offsets: a table of them, and their values, one behind the other in the table's order.
 * They wait for a worker as they are, with no object for each of them (dispatch/recordQueue.ts says what that costs), and most go to it as they
 * are, too: see batch.ts.
 *
 *     entry, 32 B:  f64 offset │ f64 record time, ms │ u32 start │ u32 length │ u32 content │ u32 looks like a block's
 */
export interface Records {
  readonly count: number;
  /** The table as 4 doubles and as 8 integers an entry. */
  readonly f64: Float64Array;
  readonly u32: Uint32Array;
  /** What `start` counts in, and where the table begins: the whole of a buffer, which several tables may share. */
  readonly bytes: SharedArrayBuffer;
  readonly at: number;
  /** False when no record of the table looks like a block's. */
  readonly looks: boolean;
  readonly held: Held;
}

/** A buffer in use. */
export interface Held {
  /** How many of all records in it somebody may still read. */
  records: number;
  /** The last of them is done with. */
  readonly release?: () => void;
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
/** It may have a transaction of a block: peekBlock.ts reads it. */
export const looksAt = ({ u32 }: Records, i: number): boolean => u32[i * 8 + 7] !== 0;
export const valueAt = (records: Records, i: number): Uint8Array =>
  new Uint8Array(records.bytes, startAt(records, i), sizeAt(records, i));

/** Bytes of the first so many values. */
export const bytesBefore = (records: Records, i: number): number =>
  i === 0 ? 0 : startAt(records, i - 1) + sizeAt(records, i - 1) - startAt(records, 0);
/** Bytes of all values. */
export const bytesOf = (records: Records): number => bytesBefore(records, records.count);

/** The table of so many records that begins at `at`, a multiple of 8. */
export const tableAt = (bytes: SharedArrayBuffer, at: number, count: number): Pick<Records, "f64" | "u32"> => ({
  f64: new Float64Array(bytes, at, count * (RECORD_ENTRY_BYTES / 8)),
  u32: new Uint32Array(bytes, at, count * (RECORD_ENTRY_BYTES / 4)),
});

/** @param at where their table begins */
export const recordsAt = (
  bytes: SharedArrayBuffer,
  at: number,
  count: number,
  looks: boolean,
  held: Held = { records: count },
): Records => ({ count, bytes, at, looks, held, ...tableAt(bytes, at, count) });

/** Nobody reads these any more. With the last of them the buffer goes. */
export function letGo({ count, held }: Records): void {
  held.records -= count;
  if (held.records === 0) held.release?.();
}

/** @param length NULL_VALUE for a record without a value */
function setRecord(
  { f64, u32 }: Pick<Records, "f64" | "u32">,
  i: number,
  offset: number,
  time: number,
  start: number,
  length: number,
  content: Content,
  looks: boolean,
): void {
  f64[i * 4] = offset;
  f64[i * 4 + 1] = time;
  u32[i * 8 + 4] = start;
  u32[i * 8 + 5] = length;
  u32[i * 8 + 6] = content;
  u32[i * 8 + 7] = looks ? 1 : 0;
}

/** Of records that come one by one, whose values are copied together. */
export function recordsOf(list: readonly SourceRecord[]): Records {
  const table = list.length * RECORD_ENTRY_BYTES;
  const bytes = new SharedArrayBuffer(table + list.reduce((size, { value }) => size + (value?.length ?? 0), 0));
  const records = recordsAt(bytes, 0, list.length, true);
  fillRecords(records, list, table);
  return records;
}

/** Writes a table that is empty yet, and the values from `at` on. */
export function fillRecords(records: Records, list: readonly SourceRecord[], at: number): void {
  const all = new Uint8Array(records.bytes);
  for (const [i, { offset, time, content, value }] of list.entries()) {
    const looks = value !== null && looksLikeBlock(value);
    setRecord(records, i, offset, time, at, value?.length ?? NULL_VALUE, content, looks);
    if (value) all.set(value, at);
    at += value?.length ?? 0;
  }
}

/** The same in one buffer of their own. */
export function together(parts: readonly Records[]): Records {
  let count = 0;
  let size = 0;
  for (const part of parts) {
    count += part.count;
    size += bytesOf(part);
  }
  const bytes = new SharedArrayBuffer(count * RECORD_ENTRY_BYTES + size);
  const records = recordsAt(
    bytes,
    0,
    count,
    parts.some(({ looks }) => looks),
  );
  const all = new Uint8Array(bytes);
  let record = 0;
  let at = count * RECORD_ENTRY_BYTES;
  for (const part of parts) {
    if (part.count === 0) continue;
    const moved = at - startAt(part, 0);
    records.u32.set(part.u32, record * 8);
    for (let i = 0; i < part.count; i++) records.u32[(record + i) * 8 + 4]! += moved;
    all.set(new Uint8Array(part.bytes, startAt(part, 0), bytesOf(part)), at);
    record += part.count;
    at += bytesOf(part);
  }
  return records;
}

/** Those from the place `from` to before `to`; nothing is copied. */
export const sliceRecords = ({ f64, u32, at, ...rest }: Records, from: number, to: number): Records => ({
  ...rest,
  count: to - from,
  at: at + from * RECORD_ENTRY_BYTES,
  f64: f64.subarray(from * 4, to * 4),
  u32: u32.subarray(from * 8, to * 8),
});
