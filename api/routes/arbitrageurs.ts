import { createRoute, z } from "@hono/zod-openapi";
import { ARBITRAGEUR_ORDERS, type ArbitrageurOrder, type Ranking } from "../../clickhouse/queries/arbitrageurs.ts";
import type { Definition } from "../../clickhouse/queries/hours.ts";
import type { CommonFilter } from "../../clickhouse/queries/types.ts";
import { link, withETag } from "../list.ts";
import { addressText, chain, optional, paging, query, safeInteger, times } from "../parameters.ts";
import { refuse } from "../problem.ts";
import { createRouter, DATABASE_PROBLEMS, json, LIST_HEADERS, problemResponse } from "../router.ts";
import { definitionParameter, describe, endOf, HOUR_MS, startOf, usd, usdRaw } from "../statistics/fields.ts";
import { type Profile, successRate, usdText } from "../statistics/profile.ts";
import { cursorOf } from "../statistics/rank.ts";
import type { Statistics } from "../statistics/statistics.ts";

export const arbitrageurSchema = z
  .object({
    id: describe(z.int(), "names the chain and address; 53 bits"),
    address: describe(z.string(), "sender of the transactions; the contract that it calls is another address"),
    chain_id: z.int(),
    first_seen: z.string(),
    last_seen: z.string(),
    total_transactions: describe(z.int(), "arbitrages and failed attempts"),
    successful_transactions: describe(z.int(), "arbitrages"),
    failed_transactions: describe(
      z.int(),
      "reverted transactions in blocks where the sender or the recipient searched",
    ),
    success_rate: describe(z.number(), "successful / total × 100"),
    total_profit_usd: usd("net profit of the arbitrages whose profit is known in USD"),
    total_profit_usd_raw: usdRaw("total_profit_usd"),
    priced_transactions: describe(z.int(), "how many these are"),
    total_gas_spent_usd: usd("gas of the arbitrages, where known"),
    total_gas_spent_usd_raw: usdRaw("total_gas_spent_usd"),
    avg_profit_per_tx_usd: usd("total_profit_usd / total_transactions"),
    avg_gas_price_gwei: describe(z.number().nullable(), "mean of what the arbitrages paid per gas"),
    preferred_strategy: describe(
      z.enum(["2-hop", "3-hop", "4-hop", "N-hop"]),
      "of most arbitrages; the shortest of equals",
    ),
  })
  .openapi("Arbitrageur");

/** Both of seed 002's spellings. */
const ORDERS = {
  total_profit: "total_profit_usd",
  total_profit_usd: "total_profit_usd",
  success_rate: "success_rate",
  total_transactions: "total_transactions",
  last_seen: "last_seen",
  total_gas_spent: "total_gas_spent_usd",
  total_gas_spent_usd: "total_gas_spent_usd",
} as const satisfies Record<string, ArbitrageurOrder>;
const ORDER_NAMES = Object.keys(ORDERS) as [keyof typeof ORDERS];

/** What a value of each type may look like in a cursor. */
const VALUES: Readonly<Record<string, RegExp>> = {
  "Decimal(38, 6)": /^-?\d{1,32}(\.\d{1,6})?$/,
  Float64: /^\d{1,3}(\.\d{1,20})?(e-\d{1,2})?$/,
  UInt64: /^\d{1,19}$/,
  UInt32: /^\d{1,9}$|^[1-3]\d{9}$/,
};

/** base64url of [order, value, chain, address]. */
function encodeCursor(order: ArbitrageurOrder, cursor: readonly string[]): string {
  return Buffer.from(JSON.stringify([order, ...cursor])).toString("base64url");
}

/** @throws 400 when it is not a cursor of a list in this order */
function decodeCursor(text: string, order: ArbitrageurOrder): [string, string, string] {
  const texts = z.tuple([z.literal(order), z.string().regex(VALUES[ARBITRAGEUR_ORDERS[order][1]]!), z.string().regex(/^\d{1,19}$/), z.string().regex(/^[0-9a-f]{40}$/)]); // biome-ignore format: one schema
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    parts = undefined; // not JSON
  }
  const { data } = texts.safeParse(parts);
  if (!data)
    throw refuse(400, 'Invalid cursor: Expected the cursor of a rel="next" link of this list, with the same sort_by');
  return [data[1], data[2], data[3]];
}

export const arbitrageurParameters = query({
  ...chain,
  min_transactions: optional(safeInteger, "total_transactions is at least this"),
  sort_by: optional(
    z.enum(ORDER_NAMES, `Expected one of ${ORDER_NAMES.join(", ")}`),
    "what to sort by; total_profit by default",
  ),
  sort_order: optional(z.enum(["asc", "desc"], "Expected asc or desc"), "desc by default"),
  definition: definitionParameter,
  ...times,
  ...paging(),
  cursor: optional(z.string().max(1024), 'where the page before ended: from rel="next" in the header Link'),
});

