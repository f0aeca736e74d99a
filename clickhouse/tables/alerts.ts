import { encodeRows } from "../encodeRows.ts";
import type { Block } from "../native.ts";

export const ALERT_COLUMNS = [
  ["source", "String"],
  ["partition", "UInt16"],
  ["offset", "UInt64"],
  ["n", "UInt32"],
  ["event_time", "DateTime64(6, 'UTC')"],
  ["alert_id", "FixedString(16)"],
  ["rule", "String"],
  ["rule_version", "UInt32"],
  ["severity", "String"],
  ["ordinal", "UInt16"],
  ["chain_id", "UInt64"],
  ["tx_hash", "FixedString(32)"],
  ["block_number", "Nullable(UInt64)"],
  ["block_hash", "Nullable(FixedString(32))"],
  ["from_address", "FixedString(20)"],
  ["to_address", "Nullable(FixedString(20))"],
  ["message", "String"],
] as const;

export interface AlertRow {
  source: string;
  partition: number;
  offset: number;
  n: number;
  /** µs since 1970 */
  event_time: number;
  alert_id: Uint8Array;
  rule: string;
  rule_version: number;
  severity: string;
  ordinal: number;
  chain_id: number;
  tx_hash: Uint8Array;
  block_number: number | null;
  block_hash: Uint8Array | null;
  from_address: Uint8Array;
  to_address: Uint8Array | null;
  message: string;
}

export const encodeAlerts = (rows: readonly AlertRow[]): Block => encodeRows(ALERT_COLUMNS, rows);
