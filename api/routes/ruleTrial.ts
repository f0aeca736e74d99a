import { createRoute, z } from "@hono/zod-openapi";
import {
  type RuleCountsRow,
  ruleCountsQuery,
  type TrialChangeRow,
  trialChangesQuery,
} from "../../clickhouse/queries/stats.ts";
import type { ApiDeps } from "../deps.ts";
import { READ_SETTINGS, withETag } from "../list.ts";
import { optional, query, wholeNumber } from "../parameters.ts";
import { refuse } from "../problem.ts";
import { createRouter, DATABASE_PROBLEMS, problemResponse } from "../router.ts";
import { ruleNameSchema } from "./rules.ts";

export const ruleTrialSchema = z
  .object({
    rule: z.string(),
    live_version: z.int().nullable().openapi({ description: "null: nothing to compare with" }),
    trial_version: z.int(),
    added: z.number().openapi({ description: "transactions it would alert on and the live version did not" }),
    dropped: z.number().openapi({ description: "transactions the live version alerted on and it would not" }),
    changes: z
      .array(
        z.object({
          change: z.enum(["added", "dropped"]),
          tx_hash: z.string(),
          seen_at: z.string().openapi({ description: "time of the first transaction of its batch" }),
        }),
      )
      .openapi({ description: "newest batches first, of each the first 64 of either kind" }),
  })
  .openapi("RuleTrial");

const trial = createRoute({
  method: "get",
  path: "/api/v1/rules/{name}/trial",
  tags: ["rules"],
  summary: "What the version on trial would change of the live one's alerts, in all that is stored",
  request: {
    params: ruleNameSchema,
    query: query({ limit: optional(wholeNumber(1, 1000), "changes to show, default 100") }),
  },
  responses: {
    200: { description: "The trial so far", content: { "application/json": { schema: ruleTrialSchema } } },
    400: problemResponse("Wrong parameters"),
    404: problemResponse("No such rule, or no version of it is on trial"),
    ...DATABASE_PROBLEMS,
  },
});

export function ruleTrialRoutes({ rules, store }: Pick<ApiDeps, "rules" | "store">) {
  return createRouter().openapi(trial, async (c) => {
    const { name } = c.req.valid("param");
    const { limit = 100 } = c.req.valid("query");
    const rule = rules.get(name);
    if (!rule) throw refuse(404, "Rule not found");
    const { liveVersion, shadowVersion: version } = rule;
    if (version === null) throw refuse(404, `No version of "${name}" is on trial: upload one with ?state=shadow`);
    const counts = ruleCountsQuery(name);
    const changes = trialChangesQuery(name, version, limit);
    const [counted, rows] = await Promise.all([
      store.rows<RuleCountsRow>(counts.sql, counts.params, READ_SETTINGS),
      store.rows<TrialChangeRow>(changes.sql, changes.params, READ_SETTINGS),
    ]);
    const { added, dropped } = counted.find((row) => row.rule_version === version) ?? { added: 0, dropped: 0 };
    return withETag(c, {
      ...{ rule: name, live_version: liveVersion, trial_version: version },
      ...{ added: Number(added), dropped: Number(dropped), changes: rows },
    });
  });
}
