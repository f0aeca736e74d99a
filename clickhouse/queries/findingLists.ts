/** Swaps, arbitrages, sandwiches and liquidations as lists, newest first. What blocks that were replaced said has not happened, and is left out. */
import { blockStatus, commonConditions, equal, equalHex, HAPPENED, hex, named, plain } from "./list.ts";
import { type CommonFilter, type Condition, type ListSpec, POSITION_TIES, type Position } from "./types.ts";

/** Integers that may pass 2^53 are decimal text, bytes are hex with 0x, times RFC 3339. */
interface FindingRow extends Position {
  readonly chain_id: string;
  readonly block_number: string;
  readonly block_hash: string | null;
  readonly block_timestamp: string | null;
  readonly tx_hash: string;
  readonly from_address: string;
  readonly to_address: string | null;
  readonly log_index: number;
  /** Never `retracted`: those are left out. */
  readonly status: "provisional" | "confirmed";
  readonly confidence: string;
  readonly reason: string;
  readonly evidence: readonly number[];
  readonly detected_at: string;
  readonly cursor: readonly string[];
}

export interface SwapRow extends FindingRow {
  readonly protocol: string;
  readonly pool: string;
  readonly sender: string;
  readonly recipient: string;
  readonly token_in: string;
  readonly amount_in: string;
  readonly token_out: string;
  readonly amount_out: string;
  readonly provenance: string;
}

interface ProfitRow {
  readonly profit_token: string;
  readonly profit_amount: string | null;
  readonly gas_cost: string | null;
  readonly fee_recipient_payment: string | null;
  readonly payments_complete: boolean | null;
  readonly net_profit: string | null;
  readonly roi_percent: number | null;
  readonly gross_usd: string | null;
  readonly net_usd: string | null;
}

export interface ArbitrageRow extends FindingRow, ProfitRow {
  readonly definition: "cycle" | "router";
  readonly account: string;
  readonly start_amount: string;
  readonly end_amount: string;
  readonly route_logs: readonly number[];
  readonly route_protocols: readonly string[];
  readonly route_pools: readonly string[];
  readonly route_tokens: readonly string[];
}

export interface SandwichRow extends FindingRow, ProfitRow {
  readonly protocol: string;
  readonly pool: string;
  readonly sandwicher: string;
  readonly frontrun_txs: readonly string[];
  readonly victim_txs: readonly string[];
  readonly backrun_txs: readonly string[];
  readonly frontrun_in: string;
  readonly frontrun_out: string;
  readonly backrun_in: string;
  readonly backrun_out: string;
  readonly loss_txs: readonly string[];
  readonly loss_tokens: readonly string[];
  readonly loss_amounts: readonly (string | null)[];
}

export interface LiquidationRow extends FindingRow {
  readonly protocol: string;
  readonly pool: string;
  readonly liquidator: string;
  readonly user: string;
  readonly debt_token: string;
  readonly debt_amount: string;
  readonly collateral_token: string;
  readonly collateral_amount: string;
}

const eachInHex = (...columns: string[]): string[] =>
  columns.map((column) => `arrayMap(x -> ${hex("x")}, t.${column}) AS ${column}`);

const SHARED = [
  ...plain("source", "partition", "offset", "n", "log_index", "confidence", "reason", "evidence"),
  ...plain("chain_id", "block_number", "block_timestamp"),
  "t.event_time AS detected_at",
  // of a block that was not whole; a record need not name its block's hash: then it cannot be replaced
  `if(t.status = 'provisional' OR t.block_hash IS NULL, t.status, ${blockStatus}) AS status`,
];
const SHARED_BYTES = { ...named("block_hash", "tx_hash"), from_address: "t.tx_from", to_address: "t.tx_to" };
const PROFIT = [
  ...plain("payments_complete", "roi_percent"),
  ...plain("profit_amount", "gas_cost", "fee_recipient_payment", "net_profit", "gross_usd", "net_usd"),
];
const TIES = { ...POSITION_TIES, log_index: "UInt32" } as const;

export const SWAPS: ListSpec = {
  table: "swaps",
  keys: "swaps",
  order: { time: "event_time", ties: TIES },
  columns: [...SHARED, ...plain("protocol", "provenance", "amount_in", "amount_out")],
  bytes: { ...SHARED_BYTES, ...named("pool", "sender", "recipient", "token_in", "token_out") },
};

export const ARBITRAGES: ListSpec = {
  table: "arbitrages",
  keys: "arbitrages",
  order: { time: "event_time", ties: { ...TIES, definition: "String", route: "UInt16" } },
  columns: [
    ...SHARED,
    ...PROFIT,
    ...plain("definition", "route_logs", "route_protocols", "start_amount", "end_amount"),
    ...eachInHex("route_pools", "route_tokens"),
  ],
  bytes: { ...SHARED_BYTES, ...named("profit_token", "account") },
};

export const SANDWICHES: ListSpec = {
  table: "sandwiches",
  keys: "sandwiches",
  order: { time: "event_time", ties: TIES },
  columns: [
    ...SHARED,
    ...PROFIT,
    ...plain("protocol", "frontrun_in", "frontrun_out", "backrun_in", "backrun_out"),
    ...eachInHex("frontrun_txs", "victim_txs", "backrun_txs", "loss_txs", "loss_tokens"),
    ...plain("loss_amounts"),
  ],
  bytes: { ...SHARED_BYTES, ...named("profit_token", "pool", "sandwicher") },
};

export const LIQUIDATIONS: ListSpec = {
  table: "liquidations",
  keys: "liquidations",
  order: { time: "event_time", ties: TIES },
  columns: [...SHARED, ...plain("protocol", "debt_amount", "collateral_amount")],
  bytes: { ...SHARED_BYTES, ...named("pool", "liquidator", "debt_token", "collateral_token"), user: "t.user_address" },
};

export interface FindingFilter extends CommonFilter {
  readonly blockNumber?: number | undefined;
  /** Sender of the transaction. */
  readonly from?: string | undefined;
}

/** What all four lists are asked by, and that it has happened. */
export const findingConditions = (filter: FindingFilter): Condition[] => [
  HAPPENED,
  ...commonConditions(filter, "event_time"),
  ...equal("block_number", "UInt64", filter.blockNumber),
  ...equalHex("tx_from", filter.from),
];

/** A transaction in any part of it. */
export const hasTransaction = (columns: readonly string[], hash: string | undefined): Condition[] =>
  hash === undefined
    ? []
    : [
        {
          sql: columns.map((column) => `has(t.${column}, unhex({tx_hash:String}))`).join(" OR "),
          params: { tx_hash: hash.slice(2) },
        },
      ];
