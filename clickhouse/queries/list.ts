/**
 * Lists, newest first, with filters and keyset paging. Values reach ClickHouse as bound parameters only; what is pasted into
 * SQL comes from this folder.
 *
 * The table is always `t` and a column always `t.column`: a bare name could mean the alias of another expression.
 */
import type { CommonFilter, Condition, ListSpec, Page, Query } from "./types.ts";

/**
 * For `readList` (readList.ts), which makes rows of what comes. `cursor` is a tuple of what the list is ordered by, the time in µs, and where the page
 * asks for it how many rows there are on all pages: what a query costs the store is mostly its planning, so one of its own for that cost half as
 * much again.
 */
export function listQuery(list: ListSpec, conditions: readonly Condition[], page: Page): Query {
  const { order } = list;
  const keys = [`t.${order.time}`, ...tiesOf(order)];
  const counted = page.counted ? [`(${countSql(list, conditions)})`] : [];
  const cursor = `tuple(${[`toUnixTimestamp64Micro(${keys[0]})`, ...keys.slice(1), ...counted].join(", ")}) AS cursor`;
  const all = page.after ? [...conditions, beyond(order, page.after)] : conditions;
  return {
    sql: `SELECT ${[...selected(list), cursor].join(",\n  ")}
FROM ${tableOf(list)}${where(page.most ? all : [...all, ...notBefore(list, all, page)])}
ORDER BY ${keys.map((key) => `${key} DESC`).join(", ")}${page.most ? `\nLIMIT {most:UInt32} BY ${page.most.by.map((column) => `t.${column}`).join(", ")}` : ""}
LIMIT {limit:UInt32} OFFSET {offset:UInt32}`,
    params: {
      ...paramsOf(all),
      ...(page.notBefore !== undefined && { not_before: page.notBefore }),
      ...(page.most && { most: page.most.rows }),
      ...{ limit: page.limit, offset: page.offset },
    },
  };
}

/** Columns and bytes of a list, as expressions over `t`. */
export const selected = ({ columns, bytes = {} }: ListSpec): string[] => [
  ...columns,
  ...Object.entries(bytes).map(([name, expression]) => `hex(${expression}) AS ${name}`),
];

/** One row: `total`, as text. */
export const countQuery = (list: ListSpec, conditions: readonly Condition[]): Query => ({
  sql: countSql(list, conditions),
  params: paramsOf(conditions),
});

/**
 * Of rows that replaced blocks do not have: all of them, less those that these blocks have, which the primary key finds. To look at the block of each
 * row took half of what the list did, of 300,000 rows, and grew with them.
 */
function countSql(list: ListSpec, conditions: readonly Condition[]): string {
  const from = tableOf({ ...list, table: keysOf(list, conditions) ?? list.table });
  if (!conditions.includes(HAPPENED)) return `SELECT toString(count()) AS total FROM ${from}${where(conditions)}`;
  const others = conditions.filter((condition) => condition !== HAPPENED);
  const replaced = `SELECT count() FROM ${from}${where([...others, { sql: IN_REPLACED }])}`;
  return `SELECT toString(count() - (${replaced})) AS total FROM ${from}${where(others)}`;
}

const tableOf = ({ table, final }: ListSpec): string => `${table} AS t${final ? " FINAL" : ""}`;

/**
 * Nothing is older than the last row of the page, whose time is cheap to find: that reads the time and what is filtered by, in the table's
 * order or by its index of times; then all columns of the few granules that are left. bench/README.md has what it saves.
 */
function notBefore(list: ListSpec, conditions: readonly Condition[], page: Page): Condition[] {
  const { time } = list.order;
  if (page.notBefore !== undefined)
    return [{ sql: `t.${time} >= fromUnixTimestamp64Micro({not_before:Int64}, 'UTC')` }];
  const keys = keysOf(list, conditions);
  if (keys === undefined) return [];
  const times = `SELECT t.${time} AS time FROM ${keys} AS t${where(conditions)}\nORDER BY t.${time} DESC LIMIT {limit:UInt32} + {offset:UInt32}`;
  return [{ sql: `t.${time} >= (SELECT minOrNull(time) FROM (${times}))` }];
}

/** What is read to find out where a page ends; undefined: nothing is. */
export const keysOf = ({ keys }: ListSpec, conditions: readonly Condition[]): string | undefined =>
  conditions.some(({ beyondKeys }) => beyondKeys) ? undefined : keys;

const tiesOf = ({ ties, made = {} }: ListSpec["order"]): string[] =>
  Object.keys(ties).map((name) => made[name] ?? `t.${name}`);

/** Line break and WHERE, or nothing. */
export function where(conditions: readonly Condition[]): string {
  return conditions.length === 0 ? "" : `\nWHERE ${conditions.map(({ sql }) => `(${sql})`).join(" AND ")}`;
}

export function paramsOf(conditions: readonly Condition[]): Record<string, unknown> {
  return Object.assign({}, ...conditions.map(({ params }) => params));
}

/** The rows after a cursor. The time stands alone as well: that is what the primary key understands. */
function beyond(order: ListSpec["order"], [micros, ...rest]: readonly string[]): Condition {
  const { time, ties } = order;
  const at = "fromUnixTimestamp64Micro({cursor_time:Int64}, 'UTC')";
  const keys = tiesOf(order);
  const values = Object.values(ties).map((type, i) => `{cursor_${i}:${type}}`);
  return {
    sql: `t.${time} <= ${at} AND (t.${time} < ${at} OR (${keys.join(", ")}) < (${values.join(", ")}))`,
    params: { cursor_time: micros, ...Object.fromEntries(rest.map((value, i) => [`cursor_${i}`, value])) },
  };
}

