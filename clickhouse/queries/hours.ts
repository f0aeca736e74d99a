/**
 * Statistics by hour. An hour is closed when all of its blocks are final: then it is one row of `stats_hours`, made from the base tables
 * (engine/statistics/). Hours that are not closed, or to which rows have come since, are *open*: they are computed when they are asked for.
 * Both are the same SQL, so what is read is exact at any time.
 *
 *     openHoursQuery ──▶ which hours                closed hours: stats_hours FINAL ─┐
 *                       └──▶ hoursFromBase(hours):  open hours: the base tables ─────┴──▶ hourStats
 *
 * Most of what that costs is to plan the second. So who asks often (api/statistics/) has it run by openRowsQuery whenever the base tables have changed,
 * and reads the two apart: closedOf, openPeriods.
 *
 * What counts: an arbitrage transaction once (route 0), though it came in twice; nothing of replaced blocks.
 */
import { CONFIRMED, paramsOf, REPLACED } from "./list.ts";
import { capturedOpportunities } from "./opportunities.ts";
import type { CommonFilter, Condition, Query } from "./types.ts";

export const DEFINITIONS = ["cycle", "router"] as const;
export type Definition = (typeof DEFINITIONS)[number];

/** An hour of a chain to which more rows belong than it was closed with. */
export interface OpenHour {
  readonly chain: string;
  /** Start, Unix seconds. */
  readonly hour: number;
  /** Of the base tables. */
  readonly rows: string;
  /** 1: none of its blocks can be replaced any more. */
  readonly final: number;
}

/** What the tuples hold; the same type with names as the column's. */
const ARBITRAGEURS = `Array(Tuple(address FixedString(20), transactions UInt64, failed UInt64, profit Decimal(38, 6), priced UInt64,
    gas Decimal(38, 6), gas_gwei Float64, gas_known UInt64, hops2 UInt64, hops3 UInt64, hops4 UInt64, hops5 UInt64,
    first_seen DateTime(\\'UTC\\'), last_seen DateTime(\\'UTC\\')))`;

/** Columns of `stats_hours` that make up an hour, beside its key, and their types. */
const COUNTS = {
  ...{ transactions_detected: "UInt64", profits: "Array(Decimal(38, 6))", total_gas_spent_usd: "Decimal(38, 6)" },
  ...{ arbitrageurs: ARBITRAGEURS, opportunities_detected: "UInt64", opportunities_captured: "UInt64" },
  ...{ small_opportunities_count: "UInt64", small_opps_captured: "UInt64" },
} as const;
const COUNTED = Object.keys(COUNTS);

const ISNT_REPLACED = `NOT (block_hash IS NOT NULL AND (chain_id, assumeNotNull(block_hash)) IN ${REPLACED})`;
const BLOCK_TIME = "ifNull(block_timestamp, toDateTime(event_time, 'UTC'))";

/** Chain and time; `column` is the start of an hour, and an hour counts if it begins from `since` on and before `until`. */
function hourConditions({ chainId, since, until }: CommonFilter, column: string): Condition[] {
  const seconds = (time: Date): number => Math.ceil(time.getTime() / 1000);
  return [
    ...(chainId === undefined ? [] : [{ sql: "chain_id = {chain_id:UInt64}", params: { chain_id: chainId } }]),
    ...(since
      ? [{ sql: `${column} >= toDateTime({since_s:UInt32}, 'UTC')`, params: { since_s: seconds(since) } }]
      : []),
    ...(until ? [{ sql: `${column} < toDateTime({until_s:UInt32}, 'UTC')`, params: { until_s: seconds(until) } }] : []),
  ];
}

const all = (conditions: readonly Condition[]): string => ["1", ...conditions.map(({ sql }) => sql)].join(" AND ");

