import { type Definition, hourStats, type OpenHour } from "./hours.ts";
import { commonConditions, hex, iso, paramsOf, REPLACED, where } from "./list.ts";
import type { CommonFilter, Condition, Page, Query } from "./types.ts";

/** One chain in one hour or day. Counts and USD as decimal text; rates, averages and percentiles as numbers, null where there is nothing to divide by. */
export interface StatsRow {
  readonly chain_id: string;
  /** Start of it. */
  readonly period: string;
  readonly transactions: string;
  readonly pending: string;
  readonly failed: string;
  readonly gas_used: string;
  readonly alerts: string;
  readonly opportunities_detected: string;
  readonly opportunities_captured: string;
  readonly small_opportunities_count: string;
  readonly small_opps_captured: string;
  readonly transactions_detected: string;
  readonly transactions_priced: string;
  readonly unique_arbitrageurs: string;
  readonly total_profit_usd: string;
  readonly capture_rate: number | null;
  readonly small_opp_capture_rate: number | null;
  readonly avg_competition_level: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly avg: number | null;
  readonly median: number | null;
  readonly p95: number | null;
  readonly total_gas_spent_usd: string;
  readonly avg_gas_price_gwei: number | null;
  /** 1: an hour of it has a block that its chain may still replace, with something in it that is counted here. */
  readonly provisional: number;
  readonly total: string;
}

/** Of replaced blocks. The height stands alone as well: it has an index. */
const IN_REPLACED: Condition = {
  sql: `(t.chain_id, t.block_hash) IN ${REPLACED} AND t.block_number IN (SELECT block_number FROM replaced_blocks FINAL WHERE replaced = 1)`,
};

/**
 * What came in, per chain and period, out of the roll-ups by minute: (chain, period, a transactions, b pending, c failed, d gas_used, e alerts).
 * The roll-ups are made as rows come in, and blocks are replaced later: what those said is counted anew, and taken out.
 */
function arrivals(filter: CommonFilter, start: (time: string) => string): Query {
  const conditions = commonConditions(filter, "minute");
  const replaced = where([...commonConditions(filter, "event_time"), IN_REPLACED]);
  const signed = (...columns: string[]): string => columns.map((column) => `toInt64(sum(t.${column}))`).join(", ");
  const key = (time: string): string => `t.chain_id AS chain, ${start(`t.${time}`)} AS period`;
  return {
    sql: `SELECT ${key("minute")}, ${signed("transactions")} AS a, ${signed("pending")} AS b, ${signed("failed")} AS c, ${signed("gas_used")} AS d,
    toInt64(0) AS e
  FROM transactions_per_minute AS t${where(conditions)} GROUP BY chain, period
  UNION ALL
  SELECT ${key("minute")}, 0, 0, 0, 0, ${signed("alerts")} FROM alerts_per_minute AS t${where(conditions)} GROUP BY chain, period
  UNION ALL
  SELECT ${key("event_time")}, -count(), 0, -countIf(t.status = 0), -toInt64(sum(ifNull(t.gas_used, 0))), 0
  FROM transactions AS t${replaced} GROUP BY chain, period
  UNION ALL
  SELECT ${key("event_time")}, 0, 0, 0, 0, -count() FROM alerts AS t${replaced} GROUP BY chain, period`,
    params: paramsOf(conditions),
  };
}

const STARTS = {
  hour: (time: string) => `toStartOfHour(toDateTime(${time}, 'UTC'))`,
  day: (time: string) => `toStartOfDay(toDateTime(${time}, 'UTC'))`,
} as const;

/** Percentiles as PostgreSQL's percentile_cont has them: between two values by their distance. */
const percentile = (level: number): string =>
  `if(empty(profits), NULL, arrayReduce('quantileExactInclusive(${level})', arrayMap(x -> toFloat64(x), profits)))`;
const rate = (part: string, whole: string): string => `if(${whole} > 0, 100 * ${part} / ${whole}, NULL)`;

export interface StatsOptions {
  readonly by: keyof typeof STARTS;
  readonly definition: Definition;
  /** Of openHoursQuery, for the same filter. */
  readonly open: readonly OpenHour[];
}

