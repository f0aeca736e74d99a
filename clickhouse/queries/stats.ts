/** What statistics by hour and day are put together of (api/statistics/), and what rules did. */
import { type Period, STARTS, type Unit, versionSql } from "./hours.ts";
import { commonConditions, hex, iso, paramsOf, REPLACED, where } from "./list.ts";
import type { CommonFilter, Condition, Query } from "./types.ts";

/** What came in of one chain in one hour or day, or a part of it: several rows of one period add up. Decimal text. */
export interface ArrivalRow extends Period {
  readonly transactions: string;
  readonly pending: string;
  readonly failed: string;
  readonly gas_used: string;
  readonly alerts: string;
}

/** Of replaced blocks. The height stands alone as well: it has an index. */
const IN_REPLACED: Condition = {
  sql: `(t.chain_id, t.block_hash) IN ${REPLACED} AND t.block_number IN (SELECT block_number FROM replaced_blocks FINAL WHERE replaced = 1)`,
};

/**
 * Rows of ArrivalRow, out of the roll-ups by minute.
 * The roll-ups are made as rows come in, and blocks are replaced later: what those said is counted anew, and taken out.
 * @param replaced whether any block ever was: if none was, there is nothing to look for
 */
export function arrivalsQuery(filter: CommonFilter, unit: Unit, replaced: boolean): Query {
  const conditions = commonConditions(filter, "minute");
  const ofReplaced = where([...commonConditions(filter, "event_time"), IN_REPLACED]);
  const sum = (...columns: string[]): string[] => columns.map((column) => `toInt64(sum(t.${column}))`);
  const of = (time: string, counts: readonly string[], from: string): string => {
    const named = ["transactions", "pending", "failed", "gas_used", "alerts"].map(
      (name, i) => `${counts[i]} AS ${name}`,
    );
    return `SELECT toString(t.chain_id) AS chain, toUnixTimestamp(${STARTS[unit](`t.${time}`)}) AS hour, ${named.join(", ")}
FROM ${from} GROUP BY t.chain_id, hour`;
  };
  const none = "toInt64(0)";
  const selects = [
    of("minute", [...sum("transactions", "pending", "failed", "gas_used"), none], `transactions_per_minute AS t${where(conditions)}`), // biome-ignore format: a table a line
    of("minute", [none, none, none, none, ...sum("alerts")], `alerts_per_minute AS t${where(conditions)}`),
  ];
  if (replaced) {
    const counts = ["-count()", none, "-countIf(t.status = 0)", "-toInt64(sum(ifNull(t.gas_used, 0)))", none];
    selects.push(of("event_time", counts, `transactions AS t${ofReplaced}`));
    selects.push(of("event_time", [none, none, none, none, "-count()"], `alerts AS t${ofReplaced}`));
  }
  return { sql: selects.join("\nUNION ALL "), params: paramsOf(conditions) };
}

/** What was found in one chain in one hour or day. Counts and sums of USD as decimal text, other numbers null where there is nothing to divide by. */
export interface FigureRow extends Period {
  readonly opportunities_detected: string;
  readonly opportunities_captured: string;
  readonly small_opportunities_count: string;
  readonly small_opps_captured: string;
  readonly transactions_detected: string;
  readonly transactions_priced: string;
  readonly unique_arbitrageurs: string;
  readonly total_profit_usd: string;
  readonly min: number | null;
  readonly max: number | null;
  readonly avg: number | null;
  readonly median: number | null;
  readonly p95: number | null;
  readonly total_gas_spent_usd: string;
  readonly avg_gas_price_gwei: number | null;
}

/** Of closed hours, and which state of them: `versionOf`. */
export interface ClosedFigureRow extends FigureRow {
  readonly version: string;
}

/**
 * Rows of FigureRow, of hours as hours.ts makes them. Formulas are those of seed 002: profits are net, and one that has no price in USD is counted as a
 * transaction and nowhere else. Percentiles are as PostgreSQL's percentile_cont has them: between two values by their distance.
 * @param closed they have a `version`: rows are ClosedFigureRow
 */
export function figuresQuery(hours: Query, unit: Unit, closed = false): Query {
  const orNull = (value: string): string => `if(empty(all), NULL, ${value})`;
  return {
    sql: `SELECT toString(chain_id) AS chain, toUnixTimestamp(period) AS hour, detected AS opportunities_detected, captured AS opportunities_captured,
  small AS small_opportunities_count, small_captured AS small_opps_captured, found AS transactions_detected, length(all) AS transactions_priced,
  people AS unique_arbitrageurs, toString(arraySum(all)) AS total_profit_usd, ${orNull("toFloat64(arrayMin(all))")} AS min,
  ${orNull("toFloat64(arrayMax(all))")} AS max, ${orNull("toFloat64(arraySum(all)) / length(all)")} AS avg, ${orNull("between[1]")} AS median, ${orNull("between[2]")} AS p95,
  toString(gas) AS total_gas_spent_usd, if(gwei_known > 0, gwei / gwei_known, NULL) AS avg_gas_price_gwei${closed ? ", state AS version" : ""}
FROM (
  SELECT chain_id, ${STARTS[unit]("hour_timestamp")} AS period, sum(transactions_detected) AS found, groupArrayArray(profits) AS all,
    arrayReduce('quantilesExactInclusive(0.5, 0.95)', arrayMap(x -> toFloat64(x), all)) AS between, sum(total_gas_spent_usd) AS gas,
    uniqExactArray(arrayFilter((who, made) -> made > 0, arbitrageurs.address, arbitrageurs.transactions)) AS people,
    sum(arraySum(arbitrageurs.gas_gwei)) AS gwei, sum(arraySum(arbitrageurs.gas_known)) AS gwei_known,
    sum(opportunities_detected) AS detected, sum(opportunities_captured) AS captured,
    sum(small_opportunities_count) AS small, sum(small_opps_captured) AS small_captured${closed ? `, ${versionSql("max(version)", "count()")} AS state` : ""}
  FROM ${hours.sql}
  GROUP BY chain_id, period
)`,
    params: hours.params,
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
