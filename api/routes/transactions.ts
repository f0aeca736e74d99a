import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { frameOfRow } from "../../clickhouse/frameOfRow.ts";
import {
  ARBITRAGE_TRANSACTIONS,
  arbitrageTransactionConditions,
} from "../../clickhouse/queries/arbitrageTransactions.ts";
import { frameByPositionQuery, type StoredFrameRow } from "../../clickhouse/queries/frames.ts";
import { TRANSACTIONS, type TransactionRow, transactionConditions } from "../../clickhouse/queries/transactions.ts";
import type { Condition } from "../../clickhouse/queries/types.ts";
import { callsOf } from "../../engine/chain/calls/calls.ts";
import { internalCallsOf } from "../../engine/chain/calls/internalCalls.ts";
import { networkFeesOf, totalFee } from "../../engine/chain/gas/networkFees.ts";
import { contributionsOf, RISK_NAMES } from "../../engine/chain/risk/factors.ts";
import { createFrameWriter } from "../../engine/frame/frameWriter.ts";
import {
  arbitrageFields,
  arbitrageParameters,
  type Found,
  readFound,
  withArbitrages,
} from "../arbitrageTransactions.ts";
import { callsSchema, internalCallsSchema, toCalls, toInternalCalls } from "../calls.ts";
import type { ApiDeps } from "../deps.ts";
import { lifeSchema, readLife } from "../life.ts";
import { answerList, type Listing, type Paging, READ_SETTINGS, readPage, withETag } from "../list.ts";
import { ETHER, GWEI, toNumber, toUnits } from "../numbers.ts";
import {
  addressText,
  chain,
  flagText,
  hashText,
  listParameters,
  optional,
  query,
  safeInteger,
  wholeNumber,
  wordText,
} from "../parameters.ts";
import { refuse } from "../problem.ts";
import { createRouter, DATABASE_PROBLEMS, json, LIST_HEADERS, problemResponse } from "../router.ts";

const describe = <T extends z.ZodType>(schema: T, description: string) => schema.openapi({ description });
const gwei = (what: string) => describe(z.number().nullable(), `${what}, gwei`);
const wei = (what: string) => describe(z.string().nullable(), `${what}, wei as decimal text`);

export const transactionSchema = z
  .object({
    id: describe(z.int(), "names this sighting; 53 bits"),
    chain_id: z.int(),
    tx_hash: z.string(),
    from_address: z.string(),
    to_address: describe(z.string().nullable(), "null for a contract creation"),
    contract_address: describe(z.string().nullable(), "the contract that was created"),
    nonce: z.number(),
    nonce_raw: z.string(),
    value: describe(z.number(), "in the chain's coin (18 decimals)"),
    value_raw: describe(z.string(), "wei as decimal text"),
    gas: describe(z.number(), "gas limit"),
    gas_raw: z.string(),
    gas_used: describe(z.number().nullable(), "null while pending, or when the source did not have it"),
    gas_price_gwei: gwei("what was paid per gas; while pending, what is offered at most"),
    gas_price_raw: wei("gas_price_gwei"),
    max_fee_per_gas_gwei: gwei("EIP-1559 limit per gas"),
    max_fee_per_gas_raw: wei("max_fee_per_gas_gwei"),
    max_priority_fee_per_gas_gwei: gwei("EIP-1559 tip per gas"),
    max_priority_fee_per_gas_raw: wei("max_priority_fee_per_gas_gwei"),
    base_fee_per_gas_gwei: gwei("burned per gas"),
    base_fee_per_gas_raw: wei("base_fee_per_gas_gwei"),
    gas_cost_native: describe(
      z.number().nullable(),
      "gas used × price paid, in the chain's coin; null where either is unknown",
    ),
    gas_cost_raw: wei("gas_cost_native"),
    type: describe(z.int().nullable(), "EIP-2718 type"),
    method: describe(z.string().nullable(), "first 4 bytes of the call data"),
    input_size: describe(z.int(), "bytes of call data"),
    log_count: z.int(),
    pending: describe(z.boolean(), "seen in the mempool: not in a block in this sighting"),
    status: describe(z.int().nullable(), "1 succeeded, 0 reverted, null without a receipt"),
    block_number: z.int().nullable(),
    block_hash: z.string().nullable(),
    block_timestamp: z.string().nullable(),
    transaction_index: z.int().nullable(),
    seen_at: describe(z.string().nullable(), "first seen pending"),
    detected_at: describe(z.string(), "seen_at, else the time of the block, else the time of the record"),
    tags: describe(z.array(z.string()), "what rules tagged it with"),
    score: describe(z.number().nullable(), "highest score that a rule gave, 0 to 1"),
    risk: describe(z.int().nullable(), "0 to 100: the points of its risk factors; null where it was not computed"),
    risk_factors: describe(z.array(z.enum(RISK_NAMES)), "see /api/v1/transactions/{hash}/risk"),
    source: describe(z.string(), "topic, or recording:<sha256>"),
    partition: z.int(),
    offset: describe(z.string(), "offset of the record, decimal text"),
    n: describe(z.int(), "index within the record"),
    ...arbitrageFields,
  })
  .openapi("Transaction");

