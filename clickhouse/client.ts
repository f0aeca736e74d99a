/**
 * The store, embedded or a server: @clickhouse/client over HTTP. The two differ by a URL, and in that the embedded one can be
 * handed a block as a file.
 */
import { Readable } from "node:stream";
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { type CallMeter, metered } from "../engine/ops/callMeter.ts";
import { step, traceHeaders } from "../engine/ops/tracing.ts";
import { CLUSTER_COMMAND_SETTINGS, CLUSTER_SETTINGS, clusterStatements } from "./cluster.ts";
import { sweepBlockFiles, withBlockFile } from "./embedded/blockFile.ts";
import { type EmbeddedOptions, openEmbedded } from "./embedded/open.ts";
import { readStillness, type Stillness } from "./embedded/stillness.ts";
import { quoteName, quoteText } from "./quote.ts";
import { isBrokenConnection, StoreUnavailable, storeError, wasNeverSent } from "./storeErrors.ts";

export { StoreRefused, StoreUnavailable } from "./storeErrors.ts";

export type Settings = Readonly<Record<string, string | number>>;
export type Params = Readonly<Record<string, unknown>>;

export interface StoreOptions {
  /** `http(s)://host:port` of a ClickHouse server; without it the embedded store of `folder` is opened. */
  readonly url?: string;
  readonly folder?: string;
  /** Default `default`; the embedded store has its own. */
  readonly username?: string;
  readonly password?: string;
  /** Default `weir`. It need not exist: `migrate` makes it. */
  readonly database?: string;
  /** Of servers that `url` is one of: tables are made, and changed, on all of them (cluster.ts). */
  readonly cluster?: string;
  readonly embedded?: Omit<EmbeddedOptions, "folder">;
  /** Texts of statements that must not be in a message, as the key of a bucket. */
  readonly secrets?: readonly string[];
  /** Told of each `select`, `stream` (up to its first bytes), `command` and `insert`. */
  readonly meter?: CallMeter;
}

export interface InsertBlock {
  readonly table: string;
  readonly columns: readonly string[];
  readonly format: "Native" | "RowBinary";
  /** Types of the columns as the bodies have them: with these, the embedded store takes the block as a file. */
  readonly types?: readonly string[];
  /** Sent one behind the other; Native blocks and RowBinary rows may be cut anywhere. */
  readonly bodies: readonly Uint8Array[];
  /** Rows in all bodies together. */
  readonly rows: number;
  /** `insert_deduplication_token`: a second insert with it adds nothing, in views too. Without one every insert adds. */
  readonly token?: string;
}

/** What reads and cannot write. */
export type StoreReads = Pick<Store, "rows" | "stream">;

export interface Store {
  readonly kind: "embedded" | "server";
  /** Without credentials. The embedded store's port changes when its child starts anew. */
  readonly url: string;
  readonly database: string;
  /** @throws StoreUnavailable with the reason, whatever it is */
  ping(): Promise<void>;
  version(): Promise<string>;
  /**
   * Whether any statement has written to these tables since, whoever sent it. Background work may have: merges, what is left of a mutation; and a view
   * whose source was inserted into. undefined: what may change any table is under way, or it is not known (a server). It costs the store nothing.
   */
  stillness(tables: readonly string[]): Stillness | undefined;
  /** Makes the database of the connection unless it is there. */
  createDatabase(): Promise<void>;
  /**
   * Rows of a SELECT. Values go in as bound parameters only: `{name:Type}` in the SQL. It cannot write, and ends after 60 s.
   * Integers of 64 bits and more come as decimal strings, exactly; with the setting
   * `output_format_json_quote_64bit_integers: 0` they come as numbers, which are exact up to 2^53. The embedded store gives 256 MiB at most.
   * @throws StoreUnavailable, StoreRefused
   */
  rows<T>(sql: string, params?: Params, settings?: Settings): Promise<T[]>;
  /**
   * The same reads, whose SQL may besides name files in `file()` and `s3()`: those whose path or URL begins with `prefix`, a folder or a
   * bucket with its last `/`. A server keeps its own rules about that.
   */
  readingFiles(prefix: string): StoreReads;
  /**
   * The result of a SELECT as bytes in a format of ClickHouse (default JSONEachRow, 64-bit integers as strings), as they come. The
   * stream fails when the result could not be sent whole. It ends after 60 s unless the setting `max_execution_time` says
   * otherwise (0: never). The embedded store holds JSON and a few rare formats in memory, up to 256 MiB (embedded/statement.ts).
   */
  stream(sql: string, params?: Params, format?: string, settings?: Settings): Promise<Readable>;
  /**
   * Runs a statement that gives no rows; deletes and mutations have taken effect when it resolves.
   * @param options `patient`: it may take longer than five minutes
   */
  command(sql: string, params?: Params, options?: { readonly patient?: boolean }): Promise<void>;
  /**
   * Inserts all bodies as one block, so that they arrive together or not at all and one token stands for them.
   * @throws StoreUnavailable (the block may have arrived or not), StoreRefused
   */
  insertBlock(block: InsertBlock): Promise<void>;
  /** An embedded child goes on for others, and ends when it is idle. */
  close(): Promise<void>;
}

