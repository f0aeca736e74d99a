/**
 * The subset of ClickHouse's HTTP interface that @clickhouse/client uses, over an Engine:
 *
 *     GET  /ping                                        Ok.
 *     POST /?database=…&param_x=…&<setting>=…           the body is the SQL (or multipart: query and param_ fields)
 *     POST /?query=INSERT … FORMAT Native&<setting>=…   the body is the data
 *     GET  /postgres                                    where the control store's PostgreSQL listens; starts it
 *
 * Every request needs the secret, as basic auth or `X-ClickHouse-Key`. Not there: sessions, roles, progress headers, HTTP
 * handlers, and written_rows in the summary (chDB does not tell it).
 */
import { createHash, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Engine } from "./engine.ts";
import { throughFifo } from "./fifo.ts";
import { insertFile } from "./insert.ts";
import { createLane } from "./lane.ts";
import type { EmbeddedPostgres } from "./postgres/start.ts";
import type { ReadOnlyGuard } from "./readOnly.ts";
import { readRequest, type StoreRequest } from "./request.ts";
import type { Spool } from "./spool.ts";
import { intoFile, planStatement, type StatementPlan } from "./statement.ts";
import type { StillnessKeeper } from "./stillness.ts";

export interface StoreServer {
  readonly http: Server;
  /** Requests that are being answered. */
  readonly active: () => number;
  /** `performance.now()` of the last request's start or end. */
  readonly lastUsed: () => number;
}

interface StoreServerParts {
  readonly engine: Engine;
  readonly spool: Spool;
  readonly stillness: StillnessKeeper;
  readonly postgres: EmbeddedPostgres;
  readonly guard: ReadOnlyGuard;
  readonly secret: string;
  readonly version: string;
  /** Tells those who find the port in an old lock file that this is the child they look for. */
  readonly identity: string;
}

/** A result that is not streamed is held in memory, twice. */
const MAX_BUFFERED_RESULT = 256 << 20;

/** As on a server (http_max_uri_size): bound parameters are in the URL. */
const MAX_URL_BYTES = 1 << 20;

type ReadPlan = Extract<StatementPlan, { kind: "read" }>;
type Chunks = AsyncGenerator<Uint8Array, void, void>;

const STATUS: Readonly<Record<number, number>> = { 60: 404, 62: 400, 81: 404, 164: 403, 202: 503, 307: 413, 516: 401 };

