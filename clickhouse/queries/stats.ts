import { commonConditions, hex, iso, paramsOf, where } from "./list.ts";
import type { CommonFilter, Page, Query } from "./types.ts";

/** One chain in one hour; counts as decimal text. */
export interface StatsRow {
  readonly chain_id: string;
  readonly hour_timestamp: string;
  readonly transactions: string;
  readonly pending: string;
  readonly failed: string;
  readonly gas_used: string;
  readonly alerts: string;
  readonly total: string;
}

/** Per chain and hour from the roll-ups, newest first; `total` is the number of rows without the limit. */
export function statsQuery(filter: CommonFilter, { limit, offset }: Page): Query {
  const conditions = commonConditions(filter, "minute");
  return {
    sql: `SELECT toString(chain) AS chain_id, ${iso("hour")} AS hour_timestamp,
  toString(sum(a)) AS transactions, toString(sum(b)) AS pending, toString(sum(c)) AS failed, toString(sum(d)) AS gas_used,
  toString(sum(e)) AS alerts, toString(count() OVER ()) AS total
FROM (
  SELECT t.chain_id AS chain, toStartOfHour(t.minute) AS hour,
    sum(t.transactions) AS a, sum(t.pending) AS b, sum(t.failed) AS c, sum(t.gas_used) AS d, toUInt64(0) AS e
  FROM transactions_per_minute AS t${where(conditions)}
  GROUP BY chain, hour
  UNION ALL
  SELECT t.chain_id AS chain, toStartOfHour(t.minute) AS hour, 0, 0, 0, 0, sum(t.alerts)
  FROM alerts_per_minute AS t${where(conditions)}
  GROUP BY chain, hour
)
GROUP BY chain, hour
ORDER BY hour DESC, chain
LIMIT {limit:UInt32} OFFSET {offset:UInt32}`,
    params: { ...paramsOf(conditions), limit, offset },
  };
}

/** What a version of a rule did in all that is stored; counts as decimal text. */
export interface RuleCountsRow {
  readonly rule: string;
  readonly rule_version: number;
  readonly evaluations: string;
  readonly matches: string;
  readonly traps: string;
  readonly fuel: string;
  /** Transactions that it was not shown, since it was throttled. */
  readonly skipped: string;
  /** Of a version on trial. */
  readonly added: string;
  readonly dropped: string;
}

/** @param rule all rules when absent */
export function ruleCountsQuery(rule?: string): Query {
  const sums = ["evaluations", "matches", "traps", "fuel", "skipped", "added", "dropped"].map(
    (name) => `toString(sum(t.${name})) AS ${name}`,
  );
  return {
    sql: `SELECT t.rule AS rule, t.rule_version AS rule_version, ${sums.join(", ")}
FROM rule_stats AS t${rule === undefined ? "" : "\nWHERE t.rule = {rule:String}"}
GROUP BY rule, rule_version`,
    params: rule === undefined ? {} : { rule },
  };
}

/** What a rule remembers in all partitions, with its trials, as stored; decimal text. */
export interface RuleStateRow {
  readonly keys: string;
  readonly bytes: string;
}

export const ruleStateQuery = (rule: string): Query => ({
  sql: `SELECT toString(count()) AS keys, toString(sum(size)) AS bytes FROM (
  SELECT max(length(t.key) + length(t.value)) AS size FROM rule_state AS t
  WHERE t.rule = {rule:String} GROUP BY t.source, t.partition, t.trial, t.name, t.shape, t.key
)`,
  params: { rule },
});

/** A transaction that a version on trial alerts on otherwise than the live one did. */
export interface TrialChangeRow {
  readonly change: "added" | "dropped";
  readonly tx_hash: string;
  /** Of the batch's first transaction. */
  readonly seen_at: string;
}

/** Newest batches first; of each at most the 64 of either kind that are kept. */
export function trialChangesQuery(rule: string, version: number, limit: number): Query {
  const hashes = (change: string) => `arrayMap(hash -> ('${change}', hash), t.${change}_hashes)`;
  return {
    sql: `SELECT pair.1 AS change, ${hex("pair.2")} AS tx_hash, ${iso("time")} AS seen_at FROM (
  SELECT t.event_time AS time, t.offset AS at, arrayJoin(arrayConcat(${hashes("added")}, ${hashes("dropped")})) AS pair
  FROM rule_stats AS t
  WHERE t.rule = {rule:String} AND t.rule_version = {version:UInt32} AND t.added + t.dropped > 0
  ORDER BY time DESC, at DESC
  LIMIT {limit:UInt32}
)`,
    params: { rule, version, limit },
  };
}
