import { encodeRows } from "../encodeRows.ts";
import type { Block } from "../native.ts";

export const DEAD_LETTER_COLUMNS = [
  ["source", "String"],
  ["partition", "UInt16"],
  ["offset", "UInt64"],
  ["n", "UInt32"],
  ["record_time", "DateTime64(3, 'UTC')"],
  ["reason", "String"],
  ["detail", "String"],
  ["rule", "String"],
  ["size", "UInt32"],
  ["sha256", "FixedString(32)"],
  ["bytes", "String"],
] as const;

export interface DeadLetterRow {
  source: string;
  partition: number;
  offset: number;
  n: number;
  /** ms since 1970 */
  record_time: number;
  reason: string;
  detail: string;
  rule: string;
  size: number;
  sha256: Uint8Array;
  bytes: Uint8Array;
}

export const encodeDeadLetters = (rows: readonly DeadLetterRow[]): Block => encodeRows(DEAD_LETTER_COLUMNS, rows);
