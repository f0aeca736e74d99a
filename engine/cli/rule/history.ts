/**
 * Stored transactions as frames again, in the order of their positions: source by source, partition by partition, by offset.
 * Each piece is a stretch of offsets, which the store finds by its index, so that a history of any length is read in pieces.
 */

import type { ArchivePlace } from "../../../clickhouse/archive/place.ts";
import { type Params, type Store, StoreRefused } from "../../../clickhouse/client.ts";
import { STORED_COLUMNS, type StoredRow } from "../../../clickhouse/frameOfRow.ts";
import { UserError } from "../../ops/errors.ts";
import { splitLines } from "../../source/recording.ts";
import type { Decoded } from "../../worker/decode.ts";
import { createStoredBatches } from "../../worker/storedBatch.ts";
import { archivedSpan, archivedStretches } from "./archivedHistory.ts";
import { IN_PERIOD, type Period, type Stretch } from "./stretch.ts";

/** Rows evaluated at once, as many as records in a batch of the engine. */
const BATCH_ROWS = 4_096;
/** Of a block that has more, or is not whole, rules do not see all together. */
const MAX_BATCH_ROWS = 16_384;
/** Rows that a piece has on average: below the store's time limit of a read by far. */
const PIECE_ROWS = 20_000;

export interface History {
  readonly transactions: number;
  /** Source by source, partition by partition, in the order of their offsets. */
  rows(): AsyncGenerator<HistoryRow>;
  /** The same as batches; what is yielded is valid until the next one is asked for. */
  batches(): AsyncGenerator<Decoded>;
}

export interface HistoryRow {
  readonly source: string;
  readonly partition: number;
  readonly row: StoredRow;
}

/**
 * Of the store, and of the archive what the store does not have any more.
 * @throws UserError when nothing was ever stored, StoreUnavailable
 */
