/**
 * Inserts a closed range into the store exactly once, whatever happened before.
 *
 * An insert carries a token, and the store takes a block with a known token for a repeat. That holds as long as the store's
 * process lives. After it was killed it does not: the token's record and the rows are two writes, so a repeat may be taken for
 * new, or something new for a repeat. Therefore the token names the store's process (`instance`), and whenever a part of the
 * range may have been inserted before — by an engine that stopped, or into a store that is another process by now — we count first:
 *
 *     all rows there   nothing to insert
 *     none             insert
 *     some             delete the range, insert
 *
 * and the roll-ups that the range touches are made anew from their base table, since a view's rows are a third write.
 */
import { randomUUID } from "node:crypto";
import type { Store } from "../../clickhouse/client.ts";
import { COLUMNS } from "../../clickhouse/tables.ts";
import type { Failpoint } from "../ops/failpoint.ts";
import type { TableName } from "../worker/outcome.ts";
import { recomputeRollUps } from "./rollUps.ts";
import { storeInstance } from "./storeInstance.ts";

/** What is to be stored: it will never grow again. */
export interface ClosedRange {
  readonly from: number;
  /** Ends of its batches; the last one is its end. */
  readonly cuts: readonly number[];
  /** It was closed before a restart: the store may have it already, or a part of it. */
  readonly recovered: boolean;
  readonly blocks: Partial<Record<TableName, { readonly rows: number; readonly bodies: readonly Uint8Array[] }>>;
}

export interface StoreRangeOptions {
  readonly store: Store;
  readonly source: string;
  readonly partition: number;
  readonly range: ClosedRange;
  /** Waits before the next try, and tells what went wrong: the store may be away for as long as it likes. */
  readonly retry: (error: unknown, attempt: number) => Promise<void>;
  /** For tests that stop the process at a known place. */
  readonly failpoint: Failpoint;
}

/** Tables in the order in which they are inserted. */
const TABLES = Object.keys(COLUMNS) as TableName[];

/**
 * Resolves when every row of the range is in the store once.
 * @throws what `retry` throws: errors that another try would not mend
 */
export async function storeRange(options: StoreRangeOptions): Promise<void> {
  const { store, range, retry } = options;
  /** The store's process that has seen nothing of this range but what we inserted ourselves. */
  let trusted: string | undefined;
  let first = !range.recovered;
  for (let attempt = 1; ; attempt++) {
    try {
      const instance = await storeInstance(store);
      if (first) trusted = instance;
      first = false;
      await insertTables(options, instance, instance !== trusted);
      return;
    } catch (error) {
      await retry(error, attempt);
    }
  }
}

async function insertTables(options: StoreRangeOptions, instance: string, probe: boolean): Promise<void> {
  const { store, source, partition, range, failpoint } = options;
  const to = range.cuts.at(-1)!;
  for (const table of TABLES) {
    const block = range.blocks[table] ?? { rows: 0, bodies: [] };
    let token = `${source}-${partition}-${range.from}-${to}-${table}-${instance}`;
    if (probe) {
      const present = await countRange(options, table);
      if (present === block.rows) continue;
      if (present > 0) {
        await store.command(`DELETE FROM ${table} WHERE ${IN_RANGE}`, bounds(options));
        token += `-${randomUUID()}`; // the first one is still known, though its rows are deleted
      }
    }
    if (block.rows === 0) continue;
    await store.insertBlock({
      table,
      columns: COLUMNS[table].map(([name]) => name),
      format: "Native",
      bodies: block.bodies,
      rows: block.rows,
      token,
    });
    failpoint(`stored ${table}`);
  }
  if (probe) await recomputeRollUps(store, bounds(options));
}

const IN_RANGE =
  "source = {source:String} AND partition = {partition:UInt16} AND offset >= {from:UInt64} AND offset < {to:UInt64}";

const bounds = ({ source, partition, range }: StoreRangeOptions) => ({
  source,
  partition,
  from: range.from,
  to: range.cuts.at(-1)!,
});

async function countRange(options: StoreRangeOptions, table: TableName): Promise<number> {
  const [row] = await options.store.rows<{ rows: number | string }>(
    `SELECT count() AS rows FROM ${table} WHERE ${IN_RANGE}`,
    bounds(options),
  );
  return Number(row!.rows);
}