/** Rows are OpenHour, oldest first. Reads counts that each part of a table has of its hours, not the rows. */
export function openHoursQuery(filter: CommonFilter): Query {
  const conditions = hourConditions(filter, "hour");
  const counts = (table: string, last = "max(block_number)"): string =>
    `SELECT chain_id, hour, count() AS n, ${last} AS last FROM ${table} WHERE ${all(conditions)} GROUP BY chain_id, hour`;
  return {
    sql: `SELECT toString(found.chain_id) AS chain, toUnixTimestamp(found.hour) AS hour, toString(found.n) AS rows,
  NOT mapContains(${CONFIRMED}, found.chain_id) OR found.last <= ${CONFIRMED}[found.chain_id] AS final
FROM (
  SELECT chain_id, hour, sum(n) AS n, max(last) AS last FROM (
    ${counts("arbitrages")}
    UNION ALL ${counts("failed_attempts")}
    UNION ALL ${counts("opportunities", "max(ifNull(block_number, 0))")}
    UNION ALL SELECT * FROM (
      SELECT chain_id, arrayJoin(arrayDistinct([first_hour, hour])) AS hour, n, last FROM (
        SELECT chain_id, hour, first_hour, count() AS n, max(block_number) AS last FROM opportunity_captures GROUP BY chain_id, hour, first_hour
      )
    ) WHERE ${all(conditions)}
  ) GROUP BY chain_id, hour
) AS found
LEFT JOIN (
  SELECT chain_id, hour_timestamp AS hour, base_rows FROM stats_hours FINAL WHERE definition = 'cycle' AND ${all(hourConditions(filter, "hour_timestamp"))}
) AS closed USING (chain_id, hour)
WHERE found.n > base_rows
ORDER BY found.chain_id, found.hour`,
    params: paramsOf(conditions),
  };
}

/** Hours as parameters, and the table of them: (chain_id, hour, rows). */
const HOURS = `(SELECT h.1 AS chain_id, toDateTime(h.2, 'UTC') AS hour, h.3 AS rows
  FROM (SELECT arrayJoin(arrayZip({open_chains:Array(UInt64)}, {open_hours:Array(UInt32)}, {open_rows:Array(UInt64)})) AS h))`;
const IS_OPEN = (column: string): string => `(chain_id, ${column}) IN (SELECT chain_id, hour FROM ${HOURS})`;
/** Captures of what was detected in an open hour: a pending swap may have been seen after the block that captures it. */
const IS_NEAR = `(c.chain_id, c.hour) IN (SELECT chain_id, arrayJoin([hour - 3600, hour, hour + 3600]) FROM ${HOURS})`;
const hourParams = (hours: readonly Omit<OpenHour, "final">[]): Record<string, unknown> => ({
  open_chains: hours.map(({ chain }) => Number(chain)),
  open_hours: hours.map(({ hour }) => hour),
  open_rows: hours.map(({ rows }) => Number(rows)),
});

/**
 * A SELECT of the hours for which a condition on (chain_id, hour) holds: key, COUNTED, and base_rows as the parameters say.
 * Of an hour in HOURS there is a row for each definition, whatever is found.
 */
