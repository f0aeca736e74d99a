/**
 * chDB, ClickHouse as a library, behind one function: a statement in, bytes out.
 *
 * Every statement gets a connection of its own. Opening one costs 0.2 ms, and with it gone nothing leaks into the next
 * statement: settings (a deduplication token above all), bound parameters, temporary tables. One connection runs one statement
 * at a time, several run side by side; chDB's own parameter binding is not used, since it clobbers other connections' values,
 * while `SET param_x` belongs to its connection.
 *
 * We call chDB's addon rather than its `Session`: that one puts off closing a connection until every statement of the process
 * has ended, so one long query would pile up thousands.
 */
import { mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The addon's functions that we use (chdb 3.4.0, pinned). `Connection` and `Stream` are opaque. */
interface Addon {
  CreateConnection(folder: string, args: string[]): Connection;
  CloseConnection(connection: Connection): void;
  QueryAsyncConnection(connection: Connection, sql: string, format: string): Promise<Result>;
  StreamQuery(connection: Connection, sql: string, format: string): Stream;
  /** Runs off the event loop. Nothing may touch the stream or its connection before it settles. */
  StreamFetch(stream: Stream): Promise<{ bytes: Buffer; numRows: number; done: boolean }>;
  StreamCancel(stream: Stream): void;
}
type Connection = { readonly connection: unique symbol };
type Stream = { readonly stream: unique symbol };

interface Result {
  readonly bytes: Uint8Array;
  /** seconds */
  readonly elapsed: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
}

export interface Statement {
  readonly sql: string;
  /** Current database; without one it is `default`, an empty scratch in memory. */
  readonly database?: string | undefined;
  readonly settings?: Readonly<Record<string, string>>;
  /** Values of `{name:Type}` as HTTP's `param_name` carries them: escaped as in TabSeparated. */
  readonly params?: Readonly<Record<string, string>>;
  /** Format of a result whose SQL has no FORMAT. */
  readonly format?: string;
}

export interface Engine {
  /** Runs a statement to its end, with the whole result in memory. @throws Error with ClickHouse's message */
  run(statement: Statement): Promise<Result>;
  /**
   * Runs a SELECT and yields its result as it comes. The chunks are formatted one by one, so the format must be one without
   * header or footer. Leaving the loop stops the query. @throws Error with ClickHouse's message, also between chunks
   */
  stream(statement: Statement): AsyncGenerator<Uint8Array, void, void>;
  /** Ends statements whose SQL has the text in it, as soon as they notice. */
  kill(text: string): Promise<void>;
  /** Flushes and closes; statements that run must have ended. */
  close(): void;
}

/**
 * Opens chDB on a folder, which no other process may have open.
 * @param memory limit in bytes for all statements together; one statement gets half of it
 * @throws Error if the folder is locked or unreadable: chDB prints the reason to stderr
 */
export async function openEngine({ folder, memory }: { folder: string; memory: number }): Promise<Engine> {
  const addon = loadAddon();
  const args = [
    `--max_server_memory_usage=${memory}`,
    `--max_memory_usage=${Math.floor(memory / 2)}`,
    // A sort or an aggregate that outgrows a quarter goes to disk instead of failing.
    `--max_bytes_before_external_group_by=${Math.floor(memory / 4)}`,
    `--max_bytes_before_external_sort=${Math.floor(memory / 4)}`,
    // Bound parameters travel in a SET statement, escaped: twice the longest request.
    `--max_query_size=${32 << 20}`,
    `--mark_cache_size=${64 << 20}`,
    // BACKUP and RESTORE name any folder: they come from those who know our secret, and these may write files anyhow.
    "--backups.allowed_path=/",
  ];
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // What `replaceDefaultDatabase` left behind in the last run.
  rmSync(join(folder, "metadata", "default.sql"), { force: true });
  const keeper = addon.CreateConnection(folder, args);

  async function connect(statement: Statement): Promise<Connection> {
    const connection = addon.CreateConnection(folder, args);
    const preamble = preambleOf(statement);
    try {
      if (preamble !== "") await addon.QueryAsyncConnection(connection, preamble, "Null");
    } catch (error) {
      addon.CloseConnection(connection);
      throw error;
    }
    return connection;
  }

  await replaceDefaultDatabase(addon, keeper);

  async function run(statement: Statement): Promise<Result> {
    const connection = await connect(statement);
    try {
      return await addon.QueryAsyncConnection(connection, statement.sql, statement.format ?? "TabSeparated");
    } finally {
      addon.CloseConnection(connection);
    }
  }

  return {
    run,

    async *stream(statement) {
      const connection = await connect(statement);
      try {
        const stream = addon.StreamQuery(connection, statement.sql, statement.format ?? "TabSeparated");
        try {
          for (;;) {
            const chunk = await addon.StreamFetch(stream);
            if (chunk.done) return;
            yield chunk.bytes;
          }
        } finally {
          addon.StreamCancel(stream);
        }
      } finally {
        addon.CloseConnection(connection);
      }
    },

    async kill(text) {
      const sql = `KILL QUERY WHERE position(query, ${quote(text)}) > 0 AND query NOT LIKE 'KILL%' ASYNC`;
      await run({ sql, format: "Null" });
    },

    close: () => addon.CloseConnection(keeper),
  };
}

function loadAddon(): Addon {
  const require = createRequire(import.meta.url);
  const loader = join(dirname(require.resolve("chdb/package.json")), "dist", "loader.js");
  return (require(loader) as { loadNative(): Addon }).loadNative();
}

/** chDB's `default` database reads any file or URL as a table (`SELECT * FROM "/etc/passwd"`): an empty one takes its place. */
async function replaceDefaultDatabase(addon: Addon, connection: Connection): Promise<void> {
  await addon.QueryAsyncConnection(
    connection,
    "USE system; DETACH DATABASE default; CREATE DATABASE default ENGINE = Memory",
    "Null",
  );
}

function preambleOf({ database, settings = {}, params = {} }: Statement): string {
  const { readonly, ...others } = settings;
  const assignments = [
    ...Object.entries(params).map(([name, value]) => `${assignable(`param_${name}`)} = ${quote(value)}`),
    ...Object.entries(others).map(([name, value]) => `${assignable(name)} = ${quote(value)}`),
  ];
  return [
    ...(database === undefined ? [] : [`USE ${quote(database, "`")}`]),
    ...(assignments.length === 0 ? [] : [`SET ${assignments.join(", ")}`]),
    // Last: it forbids to set anything more.
    ...(readonly === undefined ? [] : [`SET readonly = ${quote(readonly)}`]),
  ].join("; ");
}

function assignable(name: string): string {
  if (/^[A-Za-z_]\w*$/.test(name)) return name;
  throw new Error(
    `Code: 36. DB::Exception: Cannot set "${name}": not a name, expected letters, digits and _. (BAD_ARGUMENTS)`,
  );
}

function quote(value: string, mark = "'"): string {
  return mark + value.replaceAll("\\", "\\\\").replaceAll(mark, `\\${mark}`) + mark;
}