export async function openHistory(store: Store, period: Period, archive?: ArchivePlace): Promise<History> {
  const archived = archive ? await archivedStretches(store, archive, period) : [];
  const stored = await storedStretches(store, period);
  const stretches = [...archived, ...stored.flatMap((each) => without(each, archived))].sort(
    (a, b) => compare(a.source, b.source) || a.partition - b.partition || a.first - b.first,
  );
  async function* rows(): AsyncGenerator<HistoryRow> {
    for (const stretch of stretches) yield* rowsOfStretch(stretch, period);
  }
  return {
    transactions: stretches.reduce((sum, { rows }) => sum + rows, 0),
    rows,
    batches: () => inBatches(rows()),
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

async function storedStretches(store: Store, { from, to }: Period): Promise<Stretch[]> {
  const rows = await ask<{ source: string; partition: number; first: string; last: string; rows: string }>(
    store,
    `SELECT t.source AS source, t.partition AS partition, toString(min(t.offset)) AS first, toString(max(t.offset)) AS last,
       toString(count()) AS rows
     FROM transactions AS t WHERE ${IN_PERIOD} GROUP BY source, partition`,
    { from: String(from), to: String(to) },
  );
  return rows.map(({ source, partition, first, last, rows }) => ({
    ...{ source, partition, table: "transactions", reads: store },
    ...{ first: Number(first), end: Number(last) + 1, rows: Number(rows) },
  }));
}

/** A stretch without those that are read elsewhere. How its rows are spread over what is left is taken for even. */
function without(stretch: Stretch, others: readonly Stretch[]): Stretch[] {
  let left = [stretch];
  for (const other of others.filter(
    ({ source, partition }) => source === stretch.source && partition === stretch.partition,
  ))
    left = left.flatMap((part) =>
      [
        { ...part, end: Math.min(part.end, other.first) },
        { ...part, first: Math.max(part.first, other.end) },
      ].filter(({ first, end }) => first < end),
    );
  const offsets = stretch.end - stretch.first;
  return left.map((part) => ({ ...part, rows: Math.round((stretch.rows * (part.end - part.first)) / offsets) }));
}

async function* rowsOfStretch(
  { source, partition, first, end, rows, table, reads }: Stretch,
  { from, to }: Period,
): AsyncGenerator<HistoryRow> {
  const step = Math.ceil((end - first) / Math.ceil(Math.max(1, rows) / PIECE_ROWS));
  for (let low = first; low < end; low += step) {
    const piece = await reads.stream(
      `SELECT ${STORED_COLUMNS}
       FROM ${table} AS t
       WHERE t.source = {source:String} AND t.partition = {partition:UInt16} AND t.offset >= {low:UInt64} AND t.offset < {high:UInt64}
         AND ${IN_PERIOD}
       ORDER BY t.offset, t.n`,
      { from: String(from), to: String(to), source, partition, low, high: Math.min(low + step, end) },
    );
    for await (const line of splitLines(piece))
      yield { source, partition, row: JSON.parse(line.toString()) as StoredRow };
  }
}

/** Batches end with their partition, and where no block is open, if that comes soon enough. */
async function* inBatches(rows: AsyncGenerator<HistoryRow>): AsyncGenerator<Decoded> {
  let batch: StoredRow[] = [];
  let open = createOpenBlocks();
  let at: Pick<HistoryRow, "source" | "partition"> | undefined;
  for await (const { source, partition, row } of rows) {
    if (at && batch.length > 0 && (at.source !== source || at.partition !== partition)) {
      yield decodedOf(at.source, at.partition, batch);
      batch = [];
      open = createOpenBlocks();
    }
    at = { source, partition };
    batch.push(row);
    const isOpen = open(row);
    if (batch.length < BATCH_ROWS || (isOpen && batch.length < MAX_BATCH_ROWS)) continue;
    yield decodedOf(source, partition, batch);
    batch = [];
    if (isOpen) open = createOpenBlocks();
  }
  if (at && batch.length > 0) yield decodedOf(at.source, at.partition, batch);
}

/** Told of each row: whether there is a block of which transactions are still to come, so that no batch is to end here. */
function createOpenBlocks(): (row: StoredRow) => boolean {
  const missing = new Map<string, number>();
  return ({ block_hash: hash, block_transaction_count: count }) => {
    if (hash !== null && count !== null) {
      const left = (missing.get(hash) ?? Number(count)) - 1;
      if (left > 0) missing.set(hash, left);
      else missing.delete(hash);
    }
    return missing.size > 0;
  };
}

const decodedOf = createStoredBatches();

/** From and to as the command line has them. @throws UserError when nothing was ever stored */
export async function periodOf(
  store: Store,
  { from, to }: { from?: TimePoint; to?: TimePoint },
  archive?: ArchivePlace,
): Promise<Period> {
  const [stored] = await ask<{ rows: string; first: string; last: string }>(
    store,
    `SELECT toString(count()) AS rows, toString(toUnixTimestamp64Micro(min(event_time))) AS first,
       toString(toUnixTimestamp64Micro(max(event_time))) AS last FROM transactions`,
  );
  const spans = stored!.rows === "0" ? [] : [{ first: Number(stored!.first), last: Number(stored!.last) }];
  const archived = archive && (await archivedSpan(archive));
  if (archived) spans.push(archived);
  if (spans.length === 0) throw nothingStored();
  const newest = Math.max(...spans.map(({ last }) => last)) + 1;
  const oldest = Math.min(...spans.map(({ first }) => first));
  const end = to === undefined ? newest : "at" in to ? to.at : newest - to.before;
  const start = from === undefined ? oldest : "at" in from ? from.at : end - from.before;
  return { from: Math.min(start, end), to: end };
}

/** A moment, or how long before the end; µs. */
export type TimePoint = { readonly at: number } | { readonly before: number };

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** `2024-06-01`, `2024-06-01T12:00:00Z`, or `-24h`: so long before the newest stored transaction. undefined when it is neither. */
export function parseTime(text: string): TimePoint | undefined {
  const ago = /^-(\d{1,9})([smhdw])$/.exec(text);
  if (ago) return { before: Number(ago[1]) * UNITS[ago[2]!]! * 1e6 };
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)) return undefined;
  const at = Date.parse(text);
  const micros = Number(/\.\d{3}(\d{1,3})/.exec(text)?.[1]?.padEnd(3, "0") ?? 0); // what a Date drops
  return Number.isNaN(at) ? undefined : { at: at * 1_000 + micros };
}

/** Rows of a question about all that is stored. */
async function ask<T>(store: Store, sql: string, params: Params = {}): Promise<T[]> {
  try {
    return await store.rows<T>(sql, params);
  } catch (error) {
    const missing = error instanceof StoreRefused && /^UNKNOWN_(TABLE|DATABASE)$/.test(error.type ?? "");
    throw missing ? nothingStored() : error;
  }
}

const nothingStored = (): UserError =>
  new UserError("Cannot go over the history: no transaction is stored, expected some", {
    next: "npx weir replay test/recordings/dex.ndjson.gz",
  });
