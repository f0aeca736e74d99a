import { createRoute, z } from "@hono/zod-openapi";
import { FEE_PERCENTILES } from "../../clickhouse/tables/gasBlocks.ts";
import { highestBaseFee, nextBaseFee } from "../../engine/chain/gas/baseFee.ts";
import { FEE_RULES } from "../../engine/chain/gas/feeRules.ts";
import {
  type BlockFees,
  chanceOf,
  ENTRY_PERCENTILE,
  measureTips,
  type Offer,
  tipFor,
} from "../../engine/chain/gas/inclusion.ts";
import { builtInRegistry } from "../../engine/chain/registry/registry.ts";
import type { ApiDeps } from "../deps.ts";
import { type GasBlock, readGasBlocks } from "../gasBlocks.ts";
import { withETag } from "../list.ts";
import { GWEI, toNumber, toUnits } from "../numbers.ts";
import { chain, optional, query, wholeNumber } from "../parameters.ts";
import { createRouter, DATABASE_PROBLEMS, json, problemResponse } from "../router.ts";

const HORIZONS = [1, 3, 10] as const;
const CHANCES = [0.5, 0.9] as const;
/** Blocks that a prediction is made from, and over which its error is measured. */
const HISTORY = 50;
const MEASURED = 200;
const MAX_BLOCKS = 200;

const describe = <T extends z.ZodType>(schema: T, description: string) => schema.openapi({ description });
/** A price in gwei and, exactly, in wei. */
const fee = <N extends string>(name: N, what: string) =>
  ({
    [`${name}_gwei`]: describe(z.number().nullable(), `${what}, gwei`),
    [`${name}_raw`]: describe(z.string().nullable(), `${what}, wei as decimal text`),
  }) as { [K in `${N}_gwei`]: z.ZodNullable<z.ZodNumber> } & { [K in `${N}_raw`]: z.ZodNullable<z.ZodString> };
const toFee = <N extends string>(name: N, amount: bigint | undefined) =>
  ({
    [`${name}_gwei`]: toUnits(amount?.toString() ?? null, GWEI),
    [`${name}_raw`]: amount?.toString() ?? null,
  }) as { [K in `${N}_gwei`]: number | null } & { [K in `${N}_raw`]: string | null };

export const gasBlockSchema = z
  .object({
    chain_id: z.int(),
    block_number: z.int(),
    block_hash: z.string().nullable(),
    block_timestamp: z.string().nullable(),
    ...fee("base_fee", "burned per gas"),
    ...fee(
      "next_base_fee",
      "what the next block will burn per gas, exactly; null where the chain's rules or the records do not say",
    ),
    gas_used: z.number().nullable(),
    gas_limit: z.number().nullable(),
    gas_used_ratio: describe(z.number().nullable(), "gas used / gas limit"),
    transactions: describe(z.int().nullable(), "that the block says it has"),
    transactions_seen: describe(z.int(), "of these: that came in together, and are stored"),
    priority_fees: z
      .array(z.object({ percentile: z.int(), ...fee("fee", "paid to the producer per gas") }))
      .nullable()
      .openapi({
        description:
          "at percentiles of the gas, as eth_feeHistory; null where not all transactions came in together, with what they paid",
      }),
  })
  .openapi("GasBlock");

const tipSchema = z.object({
  chance: describe(z.number(), "0 to 1: share of the recent runs of so many blocks in which it would have done"),
  ...fee("priority_fee", "to offer the producer per gas"),
  ...fee(
    "max_fee",
    "to offer in all per gas: the priority fee and the highest base fee that the blocks before can lead to",
  ),
  measured: z
    .object({
      predictions: describe(z.int(), "blocks that were predicted from those before them"),
      hit_rate: describe(z.number(), "share of them in which the predicted fee did: to be held against the chance"),
      median_error_gwei: describe(z.number(), "median of |predicted − least that did|"),
    })
    .nullable()
    .openapi({
      description: `how well it did for the newest ${MEASURED} stored blocks, none of which a prediction had seen; null: too few are stored`,
    }),
});

export const gasPredictionSchema = z
  .object({
    chain_id: z.int(),
    after_block: describe(z.int(), "newest block that is stored"),
    blocks_used: describe(z.int(), "blocks that it is made from: those that are stored whole, of the newest 50"),
    ...fee("next_base_fee", "what the next block will burn per gas, exactly"),
    horizons: z.array(
      z.object({
        blocks: describe(z.int(), "to be in within so many blocks"),
        seconds: describe(z.number().nullable(), "that so many blocks take on this chain"),
        tips: z.array(tipSchema),
        chance_of_offer: describe(
          z.number().nullable(),
          "of max_fee_gwei and priority_fee_gwei: 0 to 1, at the base fees of the recent blocks",
        ),
      }),
    ),
  })
  .openapi("GasPrediction");

const gweiText = z
  .string()
  .regex(/^\d{1,12}(\.\d{1,9})?$/, "Expected gwei, as 1.5: at most 12 digits and 9 behind the point")
  .transform((text) => {
    const [whole, rest = ""] = text.split(".");
    return BigInt(whole + rest.padEnd(GWEI, "0"));
  });

const ONE = {
  ...chain,
  chain_id: chain.chain_id.openapi({ param: { description: "EIP-155 chain id; 1 by default" } }),
};
const problems = {
  400: problemResponse("Wrong parameters"),
  404: problemResponse("No block of this chain is stored"),
  ...DATABASE_PROBLEMS,
};

export const gasParameters = query(ONE);

const now = createRoute({
  method: "get",
  path: "/api/v1/gas",
  tags: ["gas"],
  summary: "The newest block's fees, and the next one's base fee",
  request: { query: gasParameters },
  responses: { 200: json(gasBlockSchema, "The newest block"), ...problems },
});