/** The rows that have these cursors, newest first: as a page without more than them. The time stands alone as well, as in `beyond`. */
export function ofCursors(order: ListSpec["order"], cursors: readonly (readonly string[])[]): Condition {
  const at = (name: string) => `fromUnixTimestamp64Micro({${name}:Int64}, 'UTC')`;
  const types = Object.values(order.ties);
  const names = types.map((type, i) => `{ties_${i}:Array(${type})}`);
  const value = (type: string, text: string) => (type.startsWith("UInt") ? BigInt(text) : text);
  const ties = types.map((type, i) => [`ties_${i}`, cursors.map((cursor) => value(type, cursor[i + 1]!))]);
  return {
    sql: `t.${order.time} BETWEEN ${at("last")} AND ${at("newest")} AND (${tiesOf(order).join(", ")}) IN (SELECT arrayJoin(arrayZip(${names.join(", ")})))`,
    params: { newest: cursors[0]![0], last: cursors.at(-1)![0], ...Object.fromEntries(ties) },
    beyondKeys: true,
  };
}

/** Chain and time: from `since` on, before `until`. */
export function commonConditions({ chainId, since, until }: CommonFilter, time: string): Condition[] {
  const at = (name: string) => `fromUnixTimestamp64Milli({${name}:Int64}, 'UTC')`;
  return [
    ...equal("chain_id", "UInt64", chainId),
    ...(since ? [{ sql: `t.${time} >= ${at("since")}`, params: { since: since.getTime() }, ofTime: true }] : []),
    ...(until ? [{ sql: `t.${time} < ${at("until")}`, params: { until: until.getTime() }, ofTime: true }] : []),
  ];
}

/** `column = value`, or nothing when there is no value. */
export function equal(column: string, type: string, value: unknown): Condition[] {
  return value === undefined ? [] : [{ sql: `t.${column} = {${column}:${type}}`, params: { [column]: value } }];
}

/** `column = bytes` for a value in hex with 0x, or nothing when there is none. */
export function equalHex(column: string, value: string | undefined): Condition[] {
  return value === undefined
    ? []
    : [{ sql: `t.${column} = unhex({${column}:String})`, params: { [column]: value.slice(2) } }];
}

/** Of any of these transactions. @param columns a hash, or arrays of them @param hashes `0x…` @param heights of their blocks, where all have one */
export function ofTransactions(
  columns: readonly string[],
  hashes: readonly string[],
  heights?: readonly number[],
): Condition {
  const [column] = columns;
  const wanted = "arrayMap(x -> toFixedString(unhex(x), 32), {hashes:Array(String)})";
  const sql =
    columns.length === 1
      ? `t.${column} IN (SELECT arrayJoin(${wanted}))`
      : columns.map((each) => `hasAny(t.${each}, ${wanted})`).join(" OR ");
  return {
    sql: heights ? `t.block_number IN (SELECT arrayJoin({heights:Array(UInt64)})) AND (${sql})` : sql,
    params: { hashes: hashes.map((hash) => hash.slice(2)), ...(heights && { heights: [...new Set(heights)] }) },
    beyondKeys: true,
  };
}

/** Blocks that count as replaced now: (chain_id, block_hash). */
export const REPLACED = "(SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)";

/** Up to which height each chain that is followed live is final. */
export const CONFIRMED = "(SELECT mapFromArrays(groupArray(chain_id), groupArray(confirmed)) FROM chain_heads FINAL)";

/** A row of a block that its chain has replaced: it has not happened. */
export const isReplaced = `(t.chain_id, assumeNotNull(t.block_hash)) IN ${REPLACED}`;

/** It has happened: its block was not replaced. */
export const HAPPENED: Condition = { sql: `NOT (t.block_hash IS NOT NULL AND ${isReplaced})` };

/** The opposite, where rows stand by chain and height: few of them are looked at. */
const IN_REPLACED =
  "(t.chain_id, t.block_number, t.block_hash) IN (SELECT chain_id, block_number, toNullable(block_hash) FROM replaced_blocks FINAL WHERE replaced = 1)";

/** The same of any table's alias, and of rows that may have no block: nothing replaces those. */
export const isReplacedIn = (row: string): string =>
  `(${row}.block_hash IS NOT NULL AND (${row}.chain_id, assumeNotNull(${row}.block_hash)) IN ${REPLACED})`;

/**
 * Whether what a row of a block says holds: `pending`, `provisional` while its chain may still replace the block, `confirmed`, `retracted` when it
 * did. Of a chain that nobody follows live (a recording) nothing will be replaced; that somebody does is known from the first record of its
 * `block_status` on.
 */
export const blockStatus = `multiIf(t.block_hash IS NULL, 'pending',
    ${isReplaced}, 'retracted',
    mapContains(${CONFIRMED}, t.chain_id) AND t.block_number > ${CONFIRMED}[t.chain_id], 'provisional',
    'confirmed')`;

/** Bytes as lower-case hex with 0x; NULL stays NULL. */
export const hex = (expression: string) => `concat('0x', lower(hex(${expression})))`;

/** A UTC time as RFC 3339; NULL stays NULL. */
export const iso = (expression: string) => `concat(replaceOne(toString(${expression}), ' ', 'T'), 'Z')`;

/** `t.column AS column` for each. */
export const plain = (...columns: string[]) => columns.map((column) => `t.${column} AS ${column}`);

/** `bytes` of a list: columns by their own names. */
export const named = (...columns: string[]): Record<string, string> =>
  Object.fromEntries(columns.map((column) => [column, `t.${column}`]));
