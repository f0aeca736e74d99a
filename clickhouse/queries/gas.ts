import { FEE_PERCENTILES } from "../tables/gasBlocks.ts";
import { hex, iso, isReplaced, plain } from "./list.ts";
import type { Query } from "./types.ts";

/** A block as gas_blocks has it; integers as decimal text. */
export interface GasBlockRow {
  readonly number: string;
  readonly hash: string;
  readonly timestamp: string | null;
  readonly base_fee_per_gas: string | null;
  readonly gas_used: string | null;
  readonly gas_limit: string | null;
  /** Transactions that the block says it has. */
  readonly transactions: number | null;
  /** Of these, that came in together. */
  readonly transactions_seen: number;
  /** Of the header, where the source had them: what Optimism's chains put there; empty if not. */
  readonly extra_data: string;
  readonly blob_gas_used: string | null;
  /** Wei per gas at FEE_PERCENTILES; null where not all is known. */
  readonly fees: readonly (string | null)[];
}

/** So many rows are looked at for a block: it may have come in several times, and others of its height have been replaced. */
const ROWS_A_BLOCK = 10;

/**
 * The newest blocks of a chain, highest first. Of several for one height: one that was not replaced, the most of it, and then the one that
 * came in last.
 */
export function gasBlocksQuery(chainId: number, blocks: number): Query {
  return {
    sql: `SELECT ${[
      "toString(t.block_number) AS number",
      `${hex("t.block_hash")} AS hash`,
      `${iso("t.block_timestamp")} AS timestamp`,
      ...plain("base_fee_per_gas", "gas_used", "gas_limit", "blob_gas_used"),
      ...plain("transactions", "transactions_seen", "extra_data"),
      `[${FEE_PERCENTILES.map((percentile) => `toString(t.priority_fee_p${percentile})`).join(", ")}] AS fees`,
    ].join(", ")}
FROM (
  SELECT * FROM gas_blocks WHERE chain_id = {chain_id:UInt64} ORDER BY chain_id DESC, block_number DESC LIMIT ${ROWS_A_BLOCK * blocks}
) AS t
ORDER BY t.block_number DESC, ${isReplaced}, t.transactions_seen DESC, t.record_time DESC
LIMIT 1 BY t.block_number
LIMIT {blocks:UInt32}`,
    params: { chain_id: chainId, blocks },
  };
}

/** Chains of which a block is stored. */
export const chainsQuery = (): Query => ({
  sql: "SELECT DISTINCT toString(t.chain_id) AS chain_id FROM gas_blocks AS t ORDER BY t.chain_id LIMIT 100",
  params: {},
});
