/**
 * Inserts the closed ranges of a round into the store exactly once, whatever happened before.
 *
 * All of them are one insert a table, since what an insert costs is mostly the insert. It carries a token, and the store takes
 * a block with a known token for a repeat. That holds as long as the store's process lives. After it was killed it does not:
 * the token's record and the rows are two writes, so a repeat may be taken for new, or something new for a repeat. Therefore
 * the token names the store's process (`instance`), and whenever a part of a range may have been inserted before — by an engine
 * that stopped, or into a store that is another process by now — we count first, range by range:
 *
 *     all there, once        nothing to insert
 *     none                   insert
 *     some, or some twice    delete the range, insert
 *
 * More than we can make again is all there, too: what was stored stays, also when the topic no longer has its records. And the
 * roll-ups that the ranges touch are mended from their base tables, since a view's rows are a third write.
 *
 * An engine that is gone may have left its insert of a whole round under way. Whoever has one of its ranges now inserts that
 * under the round's token: either finds the other's done, and is taken for a repeat. If it was ours that came first, the round's
 * other ranges are not there; their owners, who have lost them to the same rebalance, count and see it.
 */
import { randomUUID } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import type { Store } from "../../clickhouse/client.ts";
import { isFindingTable } from "../../clickhouse/tables/findings.ts";
import { joinRows, type StoredRows } from "../../clickhouse/tables/framedRows.ts";
import { COLUMNS } from "../../clickhouse/tables.ts";
import type { Failpoint, FailpointName } from "../ops/failpoint.ts";
import { freeBuffers } from "../ops/freeBuffer.ts";
import type { TableName } from "../worker/outcome.ts";
import { type RangeBounds, rowsOf } from "./rangeBounds.ts";
import { mendRollUps } from "./rollUps.ts";
import { recentInstance, storeInstance } from "./storeInstance.ts";

/** What is to be stored: it will never grow again. */
export interface ClosedRange {
  readonly from: number;
  /** Ends of its batches; the last one is its end. */
  readonly cuts: readonly number[];
  /** Name of the round it was closed in, as the ledger has it. */
  readonly round: string | undefined;
  /** It was there before a restart: the store may have it already, or a part of it. */
  readonly recovered: boolean;
  readonly blocks: Partial<Record<TableName, readonly StoredRows[]>>;
}

export interface Member {
  readonly partition: number;
  readonly range: ClosedRange;
}

export interface StoreRoundOptions {
  readonly store: Store;
  readonly source: string;
  /** Ranges of one round; at least one. */
  readonly members: readonly Member[];
  /** Aborted when a partition is given up: what is begun ends at its next step, since another may be at work by then. */
  readonly signal: AbortSignal;
  /** Waits before the next try, and tells what went wrong: the store may be away for as long as it likes. */
  readonly retry: (error: unknown, attempt: number) => Promise<void>;
  /** For tests that stop the process at a known place. */
  readonly failpoint: Failpoint;
}

const TABLES = Object.keys(COLUMNS) as TableName[];

/**
 * Resolves when every row of the round is in the store once.
 * @throws what `retry` throws: errors that another try would not mend
 */
export async function storeRound(options: StoreRoundOptions): Promise<void> {
  const { store, members, retry } = options;
  /** The store's process that has seen nothing of these ranges but what we inserted ourselves. */
  let trusted: string | undefined;
  let first = !members.some(({ range }) => range.recovered);
  for (let attempt = 1; ; attempt++) {
    try {
      const instance = await (first ? recentInstance(store) : storeInstance(store));
      if (first) trusted = instance;
      first = false;
      if (instance !== trusted) await insertMissing(options, instance);
      else {
        await insertTogether(options, instance);
        if (attempt === 1) await freeMerged(members);
      }
      return;
    } catch (error) {
      await retry(error, attempt);
    }
  }
}

/** One for all findings: a crash test stops at each point there is, and they are alike. */
const pointOf = (table: TableName): FailpointName =>
  isFindingTable(table) ? "stored findings" : (`stored ${table}` as const);

/** All tables at once: beside the transactions the others are done by the time these are, and one after the other they would be a fifth of a round. */
async function insertTogether(options: StoreRoundOptions, instance: string): Promise<void> {
  options.signal.throwIfAborted();
  const inserts = TABLES.map(async (table) => {
    await insert(options, table, options.members, tokenOf(options.members[0]!, table, instance));
    options.failpoint(pointOf(table));
  });
  // What failed is told once nothing is under way any more: the next attempt must not meet this one.
  const failed = (await Promise.allSettled(inserts)).find((each) => each.status === "rejected");
  if (failed) throw failed.reason;
  options.signal.throwIfAborted();
}

/**
 * Each statement is about all members and, where it can be, all tables: a recovered round is some 12 statements, not 90.
 * The first insert of a table goes under the round's token. That outlives its rows, deleted by us or by an attempt before this
 * one, and one of a round may have been another member's: what is missing still comes under a token that nobody had.
 */