export function createStoreServer(parts: StoreServerParts): StoreServer {
  const { engine, spool, stillness, postgres, guard, secret, version, identity } = parts;
  const reads = createLane({ name: "query", width: 4, queue: 256 });
  const writes = createLane({ name: "insert", width: 4, queue: 256 });
  const expected = digest(secret);
  let active = 0;
  let lastUsed = performance.now();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!timingSafeEqual(digest(keyOf(request)), expected))
      throw new Error(
        "Code: 516. DB::Exception: Cannot authenticate: the password is not this store's, expected the secret of its store.json. (AUTHENTICATION_FAILED)",
      );
    if (request.url?.split("?")[0] === "/ping") {
      response.writeHead(200, { "content-type": "text/plain", "x-weir-store": identity }).end("Ok.\n");
      return;
    }
    if (request.url === "/postgres") {
      const socketFolder = await postgres.start();
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ socketFolder }));
      return;
    }
    const query = await readRequest(request);
    response.setHeader("X-ClickHouse-Query-Id", query.queryId ?? randomUUID());
    const plan = planStatement(query.sql, query.body !== undefined);
    const mayWrite = !(Number(query.settings.readonly ?? 0) > 0);
    if (!mayWrite) guard(query.sql, query.files);

    const leave = await (plan.kind === "read" ? reads : writes).enter();
    const settle = mayWrite ? stillness.disturb(plan.kind === "read" ? undefined : plan.into) : () => {};
    try {
      const streams = plan.kind === "read" && plan.by !== "whole" && !query.whole;
      if (streams) await stream(query, chunksOf(query, plan), response);
      else await run(query, plan, response, settle);
    } finally {
      settle();
      leave();
    }
  }

  const chunksOf = (query: StoreRequest, plan: ReadPlan): Chunks =>
    plan.by === "chunks" && query.settings.output_format_json_array_of_rows !== "1" // with a bracket at either end
      ? engine.stream({ ...query, sql: plan.sql })
      : throughFifo({
          folder: spool.folder,
          write: (path) => engine.run({ ...query, sql: intoFile(plan, path) }),
          stop: (path) => engine.kill(path),
        });

  async function stream(query: StoreRequest, chunks: Chunks, response: ServerResponse): Promise<void> {
    try {
      // The first chunk comes before the head of the answer, so that most errors still get a status.
      const first = await chunks.next();
      const tag = randomBytes(8).toString("hex");
      response.setHeader("X-ClickHouse-Exception-Tag", tag);
      head(query, response, undefined);
      let failed = false;
      async function* body() {
        try {
          if (!first.done) yield first.value;
          yield* chunks;
        } catch (error) {
          failed = true;
          yield lateError(tag, errorText(error, version));
        }
      }
      await send(query, Readable.from(body(), { objectMode: false }), response);
      // After an error the answer must not end as a whole one would.
      if (failed) response.write("", () => response.destroy());
      else response.end();
    } finally {
      await chunks.return();
    }
  }

  /** @param settle called before it is said to be done */
  async function run(
    query: StoreRequest,
    plan: StatementPlan,
    response: ServerResponse,
    settle: () => void,
  ): Promise<void> {
    const { database, settings, params } = query;
    const result =
      plan.kind === "insertBody"
        ? await spool.withFile(query.body!, (path) => insertFile(engine, { plan, path, database, settings }))
        : await engine.run({
            sql: plan.sql,
            database,
            params,
            settings: plan.kind === "read" ? { max_result_bytes: `${MAX_BUFFERED_RESULT}`, ...settings } : settings,
          });
    settle();
    head(query, response, {
      read_rows: `${result.rowsRead}`,
      read_bytes: `${result.bytesRead}`,
      elapsed_ns: `${Math.round(result.elapsed * 1e9)}`,
    });
    await send(query, Readable.from([Buffer.from(result.bytes)]), response);
    response.end();
  }

  function head(query: StoreRequest, response: ServerResponse, summary: Record<string, string> | undefined): void {
    response.setHeader("Content-Type", "application/octet-stream");
    if (summary) response.setHeader("X-ClickHouse-Summary", JSON.stringify(summary));
    if (query.gzipAnswer) response.setHeader("Content-Encoding", "gzip");
    response.writeHead(200);
  }

  function fail(response: ServerResponse, error: unknown): void {
    // The head is out: cutting the connection is the only way left to say that the result is not whole.
    if (response.headersSent) return void response.destroy();
    const text = errorText(error, version);
    const code = Number(/^Code: (\d+)/.exec(text)![1]);
    response
      .writeHead(STATUS[code] ?? 500, {
        "content-type": "text/plain; charset=utf-8",
        "X-ClickHouse-Exception-Code": `${code}`,
      })
      .end(`${text}\n`);
  }

  const http = createServer(
    { keepAliveTimeout: 30_000, requestTimeout: 0, maxHeaderSize: MAX_URL_BYTES },
    (request, response) => {
      active++;
      lastUsed = performance.now();
      response.setHeader("X-ClickHouse-Server-Display-Name", "weir-embedded");
      answer(request, response)
        .catch((error: unknown) => fail(response, error))
        .finally(() => {
          active--;
          lastUsed = performance.now();
          request.resume(); // a body that nobody wanted would hold the connection
        });
    },
  );
  return { http, active: () => active, lastUsed: () => lastUsed };
}

async function send(query: StoreRequest, source: Readable, response: ServerResponse): Promise<void> {
  if (query.gzipAnswer) await pipeline(source, createGzip({ level: 1 }), response, { end: false });
  else await pipeline(source, response, { end: false });
}

function keyOf(request: IncomingMessage): string {
  const key = request.headers["x-clickhouse-key"];
  if (typeof key === "string") return key;
  const [scheme, credentials = ""] = (request.headers.authorization ?? "").split(" ");
  if (scheme !== "Basic") return "";
  const pair = Buffer.from(credentials, "base64").toString("utf8");
  return pair.slice(pair.indexOf(":") + 1);
}

/** How ClickHouse (from 25.11) tells of an error behind the first rows; @clickhouse/client looks for it. */
function lateError(tag: string, message: string): Uint8Array {
  const length = Buffer.byteLength(message) + 1;
  return Buffer.from(`\r\n__exception__\r\n${tag}\r\n${message}\n${length} ${tag}\r\n__exception__\r\n`);
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** ClickHouse's form; what has no code (a full disk below the spool, a bug of ours) gets UNKNOWN_EXCEPTION or NOT_ENOUGH_SPACE. */
function errorText(error: unknown, version: string): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/^Code: \d+\. DB::/.test(message)) return `${message} (version ${version})`;
  const full = (error as { code?: string }).code === "ENOSPC";
  return `Code: ${full ? 243 : 1002}. DB::Exception: ${message}. (${full ? "NOT_ENOUGH_SPACE" : "UNKNOWN_EXCEPTION"}) (version ${version})`;
}
