import { hex, iso } from "./list.ts";
import type { Query } from "./types.ts";

/** A block as its transactions' rows tell; integers as decimal text. */
export interface GasBlockRow {
  readonly number: string;
  readonly hash: string | null;
  readonly timestamp: string | null;
  readonly base_fee: string | null;
  readonly gas_used: string | null;
  readonly gas_limit: string | null;
  /** Transactions that the block says it has. */
  readonly transactions: number | null;
  /** Of the header, where the source had them: what Optimism's chains put there; empty if not. */
  readonly extra_data: string;
  readonly blob_gas_used: string;
  /** Price paid in wei per gas and gas used of each transaction that is stored; null where its receipt did not say. */
  readonly paid: readonly (readonly [price: string | null, gas: string | null])[];
}

/** Rows that are looked at: the newest, which the table's order gives without reading the others. The fullest blocks have 1,500, and each may have come in twice. */
const MAX_ROWS = 200_000;
const ROWS_A_BLOCK = 4_000;

/**
 * The newest blocks of a chain, highest first. Of two that were stored for one height the one that came in last. A transaction that came
 * in twice counts once.
 */
export function gasBlocksQuery(chainId: number, blocks: number): Query {
  return {
    sql: `SELECT toString(height) AS number, ${hex("hash_bytes")} AS hash,
  ${iso("time")} AS timestamp, toString(base) AS base_fee, toString(used) AS gas_used,
  toString(most) AS gas_limit, transactions, extra_data, blob_gas_used,
  arrayMap(x -> (toString(x.2), toString(x.3)), each) AS paid
FROM (
  SELECT t.block_number AS height, t.block_hash AS hash_bytes, any(t.block_timestamp) AS time, any(t.base_fee_per_gas) AS base,
    any(t.block_gas_used) AS used, any(t.block_gas_limit) AS most, any(t.block_transaction_count) AS transactions,
    any(extract(t.extra, '"block\\\\.extraData":"(0x[0-9a-f]*)"')) AS extra_data,
    any(extract(t.extra, '"block\\\\.blobGasUsed":"(0x[0-9a-f]{1,16})"')) AS blob_gas_used,
    groupUniqArray((t.hash, t.effective_gas_price, t.gas_used)) AS each, max(t.record_time) AS came
  FROM (
    SELECT hash, block_number, block_hash, block_timestamp, base_fee_per_gas, block_gas_used, block_gas_limit, block_transaction_count,
      extra, effective_gas_price, gas_used, record_time
    FROM transactions
    WHERE chain_id = {chain_id:UInt64} AND block_number IS NOT NULL
    ORDER BY chain_id DESC, event_time DESC
    LIMIT ${Math.min(MAX_ROWS, ROWS_A_BLOCK * blocks)}
  ) AS t
  GROUP BY height, hash_bytes
)
ORDER BY height DESC, came DESC
LIMIT 1 BY height
LIMIT {blocks:UInt32}`,
    params: { chain_id: chainId, blocks },
  };
}

/** Chains of which a block is stored. */
export const chainsQuery = (): Query => ({
  sql: "SELECT DISTINCT toString(t.chain_id) AS chain_id FROM transactions AS t WHERE t.block_number IS NOT NULL ORDER BY t.chain_id LIMIT 100",
  params: {},
});
