/** Columns of transactions out of their frames: fields of the header, and what follows it. */
import { FIELD_WIDTH, FIELDS, type FieldName, LOG, OFFSET, type Optional, PRESENT } from "../../engine/frame/schema.ts";
import {
  type Block,
  type BlockWriter,
  createBlockWriter,
  PART,
  partIs,
  raw,
  reserve,
  startBlock,
  startColumn,
  startPart,
  takeBlock,
  u64,
} from "../native.ts";
import { fill, repeat, sized, values, wholes } from "./columns.ts";

/** Rows that are made from frames, and where the transaction of each stood. */
export interface FrameRows {
  readonly source: string;
  readonly partition: number;
  readonly count: number;
  /** Frames back to back, and the same bytes as words. */
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  /** Byte offset of each row's frame. */
  readonly frames: Uint32Array;
  /** Offset and index within the record, of each row's transaction. */
  readonly offsets: Float64Array;
  readonly indexes: Uint32Array;
  /** event_time of each row's transaction in µs. */
  readonly events: Float64Array;
}

/** A batch of frames: what rows of `transactions` are made from. */
export interface TransactionRows extends FrameRows {
  /** Broker's time in ms of each transaction. */
  readonly times: Float64Array;
  /** Risk of each transaction, as a mask of factors. */
  readonly risks: Uint32Array;
  /** Tags by transaction number; most have none. */
  readonly tags: ReadonlyMap<number, readonly string[]>;
  readonly scores: ReadonlyMap<number, number>;
}

/** Some of the rows, from the one with this number on; tags and scores are those of all. What none of them has, or each, is known beforehand. */
export interface Tile extends TransactionRows, Presence {
  readonly first: number;
}

export interface Presence {
  /** Bits of `present` that some row has, and those that all have. */
  readonly some: number;
  readonly all: number;
  /** Whether some row has any. */
  readonly someLogs: boolean;
  readonly someAccesses: boolean;
}

/** Of these frames. */
export function presence({ count, frames, words }: FrameRows): Presence {
  let some = 0;
  let all = -1;
  let [logs, accesses] = [0, 0];
  for (let i = 0; i < count; i++) {
    const frame = frames[i] >> 2;
    const present = words[frame + (OFFSET.present >> 2)];
    some |= present;
    all &= present;
    logs |= words[frame + (OFFSET.logCount >> 2)];
    accesses |= words[frame + (OFFSET.accessListCount >> 2)];
  }
  return { some, all, someLogs: logs !== 0, someAccesses: accesses !== 0 };
}

export interface Column<Rows = Tile> {
  readonly name: string;
  readonly type: string;
  readonly write: (out: BlockWriter, rows: Rows) => void;
  /** Whether all rows have NULL or an empty array there. Then it is left out: of a pending transaction's 54 columns the half, and a third of its bytes. */
  readonly lacks?: (rows: Rows) => boolean;
}

const writer = createBlockWriter();

/** A Native block of those of these columns in which a row has anything. */
export function encodeColumns<Rows extends { readonly count: number }>(
  columns: readonly Column<Rows>[],
  rows: Rows,
): Block {
  const without = columns.flatMap(({ lacks }, i) => (lacks?.(rows) ? [i] : []));
  startBlock(writer, columns.length - without.length, rows.count);
  for (const [i, { name, type, write }] of columns.entries()) {
    if (without.includes(i)) continue;
    startColumn(writer, name, type);
    write(writer, rows);
  }
  return { ...takeBlock(writer), without };
}

/** Where each row's transaction stood. */
export const POSITION_COLUMNS: readonly Column<FrameRows>[] = [
  { name: "source", type: "String", write: (out, rows) => repeat(out, rows.count, rows.source) },
  {
    name: "partition",
    type: "UInt16",
    write: (out, rows) => values(out, new Uint16Array(rows.count).fill(rows.partition)),
  },
  { name: "offset", type: "UInt64", write: (out, rows) => wholes(out, rows.offsets, rows.count) },
  { name: "n", type: "UInt32", write: (out, rows) => values(out, rows.indexes.subarray(0, rows.count)) },
];

export const EVENT_TIME_COLUMN: Column<FrameRows> = {
  name: "event_time",
  type: "DateTime64(6, 'UTC')",
  write: (out, rows) => wholes(out, rows.events, rows.count),
};

/** A column that is a field of the header. With `optional` it is Nullable; absent fields are zero in the frame, as Native wants them. */
export function header(
  name: string,
  type: string,
  field: FieldName,
  optional?: Optional,
): Column<FrameRows & Presence> {
  const width = FIELD_WIDTH[FIELDS.find((f) => f.name === field)!.type];
  const offset = OFFSET[field];
  const bit = optional ? PRESENT[optional] : 0;
  const copy = width === 1 ? copyBytes : copyWords;
  return {
    name,
    type: optional ? `Nullable(${type})` : type,
    write: (out, rows) => {
      if (bit) nullMap(out, rows, bit);
      copy(out, rows, offset, width);
    },
    ...(bit && { lacks: ({ some }: Presence) => (some & bit) === 0 }),
  };
}