const list = createRoute({
  method: "get",
  path: "/api/v1/arbitrageurs",
  tags: ["statistics"],
  summary: "Who makes arbitrages: profiles, and the leaderboard by sort_by",
  description:
    "Of all that is stored unless since and until say otherwise; hours are whole. Blocks that were replaced do not count.",
  request: { query: arbitrageurParameters },
  responses: {
    200: { ...json(z.array(arbitrageurSchema), "Profiles"), headers: LIST_HEADERS },
    400: problemResponse("Wrong parameters"),
    ...DATABASE_PROBLEMS,
  },
});

const one = createRoute({
  method: "get",
  path: "/api/v1/arbitrageurs/{address}",
  tags: ["statistics"],
  summary: "An arbitrageur: a profile for each chain that it made arbitrages on",
  request: {
    params: z.object({ address: addressText.openapi({ param: { description: "sender" } }) }),
    query: query({ ...chain, definition: definitionParameter, ...times }),
  },
  responses: {
    200: json(z.array(arbitrageurSchema), "Its profiles, the most profitable first"),
    400: problemResponse("Wrong parameters"),
    404: problemResponse("It made no arbitrage"),
    ...DATABASE_PROBLEMS,
  },
});

/** Hours are whole. */
function read(
  statistics: Statistics,
  { since, until, ...filter }: CommonFilter,
  definition: Definition,
  ranking: Ranking,
  page: { readonly limit: number; readonly offset: number },
) {
  const whole = { ...filter, since: since && startOf(since, HOUR_MS), until: until && endOf(until, HOUR_MS) };
  return statistics.leaders(whole, definition, ranking, page);
}

/** A page of the leaderboard, each with its cursor; how many there are on all pages. @throws 400: the cursor is not one of it */
export async function readArbitrageurs(statistics: Statistics, asked: z.output<typeof arbitrageurParameters>) {
  const { chain_id, chainId, since, until, min_transactions = 0, cursor, ...rest } = asked;
  const { sort_by = "total_profit", sort_order = "desc", definition = "cycle", limit = 100, offset = 0 } = rest;
  const sortBy = ORDERS[sort_by];
  const after = cursor === undefined ? undefined : decodeCursor(cursor, sortBy);
  const filter = { chainId: chain_id ?? chainId, since, until };
  const ranking = { sortBy, descending: sort_order === "desc", minTransactions: min_transactions, after };
  const { profiles, total } = await read(statistics, filter, definition, ranking, { limit, offset });
  return {
    all: profiles.map(toArbitrageur),
    cursors: profiles.map((profile) => encodeCursor(sortBy, cursorOf(profile, sortBy))),
    total: String(total),
  };
}

export function arbitrageurRoutes(statistics: Statistics) {
  return createRouter()
    .openapi(list, async (c) => {
      const asked = c.req.valid("query");
      const { limit = 100, offset = 0 } = asked;
      const { all, cursors, total } = await readArbitrageurs(statistics, asked);
      c.header("x-total-count", total);
      const links = [link(c, "first", { cursor: null, offset: null })];
      if (all.length === limit) links.push(link(c, "next", { cursor: cursors.at(-1)!, offset: null }));
      if (offset > 0) links.push(link(c, "prev", { offset: String(Math.max(0, offset - limit)) }));
      c.header("link", links.join(", "));
      return withETag(c, all);
    })
    .openapi(one, async (c) => {
      const { address } = c.req.valid("param");
      const { chain_id, chainId, since, until, definition = "cycle" } = c.req.valid("query");
      const ranking = { sortBy: "total_profit_usd", descending: true, address, minTransactions: 0 } as const;
      const filter = { chainId: chain_id ?? chainId, since, until };
      const { profiles } = await read(statistics, filter, definition, ranking, { limit: 1000, offset: 0 });
      if (profiles.length === 0) throw refuse(404, "Arbitrageur not found");
      return withETag(c, profiles.map(toArbitrageur));
    });
}

const STRATEGIES = ["2-hop", "3-hop", "4-hop", "N-hop"] as const;
const isoOf = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");

function toArbitrageur(profile: Profile): z.infer<typeof arbitrageurSchema> {
  const { successes, failures, profit, gas, gwei, gweiKnown, hops } = profile;
  const total = successes + failures;
  return {
    id: Number(profile.id),
    address: `0x${profile.address}`,
    chain_id: Number(profile.chain),
    first_seen: isoOf(profile.first),
    last_seen: isoOf(profile.last),
    total_transactions: total,
    successful_transactions: successes,
    failed_transactions: failures,
    success_rate: successRate(profile),
    total_profit_usd: Number(usdText(profit)),
    total_profit_usd_raw: usdText(profit),
    priced_transactions: profile.priced,
    total_gas_spent_usd: Number(usdText(gas)),
    total_gas_spent_usd_raw: usdText(gas),
    avg_profit_per_tx_usd: Number(usdText(profit)) / total,
    avg_gas_price_gwei: gweiKnown > 0 ? gwei / gweiKnown : null,
    preferred_strategy: STRATEGIES[hops.indexOf(Math.max(...hops))]!,
  };
}