export const transactionDetailSchema = transactionSchema
  .extend({
    input: describe(z.string(), "call data"),
    logs: z.array(z.object({ log_index: z.int(), address: z.string(), topics: z.array(z.string()), data: z.string() })),
    access_list: z.array(z.object({ address: z.string(), storage_keys: z.array(z.string()) })),
    calls: describe(callsSchema, "what its input asks for: its own call and those that it hands on, as multicalls do"),
    internal_calls: describe(
      internalCallsSchema.nullable(),
      "the calls that happened, where the record has a member trace of callTracer's shape",
    ),
    fees: z
      .object({
        total_native: describe(
          z.number().nullable(),
          "gas, data on L1 and blobs, in the chain's coin; null where the receipt does not say",
        ),
        total_raw: wei("total_native"),
        l1_fee_raw: wei("for its data on L1, of Optimism's chains: on top of the gas"),
        l1_gas_used: describe(z.number().nullable(), "gas that its data take on L1, of Optimism's chains"),
        l1_gas_price_raw: wei("what L1 asked per gas"),
        l1_blob_base_fee_raw: wei("what L1 asked per gas of blobs"),
        gas_used_for_l1: describe(
          z.number().nullable(),
          "of Arbitrum: the part of gas_used that paid for its data on L1",
        ),
        blob_gas_used: describe(z.number().nullable(), "EIP-4844"),
        blob_gas_price_raw: wei("EIP-4844, paid per gas of blobs"),
      })
      .openapi({ description: "what it paid, and what its receipt says of fees beside the gas" }),
    life: describe(lifeSchema, "what became of it, over all its sightings"),
    sightings: describe(
      z.array(transactionSchema),
      "every time it came in, newest first: pending, mined, mined again after a reorganisation; the newest 100",
    ),
  })
  .openapi("TransactionDetail");

/** What transactions can be asked by, besides time. */
export const transactionParameters = {
  ...chain,
  hash: optional(hashText, "transaction hash"),
  from_address: optional(addressText, "sender"),
  to_address: optional(addressText, "recipient"),
  block_number: optional(safeInteger, "height"),
  status: optional(z.enum(["0", "1"], "Expected 0 or 1").transform(Number), "1 succeeded, 0 reverted"),
  pending: optional(flagText, "true: mempool only; false: mined only"),
  tag: optional(wordText(), "has this tag"),
  min_risk: optional(wholeNumber(0, 100), "its risk is at least this, 0 to 100"),
  ...arbitrageParameters,
};
export const transactionListParameters = query({ ...transactionParameters, ...listParameters(TRANSACTIONS) });

export const LIST_RESPONSES = {
  200: { ...json(z.array(transactionSchema), "Transactions"), headers: LIST_HEADERS },
  400: problemResponse("Wrong parameters"),
  ...DATABASE_PROBLEMS,
};

const list = createRoute({
  method: "get",
  path: "/api/v1/transactions",
  tags: ["data"],
  summary: "Transactions as they came in, newest first",
  description:
    "With strategy, min_swaps, min_profit or definition only arbitrages, and none of blocks that were replaced. A row that is an arbitrage says so.",
  request: { query: transactionListParameters },
  responses: LIST_RESPONSES,
});

const one = createRoute({
  method: "get",
  path: "/api/v1/transactions/{hash}",
  tags: ["data"],
  summary: "One transaction with call data, logs and all its sightings",
  description: "The mined sighting where there is one, the newest of them; else the pending one.",
  request: {
    params: z.object({ hash: hashText.openapi({ param: { description: "transaction hash" } }) }),
    query: query(chain),
  },
  responses: {
    200: { description: "The transaction", content: { "application/json": { schema: transactionDetailSchema } } },
    400: problemResponse("Not a hash"),
    404: problemResponse("No such transaction"),
    ...DATABASE_PROBLEMS,
  },
});

