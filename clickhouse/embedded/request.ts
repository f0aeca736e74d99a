import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

/** A request as ClickHouse's HTTP interface means it. */
export interface StoreRequest {
  readonly sql: string;
  /** Data of an INSERT, not yet read; undefined when the body was the SQL. */
  readonly body: Readable | undefined;
  readonly queryId: string | undefined;
  readonly database: string | undefined;
  readonly settings: Record<string, string>;
  readonly params: Record<string, string>;
  readonly gzipAnswer: boolean;
  /** The answer is wanted as a whole: nothing of it before all of it is there. */
  readonly whole: boolean;
  /** What files a read may name must begin with; undefined: none. */
  readonly files: string | undefined;
}

/** SQL with what is bound to it; ClickHouse's own max_query_size is 256 KiB, but lists in bound parameters may be longer. */
const MAX_SQL_BYTES = 16 << 20;

/** URL parameters that are no settings. Sessions, roles and quotas do not exist here. */
const NOT_SETTINGS = new Set(
  "query query_id database default_format user password session_id session_timeout session_check role quota_key compress decompress buffer_size wait_end_of_query stacktrace close_session client_protocol_version".split(
    " ",
  ),
);

/**
 * Reads a request up to its SQL.
 * @throws Error in ClickHouse's words: SQL that is too long, sessions and roles, which only a server has
 */
export async function readRequest(request: IncomingMessage): Promise<StoreRequest> {
  const url = new URL(request.url ?? "/", "http://store");
  for (const name of ["session_id", "role"]) {
    if (url.searchParams.has(name))
      throw new Error(
        `Code: 48. DB::Exception: Cannot use "${name}": the embedded store has none, expected a ClickHouse server (CLICKHOUSE_URL). (NOT_IMPLEMENTED)`,
      );
  }
  const fields = new Map(url.searchParams);
  const fromUrl = fields.get("query");
  const incoming = decoded(request);
  let sql = fromUrl ?? "";
  let body: Readable | undefined;
  const type = request.headers["content-type"] ?? "";
  if (type.startsWith("multipart/form-data")) {
    // Bound parameters that are too long for a URL come this way.
    const form = await new Response(await readAll(incoming), { headers: { "content-type": type } }).formData();
    for (const [name, value] of form) if (typeof value === "string") fields.set(name, value);
    sql = fields.get("query") ?? "";
  } else if (fromUrl === undefined) {
    sql = (await readAll(incoming)).toString("utf8");
  } else if (request.method === "POST" && hasBody(request)) {
    body = incoming;
  }

  const settings: Record<string, string> = {};
  const params: Record<string, string> = {};
  for (const [name, value] of fields) {
    if (name.startsWith("param_")) params[name.slice("param_".length)] = value;
    else if (!NOT_SETTINGS.has(name)) settings[name] = value;
  }
  // As on a server: GET does not change anything.
  if (request.method === "GET") settings.readonly ??= "2";
  return {
    sql,
    body,
    queryId: fields.get("query_id"),
    database: fields.get("database"),
    settings,
    params,
    gzipAnswer: settings.enable_http_compression === "1" && /\bgzip\b/.test(String(request.headers["accept-encoding"])),
    whole: fields.get("wait_end_of_query") === "1",
    files: filesOf(request.headers["x-weir-files"]),
  };
}

const filesOf = (header: string | string[] | undefined): string | undefined =>
  typeof header === "string" && header !== "" ? decodeURIComponent(header) : undefined;

const hasBody = (request: IncomingMessage): boolean =>
  request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0;

function decoded(request: IncomingMessage): Readable {
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding === "identity") return request;
  if (encoding === "gzip") {
    const gunzip = createGunzip();
    request.on("error", (error) => gunzip.destroy(error));
    return request.pipe(gunzip);
  }
  throw new Error(
    `Code: 48. DB::Exception: Cannot read a body with content-encoding "${encoding}": expected gzip or none. (NOT_IMPLEMENTED)`,
  );
}

async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_SQL_BYTES)
      throw new Error(
        `Code: 62. DB::Exception: Cannot read a query of more than ${MAX_SQL_BYTES} bytes: expected a shorter one. (SYNTAX_ERROR)`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
