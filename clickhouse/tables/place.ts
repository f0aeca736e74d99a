/** What rows of findings have in common. */

/** Where a finding's transaction stands. */
export const PLACE = [
  ["source", "String"],
  ["partition", "UInt16"],
  ["offset", "UInt64"],
  ["n", "UInt32"],
  ["event_time", "DateTime64(6, 'UTC')"],
  ["chain_id", "UInt64"],
  ["block_number", "UInt64"],
  ["block_hash", "Nullable(FixedString(32))"],
  ["block_timestamp", "Nullable(DateTime64(0, 'UTC'))"],
  ["transaction_index", "Nullable(UInt32)"],
  ["tx_hash", "FixedString(32)"],
  ["tx_from", "FixedString(20)"],
  ["tx_to", "Nullable(FixedString(20))"],
] as const;

/** How sure a finding is, and why. */
export const JUDGED = [
  ["status", "String"],
  ["confidence", "String"],
  ["reason", "String"],
  ["evidence", "Array(UInt32)"],
] as const;