/** A report that takes longer is a mistake; roll-ups answer in milliseconds. */
const MAX_READ_SECONDS = 60;
/** An insert or a mutation may wait for a busy disk. */
const REQUEST_TIMEOUT_MS = 300_000;

const READ_SETTINGS = {
  readonly: "1",
  max_execution_time: MAX_READ_SECONDS,
  output_format_json_quote_64bit_integers: 1,
} as const;

/**
 * Rows are of use once all are there. To stream them the embedded store parses and plans the query in its event loop, subqueries' results
 * included, and fetches twice; as a whole it is one call off the loop.
 */
const WHOLE = { wait_end_of_query: 1 } as const;

/**
 * A bucket that is away is an error after a second. ClickHouse would try for many minutes, which no limit of time ends, and each such read keeps one
 * of the embedded store's few lanes.
 */
const BUCKETS = { s3_retry_attempts: "5" } as const;

/** Of spans: each call is of somebody else's server. */
const CLIENT = { kind: "client" } as const;

/** How a request says that it may read files: a server asks for `readonly = 2`, the embedded store also for what they begin with. */
interface FileReads {
  readonly settings: { readonly readonly: "2" } & typeof BUCKETS;
  readonly headers: Record<string, string>;
}

const fileReads = (prefix: string): FileReads => ({
  settings: { readonly: "2", ...BUCKETS },
  headers: { "x-weir-files": encodeURIComponent(prefix) },
});

interface Connection {
  readonly url: string;
  /** Of the embedded store: where it takes blocks as files. */
  readonly spool: string | undefined;
  readonly secrets: readonly string[];
  /** In the store's database, and in none. */
  readonly client: ClickHouseClient;
  readonly bare: ClickHouseClient;
  /** As `client`, and waits for an answer as long as it takes. */
  readonly patient: ClickHouseClient;
  close(): Promise<void>;
}