export const gasHistoryParameters = query({
  ...ONE,
  blocks: optional(wholeNumber(1, MAX_BLOCKS), `how many, at most ${MAX_BLOCKS}; 20 by default`, "20"),
});

const history = createRoute({
  method: "get",
  path: "/api/v1/gas/history",
  tags: ["gas"],
  summary: "Fees of the newest blocks, highest block first",
  request: {
    query: gasHistoryParameters,
  },
  responses: { 200: json(z.array(gasBlockSchema), "Blocks"), ...problems },
});

export const gasPredictionParameters = query({
  ...ONE,
  max_fee_gwei: optional(gweiText, "an offer to judge: in all per gas; a legacy transaction's gas price", "30"),
  priority_fee_gwei: optional(gweiText, "an offer to judge: to the producer per gas; max_fee_gwei by default", "1.5"),
});

const prediction = createRoute({
  method: "get",
  path: "/api/v1/gas/prediction",
  tags: ["gas"],
  summary: "What to offer to be in within 1, 3 or 10 blocks, and how well that was predicted lately",
  description:
    "A block's entry fee is the tenth percentile of its priority fees. The tip for a chance is the smallest that would have bought a place in that share of the runs of consecutive recent blocks.",
  request: {
    query: gasPredictionParameters,
  },
  responses: { 200: json(gasPredictionSchema, "The prediction"), ...problems },
});

export async function readGas(store: ApiDeps["store"], asked: z.output<typeof gasParameters>) {
  const { chain_id, chainId = chain_id ?? 1 } = asked;
  const [newest] = await readGasBlocks(store, chainId, 1);
  return toGasBlock(newest!, chainId);
}

export async function readGasHistory(store: ApiDeps["store"], asked: z.output<typeof gasHistoryParameters>) {
  const { chain_id, chainId = chain_id ?? 1, blocks = 20 } = asked;
  const found = await readGasBlocks(store, chainId, blocks);
  return found.map((block) => toGasBlock(block, chainId));
}

export async function readGasPrediction(store: ApiDeps["store"], asked: z.output<typeof gasPredictionParameters>) {
  const { chain_id, chainId = chain_id ?? 1, max_fee_gwei, priority_fee_gwei } = asked;
  const blocks = await readGasBlocks(store, chainId, MEASURED);
  const offer = max_fee_gwei === undefined ? undefined : { maxFee: max_fee_gwei, maxPriorityFee: priority_fee_gwei ?? max_fee_gwei }; // biome-ignore format: one choice
  return toPrediction(blocks, chainId, offer);
}

export function gasRoutes({ store }: Pick<ApiDeps, "store">) {
  return createRouter()
    .openapi(now, async (c) => withETag(c, await readGas(store, c.req.valid("query"))))
    .openapi(history, async (c) => withETag(c, await readGasHistory(store, c.req.valid("query"))))
    .openapi(prediction, async (c) => withETag(c, await readGasPrediction(store, c.req.valid("query"))));
}

function toGasBlock(block: GasBlock, chainId: number): z.infer<typeof gasBlockSchema> {
  const { number, hash, timestamp, header, baseFee, transactions, seen, fees } = block;
  return {
    ...{ chain_id: chainId, block_number: number, block_hash: hash, block_timestamp: timestamp },
    ...toFee("base_fee", baseFee),
    ...toFee("next_base_fee", header && nextBaseFee(header, FEE_RULES[chainId])),
    gas_used: toNumber(header?.gasUsed.toString() ?? null),
    gas_limit: toNumber(header?.gasLimit.toString() ?? null),
    gas_used_ratio: header && header.gasLimit > 0n ? Number(header.gasUsed) / Number(header.gasLimit) : null,
    transactions,
    transactions_seen: seen,
    priority_fees: fees?.map((amount, i) => ({ percentile: FEE_PERCENTILES[i]!, ...toFee("fee", amount) })) ?? null,
  };
}

function toPrediction(
  blocks: readonly GasBlock[],
  chainId: number,
  offer: Offer | undefined,
): z.infer<typeof gasPredictionSchema> {
  const ascending = blocks.flatMap(feesOf).reverse();
  const recent = blocks.slice(0, HISTORY).flatMap(feesOf).reverse();
  const { number, header } = blocks[0]!;
  const rules = FEE_RULES[chainId];
  const seconds = builtInRegistry.chains.get(chainId)?.blockSeconds;
  return {
    ...{ chain_id: chainId, after_block: number, blocks_used: recent.length },
    ...toFee("next_base_fee", header && nextBaseFee(header, rules)),
    horizons: HORIZONS.map((horizon) => {
      const highest = header && highestBaseFee(header, horizon, rules);
      return {
        blocks: horizon,
        seconds: seconds === undefined ? null : seconds * horizon,
        tips: CHANCES.map((chance) => {
          const tip = tipFor(recent, horizon, chance);
          const measured = measureTips(ascending, { horizon, chance, history: HISTORY });
          return {
            chance,
            ...toFee("priority_fee", tip),
            ...toFee("max_fee", tip === undefined || highest === undefined ? undefined : tip + highest),
            measured: measured
              ? {
                  predictions: measured.predictions,
                  hit_rate: measured.hitRate,
                  median_error_gwei: toUnits(measured.medianError.toString(), GWEI),
                }
              : null,
          };
        }),
        chance_of_offer: (offer && chanceOf(recent, horizon, offer)) ?? null,
      };
    }),
  };
}

/** Of a block that is stored whole and has transactions. */
function feesOf({ number, baseFee, fees }: GasBlock): BlockFees[] {
  const entryFee = fees?.[FEE_PERCENTILES.indexOf(ENTRY_PERCENTILE)];
  return entryFee === undefined ? [] : [{ number, baseFee, entryFee }];
}
