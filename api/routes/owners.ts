import { createRoute, z } from "@hono/zod-openapi";
import { type RuleCountsRow, ruleCountsQuery } from "../../clickhouse/queries/stats.ts";
import { QUOTA_LIMITS } from "../../engine/rules/owners.ts";
import { by } from "../auth/guard.ts";
import { readBody } from "../body.ts";
import type { ApiDeps } from "../deps.ts";
import { READ_SETTINGS, withETag } from "../list.ts";
import { wordText } from "../parameters.ts";
import { bodyErrors, invalid, problem } from "../problem.ts";
import { COMMON_PROBLEMS, createRouter, DATABASE_PROBLEMS, problemResponse } from "../router.ts";
import { countFields, toCounts } from "./rules.ts";

const quotaSchema = z.strictObject({
  max_rules: z.int().min(0).max(QUOTA_LIMITS.rules).nullable().default(null).openapi({
    description: "rules that run at most; null: WEIR_OWNER_MAX_RULES",
  }),
  fuel_per_second: z.int().min(1).max(QUOTA_LIMITS.fuelPerSecond).nullable().default(null).openapi({
    description: "fuel for a second of the stream at most, in one engine; null: WEIR_OWNER_FUEL_PER_SECOND",
  }),
}); // biome-ignore format: one property a limit

export const ownerSchema = z
  .object({
    owner: z.string(),
    rules: z.int().openapi({ description: "that run, or would if they were not throttled" }),
    throttled: z.int().openapi({ description: "of them" }),
    max_rules: z.int(),
    fuel_per_second: z.number().nullable().openapi({ description: "at most, measured by event time; null: no bound" }),
    quota: quotaSchema.openapi({ description: "what is its own; null: as configured" }),
    ...countFields,
  })
  .openapi("Owner");

const list = createRoute({
  method: "get",
  path: "/api/v1/owners",
  tags: ["rules"],
  summary: "Owners of rules: what they may have, have, and have cost in all that is stored",
  responses: {
    200: { description: "In the order of their names", content: { "application/json": { schema: z.array(ownerSchema) } } },
    ...DATABASE_PROBLEMS,
  },
}); // biome-ignore format: one line a response

const put = createRoute({
  method: "put",
  path: "/api/v1/owners/{owner}/quota",
  tags: ["rules"],
  summary: "Give an owner other limits than are configured",
  description: `What is left out, or null, is as configured. Rules that run go on: above \`max_rules\` no further one starts. Rules of an owner
above \`fuel_per_second\` are throttled, those first that use most, and run again after WEIR_THROTTLE_SECONDS.`,
  request: {
    params: z.object({
      owner: wordText().openapi({ param: { description: "as rules say it" }, example: "api token" }),
    }),
    body: { required: true, content: { "application/json": { schema: quotaSchema } } },
  },
  responses: {
    200: { description: "Its limits", content: { "application/json": { schema: quotaSchema } } },
    400: problemResponse("Each limit that does not fit"),
    413: problemResponse("The body is too large"),
    415: problemResponse("The body is not application/json"),
    503: problemResponse("The control store cannot be reached"),
    ...COMMON_PROBLEMS,
  },
});

const MAX_QUOTA_BYTES = 1024;
const NO_COUNTS = { evaluations: 0, matches: 0, traps: 0, fuel: 0, skipped: 0 };

export function ownerRoutes({ rules, store, log }: Pick<ApiDeps, "rules" | "store" | "log">) {
  const router = createRouter();
  router.openAPIRegistry.registerPath(put);
  router.put("/api/v1/owners/:owner/quota", async (c) => {
    const owner = put.request.params.shape.owner.safeParse(c.req.param("owner"));
    if (!owner.success) return problem(c, 400, "Invalid owner: expected 1 to 256 characters, without NUL");
    const body = await readBody(c, "the quota", "application/json", MAX_QUOTA_BYTES);
    const parsed = parseQuota(Buffer.from(body).toString("utf8"));
    if (!parsed.success) return invalid(c, bodyErrors(parsed.error.issues));
    const { max_rules, fuel_per_second } = parsed.data;
    await rules.owners.setQuota(owner.data, { maxRules: max_rules, fuelPerSecond: fuel_per_second }, by(c));
    log.info({ event: "owner_quota_changed", owner: owner.data, ...parsed.data }, "Gave an owner other limits");
    return c.json(parsed.data, 200);
  });
  return router.openapi(list, async (c) => {
    const { sql, params } = ruleCountsQuery();
    const costs = new Map<string, typeof NO_COUNTS>();
    for (const row of await store.rows<RuleCountsRow>(sql, params, READ_SETTINGS)) {
      const owner = rules.get(row.rule)?.owner;
      if (owner !== undefined) costs.set(owner, sum(costs.get(owner) ?? NO_COUNTS, toCounts(row)));
    }
    const counts = rules.countByOwner();
    const owners = [...new Set([...counts.keys(), ...rules.owners.withOwn()])].sort();
    const all = owners.map((owner) => {
      const { maxRules, fuelPerSecond } = rules.owners.quotaOf(owner);
      const own = rules.owners.ownQuotaOf(owner);
      return {
        owner,
        rules: counts.get(owner)?.running ?? 0,
        throttled: counts.get(owner)?.throttled ?? 0,
        max_rules: maxRules,
        fuel_per_second: Number.isFinite(fuelPerSecond) ? fuelPerSecond : null,
        quota: { max_rules: own.maxRules, fuel_per_second: own.fuelPerSecond },
        ...(costs.get(owner) ?? NO_COUNTS),
      };
    });
    return withETag(c, all);
  });
}

/** The schema's answer also to what is no JSON. */
function parseQuota(text: string) {
  try {
    return quotaSchema.safeParse(JSON.parse(text));
  } catch {
    return quotaSchema.safeParse(text);
  }
}

const sum = (a: typeof NO_COUNTS, b: typeof NO_COUNTS): typeof NO_COUNTS => ({
  evaluations: a.evaluations + b.evaluations,
  matches: a.matches + b.matches,
  traps: a.traps + b.traps,
  fuel: a.fuel + b.fuel,
  skipped: a.skipped + b.skipped,
});
