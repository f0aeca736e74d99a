import { commonConditions, plain } from "./list.ts";
import type { CommonFilter, Condition, ListSpec } from "./types.ts";

export interface SolanaFilter extends Omit<CommonFilter, "chainId"> {
  readonly signature?: string | undefined;
  /** SOL, decimal text. */
  readonly minRevenue?: string | undefined;
}

/** Times RFC 3339, amounts in lamports and the slot as decimal text. */
export interface SolanaListRow {
  readonly tx_signature: string;
  readonly block_time: string;
  readonly slot: string;
  readonly revenue_lamports: string;
  readonly net_profit_lamports: string | null;
  /** The record as received: a JSON object. */
  readonly record: string;
  readonly cursor: readonly string[];
}

/** In 38 digits: the product has more than the column's 18. */
const lamports = (column: string): string => `toInt64(toDecimal128(t.${column}, 9) * 1000000000)`;

export const SOLANA_TRANSACTIONS: ListSpec = {
  table: "solana_transactions",
  final: true,
  order: { time: "block_time", ties: { slot: "UInt64", tx_signature: "String" } },
  columns: [
    ...plain("tx_signature", "record", "slot", "block_time"),
    `${lamports("revenue_sol")} AS revenue_lamports`,
    `${lamports("net_profit_sol")} AS net_profit_lamports`,
  ],
};

export function solanaConditions({ signature, minRevenue, ...times }: SolanaFilter): Condition[] {
  return [
    ...commonConditions(times, "block_time"),
    ...(signature === undefined ? [] : [{ sql: "t.tx_signature = {signature:String}", params: { signature } }]),
    ...(minRevenue === undefined
      ? []
      : [{ sql: "t.revenue_sol >= {min_revenue:Decimal(38, 18)}", params: { min_revenue: minRevenue } }]),
  ];
}
