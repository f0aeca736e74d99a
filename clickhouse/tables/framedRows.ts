/**
 * A few rows of `transactions` as the frames they come from. Live transactions come in batches of a dozen, and to make fifty columns of twelve rows
 * takes the worker 43 µs, to pass their frames on 10. Columns are made in the main thread, of all rows of the range, when they are stored: 18 µs a
 * dozen, no more than joining blocks of columns takes it.
 *
 *     for each row 6 × f64: offset, time, event, index, risk, first byte of its frame │ frames
 */
import { setImmediate as turn } from "node:timers/promises";
import { OFFSET } from "../../engine/frame/schema.ts";
import { freeBuffers } from "../../engine/ops/freeBuffer.ts";
import { mergeBlocks } from "../mergeBlocks.ts";
import type { Block } from "../native.ts";
import type { TransactionRows } from "./frameColumns.ts";
import { encodeTransactions, moreMarks, TILE, type TransactionMarks, withMarks } from "./transactions.ts";

export interface FramedRows {
  readonly source: string;
  readonly partition: number;
  readonly rows: number;
  readonly bytes: Uint8Array;
  /** Without it none of them has any. */
  readonly marks?: TransactionMarks;
}

/** Rows on their way to the store: columns, or yet to become some. */
export type StoredRows = Block | FramedRows;

const isFramed = (rows: StoredRows): rows is FramedRows => "partition" in rows;

/** Of a row, before the frames. */
const NUMBERS = 6;
const framesOf = ({ rows, bytes }: FramedRows): Uint8Array => bytes.subarray(rows * NUMBERS * 8);

/** At most. Sixty rows are 45 µs less for the worker, and already 20 more for the main thread than joining their columns. */
const FEW_ROWS = 64;
const FEW_BYTES = 64 << 10;

/** Rows of a batch's transactions: its frames if these are few, else columns. */
export function transactionRows(rows: TransactionRows): StoredRows[] {
  if (rows.count === 0) return [];
  if (rows.count > FEW_ROWS) return encodeTransactions(rows);
  const last = rows.frames[rows.count - 1]!;
  const start = rows.frames[0]!;
  const end = last + rows.words[(last + OFFSET.size) >> 2]!;
  return end - start > FEW_BYTES ? encodeTransactions(rows) : [frame(rows, start, end)];
}

function frame(rows: TransactionRows, start: number, end: number): FramedRows {
  const { source, partition, count, tags, scores } = rows;
  const numbers = new Float64Array(count * NUMBERS + (end - start) / 8);
  for (let i = 0, at = 0; i < count; i++, at += NUMBERS) {
    numbers[at] = rows.offsets[i]!;
    numbers[at + 1] = rows.times[i]!;
    numbers[at + 2] = rows.events[i]!;
    numbers[at + 3] = rows.indexes[i]!;
    numbers[at + 4] = rows.risks[i]!;
    numbers[at + 5] = rows.frames[i]! - start;
  }
  const bytes = new Uint8Array(numbers.buffer);
  bytes.set(rows.bytes.subarray(start, end), count * NUMBERS * 8);
  return { source, partition, rows: count, bytes, ...(tags.size + scores.size > 0 && { marks: { tags, scores } }) };
}

/** A batch's rows with more tags and scores than they had. */
export function marked(rows: readonly StoredRows[], had: TransactionMarks, more: TransactionMarks): StoredRows[] {
  const [first] = rows;
  if (first && isFramed(first)) return [{ ...first, marks: moreMarks(had, more) }];
  return withMarks(rows as readonly Block[], had, more);
}

/** A table's rows for the store. */
export interface JoinedRows {
  /** One block, in pieces. */
  readonly bodies: readonly Uint8Array[];
  /** Gives back the memory of what was made here, once the store has it. */
  free(): void;
}

/** A table's rows, at least one, as the one block that encoding all of them at once would have given. It lies in theirs in part. */
export async function joinRows(rows: readonly StoredRows[]): Promise<JoinedRows> {
  const blocks = await inColumns(rows);
  const bodies = await mergeBlocks(blocks);
  return {
    bodies,
    free() {
      const given = new Set(rows.map(({ bytes }) => bytes.buffer));
      const made = [...bodies, ...blocks.map(({ bytes }) => bytes)].map(({ buffer }) => buffer);
      freeBuffers(made.filter((buffer) => !given.has(buffer)));
    },
  };
}

/** Columns of all rows, in their order. The event loop goes on after each few hundred that are made, 0.3 to 1 ms of work. */
async function inColumns(rows: readonly StoredRows[]): Promise<Block[]> {
  const blocks: Block[] = [];
  for (let i = 0; i < rows.length; ) {
    const next = rows[i]!;
    if (!isFramed(next)) {
      blocks.push(next);
      i++;
      continue;
    }
    const together: FramedRows[] = [];
    for (let count = 0; i < rows.length; i++) {
      const each = rows[i]!;
      if (!isFramed(each) || each.partition !== next.partition || each.source !== next.source) break;
      if ((count += each.rows) > TILE) break;
      together.push(each);
    }
    blocks.push(...encodeTransactions(join(together)));
    await turn();
  }
  return blocks;
}

/** Rows of one source and partition, as one batch. */
function join(all: readonly FramedRows[]): TransactionRows {
  const { source, partition } = all[0]!;
  const count = all.reduce((sum, { rows }) => sum + rows, 0);
  const bytes = new Uint8Array(all.reduce((sum, each) => sum + framesOf(each).length, 0));
  const joined = {
    ...{ offsets: new Float64Array(count), times: new Float64Array(count), events: new Float64Array(count) },
    ...{ indexes: new Uint32Array(count), risks: new Uint32Array(count), frames: new Uint32Array(count) },
    ...{ tags: new Map<number, readonly string[]>(), scores: new Map<number, number>() },
  };
  let first = 0;
  let end = 0;
  for (const each of all) {
    const { rows, marks } = each;
    const numbers = new Float64Array(each.bytes.buffer, 0, rows * NUMBERS);
    for (let i = first, at = 0; i < first + rows; i++, at += NUMBERS) {
      joined.offsets[i] = numbers[at]!;
      joined.times[i] = numbers[at + 1]!;
      joined.events[i] = numbers[at + 2]!;
      joined.indexes[i] = numbers[at + 3]!;
      joined.risks[i] = numbers[at + 4]!;
      joined.frames[i] = end + numbers[at + 5]!;
    }
    for (const [number, tags] of marks?.tags ?? []) joined.tags.set(first + number, tags);
    for (const [number, score] of marks?.scores ?? []) joined.scores.set(first + number, score);
    const frames = framesOf(each);
    bytes.set(frames, end);
    first += rows;
    end += frames.length;
  }
  return { source, partition, count, bytes, words: new Uint32Array(bytes.buffer), ...joined };
}
