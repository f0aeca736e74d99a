import { commonConditions, hex, iso, paramsOf, REPLACED, where } from "./list.ts";
import type { CommonFilter, Condition, Page, Query } from "./types.ts";

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

/** Of replaced blocks. The height stands alone as well: it has an index. */
const IN_REPLACED: Condition = {
  sql: `(t.chain_id, t.block_hash) IN ${REPLACED} AND t.block_number IN (SELECT block_number FROM replaced_blocks FINAL WHERE replaced = 1)`,
};

/**
 * Per chain and hour from the roll-ups, newest first; `total` is the number of rows without the limit. The roll-ups are made as rows come
 * in, and blocks are replaced later: what those said is counted anew, and taken out.
 */
export function statsQuery(filter: CommonFilter, { limit, offset }: Page): Query {
  const conditions = commonConditions(filter, "minute");
  const minutes = { ...filter, since: wholeMinute(filter.since), until: wholeMinute(filter.until) };
  const replaced = [...commonConditions(minutes, "event_time"), IN_REPLACED];
  return {
    sql: `SELECT toString(chain) AS chain_id, ${iso("hour")} AS hour_timestamp,
  toString(sum(a)) AS transactions, toString(sum(b)) AS pending, toString(sum(c)) AS failed, toString(sum(d)) AS gas_used,
  toString(sum(e)) AS alerts, toString(count() OVER ()) AS total
FROM (
  SELECT t.chain_id AS chain, toStartOfHour(t.minute) AS hour,
    toInt64(sum(t.transactions)) AS a, toInt64(sum(t.pending)) AS b, toInt64(sum(t.failed)) AS c, toInt64(sum(t.gas_used)) AS d,
    toInt64(0) AS e
  FROM transactions_per_minute AS t${where(conditions)}
  GROUP BY chain, hour
  UNION ALL
  SELECT t.chain_id AS chain, toStartOfHour(t.minute) AS hour, 0, 0, 0, 0, toInt64(sum(t.alerts))
  FROM alerts_per_minute AS t${where(conditions)}
  GROUP BY chain, hour
  UNION ALL
  SELECT t.chain_id AS chain, toStartOfHour(t.event_time) AS hour, -count(), 0, -countIf(t.status = 0),
    -toInt64(sum(ifNull(t.gas_used, 0))), 0
  FROM transactions AS t${where(replaced)}
  GROUP BY chain, hour
  UNION ALL
  SELECT t.chain_id AS chain, toStartOfHour(t.event_time) AS hour, 0, 0, 0, 0, -count()
  FROM alerts AS t${where(replaced)}
  GROUP BY chain, hour
)
GROUP BY chain, hour
HAVING sum(a) + sum(e) > 0
ORDER BY hour DESC, chain
LIMIT {limit:UInt32} OFFSET {offset:UInt32}`,
    params: { ...paramsOf(conditions), limit, offset },
  };
}

/** A minute counts if it begins from `since` on and before `until`; this is where the first such one begins. */
const wholeMinute = (time: Date | undefined): Date | undefined =>
  time && new Date(Math.ceil(time.getTime() / 60_000) * 60_000);

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
