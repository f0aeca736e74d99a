import type { Query } from "./types.ts";

/** What a sender's values are usually like: of log2(1 + wei). null where there are none. */
export interface SenderValuesRow {
  readonly samples: string;
  readonly median: number | null;
  readonly mad: number | null;
}

/** Earlier mined transactions of a sender that are looked at: the newest. */
const MAX_SAMPLES = 1_000;

/** @param before RFC 3339 @param from `0x…` */
export const senderValuesQuery = (chainId: number, from: string, before: string): Query => ({
  sql: `SELECT toString(length(logs)) AS samples, if(empty(logs), NULL, arrayReduce('medianExact', logs)) AS median,
  if(empty(logs), NULL, arrayReduce('medianExact', arrayMap(x -> abs(x - median), logs))) AS mad
FROM (
  SELECT groupArray(log2(1 + toFloat64(value))) AS logs FROM (
    SELECT t.value AS value FROM transactions AS t
    WHERE t.chain_id = {chain_id:UInt64} AND t.from_address = unhex({from:String}) AND t.block_number IS NOT NULL
      AND t.value > 0 AND t.event_time < parseDateTime64BestEffort({before:String}, 6, 'UTC')
    ORDER BY t.event_time DESC LIMIT ${MAX_SAMPLES}
  )
)`,
  params: { chain_id: chainId, from: from.slice(2), before },
});
