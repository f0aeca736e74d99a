/** What was extracted in blocks, one by one and summed up. What could still be earned is in opportunities.ts. */
import { createRoute, z } from "@hono/zod-openapi";
import {
  type MevRow,
  type MevSummaryRow,
  mevConditions,
  mevList,
  mevSummaryQuery,
  PATTERNS,
} from "../../clickhouse/queries/mev.ts";
import type { ApiDeps } from "../deps.ts";
import { answerList, READ_SETTINGS, withETag } from "../list.ts";
import { ETHER, toNumber, toUnits } from "../numbers.ts";
import { addressText, chain, decimalNumber, listParameters, optional, query, times, wholeNumber } from "../parameters.ts"; // biome-ignore format: one line
import { createRouter, DATABASE_PROBLEMS, json, LIST_HEADERS, problemResponse } from "../router.ts";
import { describe, HOUR_MS, usd, usdOrNull, usdRaw } from "../statistics/fields.ts";

const raw = (what: string) => describe(z.string().nullable(), `${what}, smallest unit, decimal text`);
const hashes = (what: string) => describe(z.array(z.string()), what);
const patternText = z.enum(PATTERNS, `Expected one of ${PATTERNS.join(", ")}`);

export const mevSchema = z
  .object({
    id: describe(z.int(), "names this finding; 53 bits"),
    pattern_type: z.enum(PATTERNS),
    chain_id: z.int(),
    tx_hash: describe(z.string(), "the transaction; of a sandwich its first frontrun, of jit the one that adds liquidity"),
    from_address: describe(z.string(), "its sender"),
    searcher: describe(z.string(), "who swapped, liquidated or gave liquidity: often a contract of the sender"),
    block_number: z.int(),
    block_hash: z.string().nullable(),
    block_timestamp: z.string().nullable(),
    log_index: z.int(),
    protocols: z.array(z.string()),
    pools: z.array(z.string()),
    frontrun_txs: hashes("of a sandwich"),
    victim_txs: hashes("of a sandwich those whose price was made worse, of jit those that swapped with it"),
    backrun_txs: hashes("of a sandwich"),
    profit_token: describe(z.string().nullable(), "token of profit_amount_raw"),
    profit_amount_raw: raw("what came out less what went in, before gas and payments"),
    gas_cost_raw: raw("gas of the searcher's transactions, wei"),
    fee_recipient_payment_raw: raw("paid to the block's fee recipient beside gas, wei"),
    profit_native: describe(
      z.number().nullable(),
      "less gas and payments, in the chain's coin; null where it is not known. Findings that share a transaction each bear all of its gas; the summary takes it off once",
    ),
    profit_native_raw: raw("profit_native, wei"),
    profit_usd: describe(z.number().nullable(), "the same in USD; null where there is no price"),
    profit_usd_raw: describe(z.string().nullable(), "profit_usd, exact to a millionth, decimal text"),
    roi_percent: describe(z.number().nullable(), "profit by what was put in"),
    user_address: describe(z.string().nullable(), "of a liquidation: whose debt it was"),
    debt_token: z.string().nullable(),
    debt_amount_raw: raw("of a liquidation: what was paid"),
    collateral_token: z.string().nullable(),
    collateral_amount_raw: raw("of a liquidation: what was got for it"),
    status: z.enum(["provisional", "confirmed"]),
    confidence: z.string(),
    reason: z.string(),
    detected_at: z.string(),
    source: z.string(),
    partition: z.int(),
    offset: z.string(),
    n: z.int(),
  })
  .openapi("MevOpportunity"); // biome-ignore format: a field a line

const list = createRoute({
  method: "get",
  path: "/api/v1/mev-opportunities",
  tags: ["statistics"],
  summary: "Arbitrages, sandwiches, liquidations and just-in-time liquidity in blocks, newest first",
  description:
    "Arbitrages by the definition cycle, one row a closed route. Those of blocks that were replaced are left out. What could still be earned is at /api/v1/opportunities.",
  request: {
    query: query({
      ...chain,
      pattern_type: optional(patternText, "of this pattern"),
      min_profit: optional(decimalNumber, "profit_native is at least this, in the chain's coin", "0.1"),
      address: optional(addressText, "who did it, or sent the transaction"),
      ...listParameters(mevList()),
    }),
  },
  responses: {
    200: { ...json(z.array(mevSchema), "What was found"), headers: LIST_HEADERS },
    400: problemResponse("Wrong parameters"),
    ...DATABASE_PROBLEMS,
  },
});

const sums = {
  count: describe(z.int(), "transactions; of sandwiches, by their first frontrun"),
  priced: describe(z.int(), "of these: their profit is known in USD. The others are in no sum of USD"),
  profit_usd: usd("profit less gas and payments"),
  profit_usd_raw: usdRaw("profit_usd"),
};