function hoursFromBase(condition: string, definitions: readonly Definition[], named: boolean): string {
  const known = definitions.map((definition) => `'${definition}'`).join(", ");
  const each = `arrayJoin([${known}])`;
  // Of each level the names differ: an alias would be taken for what it is made of.
  const transactions = `SELECT chain_id, definition, hour, tx_from, tx_hops AS hops, tx_net_usd AS net, tx_gas_usd AS gas, tx_gas_price AS price, ${BLOCK_TIME} AS time
      FROM arbitrages WHERE route = 0 AND definition IN (${known}) AND ${condition} AND ${ISNT_REPLACED}
      LIMIT 1 BY chain_id, definition, block_number, block_hash, tx_hash`;
  const attempts = `SELECT chain_id, hour, tx_from, ${BLOCK_TIME} AS time FROM failed_attempts WHERE ${condition} AND ${ISNT_REPLACED}
        LIMIT 1 BY chain_id, block_number, block_hash, tx_hash`;
  const senders = `SELECT chain_id, definition, hour, tx_from, countIf(hops > 0) AS made, countIf(hops = 0) AS failed, groupArray(net) AS nets,
      sum(ifNull(net, 0)) AS profit, count(net) AS priced, sum(ifNull(gas, 0)) AS spent, sum(ifNull(toFloat64(price) / 1e9, 0)) AS gwei,
      count(price) AS gwei_known, [countIf(hops = 2), countIf(hops = 3), countIf(hops = 4), countIf(hops > 4)] AS by_hops,
      min(time) AS first, max(time) AS last
    FROM (
      ${transactions}
      UNION ALL
      SELECT chain_id, ${each}, hour, tx_from, 0, NULL, NULL, NULL, time FROM (
        ${attempts}
      )
    ) GROUP BY chain_id, definition, hour, tx_from`;
  const parts = [
    `SELECT chain_id, definition, hour, sum(made) AS transactions, groupArrayArray(nets) AS nets_, sum(spent) AS spent_,
    groupArray((tx_from, made, failed, profit, priced, spent, gwei, gwei_known, by_hops[1], by_hops[2], by_hops[3], by_hops[4], first, last)) AS people,
    toUInt64(0) AS detected, toUInt64(0) AS taken, toUInt64(0) AS small, toUInt64(0) AS small_taken, toUInt64(0) AS base
  FROM (
    ${senders}
  ) GROUP BY chain_id, definition, hour`,
    `SELECT chain_id, ${each}, hour_, 0, [], 0, [], count(), countIf(captured), countIf(is_small), countIf(is_small AND captured), 0 FROM (
    SELECT chain_id, toStartOfHour(toDateTime(event_time, 'UTC')) AS hour_, captured, ifNull(is_small_opportunity, false) AS is_small
    FROM ${capturedOpportunities([condition], named ? [IS_NEAR] : [])} LIMIT 1 BY chain_id, opportunity_id
  ) GROUP BY chain_id, hour_`,
    ...(named ? [`SELECT chain_id, ${each}, hour, 0, [], 0, [], 0, 0, 0, 0, rows FROM ${HOURS}`] : []),
  ];
  return `SELECT chain_id, definition, hour AS hour_timestamp, sum(transactions) AS transactions_detected, groupArrayArray(nets_) AS profits,
  sum(spent_) AS total_gas_spent_usd, CAST(groupArrayArray(people), '${ARBITRAGEURS}') AS arbitrageurs, sum(detected) AS opportunities_detected, sum(taken) AS opportunities_captured,
  sum(small) AS small_opportunities_count, sum(small_taken) AS small_opps_captured, sum(base) AS base_rows
FROM (
  ${parts.join("\n  UNION ALL\n  ")}
)
GROUP BY chain_id, definition, hour`;
}

/** Closes hours: an INSERT of one row for each definition, which replaces what the hour had. @param hours final ones */
export function closeHoursStatement(hours: readonly OpenHour[]): Query {
  return {
    sql: `INSERT INTO stats_hours (chain_id, definition, hour_timestamp, ${COUNTED.join(", ")}, base_rows, version)
SELECT chain_id, definition, hour_timestamp, ${COUNTED.join(", ")}, base_rows, now64(6, 'UTC') FROM (${hoursFromBase(IS_OPEN("hour"), DEFINITIONS, true)})`,
    params: hourParams(hours),
  };
}

/**
 * Opens hours again that have rows of a block: it was replaced, or is no more, after they were closed. An hour that is being closed
 * meanwhile began before the block's word changed, or sees it: its version is older, or it is right.
 */
