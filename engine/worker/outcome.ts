import type { FindingTable } from "../../clickhouse/tables/findings.ts";
import type { StoredRows } from "../../clickhouse/tables/framedRows.ts";

/**
 * What a worker makes of a batch, and all it makes: blocks of rows for the store, records for the topics, counts.
 * The same batch and world give the same bytes, on any thread, however often it runs.
 */
export interface Outcome {
  readonly transactions: number;
  readonly deadLetters: number;
  /** How many for which reason. */
  readonly deadLetterReasons: Readonly<Record<string, number>>;
  readonly alerts: number;
  readonly findings: readonly FindingCount[];
  /** Transactions by minute of event time, counted from 1970: what fuel per second is measured by. */
  readonly minutes: ReadonlyMap<number, number>;
  /** Rows by table, as ClickHouse Native blocks; a few transactions as frames. */
  readonly tables: Partial<Record<TableName, readonly StoredRows[]>>;
  readonly records: TopicRecords;
  /** A rule whose policy is `halt` failed: the stream must not go past this batch. What happened, where, and what to do. */
  readonly halt?: string;
  /** What rules with state are to be shown, once they have seen all batches before: it is no outcome yet. */
  readonly handover?: Handover;
  /** What each rule did with the batch, for metrics and quarantine; the same numbers are rows of rule_stats. */
  readonly rules: readonly RuleCount[];
}

/**
 * What the first stage of a batch leaves for the second: the transactions that rules with state are to see. Batches pass the first in
 * any order and many at once, the second one after the other, lane by lane; what no such rule sees needs no second.
 */
export interface Handover {
  /** Frames back to back, in shared memory: the second stage may have to run again in another thread. */
  readonly words: Uint32Array;
  /** Of each: byte offset, number in the batch, and what `Decoded` has of it. */
  readonly frames: Uint32Array;
  /** As in `Decoded`. */
  readonly shown: Uint32Array;
  readonly numbers: Uint32Array;
  readonly offsets: Float64Array;
  readonly times: Float64Array;
  readonly indexes: Uint32Array;
  readonly events: Float64Array;
  /** event_time of the batch's first transaction. */
  readonly firstEvent: number;
  /** Id of the world that it runs in. */
  readonly world: string;
  /** By `ruleKey`: which of them the rule sees. */
  readonly rules: readonly { readonly key: string; readonly seen: Uint32Array }[];
  /** What other rules said of the batch's transactions, by their number there. */
  readonly tags: ReadonlyMap<number, readonly string[]>;
  readonly scores: ReadonlyMap<number, number>;
}

export type TableName =
  | "transactions"
  | "transfers"
  | "alerts"
  | "dead_letters"
  | "rule_stats"
  | "rule_state"
  | FindingTable;

export interface RuleCount {
  readonly rule: string;
  readonly version: number;
  readonly evaluations: number;
  readonly matches: number;
  readonly traps: number;
  readonly fuel: number;
  /** Transactions that it was not shown, since it is throttled. */
  readonly skipped: number;
  /** Of a version on trial beside a live one: transactions it would alert on and the live one did not, and the other way round. */
  readonly added: number;
  readonly dropped: number;
}

/** Findings of one kind on one chain. */
export interface FindingCount {
  readonly chainId: number;
  /** swap, arbitrage, router_arbitrage, sandwich, liquidation, jit, attempt, pool_imbalance or pending_backrun. */
  readonly kind: string;
  readonly findings: number;
  /** Transactions that have one. */
  readonly transactions: number;
  /** Of arbitrages. */
  readonly earned?: Earned;
  /** Of opportunities: of how many the profit in USD is known, and how many of those are small. */
  readonly valued?: { readonly known: number; readonly small: number };
}

/** What arbitrages left to those who made them. */
export interface Earned {
  /** Net profit of those that paid, where it is known. */
  readonly usd: number;
  /** The same in the smallest unit of the chain's coin. */
  readonly native: number;
  /** Who sent their transactions: 0x…, each once. */
  readonly senders: readonly string[];
}

/** Output topics by number, so that a record carries a byte and configuration the name. */
export const OUTPUT_TOPICS = [
  "alerts",
  "dead_letters",
  "mev_bundles",
  "arbitrage-transactions",
  "arbitrage-opportunities",
  "risk-metrics",
] as const;
export type OutputTopic = (typeof OUTPUT_TOPICS)[number];

/**
 * Records back to back: u8 topic │ u32 keyLength │ key │ u32 headersLength │ headers as JSON │ u32 valueLength │ value.
 * Not aligned: read with a DataView. The main thread only cuts them apart and hands them to the producer.
 */
export interface TopicRecords {
  readonly count: number;
  readonly bytes: Uint8Array;
}
