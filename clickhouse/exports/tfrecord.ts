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
/** Of a buffer: some hundred KB, which the processor's cache holds. */
const ROWS_TOGETHER = 256;
const LIST_FIELD = { text: 1, double: 2, integer: 3 } as const;
/** Bytes of a tag and a length, or of an integer, at most. */
const MOST = 10;

/** The records of batches, as encodeExamples gives them. */
export async function* examplesOf(
  batches: AsyncIterable<ArrowBatch>,
  room: (size: number) => Buffer,
): AsyncGenerator<Buffer, void, void> {
  for await (const batch of batches) yield* encodeExamples(batch, room);
}

/**
 * The records of a batch, one behind the other, in pieces of whole records.
 * @param room gives a buffer of so many bytes, which is the piece's: another each time unless a piece is done with before the next
 */
export function* encodeExamples(
  { rows, columns }: ArrowBatch,
  room: (size: number) => Buffer,
): Generator<Buffer, void, void> {
  const features = columns.map(featureOf);
  for (let first = 0; first < rows; first += ROWS_TOGETHER) {
    const last = Math.min(rows, first + ROWS_TOGETHER);
    const most = features.reduce((sum, feature) => sum + feature.most(first, last), 0);
    const bytes = room(most + (last - first) * (HEAD + MOST + TAIL));
    let at = bytes.length;
    for (let row = last - 1; row >= first; row--) {
      const end = at - TAIL;
      at = end;
      for (let i = features.length - 1; i >= 0; i--) at = features[i]!.put(bytes, at, row);
      at = tagged(bytes, at, 1, end - at); // Example.features
      frame(bytes, at, end);
      at -= HEAD;
    }
    yield bytes.subarray(at);
  }
}

/** One buffer for all: what is allocated, megabytes a moment, takes the garbage collector as long as the encoding. */
export function reused(): (size: number) => Buffer {
  let buffer = Buffer.allocUnsafe(1 << 20);
  return (size) => {
    if (buffer.length < size) buffer = Buffer.allocUnsafe(size + (size >> 2));
    return buffer.subarray(0, size);
  };
}

/** @param start of an Example, which is there, up to `end` */
function frame(bytes: Buffer, start: number, end: number): void {
  const head = start - HEAD;
  bytes.writeUInt32LE(end - start, head);
  bytes.writeUInt32LE(0, head + 4);
  bytes.writeUInt32LE(maskedCrc32c(bytes, head, head + 8), head + 8);
  bytes.writeUInt32LE(maskedCrc32c(bytes, start, end), end);
}

/** Writes what ends at `end`, of a row or of a value, and says where it begins. */
type Put = (bytes: Uint8Array, end: number, i: number) => number;

/** A column's entries in Features.feature. */
interface Feature {
  readonly put: Put;
  /** Bytes of those of the rows from `first` to before `last`, at most. */
  most(first: number, last: number): number;
}

function featureOf(column: ArrowColumn): Feature {
  const { name, kind, ends, values, mayBeNull } = column;
  const key = keyOf(name);
  const putValue = writerOf(column);
  const isPacked = kind !== "text";
  return {
    put(bytes, end, row) {
      if (mayBeNull && column.isNull(row)) return end;
      const first = ends ? ends[row]! : row;
      const last = ends ? ends[row + 1]! : row + 1;
      let at = end;
      for (let i = last - 1; i >= first; i--) at = putValue(bytes, at, i);
      if (isPacked && last > first) at = tagged(bytes, at, 1, end - at);
      at = tagged(bytes, at, LIST_FIELD[kind], end - at);
      at = varint(bytes, at, end - at, 0); // of the entry's value, whose tag is with the key
      at = copied(bytes, at, key, 0, key.length);
      return tagged(bytes, at, 1, end - at);
    },
    most(first, last) {
      const [from, to] = ends ? [ends[first]!, ends[last]!] : [first, last];
      const texts = isPacked ? 0 : values.ends[to]! - values.ends[from]!;
      return (last - first) * (key.length + 4 * MOST) + (to - from) * MOST + texts;
    },
  };
}

/** The entry's key, and the tag of its value. */
function keyOf(name: string): Uint8Array {
  const key = new TextEncoder().encode(name);
  const bytes = new Uint8Array(MOST + key.length + 1);
  bytes[bytes.length - 1] = (2 << 3) | 2;
  const at = copied(bytes, bytes.length - 1, key, 0, key.length);
  return bytes.slice(tagged(bytes, at, 1, key.length));
}

/** Of one value. */
function writerOf({ kind, values }: ArrowColumn): Put {
  const { bytes: texts, ends, numbers } = values;
  if (kind === "text")
    return (bytes, end, i) => {
      const [from, to] = [ends[i]!, ends[i + 1]!];
      return tagged(bytes, copied(bytes, end, texts, from, to), 1, to - from);
    };
  if (kind === "double") {
    const float = new Float32Array(1);
    const its = new Uint8Array(float.buffer);
    return (bytes, end, i) => {
      float[0] = Number(numbers[i]);
      return copied(bytes, end, its, 0, 4);
    };
  }
  const words = wordsOf(values);
  if (words) return (bytes, end, i) => varint(bytes, end, words[2 * i]!, words[2 * i + 1]!);
  return (bytes, end, i) => {
    const value = numbers[i] as number;
    return varint(bytes, end, value >>> 0, value < 0 ? 0xffffffff : 0);
  };
}

/** Integers of 64 bits as pairs of words, the lower first: a BigInt each would take as long as all the rest. */
const wordsOf = ({ numbers, length }: Values): Uint32Array | undefined =>
  numbers instanceof BigInt64Array || numbers instanceof BigUint64Array
    ? new Uint32Array(numbers.buffer, numbers.byteOffset, 2 * length)
    : undefined;

/** Above so many bytes a call of `set` is worth its time. */
const SHORT = 200;

function copied(bytes: Uint8Array, end: number, from: Uint8Array, start: number, stop: number): number {
  const at = end - (stop - start);
  if (stop - start > SHORT) bytes.set(from.subarray(start, stop), at);
  else for (let i = start, to = at; i < stop; i++, to++) bytes[to] = from[i]!;
  return at;
}

/** Field number and length of a message or text, whose bytes follow. */
function tagged(bytes: Uint8Array, end: number, field: number, length: number): number {
  const at = varint(bytes, end, length, 0) - 1;
  bytes[at] = (field << 3) | 2;
  return at;
}

/** @param low, high the words of an integer of 64 bits */
function varint(bytes: Uint8Array, end: number, low: number, high: number): number {
  if (low < 128 && high === 0) {
    bytes[end - 1] = low;
    return end - 1;
  }
  const at = end - Math.ceil((high === 0 ? 32 - Math.clz32(low) : 64 - Math.clz32(high)) / 7);
  for (let to = at; to < end; to++) {
    bytes[to] = (low & 127) | (to + 1 < end ? 128 : 0);
    low = (low >>> 7) | (high << 25);
    high >>>= 7;
  }
  return at;
}