export function openHoursStatement({
  chainId,
  number,
  hash,
}: {
  chainId: number;
  number: number;
  hash: string;
}): Query {
  const touched = ["arbitrages", "failed_attempts", "opportunities", "opportunity_captures"].map((table) => {
    const hours = table === "opportunity_captures" ? "arrayJoin([first_hour, hour])" : "hour";
    return `SELECT chain_id, ${hours} AS hour FROM ${table} WHERE chain_id = {chain:UInt64} AND block_number = {number:UInt64} AND block_hash = unhex({hash:String})`;
  });
  return {
    sql: `INSERT INTO stats_hours (chain_id, definition, hour_timestamp, base_rows, version)
SELECT DISTINCT chain_id, definition, hour_timestamp, 0, now64(6, 'UTC') FROM stats_hours WHERE (chain_id, hour_timestamp) IN (${touched.join(" UNION ALL ")})`,
    params: { chain: chainId, number, hash: hash.slice(2) },
  };
}

/** More open hours than that are not named: the period is computed from the base tables, whatever is closed. */
const MAX_NAMED = 2_000;
const COLUMNS = ["chain_id", "hour_timestamp", ...COUNTED].join(", ");

/**
 * A table expression over `(chain_id, hour_timestamp, …COUNTED)` of one definition, closed hours and open ones.
 * @param open as openHoursQuery gave them for the same filter
 */
export function hourStats(filter: CommonFilter, definition: Definition, open: readonly OpenHour[]): Query {
  const conditions = hourConditions(filter, "hour");
  if (open.length > MAX_NAMED)
    return {
      sql: `(SELECT ${COLUMNS} FROM (${hoursFromBase(all(conditions), [definition], false)}))`,
      params: paramsOf(conditions),
    };
  const closed = closedHours(filter, definition, open);
  if (open.length === 0) return closed;
  return {
    sql: `(${closed.sql} UNION ALL SELECT ${COLUMNS} FROM (${hoursFromBase(IS_OPEN("hour"), [definition], true)}))`,
    params: { ...closed.params, ...hourParams(open) },
  };
}

/** Starts of what statistics are by, of a time. */
export const STARTS = {
  hour: (time: string) => `toStartOfHour(toDateTime(${time}, 'UTC'))`,
  day: (time: string) => `toStartOfDay(toDateTime(${time}, 'UTC'))`,
} as const;
export type Unit = keyof typeof STARTS;

/** An hour or day of a chain. */
export interface Period {
  readonly chain: string;
  /** Start, Unix seconds. */
  readonly hour: number;
}

const isOf = (unit: Unit): string =>
  `(chain_id, ${STARTS[unit]("hour_timestamp")}) IN (SELECT p.1, toDateTime(p.2, 'UTC') FROM (SELECT arrayJoin(arrayZip({of_chains:Array(UInt64)}, {of_starts:Array(UInt32)})) AS p))`;
const periodParams = (periods: readonly Period[]): Record<string, unknown> => ({
  of_chains: periods.map(({ chain }) => Number(chain)),
  of_starts: periods.map(({ hour }) => hour),
});

/** As hourStats, but closed hours alone, without some. */
export function closedHours(filter: CommonFilter, definition: Definition, except: readonly Period[]): Query {
  const conditions: Condition[] = [
    { sql: `definition = '${definition}'` },
    ...hourConditions(filter, "hour_timestamp"),
    ...(except.length === 0 ? [] : [{ sql: `NOT ${isOf("hour")}`, params: periodParams(except) }]),
  ];
  return {
    sql: `(SELECT ${COLUMNS} FROM stats_hours FINAL WHERE ${all(conditions)})`,
    params: paramsOf(conditions),
  };
}

/** An hour as it was closed last. */
export interface ClosedHour extends Period {
  /** When it was closed, unix microseconds. */
  readonly closed: number;
  /** Who did something in it. */
  readonly senders: number;
}

/** Rows are ClosedHour, oldest first. @param since of all time if undefined */
export function closedHoursQuery(definition: Definition, since: Date | undefined): Query {
  const conditions: Condition[] = [{ sql: `definition = '${definition}'` }, ...hourConditions({ since }, "hour_timestamp")]; // biome-ignore format: one line
  return {
    sql: `SELECT toString(chain_id) AS chain, toUnixTimestamp(hour_timestamp) AS hour, toFloat64(toUnixTimestamp64Micro(version)) AS closed, toUInt32(length(arbitrageurs.address)) AS senders
FROM stats_hours FINAL WHERE ${all(conditions)} ORDER BY hour_timestamp, chain_id`,
    params: paramsOf(conditions),
  };
}

