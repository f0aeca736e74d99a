/** What is usual on a chain, from blocks that will not be replaced any more: see engine/world/baselines.ts. */
import { blockStatus } from "./list.ts";
import type { Query } from "./types.ts";

/** A key with the median and the median absolute deviation of log2(1 + x). */
export interface BaselineQueryRow {
  /** Hex digits. */
  readonly key: string;
  /** Of which the newest count. */
  readonly samples: string;
  readonly median: number;
  readonly mad: number;
}

/** Mined transactions of a chain that are looked at, the newest: 20 hours of Ethereum. */
const MAX_ROWS = 1_000_000;
/** Amounts of one key that a median is made from: the newest. */
const MAX_SAMPLES = 256;

/** Chains of which anything is stored. */
export const storedChainsQuery: Query = {
  sql: "SELECT DISTINCT toString(chain_id) AS chain FROM transactions_per_minute ORDER BY chain_id",
  params: {},
};

const WHAT = {
  sender_value: { key: "t.from_address", amount: "t.value", counts: "t.value > 0" },
  selector_gas: { key: "substring(t.input, 1, 4)", amount: "t.gas", counts: "length(t.input) >= 4" },
} as const;

/**
 * @param least samples that a key must have
 * @param most keys: those with the most samples
 */
export function baselinesQuery(chainId: number, kind: keyof typeof WHAT, least: number, most: number): Query {
  const { key, amount, counts } = WHAT[kind];
  return {
    sql: `SELECT lower(hex(k)) AS key, toString(n) AS samples,
  arrayReduce('medianExact', logs) AS median, arrayReduce('medianExact', arrayMap(x -> abs(x - median), logs)) AS mad
FROM (
  SELECT k, groupArray(${MAX_SAMPLES})(log) AS logs, count() AS n FROM (
    SELECT ${key} AS k, log2(1 + toFloat64(${amount})) AS log, ${counts} AS counts FROM transactions AS t
    WHERE t.chain_id = {chain_id:UInt64} AND t.block_number IS NOT NULL AND ${blockStatus} = 'confirmed'
    ORDER BY t.chain_id DESC, t.event_time DESC
    LIMIT ${MAX_ROWS}
  )
  WHERE counts
  GROUP BY k HAVING n >= {least:UInt32}
  ORDER BY n DESC, k LIMIT {most:UInt32}
)`,
    params: { chain_id: chainId, least, most },
  };
}