function nullMap(out: BlockWriter, { count, frames, words, all }: FrameRows & Presence, bit: number): void {
  partIs(out, PART.nulls);
  if (all & bit) fill(out, 0, count);
  else {
    reserve(out, count);
    const { bytes, at } = out;
    const presentWord = OFFSET.present >> 2;
    for (let i = 0; i < count; i++) bytes[at + i] = words[(frames[i] >> 2) + presentWord] & bit ? 0 : 1;
    out.at += count;
  }
  startPart(out, PART.values);
}

/** Columns start at any byte, so words are gathered in an aligned scratch and copied at once. */
let scratch = new Uint32Array(1 << 16);
let scratchBytes = new Uint8Array(scratch.buffer);

function copyWords(out: BlockWriter, { count, frames, words }: FrameRows, offset: number, width: number): void {
  const perRow = width >> 2;
  if (scratch.length < count * perRow) {
    scratch = new Uint32Array(count * perRow);
    scratchBytes = new Uint8Array(scratch.buffer);
  }
  for (let i = 0, to = 0; i < count; i++) {
    const from = (frames[i] + offset) >> 2;
    for (let j = from; j < from + perRow; j++) scratch[to++] = words[j];
  }
  raw(out, scratchBytes, 0, count * width);
}

function copyBytes(out: BlockWriter, { count, frames, bytes }: FrameRows, offset: number): void {
  reserve(out, count);
  for (let i = 0; i < count; i++) out.bytes[out.at + i] = bytes[frames[i] + offset];
  out.at += count;
}

export function input(out: BlockWriter, { count, frames, words, bytes }: TransactionRows): void {
  for (let i = 0; i < count; i++) {
    sized(out, bytes, frames[i] + headerSize(words, frames[i]), words[(frames[i] + OFFSET.inputLength) >> 2]);
  }
}

export function extra(out: BlockWriter, { count, frames, words, bytes }: TransactionRows): void {
  for (let i = 0; i < count; i++) {
    const at = frames[i] >> 2;
    const length = words[at + (OFFSET.extraLength >> 2)];
    sized(out, bytes, frames[i] + words[at + (OFFSET.size >> 2)] - ((length + 7) & ~7), length);
  }
}

/** The header's own size: the upper half of its first word. */
const headerSize = (words: Uint32Array, frame: number): number => words[frame >> 2] >>> 16;

/** A list behind the header: how many entries a frame has, and where the first begins. */
interface List {
  readonly count: number;
  start(words: Uint32Array, frame: number): number;
}

export const accesses: List = {
  count: OFFSET.accessListCount,
  start: (words, frame) => frame + headerSize(words, frame) + ((words[(frame + OFFSET.inputLength) >> 2] + 7) & ~7),
};

export const logs: List = {
  count: OFFSET.logCount,
  start: (words, frame) => accesses.start(words, frame) + words[(frame + OFFSET.accessListLength) >> 2],
};

/** Array column: the ends of each row's items, then one call an item with its byte offset. */
export function entries(
  out: BlockWriter,
  rows: TransactionRows,
  list: List,
  item: (at: number) => void,
  items: typeof PART.values | typeof PART.ends = PART.values,
): void {
  const { count, frames, words } = rows;
  partIs(out, PART.ends);
  reserve(out, count * 8);
  for (let i = 0, end = 0; i < count; i++) u64(out, (end += words[(frames[i] + list.count) >> 2]));
  startPart(out, items);
  for (let i = 0; i < count; i++) {
    const length = words[(frames[i] + list.count) >> 2];
    if (length === 0) continue;
    let at = list.start(words, frames[i]);
    for (let k = 0; k < length; k++) {
      item(at);
      at += words[at >> 2];
    }
  }
}

/** Array of arrays of 32-byte hashes: ends of the outer, ends of the inner, then the hashes. */
export function hashes(out: BlockWriter, rows: TransactionRows, list: List, countAt: number, firstAt: number): void {
  const { words, bytes } = rows;
  let end = 0;
  const inner = (at: number): void => {
    reserve(out, 8);
    u64(out, (end += words[(at + countAt) >> 2]));
  };
  entries(out, rows, list, inner, PART.ends);
  startPart(out, PART.values);
  for (let i = 0; i < rows.count; i++) {
    const items = words[(rows.frames[i] + list.count) >> 2];
    if (items === 0) continue;
    let at = list.start(words, rows.frames[i]);
    for (let k = 0; k < items; k++) {
      raw(out, bytes, at + firstAt, at + firstAt + 32 * words[(at + countAt) >> 2]);
      at += words[at >> 2];
    }
  }
}

export function logData(out: BlockWriter, { words, bytes }: TransactionRows, at: number): void {
  sized(out, bytes, at + LOG.topics + 32 * words[(at + LOG.topicCount) >> 2], words[(at + LOG.dataLength) >> 2]);
}