const life = createRoute({
  method: "get",
  path: "/api/v1/transactions/{hash}/life",
  tags: ["data"],
  summary: "What became of a transaction: first seen, included, replaced, dropped; whether anybody saw it pending",
  request: {
    params: z.object({ hash: hashText.openapi({ param: { description: "transaction hash" } }) }),
    query: query(chain),
  },
  responses: {
    200: { description: "Its life", content: { "application/json": { schema: lifeSchema } } },
    400: problemResponse("Not a hash"),
    404: problemResponse("No such transaction"),
    ...DATABASE_PROBLEMS,
  },
});

export function transactionRoutes({ store, config }: Pick<ApiDeps, "store" | "config">) {
  return createRouter()
    .openapi(list, (c) => answerTransactions(c, store, c.req.valid("query")))
    .openapi(one, async (c) => {
      const { hash } = c.req.valid("param");
      const { chain_id, chainId } = c.req.valid("query");
      return withETag(c, await readTransaction({ store, config }, hash, chain_id ?? chainId));
    })
    .openapi(life, async (c) => {
      const { hash } = c.req.valid("param");
      const { chain_id, chainId } = c.req.valid("query");
      const { best, sightings } = await readSightings(store, hash, chain_id ?? chainId);
      return withETag(c, await readLife(store, sightingsOf(best, sightings), config.api));
    });
}

type Asked = z.output<typeof transactionListParameters>;

/** A list of transactions; with a parameter of arbitrages, of those that are one. What an arbitrage has beside is withArbitrages(). */
export function transactionListing(
  store: ApiDeps["store"],
  asked: Asked,
): Listing<TransactionRow, Transaction> | Listing<Found, Transaction> {
  const { chain_id, chainId, from_address, to_address, block_number, min_risk, ...rest } = asked;
  const filter = {
    ...rest,
    minRisk: min_risk,
    chainId: chain_id ?? chainId,
    from: from_address,
    to: to_address,
    blockNumber: block_number,
  };
  const { definition, strategy, min_swaps: minSwaps, min_profit: minProfit } = rest;
  if ((definition ?? strategy ?? minSwaps ?? minProfit) === undefined)
    return {
      list: TRANSACTIONS,
      conditions: transactionConditions(filter),
      encode: (rows: readonly TransactionRow[]) => rows.map(toTransaction),
    };
  return {
    list: ARBITRAGE_TRANSACTIONS,
    conditions: arbitrageTransactionConditions(filter, { definition, strategy, minSwaps, minProfit }),
    encode: async (found: readonly Found[]) => (await readFound(store, found)).map(toTransaction),
  };
}

export function answerTransactions(c: Context, store: ApiDeps["store"], asked: Asked) {
  const { list, conditions, encode } = transactionListing(store, asked) as Listing<TransactionRow, Transaction>;
  return answerList<TransactionRow, unknown>(c, store, list, conditions, asked, async (rows) =>
    withArbitrages(store, await encode(rows), asked.definition),
  );
}

export function answerTransactionsWhere(
  c: Context,
  store: ApiDeps["store"],
  conditions: readonly Condition[],
  paging: Paging,
) {
  return answerList<TransactionRow, unknown>(c, store, TRANSACTIONS, conditions, paging, (rows) =>
    withArbitrages(store, rows.map(toTransaction)),
  );
}

/** @throws 404 */
export async function readTransaction(
  { store, config }: Pick<ApiDeps, "store" | "config">,
  hash: string,
  chainId: number | undefined,
): Promise<z.infer<typeof transactionDetailSchema>> {
  const { best, sightings } = await readSightings(store, hash, chainId);
  const { sql, params } = frameByPositionQuery(hash, best);
  const [[found], life] = await Promise.all([
    store.rows<StoredFrameRow>(sql, params, READ_SETTINGS),
    readLife(store, sightingsOf(best, sightings), config.api),
  ]);
  if (!found) throw refuse(404, "Transaction not found"); // deleted between the two queries
  const seen = sightings.map(({ seen_at }) => seen_at).filter((time) => time !== null).sort()[0]; // biome-ignore format: one chain
  return {
    ...toTransaction(best),
    seen_at: seen ?? null,
    ...toParts(found),
    life,
    sightings: sightings.map(toTransaction),
  };
}

