/** What blocks say that happened, as lists: swaps, arbitrages, sandwiches, liquidations. */
import { createRoute, z } from "@hono/zod-openapi";
import {
  ARBITRAGES,
  type FindingFilter,
  findingConditions,
  hasTransaction,
  LIQUIDATIONS,
  SANDWICHES,
  SWAPS,
} from "../../clickhouse/queries/findingLists.ts";
import { equal, equalHex } from "../../clickhouse/queries/list.ts";
import type { Condition, ListSpec } from "../../clickhouse/queries/types.ts";
import type { ApiDeps } from "../deps.ts";
import {
  arbitrageSchema,
  liquidationSchema,
  sandwichSchema,
  swapSchema,
  toArbitrage,
  toLiquidation,
  toSandwich,
  toSwap,
} from "../findings.ts";
import { answerList, type Listing } from "../list.ts";
import {
  addressText,
  chain,
  hashText,
  listParameters,
  optional,
  poolText,
  query,
  safeInteger,
  wordText,
} from "../parameters.ts";
import { createRouter, DATABASE_PROBLEMS, json, LIST_HEADERS, problemResponse } from "../router.ts";
import { definitionParameter } from "../statistics/fields.ts";

const shared = {
  ...chain,
  block_number: optional(safeInteger, "height"),
  from_address: optional(addressText, "sender of the transaction"),
};
const pool = optional(poolText, "contract of the pool, or its id");
const protocol = optional(wordText(), "as uniswap_v3", "uniswap_v3");
const txHash = optional(hashText, "transaction hash");

export const swapParameters = query({
  ...shared,
  ...{ tx_hash: txHash, protocol, pool },
  sender: optional(addressText, "who paid the pool"),
  token_in: optional(addressText, "what the pool received"),
  token_out: optional(addressText, "what it paid out"),
  ...listParameters(SWAPS),
});
export const arbitrageParameters = query({
  ...shared,
  tx_hash: txHash,
  account: optional(addressText, "who swapped"),
  definition: definitionParameter,
  ...listParameters(ARBITRAGES),
});
export const sandwichParameters = query({
  ...shared,
  tx_hash: optional(hashText, "frontrun, victim or backrun"),
  ...{ protocol, pool },
  sandwicher: optional(addressText, "who swapped before and after"),
  ...listParameters(SANDWICHES),
});
export const liquidationParameters = query({
  ...shared,
  ...{ tx_hash: txHash, protocol, pool },
  liquidator: optional(addressText, "who paid"),
  user: optional(addressText, "whose debt it was"),
  ...listParameters(LIQUIDATIONS),
});

interface Shared {
  readonly chain_id?: number | undefined;
  readonly chainId?: number | undefined;
  readonly block_number?: number | undefined;
  readonly from_address?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}
const filterOf = ({ chain_id, chainId, block_number, from_address, since, until }: Shared): FindingFilter => ({
  ...{ chainId: chain_id ?? chainId, blockNumber: block_number, from: from_address, since, until },
});
const listing = <Row extends { readonly cursor: readonly string[] }, Body>(
  list: ListSpec,
  asked: Shared,
  own: readonly Condition[],
  encode: (row: Row) => Body,
): Listing<Row, Body> => ({
  ...{ list, conditions: [...findingConditions(filterOf(asked)), ...own] },
  encode: (rows) => rows.map(encode),
});

export const swapListing = (asked: z.output<typeof swapParameters>) =>
  listing(SWAPS, asked, [
    ...equalHex("tx_hash", asked.tx_hash),
    ...equal("protocol", "String", asked.protocol),
    ...(["pool", "sender", "token_in", "token_out"] as const).flatMap((name) => equalHex(name, asked[name])),
  ], toSwap); // biome-ignore format: conditions

export const arbitrageListing = (asked: z.output<typeof arbitrageParameters>) =>
  listing(ARBITRAGES, asked, [
    ...equal("definition", "String", asked.definition ?? "cycle"),
    ...equalHex("tx_hash", asked.tx_hash),
    ...equalHex("account", asked.account),
  ], toArbitrage); // biome-ignore format: conditions

export const sandwichListing = (asked: z.output<typeof sandwichParameters>) =>
  listing(SANDWICHES, asked, [
    ...hasTransaction(["frontrun_txs", "victim_txs", "backrun_txs"], asked.tx_hash),
    ...equal("protocol", "String", asked.protocol),
    ...(["pool", "sandwicher"] as const).flatMap((name) => equalHex(name, asked[name])),
  ], toSandwich); // biome-ignore format: conditions

export const liquidationListing = (asked: z.output<typeof liquidationParameters>) =>
  listing(LIQUIDATIONS, asked, [
    ...(["tx_hash", "pool", "liquidator"] as const).flatMap((name) => equalHex(name, asked[name])),
    ...equalHex("user_address", asked.user),
    ...equal("protocol", "String", asked.protocol),
  ], toLiquidation); // biome-ignore format: conditions

const route = <Path extends string, Q extends z.ZodObject, S extends z.ZodType>(path: Path, summary: string, query: Q, schema: S) =>
  createRoute({
    ...{ method: "get", path, tags: ["data"], summary },
    description: "Those of blocks that were replaced are left out.",
    request: { query },
    responses: {
      200: { ...json(z.array(schema), "Newest first"), headers: LIST_HEADERS },
      400: problemResponse("Wrong parameters"),
      ...DATABASE_PROBLEMS,
    },
  }); // biome-ignore format: one route

export function findingRoutes({ store }: Pick<ApiDeps, "store">) {
  const swaps = route("/api/v1/swaps", "Swaps of pools, newest first", swapParameters, swapSchema);
  const arbitrages = route("/api/v1/arbitrages", "Arbitrages, a row a route, newest first", arbitrageParameters, arbitrageSchema); // biome-ignore format: one line
  const sandwiches = route("/api/v1/sandwiches", "Sandwiches, newest first", sandwichParameters, sandwichSchema);
  const liquidations = route("/api/v1/liquidations", "Liquidations, newest first", liquidationParameters, liquidationSchema); // biome-ignore format: one line
  return createRouter()
    .openapi(swaps, (c) => {
      const asked = c.req.valid("query");
      const { list, conditions, encode } = swapListing(asked);
      return answerList(c, store, list, conditions, asked, encode);
    })
    .openapi(arbitrages, (c) => {
      const asked = c.req.valid("query");
      const { list, conditions, encode } = arbitrageListing(asked);
      return answerList(c, store, list, conditions, asked, encode);
    })
    .openapi(sandwiches, (c) => {
      const asked = c.req.valid("query");
      const { list, conditions, encode } = sandwichListing(asked);
      return answerList(c, store, list, conditions, asked, encode);
    })
    .openapi(liquidations, (c) => {
      const asked = c.req.valid("query");
      const { list, conditions, encode } = liquidationListing(asked);
      return answerList(c, store, list, conditions, asked, encode);
    });
}
