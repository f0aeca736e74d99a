import type { Query } from "./types.ts";

/** A dead letter that could not be decoded, with what was received. */
export interface UndecodedLetter {
  readonly source: string;
  readonly partition: number;
  readonly offset: string;
  readonly n: number;
  /** broker's time of the record, ms; 0 when it has none */
  readonly time: number;
  readonly reason: string;
  /** base64; empty for one that is larger than asked for */
  readonly bytes: string;
}

/**
 * In no order, for a stream. Letters of rules are others: their transactions were decoded and are stored. So are those of Solana records, which
 * are no transactions of ours: they are sent again by who sent them.
 */
export function undecodedLetters(maxBytes: number): Query {
  return {
    sql: `SELECT t.source AS source, t.partition AS partition, toString(t.offset) AS offset, t.n AS n,
  toFloat64(toUnixTimestamp64Milli(t.record_time)) AS time, t.reason AS reason,
  if(t.size > {max_bytes:UInt32}, '', base64Encode(t.bytes)) AS bytes
FROM dead_letters AS t
WHERE t.rule = '' AND NOT startsWith(t.reason, 'solana_')`,
    params: { max_bytes: maxBytes },
  };
}

/** One row: `letters`, of transactions that a rule failed on. */
export const RULE_LETTERS: Query = {
  sql: "SELECT toFloat64(count()) AS letters FROM dead_letters WHERE rule != ''",
  params: {},
};
