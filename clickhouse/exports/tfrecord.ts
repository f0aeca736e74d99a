/**
 * TFRecord: a file of records, each a `tf.train.Example` with a feature a column.
 *
 *     u64 length │ u32 masked crc32c of these 8 bytes │ Example │ u32 masked crc32c of the Example        little-endian
 *
 *     Example  { features: 1 { feature: 1 { key: 1, value: 2 Feature } … } }
 *     Feature  { bytes_list: 1 | float_list: 2 | int64_list: 3  { value: 1 … } }        integers and floats packed
 *
 * A message has its length in front, so records are written from the last row's end to the first one's beginning: each length is known when
 * it is due, and nothing is copied a second time. Example knows no doubles, no unsigned integers and no null: doubles become floats of 32 bits,
 * integers above 2^63 - 1 wrap, and a column that is null in a row is left out of it.
 */
import type { ArrowBatch, ArrowColumn, Values } from "./arrowColumns.ts";
import { maskedCrc32c } from "./crc32c.ts";

const HEAD = 12;
const TAIL = 4;
/** Of a buffer: some megabytes. */
const ROWS_TOGETHER = 4_096;
const LIST_FIELD = { text: 1, double: 2, integer: 3 } as const;

/** The records of a batch, one behind the other, in pieces of whole records. */
export function* encodeExamples({ rows, columns }: ArrowBatch): Generator<Buffer, void, void> {
  const features = columns.map((column) => ({ column, key: keyOf(column), write: writerOf(column) }));
  let size = 1 << 20;
  for (let first = 0; first < rows; first += ROWS_TOGETHER) {
    const out = new Backwards(size);
    for (let row = Math.min(rows, first + ROWS_TOGETHER) - 1; row >= first; row--) {
      out.skip(TAIL);
      const end = out.written;
      for (let i = features.length - 1; i >= 0; i--) feature(out, features[i]!, row);
      out.tagged(1, out.written - end); // Example.features
      const length = out.written - end;
      out.skip(HEAD);
      frame(out.bytes, out.at, length);
    }
    size = out.written + (out.written >> 3); // the next ones are about as long
    yield out.bytes.subarray(out.at);
  }
}

/** @param at of the record in the bytes @param length of its Example, which is there */
function frame(bytes: Buffer, at: number, length: number): void {
  bytes.writeBigUInt64LE(BigInt(length), at);
  bytes.writeUInt32LE(maskedCrc32c(bytes, at, at + 8), at + 8);
  bytes.writeUInt32LE(maskedCrc32c(bytes, at + HEAD, at + HEAD + length), at + HEAD + length);
}

/** The entry's key, and the tag of its value. */
function keyOf({ name }: ArrowColumn): Uint8Array {
  const out = new Backwards(64);
  const key = new TextEncoder().encode(name);
  out.skip(1);
  out.bytes[out.at] = (2 << 3) | 2;
  out.copy(key, 0, key.length);
  out.tagged(1, key.length);
  return out.bytes.subarray(out.at);
}

type Write = (out: Backwards, i: number) => void;

interface Feature {
  readonly column: ArrowColumn;
  /** As keyOf gives it. */
  readonly key: Uint8Array;
  /** One value of a list. */
  readonly write: Write;
}

function feature(out: Backwards, { column, key, write }: Feature, row: number): void {
  if (column.mayBeNull && column.isNull(row)) return;
  const { kind, ends } = column;
  const end = out.written;
  const first = ends ? ends[row]! : row;
  const last = ends ? ends[row + 1]! : row + 1;
  for (let i = last - 1; i >= first; i--) write(out, i);
  if (kind !== "text" && last > first) out.tagged(1, out.written - end); // integers and floats are packed
  out.tagged(LIST_FIELD[kind], out.written - end);
  out.varint(out.written - end, 0); // of the entry's value
  out.copy(key, 0, key.length);
  out.tagged(1, out.written - end); // Features.feature
}

function writerOf({ kind, values }: ArrowColumn): Write {
  const { bytes, ends, numbers } = values;
  if (kind === "text")
    return (out, i) => {
      const [from, to] = [ends[i]!, ends[i + 1]!];
      out.copy(bytes, from, to);
      out.tagged(1, to - from);
    };
  if (kind === "double") return (out, i) => out.float(Number(numbers[i]));
  const words = wordsOf(values);
  if (words) return (out, i) => out.varint(words[2 * i]!, words[2 * i + 1]!);
  return (out, i) => {
    const value = numbers[i] as number;
    out.varint(value >>> 0, value < 0 ? 0xffffffff : 0);
  };
}

/** Integers of 64 bits as pairs of words, the lower first: a BigInt each would take as long as all the rest. */
const wordsOf = ({ numbers, length }: Values): Uint32Array | undefined =>
  numbers instanceof BigInt64Array || numbers instanceof BigUint64Array
    ? new Uint32Array(numbers.buffer, numbers.byteOffset, 2 * length)
    : undefined;

/** Bytes that are written from their end to their beginning. */
class Backwards {
  bytes: Buffer;
  written = 0;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  get at(): number {
    return this.bytes.length - this.written;
  }

  /** Makes room for so many bytes more in front. */
  skip(size: number): void {
    const before = this.written;
    this.written += size;
    if (this.written > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.bytes.length, 2 * this.written));
      larger.set(this.bytes.subarray(this.bytes.length - before), larger.length - before);
      this.bytes = larger;
    }
  }

  copy(from: Uint8Array, start: number, end: number): void {
    this.skip(end - start);
    const { bytes, at } = this;
    if (end - start > 200) bytes.set(from.subarray(start, end), at);
    else for (let i = start, to = at; i < end; i++, to++) bytes[to] = from[i]!;
  }

  /** Field number and length of a message or text, whose bytes follow. */
  tagged(field: number, length: number): void {
    this.varint(length, 0);
    this.skip(1);
    this.bytes[this.bytes.length - this.written] = (field << 3) | 2;
  }

  varint(low: number, high: number): void {
    if (low < 128 && high === 0) {
      this.skip(1);
      this.bytes[this.bytes.length - this.written] = low;
      return;
    }
    const size = Math.ceil((high === 0 ? 32 - Math.clz32(low) : 64 - Math.clz32(high)) / 7);
    this.skip(size);
    const { bytes, at } = this;
    for (let i = 0; i < size; i++) {
      bytes[at + i] = (low & 127) | (i + 1 < size ? 128 : 0);
      low = (low >>> 7) | (high << 25);
      high >>>= 7;
    }
  }

  float(value: number): void {
    this.skip(4);
    this.bytes.writeFloatLE(value, this.at);
  }
}
