/** Columns of findings, and of what else is told of blocks, a table a kind. What they mean is in the migration; rows are made in engine/worker/findingRows.ts. */
import { type Columns, encodeJoined, type RowOf } from "../encodeRows.ts";
import type { Block } from "../native.ts";
import { GAS_BLOCK } from "./gasBlocks.ts";
import { CAPTURE, OPPORTUNITY, PENDING_PLACE } from "./opportunities.ts";
import { JUDGED, PLACE } from "./place.ts";

/** Of what is left of a gross profit. */
const PROFIT = [
  ["gas_cost", "Nullable(UInt256)"],
  ["fee_recipient_payment", "Nullable(UInt256)"],
  ["payments_complete", "Nullable(Bool)"],
  ["net_profit", "Nullable(Int256)"],
  ["roi_percent", "Nullable(Float64)"],
  ["gross_usd", "Nullable(Decimal(38, 6))"],
  ["net_usd", "Nullable(Decimal(38, 6))"],
] as const;

const SWAP = [
  ["log_index", "UInt32"],
  ["protocol", "String"],
  ["pool", "String"],
  ["sender", "FixedString(20)"],
  ["recipient", "FixedString(20)"],
  ["token_in", "FixedString(20)"],
  ["amount_in", "UInt256"],
  ["token_out", "FixedString(20)"],
  ["amount_out", "UInt256"],
  ["provenance", "String"],
  ["reserve0", "Nullable(UInt256)"],
  ["reserve1", "Nullable(UInt256)"],
  ["sqrt_price_x96", "Nullable(UInt256)"],
  ["liquidity", "Nullable(UInt128)"],
  ["tick", "Nullable(Int32)"],
] as const;

const ARBITRAGE = [
  ["log_index", "UInt32"],
  ["definition", "String"],
  ["route", "UInt16"],
  ["account", "FixedString(20)"],
  ["profit_token", "FixedString(20)"],
  ["start_amount", "UInt256"],
  ["end_amount", "UInt256"],
  ["profit_amount", "Nullable(Int256)"],
  ["route_logs", "Array(UInt32)"],
  ["route_protocols", "Array(String)"],
  ["route_pools", "Array(String)"],
  ["route_tokens", "Array(FixedString(20))"],
] as const;

/** Of the transaction of an arbitrage: the same in the row of each of its routes. */
const ARBITRAGE_TRANSACTION = [
  ["tx_swaps", "UInt16"],
  ["tx_hops", "UInt16"],
  ["tx_gas_used", "Nullable(UInt64)"],
  ["tx_gas_price", "Nullable(UInt128)"],
  ["tx_gas_usd", "Nullable(Decimal(38, 6))"],
  ["tx_gross_usd", "Nullable(Decimal(38, 6))"],
  ["tx_net_usd", "Nullable(Decimal(38, 6))"],
] as const;

const SANDWICH = [
  ["log_index", "UInt32"],
  ["protocol", "String"],
  ["pool", "String"],
  ["sandwicher", "FixedString(20)"],
  ["frontrun_txs", "Array(FixedString(32))"],
  ["victim_txs", "Array(FixedString(32))"],
  ["backrun_txs", "Array(FixedString(32))"],
  ["frontrun_in", "UInt256"],
  ["frontrun_out", "UInt256"],
  ["backrun_in", "UInt256"],
  ["backrun_out", "UInt256"],
  ["profit_token", "FixedString(20)"],
  ["profit_amount", "Int256"],
  ["loss_tokens", "Array(FixedString(20))"],
  ["loss_txs", "Array(FixedString(32))"],
  ["loss_amounts", "Array(Nullable(UInt256))"],
] as const;

const LIQUIDATION = [
  ["log_index", "UInt32"],
  ["protocol", "String"],
  ["pool", "FixedString(20)"],
  ["liquidator", "FixedString(20)"],
  ["user_address", "FixedString(20)"],
  ["debt_token", "FixedString(20)"],
  ["debt_amount", "UInt256"],
  ["collateral_token", "FixedString(20)"],
  ["collateral_amount", "UInt256"],
] as const;

const JIT = [
  ["log_index", "UInt32"],
  ["protocol", "String"],
  ["pool", "String"],
  ["provider", "FixedString(20)"],
  ["swap_txs", "Array(FixedString(32))"],
  ["burn_tx", "FixedString(32)"],
  ["liquidity", "UInt256"],
] as const;

const ATTEMPT = [["searcher", "FixedString(20)"]] as const;

/** The columns of each table in parts: its rows are put together of as many objects, side by side. */
export const FINDING_PARTS = {
  swaps: [PLACE, SWAP, JUDGED],
  arbitrages: [PLACE, ARBITRAGE, PROFIT, ARBITRAGE_TRANSACTION, JUDGED],
  sandwiches: [PLACE, SANDWICH, PROFIT, JUDGED],
  liquidations: [PLACE, LIQUIDATION, JUDGED],
  jit_liquidity: [PLACE, JIT, JUDGED],
  failed_attempts: [PLACE, ATTEMPT, JUDGED],
  opportunities: [PENDING_PLACE, OPPORTUNITY, JUDGED],
  opportunity_captures: [PLACE, CAPTURE],
  gas_blocks: [GAS_BLOCK],
} as const;

export type FindingTable = keyof typeof FINDING_PARTS;
export const isFindingTable = (table: string): table is FindingTable => table in FINDING_PARTS;

export type FindingRow<T extends FindingTable> = Joined<(typeof FINDING_PARTS)[T]>;
type Joined<Parts extends readonly Columns[]> = { readonly [i in keyof Parts]: RowOf<Parts[i]> };

/** What all of them have: where the finding's transaction stands. */
export type PlaceRow = RowOf<typeof PLACE>;
export type ProfitRow = RowOf<typeof PROFIT>;
export type ArbitrageTransactionRow = RowOf<typeof ARBITRAGE_TRANSACTION>;

export const encodeFindings = <T extends FindingTable>(table: T, rows: readonly FindingRow<T>[]): Block =>
  encodeJoined(FINDING_PARTS[table], rows);
