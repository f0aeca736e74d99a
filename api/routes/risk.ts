import { createRoute, z } from "@hono/zod-openapi";
import { type SenderValuesRow, senderValuesQuery } from "../../clickhouse/queries/senderValues.ts";
import { contributionsOf, RISK_FACTORS, RISK_LEVELS, RISK_NAMES, riskLevel } from "../../engine/chain/risk/factors.ts";
import { MIN_SAMPLES, OUTLIER, robustDeviation } from "../../engine/world/baselines.ts";
import type { ApiDeps } from "../deps.ts";
import { READ_SETTINGS, withETag } from "../list.ts";
import { chain, hashText, query } from "../parameters.ts";
import { createRouter, DATABASE_PROBLEMS, json, problemResponse } from "../router.ts";
import { readSightings } from "./transactions.ts";

const factor = {
  factor: z.enum(RISK_NAMES),
  points: z.int(),
  means: z.string().openapi({ description: "what it says of a transaction" }),
  why: z.string().openapi({ description: "why so many points" }),
};

export const riskSchema = z
  .object({
    chain_id: z.int(),
    tx_hash: z.string(),
    pending: z
      .boolean()
      .openapi({ description: "judged before it was mined: by what it asks for, not by what it did" }),
    score: z.int().nullable().openapi({ description: "0 to 100; null where it was not computed" }),
    level: z.enum(RISK_LEVELS).nullable().openapi({ description: "low below 25, medium below 50, high below 75" }),
    contributions: z.array(z.object(factor)).openapi({
      description: "most points first; they add up to the score: the one that reaches 100 counts what was left",
    }),
    value_deviation: z
      .object({
        samples: z
          .int()
          .openapi({ description: "earlier mined transactions of its sender with a value, at most 1,000" }),
        deviation: z
          .number()
          .nullable()
          .openapi({
            description: `robust deviations (0.6745 × distance from the median / MAD, of logarithms) above what its sender sends; beyond ${OUTLIER} is an outlier. Null: it has no value, or there are fewer than ${MIN_SAMPLES} samples`,
          }),
      })
      .openapi({ description: "how unusual its value is for its sender, by what is stored now; no part of the score" }),
  })
  .openapi("Risk");

export const riskFactorSchema = z.object(factor).openapi("RiskFactor");

const one = createRoute({
  method: "get",
  path: "/api/v1/transactions/{hash}/risk",
  tags: ["data"],
  summary: "How risky a transaction is, and why",
  description: "Of the mined sighting where there is one, else of the pending one.",
  request: {
    params: z.object({ hash: hashText.openapi({ param: { description: "transaction hash" } }) }),
    query: query(chain),
  },
  responses: {
    200: json(riskSchema, "The risk"),
    400: problemResponse("Not a hash"),
    404: problemResponse("No such transaction"),
    ...DATABASE_PROBLEMS,
  },
});

const factors = createRoute({
  method: "get",
  path: "/api/v1/risk-factors",
  tags: ["data"],
  summary: "What can make a transaction a risk, and how much",
  responses: { 200: json(z.array(riskFactorSchema), "The factors") },
});

export function riskRoutes({ store }: Pick<ApiDeps, "store">) {
  return createRouter()
    .openapi(one, async (c) => {
      const { hash } = c.req.valid("param");
      const { chain_id, chainId } = c.req.valid("query");
      const { best } = await readSightings(store, hash, chain_id ?? chainId);
      const contributions = contributionsOf(best.risk_factors).map(({ factor, points }) => {
        const { means, why } = RISK_FACTORS.find(({ name }) => name === factor)!;
        return { factor, points, means, why };
      });
      const { sql, params } = senderValuesQuery(Number(best.chain_id), best.from_address, best.detected_at);
      const [usual] = await store.rows<SenderValuesRow>(sql, params, READ_SETTINGS);
      return withETag(c, {
        chain_id: Number(best.chain_id),
        tx_hash: best.tx_hash,
        pending: best.block_number === null,
        score: best.risk,
        level: best.risk === null ? null : riskLevel(best.risk),
        contributions,
        value_deviation: toDeviation(best.value, usual!),
      } satisfies z.infer<typeof riskSchema>);
    })
    .openapi(factors, (c) =>
      withETag(
        c,
        RISK_FACTORS.map(({ name, points, means, why }) => ({ factor: name, points, means, why })),
      ),
    );
}

function toDeviation(value: string, { samples, median, mad }: SenderValuesRow) {
  const says = value !== "0" && Number(samples) >= MIN_SAMPLES;
  return { samples: Number(samples), deviation: says ? robustDeviation(Number(value), median!, mad!) : null };
}
