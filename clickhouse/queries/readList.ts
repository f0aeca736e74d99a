/**
 * Rows of lists. What a list costs the store is mostly what its query is made of, so that is kept small: columns come as they are, by settings of the
 * output as the API shows them, bytes in hex without functions around it. And where a page ends the query finds out by itself only where that is not
 * known from the last time: newest pages are what is asked for again and again. bench/README.md has what it saves.
 */
import type { Stillness } from "../embedded/stillness.ts";
import { keysOf, listQuery, ofCursors } from "./list.ts";
import type { Condition, ListSpec, Page } from "./types.ts";

/** What rows are read from: an API's store, an archive. */
export interface ListSource {
  rows<T>(sql: string, params?: Record<string, unknown>, settings?: Record<string, string | number>): Promise<T[]>;
  /** As the store's (clickhouse/client.ts). */
  stillness?(tables: readonly string[]): Stillness | undefined;
}

/** Times as RFC 3339, decimals as text, a tuple as an array. Integers of 64 bits and more are text in any query. */
export const ROW_SETTINGS = {
  date_time_output_format: "iso",
  output_format_json_quote_decimals: 1,
  output_format_json_named_tuples_as_objects: 0,
} as const;

/** `cursor` of a row is where a page behind it begins: for `Page.after`. */
export interface Found<Row> {
  readonly rows: readonly Row[];
  /** How many there are on all pages, as text. Only where the page asks for it, and not of a page without rows. */
  readonly total?: string | undefined;
}

/** A page of a list. @param settings of the query, beside ROW_SETTINGS */
export async function readList<Row extends { readonly cursor: readonly string[] }>(
  source: ListSource,
  list: ListSpec,
  conditions: readonly Condition[],
  page: Page,
  settings: Readonly<Record<string, string | number>> = {},
): Promise<Found<Row>> {
  if (list.columnsFrom !== undefined) return readFound(source, list, conditions, page, settings);
  const ends = endsOf(source);
  const name = nameOf(list, conditions, page);
  const notBefore = name === undefined ? undefined : ends.find(name, conditions, page);
  const read = (page: Page): Promise<Found<Row>> => readPage(source, list, conditions, page, settings);
  const guessed = notBefore === undefined ? undefined : await read({ ...page, notBefore });
  // All that is not older was looked at: a page that this fills has the newest. Another one may lack older rows.
  const found = guessed?.rows.length === page.limit ? guessed : await read(page);
  if (name !== undefined && found.rows.length === page.limit) ends.keep(name, page, found.rows);
  return found;
}

/** Finds which rows the page has, and how many there are; then reads them where their columns are. */
async function readFound<Row extends { readonly cursor: readonly string[] }>(
  ...[source, list, conditions, page, settings]: Parameters<typeof readPage>
): Promise<Found<Row>> {
  const { columnsFrom: table, ...bare } = { ...list, columnsFrom: list.columnsFrom! };
  const all = page.counted && !page.after ? ["toString(count() OVER ()) AS total"] : [];
  const counted = page.counted === true && all.length === 0;
  const finding = { ...bare, columns: all, bytes: {} };
  const found = await readPage<Row & { readonly total: string }>(source, finding, conditions, { ...page, counted }, settings); // biome-ignore format: one line
  const total = found.total ?? found.rows[0]?.total;
  if (found.rows.length === 0) return { rows: [], total };
  const wanted = ofCursors(list.order, found.rows.map(({ cursor }) => cursor)); // biome-ignore format: one line
  return { ...(await readPage<Row>(source, { ...bare, table }, [wanted], { limit: found.rows.length, offset: 0 }, settings)), total }; // biome-ignore format: one line
}

async function readPage<Row>(
  source: ListSource,
  list: ListSpec,
  conditions: readonly Condition[],
  page: Page,
  settings: Readonly<Record<string, string | number>>,
): Promise<Found<Row>> {
  const { sql, params } = listQuery(list, conditions, page);
  const rows = await source.rows<Record<string, unknown>>(sql, { ...params }, { ...settings, ...ROW_SETTINGS });
  let total: string | undefined;
  for (const row of rows) {
    completeBytes(list, row);
    const cursor = (row.cursor as unknown[]).map(String);
    if (page.counted) total = cursor.pop();
    row.cursor = cursor;
  }
  return { rows: rows as Row[], total };
}

/** Makes of a row's digits, as the store gives them, hex as it is written everywhere. */
export function completeBytes({ bytes = {} }: ListSpec, row: Record<string, unknown>): void {
  for (const name of Object.keys(bytes)) {
    const digits = row[name] as string | null;
    if (digits !== null) row[name] = `0x${digits.toLowerCase()}`;
  }
}

/** What is alike in pages that end near each other; undefined: where it ends is not worth to know, or depends on more. */
function nameOf(list: ListSpec, conditions: readonly Condition[], page: Page): string | undefined {
  if (page.after || page.most || page.limit === 0 || keysOf(list, conditions) === undefined) return undefined;
  const filters = conditions.filter(({ ofTime }) => !ofTime).map(({ sql, params }) => [sql, params]);
  return JSON.stringify([list.table, list.order, filters]);
}

interface End {
  /** Rows from the newest to the last of the page. */
  readonly rows: number;
  /** Times of both, µs. */
  readonly newest: bigint;
  readonly last: string;
  /** ms of performance.now() */
  readonly at: number;
}

/** After that so much may have come that it is cheaper to find out anew. */
const MAX_AGE_MS = 10_000;
const MAX_ENDS = 1_000;

/** Where newest pages of a store's lists ended. A page that has got shorter since is noticed, so nothing depends on it but the cost. */
function createEnds() {
  const known = new Map<string, End>();
  return {
    find(name: string, conditions: readonly Condition[], { limit, offset }: Page): string | undefined {
      const end = known.get(name);
      if (!end || end.rows < limit + offset || performance.now() - end.at > MAX_AGE_MS) return undefined;
      const { since, until } = Object.assign({}, ...conditions.filter(({ ofTime }) => ofTime).map(({ params }) => params)) as Record<string, number>; // biome-ignore format: one line
      const holds =
        (until === undefined || BigInt(until) * 1_000n > end.newest) &&
        (since === undefined || BigInt(since) * 1_000n <= BigInt(end.last));
      return holds ? end.last : undefined;
    },
    keep(name: string, { limit, offset }: Page, rows: readonly { readonly cursor: readonly string[] }[]): void {
      const before = known.get(name);
      if (before && before.rows > limit + offset && performance.now() - before.at < MAX_AGE_MS) return;
      known.delete(name);
      const [newest, last] = [rows[0]!.cursor[0]!, rows.at(-1)!.cursor[0]!];
      known.set(name, { rows: limit + offset, newest: BigInt(newest), last, at: performance.now() });
      if (known.size > MAX_ENDS) known.delete(known.keys().next().value!);
    },
  };
}

const endsBySource = new WeakMap<ListSource, ReturnType<typeof createEnds>>();
function endsOf(source: ListSource): ReturnType<typeof createEnds> {
  const known = endsBySource.get(source) ?? createEnds();
  endsBySource.set(source, known);
  return known;
}
