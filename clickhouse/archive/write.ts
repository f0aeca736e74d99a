/**
 * Archives what is stored and never changes again: of each partition of a source the rows from where the archive ends up to `stored` of the
 * ledger. Positions, not times, say what belongs to a segment. Times come from strangers: a record of last year may come in today, and gets the next
 * offset as any other.
 *
 *     offsets   │ segment │ segment │ segment │ not archived yet     │ not stored yet
 *               0                             └ archivedTo           └ stored
 */
import type { Failpoint } from "../../engine/ops/failpoint.ts";
import type { StoredTo } from "../../engine/sink/ledgers.ts";
import { type RangeBounds, rowsOf } from "../../engine/sink/rangeBounds.ts";
import type { Store } from "../client.ts";
import { readColumns, type TableColumns } from "./columns.ts";
import { archivedTo, effective, type Manifest, newId } from "./manifest.ts";
import type { ArchivePlace } from "./place.ts";
import { type Encoding, writeSegmentFile } from "./segmentFile.ts";

export interface ArchiveOptions {
  readonly store: Store;
  readonly place: ArchivePlace;
  readonly encoding: Encoding;
  /** From the ledgers. */
  readonly positions: readonly StoredTo[];
  readonly now: () => Date;
  readonly signal?: AbortSignal;
  /** Transactions. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Transactions of a segment, about. */
  readonly segmentRows?: number;
  readonly failpoint?: Failpoint;
}

/** 1 to 2 GB of transactions, some 200 MB of a file: the store sorts it in memory. */
const SEGMENT_ROWS = 500_000;

/**
 * Writes all segments there are to write. To be run by one process at a time. What a kill leaves behind is removed by the next run, which
 * writes it anew.
 * @returns the new segments
 * @throws StoreUnavailable, StoreRefused; Error when what was written cannot be read back
 */
export async function writeArchive(options: ArchiveOptions): Promise<Manifest[]> {
  const { store, place, positions, signal, onProgress, segmentRows = SEGMENT_ROWS } = options;
  await place.sweep();
  const columns = await readColumns(store);
  const known = effective(await place.manifests());
  const planned: Plan[] = [];
  for (const source of new Set(positions.map(({ source }) => source)))
    planned.push(...(await plan(store, source, positions, known, segmentRows)));
  const total = planned.reduce((sum, { rows }) => sum + rows, 0);
  let done = 0;
  const written: Manifest[] = [];
  for (const { source, ranges, rows } of planned) {
    if (signal?.aborted) break;
    onProgress?.(done, total);
    const manifest = await writeSegment(options, columns, source, ranges);
    if (manifest) written.push(manifest);
    onProgress?.((done += rows), total);
  }
  return written;
}

interface Plan {
  readonly source: string;
  readonly ranges: readonly RangeBounds[];
  /** Transactions. */
  readonly rows: number;
}

/** All partitions of a source together while they are few; else partition by partition, cut after so many transactions. */
async function plan(
  store: Store,
  source: string,
  positions: readonly StoredTo[],
  known: readonly Manifest[],
  most: number,
): Promise<Plan[]> {
  const ends = archivedTo(known, source);
  const ranges = positions
    .filter((position) => position.source === source)
    .map(({ partition, stored }) => ({ partition, from: ends.get(partition) ?? 0, to: stored }))
    .filter(({ from, to }) => to > from);
  if (ranges.length === 0) return [];
  const counts = await countByPartition(store, source, ranges);
  const rowsIn = ({ partition }: RangeBounds): number => counts.get(partition) ?? 0;
  const total = ranges.reduce((sum, range) => sum + rowsIn(range), 0);
  if (total <= most) return [{ source, ranges, rows: total }];
  const plans: Plan[] = [];
  for (const range of ranges)
    for (let { from } = range, left = rowsIn(range); from < range.to; left -= most) {
      const to = left > most ? await offsetAfter(store, source, { ...range, from }, most) : range.to;
      plans.push({ source, ranges: [{ ...range, from, to }], rows: Math.max(0, Math.min(left, most)) });
      from = to;
    }
  return plans;
}

async function countByPartition(
  store: Store,
  source: string,
  ranges: readonly RangeBounds[],
): Promise<Map<number, number>> {
  const { sql, params } = rowsOf(source, ranges);
  const rows = await store.rows<{ partition: number; rows: string }>(
    `SELECT partition, count() AS rows FROM transactions WHERE ${sql} GROUP BY partition`,
    params,
  );
  return new Map(rows.map(({ partition, rows }) => [partition, Number(rows)]));
}

/** The end of a range's first so many transactions, behind a record. */
async function offsetAfter(store: Store, source: string, range: RangeBounds, rows: number): Promise<number> {
  const { sql, params } = rowsOf(source, [range]);
  const [next] = await store.rows<{ offset: string }>(
    `SELECT offset FROM transactions WHERE ${sql} ORDER BY offset, n LIMIT 1 OFFSET {rows:UInt64}`,
    { ...params, rows },
  );
  // A record that alone holds more than that is not cut.
  return next === undefined ? range.to : Math.max(Number(next.offset), range.from + 1);
}

type SegmentParts = Pick<ArchiveOptions, "store" | "place" | "encoding" | "now" | "failpoint">;

/**
 * One segment, of all rows in the ranges or of those for which a condition holds.
 * @param only tables to the condition on their rows, for late ones; a table that is not in it has none
 * @returns undefined when there are no rows at all
 */
export async function writeSegment(
  { store, place, encoding, now, failpoint }: SegmentParts,
  columns: ReadonlyMap<string, TableColumns>,
  source: string,
  ranges: readonly RangeBounds[],
  only?: ReadonlyMap<string, string>,
): Promise<Manifest | undefined> {
  const created = now();
  const id = newId(created);
  const { sql, params } = rowsOf(source, ranges);
  await place.begin(id);
  try {
    const tables: Manifest["tables"] = {};
    for (const [table, ofTable] of columns) {
      if (only && !only.has(table)) continue;
      const condition = { sql: only ? `${sql} AND ${only.get(table)}` : sql, params };
      const file = await writeSegmentFile(store, place, id, table, ofTable, condition, encoding);
      if (file) tables[table] = file;
      failpoint?.("segment file written");
    }
    if (Object.keys(tables).length === 0) {
      await place.remove(id);
      return undefined;
    }
    const manifest: Manifest = {
      version: 1,
      id,
      created_at: created.toISOString(),
      source,
      ranges: ranges.map(({ partition, from, to }) => ({ partition, from, to })),
      late: only !== undefined,
      format: encoding.format,
      compression: encoding.compression,
      chains: await chainsOf(store, sql, params),
      tables,
    };
    await place.publish(manifest);
    return manifest;
  } catch (error) {
    const reason = await place.explain(error);
    await place.remove(id).catch(() => {}); // what it leaves is swept by the next run; the first error says more
    throw reason;
  }
}

const MAX_CHAINS = 100;

async function chainsOf(store: Store, sql: string, params: Readonly<Record<string, unknown>>): Promise<string[]> {
  const rows = await store.rows<{ chain: string }>(
    `SELECT DISTINCT toString(chain_id) AS chain FROM transactions WHERE ${sql} ORDER BY chain_id LIMIT ${MAX_CHAINS + 1}`,
    params,
  );
  return rows.length > MAX_CHAINS ? [] : rows.map(({ chain }) => chain);
}