/**
 * Per chain and hour or day, newest first; `total` is the number of rows without the limit. Formulas are those of seed 002: profits are net,
 * and one that has no price in USD is counted as a transaction and nowhere else.
 * @param filter `since` and `until` are starts of hours, or of days
 */
export function statsQuery(filter: CommonFilter, { by, definition, open }: StatsOptions, page: Page): Query {
  const start = STARTS[by];
  const came = arrivals(filter, start);
  const hours = hourStats(filter, definition, open);
  const unsure = open.filter(({ final }) => final === 0);
  return {
    sql: `SELECT toString(chain) AS chain_id, ${iso("period_")} AS period, toString(a_) AS transactions, toString(b_) AS pending, toString(c_) AS failed,
  toString(d_) AS gas_used, toString(e_) AS alerts, toString(detected) AS opportunities_detected, toString(captured) AS opportunities_captured,
  toString(small) AS small_opportunities_count, toString(small_captured) AS small_opps_captured, toString(found) AS transactions_detected,
  toString(length(profits)) AS transactions_priced, toString(people) AS unique_arbitrageurs, toString(arraySum(profits)) AS total_profit_usd,
  ${rate("captured", "detected")} AS capture_rate, ${rate("small_captured", "small")} AS small_opp_capture_rate,
  if(detected > 0 AND people > 0, people / detected, NULL) AS avg_competition_level,
  if(empty(profits), NULL, toFloat64(arrayMin(profits))) AS min, if(empty(profits), NULL, toFloat64(arrayMax(profits))) AS max,
  if(empty(profits), NULL, toFloat64(arraySum(profits)) / length(profits)) AS avg, ${percentile(0.5)} AS median, ${percentile(0.95)} AS p95,
  toString(gas) AS total_gas_spent_usd, if(gwei_known > 0, gwei / gwei_known, NULL) AS avg_gas_price_gwei, toUInt8(unsure) AS provisional,
  toString(count() OVER ()) AS total
FROM (
  SELECT chain, period AS period_, sum(a) AS a_, sum(b) AS b_, sum(c) AS c_, sum(d) AS d_, sum(e) AS e_, sum(transactions_detected) AS found,
    groupArrayArray(profits_) AS profits, sum(total_gas_spent_usd) AS gas, uniqExactArray(arrayMap(x -> x.address, active)) AS people,
    sum(arraySum(x -> x.gas_gwei, active)) AS gwei, sum(arraySum(x -> x.gas_known, active)) AS gwei_known,
    sum(opportunities_detected) AS detected, sum(opportunities_captured) AS captured,
    sum(small_opportunities_count) AS small, sum(small_opps_captured) AS small_captured, max(is_unsure) AS unsure
  FROM (
    SELECT chain, period, a, b, c, d, e, toUInt64(0) AS transactions_detected, [] AS profits_, toDecimal128(0, 6) AS total_gas_spent_usd, [] AS active,
      toUInt64(0) AS opportunities_detected, toUInt64(0) AS opportunities_captured, toUInt64(0) AS small_opportunities_count,
      toUInt64(0) AS small_opps_captured, false AS is_unsure
    FROM (${came.sql})
    UNION ALL
    SELECT chain_id, ${start("hour_timestamp")}, 0, 0, 0, 0, 0, transactions_detected, profits, total_gas_spent_usd,
      arrayFilter(x -> x.transactions > 0, arbitrageurs), opportunities_detected, opportunities_captured, small_opportunities_count, small_opps_captured,
      (chain_id, toUnixTimestamp(hour_timestamp)) IN (SELECT arrayJoin(arrayZip({unsure_chains:Array(UInt64)}, {unsure_hours:Array(UInt32)})))
    FROM ${hours.sql}
  )
  GROUP BY chain, period
  HAVING a_ + e_ + found + detected > 0
)
ORDER BY period_ DESC, chain
LIMIT {limit:UInt32} OFFSET {offset:UInt32}`,
    params: {
      ...came.params,
      ...hours.params,
      unsure_chains: unsure.map(({ chain }) => Number(chain)),
      unsure_hours: unsure.map(({ hour }) => hour),
      limit: page.limit,
      offset: page.offset,
    },
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
