/**
 * Removes from the store what is older than its table's retention. While there is an archive, a row goes only when the archive has been asked for
 * this very row and has it: rows are compared by the hash of all their columns, as they can be read from the archive's files at that moment.
 * What the archive lacks is archived first, as late rows.
 *
 * Roll-ups keep what they have counted. Views see no deletes, and `mendRollUps` leaves alone the minutes that are written down here before
 * anything goes.
 */
import type { Failpoint } from "../../engine/ops/failpoint.ts";
import type { StoredTo } from "../../engine/sink/ledgers.ts";
import { rowsOf } from "../../engine/sink/rangeBounds.ts";
import type { Params, Store } from "../client.ts";
import { REPLACED } from "../queries/list.ts";
import { microsOf, readColumns, rowHash, type TableColumns, timeOf } from "./columns.ts";
import { effective, type Manifest, overlaps, type Positions, unite } from "./manifest.ts";
import type { ArchivePlace } from "./place.ts";
import { archivedRows, type Encoding } from "./segmentFile.ts";
import { writeSegment } from "./write.ts";

export interface CleanOptions {
  readonly store: Store;
  /** undefined: nothing is archived, and old rows are just removed. */
  readonly archive: { readonly place: ArchivePlace; readonly encoding: Encoding } | undefined;
  /** From the ledgers. */
  readonly positions: readonly StoredTo[];
  /** Rows of a table before this time go; a table that is not in it keeps all. */
  readonly before: ReadonlyMap<string, Date>;
  readonly now: () => Date;
  /** Tells what would go, and removes nothing. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
  readonly failpoint?: Failpoint;
}

export interface Cleaned {
  /** Rows removed, by table; tables without any are left out. */
  readonly removed: Record<string, number>;
  /** Segments of rows that the archive had lacked. */
  readonly late: readonly Manifest[];
  /** Segments that somebody restored, and that therefore stay. */
  readonly kept: readonly string[];
}

/** To be run by one process at a time, as `writeArchive`. @throws StoreUnavailable, StoreRefused */
export async function cleanStore(options: CleanOptions): Promise<Cleaned> {
  const { store, archive, signal, onProgress } = options;
  const columns = await readColumns(store);
  const removed: Record<string, number> = {};
  const late: Manifest[] = [];
  const segments = archive ? effective(await archive.place.manifests()) : [];
  const restored = archive ? await restoredSegments(store) : new Set<string>();
  const wanted = segments.filter(({ id }) => restored.has(id));
  const parts: Positions[] = archive
    ? segments.filter((each) => !each.late && !wanted.some((other) => overlaps(other, each)))
    : bySource(options.positions);
  const checked: { part: Positions; tables: readonly string[] }[] = [];
  for (const [i, part] of parts.entries()) {
    if (signal?.aborted) break;
    onProgress?.(i, parts.length);
    const old = await countOld(options, columns, part);
    if (old.size === 0) continue;
    if (archive && !options.dryRun) {
      const missing = await archiveMissing(options, archive, columns, part, segments, [...old.keys()]);
      if (missing) late.push(missing);
    }
    for (const [table, rows] of old) removed[table] = (removed[table] ?? 0) + rows;
    checked.push({ part, tables: [...old.keys()] });
  }
  if (!options.dryRun)
    for (const [table, ofTable] of columns)
      for (const part of together(checked.filter(({ tables }) => tables.includes(table)).map(({ part }) => part)))
        await remove(options, ofTable, table, part);
  onProgress?.(parts.length, parts.length);
  return { removed, late, kept: wanted.map(({ id }) => id) };
}

const bySource = (positions: readonly StoredTo[]): Positions[] =>
  together(
    positions
      .filter(({ stored }) => stored > 0)
      .map(({ source, partition, stored }) => ({ source, ranges: [{ partition, from: 0, to: stored }] })),
  );

