/** What moved in blocks: ERC-20 transfers, coin that was wrapped and unwrapped, values of transactions. */
import { createRoute, z } from "@hono/zod-openapi";
import { TRANSFERS, type TransferRow, transferConditions } from "../../clickhouse/queries/transfers.ts";
import { TRANSFER_KINDS } from "../../clickhouse/tables/transfers.ts";
import type { ApiDeps } from "../deps.ts";
import { answerList, type Listing } from "../list.ts";
import { addressText, chain, hashText, listParameters, optional, query, safeInteger } from "../parameters.ts";
import { createRouter, DATABASE_PROBLEMS, json, LIST_HEADERS, problemResponse } from "../router.ts";
import { describe } from "../statistics/fields.ts";

const KIND = "deposit and withdrawal: coin that was wrapped and unwrapped; native: the value of a transaction";

export const transferSchema = z
  .object({
    chain_id: z.int(),
    block_number: z.int(),
    block_hash: z.string().nullable(),
    block_timestamp: z.string().nullable(),
    tx_hash: z.string(),
    log_index: describe(z.int().nullable(), "of the log that says so; null: the value of the transaction"),
    kind: describe(z.enum(TRANSFER_KINDS), KIND),
    token: describe(z.string(), "contract whose log says so; 0xeee…: the chain's own coin"),
    from_address: describe(z.string(), "who gave; 0x000…: minted, or wrapped"),
    to_address: describe(z.string(), "who got; 0x000…: burned, or unwrapped"),
    amount: describe(z.string(), "smallest unit, decimal text"),
    status: describe(z.enum(["provisional", "confirmed"]), "provisional: its chain may still replace the block"),
    detected_at: z.string(),
  })
  .openapi("Transfer");

export const transferParameters = query({
  ...chain,
  block_number: optional(safeInteger, "height"),
  tx_hash: optional(hashText, "transaction hash"),
  kind: optional(z.enum(TRANSFER_KINDS), KIND),
  token: optional(addressText, "contract of the token; 0xeee…: the chain's own coin"),
  from_address: optional(addressText, "who gave"),
  to_address: optional(addressText, "who got"),
  address: optional(addressText, "who gave or got"),
  ...listParameters(TRANSFERS),
});

export const transferListing = (
  asked: z.output<typeof transferParameters>,
): Listing<TransferRow, z.infer<typeof transferSchema>> => ({
  list: TRANSFERS,
  conditions: transferConditions({
    ...{ chainId: asked.chain_id ?? asked.chainId, since: asked.since, until: asked.until },
    ...{ blockNumber: asked.block_number, txHash: asked.tx_hash, kind: asked.kind, token: asked.token },
    ...{ from: asked.from_address, to: asked.to_address, address: asked.address },
  }),
  encode: (rows) => rows.map(toTransfer),
});

function toTransfer(row: TransferRow): z.infer<typeof transferSchema> {
  const { block_hash, block_timestamp, tx_hash, log_index, token, from_address, to_address, amount, status } = row;
  return {
    chain_id: Number(row.chain_id),
    block_number: Number(row.block_number),
    block_hash,
    block_timestamp,
    tx_hash,
    log_index: log_index === null ? null : Number(log_index),
    kind: row.kind as (typeof TRANSFER_KINDS)[number],
    token,
    from_address,
    to_address,
    amount,
    status,
    detected_at: row.detected_at,
  };
}

const transfersRoute = createRoute({
  ...{ method: "get", path: "/api/v1/transfers", tags: ["data"], summary: "Transfers of blocks, newest first" },
  description: "Those of blocks that were replaced are left out, and so is what a transaction that reverted moved.",
  request: { query: transferParameters },
  responses: {
    200: { ...json(z.array(transferSchema), "Newest first"), headers: LIST_HEADERS },
    400: problemResponse("Wrong parameters"),
    ...DATABASE_PROBLEMS,
  },
});

export const transferRoutes = ({ store }: Pick<ApiDeps, "store">) =>
  createRouter().openapi(transfersRoute, (c) => {
    const asked = c.req.valid("query");
    const { list, conditions, encode } = transferListing(asked);
    return answerList(c, store, list, conditions, asked, encode);
  });
