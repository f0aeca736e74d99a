/** Columns of opportunities and of what captured them. What they mean is in the migration; rows are made in engine/worker/opportunityRows.ts. */

/** Where the transaction stands that made the opportunity: in a block, or nowhere yet. */
export const PENDING_PLACE = [
  ["source", "String"],
  ["partition", "UInt16"],
  ["offset", "UInt64"],
  ["n", "UInt32"],
  ["event_time", "DateTime64(6, 'UTC')"],
  ["chain_id", "UInt64"],
  ["block_number", "Nullable(UInt64)"],
  ["block_hash", "Nullable(FixedString(32))"],
  ["block_timestamp", "Nullable(DateTime64(0, 'UTC'))"],
  ["transaction_index", "Nullable(UInt32)"],
  ["tx_hash", "FixedString(32)"],
  ["tx_from", "FixedString(20)"],
  ["tx_to", "Nullable(FixedString(20))"],
] as const;

export const OPPORTUNITY = [
  ["opportunity_id", "FixedString(16)"],
  ["kind", "String"],
  ["log_index", "Nullable(UInt32)"],
  ["state_block", "UInt64"],
  ["dex", "String"],
  ["pool", "FixedString(20)"],
  ["token0", "FixedString(20)"],
  ["token1", "FixedString(20)"],
  ["reserve0", "Nullable(Float64)"],
  ["reserve1", "Nullable(Float64)"],
  ["reserve0_raw", "UInt256"],
  ["reserve1_raw", "UInt256"],
  ["sqrt_price_x96", "Nullable(UInt256)"],
  ["liquidity", "Nullable(UInt128)"],
  ["imbalance_pct", "Nullable(Float64)"],
  ["imbalance_pct_raw", "Float64"],
  ["other_dex", "String"],
  ["other_pool", "Nullable(FixedString(20))"],
  ["profit_token", "Nullable(FixedString(20))"],
  ["amount_in_raw", "Nullable(UInt256)"],
  ["amount_out_raw", "Nullable(UInt256)"],
  ["profit_raw", "Nullable(Int256)"],
  ["gas_cost_raw", "Nullable(UInt256)"],
  ["profit_native", "Nullable(Float64)"],
  ["profit_native_raw", "Nullable(Int256)"],
  ["profit_usd", "Nullable(Decimal(38, 6))"],
  ["is_small_opportunity", "Nullable(Bool)"],
  ["exposure_token", "Nullable(FixedString(20))"],
  ["exposure_front_raw", "Nullable(UInt256)"],
  ["exposure_loss_raw", "Nullable(UInt256)"],
  ["exposure_profit_raw", "Nullable(Int256)"],
] as const;

export const CAPTURE = [
  ["log_index", "UInt32"],
  ["pool", "FixedString(20)"],
  ["account", "FixedString(20)"],
] as const;
