/**
 * The store's part: BACKUP and RESTORE of ClickHouse, and what makes of the tables that they bring back, each as of a moment of its own, the
 * tables as of one position.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "../../clickhouse/client.ts";
import { wholeWrites } from "../../clickhouse/embedded/wholeWrites.ts";
import { quoteName, quoteText } from "../../clickhouse/quote.ts";
import { UserError } from "../ops/errors.ts";
import type { StoredTo } from "../sink/ledgers.ts";
import type { RangeBounds, RowsOf } from "../sink/rangeBounds.ts";
import { MINUTE, mendRollUps, ROLL_UPS } from "../sink/rollUps.ts";

export type OnProgress = (done: number, total: number) => void;

const ASK_MS = 100;
/** No report is that patient, but a count of a large store may have to be. */
const PATIENT = { max_execution_time: 0 } as const;

/** @param to `File('…')` or `S3(…)` @throws StoreRefused, StoreUnavailable, Error with what ClickHouse says */
export const backUpDatabase = (store: Store, to: string, onProgress?: OnProgress): Promise<void> =>
  runInBackground(
    store,
    `BACKUP DATABASE ${quoteName(store.database)} EXCEPT TABLES ${own(store, "weir_migrations")} TO ${to}`,
    onProgress,
  );

/**
 * Into a database without any of its tables.
 * @param database its name in the backup, which is `from`
 * @param folder that the embedded store's is in
 * @throws UserError when the disk does not take all of it
 */
export async function restoreDatabase(
  store: Store,
  { database, from, folder }: { readonly database: string; readonly from: string; readonly folder: string },
  onProgress?: OnProgress,
): Promise<void> {
  const sql = `RESTORE DATABASE ${quoteName(database)} AS ${quoteName(store.database)} FROM ${from}`;
  const work = (): Promise<void> => runInBackground(store, sql, onProgress);
  if (store.kind === "server") return work();
  await wholeWrites(store, join(folder, "clickhouse"), work).catch((error: NodeJS.ErrnoException) => {
    if (!/ENOSPC|EIO/.test(error.code ?? "") && !/NOT_ENOUGH_SPACE/.test(error.message)) throw error;
    throw new UserError(
      `Cannot restore into "${folder}": the disk does not take all of it, expected room for the rows`,
      {
        next: "Make room and run it again: it begins anew",
        cause: error,
      },
    );
  });
}

const own = (store: Store, table: string): string => `${quoteName(store.database)}.${quoteName(table)}`;

/** It may take hours, a request minutes: so it runs by itself and is asked for. */
async function runInBackground(store: Store, sql: string, onProgress?: OnProgress): Promise<void> {
  const id = randomUUID();
  await store.command(`${sql} SETTINGS id = ${quoteText(id)} ASYNC`);
  for (;;) {
    const [state] = await store.rows<{ status: string; error: string; done: string; total: string }>(
      `SELECT toString(status) AS status, error, greatest(bytes_read, uncompressed_size) AS done, total_size AS total
       FROM system.backups WHERE id = {id:String}`,
      { id },
    );
    if (state === undefined)
      throw new Error("Cannot go on: ClickHouse was restarted meanwhile, expected it to run. Run it again");
    onProgress?.(Number(state.done), Number(state.total));
    if (state.status === "BACKUP_CREATED" || state.status === "RESTORED") return;
    if (/FAILED|CANCELLED/.test(state.status))
      throw new Error(`ClickHouse says: ${state.error.split("\n")[0]!.slice(0, 1_000)}`);
    await sleep(ASK_MS);
  }
}

/** Tables whose rows have a position. */
async function positionedTables(store: Store): Promise<string[]> {
  const rows = await store.rows<{ table: string }>(
    `SELECT table FROM system.columns
     WHERE database = currentDatabase() AND name IN ('source', 'partition', 'offset') AND default_kind NOT IN ('ALIAS')
       AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')
     GROUP BY table HAVING count() = 3 ORDER BY table`,
  );
  return rows.map(({ table }) => table);
}

