import { fileURLToPath } from "node:url";
import {
  checkRecord,
  type Migrated,
  type MigrateOptions,
  type Migration,
  readMigrations,
} from "../../clickhouse/migrate.ts";
import { sql } from "./drizzle.ts";
import type { Control, Transaction } from "./open.ts";

const FOLDER = fileURLToPath(new URL("migrations", import.meta.url));

const RECORD_TABLE = `CREATE TABLE IF NOT EXISTS control_migrations
(
    number     integer     PRIMARY KEY,
    name       text        NOT NULL,
    sha256     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)`;

/** "weir": any number that nobody else in this database locks. */
const LOCK = 0x77656972;

/** The migrations of this version. */
export const controlMigrations = (folder = FOLDER): Promise<Migration[]> => readMigrations(folder);

/**
 * Brings the control store's tables to this version: applies `NNNN_name.sql` in order, each recorded with its sha256. All of it is one
 * transaction under a lock, so that of several engines that start at once one does it, and none finds half of it.
 * @param to number of the last one to apply; default: all
 * @throws Error when a file was edited after it was applied, or the store is newer than this version; ControlUnavailable
 */
export async function migrateControl(
  control: Control,
  { folder = FOLDER, to = Infinity }: MigrateOptions = {},
): Promise<Migrated> {
  const migrations = await readMigrations(folder);
  return control.change((tx) => migrateIn(tx, migrations, to));
}

/** The same within a transaction. */
export async function migrateIn(tx: Transaction, migrations: readonly Migration[], to = Infinity): Promise<Migrated> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(${LOCK}::bigint)`);
  await tx.execute(sql.raw(RECORD_TABLE));
  const { rows } = await tx.execute<{ number: number; name: string; sha256: string }>(
    sql`SELECT number, name, sha256 FROM control_migrations ORDER BY number`,
  );
  for (const record of rows) checkRecord(record, migrations);
  const done = new Set(rows.map(({ number }) => number));
  const missing = migrations.filter(({ number }) => number <= to && !done.has(number));
  for (const { number, name, sha256, sql: text } of missing) {
    try {
      await tx.execute(sql.raw(text));
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      if (cause instanceof Error) cause.message = `Cannot apply migration "${name}": ${cause.message}`;
      throw error;
    }
    await tx.execute(sql`INSERT INTO control_migrations (number, name, sha256) VALUES (${number}, ${name}, ${sha256})`);
  }
  return { applied: missing.map(({ name }) => name), already: rows.length };
}
