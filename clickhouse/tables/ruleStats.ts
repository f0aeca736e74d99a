import { encodeRows } from "../encodeRows.ts";
import type { Block } from "../native.ts";

export const RULE_STAT_COLUMNS = [
  ["source", "String"],
  ["partition", "UInt16"],
  ["offset", "UInt64"],
  ["event_time", "DateTime64(6, 'UTC')"],
  ["world", "String"],
  ["rule", "String"],
  ["rule_version", "UInt32"],
  ["evaluations", "UInt64"],
  ["matches", "UInt64"],
  ["traps", "UInt64"],
  ["fuel", "UInt64"],
  ["skipped", "UInt64"],
  ["added", "UInt64"],
  ["dropped", "UInt64"],
  ["added_hashes", "Array(FixedString(32))"],
  ["dropped_hashes", "Array(FixedString(32))"],
] as const;

export interface RuleStatRow {
  source: string;
  partition: number;
  offset: number;
  event_time: number;
  world: string;
  rule: string;
  rule_version: number;
  evaluations: number;
  matches: number;
  traps: number;
  fuel: number;
  skipped: number;
  added: number;
  dropped: number;
  added_hashes: readonly Uint8Array[];
  dropped_hashes: readonly Uint8Array[];
}

export const encodeRuleStats = (rows: readonly RuleStatRow[]): Block => encodeRows(RULE_STAT_COLUMNS, rows);