/** Rows of each table below the positions; of other sources nobody knows how many they are to be. */
export async function countRows(store: Store, positions: readonly StoredTo[]): Promise<Record<string, number>> {
  const sources = [...new Set(positions.map(({ source }) => source))];
  const below = sources.map((source, i) => rowsBelow(positions, source, i));
  const where = below.map(({ sql }) => `(${sql})`).join(" OR ") || "0";
  const params = Object.assign({}, ...below.map(({ params }) => params));
  const counts: Record<string, number> = {};
  for (const table of await positionedTables(store)) {
    const [row] = await store.rows<{ n: string }>(`SELECT count() AS n FROM ${table} WHERE ${where}`, params, PATIENT);
    counts[table] = Number(row!.n);
  }
  return counts;
}

/** The positions of a source as a condition; parameters of each source have names of their own. */
function rowsBelow(positions: readonly StoredTo[], source: string, i: number): RowsOf & { readonly of: string } {
  const params: Record<string, unknown> = { [`of${i}`]: source };
  const below = rangesOf(positions, source).map(({ partition, to }, j) => {
    params[`in${i}x${j}`] = partition;
    params[`to${i}x${j}`] = to;
    return `(partition = {in${i}x${j}:UInt16} AND offset < {to${i}x${j}:UInt64})`;
  });
  const of = `source = {of${i}:String}`;
  return { of, sql: `${of} AND (${below.join(" OR ") || "0"})`, params };
}

const rangesOf = (positions: readonly StoredTo[], source: string): RangeBounds[] =>
  positions
    .filter((each) => each.source === source && each.stored > 0)
    .map(({ partition, stored }) => ({ partition, from: 0, to: stored }));

/**
 * Brings restored tables to the positions: removes what lies beyond, and makes the roll-ups by minute anew where they differ from what is left.
 * Run again it gives the same.
 * @returns how many rows went, by table
 */
export async function trimToPositions(
  store: Store,
  positions: readonly StoredTo[],
  leftOut: readonly string[],
): Promise<Record<string, number>> {
  const removed: Record<string, number> = {};
  const tables = await positionedTables(store);
  for (const source of new Set([...positions.map((each) => each.source), ...leftOut])) {
    const { of, sql, params } = rowsBelow(positions, source, 0);
    const beyond = `${of} AND NOT (${sql})`;
    for (const table of tables) {
      const [row] = await store.rows<{ n: string }>(
        `SELECT count() AS n FROM ${table} WHERE ${beyond}`,
        params,
        PATIENT,
      );
      if (row!.n === "0") continue;
      await store.command(`DELETE FROM ${table} WHERE ${beyond}`, params);
      removed[table] = (removed[table] ?? 0) + Number(row!.n);
    }
    await removeEmptyBuckets(store, source);
    const ranges = rangesOf(positions, source);
    if (ranges.length > 0) await mendRollUps(store, source, ranges);
  }
  return removed;
}

/** Buckets of which no row is left, but for minutes that retention has been at. `mendRollUps` begins with rows, and so does not see them. */
async function removeEmptyBuckets(store: Store, source: string): Promise<void> {
  for (const { table, base } of ROLL_UPS) {
    const empty = `source = {source:String}
      AND (partition, minute) NOT IN (SELECT partition, ${MINUTE} FROM ${base} WHERE source = {source:String})
      AND (partition, minute) NOT IN (SELECT partition, minute FROM cleaned_minutes WHERE source = {source:String})`;
    const [row] = await store.rows<{ n: string }>(
      `SELECT count() AS n FROM ${table} WHERE ${empty}`,
      { source },
      PATIENT,
    );
    if (row!.n !== "0") await store.command(`DELETE FROM ${table} WHERE ${empty}`, { source });
  }
}

/**
 * The newest removal of rows of rules' state: after one, rows below the positions of a moment before can be gone since. Retention is kept out by the lease of the
 * time machine, and of what else removes rows there is only what lies beyond.
 */
export async function compactions(store: Store): Promise<string> {
  const [row] = await store.rows<{ n: string }>(
    "SELECT max(toUInt64OrZero(extract(mutation_id, '[1-9][0-9]*'))) AS n FROM system.mutations WHERE database = currentDatabase() AND table = 'rule_state'",
  );
  return row!.n;
}
