import { commonConditions, equal, equalHex, named, plain } from "./list.ts";
import { type CommonFilter, type Condition, type ListSpec, POSITION_TIES, type Position } from "./types.ts";

export interface TransactionFilter extends CommonFilter {
  readonly hash?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly blockNumber?: number | undefined;
  readonly status?: number | undefined;
  readonly pending?: boolean | undefined;
  readonly tag?: string | undefined;
  readonly minRisk?: number | undefined;
}

/** Integers that may pass 2^53 are decimal text, bytes are hex with 0x, times RFC 3339. */
export interface TransactionRow extends Position {
  readonly id: string;
  readonly chain_id: string;
  readonly tx_hash: string;
  readonly from_address: string;
  readonly to_address: string | null;
  readonly nonce: string;
  readonly value: string;
  readonly gas: string;
  readonly gas_price: string | null;
  readonly max_fee_per_gas: string | null;
  readonly max_priority_fee_per_gas: string | null;
  readonly effective_gas_price: string | null;
  readonly base_fee_per_gas: string | null;
  readonly type: number | null;
  readonly method: string | null;
  readonly input_size: string;
  readonly seen_at: string | null;
  readonly detected_at: string;
  readonly block_number: string | null;
  readonly block_hash: string | null;
  readonly block_timestamp: string | null;
  readonly transaction_index: number | null;
  readonly status: number | null;
  readonly gas_used: string | null;
  readonly contract_address: string | null;
  readonly log_count: string;
  readonly tags: readonly string[];
  readonly score: number | null;
  /** 0 to 100. */
  readonly risk: number | null;
  /** Bits of engine/chain/risk/factors.ts. */
  readonly risk_factors: number;
  readonly cursor: readonly string[];
}

export const TRANSACTIONS: ListSpec = {
  table: "transactions",
  keys: "transactions",
  order: { time: "event_time", ties: POSITION_TIES },
  columns: [
    // 53 bits of a hash of the position: unique in practice, the same on every read, exact as a JSON number
    "bitShiftRight(sipHash64(t.source, t.partition, t.offset, t.n), 11) AS id",
    ...plain(
      "source",
      "partition",
      "n",
      "type",
      "transaction_index",
      "status",
      "tags",
      "score",
      "risk",
      "risk_factors",
    ),
    ...plain("offset", "chain_id", "nonce", "value", "gas", "gas_price", "max_fee_per_gas", "max_priority_fee_per_gas"),
    ...plain("effective_gas_price", "base_fee_per_gas", "block_number", "gas_used", "seen_at", "block_timestamp"),
    "length(t.input) AS input_size",
    "length(t.log_index) AS log_count",
    "t.event_time AS detected_at",
  ],
  bytes: {
    ...{ ...named("from_address", "to_address", "block_hash", "contract_address"), tx_hash: "t.hash" },
    method: "if(length(t.input) >= 4, substring(t.input, 1, 4), NULL)",
  },
};

export function transactionConditions(filter: TransactionFilter): Condition[] {
  const { pending, tag, minRisk } = filter;
  return [
    ...commonConditions(filter, "event_time"),
    ...equalHex("hash", filter.hash),
    ...equalHex("from_address", filter.from),
    ...equalHex("to_address", filter.to),
    ...equal("block_number", "UInt64", filter.blockNumber),
    ...equal("status", "UInt8", filter.status),
    ...(pending === undefined ? [] : [{ sql: `t.block_number IS ${pending ? "" : "NOT "}NULL` }]),
    ...(tag === undefined ? [] : [{ sql: "has(t.tags, {tag:String})", params: { tag } }]),
    ...(minRisk === undefined ? [] : [{ sql: "t.risk >= {min_risk:UInt8}", params: { min_risk: minRisk } }]),
  ];
}
