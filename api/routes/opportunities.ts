import { createRoute, z } from "@hono/zod-openapi";
import {
  type Captured,
  OPPORTUNITIES,
  type OpportunityRow,
  opportunityConditions,
  opportunityList,
  withCaptures,
} from "../../clickhouse/queries/opportunities.ts";
import { keyOf, type Label } from "../../engine/label/label.ts";
import { shortAddress } from "../../engine/label/message.ts";
import type { ApiDeps } from "../deps.ts";
import { createLabelFinder } from "../labelledMessages.ts";
import { answerList, type Listing, READ_SETTINGS } from "../list.ts";
import { toUnits } from "../numbers.ts";
import { addressText, chain, decimalNumber, flagText, listParameters, optional, query } from "../parameters.ts";
import { createRouter, DATABASE_PROBLEMS, json, LIST_HEADERS, problemResponse } from "../router.ts";
import { describe } from "../statistics/fields.ts";

const KINDS = ["pool_imbalance", "pending_backrun"] as const;
const raw = (what: string) => describe(z.string().nullable(), `${what}, smallest unit, decimal text`);

export const opportunitySchema = z
  .object({
    id: describe(z.int(), "53 bits of opportunity_id"),
    opportunity_id: z.string(),
    kind: describe(z.enum(KINDS), "a block left a pool out of balance; or a swap that waits would"),
    chain_id: z.int(),
    pool_name: describe(z.string(), "its tokens, by their symbols where these are known"),
    pool_address: z.string(),
    dex: z.string(),
    token0: z.string(),
    token1: z.string(),
    imbalance_pct: describe(z.number().nullable(), "of what the sides are worth; null where that is not known"),
    imbalance_pct_raw: describe(z.number(), "of amounts, as seed 002 has it"),
    profit_usd: describe(z.number().nullable(), "less gas; null where a price is not known"),
    profit_usd_raw: describe(z.string().nullable(), "profit_usd, exact to a millionth, decimal text"),
    profit_native: describe(z.number().nullable(), "the same in the chain's coin"),
    profit_native_raw: raw("profit_native"),
    is_small_opportunity: describe(z.boolean().nullable(), "from $10,000 to $100,000"),
    reserve0: describe(z.number().nullable(), "whole tokens; null where the decimals are not known"),
    reserve0_raw: raw("reserve0"),
    reserve1: describe(z.number().nullable(), "whole tokens; null where the decimals are not known"),
    reserve1_raw: raw("reserve1"),
    sqrt_price_x96: describe(
      z.string().nullable(),
      "of a pool of Uniswap V3's kind, whose reserves are what a pair of its price and depth would hold: square root of its price, times 2^96, decimal text",
    ),
    liquidity: describe(
      z.string().nullable(),
      "of a pool of Uniswap V3's kind the liquidity at its price, decimal text",
    ),
    block_number: describe(z.int(), "the reserves are those at its end; of a pending one with the swap behind them"),
    pending: z.boolean(),
    tx_hash: describe(z.string(), "the swap that waits, or the last one of the block that moved the pool"),
    other_pool: describe(z.string().nullable(), "pool that the profit is made against"),
    profit_token: describe(z.string().nullable(), "token of the best trade's amounts"),
    amount_in_raw: raw("input of the best trade"),
    amount_out_raw: raw("what comes back"),
    profit_raw: raw("amount_out - amount_in, before gas"),
    gas_cost_raw: raw("what the trade would cost, wei"),
    exposure_token: describe(
      z.string().nullable(),
      "what the swap that waits pays the pool; null: nobody could sandwich it, or it does not wait",
    ),
    exposure_front_raw: raw("largest front-run after which it still gets its least"),
    exposure_loss_raw: raw("what it would get less, in the token that it buys"),
    exposure_profit_raw: raw("what is left to the attacker, before gas"),
    status: z.enum(["pending", "provisional", "confirmed"]),
    confidence: z.string(),
    reason: z.string(),
    detected_at: z.string(),
    captured: describe(z.boolean(), "an arbitrage went through the pool within 300 s"),
    captured_by: describe(z.string().nullable(), "its sender"),
    captured_at: z.string().nullable(),
    captured_tx: z.string().nullable(),
  })
  .openapi("Opportunity");

export const opportunityParameters = query({
  ...chain,
  min_profit: optional(decimalNumber, "profit_usd is at least this"),
  max_profit: optional(decimalNumber, "profit_usd is at most this"),
  captured: optional(flagText, "true: an arbitrage took it; false: none did"),
  kind: optional(z.enum(KINDS, `Expected one of ${KINDS.join(", ")}`), "of this kind"),
  pool: optional(addressText, "contract of the pool"),
  ...listParameters(OPPORTUNITIES),
});

