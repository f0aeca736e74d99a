import type { Store } from "../../clickhouse/client.ts";
import { type RangeBounds, rowsOf } from "./rangeBounds.ts";

interface RollUp {
  readonly table: string;
  readonly base: string;
  /** The view's SELECT, as in the migration, over the base rows of one source and the partitions' minutes in question. */
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
 * Makes the buckets that ranges touch anew from the base table. A bucket belongs to one source and partition, so nobody else
 * writes it. Run twice it gives the same: a kill in the middle is mended by the next run.
 */
export async function recomputeRollUps(store: Store, source: string, ranges: readonly RangeBounds[]): Promise<void> {
  const { sql: inRanges, params } = rowsOf(source, ranges);
  for (const { table, base, select } of ROLL_UPS) {
    const touched = `SELECT partition, ${MINUTE} FROM ${base} WHERE ${inRanges}`;
    await store.command(
      `DELETE FROM ${table} WHERE source = {source:String} AND (partition, minute) IN (${touched})`,
      params,
    );
    // Made twice, the block is the same bytes: without this it would be taken for a repeat, and dropped.
    await store.command(
      `INSERT INTO ${table} SELECT ${select} FROM ${base}
       WHERE source = {source:String} AND (partition, ${MINUTE}) IN (${touched})
       GROUP BY ALL SETTINGS insert_deduplicate = 0`,
      params,
    );
  }
}
