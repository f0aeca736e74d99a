/** What the store keeps of blocks that were replaced, and what it has that they said. */
import type { Store } from "../../clickhouse/client.ts";
import type { StatusRecord } from "./statusRecord.ts";

/** A block whose word has changed: what it said does not hold any more, or holds again. */
export type Turn = Pick<StatusRecord, "chainId" | "number" | "hash"> & { readonly replaced: boolean };

/**
 * Writes down what records of one partition say, once however often it is done.
 * @returns the blocks that they turn, in order: replaced ones, and those that the chain came back to
 */
export async function putStatuses(store: Store, records: readonly StatusRecord[], reorgDepth: number): Promise<Turn[]> {
  const before = await replacedBefore(store, records);
  const turns: Turn[] = [];
  for (const { chainId, number, hash, status } of records) {
    const replaced = status === "replaced";
    const key = `${chainId} ${hash}`;
    if (replaced === before.has(key)) continue;
    turns.push({ chainId, number, hash, replaced });
    if (replaced) before.add(key);
    else before.delete(key);
  }
  const turning = new Set(turns.map(({ chainId, hash }) => `${chainId} ${hash}`));
  await insert(store, "replaced_blocks", records.filter(({ chainId, hash }) => turning.has(`${chainId} ${hash}`)), "replaced", ({ status }) => (status === "replaced" ? 1 : 0)); // biome-ignore format: one call
  const heads = new Map(records.filter(({ status }) => status === "mined").map((record) => [record.chainId, record]));
  await insert(store, "chain_heads", [...heads.values()], "confirmed", ({ number }) =>
    Math.max(0, number - reorgDepth),
  );
  return turns;
}

/**
 * Of these blocks those that counted as replaced before the first record. What is stored from these records themselves, by an attempt that
 * was not finished, does not count: their offsets are not before it.
 */
async function replacedBefore(store: Store, records: readonly StatusRecord[]): Promise<Set<string>> {
  if (records.length === 0) return new Set();
  const rows = await store.rows<{ chain: string; hash: string }>(
    `SELECT toString(chain_id) AS chain, concat('0x', lower(hex(block_hash))) AS hash
     FROM replaced_blocks WHERE offset < {first:UInt64} AND lower(hex(block_hash)) IN {hashes:Array(String)}
     GROUP BY chain_id, block_hash HAVING argMax(replaced, offset) = 1`,
    { first: Math.min(...records.map(({ offset }) => offset)), hashes: records.map(({ hash }) => hash.slice(2)) },
  );
  return new Set(rows.map(({ chain, hash }) => `${chain} ${hash}`));
}

async function insert(
  store: Store,
  table: string,
  records: readonly StatusRecord[],
  column: string,
  worth: (record: StatusRecord) => number,
): Promise<void> {
  if (records.length === 0) return;
  await store.command(
    `INSERT INTO ${table} (chain_id, block_number, block_hash, ${column}, offset)
     SELECT r.1, r.2, unhex(r.3), r.4, r.5
     FROM (SELECT arrayJoin(arrayZip({chains:Array(UInt64)}, {numbers:Array(UInt64)}, {hashes:Array(String)}, {values:Array(UInt64)}, {offsets:Array(UInt64)})) AS r)`,
    {
      chains: records.map(({ chainId }) => chainId),
      numbers: records.map(({ number }) => number),
      hashes: records.map(({ hash }) => hash.slice(2)),
      values: records.map(worth),
      offsets: records.map(({ offset }) => offset),
    },
  );
}

/** Where a block's transactions stood on the topic, and whether all of them are stored; undefined while none is. */
export interface BlockPlace {
  readonly partition: number;
  /** Of its last record. */
  readonly offset: number;
  readonly isWhole: boolean;
}

export async function placeOf(store: Store, topic: string, turn: Turn): Promise<BlockPlace | undefined> {
  const [row] = await store.rows<{ partition: number; last: string; rows: string; count: number }>(
    `SELECT partition, max(offset) AS last, uniqExact(transaction_index) AS rows, max(ifNull(block_transaction_count, 0)) AS count
     FROM transactions WHERE source = {topic:String} AND ${OF_BLOCK} GROUP BY partition`,
    { topic, ...ofBlock(turn) },
  );
  return row && { partition: row.partition, offset: Number(row.last), isWhole: Number(row.rows) >= row.count };
}

/** An alert that a block raised, as its retraction names it. */
export interface BlockAlert {
  readonly id: string;
  readonly rule: string;
  readonly version: number;
  readonly severity: string;
  readonly tx_hash: string;
}

export async function alertsOf(store: Store, turn: Turn): Promise<BlockAlert[]> {
  return store.rows<BlockAlert>(
    `SELECT DISTINCT lower(hex(alert_id)) AS id, rule, rule_version AS version, severity, concat('0x', lower(hex(tx_hash))) AS tx_hash
     FROM alerts WHERE ${OF_BLOCK} ORDER BY id`,
    ofBlock(turn),
  );
}

const OF_BLOCK = "chain_id = {chain:UInt64} AND block_number = {number:UInt64} AND block_hash = unhex({hash:String})";
const ofBlock = ({ chainId, number, hash }: Pick<Turn, "chainId" | "number" | "hash">): Record<string, unknown> => ({
  ...{ chain: chainId, number, hash: hash.slice(2) },
});
