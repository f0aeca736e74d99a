import { blockStatus, commonConditions, equal, equalHex, named, plain } from "./list.ts";
import { type CommonFilter, type Condition, type ListSpec, POSITION_TIES, type Position } from "./types.ts";

export interface AlertFilter extends CommonFilter {
  /** 32 hex digits */
  readonly id?: string | undefined;
  readonly rule?: string | undefined;
  readonly severity?: string | undefined;
  readonly txHash?: string | undefined;
  readonly status?: AlertStatus | undefined;
  /** sender or recipient of the transaction */
  readonly address?: string | undefined;
}

export const ALERT_STATUSES = ["pending", "provisional", "confirmed", "retracted"] as const;
export type AlertStatus = (typeof ALERT_STATUSES)[number];

export interface AlertRow extends Position {
  readonly id: string;
  readonly rule: string;
  readonly rule_version: number;
  readonly severity: string;
  readonly ordinal: number;
  readonly chain_id: string;
  readonly tx_hash: string;
  readonly block_number: string | null;
  readonly block_hash: string | null;
  readonly from_address: string;
  readonly to_address: string | null;
  readonly message: string;
  readonly status: AlertStatus;
  readonly detected_at: string;
  readonly cursor: readonly string[];
}

export const ALERTS: ListSpec = {
  table: "alerts",
  keys: "alerts",
  order: { time: "event_time", ties: { ...POSITION_TIES, rule: "String", ordinal: "UInt16" } },
  columns: [
    "lower(hex(t.alert_id)) AS id",
    ...plain("source", "partition", "offset", "n", "rule", "rule_version", "severity", "ordinal", "message"),
    ...plain("chain_id", "block_number"),
    `${blockStatus} AS status`,
    "t.event_time AS detected_at",
  ],
  bytes: named("tx_hash", "block_hash", "from_address", "to_address"),
};

export function alertConditions(filter: AlertFilter): Condition[] {
  const { id, address, status } = filter;
  return [
    ...commonConditions(filter, "event_time"),
    ...equal("rule", "String", filter.rule),
    ...equal("severity", "String", filter.severity),
    ...equalHex("tx_hash", filter.txHash),
    ...(status === undefined ? [] : [{ sql: `${blockStatus} = {status:String}`, params: { status } }]),
    ...(id === undefined ? [] : [{ sql: "t.alert_id = unhex({id:String})", params: { id } }]),
    ...(address === undefined
      ? []
      : [
          {
            sql: "t.from_address = unhex({address:String}) OR t.to_address = unhex({address:String})",
            params: { address: address.slice(2) },
          },
        ]),
  ];
}
