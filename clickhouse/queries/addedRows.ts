/**
 * A newest page as of now, from what it was before and the rows of parts that have been added since: those are few, and the parts they are in too,
 * where the page's own rows lie in granules all over the table.
 */
import { countQuery, selected } from "./list.ts";
import { type AddedParts, tablesOf } from "./parts.ts";
import { type Found, type ListSource, readList } from "./readList.ts";
import type { Condition, ListSpec } from "./types.ts";

interface Row {
  readonly cursor: readonly string[];
}

/** Whether what is said of a row depends on no other row of the table: then a page of two sets of rows is made of the pages of both. */
export function isByRow({ table, final, columnsFrom, ...list }: ListSpec, conditions: readonly Condition[]): boolean {
  const { ties, made = {} } = list.order;
  const texts = [...selected({ table, ...list }), ...Object.values(made), ...conditions.map(({ sql }) => sql)];
  return (
    /^[a-z]\w*$/.test(table) &&
    !final &&
    columnsFrom === undefined &&
    !texts.some((sql) => tablesOf(sql).includes(table)) &&
    Object.values(ties).every((type) => type === "String" || /^U?Int\d+$/.test(type))
  );
}

/**
 * @param before the newest `rows` rows without what has been added, and how many there are in all
 * @param added what has been added. If it has been merged meanwhile, its rows are missing: to be looked at after this
 * @returns `hasAll`: every row that was added was read, so nothing is missing
 */
export async function withAdded<R extends Row>(
  store: ListSource,
  list: ListSpec,
  conditions: readonly Condition[],
  before: Found<R>,
  rows: number,
  { names, rows: addedRows, areWhole }: AddedParts,
  settings: Readonly<Record<string, string | number>>,
): Promise<Found<R> & { readonly hasAll: boolean }> {
  // not to be read first by its keys: that is for what lies in many parts
  const isAdded = { sql: "t._part IN {added_parts:Array(String)}", params: { added_parts: names }, beyondKeys: true };
  const all = [...conditions, isAdded];
  const notBefore = before.rows.length === rows ? before.rows.at(-1)?.cursor[0] : undefined;
  const known = conditions.length === 0 && areWhole ? addedRows : undefined;
  const page = { limit: rows, offset: 0, counted: known === undefined, notBefore };
  const added = await readList<R>(store, list, all, page, settings);
  const total = known ?? added.total ?? (await countOf(store, list, all, settings));
  return {
    rows: merged(list.order.ties, before.rows, added.rows).slice(0, rows),
    total: String(BigInt(before.total ?? 0) + BigInt(total)),
    hasAll: added.rows.length === known,
  };
}

/** None of them may be new enough for the page, however many there are. */
async function countOf(
  store: ListSource,
  list: ListSpec,
  conditions: readonly Condition[],
  settings: Readonly<Record<string, string | number>>,
) {
  const { sql, params } = countQuery(list, conditions);
  const [counted] = await store.rows<{ total: string }>(sql, { ...params }, { ...settings });
  return counted?.total ?? 0;
}

/** Both newest first, as the result. */
function merged<R extends Row>(ties: ListSpec["order"]["ties"], some: readonly R[], others: readonly R[]): R[] {
  const types = ["Int64", ...Object.values(ties)];
  const isNewer = (a: R, b: R): boolean => {
    for (const [i, type] of types.entries()) {
      const order = compare(type, a.cursor[i]!, b.cursor[i]!);
      if (order !== 0) return order > 0;
    }
    return false;
  };
  const all: R[] = [];
  let next = 0;
  for (const row of some) {
    while (next < others.length && isNewer(others[next]!, row)) all.push(others[next++]!);
    all.push(row);
  }
  return [...all, ...others.slice(next)];
}

/** As the store compares. */
function compare(type: string, a: string, b: string): number {
  if (type === "String") return Buffer.compare(Buffer.from(a), Buffer.from(b));
  const difference = BigInt(a) - BigInt(b);
  return difference === 0n ? 0 : difference > 0n ? 1 : -1;
}
