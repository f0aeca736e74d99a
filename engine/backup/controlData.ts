/**
 * Rows of the control store as JSON, which PostgreSQL makes and reads itself: `row_to_json` and `json_populate_recordset` bring every type back
 * as it was (bytes as hex, times with microseconds), and no number passes through JavaScript.
 */
import { Readable } from "node:stream";
import { createGunzip, createGzip } from "node:zlib";
import { sql } from "../control/drizzle.ts";
import { controlMigrations, migrateIn } from "../control/migrate.ts";
import type { Control, Transaction } from "../control/open.ts";
import type { Manifest } from "./manifest.ts";
import type { FileFacts } from "./place.ts";

type ControlFacts = Manifest["control"];

/** Of rows in memory at a time; a rule's module has up to 8 MiB, twice that in hex. */
const BATCH_BYTES = 8 << 20;
const MAX_ROWS = 1_000;

const quoted = (name: string) => sql.identifier(name);

/**
 * All rows of all of Weir's tables as of one moment.
 * @param write takes the content of a file
 */
export function dumpControl(
  control: Control,
  secretKeys: readonly string[],
  write: (file: string, content: AsyncIterable<Uint8Array>) => Promise<FileFacts>,
): Promise<ControlFacts> {
  return control.change(async (tx) => {
    await tx.execute(sql`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY`);
    const { rows: migrations } = await tx.execute<{ number: number; name: string; sha256: string }>(
      sql`SELECT number, name, sha256 FROM control_migrations ORDER BY number`,
    );
    const tables: ControlFacts["tables"] = [];
    for (const table of await ownTables(tx)) {
      const columns = await columnsOf(tx, table);
      const file = `control/${table}.ndjson.gz`;
      const counted = { rows: 0 };
      await write(file, readRows(tx, table, counted).pipe(createGzip()));
      tables.push({ table, columns, rows: counted.rows, file });
    }
    const { rows: identities } = await tx.execute<{ table: string; column: string; sequence: string }>(
      sql`SELECT table_name AS "table", column_name AS "column",
                 pg_get_serial_sequence(quote_ident(table_name), column_name) AS sequence
          FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES'
          ORDER BY table_name, column_name`,
    );
    const sequences: ControlFacts["sequences"] = [];
    for (const { table, column, sequence } of identities) {
      const { rows } = await tx.execute<{ last: string | null }>(
        sql`SELECT pg_sequence_last_value(${sequence}::regclass)::text AS last`,
      );
      const last = rows[0]?.last;
      if (last != null && tables.some((each) => each.table === table)) sequences.push({ table, column, last });
    }
    return { migrations, tables, sequences, secret_keys: [...secretKeys] };
  });
}

/**
 * Puts rows into the control store in place of all that Weir has there, in one transaction: tables as of the migrations of the backup, so that
 * later ones find what they expect.
 * @param read gives the content of a file
 * @throws Error when a table does not get all of its rows
 */
export async function loadControl(
  control: Control,
  { migrations, tables, sequences }: ControlFacts,
  read: (file: string) => Promise<Readable>,
): Promise<void> {
  const known = await controlMigrations();
  await control.change(async (tx) => {
    for (const table of [...(await ownTables(tx)), "control_migrations"])
      await tx.execute(sql`DROP TABLE IF EXISTS ${quoted(table)} CASCADE`);
    await migrateIn(tx, known, migrations.length);
    const own = await ownTables(tx);
    await tx.execute(sql`TRUNCATE ${sql.join(own.map(quoted), sql`, `)}`);
    await tx.execute(sql`SET CONSTRAINTS ALL DEFERRED`);
    for (const each of await inOrder(tx, tables)) await loadTable(tx, each, await read(each.file));
    for (const { table, column, last } of sequences)
      await tx.execute(
        sql`SELECT setval(pg_get_serial_sequence(quote_ident(${table}), ${column}), ${last}::bigint, true)`,
      );
    // Whoever held a lease then does not hold it now.
    if (own.includes("jobs")) await tx.execute(sql`UPDATE jobs SET holder = NULL, held_until = NULL`);
  });
}

/** Rows of people's making that are there: in a control store of which nobody has made use there are none. */
export async function countControlRows(control: Control): Promise<number> {
  return control.change(async (tx) => {
    let total = 0;
    for (const table of await ownTables(tx)) {
      if (table === "changes" || table === "jobs") continue; // a migration and the archive's schedule write these
      const { rows } = await tx.execute<{ n: string }>(sql`SELECT count(*)::text AS n FROM ${quoted(table)}`);
      total += Number(rows[0]!.n);
    }
    return total;
  });
}

