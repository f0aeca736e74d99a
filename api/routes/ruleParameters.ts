import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { RuleInfo, RuleVersion } from "../../engine/rules/catalogue.ts";
import { WISHES } from "../../engine/rules/lifecycle.ts";
import { ParametersRefused } from "../../engine/rules/newVersions.ts";
import { allValues, PARAMETER_TYPES } from "../../engine/sandbox/parameters.ts";
import { by } from "../auth/guard.ts";
import { mustOwn } from "../auth/own.ts";
import { readBody } from "../body.ts";
import type { ApiDeps } from "../deps.ts";
import { withETag } from "../list.ts";
import { problem, refuse } from "../problem.ts";
import { createRouter, DATABASE_PROBLEMS, problemResponse } from "../router.ts";
import { changeProblems, ruleNameSchema, wishQuery } from "./rules.ts";

/** As many values as a rule may have, each as long as a text may be, with escapes. */
export const MAX_VALUES_BYTES = 512 * 1024;

const valueSchema = z.union([z.string(), z.number(), z.boolean()]);

export const ruleParametersSchema = z
  .object({
    rule: z.string(),
    version: z.int().openapi({ description: "that has these values" }),
    runs: z.enum(["live", "shadow"]).nullable().openapi({ description: "null: it does not run" }),
    parameters: z
      .array(
        z.object({
          name: z.string(),
          type: z.enum(PARAMETER_TYPES).nullable().openapi({
            description:
              'integer: whole, up to 256 bits, as text, set as 12, "0xc" or "1.5 ether"; null: it cannot be changed, build the module anew',
          }),
          value: valueSchema,
          default: valueSchema,
          min: valueSchema.optional(),
          max: valueSchema.optional(),
          choices: z.array(valueSchema).optional(),
          description: z.string().optional(),
        }),
      )
      .openapi({ description: "in the order of their names" }),
  })
  .openapi("RuleParameters");

const path = "/api/v1/rules/{name}/parameters";
const body200 = (description: string) => ({
  description,
  content: { "application/json": { schema: ruleParametersSchema } },
});

const read = createRoute({
  method: "get",
  path,
  tags: ["rules"],
  summary: "Parameters that a rule declares, with the values that it runs with",
  request: {
    params: ruleNameSchema,
    query: z.strictObject({
      state: z
        .enum(["live", "shadow"])
        .default("live")
        .openapi({ param: { description: "shadow: of the version on trial" } }),
    }),
  },
  responses: {
    200: body200("The parameters"),
    400: problemResponse("Wrong parameters of the request"),
    404: problemResponse("No such rule, or no version of it is on trial"),
    ...DATABASE_PROBLEMS,
  },
});

const change = (method: "put" | "patch", summary: string, description: string) =>
  createRoute({
    method,
    path,
    tags: ["rules"],
    summary,
    description: `${description} null is the default. The module or condition stays as it is: values are a version of their own, live
at once, with state=shadow on trial beside the live one, and promoted or rolled back like any. Values that the version has already
make none. Nothing changes unless all of them fit.`,
    request: {
      params: ruleNameSchema,
      query: wishQuery,
      body: {
        required: true,
        content: {
          "application/json": {
            schema: z.record(z.string(), valueSchema.nullable()).openapi({ example: { least: "1000000000000000000" } }),
          },
        },
      },
    },
    responses: {
      200: body200("The parameters of the version that has these values"),
      ...changeProblems,
      400: problemResponse("Each value that does not fit, and what was expected"),
      413: problemResponse("The values are too large"),
      415: problemResponse("The body is not application/json"),
    },
  });

const replace = change("put", "Set a rule's parameters", "Values by name; one that is left out has its default.");
const edit = change("patch", "Set some of a rule's parameters", "Values by name; one that is left out stays as it is.");

export function ruleParameterRoutes({ rules, log }: Pick<ApiDeps, "rules" | "log">) {
  const router = createRouter();
  const honoPath = path.replace("{name}", ":name");

  function known(name: string): RuleInfo {
    const rule = rules.get(name);
    if (!rule) throw refuse(404, "Rule not found");
    return rule;
  }

  async function versionOf(name: string, version: number): Promise<RuleVersion> {
    const rule = known(name);
    return rule.version === version ? rule : (await rules.versions(name)).find((each) => each.version === version)!;
  }

  async function set(c: Context, merge: boolean) {
    const { name, owner } = known(c.req.param("name")!);
    mustOwn(c, `the rule "${name}"`, owner);
    const state = replace.request.query.safeParse(c.req.query());
    if (!state.success) return problem(c, 400, `Invalid state: expected one of ${WISHES.join(", ")}`);
    const text = Buffer.from(await readBody(c, "the values", "application/json", MAX_VALUES_BYTES)).toString("utf8");
    try {
      const { rule, version, changed } = await rules.setParameters(name, jsonOf(text), {
        by: by(c),
        merge,
        ...state.data,
      });
      if (changed)
        log.info(
          { event: "rule_parameters_set", rule: name, version, state: state.data.state },
          "Set a rule's parameters",
        );
      return c.json(toParameters(rule, await versionOf(name, version)), 200);
    } catch (error) {
      if (!(error instanceof ParametersRefused)) throw error;
      const errors = error.problems.map(({ path, message }) => ({ parameter: path || "body", detail: message }));
      return problem(c, 400, error.message.slice(0, 4096), { errors });
    }
  }

  // Registered for the docs, answered by plain handlers: a schema's own check would come before ours, which says more.
  for (const route of [replace, edit]) {
    router.openAPIRegistry.registerPath(route);
    router.on(route.method.toUpperCase(), honoPath, (c) => set(c, route === edit));
  }
  return router.openapi(read, async (c) => {
    const { name } = c.req.valid("param");
    const rule = known(name);
    const { shadowVersion } = rule;
    if (c.req.valid("query").state === "live") return withETag(c, toParameters(rule, rule));
    if (shadowVersion === null) throw refuse(404, "No version of the rule is on trial");
    return withETag(c, toParameters(rule, await versionOf(name, shadowVersion)));
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refuse(
      400,
      `Cannot read the values as JSON: ${(error as Error).message}, expected an object of values by name`,
    );
  }
}

function toParameters(
  rule: RuleInfo,
  { version, manifest, parameters }: RuleVersion,
): z.infer<typeof ruleParametersSchema> {
  const { name, state, liveVersion, shadowVersion } = rule;
  const running = state === "live" || state === "shadow";
  const runs = version === liveVersion ? "live" : version === shadowVersion ? "shadow" : null;
  const values = allValues(manifest.parameters, parameters);
  return {
    rule: name,
    version,
    runs: running ? runs : null,
    parameters: Object.entries(manifest.parameters)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { type, choices, ...declared }]) => ({
        ...{ name, type: type ?? null, value: values[name]!, ...declared },
        ...(choices && { choices: [...choices] }),
      })),
  };
}