/** Every time that a transaction came in, and the one to show: mined if there is such a one. */
export async function readSightings(store: ApiDeps["store"], hash: string, chainId: number | undefined) {
  const conditions = transactionConditions({ hash, chainId });
  const { rows: sightings } = await readPage<TransactionRow>(store, TRANSACTIONS, conditions, {
    limit: 100,
    offset: 0,
  });
  const best = sightings.find(({ block_number }) => block_number !== null) ?? sightings[0];
  if (!best) throw refuse(404, "Transaction not found");
  return { best, sightings };
}

/** A hash of an old transaction, which names no chain, may be on several. */
const sightingsOf = ({ chain_id }: TransactionRow, sightings: readonly TransactionRow[]): TransactionRow[] =>
  sightings.filter((sighting) => sighting.chain_id === chain_id);

export type Transaction = z.infer<typeof transactionSchema>;

export function toTransaction(row: TransactionRow): Transaction {
  const price = row.effective_gas_price ?? row.gas_price ?? row.max_fee_per_gas;
  const paid = row.effective_gas_price ?? (row.block_number === null ? null : row.gas_price);
  const cost = row.gas_used === null || paid === null ? null : String(BigInt(row.gas_used) * BigInt(paid));
  return {
    id: Number(row.id),
    chain_id: Number(row.chain_id),
    tx_hash: row.tx_hash,
    from_address: row.from_address,
    to_address: row.to_address,
    contract_address: row.contract_address,
    nonce: toNumber(row.nonce),
    nonce_raw: row.nonce,
    value: toUnits(row.value, ETHER),
    value_raw: row.value,
    gas: toNumber(row.gas),
    gas_raw: row.gas,
    gas_used: toNumber(row.gas_used),
    gas_price_gwei: toUnits(price, GWEI),
    gas_price_raw: price,
    max_fee_per_gas_gwei: toUnits(row.max_fee_per_gas, GWEI),
    max_fee_per_gas_raw: row.max_fee_per_gas,
    max_priority_fee_per_gas_gwei: toUnits(row.max_priority_fee_per_gas, GWEI),
    max_priority_fee_per_gas_raw: row.max_priority_fee_per_gas,
    base_fee_per_gas_gwei: toUnits(row.base_fee_per_gas, GWEI),
    base_fee_per_gas_raw: row.base_fee_per_gas,
    gas_cost_native: toUnits(cost, ETHER),
    gas_cost_raw: cost,
    type: row.type,
    method: row.method,
    input_size: Number(row.input_size),
    log_count: Number(row.log_count),
    pending: row.block_number === null,
    status: row.status,
    block_number: toNumber(row.block_number),
    block_hash: row.block_hash,
    block_timestamp: row.block_timestamp,
    transaction_index: row.transaction_index,
    seen_at: row.seen_at,
    detected_at: row.detected_at,
    tags: [...row.tags],
    score: row.score,
    risk: row.risk,
    risk_factors: contributionsOf(row.risk_factors).map(({ factor }) => factor),
    source: row.source,
    partition: row.partition,
    offset: row.offset,
    n: row.n,
  };
}

function toParts(row: StoredFrameRow) {
  const frame = createFrameWriter({ capacity: 1 << 12, frames: 1 });
  frameOfRow(frame, row);
  const internal = internalCallsOf(row.extra);
  return {
    input: hex(row.input),
    logs: row.log_index.map((log_index, i) => ({
      log_index: Number(log_index),
      address: hex(row.log_address[i]!),
      topics: row.log_topics[i]!.map(hex),
      data: hex(row.log_data[i]!),
    })),
    access_list: row.access_address.map((address, i) => ({
      address: hex(address),
      storage_keys: row.access_keys[i]!.map(hex),
    })),
    calls: toCalls(callsOf(frame, 0)),
    internal_calls: internal ? toInternalCalls(internal) : null,
    fees: toFees(totalFee(frame, 0), row.extra),
  };
}

const hex = (digits: string): string => `0x${digits}`;

function toFees(totalFee: bigint | null, extra: string) {
  const fees = networkFeesOf(extra);
  const text = (amount: bigint | null): string | null => amount?.toString() ?? null;
  return {
    total_native: toUnits(text(totalFee), ETHER),
    total_raw: text(totalFee),
    l1_fee_raw: text(fees.l1Fee),
    l1_gas_used: toNumber(text(fees.l1GasUsed)),
    l1_gas_price_raw: text(fees.l1GasPrice),
    l1_blob_base_fee_raw: text(fees.l1BlobBaseFee),
    gas_used_for_l1: toNumber(text(fees.gasUsedForL1)),
    blob_gas_used: toNumber(text(fees.blobGasUsed)),
    blob_gas_price_raw: text(fees.blobGasPrice),
  };
}
