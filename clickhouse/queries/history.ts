/** Rows in the order of their source, a page at a time: what a live stream goes on with. */
import { ALERTS } from "./alerts.ts";
import { selected } from "./list.ts";
import { completeBytes, type ListSource, ROW_SETTINGS } from "./readList.ts";
import { TRANSACTIONS } from "./transactions.ts";
import type { ListSpec } from "./types.ts";

/** A table and what orders the rows of one transaction. */
const SOURCES = {
  alerts: { list: ALERTS, ties: "t.rule, t.ordinal" },
  transactions: { list: TRANSACTIONS, ties: "t.event_time" },
} as const satisfies Record<string, { list: ListSpec; ties: string }>;

interface HistoryPage {
  readonly table: keyof typeof SOURCES;
  readonly source: string;
  readonly partition: number;
  /** The last row that was read: [offset, n, k]. */
  readonly after: readonly [number, number, number];
  readonly limit: number;
}

/** Rows as the table's list has them, and `k`: which of its transaction's rows it is, from 0 on. */
export async function readHistory<Row extends object>(
  source: ListSource,
  page: HistoryPage,
  settings: Readonly<Record<string, string | number>>,
): Promise<(Row & { k: number })[]> {
  const { sql, params } = historyQuery(page);
  const rows = await source.rows<Row & { k: number }>(sql, params, { ...settings, ...ROW_SETTINGS });
  for (const row of rows) completeBytes(SOURCES[page.table].list, row as Record<string, unknown>);
  return rows;
}

function historyQuery({ table, source, partition, after: [offset, n, k], limit }: HistoryPage) {
  const { list, ties } = SOURCES[table];
  return {
    sql: `SELECT * EXCEPT (o) FROM (
            SELECT ${selected(list).join(", ")}, t.offset AS o, toUInt32(row_number() OVER (PARTITION BY t.offset, t.n ORDER BY ${ties}) - 1) AS k
            FROM ${list.table} AS t
            WHERE t.source = {source:String} AND t.partition = {partition:UInt16} AND t.offset >= {offset:UInt64}
          ) WHERE (o, n, k) > ({offset:UInt64}, {n:Int64}, {k:Int64}) ORDER BY o, n, k LIMIT {limit:UInt32}`,
    params: { source, partition, offset: Math.max(0, offset), n: offset < 0 ? -1 : n, k: offset < 0 ? -1 : k, limit },
  };
}
