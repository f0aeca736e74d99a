/** Which routes answer out of the cache. All who may ask them are shown the same, so a role is no part of the key. */
import type { Context, MiddlewareHandler } from "hono";
import { routeOf } from "../auth/guard.ts";
import type { Cache, Kind } from "./cache.ts";

interface Kept {
  readonly kind: Kind;
  /** What the answer is made of, as versions.ts names it. */
  readonly tables: readonly string[];
}

const MEV = ["arbitrages", "sandwiches", "liquidations", "jit_liquidity", "replaced_blocks", "chain_heads"];
const BLOCKS = ["replaced_blocks", "chain_heads"];
const OPPORTUNITIES = ["opportunities", "opportunity_captures"];
/** clickhouse/queries/hours.ts */
const HOURS = ["arbitrages", "failed_attempts", "stats_hours", ...OPPORTUNITIES, ...BLOCKS];
const ARRIVALS = ["transactions", "alerts", "transactions_per_minute", "alerts_per_minute"];

const leaderboard: Kept = { kind: "leaderboard", tables: HOURS };
const stats: Kept = { kind: "stats", tables: [...HOURS, ...ARRIVALS] };
const ROUTES: ReadonlyMap<string, Kept> = new Map([
  ["GET /api/v1/opportunities", { kind: "opportunities", tables: [...OPPORTUNITIES, ...BLOCKS, "labels"] }],
  ["GET /api/v1/mev-opportunities", { kind: "opportunities", tables: MEV }],
  ["GET /api/v1/analytics/mev-summary", { kind: "stats", tables: MEV }],
  ["GET /api/v1/stats", stats],
  ["GET /api/v1/stats/daily", stats],
  ["GET /api/v1/arbitrageurs", leaderboard],
  ["GET /api/v1/arbitrageurs/:address", leaderboard],
]);

/** What is kept of an answer's headers: what is not said of each request anew. */
const HEADERS = ["content-type", "etag", "link", "x-total-count", "retry-after"];

/** Stands behind the guard and the limits. */
export function cached(cache: Cache): MiddlewareHandler {
  return async (c, next) => {
    const kept = ROUTES.get(routeOf(c) ?? "");
    if (kept === undefined) return next();
    const { answer, from } = await cache.read({ ...kept, name: nameOf(c) }, async () => {
      await next();
      const { status, headers } = c.res;
      const said = HEADERS.flatMap((name) => (headers.has(name) ? [[name, headers.get(name)!]] : []));
      return { status, headers: Object.fromEntries(said), body: Buffer.from(await c.res.arrayBuffer()) };
    });
    c.res = undefined; // what was made is read to its end
    c.res = c.body(answer.body, answer.status as 200, { ...answer.headers, "x-cache": from });
  };
}

/** Path as it was asked for, since links repeat it, and parameters by their names. */
function nameOf(c: Context): string {
  const { pathname, searchParams } = new URL(c.req.url);
  searchParams.sort();
  return `${pathname}?${searchParams}`;
}
