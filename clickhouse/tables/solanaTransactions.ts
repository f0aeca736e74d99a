import { encodeRows, type RowOf } from "../encodeRows.ts";
import type { Block } from "../native.ts";

/** Times in ms since 1970, amounts in lamports: units of 10⁻⁹ SOL. */
export const SOLANA_TRANSACTION_COLUMNS = [
  ["tx_signature", "String"],
  ["block_time", "DateTime64(3, 'UTC')"],
  ["slot", "UInt64"],
  ["revenue_sol", "Decimal(18, 9)"],
  ["net_profit_sol", "Nullable(Decimal(18, 9))"],
  ["record", "String"],
  ["source", "String"],
  ["partition", "UInt16"],
  ["offset", "UInt64"],
  ["record_time", "DateTime64(3, 'UTC')"],
] as const;

export type SolanaTransactionRow = RowOf<typeof SOLANA_TRANSACTION_COLUMNS>;

export const encodeSolanaTransactions = (rows: readonly SolanaTransactionRow[]): Block =>
  encodeRows(SOLANA_TRANSACTION_COLUMNS, rows);