export const mevSummarySchema = z
  .object({
    since: z.string(),
    until: z.string(),
    hours: describe(z.number(), "from since to until"),
    ...sums,
    patterns: z.array(
      z.object({
        chain_id: z.int(),
        pattern_type: z.enum(PATTERNS),
        ...sums,
        searchers: describe(z.int(), "different ones"),
        victims: describe(z.int(), "different transactions whose price was made worse, or that swapped with jit liquidity"),
        profit_native: describe(z.number(), "in the chain's coin"),
        profit_native_raw: describe(z.string(), "the same, wei"),
        priced_native: describe(z.int(), "of count: those whose profit is known in the chain's coin"),
        max_profit_usd: usdOrNull("largest profit"),
      }),
    ),
  })
  .openapi("MevSummary"); // biome-ignore format: a field a line

const MAX_HOURS = 8_784;

const summary = createRoute({
  method: "get",
  path: "/api/v1/analytics/mev-summary",
  tags: ["statistics"],
  summary: "What was extracted in the last hours, by chain and pattern",
  description:
    "By the time of the block; since and until say another stretch. Gas and payments of a transaction are taken off once, whatever number of findings it has. Liquidations and jit have no profit of their own.",
  request: {
    query: query({
      ...chain,
      hours: optional(wholeNumber(1, MAX_HOURS), `how far back from now, 1 to ${MAX_HOURS}`, "24"),
      ...times,
    }).refine(({ hours, since, until }) => hours === undefined || (since ?? until) === undefined, {
      path: ["hours"],
      message: "Expected hours, or since and until, not both",
    }),
  },
  responses: {
    200: json(mevSummarySchema, "The sums"),
    400: problemResponse("Wrong parameters"),
    ...DATABASE_PROBLEMS,
  },
});

export function mevRoutes({ store }: Pick<ApiDeps, "store">) {
  return createRouter()
    .openapi(list, (c) => {
      const { chain_id, chainId = chain_id, pattern_type, min_profit: minProfit, ...rest } = c.req.valid("query");
      const conditions = mevConditions({ ...rest, chainId, minProfit });
      return answerList<MevRow, unknown>(c, store, mevList(pattern_type), conditions, rest, (rows) => rows.map(toMev));
    })
    .openapi(summary, async (c) => {
      const { chain_id, chainId = chain_id, hours = 24, until = new Date(), since } = c.req.valid("query");
      const from = since ?? new Date(until.getTime() - hours * HOUR_MS);
      const { sql, params } = mevSummaryQuery({ chainId, since: from, until });
      const rows = await store.rows<MevSummaryRow>(sql, { ...params }, READ_SETTINGS);
      const millionths = rows.reduce((sum, { net_usd }) => sum + BigInt(microsOf(net_usd)), 0n);
      const count = (name: "count" | "priced_usd"): number => rows.reduce((sum, row) => sum + Number(row[name]), 0);
      return withETag(c, {
        since: from.toISOString(),
        until: until.toISOString(),
        hours: (until.getTime() - from.getTime()) / HOUR_MS,
        count: count("count"),
        priced: count("priced_usd"),
        profit_usd: Number(`${millionths}e-6`),
        profit_usd_raw: decimalOf(millionths),
        patterns: rows.map(toPattern),
      } satisfies z.infer<typeof mevSummarySchema>);
    });
}

function toMev({ cursor: _, ...row }: MevRow): z.infer<typeof mevSchema> {
  const { profit_amount, gas_cost, fee_recipient_payment, net_profit, net_usd, debt_amount, collateral_amount, ...rest } = row; // biome-ignore format: one line
  return {
    ...rest,
    id: Number(row.id),
    chain_id: Number(row.chain_id),
    block_number: Number(row.block_number),
    protocols: [...row.protocols],
    pools: [...row.pools],
    frontrun_txs: [...row.frontrun_txs],
    victim_txs: [...row.victim_txs],
    backrun_txs: [...row.backrun_txs],
    profit_amount_raw: profit_amount,
    gas_cost_raw: gas_cost,
    fee_recipient_payment_raw: fee_recipient_payment,
    profit_native: toUnits(net_profit, ETHER),
    profit_native_raw: net_profit,
    profit_usd: toNumber(net_usd),
    profit_usd_raw: net_usd,
    debt_amount_raw: debt_amount,
    collateral_amount_raw: collateral_amount,
  };
}

const toPattern = (row: MevSummaryRow) => ({
  chain_id: Number(row.chain_id),
  pattern_type: row.pattern_type,
  count: Number(row.count),
  priced: Number(row.priced_usd),
  profit_usd: Number(row.net_usd),
  profit_usd_raw: row.net_usd,
  searchers: Number(row.searchers),
  victims: Number(row.victims),
  profit_native: toUnits(row.net_profit, ETHER),
  profit_native_raw: row.net_profit,
  priced_native: Number(row.priced_native),
  max_profit_usd: toNumber(row.max_net_usd),
});

/** "-1.5" is -1500000 millionths. */
function microsOf(text: string): string {
  const [whole = "0", part = ""] = text.split(".");
  return whole + part.padEnd(6, "0");
}

function decimalOf(millionths: bigint): string {
  const digits = (millionths < 0n ? -millionths : millionths).toString().padStart(7, "0");
  const part = digits.slice(-6).replace(/0+$/, "");
  return `${millionths < 0n ? "-" : ""}${digits.slice(0, -6)}${part && `.${part}`}`;
}
