import { createRoute, z } from "@hono/zod-openapi";
import type { Unit } from "../../clickhouse/queries/hours.ts";
import type { CommonFilter } from "../../clickhouse/queries/types.ts";
import { withETag } from "../list.ts";
import { chain, optional, paging, query, times, wholeNumber } from "../parameters.ts";
import { createRouter, DATABASE_PROBLEMS, json, LIST_HEADERS, problemResponse } from "../router.ts";
import {
  DAY_MS,
  definitionParameter,
  describe,
  endOf,
  HOUR_MS,
  startOf,
  usd,
  usdOrNull,
  usdRaw,
} from "../statistics/fields.ts";
import type { StatsRow } from "../statistics/periods.ts";
import type { Statistics } from "../statistics/statistics.ts";

const PERIOD_HOURS = { "1h": 1, "24h": 24, "7d": 7 * 24, "30d": 30 * 24 } as const;
const MAX_DAYS = 366;

const figures = {
  transactions: describe(z.int(), "sightings that came in: pending and mined"),
  pending: describe(z.int(), "of these: pending"),
  failed: describe(z.int(), "of these: reverted"),
  gas_used: describe(z.number(), "gas used, where known"),
  gas_used_raw: z.string(),
  alerts: z.int(),
  opportunities_detected: describe(z.int(), "pools out of balance, and swaps that would leave them so"),
  opportunities_captured: describe(z.int(), "of these: an arbitrage went through the pool within 300 s"),
  small_opportunities_count: describe(z.int(), "opportunities from $10,000 to $100,000"),
  small_opps_captured: describe(z.int(), "small opportunities that an arbitrage took"),
  transactions_detected: describe(z.int(), "arbitrage transactions"),
  transactions_priced: describe(
    z.int(),
    "of these: their net profit is known in USD. The others are in no figure of profit",
  ),
  unique_arbitrageurs: describe(z.int(), "senders of arbitrages"),
  total_profit_usd: usd("net profit of arbitrages"),
  total_profit_usd_raw: usdRaw("total_profit_usd"),
  capture_rate: describe(z.number().nullable(), "captured / detected × 100; null where nothing was detected"),
  small_opp_capture_rate: describe(z.number().nullable(), "the same of small opportunities"),
  avg_competition_level: describe(
    z.number().nullable(),
    "unique arbitrageurs / opportunities; null where there are none of either",
  ),
  profit_distribution: describe(
    z.object({
      min: usdOrNull("smallest"),
      max: usdOrNull("largest"),
      avg: usdOrNull("mean"),
      median: usdOrNull("median"),
      p95: usdOrNull("95th percentile, between two values by their distance"),
    }),
    "net profits of arbitrage transactions",
  ),
  gas_statistics: describe(
    z.object({
      total_gas_spent_usd: usd("gas of arbitrages"),
      total_gas_spent_usd_raw: usdRaw("total_gas_spent_usd"),
      avg_gas_price_gwei: describe(z.number().nullable(), "mean of what arbitrages paid per gas"),
    }),
    "what arbitrages paid",
  ),
  provisional: describe(
    z.boolean(),
    "an arbitrage or opportunity in it is of a block that its chain may still replace",
  ),
};

export const statsSchema = z
  .object({ chain_id: z.int(), hour_timestamp: describe(z.string(), "start of the hour, UTC"), ...figures })
  .openapi("Stats");

export const dailyStatsSchema = z
  .object({ chain_id: z.int(), date: z.string().openapi({ description: "UTC", example: "2024-01-15" }), ...figures })
  .openapi("DailyStats");

const ANSWERS = { 400: problemResponse("Wrong parameters"), ...DATABASE_PROBLEMS };
const NOTE =
  "Hours and days are whole: one that the period begins or ends in counts from its beginning to its end. Those in which nothing came in are absent. Blocks that were replaced do not count. Arbitrages count by the time of their block, opportunities and transactions by when they were seen.";

export const hourlyParameters = query({
  ...chain,
  period: optional(
    z.enum(["1h", "24h", "7d", "30d"], "Expected one of 1h, 24h, 7d, 30d"),
    "how far back from now",
    "24h",
  ),
  definition: definitionParameter,
  ...times,
  ...paging(1000),
});

const hourly = createRoute({
  method: "get",
  path: "/api/v1/stats",
  tags: ["statistics"],
  summary: "Statistics per chain and hour, newest first",
  description: `The last 24 hours unless period, or since and until say otherwise. ${NOTE}`,
  request: {
    query: hourlyParameters,
  },
  responses: { 200: { ...json(z.array(statsSchema), "Statistics"), headers: LIST_HEADERS }, ...ANSWERS },
});

