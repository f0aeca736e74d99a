/**
 * Brings segments back into the store: of each table the rows that it lacks, so that a second time adds nothing.
 *
 * They come in a table of their own first, whose parts are then attached to the real one. That happens all at once, and no view sees it:
 * roll-ups have counted these rows when they first came, and deletes have not been taken off.
 */

import { UserError } from "../../engine/ops/errors.ts";
import type { Failpoint } from "../../engine/ops/failpoint.ts";
import { rowsOf } from "../../engine/sink/rangeBounds.ts";
import type { Store } from "../client.ts";
import { quoteName } from "../quote.ts";
import { readColumns, rowHash, type TableColumns } from "./columns.ts";
import { type Manifest, overlaps } from "./manifest.ts";
import type { ArchivePlace } from "./place.ts";
import { archivedRows, checkSegmentFile } from "./segmentFile.ts";

export interface RestoreOptions {
  readonly store: Store;
  readonly place: ArchivePlace;
  readonly segments: readonly Manifest[];
  readonly signal?: AbortSignal;
  /** Files. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly failpoint?: Failpoint;
}

/**
 * To be run by one process at a time, as `writeArchive`. Retention leaves what was restored alone, until it is given up.
 * @returns rows added, by table
 * @throws UserError when a file of the archive is not what its manifest says: then nothing of it is restored; what the place and the store say
 */
export async function restoreSegments(options: RestoreOptions): Promise<Record<string, number>> {
  const { store, place, segments, signal, onProgress } = options;
  const columns = await readColumns(store);
  const files = segments.flatMap((segment) => Object.keys(segment.tables).map((table) => ({ segment, table })));
  const added: Record<string, number> = {};
  for (const { segment, table } of files) {
    if (!columns.has(table))
      throw new UserError(
        `Cannot restore "${segment.id}": the store has no table "${table}", expected one that a newer version makes`,
      );
    const wrong = await checkSegmentFile(store, place, segment, segment.tables[table]!);
    if (wrong !== undefined)
      throw new UserError(`Cannot restore "${segment.id}": of its table "${table}" ${wrong}`, {
        next: "Bring back the file as it was",
      });
  }
  await mark(
    store,
    segments.map(({ id }) => id),
    true,
  ); // before the first row is back
  for (const [i, { segment, table }] of files.entries()) {
    if (signal?.aborted) break;
    onProgress?.(i, files.length);
    const rows = await restoreFile(options, segment, table, columns.get(table)!);
    if (rows > 0) added[table] = (added[table] ?? 0) + rows;
  }
  onProgress?.(files.length, files.length);
  return added;
}

/** Retention may remove the rows of these segments again. */
export const giveUp = (store: Store, segments: readonly Manifest[]): Promise<void> =>
  mark(
    store,
    segments.map(({ id }) => id),
    false,
  );

async function restoreFile(
  { store, place, failpoint }: RestoreOptions,
  segment: Manifest,
  table: string,
  columns: TableColumns,
): Promise<number> {
  const reads = store.readingFiles(place.prefix);
  const aside = quoteName(`restoring_${table}`);
  const { sql, params } = rowsOf(segment.source, segment.ranges);
  const hash = rowHash(columns);
  const names = columns.map(([name]) => quoteName(name)).join(", ");
  const lacking = `${archivedRows(place, [segment], table, columns)} WHERE ${hash} NOT IN (SELECT ${hash} FROM ${table} WHERE ${sql})`;
  const count = async (): Promise<number> => {
    const [row] = await reads.rows<{ rows: string }>(`SELECT count() AS rows FROM ${lacking}`, params);
    return Number(row!.rows);
  };
  await store.command(`DROP TABLE IF EXISTS ${aside} SYNC`); // what a kill has left
  const wanted = await count();
  if (wanted === 0) return 0;
  await store.command(`CREATE TABLE ${aside} AS ${table}`);
  await store.command(
    `INSERT INTO ${aside} (${names}) SELECT ${names} FROM ${lacking} SETTINGS insert_deduplicate = 0`,
    params,
  );
  await store.command(`ALTER TABLE ${table} ATTACH PARTITION ID 'all' FROM ${aside}`);
  failpoint?.("table restored");
  await store.command(`DROP TABLE ${aside} SYNC`);
  const left = await count();
  if (left > 0)
    throw new Error(
      `Cannot restore "${segment.id}": ${left} of ${wanted} rows of "${table}" are still not in the store`,
    );
  return wanted;
}

async function mark(store: Store, ids: readonly string[], restored: boolean): Promise<void> {
  if (ids.length === 0) return;
  await store.command(
    "INSERT INTO restored_segments SELECT arrayJoin({ids:Array(String)}), now64(3, 'UTC'), {restored:UInt8}",
    { ids, restored: restored ? 1 : 0 },
  );
}

/** Late rows of the positions of these segments belong to them. */
export const withLate = (chosen: readonly Manifest[], all: readonly Manifest[]): Manifest[] =>
  all.filter((each) => chosen.includes(each) || (each.late && chosen.some((other) => overlaps(other, each))));