/**
 * Opens a store. An embedded one is started if it does not run, and again by the next call if it has died.
 * @throws StoreUnavailable if the embedded store cannot start; a server is not asked before the first call
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { database = "weir", meter } = options;
  const kind = options.url === undefined ? "embedded" : "server";
  let connecting: Promise<Connection> | undefined;
  let url = "";
  let spool: string | undefined;
  let closed = false;

  /** Callers that find the connection gone share one attempt to make it again. */
  function connect(): Promise<Connection> {
    if (closed) throw new StoreUnavailable(`Cannot use the store: it is closed, expected an open one`);
    connecting ??= makeConnection(options, database).then(
      (made) => {
        ({ url, spool } = made);
        return made;
      },
      (error: unknown) => {
        connecting = undefined;
        throw error;
      },
    );
    return connecting;
  }

  async function drop(broken: Connection): Promise<void> {
    if (connecting === undefined || (await connecting.catch(() => undefined)) !== broken) return;
    connecting = undefined;
    await broken.close();
  }

  type Operation = "select" | "stream" | "command" | "insert";

  const call = <T>(
    operation: Operation,
    action: string,
    repeatable: boolean,
    work: (to: Connection) => Promise<T>,
  ): Promise<T> =>
    metered(meter, operation, () =>
      step(`store ${operation}`, { "db.system.name": "clickhouse" }, () => send(action, repeatable, work), CLIENT),
    );

  /** @param repeatable the call changes nothing, so it may be sent twice */
  async function send<T>(action: string, repeatable: boolean, work: (to: Connection) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const connection = await connect();
      try {
        return await work(connection);
      } catch (error) {
        const broken = isBrokenConnection(error);
        if (broken && kind === "embedded") await drop(connection);
        if (!broken || attempt === 2 || !(repeatable || wasNeverSent(error)))
          throw storeError(action, error, connection.secrets);
      }
    }
  }

  const read = <T>(
    client: "client" | "bare",
    query: string,
    query_params: Params,
    settings: Settings,
    files?: FileReads,
  ): Promise<T[]> =>
    call("select", "read from the store", true, async (connection) => {
      const result = await connection[client].query({
        query,
        query_params: { ...query_params },
        format: "JSONEachRow",
        clickhouse_settings: { ...READ_SETTINGS, ...WHOLE, ...settings, ...files?.settings },
        use_multipart_params_auto: true,
        http_headers: { ...traceHeaders(), ...files?.headers },
      });
      return result.json<T>();
    });

  const stream = (
    sql: string,
    params: Params,
    format: string,
    settings: Settings,
    files?: FileReads,
  ): Promise<Readable> =>
    call("stream", "read from the store", true, async ({ client }) => {
      const { stream } = await client.exec({
        query: `${sql}\nFORMAT ${format}`,
        query_params: { ...params },
        clickhouse_settings: { ...READ_SETTINGS, ...settings, ...files?.settings },
        http_headers: { ...traceHeaders(), ...files?.headers },
      });
      return stream as Readable;
    });

  await connect();
  return {
    kind,
    database,
    get url() {
      return url;
    },

    async ping() {
      try {
        await read("bare", "SELECT 1", {}, {});
      } catch (error) {
        throw error instanceof StoreUnavailable ? error : new StoreUnavailable((error as Error).message);
      }
    },

    async version() {
      const [row] = await read<{ version: string }>("bare", "SELECT version() AS version", {}, {});
      return row!.version;
    },

    stillness: (tables) => (spool === undefined ? undefined : readStillness(spool, tables)),

    createDatabase: () =>
      call("command", `make database "${database}"`, true, async ({ bare }) => {
        await bare.command({
          query: `CREATE DATABASE IF NOT EXISTS {database:Identifier}${options.cluster === undefined ? "" : ` ON CLUSTER ${quoteName(options.cluster)}`}`,
          query_params: { database },
        });
      }),

    rows: (sql, params = {}, settings = {}) => read("client", sql, params, settings),

    stream: (sql, params = {}, format = "JSONEachRow", settings = {}) => stream(sql, params, format, settings),

    readingFiles(prefix) {
      const files = fileReads(prefix);
      return {
        rows: (sql, params = {}, settings = {}) => read("client", sql, params, settings, files),
        stream: (sql, params = {}, format = "JSONEachRow", settings = {}) =>
          stream(sql, params, format, settings, files),
      };
    },

    async command(sql, params = {}, { patient = false } = {}) {
      const { cluster } = options;
      const statements = cluster === undefined ? [sql] : clusterStatements(sql, { name: cluster, database });
      for (const query of statements)
        await call("command", "run a command in the store", false, async (connection) => {
          await connection[patient ? "patient" : "client"].command({
            query,
            query_params: { ...params },
            clickhouse_settings: {
              ...{ mutations_sync: "1", lightweight_deletes_sync: "2", wait_end_of_query: 1, ...BUCKETS },
              ...(cluster === undefined ? {} : CLUSTER_COMMAND_SETTINGS),
            },
            http_headers: traceHeaders(),
          });
        });
    },

    insertBlock: (block) =>
      call("insert", `insert into "${block.table}"`, false, async ({ client, spool }) => {
        const { format, types, bodies } = block;
        const columns = block.columns.map(quoteName);
        const into = `INSERT INTO ${quoteName(block.table)} (${columns.join(", ")})`;
        const clickhouse_settings = {
          ...oneBlock(block.rows),
          ...deduplication(block.token),
          wait_end_of_query: 1 as const,
        };
        if (spool !== undefined && types !== undefined) {
          const structure = columns.map((name, i) => `${name} ${types[i]}`).join(", ");
          return withBlockFile(spool, bodies, async (path) => {
            const source = `file(${[path, format, structure].map(quoteText).join(", ")})`;
            const query = `${into} SELECT ${columns.join(", ")} FROM ${source}`;
            await client.command({ query, clickhouse_settings, http_headers: traceHeaders() });
          });
        }
        const values = Readable.from(bodies, { objectMode: false });
        const query = `${into} FORMAT ${format}`;
        const { stream } = await client.exec({ query, values, clickhouse_settings, http_headers: traceHeaders() });
        for await (const _ of stream); // an answer that is not read would hold its socket
      }),

    async close() {
      closed = true;
      const connection = await connecting?.catch(() => undefined);
      await connection?.close();
    },
  };
}