/** Which state of a period its closed hours are: when the last was closed, and how many they are. */
export const versionOf = (hours: readonly ClosedHour[]): string =>
  `${Math.max(...hours.map(({ closed }) => closed))} ${hours.length}`;
/** The same in SQL, of `last`, the latest `version`, and the count of hours. */
export const versionSql = (last: string, hours: string): string =>
  `concat(toString(toUnixTimestamp64Micro(${last})), ' ', toString(${hours}))`;

/** Closed hours of some hours or days alone, each with its `version`. @param periods in any order, one at least */
export function closedOf(definition: Definition, unit: Unit, periods: readonly Period[]): Query {
  const starts = periods.map(({ hour }) => hour * 1000);
  const until = new Date(Math.max(...starts) + (unit === "hour" ? 3_600_000 : 86_400_000));
  const conditions: Condition[] = [
    { sql: `definition = '${definition}'` },
    ...hourConditions({ since: new Date(Math.min(...starts)), until }, "hour_timestamp"),
    { sql: isOf(unit), params: periodParams(periods) },
  ];
  return {
    sql: `(SELECT ${COLUMNS}, version FROM stats_hours FINAL WHERE ${all(conditions)})`,
    params: paramsOf(conditions),
  };
}

/** An open hour as it was computed, of one definition. */
export interface OpenRow extends Period {
  readonly definition: Definition;
  /** Chain, hour and COUNTED as ClickHouse writes a tuple, in base64: it goes back as it is. */
  readonly row: string;
}

/** Rows are OpenRow: one an hour and definition. */
export const openRowsQuery = (open: readonly OpenHour[]): Query => ({
  sql: `SELECT toString(chain_id) AS chain, toUnixTimestamp(hour_timestamp) AS hour, definition, base64Encode(toString((${COLUMNS}))) AS row
FROM (${hoursFromBase(IS_OPEN("hour"), DEFINITIONS, true)})`,
  params: hourParams(open),
});

const ROW = `Tuple(chain_id UInt64, hour_timestamp DateTime(\\'UTC\\'), ${Object.entries(COUNTS).map((column) => column.join(" ")).join(", ")})`; // biome-ignore format: one type

/** As hourStats: of each day that has an open hour all hours of the chain; or the open hours alone. @param rows of one definition, one at least */
export function openPeriods(definition: Definition, unit: Unit, rows: readonly OpenRow[]): Query {
  const given = `SELECT ${["chain_id", "hour_timestamp", ...COUNTED].map((name) => `r.${name} AS ${name}`).join(", ")}
  FROM (SELECT CAST(base64Decode(arrayJoin({open_hour_rows:Array(String)})), '${ROW}') AS r)`;
  const params = { open_hour_rows: rows.map(({ row }) => row) };
  if (unit === "hour") return { sql: `(${given})`, params };
  const open = hourParams(rows.map((row) => ({ ...row, rows: "0" })));
  return {
    sql: `(SELECT ${COLUMNS} FROM stats_hours FINAL WHERE definition = '${definition}' AND ${isOf(unit)} AND NOT ${IS_OPEN("hour_timestamp")}
  UNION ALL ${given})`,
    params: { ...open, ...params, ...periodParams(periodsOf(unit, rows)) },
  };
}

/** What an hour lies in. */
export const periodOf = (unit: Unit, { chain, hour }: Period): Period => ({
  chain,
  hour: hour - (hour % (unit === "hour" ? 3_600 : 86_400)),
});

/** The hours or days that hours lie in, each once. */
export function periodsOf(unit: Unit, hours: readonly Period[]): Period[] {
  const starts = hours.map((hour) => periodOf(unit, hour));
  return [...new Map(starts.map((period) => [`${period.chain} ${period.hour}`, period])).values()];
}
