/** Answers a list: a bare array; how many there are in X-Total-Count; where to go on in Link (RFC 8288). */
import { createHash } from "node:crypto";
import type { Context } from "hono";
import { countQuery } from "../clickhouse/queries/list.ts";
import { createPageReader } from "../clickhouse/queries/newestPages.ts";
import type { Found } from "../clickhouse/queries/readList.ts";
import type { Condition, ListSpec, Page } from "../clickhouse/queries/types.ts";
import { encodeCursor } from "./cursor.ts";
import type { ReadableStore } from "./deps.ts";

/**
 * For every query of ours: none runs or swells for long. That they cannot write is the store's care. Without buffers a read in the table's
 * order ends at its limit; with them it reads ahead in every part (2.5 million rows for the newest 100 of a chain, not 0.3).
 */
export const READ_SETTINGS = {
  max_execution_time: 10,
  max_memory_usage: 2_000_000_000,
  read_in_order_use_buffering: 0,
} as const;

interface ListRow {
  readonly cursor: readonly string[];
}

const readers = new WeakMap<ReadableStore, ReturnType<typeof createPageReader>>();

/** A page of a list, within what queries of ours may take. Newest pages may come from memory, as the store has them now. */
export function readPage<Row extends ListRow>(
  store: ReadableStore,
  list: ListSpec,
  conditions: readonly Condition[],
  page: Page,
): Promise<Found<Row>> {
  const read = readers.get(store) ?? createPageReader(store, READ_SETTINGS);
  readers.set(store, read);
  return read(list, conditions, page);
}

/** What a list is made of, for REST and GraphQL alike. */
export interface Listing<Row extends ListRow, Body> {
  readonly list: ListSpec;
  readonly conditions: readonly Condition[];
  /** Rows as they are stored to the public's, one each. */
  readonly encode: (rows: readonly Row[]) => readonly Body[] | Promise<readonly Body[]>;
}

export interface Paging {
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
  readonly cursor?: readonly string[] | undefined;
}

/** @param encode rows as they are stored to the body's */
export async function answerList<Row extends ListRow, Body>(
  c: Context,
  store: ReadableStore,
  list: ListSpec,
  conditions: readonly Condition[],
  { limit = 100, offset = 0, cursor }: Paging,
  encode: (rows: readonly Row[]) => readonly Body[] | Promise<readonly Body[]>,
) {
  const page = { limit, offset, after: cursor, counted: true };
  const { rows, total = await countAll(store, list, conditions) } = await readPage<Row>(store, list, conditions, page);
  c.header("x-total-count", total);
  const last = rows.at(-1);
  const links = [link(c, "first", { cursor: null, offset: null })];
  if (last && rows.length === limit) links.push(link(c, "next", { cursor: encodeCursor(last.cursor), offset: null }));
  if (offset > 0) links.push(link(c, "prev", { offset: String(Math.max(0, offset - limit)) }));
  c.header("link", links.join(", "));
  return withETag(c, await encode(rows));
}

async function countAll(store: ReadableStore, list: ListSpec, conditions: readonly Condition[]): Promise<string> {
  const { sql, params } = countQuery(list, conditions);
  const [counted] = await store.rows<{ total: string }>(sql, params, READ_SETTINGS);
  return counted!.total;
}

/** The request's own path and query, with some parameters changed: what the client sees is where it asked. */
export function link(c: Context, rel: string, changes: Readonly<Record<string, string | null>>): string {
  const url = new URL(c.req.url);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  return `<${url.pathname}${url.search}>; rel="${rel}"`;
}

/** A 200 with its ETag; notModified.ts makes a 304 of it for who has it. */
export function withETag<T>(c: Context, body: T) {
  const bytes = Buffer.from(JSON.stringify(body)); // as text it would be encoded for the hash, and again to be sent
  c.header("etag", `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 27)}"`);
  c.header("content-type", "application/json");
  return c.body(bytes, 200) as never;
}