/** By source, with neighbouring ranges as one: a delete goes through all parts of a table, whatever it is to remove. */
const together = (parts: readonly Positions[]): Positions[] =>
  [...new Set(parts.map(({ source }) => source))].map((source) => ({
    source,
    ranges: unite(parts.filter((part) => part.source === source).flatMap(({ ranges }) => ranges)),
  }));

/**
 * Rows of a part that are older than their table's retention. A record without a time is not old. Rows of blocks that were replaced stay, the few
 * that there are: roll-ups by minute have counted them, and whoever reads those takes them off (../queries/stats.ts).
 */
function oldRows({ before }: CleanOptions, columns: TableColumns, table: string, { source, ranges }: Positions) {
  const { sql, params } = rowsOf(source, ranges);
  const micros = microsOf(columns);
  const at = before.get(table)!.getTime() * 1_000;
  const conditions = [sql, `${micros} < {before:Int64}`];
  if (timeOf(columns) === "record_time") conditions.push(`${micros} > 0`);
  if (columns.some(([name]) => name === "block_hash"))
    conditions.push(`(block_hash IS NULL OR (chain_id, assumeNotNull(block_hash)) NOT IN ${REPLACED})`);
  return {
    sql: conditions.join(" AND "),
    params: { ...params, before: String(at) } as Params,
  };
}

async function countOld(options: CleanOptions, columns: ReadonlyMap<string, TableColumns>, part: Positions) {
  const tables = [...columns].filter(([table]) => options.before.has(table));
  const old = new Map<string, number>();
  for (const [table, ofTable] of tables) {
    const { sql, params } = oldRows(options, ofTable, table, part);
    const [row] = await options.store.rows<{ rows: string }>(
      `SELECT count() AS rows FROM ${table} WHERE ${sql}`,
      params,
    );
    if (Number(row!.rows) > 0) old.set(table, Number(row!.rows));
  }
  return old;
}

/** Archives the old rows of a part that no segment has: none, unless something went wrong when it was archived. */
async function archiveMissing(
  options: CleanOptions,
  { place, encoding }: NonNullable<CleanOptions["archive"]>,
  columns: ReadonlyMap<string, TableColumns>,
  part: Positions,
  segments: readonly Manifest[],
  tables: readonly string[],
): Promise<Manifest | undefined> {
  const { store, now } = options;
  const reads = store.readingFiles(place.prefix);
  const holding = segments.filter((segment) => overlaps(segment, part));
  const missing = new Map<string, string>();
  for (const table of tables) {
    const ofTable = columns.get(table)!;
    const { sql, params } = oldRows(options, ofTable, table, part);
    const hash = rowHash(ofTable);
    const lacking = `${hash} NOT IN (SELECT ${hash} FROM ${archivedRows(place, holding, table, ofTable)})`;
    const [row] = await reads.rows<{ rows: string }>(
      `SELECT count() AS rows FROM ${table} WHERE ${sql} AND ${lacking}`,
      params,
    );
    if (Number(row!.rows) > 0) missing.set(table, lacking);
  }
  return missing.size === 0
    ? undefined
    : writeSegment({ store, place, encoding, now }, columns, part.source, part.ranges, missing);
}

/** Tables that roll-ups by minute are made of. */
const ROLLED_UP = new Set(["transactions", "alerts"]);

async function remove(options: CleanOptions, columns: TableColumns, table: string, part: Positions): Promise<void> {
  const { sql, params } = oldRows(options, columns, table, part);
  if (ROLLED_UP.has(table))
    await options.store.command(
      `INSERT INTO cleaned_minutes SELECT DISTINCT source, partition, toDateTime(toStartOfMinute(event_time), 'UTC') FROM ${table} WHERE ${sql}`,
      params,
    );
  await options.store.command(`DELETE FROM ${table} WHERE ${sql}`, params);
  options.failpoint?.("table cleaned");
}

/** Segments that were restored and not given up again. */
export async function restoredSegments(store: Store): Promise<Set<string>> {
  const rows = await store.rows<{ id: string }>("SELECT id FROM restored_segments FINAL WHERE restored = 1");
  return new Set(rows.map(({ id }) => id));
}