export const dailyParameters = query({
  ...chain,
  days: optional(wholeNumber(1, MAX_DAYS), `how many days back from now, 1 to ${MAX_DAYS}`, "30"),
  definition: definitionParameter,
  ...times,
  ...paging(1000),
});

const daily = createRoute({
  method: "get",
  path: "/api/v1/stats/daily",
  tags: ["statistics"],
  summary: "Statistics per chain and day (UTC), newest first",
  description: `The last 30 days, today among them, unless days, or since and until say otherwise. ${NOTE}`,
  request: {
    query: dailyParameters,
  },
  responses: { 200: { ...json(z.array(dailyStatsSchema), "Statistics"), headers: LIST_HEADERS }, ...ANSWERS },
});

type Asked = Partial<Omit<z.output<typeof hourlyParameters>, "period">>;

/** Of each chain and hour or day, newest first; `total`: how many there are without the limit. */
async function read(statistics: Statistics, by: Unit, asked: Asked, defaultSince: number) {
  const { chain_id, chainId, since, until, definition = "cycle", limit = 1000, offset = 0 } = asked;
  const unit = by === "hour" ? HOUR_MS : DAY_MS;
  const from = since ?? (until ? undefined : new Date(defaultSince));
  const filter: CommonFilter = {
    chainId: chain_id ?? chainId,
    since: from && startOf(from, unit),
    until: until && endOf(until, unit),
  };
  const rows = await statistics.periods(filter, by, definition);
  return { rows: rows.slice(offset, offset + limit), total: String(rows.length) };
}

export async function readHourlyStats(
  statistics: Statistics,
  { period = "24h", ...asked }: z.output<typeof hourlyParameters>,
) {
  const { rows, total } = await read(statistics, "hour", asked, Date.now() - PERIOD_HOURS[period] * HOUR_MS);
  const stats = rows.map((row) => ({ chain_id: Number(row.chain), hour_timestamp: row.period, ...toFigures(row) }));
  return { stats, total };
}

export async function readDailyStats(
  statistics: Statistics,
  { days = 30, ...asked }: z.output<typeof dailyParameters>,
) {
  const { rows, total } = await read(statistics, "day", asked, Date.now() - (days - 1) * DAY_MS);
  const stats = rows.map((row) => ({
    ...{ chain_id: Number(row.chain), date: row.period.slice(0, 10) },
    ...toFigures(row),
  }));
  return { stats, total };
}

export function statsRoutes(statistics: Statistics) {
  return createRouter()
    .openapi(hourly, async (c) => {
      const { stats, total } = await readHourlyStats(statistics, c.req.valid("query"));
      c.header("x-total-count", total);
      return withETag(c, stats);
    })
    .openapi(daily, async (c) => {
      const { stats, total } = await readDailyStats(statistics, c.req.valid("query"));
      c.header("x-total-count", total);
      return withETag(c, stats);
    });
}

function toFigures(row: StatsRow) {
  return {
    transactions: Number(row.transactions),
    pending: Number(row.pending),
    failed: Number(row.failed),
    gas_used: Number(row.gas_used),
    gas_used_raw: row.gas_used,
    alerts: Number(row.alerts),
    opportunities_detected: Number(row.opportunities_detected),
    opportunities_captured: Number(row.opportunities_captured),
    small_opportunities_count: Number(row.small_opportunities_count),
    small_opps_captured: Number(row.small_opps_captured),
    transactions_detected: Number(row.transactions_detected),
    transactions_priced: Number(row.transactions_priced),
    unique_arbitrageurs: Number(row.unique_arbitrageurs),
    total_profit_usd: Number(row.total_profit_usd),
    total_profit_usd_raw: row.total_profit_usd,
    capture_rate: row.capture_rate,
    small_opp_capture_rate: row.small_opp_capture_rate,
    avg_competition_level: row.avg_competition_level,
    profit_distribution: { min: row.min, max: row.max, avg: row.avg, median: row.median, p95: row.p95 },
    gas_statistics: {
      total_gas_spent_usd: Number(row.total_gas_spent_usd),
      total_gas_spent_usd_raw: row.total_gas_spent_usd,
      avg_gas_price_gwei: row.avg_gas_price_gwei,
    },
    provisional: row.provisional,
  };
}