/** Those that migrations of this version make, as far as they are there: a server's database may have others. */
async function ownTables(tx: Transaction): Promise<string[]> {
  const made = (await controlMigrations()).flatMap(({ sql: text }) =>
    [...text.matchAll(/^CREATE TABLE (?:IF NOT EXISTS )?(\w+)/gm)].map(([, table]) => table!),
  );
  const { rows } = await tx.execute<{ table: string }>(
    sql`SELECT table_name AS "table" FROM information_schema.tables
        WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name`,
  );
  return rows.map(({ table }) => table).filter((table) => made.includes(table));
}

async function columnsOf(tx: Transaction, table: string): Promise<string[]> {
  const { rows } = await tx.execute<{ name: string }>(
    sql`SELECT column_name AS name FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name = ${table} AND is_generated = 'NEVER' ORDER BY ordinal_position`,
  );
  return rows.map(({ name }) => name);
}

/** As lines; read through a cursor, so that memory stays flat. */
function readRows(tx: Transaction, table: string, counted: { rows: number }): Readable {
  async function* lines(): AsyncGenerator<Buffer> {
    const { rows: sizes } = await tx.execute<{ most: number | null }>(
      sql`SELECT max(octet_length(row_to_json(t)::text))::int AS most FROM ${quoted(table)} t`,
    );
    const most = sizes[0]?.most;
    if (most == null) return; // no rows
    const batch = Math.max(1, Math.min(MAX_ROWS, Math.floor(BATCH_BYTES / most)));
    await tx.execute(
      sql`DECLARE backup NO SCROLL CURSOR FOR SELECT row_to_json(t)::text AS line FROM ${quoted(table)} t`,
    );
    for (;;) {
      const { rows } = await tx.execute<{ line: string }>(sql.raw(`FETCH ${batch} FROM backup`));
      if (rows.length === 0) break;
      counted.rows += rows.length;
      yield Buffer.from(rows.map(({ line }) => `${line}\n`).join(""));
    }
    await tx.execute(sql`CLOSE backup`);
  }
  return Readable.from(lines(), { objectMode: false });
}

async function loadTable(tx: Transaction, table: ControlFacts["tables"][number], file: Readable): Promise<void> {
  const columns = sql.join(table.columns.map(quoted), sql`, `);
  let loaded = 0;
  const insert = async (lines: readonly string[]): Promise<void> => {
    const { rowCount } = await tx.execute(
      sql`INSERT INTO ${quoted(table.table)} (${columns}) OVERRIDING SYSTEM VALUE
          SELECT ${columns} FROM json_populate_recordset(NULL::${quoted(table.table)}, ${`[${lines.join(",")}]`}::json)`,
    );
    loaded += rowCount ?? 0;
  };
  let batch: string[] = [];
  let bytes = 0;
  for await (const line of linesOf(file.pipe(createGunzip()))) {
    if (batch.length > 0 && (bytes + line.length > BATCH_BYTES || batch.length === MAX_ROWS)) {
      await insert(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(line);
    bytes += line.length;
  }
  if (batch.length > 0) await insert(batch);
  if (loaded !== table.rows)
    throw new Error(
      `Cannot restore "${table.table}": ${loaded} rows of the control store came in, expected ${table.rows}`,
    );
}

/** Lines of any length; a line may have the separators in it that `node:readline` would cut at. */
async function* linesOf(file: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let held: Buffer[] = [];
  for await (const chunk of file) {
    let from = 0;
    for (let to = chunk.indexOf(10); to !== -1; to = chunk.indexOf(10, from)) {
      held.push(chunk.subarray(from, to));
      yield Buffer.concat(held).toString("utf8");
      held = [];
      from = to + 1;
    }
    held.push(chunk.subarray(from));
  }
}

/** A table comes behind those that its rows refer to. Where two refer to each other, one of the constraints can wait (DEFERRABLE). */
async function inOrder(tx: Transaction, tables: ControlFacts["tables"]): Promise<ControlFacts["tables"]> {
  const { rows } = await tx.execute<{ from: string; to: string }>(
    sql`SELECT c.relname AS "from", r.relname AS "to" FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid
        WHERE k.contype = 'f' AND NOT k.condeferrable AND k.conrelid <> k.confrelid AND c.relnamespace = current_schema()::regnamespace`,
  );
  const ordered: ControlFacts["tables"] = [];
  let left = tables;
  while (left.length > 0) {
    const ready = left.filter(
      ({ table }) => !rows.some(({ from, to }) => from === table && left.some((other) => other.table === to)),
    );
    if (ready.length === 0)
      throw new Error(`Cannot order the tables ${left.map(({ table }) => table).join(", ")}: each refers to another`);
    ordered.push(...ready);
    left = left.filter((each) => !ready.includes(each));
  }
  return ordered;
}
