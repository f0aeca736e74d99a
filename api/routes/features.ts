import { createRoute, z } from "@hono/zod-openapi";
import { CATALOGUE, findUnknown } from "../../clickhouse/features/catalogue.ts";
import { planFeatures } from "../../clickhouse/features/chunks.ts";
import { GROUPS } from "../../clickhouse/features/feature.ts";
import { SERIES } from "../../clickhouse/features/series.ts";
import type { ApiDeps } from "../deps.ts";
import { link, READ_SETTINGS, withETag } from "../list.ts";
import { optional, query, safeInteger, times, wholeNumber } from "../parameters.ts";
import { createRouter, DATABASE_PROBLEMS, json, problemResponse } from "../router.ts";

export const featureSchema = z
  .object({
    name: z.string().openapi({ example: "price_volatility" }),
    group: z.enum(GROUPS),
    formula: z.string(),
    unit: z.string(),
    kind: z.enum(["number", "category"]),
    windows: z.array(z.string()).openapi({ description: "a column each, as price_volatility_5m; without, one column" }),
    looks_back_on: z.string(),
    tables: z.array(z.string()),
    seed: z.string().nullable(),
  })
  .openapi("Feature");

export const featureRowSchema = z
  .object({
    chain_id: z.string(),
    block_number: z.string(),
    block_timestamp: z.string(),
    transaction_index: z.int(),
    tx_hash: z.string(),
    final: z.int().openapi({ description: "0 while the chain may replace the block" }),
  })
  .catchall(z.union([z.number(), z.string(), z.null()]))
  .openapi("FeatureRow", { description: "and a member for each column: null is not known" });

const group = optional(z.enum(GROUPS, `Expected one of ${GROUPS.join(", ")}`), "of this group only");

const documentation = createRoute({
  ...{ method: "get", path: "/api/v1/features", tags: ["features"] },
  summary: "What may be known of a transaction before it: each feature with its formula, unit and windows",
  request: { query: query({ group }) },
  responses: { 200: json(z.array(featureSchema), "By group"), 400: problemResponse("Wrong parameters") },
});

const namesText = z
  .string()
  .max(4_000, "Expected at most 4000 characters")
  .transform((text) => text.split(","))
  .superRefine((names, ctx) => {
    const unknown = findUnknown(names);
    if (unknown !== undefined)
      ctx.addIssue({
        code: "custom",
        message: `Expected names of features, columns or groups: "${unknown.slice(0, 100)}" is none`,
      });
  });

const data = createRoute({
  ...{ method: "get", path: "/api/v1/features/data", tags: ["features"] },
  summary: "Features of a chain's transactions, oldest first",
  description:
    'Whole blocks: as many as have about `limit` transactions. Follow rel="next" in the header Link for those behind them. For a long period `weir features compute` streams.',
  request: {
    query: query({
      chain_id: safeInteger.openapi({ param: { description: "EIP-155 chain id" }, example: "1" }),
      ...times,
      features: optional(
        namesText,
        "names of features, columns or groups, with commas; all by default",
        "price,gas_price",
      ),
      limit: optional(wholeNumber(1, 5_000), "transactions, 1 to 5000, 100 by default", "100"),
    }),
  },
  responses: {
    200: {
      description: "A row a mined transaction",
      headers: z.object({ link: z.string().openapi({ description: 'rel="next", unless these are the last' }) }),
      content: { "application/json": { schema: z.array(featureRowSchema) } },
    },
    400: problemResponse("Wrong parameters"),
    ...DATABASE_PROBLEMS,
  },
});

export function featureRoutes({ store, metrics }: Pick<ApiDeps, "store" | "metrics">) {
  return createRouter()
    .openapi(documentation, (c) => {
      const { group } = c.req.valid("query");
      return withETag(c, CATALOGUE.filter((feature) => group === undefined || feature.group === group).map(describe));
    })
    .openapi(data, async (c) => {
      const { chain_id: chainId, since, until, features: names, limit: chunkRows = 100 } = c.req.valid("query");
      const [chunk, next] = await planFeatures(store, { chainId, since, until, names, chunkRows, atMost: 2 });
      if (next !== undefined)
        c.header("link", link(c, "next", { since: new Date(Number(next.params.from) * 1000).toISOString() }));
      const rows =
        chunk === undefined
          ? []
          : await store.rows<z.infer<typeof featureRowSchema>>(chunk.sql, chunk.params, READ_SETTINGS);
      metrics.featureRows.inc(rows.length);
      return withETag(c, rows);
    });
}

function describe(feature: (typeof CATALOGUE)[number]): z.infer<typeof featureSchema> {
  const { name, group, formula, unit, kind = "number", windows = [], series, seed = null } = feature;
  const { about, tables } = SERIES[series];
  return { name, group, formula, unit, kind, windows: [...windows], looks_back_on: about, tables: [...tables], seed };
}
