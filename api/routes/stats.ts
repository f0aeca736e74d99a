import { createRoute, z } from "@hono/zod-openapi";
import { type StatsRow, statsQuery } from "../../clickhouse/queries/stats.ts";
import type { ApiDeps } from "../deps.ts";
import { READ_SETTINGS, withETag } from "../list.ts";
import { chain, optional, paging, query, times } from "../parameters.ts";
import { createRouter, DATABASE_PROBLEMS, LIST_HEADERS, problemResponse } from "../router.ts";

const PERIOD_HOURS = { "1h": 1, "24h": 24, "7d": 7 * 24, "30d": 30 * 24 } as const;
const HOUR_MS = 3_600_000;

const later = (description: string) =>
  z.null().openapi({ description: `${description}. Null: not computed yet, it needs the detection of arbitrage` });

export const statsSchema = z
  .object({
    chain_id: z.int(),
    hour_timestamp: z.string().openapi({ description: "start of the hour, UTC" }),
    transactions: z.int().openapi({ description: "sightings that came in: pending and mined" }),
    pending: z.int().openapi({ description: "of these: pending" }),
    failed: z.int().openapi({ description: "of these: reverted" }),
    gas_used: z.number().openapi({ description: "gas used, where known" }),
    gas_used_raw: z.string(),
    alerts: z.int(),
    opportunities_detected: later("Imbalances of pools"),
    opportunities_captured: later("Imbalances that someone used"),
    small_opportunities_count: later("Opportunities from $10,000 to $100,000"),
    small_opps_captured: later("Small opportunities that someone used"),
    transactions_detected: later("Arbitrage transactions"),
    unique_arbitrageurs: later("Senders of arbitrages"),
    total_profit_usd: later("Profit of arbitrages"),
    capture_rate: later("Percentage of opportunities captured"),
    small_opp_capture_rate: later("Percentage of small opportunities captured"),
    avg_competition_level: later("Arbitrageurs per opportunity"),
    profit_distribution: later("min, max, avg, median and p95 of profits"),
    gas_statistics: later("Gas spent on arbitrages"),
  })
  .openapi("Stats");

const stats = createRoute({
  method: "get",
  path: "/api/v1/stats",
  tags: ["data"],
  summary: "Counts per chain and hour, newest first",
  description:
    "The last 24 hours unless period, or since and until say otherwise. Hours in which nothing came in are absent; an hour that the period begins in counts from its beginning.",
  request: {
    query: query({
      ...chain,
      period: optional(
        z.enum(["1h", "24h", "7d", "30d"], "Expected one of 1h, 24h, 7d, 30d"),
        "how far back from now",
        "24h",
      ),
      ...times,
      ...paging(1000),
    }),
  },
  responses: {
    200: {
      description: "Statistics",
      headers: LIST_HEADERS,
      content: { "application/json": { schema: z.array(statsSchema) } },
    },
    400: problemResponse("Wrong parameters"),
    ...DATABASE_PROBLEMS,
  },
});

export function statsRoutes({ store }: Pick<ApiDeps, "store">) {
  return createRouter().openapi(stats, async (c) => {
    const { chain_id, chainId, period, since, until, limit = 1000, offset = 0 } = c.req.valid("query");
    const from =
      since ?? (until ? undefined : new Date(wholeHour(Date.now() - PERIOD_HOURS[period ?? "24h"] * HOUR_MS)));
    const { sql, params } = statsQuery({ chainId: chain_id ?? chainId, since: from, until }, { limit, offset });
    const rows = await store.rows<StatsRow>(sql, params, READ_SETTINGS);
    c.header("x-total-count", rows[0]?.total ?? "0");
    return withETag(c, rows.map(toStats));
  });
}

function wholeHour(ms: number): number {
  return ms - (ms % HOUR_MS);
}

function toStats(row: StatsRow): z.infer<typeof statsSchema> {
  return {
    chain_id: Number(row.chain_id),
    hour_timestamp: row.hour_timestamp,
    transactions: Number(row.transactions),
    pending: Number(row.pending),
    failed: Number(row.failed),
    gas_used: Number(row.gas_used),
    gas_used_raw: row.gas_used,
    alerts: Number(row.alerts),
    opportunities_detected: null,
    opportunities_captured: null,
    small_opportunities_count: null,
    small_opps_captured: null,
    transactions_detected: null,
    unique_arbitrageurs: null,
    total_profit_usd: null,
    capture_rate: null,
    small_opp_capture_rate: null,
    avg_competition_level: null,
    profit_distribution: null,
    gas_statistics: null,
  };
}
