/**
 * The control store: what is small, relational and changed by people. PostgreSQL, a server or the one embedded in the store's
 * child; the two differ by an address.
 */
import { openEmbedded } from "../../clickhouse/embedded/open.ts";
import { type CallMeter, metered } from "../ops/callMeter.ts";
import { stripCredentials } from "../ops/errors.ts";
import { drizzle, type NodePgDatabase, type PgPool, Pool } from "./drizzle.ts";
import { ControlUnavailable, controlError, isUnavailable, wasNotSent } from "./errors.ts";

export interface ControlOptions {
  /** `postgres://user:password@host:port/database` of a server; without it the embedded one of `folder` is opened. */
  readonly url?: string | undefined;
  /** The embedded store's folder, as of ClickHouse. */
  readonly folder?: string;
  /** How long an embedded child lives unused. */
  readonly idleMs?: number;
  /** Told of each `control_read` and `control_change`. */
  readonly meter?: CallMeter;
}

export type Database = NodePgDatabase;
export type Transaction = Parameters<Parameters<Database["transaction"]>[0]>[0];

export interface Control {
  readonly kind: "embedded" | "server";
  /** Where, without credentials. */
  readonly where: string;
  /** Reads; a broken connection is made anew once. @throws ControlUnavailable */
  read<T>(work: (db: Database) => Promise<T>): Promise<T>;
  /**
   * Runs `work` in a transaction: all of it happens, or nothing when it throws.
   * @throws ControlUnavailable; when the connection broke at the very end, the change may have happened
   */
  change<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Connections that are open, and of them those that nobody uses. */
  connections(): { readonly open: number; readonly free: number };
  /** An embedded child goes on for others, and ends when it is idle. */
  close(): Promise<void>;
}

/** An engine polls with one and changes with another; a command needs one. */
const MAX_CONNECTIONS = 4;
/** A connection takes milliseconds; to the embedded store it may have to wait for another client's transaction. */
const CONNECT_MS = 30_000;
/** The longest statement reads 8 MiB of modules. */
const QUERY_MS = 60_000;

interface Connection {
  readonly db: Database;
  readonly pool: PgPool;
  release(): Promise<void>;
}

/** Opens the control store. An embedded one is started if it does not run, by the first call and again by the one after its death. */
export function openControl(options: ControlOptions): Control {
  let connecting: Promise<Connection> | undefined;
  let closed = false;
  let pool: PgPool | undefined;

  function connect(): Promise<Connection> {
    if (closed) throw new ControlUnavailable("Cannot use the control store: it is closed, expected an open one");
    connecting ??= makeConnection(options).then(
      (made) => {
        pool = made.pool;
        return made;
      },
      (error: unknown) => {
        connecting = undefined;
        throw new ControlUnavailable(`Cannot open the control store: ${(error as Error).message}`, { cause: error });
      },
    );
    return connecting;
  }

  async function drop(broken: Connection): Promise<void> {
    if (connecting === undefined || (await connecting.catch(() => undefined)) !== broken) return;
    connecting = undefined;
    await closeConnection(broken);
  }

  /** @param repeatable it changes nothing, so it may be sent twice */
  async function call<T>(repeatable: boolean, work: (db: Database) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const connection = await connect();
      try {
        return await work(connection.db);
      } catch (error) {
        if (isUnavailable(error)) {
          if (options.url === undefined) await drop(connection);
          if (attempt === 1 && (repeatable || wasNotSent(error))) continue;
        }
        throw controlError(error);
      }
    }
  }

  return {
    kind: options.url === undefined ? "embedded" : "server",
    where: options.url === undefined ? `embedded in ${options.folder}` : stripCredentials(options.url),
    read: (work) => metered(options.meter, "control_read", () => call(true, work)),
    change: (work) => metered(options.meter, "control_change", () => call(false, (db) => db.transaction(work))),
    connections: () => ({ open: pool?.totalCount ?? 0, free: pool?.idleCount ?? 0 }),
    async close() {
      closed = true;
      const connection = await connecting?.catch(() => undefined);
      connecting = undefined;
      if (connection) await closeConnection(connection);
    },
  };
}

async function makeConnection({ url, folder, idleMs }: ControlOptions): Promise<Connection> {
  const settings = {
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: QUERY_MS,
    application_name: "weir",
    allowExitOnIdle: true,
  };
  if (url !== undefined) return over(new Pool({ ...settings, connectionString: url }), async () => {});
  if (folder === undefined) throw new TypeError('neither "url" nor "folder" is given, expected one');
  const child = await openEmbedded({ folder, ...(idleMs === undefined ? {} : { idleMs }) });
  try {
    const host = await child.postgres();
    return over(new Pool({ ...settings, host, port: 5432, user: "postgres", database: "postgres" }), () =>
      child.close(),
    );
  } catch (error) {
    await child.close();
    throw error;
  }
}

function over(pool: PgPool, release: () => Promise<void>): Connection {
  // A connection was lost: the pool drops it, and the call that used it, or the next, says what there is to say.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return { db: drizzle(pool), pool, release };
}

async function closeConnection({ pool, release }: Connection): Promise<void> {
  await pool.end();
  await release();
}
