/**
 * TFRecord: a file of records, each a `tf.train.Example` with a feature a column.
 *
 *     u64 length │ u32 masked crc32c of these 8 bytes │ Example │ u32 masked crc32c of the Example        little-endian
 *
 *     Example  { features: 1 { feature: 1 { key: 1, value: 2 Feature } … } }
 *     Feature  { bytes_list: 1 | float_list: 2 | int64_list: 3  { value: 1 … } }        integers and floats packed
 *
 * A message has its length in front, so an Example is written from its end to its beginning: each length is known when it is due.
 * Example knows no doubles, no unsigned integers and no null: doubles become floats of 32 bits, integers above 2^63 - 1 wrap, and a
 * column that is null in a row is left out of it.
 */
import type { ArrowBatch, ArrowColumn } from "./arrowColumns.ts";
import { maskedCrc32c } from "./crc32c.ts";

const HEAD = 12;
const TAIL = 4;

let scratch = Buffer.alloc(1 << 20);
/** What is written lies from here to the end. */
let at = scratch.length;

/** The records of a batch, one behind the other. */
export function encodeExamples({ rows, columns }: ArrowBatch): Buffer[] {
  const features = columns.map((column) => ({ column, key: new TextEncoder().encode(column.name) }));
  const records: Buffer[] = [];
  for (let row = 0; row < rows; row++) {
    at = scratch.length;
    for (let i = features.length - 1; i >= 0; i--) feature(features[i]!, row);
    const length = scratch.length - at;
    tagged(1, length); // Example.features
    records.push(framed(scratch.subarray(at)));
  }
  return records;
}

function framed(example: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(HEAD + example.length + TAIL);
  record.writeBigUInt64LE(BigInt(example.length), 0);
  record.writeUInt32LE(maskedCrc32c(record, 0, 8), 8);
  record.set(example, HEAD);
  record.writeUInt32LE(maskedCrc32c(record, HEAD, HEAD + example.length), HEAD + example.length);
  return record;
}

function feature({ column, key }: { column: ArrowColumn; key: Uint8Array }, row: number): void {
  if (column.isNull(row)) return;
  const end = remaining();
  const [first, last] = column.ends ? [column.ends[row]!, column.ends[row + 1]!] : [row, row + 1];
  list(column, first, last);
  tagged(2, remaining() - end); // the entry's value
  bytes(key, 0, key.length);
  tagged(1, key.length);
  tagged(1, remaining() - end); // Features.feature
}

const LIST_FIELD = { text: 1, double: 2, integer: 3 } as const;

/** A Feature with the values from `first` on, before `last`. */
function list({ kind, values }: ArrowColumn, first: number, last: number): void {
  const end = remaining();
  for (let i = last - 1; i >= first; i--) {
    if (kind === "integer") varint(values.numbers[i]!);
    else if (kind === "double") float(Number(values.numbers[i]));
    else {
      const [from, to] = [values.ends[i]!, values.ends[i + 1]!];
      bytes(values.bytes, from, to);
      tagged(1, to - from);
    }
  }
  if (kind !== "text" && last > first) tagged(1, remaining() - end);
  tagged(LIST_FIELD[kind], remaining() - end);
}

const remaining = (): number => scratch.length - at;

/** Makes room for so many bytes more in front. */
function reserve(size: number): void {
  if (at >= size) return;
  const larger = Buffer.alloc(Math.max(2 * scratch.length, scratch.length + size));
  larger.set(scratch.subarray(at), larger.length - remaining());
  at = larger.length - remaining();
  scratch = larger;
}

function bytes(from: Uint8Array, start: number, end: number): void {
  reserve(end - start);
  at -= end - start;
  scratch.set(from.subarray(start, end), at);
}

/** Field number and length of a message or text, whose bytes follow. */
function tagged(field: number, length: number): void {
  varint(length);
  reserve(1);
  scratch[--at] = (field << 3) | 2;
}

function varint(value: number | bigint): void {
  reserve(10);
  if (value >= 0 && value <= 0x7fffffff) small(Number(value));
  else large(BigInt.asUintN(64, BigInt(value)));
}

function large(value: bigint): void {
  let rest = value;
  let size = 0;
  for (let left = rest; left > 0n; left >>= 7n) size++;
  at -= size;
  for (let i = 0; i < size; i++, rest >>= 7n) scratch[at + i] = Number(rest & 127n) | (i + 1 < size ? 128 : 0);
}

/** Of at most 31 bits. */
function small(value: number): void {
  let size = 1;
  for (let left = value >>> 7; left > 0; left >>>= 7) size++;
  at -= size;
  for (let i = 0, rest = value; i < size; i++, rest >>>= 7) scratch[at + i] = (rest & 127) | (i + 1 < size ? 128 : 0);
}

function float(value: number): void {
  reserve(4);
  at -= 4;
  scratch.writeFloatLE(value, at);
}