async function insertMissing(options: StoreRoundOptions, instance: string): Promise<void> {
  const { store, source, members, signal, failpoint } = options;
  for (let pass = 1; ; pass++) {
    signal.throwIfAborted();
    const count = await countRanges(store, source, members);
    let missing = 0;
    for (const table of TABLES) {
      const lacking = members.filter((member) => !isWhole(rowsIn(member, table), count(table, member)));
      if (lacking.length === 0) continue;
      if (pass > MAX_PASSES)
        throw new Error(
          `Cannot store round "${members[0]!.range.round}": ${table} still lacks rows after ${MAX_PASSES} inserts, expected all of them`,
        );
      missing++;
      const torn = lacking.filter((member) => count(table, member).rows > 0);
      if (torn.length > 0) {
        const { sql, params } = rowsOf(source, torn.map(boundsOf));
        await store.command(`DELETE FROM ${table} WHERE ${sql}`, params);
      }
      signal.throwIfAborted();
      const token = tokenOf(members[0]!, table, instance);
      await insert(options, table, lacking, pass === 1 ? token : `${token}-${randomUUID()}`);
      failpoint(pointOf(table));
    }
    if (missing === 0) break;
  }
  await mendRollUps(store, source, members.map(boundsOf));
}

/** The second is for a known token, the third for an insert of an engine that is gone and came in between. */
const MAX_PASSES = 3;

/** All there, once. More than we can make again is all there, too. */
const isWhole = (rows: number, present: Present): boolean =>
  present.distinct > rows || (present.distinct === rows && present.rows === rows);

interface Present {
  readonly rows: number;
  readonly distinct: number;
}

async function insert(
  { store, signal }: StoreRoundOptions,
  table: TableName,
  members: readonly Member[],
  token: string,
): Promise<void> {
  const rows = members.flatMap(({ range }) => range.blocks[table] ?? []);
  if (rows.length === 0) return;
  const { bodies, free } = await joinRows(rows);
  signal.throwIfAborted();
  await store.insertBlock({
    table,
    columns: COLUMNS[table].map(([name]) => name),
    types: COLUMNS[table].map(([, type]) => type),
    format: "Native",
    bodies,
    rows: sumRows(rows),
    token,
  });
  free();
}

/** The store has had these, and there was no attempt before that may still read them. A table's only block is left to the garbage collector. */
async function freeMerged(members: readonly Member[]): Promise<void> {
  const tables = TABLES.map((table) => members.flatMap(({ range }) => range.blocks[table] ?? []));
  const merged = tables.filter(({ length }) => length > 1).flat();
  for (let from = 0; from < merged.length; from += FREED_AT_ONCE) {
    if (from > 0) await turn();
    freeBuffers(merged.slice(from, from + FREED_AT_ONCE).map(({ bytes }) => bytes.buffer));
  }
}

/** Some 1 ms of them: all of a second took 7 to 12. */
const FREED_AT_ONCE = 128;

const rowsIn = ({ range }: Member, table: TableName): number => sumRows(range.blocks[table] ?? []);

const sumRows = (blocks: readonly StoredRows[]): number => blocks.reduce((sum, { rows }) => sum + rows, 0);

const tokenOf = ({ range }: Member, table: TableName, instance: string): string =>
  `${range.round}-${table}-${instance}`;

const boundsOf = ({ partition, range }: Member): RangeBounds => ({
  partition,
  from: range.from,
  to: range.cuts.at(-1)!,
});

/** What makes a row of each table one of a kind within its source and partition. */
const IDENTITY: Readonly<Record<TableName, string>> = {
  transactions: "offset, n",
  transfers: "offset, n, log_index",
  alerts: "offset, n, alert_id",
  dead_letters: "offset, n, reason, rule",
  rule_stats: "offset, rule, rule_version",
  rule_state: "offset, rule, trial, name, shape, key",
  swaps: "offset, n, log_index",
  arbitrages: "offset, n, log_index, definition, evidence",
  sandwiches: "offset, n, log_index, evidence",
  liquidations: "offset, n, log_index",
  jit_liquidity: "offset, n, log_index, evidence",
  failed_attempts: "offset, n",
  opportunities: "offset, n, opportunity_id",
  opportunity_captures: "offset, n, pool",
  gas_blocks: "offset, n",
};

/** One statement counts what is there of all members, which are of different partitions, in all tables. */
async function countRanges(
  store: Store,
  source: string,
  members: readonly Member[],
): Promise<(table: TableName, member: Member) => Present> {
  const { sql, params } = rowsOf(source, members.map(boundsOf));
  const counts = TABLES.map(
    (table) =>
      `SELECT '${table}' AS name, partition, count() AS rows, uniqExact(${IDENTITY[table]}) AS distinct FROM ${table} WHERE ${sql} GROUP BY partition`,
  );
  const found = await store.rows<{ name: string; partition: number; rows: string; distinct: string }>(
    counts.join(" UNION ALL "),
    params,
  );
  const byPlace = new Map(
    found.map(({ name, partition, rows, distinct }) => [
      `${name} ${partition}`,
      { rows: Number(rows), distinct: Number(distinct) },
    ]),
  );
  return (table, { partition }) => byPlace.get(`${table} ${partition}`) ?? { rows: 0, distinct: 0 };
}
