import { commonConditions, iso, paramsOf, where } from "./list.ts";
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
  /** Of a version on trial. */
  readonly added: string;
  readonly dropped: string;
}

/** @param rule all rules when absent */
export function ruleCountsQuery(rule?: string): Query {
  const sums = ["evaluations", "matches", "traps", "fuel", "added", "dropped"].map(
    (name) => `toString(sum(t.${name})) AS ${name}`,
  );
  return {
    sql: `SELECT t.rule AS rule, t.rule_version AS rule_version, ${sums.join(", ")}
FROM rule_stats AS t${rule === undefined ? "" : "\nWHERE t.rule = {rule:String}"}
GROUP BY rule, rule_version`,
    params: rule === undefined ? {} : { rule },
  };
}
