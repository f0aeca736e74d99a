/**
 * Newest pages that are asked for more often than once a second are kept, as rows, and shown only while they are what the store would say: before
 * each answer the store is asked which parts the tables have that the page is made of, a question over metadata alone.
 *
 *     request ──▶ which parts? ──▶ those that were there before these rows were read ──▶ rows from memory
 *                 asked once for   others: read anew, once for all who find just these
 *                 all who wait
 *
 * That is exact, whoever writes, and whatever chains replace: what a statement reads is the active parts of its tables, and every insert, delete and
 * mutation makes parts of other names, in the moment in which statements begin to see it. Parts are asked for before rows are read. If a later request
 * finds the same ones, nothing was written between: the store would tell it what it told then. A row that does not count any more goes with the part
 * in which `replaced_blocks` says so. A merge makes other parts as well; then rows are read anew for nothing.
 *
 * Tables of a cluster are Distributed, without parts of their own: there nothing is kept.
 */
import { listQuery } from "./list.ts";
import { createPartsReader } from "./parts.ts";
import { type Found, type ListSource, readList } from "./readList.ts";
import type { Condition, ListSpec, Page, Query } from "./types.ts";

interface Row {
  readonly cursor: readonly string[];
}

interface Kept {
  /** As `now`. */
  askedAt: number;
  /** How far down it is kept: as far as it was asked for. 0: it is not. */
  rows: number;
  /** Resolves to rows, of which there were `rows` asked for when the tables had these parts. */
  read?: { readonly parts: string; readonly rows: number; readonly found: Promise<Found<Row>> } | undefined;
}

/** What is asked for less often has probably changed: then to ask for parts would be in vain. */
const OFTEN_MS = 1_000;
/** Of all pages together. One takes 1 to 3 KB. */
const MAX_ROWS = 20_000;
/** Of one. */
const LONGEST_PAGE = 2_000;
const MAX_PAGES = 1_000;
/** Longer ones have keys of rows that were found otherwise: nobody asks for the same again. */
const LONGEST_PARAMS = 2_000;
/** `until` up to so long ago means the newest: a client's clock, and its way here. */
const RECENT_MS = 60_000;

/** @param settings of each query @param now ms */
export function createPageReader(
  store: ListSource,
  settings: Readonly<Record<string, string | number>>,
  now: () => number = () => performance.now(),
) {
  const readParts = createPartsReader(store, settings);
  const pages = new Map<string, Kept>(); // in the order of use
  let rows = 0;

  /** @returns undefined: it is not asked for often */
  function touch(name: string, { limit, offset }: Page): Kept | undefined {
    const askedAt = now();
    const before = pages.get(name);
    const isOften = before !== undefined && askedAt - before.askedAt < OFTEN_MS;
    const kept = isOften ? before : { askedAt, rows: 0 };
    forget(name);
    kept.askedAt = askedAt;
    if (isOften) kept.rows = Math.max(kept.rows, limit + offset);
    pages.set(name, kept);
    rows += kept.rows;
    while (rows > MAX_ROWS || pages.size > MAX_PAGES) forget(pages.keys().next().value!);
    return isOften ? kept : undefined;
  }

  function forget(name: string): void {
    rows -= pages.get(name)?.rows ?? 0;
    pages.delete(name);
  }

  return async <R extends Row>(list: ListSpec, conditions: readonly Condition[], page: Page): Promise<Found<R>> => {
    const read = (conditions: readonly Condition[], page: Page) => readList<R>(store, list, conditions, page, settings);
    const until = untilOf(conditions);
    const all = until ? conditions.filter((condition) => condition !== until.condition) : conditions;
    const { sql, params } = listQuery(list, all, NO_ROWS);
    const name = nameOf({ sql, params }, conditions, page);
    const kept = name === undefined ? undefined : touch(name, page);
    const parts = kept && (await readParts(tablesOf(sql)));
    if (!kept || parts === undefined) return read(conditions, page);

    if (kept.read?.parts !== parts || kept.read.rows < page.limit + page.offset) {
      const found = read(all, { limit: kept.rows, offset: 0, counted: true });
      const reading = { parts, rows: kept.rows, found };
      kept.read = reading;
      found.catch(() => {
        if (kept.read === reading) kept.read = undefined; // those who wait are told
      });
    }
    const found = (await kept.read.found) as Found<R>;
    return cut(found, page, until?.micros) ?? read(conditions, page);
  };
}

const NO_ROWS: Page = { limit: 0, offset: 0, counted: true };

/** The very statement; undefined: its page is not to be kept. */
function nameOf({ sql, params }: Query, conditions: readonly Condition[], page: Page): string | undefined {
  if (page.after || page.most || page.limit + page.offset > LONGEST_PAGE) return undefined;
  if (conditions.some(({ beyondKeys }) => beyondKeys)) return undefined;
  const values = JSON.stringify(params);
  return values.length > LONGEST_PARAMS ? undefined : `${sql}${values}`;
}

/** All tables that a statement of this folder's names: `FROM alerts AS t`, `FROM replaced_blocks FINAL`. */
export const tablesOf = (sql: string): string[] => [
  ...new Set([...sql.matchAll(/\b(?:FROM|JOIN)\s+([a-z]\w*)/g)].map(([, table]) => table!)),
];

/** The condition that rows are older than a time which is about now, and that time in µs. */
function untilOf(conditions: readonly Condition[]): { condition: Condition; micros: bigint } | undefined {
  for (const condition of conditions) {
    const ms = condition.ofTime ? condition.params?.until : undefined;
    if (typeof ms === "number" && ms > Date.now() - RECENT_MS) return { condition, micros: BigInt(ms) * 1_000n };
  }
  return undefined;
}

/** @param until µs: of the newest rows only older ones @returns undefined where the page goes on below them */
function cut<R extends Row>({ rows, total = "0" }: Found<R>, page: Page, until: bigint | undefined) {
  const { limit, offset } = page;
  const isWhole = rows.length === Number(total);
  const older = until === undefined ? 0 : rows.findIndex(({ cursor }) => BigInt(cursor[0]!) < until);
  if (older === -1 && !isWhole) return undefined;
  const newer = older === -1 ? rows.length : older;
  const from = newer + offset;
  if (!isWhole && from + limit > rows.length) return undefined;
  return { rows: rows.slice(from, from + limit), total: String(BigInt(total) - BigInt(newer)) };
}
