/**
 * Inserts a closed range into the store exactly once, whatever happened before.
 *
 * An insert carries a token, and the store takes a block with a known token for a repeat. That holds as long as the store's
 * process lives. After it was killed it does not: the token's record and the rows are two writes, so a repeat may be taken for
 * new, or something new for a repeat. Therefore the token names the store's process (`instance`), and whenever a part of the
 * range may have been inserted before — by an engine that stopped, or into a store that is another process by now — we count first:
 *
 *     all there, once        nothing to insert
 *     none                   insert
 *     some, or some twice    delete the range, insert
 *
 * More than we can make again is all there, too: what was stored stays, also when the topic no longer has its records.
 *
 * and the roll-ups that the range touches are made anew from their base table, since a view's rows are a third write.
 */
import { createHash, randomUUID } from "node:crypto";
import type { Store } from "../../clickhouse/client.ts";
import { COLUMNS } from "../../clickhouse/tables.ts";
import type { Failpoint } from "../ops/failpoint.ts";
import type { TableName } from "../worker/outcome.ts";
import { recomputeRollUps } from "./rollUps.ts";
import { recentInstance, storeInstance } from "./storeInstance.ts";

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
  /** Aborted when the partition is given up: what is begun ends at its next step, since another may be at work by then. */
  readonly signal: AbortSignal;
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
      const instance = await (first ? recentInstance(store) : storeInstance(store));
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
  const { store, range, signal, failpoint } = options;
  for (const table of TABLES) {
    const block = range.blocks[table] ?? { rows: 0, bodies: [] };
    const token = tokenOf(options, table, block.bodies, instance);
    signal.throwIfAborted();
    if (!probe) {
      await insert(options, table, token);
    } else {
      let present = await countRange(options, table);
      if (present.rows === present.distinct && present.rows >= block.rows) continue;
      if (present.rows > 0) await store.command(`DELETE FROM ${table} WHERE ${IN_RANGE}`, bounds(options));
      await insert(options, table, token);
      // A token outlives its rows: deleted by us or by an attempt before this one, they come back under another only.
      present = await countRange(options, table);
      if (present.rows < block.rows) await insert(options, table, `${token}-${randomUUID()}`);
    }
    failpoint(`stored ${table}`);
  }
  signal.throwIfAborted();
  if (probe) await recomputeRollUps(store, bounds(options));
}

async function insert({ store, range }: StoreRangeOptions, table: TableName, token: string): Promise<void> {
  const block = range.blocks[table];
  if (block === undefined || block.rows === 0) return;
  const columns = COLUMNS[table].map(([name]) => name);
  await store.insertBlock({ table, columns, format: "Native", bodies: block.bodies, rows: block.rows, token });
}

/** Names position, content and the store's process: a topic that was made again has the same positions and other content. */
function tokenOf(
  options: StoreRangeOptions,
  table: TableName,
  bodies: readonly Uint8Array[],
  instance: string,
): string {
  const { source, partition, from, to } = bounds(options);
  const content = createHash("sha1");
  for (const body of bodies) content.update(body);
  return `${source}-${partition}-${from}-${to}-${table}-${instance}-${content.digest("hex").slice(0, 16)}`;
}

const IN_RANGE =
  "source = {source:String} AND partition = {partition:UInt16} AND offset >= {from:UInt64} AND offset < {to:UInt64}";

const bounds = ({ source, partition, range }: StoreRangeOptions) => ({
  source,
  partition,
  from: range.from,
  to: range.cuts.at(-1)!,
});

/** What makes a row of each table one of a kind within its source and partition. */
const IDENTITY: Readonly<Record<TableName, string>> = {
  transactions: "offset, n",
  alerts: "offset, n, alert_id",
  dead_letters: "offset, n, reason, rule",
  rule_stats: "offset, rule, rule_version",
};

async function countRange(options: StoreRangeOptions, table: TableName): Promise<{ rows: number; distinct: number }> {
  const [row] = await options.store.rows<{ rows: string; distinct: string }>(
    `SELECT count() AS rows, uniqExact(${IDENTITY[table]}) AS distinct FROM ${table} WHERE ${IN_RANGE}`,
    bounds(options),
  );
  return { rows: Number(row!.rows), distinct: Number(row!.distinct) };
}
