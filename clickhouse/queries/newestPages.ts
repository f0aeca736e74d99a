/**
 * Newest pages that are asked for more often than once a second are kept, as rows, and shown only while they are what the store would say: before
 * each answer the store is asked which parts the tables have that the page is made of, a question over metadata alone. The embedded store need not
 * be asked as long as nobody is told that something new is stored (clickhouse/embedded/stillness.ts).
 *
 *     request ──▶ which parts? ──▶ those that were there before these rows were read ──▶ rows from memory
 *                 asked once for   a few rows were added: they are read, and go in between (addedRows.ts)
 *                 all who wait     others: read anew. Once for all who find just these
 *
 * That is exact, whoever writes, and whatever chains replace: what a statement reads is the active parts of its tables, and every insert, delete and
 * mutation makes parts of other names, in the moment in which statements begin to see it. Parts are asked for before rows are read. If a later request
 * finds the same ones, nothing was written between: the store would tell it what it told then. A row that does not count any more goes with the part
 * in which `replaced_blocks` says so. What is added is told by parts' names (parts.ts); rows to which it is added are those of just the parts that
 * were asked for, which is known once they are there still after rows were read, and so it is of the parts that were added; while a write is under way
 * only by asking: what it has written may be among those rows.
 *
 * Tables of a cluster are Distributed, without parts of their own: there nothing is kept.
 */
import { isByRow, withAdded } from "./addedRows.ts";
import { listQuery } from "./list.ts";
import { addedParts, createPartsReaders, hasStill, type PartsSeen, tablesOf } from "./parts.ts";
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
  read?: Reading | undefined;
}

/** A page from the newest on. */
interface Asked {
  readonly list: ListSpec;
  readonly conditions: readonly Condition[];
  readonly rows: number;
  /** Of its statement. */
  readonly tables: readonly string[];
}

interface Reading {
  /** What the tables had before rows were read. */
  readonly parts: PartsSeen;
  /** So many were asked for. */
  readonly rows: number;
  readonly found: Promise<Found<Row>>;
  /** These parts, and none that came while rows were read: the tables still had them after that. */
  isExact: boolean;
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
  const allParts = createPartsReaders(store, settings, now);
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

  const readRows = ({ list, conditions, rows }: Asked): Promise<Found<Row>> =>
    readList(store, list, conditions, { limit: rows, offset: 0, counted: true }, settings);

  function begin(parts: PartsSeen, asked: Asked): Reading {
    const reading = { parts, rows: asked.rows, found: readRows(asked), isExact: false };
    reading.found
      .then(() => allParts.read(asked.tables))
      .then((after) => {
        reading.isExact = after?.hash === parts.hash;
      })
      .catch(() => {}); // it is not known to be
    return reading;
  }

  /** Reads what has been added since. undefined: that is not all */
  function goOn(before: Reading | undefined, parts: PartsSeen, asked: Asked): Reading | undefined {
    const { list, conditions, rows, tables } = asked;
    if (!before?.isExact || before.rows !== rows || !isByRow(list, conditions)) return undefined;
    const added = addedParts(before.parts, parts, list.table);
    if (!added || added.rows >= rows) return undefined; // so many may be the whole page: then it lies in few parts
    if (added.names.length === 0) return { ...before, parts }; // merged
    async function find(): Promise<Found<Row>> {
      const found = await withAdded(store, list, conditions, await before!.found, rows, added!, settings);
      const after = await (found.hasAll ? allParts.read(tables) : allParts.readNow(tables));
      reading.isExact = after !== undefined && hasStill(parts, after, list.table, added!.names);
      return reading.isExact ? found : readRows(asked);
    }
    const reading: Reading = { parts, rows, found: find(), isExact: false };
    return reading;
  }

  return async <R extends Row>(list: ListSpec, conditions: readonly Condition[], page: Page): Promise<Found<R>> => {
    const read = (conditions: readonly Condition[], page: Page) => readList<R>(store, list, conditions, page, settings);
    const until = untilOf(conditions);
    const all = until ? conditions.filter((condition) => condition !== until.condition) : conditions;
    const { sql, params } = listQuery(list, all, NO_ROWS);
    const name = nameOf({ sql, params }, conditions, page);
    const kept = name === undefined ? undefined : touch(name, page);
    const tables = tablesOf(sql);
    const parts = kept && (await allParts.readStored(tables));
    if (!kept || parts === undefined) return read(conditions, page);

    let reading = kept.read;
    if (reading?.parts.hash !== parts.hash || reading.rows < page.limit + page.offset) {
      const asked = { list, conditions: all, rows: kept.rows, tables };
      const begun = goOn(reading, parts, asked) ?? begin(parts, asked);
      kept.read = reading = begun;
      begun.found.catch(() => {
        if (kept.read === begun) kept.read = undefined; // those who wait are told
      });
    }
    const found = (await reading.found) as Found<R>;
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
