import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../engine/ops/errors.ts";
import type { Store } from "./client.ts";
import { splitStatements } from "./sqlTokens.ts";

export interface MigrateOptions {
  /** Number of the last migration to apply; default all. */
  readonly to?: number;
  /** Where `NNNN_name.sql` lie; default those of this version. */
  readonly folder?: string;
}

export interface Migrated {
  /** Names of the migrations applied now, in order. */
  readonly applied: string[];
  /** How many were applied before. */
  readonly already: number;
}

export interface Migration {
  readonly number: number;
  /** `0001_transactions` */
  readonly name: string;
  readonly sql: string;
  /** hex */
  readonly sha256: string;
}

export interface Applied {
  readonly number: number;
  readonly name: string;
  readonly sha256: string;
}

const FOLDER = fileURLToPath(new URL("migrations", import.meta.url));

/** Replacing: two processes that migrate at once record the same row twice. */
const RECORD_TABLE = `CREATE TABLE IF NOT EXISTS weir_migrations
(
    number     UInt32                COMMENT 'of the file',
    name       String                COMMENT 'file name without .sql',
    sha256     FixedString(64)       COMMENT 'of the file''s bytes, hex',
    applied_at DateTime64(3, 'UTC')  COMMENT 'when its last statement had run'
)
ENGINE = ReplacingMergeTree
ORDER BY (number, name, sha256)
COMMENT 'Which migrations this database has'`;

/**
 * Brings a store's tables to this version: makes the database, then applies `NNNN_name.sql` in order and records each with
 * its sha256. A file holds statements that end in `;`, in the database of the connection.
 *
 * ClickHouse has no transactions over DDL. A kill in the middle of a file is mended by running the whole file again, and so are
 * two processes that migrate at once: **every statement must be safe to run twice** (IF NOT EXISTS, IF EXISTS, OR REPLACE).
 *
 * @throws Error when a number is missing or taken twice, when an applied file was edited or renamed, when the store is newer
 *   than this version; StoreUnavailable or StoreRefused naming the migration and the statement that failed
 */
export async function migrate(
  store: Store,
  { to = Infinity, folder = FOLDER }: MigrateOptions = {},
): Promise<Migrated> {
  const migrations = await readMigrations(folder);
  await store.createDatabase();
  await createRecord(store);
  const before = await store.rows<Applied>("SELECT number, name, sha256 FROM weir_migrations FINAL ORDER BY number");
  for (const record of before) checkRecord(record, migrations);

  const done = new Set(before.map(({ number }) => number));
  const applied: string[] = [];
  for (const migration of migrations) {
    if (migration.number > to || done.has(migration.number)) continue;
    await apply(store, migration);
    applied.push(migration.name);
  }
  return { applied, already: done.size };
}

/** Names of the migrations that `migrate` would apply now; changes nothing. */
export async function pendingMigrations(store: Store, { folder = FOLDER }: MigrateOptions = {}): Promise<string[]> {
  const migrations = await readMigrations(folder);
  const done = new Set((await appliedMigrations(store)).map(({ name }) => name));
  return migrations.map(({ name }) => name).filter((name) => !done.has(name));
}

/** `NNNN_name.sql` of a folder, in order. @throws Error when a number is missing or taken twice */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".sql")).sort();
  return Promise.all(
    files.map(async (file, index) => {
      const number = Number(/^(\d{4})_\w+\.sql$/.exec(file)?.[1]);
      if (Number.isNaN(number))
        throw new Error(`Cannot read migration "${file}": its name has no number, expected NNNN_name.sql`);
      if (number !== index + 1)
        throw new Error(
          `Cannot read migration "${file}": number ${number} comes at place ${index + 1}, expected numbers from 0001 without a gap or a repeat`,
        );
      const bytes = await readFile(join(folder, file));
      return {
        number,
        name: file.replace(/\.sql$/, ""),
        sql: bytes.toString("utf8"),
        sha256: createHash("sha256").update(bytes).digest("hex"),
      };
    }),
  );
}

/** Stands among the migrations while a restore is under way: no engine, of whatever version, goes on with half of a store. */
export const RESTORE_UNFINISHED: Applied = { number: 0, name: "restore_unfinished", sha256: "0".repeat(64) };

/** @throws Error when a file that was applied is not what it was, or is not there */
export function checkRecord({ number, name, sha256 }: Applied, migrations: readonly Migration[]): void {
  if (number === RESTORE_UNFINISHED.number)
    throw new UserError(
      "Cannot use the store: a backup is being restored into it, or that was interrupted, expected a whole one",
      {
        next: "Wait for `weir restore`, or run it again",
      },
    );
  const file = migrations[number - 1];
  if (file === undefined)
    throw new Error(
      `Cannot migrate: the store has "${name}", expected at most number ${migrations.length}. Its tables are newer than this version: use the version that made them`,
    );
  if (file.name !== name || file.sha256 !== sha256)
    throw new Error(
      `Cannot migrate: "${name}" was applied with sha256 ${sha256.slice(0, 12)}…, but "${file.name}" now has ${file.sha256.slice(0, 12)}…, expected an applied file to stay as it is. Restore it, and put the change into a new file`,
    );
}

async function apply(store: Store, { number, name, sql, sha256 }: Migration): Promise<void> {
  const statements = splitStatements(sql);
  for (const [index, statement] of statements.entries()) {
    try {
      await store.command(statement);
    } catch (error) {
      // The class says whether to try again, so the error stays what it is.
      if (error instanceof Error)
        error.message = `Cannot apply migration "${name}", statement ${index + 1} of ${statements.length}: ${error.message}`;
      throw error;
    }
  }
  await recordMigrations(store, [{ number, name, sha256 }]);
}

/** Notes that these were applied, in the table that `createRecord` makes. */
export async function recordMigrations(store: Store, applied: readonly Applied[]): Promise<void> {
  await store.command(
    `INSERT INTO weir_migrations
     SELECT number, name, sha256, now64(3, 'UTC')
     FROM (SELECT arrayJoin(arrayZip({numbers:Array(UInt32)}, {names:Array(String)}, {sums:Array(String)})) AS each, each.1 AS number, each.2 AS name, each.3 AS sha256)`,
    {
      numbers: applied.map(({ number }) => number),
      names: applied.map(({ name }) => name),
      sums: applied.map(({ sha256 }) => sha256),
    },
  );
}

/** Makes the table in which migrations are noted, unless it is there. */
export const createRecord = (store: Store): Promise<void> => store.command(RECORD_TABLE);

/** Which migrations the store has; none where there is no table of them. */
export async function appliedMigrations(store: Store): Promise<Applied[]> {
  const [table] = await store.rows<{ n: string }>(
    "SELECT count() AS n FROM system.tables WHERE database = {database:String} AND name = 'weir_migrations'",
    { database: store.database },
  );
  return table!.n === "0"
    ? []
    : store.rows<Applied>("SELECT number, name, sha256 FROM weir_migrations FINAL ORDER BY number");
}

/** The migrations of this version. */
export const storeMigrations = (folder = FOLDER): Promise<Migration[]> => readMigrations(folder);
