/** Transfers as a list, newest first. What blocks that were replaced said has not happened, and is left out. */
import { blockStatus, commonConditions, equal, equalHex, HAPPENED, named, plain } from "./list.ts";
import { type CommonFilter, type Condition, type ListSpec, POSITION_TIES, type Position } from "./types.ts";

/** Integers that may pass 2^53 are decimal text, bytes are hex with 0x, times RFC 3339. */
export interface TransferRow extends Position {
  readonly chain_id: string;
  readonly block_number: string;
  readonly block_hash: string | null;
  readonly block_timestamp: string | null;
  readonly tx_hash: string;
  /** null: the transaction's own value. */
  readonly log_index: string | null;
  readonly kind: string;
  readonly token: string;
  readonly from_address: string;
  readonly to_address: string;
  readonly amount: string;
  /** Never `retracted`: those are left out. */
  readonly status: "provisional" | "confirmed";
  readonly detected_at: string;
  readonly cursor: readonly string[];
}

export const TRANSFERS: ListSpec = {
  table: "transfers",
  keys: "transfers",
  order: { time: "event_time", ties: { ...POSITION_TIES, log_index: "Int64" } },
  columns: [
    ...plain("source", "partition", "offset", "n", "kind", "chain_id", "block_number", "amount", "block_timestamp"),
    "if(t.log_index < 0, NULL, toString(t.log_index)) AS log_index",
    "t.event_time AS detected_at",
    `if(t.block_hash IS NULL, 'confirmed', ${blockStatus}) AS status`,
  ],
  bytes: named("block_hash", "tx_hash", "token", "from_address", "to_address"),
};

export interface TransferFilter extends CommonFilter {
  readonly blockNumber?: number | undefined;
  readonly txHash?: string | undefined;
  readonly kind?: string | undefined;
  readonly token?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Who gave or got. */
  readonly address?: string | undefined;
}

export const transferConditions = (filter: TransferFilter): Condition[] => [
  HAPPENED,
  ...commonConditions(filter, "event_time"),
  ...equal("block_number", "UInt64", filter.blockNumber),
  ...equalHex("tx_hash", filter.txHash),
  ...equal("kind", "String", filter.kind),
  ...equalHex("token", filter.token),
  ...equalHex("from_address", filter.from),
  ...equalHex("to_address", filter.to),
  ...(filter.address === undefined
    ? []
    : [
        {
          sql: "t.from_address = unhex({address:String}) OR t.to_address = unhex({address:String})",
          params: { address: filter.address.slice(2) },
        },
      ]),
];