const list = createRoute({
  method: "get",
  path: "/api/v1/opportunities",
  tags: ["statistics"],
  summary: "What could be earned between pools, newest first, and whether somebody did",
  description:
    "Those of blocks that were replaced are left out. Without since and until all that is stored is looked at.",
  request: {
    query: opportunityParameters,
  },
  responses: {
    200: { ...json(z.array(opportunitySchema), "Opportunities"), headers: LIST_HEADERS },
    400: problemResponse("Wrong parameters"),
    ...DATABASE_PROBLEMS,
  },
});

/** Opportunities with what is asked of them. Pools are called by their tokens' symbols of now. */
export function createOpportunityListing({ store, labels, log }: Pick<ApiDeps, "store" | "labels" | "log">) {
  const find = createLabelFinder(labels, log);
  async function encode(rows: readonly OpportunityRow[]) {
    const tokens = rows.flatMap(({ chain_id, token0, token1 }) =>
      [token0, token1].map((address) => ({ chainId: Number(chain_id), address })),
    );
    const [names, captured] = await Promise.all([
      tokens.length === 0 ? new Map() : find(new Map(tokens.map((token) => [keyOf(token), token]))),
      withCaptures(store, rows, READ_SETTINGS),
    ]);
    return captured.map((row) => toOpportunity(row, names));
  }
  return (
    asked: z.output<typeof opportunityParameters>,
  ): Listing<OpportunityRow, z.infer<typeof opportunitySchema>> => {
    const { chain_id, chainId, min_profit: minProfit, max_profit: maxProfit, ...rest } = asked;
    const conditions = opportunityConditions({ ...rest, chainId: chain_id ?? chainId, minProfit, maxProfit });
    return { list: opportunityList(rest), conditions, encode };
  };
}

export function opportunityRoutes({ store, ...deps }: Pick<ApiDeps, "store" | "labels" | "log">) {
  const listing = createOpportunityListing({ store, ...deps });
  return createRouter().openapi(list, (c) => {
    const asked = c.req.valid("query");
    const { list, conditions, encode } = listing(asked);
    return answerList(c, store, list, conditions, asked, encode);
  });
}

/** @param names labels of its tokens */
export function toOpportunity(
  row: OpportunityRow & Captured,
  names: ReadonlyMap<string, Label>,
): z.infer<typeof opportunitySchema> {
  const chainId = Number(row.chain_id);
  const nameOf = (address: string): Label | undefined => names.get(keyOf({ chainId, address }));
  /** The engine knows decimals of coins, stable coins and what a node was asked; labels know others. */
  const whole = (known: number | null, raw: string, token: string): number | null => {
    const decimals = nameOf(token)?.decimals ?? null;
    return known ?? (decimals === null ? null : toUnits(raw, decimals));
  };
  const symbol = (address: string): string => nameOf(address)?.symbol ?? shortAddress(address);
  return {
    id: Number(BigInt(`0x${row.id.slice(0, 14)}`) >> 3n),
    opportunity_id: row.id,
    kind: row.kind,
    chain_id: chainId,
    pool_name: `${symbol(row.token0)}-${symbol(row.token1)}`,
    pool_address: row.pool,
    dex: row.dex,
    token0: row.token0,
    token1: row.token1,
    imbalance_pct: row.imbalance_pct,
    imbalance_pct_raw: row.imbalance_pct_raw,
    profit_usd: row.profit_usd,
    profit_usd_raw: row.profit_usd_raw,
    profit_native: row.profit_native,
    profit_native_raw: row.profit_native_raw,
    is_small_opportunity: row.is_small_opportunity,
    reserve0: whole(row.reserve0, row.reserve0_raw, row.token0),
    reserve0_raw: row.reserve0_raw,
    reserve1: whole(row.reserve1, row.reserve1_raw, row.token1),
    reserve1_raw: row.reserve1_raw,
    sqrt_price_x96: row.sqrt_price_x96,
    liquidity: row.liquidity,
    block_number: Number(row.state_block),
    pending: row.block_number === null,
    tx_hash: row.tx_hash,
    other_pool: row.other_pool,
    profit_token: row.profit_token,
    amount_in_raw: row.amount_in_raw,
    amount_out_raw: row.amount_out_raw,
    profit_raw: row.profit_raw,
    gas_cost_raw: row.gas_cost_raw,
    exposure_token: row.exposure_token,
    exposure_front_raw: row.exposure_front_raw,
    exposure_loss_raw: row.exposure_loss_raw,
    exposure_profit_raw: row.exposure_profit_raw,
    status: row.status,
    confidence: row.confidence,
    reason: row.reason,
    detected_at: row.detected_at,
    captured: row.captured,
    captured_by: row.captured_by,
    captured_at: row.captured_at,
    captured_tx: row.captured_tx,
  };
}
