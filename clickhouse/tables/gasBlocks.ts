/** Columns of gas_blocks, a row a block. What they mean is in the migration; rows are made in engine/worker/gasRows.ts. */
export const GAS_BLOCK = [
  ["source", "String"],
  ["partition", "UInt16"],
  ["offset", "UInt64"],
  ["n", "UInt32"],
  ["record_time", "DateTime64(3, 'UTC')"],
  ["event_time", "DateTime64(6, 'UTC')"],
  ["chain_id", "UInt64"],
  ["block_number", "UInt64"],
  ["block_hash", "FixedString(32)"],
  ["block_timestamp", "Nullable(DateTime64(0, 'UTC'))"],
  ["miner", "Nullable(FixedString(20))"],
  ["gas_used", "Nullable(UInt64)"],
  ["gas_limit", "Nullable(UInt64)"],
  ["base_fee_per_gas", "Nullable(UInt128)"],
  ["burnt", "Nullable(UInt256)"],
  ["transactions", "Nullable(UInt32)"],
  ["transactions_seen", "UInt32"],
  ["priority_fees", "Nullable(UInt256)"],
  ["priority_fee_p10", "Nullable(UInt128)"],
  ["priority_fee_p25", "Nullable(UInt128)"],
  ["priority_fee_p50", "Nullable(UInt128)"],
  ["priority_fee_p75", "Nullable(UInt128)"],
  ["priority_fee_p90", "Nullable(UInt128)"],
  ["blob_gas_used", "Nullable(UInt64)"],
  ["extra_data", "String"],
] as const;

/** Of the block's gas, in the order of the columns. */
export const FEE_PERCENTILES = [10, 25, 50, 75, 90] as const;
