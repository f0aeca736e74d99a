import type { Store } from "../../clickhouse/client.ts";

/** Where a range lies: what its rows have in common. */
export interface RangeBounds extends Record<string, unknown> {
  readonly source: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

interface RollUp {
  readonly table: string;
  readonly base: string;
  /** The view's SELECT, as in the migration, over the base rows of one source and partition and the minutes in question. */
  readonly select: string;
}

const MINUTE = "toDateTime(toStartOfMinute(event_time), 'UTC')";

const ROLL_UPS: readonly RollUp[] = [
  {
    table: "transactions_per_minute",
    base: "transactions",
    select: `chain_id, ${MINUTE} AS minute, source, partition, count() AS transactions, countIf(block_number IS NULL) AS pending,
      countIf(status = 0) AS failed, sum(ifNull(gas_used, 0)) AS gas_used, sum(length(input)) AS input_bytes`,
  },
  {
    table: "alerts_per_minute",
    base: "alerts",
    select: `chain_id, ${MINUTE} AS minute, rule, severity, source, partition, count() AS alerts`,
  },
];

/**
 * Makes the buckets that a range touches anew from the base table. A bucket belongs to one source and partition, so nobody else
 * writes it. Run twice it gives the same: a kill in the middle is mended by the next run.
 */
export async function recomputeRollUps(store: Store, bounds: RangeBounds): Promise<void> {
  for (const { table, base, select } of ROLL_UPS) {
    const minutes = `SELECT ${MINUTE} FROM ${base} WHERE source = {source:String} AND partition = {partition:UInt16}
      AND offset >= {from:UInt64} AND offset < {to:UInt64}`;
    const owned = "source = {source:String} AND partition = {partition:UInt16}";
    await store.command(`DELETE FROM ${table} WHERE ${owned} AND minute IN (${minutes})`, bounds);
    // Made twice, the block is the same bytes: without this it would be taken for a repeat, and dropped.
    await store.command(
      `INSERT INTO ${table} SELECT ${select} FROM ${base} WHERE ${owned} AND ${MINUTE} IN (${minutes})
       GROUP BY ALL SETTINGS insert_deduplicate = 0`,
      bounds,
    );
  }
}