/** One thread and squashing up to the number of rows: whatever the bodies' blocks, one block and one part comes out. */
const oneBlock = (rows: number) => ({
  async_insert: 0 as const,
  max_threads: 1,
  max_insert_threads: "1",
  input_format_parallel_parsing: 0 as const,
  max_insert_block_size: `${Math.max(rows, 1)}`,
  min_insert_block_size_rows: `${Math.max(rows, 1)}`,
  min_insert_block_size_bytes: "0",
});

const deduplication = (token: string | undefined) =>
  token === undefined
    ? { insert_deduplicate: 0 as const }
    : {
        insert_deduplicate: 1 as const,
        insert_deduplication_token: token,
        deduplicate_blocks_in_dependent_materialized_views: 1 as const,
      };

async function makeConnection(options: StoreOptions, database: string): Promise<Connection> {
  const { url, username, password, spool, release } = await findServer(options);
  if (spool !== undefined) await sweepBlockFiles(spool);
  const address = new URL(url);
  const settings = {
    username: username ?? (decodeURIComponent(address.username) || "default"),
    password: password ?? decodeURIComponent(address.password),
    request_timeout: REQUEST_TIMEOUT_MS,
    application: "weir",
    log: { level: ClickHouseLogLevel.OFF }, // every error is thrown
    ...(options.cluster === undefined ? {} : { clickhouse_settings: CLUSTER_SETTINGS }),
  };
  address.username = "";
  address.password = "";
  const plain = address.href.replace(/\/$/, "");
  const client = createClient({ ...settings, url: plain, database });
  const bare = createClient({ ...settings, url: plain });
  const patient = createClient({ ...settings, url: plain, database, request_timeout: 0 });
  return {
    url: plain,
    spool,
    secrets: [settings.password, ...(options.secrets ?? [])],
    client,
    bare,
    patient,
    async close() {
      await Promise.all([client.close(), bare.close(), patient.close()]);
      await release();
    },
  };
}

async function findServer({ url, folder, username, password, embedded }: StoreOptions) {
  if (url !== undefined) return { url, username, password, spool: undefined, release: async () => {} };
  if (folder === undefined)
    throw new TypeError('Cannot open the store: neither "url" nor "folder" is given, expected one');
  try {
    const { username, password, ...store } = await openEmbedded({ ...embedded, folder });
    return { url: store.url, username, password, spool: store.spool, release: () => store.close() };
  } catch (error) {
    throw new StoreUnavailable((error as Error).message);
  }
}
