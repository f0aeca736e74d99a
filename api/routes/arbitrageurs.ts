import { createRoute, z } from "@hono/zod-openapi";
import {
  ARBITRAGEUR_ORDERS,
  type ArbitrageurFilter,
  type ArbitrageurOrder,
  type ArbitrageurPage,
  type ArbitrageurRow,
  arbitrageursQuery,
} from "../../clickhouse/queries/arbitrageurs.ts";
import type { Definition } from "../../clickhouse/queries/hours.ts";
import type { ApiDeps, ReadableStore } from "../deps.ts";
import { link, READ_SETTINGS, withETag } from "../list.ts";
import { addressText, chain, optional, paging, query, safeInteger, times } from "../parameters.ts";
import { refuse } from "../problem.ts";
import { createRouter, DATABASE_PROBLEMS, json, LIST_HEADERS, problemResponse } from "../router.ts";
import { definitionParameter, describe, endOf, HOUR_MS, readOpenHours, startOf, usd, usdRaw } from "../statistics.ts";

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
function encodeCursor(order: ArbitrageurOrder, cursor: ArbitrageurRow["cursor"]): string {
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

async function read(
  store: ReadableStore,
  filter: ArbitrageurFilter,
  definition: Definition,
  page: ArbitrageurPage,
): Promise<ArbitrageurRow[]> {
  const { since, until } = filter;
  const whole = { ...filter, since: since && startOf(since, HOUR_MS), until: until && endOf(until, HOUR_MS) };
  const { sql, params } = arbitrageursQuery(whole, definition, await readOpenHours(store, whole), page);
  return store.rows<ArbitrageurRow>(sql, { ...params }, READ_SETTINGS);
}

/** A page of the leaderboard, each with its cursor; how many there are on all pages. @throws 400: the cursor is not one of it */
export async function readArbitrageurs(store: ReadableStore, asked: z.output<typeof arbitrageurParameters>) {
  const { chain_id, chainId, since, until, min_transactions, cursor, ...rest } = asked;
  const { sort_by = "total_profit", sort_order = "desc", definition = "cycle", limit = 100, offset = 0 } = rest;
  const sortBy = ORDERS[sort_by];
  const after = cursor === undefined ? undefined : decodeCursor(cursor, sortBy);
  const filter = { chainId: chain_id ?? chainId, since, until, minTransactions: min_transactions };
  const page = { sortBy, descending: sort_order === "desc", limit, offset, after };
  const rows = await read(store, filter, definition, page);
  return {
    all: rows.map(toArbitrageur),
    cursors: rows.map((row) => encodeCursor(sortBy, row.cursor)),
    total: rows[0]?.total ?? "0",
  };
}

export function arbitrageurRoutes({ store }: Pick<ApiDeps, "store">) {
  return createRouter()
    .openapi(list, async (c) => {
      const asked = c.req.valid("query");
      const { limit = 100, offset = 0 } = asked;
      const { all, cursors, total } = await readArbitrageurs(store, asked);
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
      const page = { sortBy: "total_profit_usd", descending: true, limit: 1000, offset: 0 } as const;
      const rows = await read(store, { address, chainId: chain_id ?? chainId, since, until }, definition, page);
      if (rows.length === 0) throw refuse(404, "Arbitrageur not found");
      return withETag(c, rows.map(toArbitrageur));
    });
}

function toArbitrageur(row: ArbitrageurRow): z.infer<typeof arbitrageurSchema> {
  return {
    id: Number(row.id),
    address: row.address,
    chain_id: Number(row.chain_id),
    first_seen: row.first_seen,
    last_seen: row.last_seen,
    total_transactions: Number(row.total_transactions),
    successful_transactions: Number(row.successful_transactions),
    failed_transactions: Number(row.failed_transactions),
    success_rate: row.success_rate,
    total_profit_usd: Number(row.total_profit_usd),
    total_profit_usd_raw: row.total_profit_usd,
    priced_transactions: Number(row.priced_transactions),
    total_gas_spent_usd: Number(row.total_gas_spent_usd),
    total_gas_spent_usd_raw: row.total_gas_spent_usd,
    avg_profit_per_tx_usd: row.avg_profit_per_tx_usd,
    avg_gas_price_gwei: row.avg_gas_price_gwei,
    preferred_strategy: row.preferred_strategy as z.infer<typeof arbitrageurSchema>["preferred_strategy"],
  };
}
