import { createRoute, z } from "@hono/zod-openapi";
import {
  type RuleCountsRow,
  type RuleStateRow,
  ruleCountsQuery,
  ruleStateQuery,
} from "../../clickhouse/queries/stats.ts";
import type { ApiDeps } from "../deps.ts";
import { READ_SETTINGS, withETag } from "../list.ts";
import { refuse } from "../problem.ts";
import { createRouter, DATABASE_PROBLEMS, problemResponse } from "../router.ts";
import { countFields, ruleNameSchema, stateFields, toCounts, toState } from "./rules.ts";

export const ruleCostSchema = z
  .object({
    rule: z.string(),
    owner: z.string(),
    ...stateFields,
    ...countFields,
    state_keys: z
      .number()
      .openapi({ description: "keys of its counters and windows that are stored, in all partitions" }),
    state_bytes: z.number().openapi({ description: "of them and their values" }),
    versions: z.array(
      z.object({
        version: z.int(),
        ...countFields,
        added: z
          .number()
          .openapi({ description: "on trial: transactions it would alert on and the live version did not" }),
        dropped: z
          .number()
          .openapi({ description: "on trial: transactions the live version alerted on and it would not" }),
        fuel_per_evaluation: z.number().nullable().openapi({ description: "null: it was never shown anything" }),
      }),
    ),
  })
  .openapi("RuleCost");

const cost = createRoute({
  method: "get",
  path: "/api/v1/rules/{name}/cost",
  tags: ["rules"],
  summary: "What a rule has cost in all that is stored, by version, the newest first",
  request: { params: ruleNameSchema },
  responses: {
    200: { description: "The account", content: { "application/json": { schema: ruleCostSchema } } },
    400: problemResponse("Not a name"),
    404: problemResponse("No such rule"),
    ...DATABASE_PROBLEMS,
  },
});

const FIELDS = Object.keys(countFields) as (keyof typeof countFields)[];

export function ruleCostRoutes({ rules, store }: Pick<ApiDeps, "rules" | "store">) {
  return createRouter().openapi(cost, async (c) => {
    const { name } = c.req.valid("param");
    const rule = rules.get(name);
    if (!rule) throw refuse(404, "Rule not found");
    const { sql, params } = ruleCountsQuery(name);
    const rows = await store.rows<RuleCountsRow>(sql, params, READ_SETTINGS);
    const remembered = ruleStateQuery(name);
    const [state] = await store.rows<RuleStateRow>(remembered.sql, remembered.params, READ_SETTINGS);
    const versions = rows.map(toVersion).sort((a, b) => b.version - a.version);
    const total = (field: keyof typeof countFields): number => versions.reduce((sum, each) => sum + each[field], 0);
    const totals = Object.fromEntries(FIELDS.map((field) => [field, total(field)])) as Record<
      keyof typeof countFields,
      number
    >;
    return withETag(c, {
      rule: name,
      owner: rule.owner,
      ...toState(rule),
      ...totals,
      state_keys: Number(state!.keys),
      state_bytes: Number(state!.bytes),
      versions,
    });
  });
}

function toVersion(row: RuleCountsRow) {
  const counts = toCounts(row);
  const { evaluations, fuel } = counts;
  return {
    version: row.rule_version,
    ...counts,
    ...{ added: Number(row.added), dropped: Number(row.dropped) },
    fuel_per_evaluation: evaluations > 0 ? fuel / evaluations : null,
  };
}
