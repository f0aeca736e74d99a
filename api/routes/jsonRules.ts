import { createRoute, z } from "@hono/zod-openapi";
import { MAX_JSON_RULE_BYTES, parseJsonRuleText } from "../../engine/rules/jsonRule.ts";
import { WISHES } from "../../engine/rules/lifecycle.ts";
import { SEVERITIES } from "../../engine/sandbox/manifest.ts";
import { PARAMETER_TYPES } from "../../engine/sandbox/parameters.ts";
import { by } from "../auth/guard.ts";
import { mustOwn } from "../auth/own.ts";
import { readBody } from "../body.ts";
import type { ApiDeps } from "../deps.ts";
import { problem } from "../problem.ts";
import { createRouter, problemResponse } from "../router.ts";
import { changeProblems, ruleBody, toRule, wishQuery } from "./rules.ts";

/** For the docs: engine/rules/jsonRule.ts reads the body, and says more about what is wrong than a schema does. */
const jsonRuleSchema = z
  .object({
    name: z.string().openapi({
      example: "Whale Transaction Alert",
      description: "its name in lower case, with dashes, is the rule's",
    }),
    description: z
      .string()
      .optional()
      .openapi({ description: "what its alerts say unless actions.message does; without it they say the name" }),
    parameters: z
      .record(z.string(), z.looseObject({ type: z.enum(PARAMETER_TYPES), default: z.unknown() }))
      .optional()
      .openapi({
        description: 'values that can be changed later: a condition names one as {"param": "least"}',
        example: { least: { type: "integer", default: "1000", min: "1", description: "in wei" } },
      }),
    abi: z
      .array(z.union([z.string(), z.looseObject({ type: z.string() })]))
      .optional()
      .openapi({
        description:
          "events and functions, as Solidity or the compiler's JSON has them: conditions may name their arguments, event.Transfer.value or call.transfer.to",
        example: ["event Transfer(address indexed from, address indexed to, uint256 value)"],
      }),
    conditions: z.record(z.string(), z.unknown()).openapi({
      description: "see GET /api/v1/rule-fields; members must all hold, or and, or, not of {field, operator, value}",
      example: {
        and: [
          { field: "value", operator: "gte", value: "100000000000000000000" },
          { field: "chain_id", operator: "eq", value: 1 },
        ],
      },
    }),
    actions: z
      .object({
        send_alert: z.boolean().optional().openapi({ description: "false: matches are only counted" }),
        severity: z.enum(SEVERITIES).optional(),
        message: z.string().optional().openapi({
          description: "what alerts say, with fields of the transaction in braces; an integer with so many decimals",
          example: "{from} sent {value:18} ETH to {to}",
        }),
        channels: z.array(z.string()).optional(),
        save_to_db: z.boolean().optional(),
      })
      .optional(),
  })
  .openapi("JsonRule");

const create = createRoute({
  method: "post",
  path: "/api/v1/rules",
  tags: ["rules"],
  summary: "Make a rule of a condition: a new rule, live at once, or a rule's next version",
  description: `No module is needed. Two forms, which may be mixed: {"value_gte": "1000"} and {"and": [{"field": "value",
"operator": "gte", "value": "1000"}]}. At most ${MAX_JSON_RULE_BYTES} bytes. A rule that says the same is no new version.`,
  request: {
    query: wishQuery,
    body: { required: true, content: { "application/json": { schema: jsonRuleSchema } } },
  },
  responses: {
    200: ruleBody("A new version of the rule"),
    201: ruleBody("A new rule"),
    ...changeProblems,
    400: problemResponse("What is wrong with the rule, each mistake with its place"),
    413: problemResponse("The rule is too large"),
    415: problemResponse("The body is not application/json"),
  },
});

export function jsonRuleRoutes({ rules, log }: Pick<ApiDeps, "rules" | "log">) {
  const router = createRouter();
  // Registered for the docs, answered by a plain handler: the schema's own check would come before ours.
  router.openAPIRegistry.registerPath(create);
  router.post("/api/v1/rules", async (c) => {
    const state = create.request.query.safeParse(c.req.query());
    if (!state.success) return problem(c, 400, `Invalid state: expected one of ${WISHES.join(", ")}`);
    const text = Buffer.from(await readBody(c, "the rule", "application/json", MAX_JSON_RULE_BYTES)).toString("utf8");
    const parsed = parseJsonRuleText(text);
    if (!parsed.ok) {
      const errors = parsed.problems.map(({ path, message }) => ({ parameter: path || "body", detail: message }));
      const detail = errors.map(({ parameter, detail }) => `${parameter}: ${detail}`).join("; ");
      return problem(c, 400, `Cannot read the rule: ${detail}`.slice(0, 4096), { errors });
    }
    const { name } = parsed.rule;
    const isNew = rules.get(name) === undefined;
    mustOwn(c, `the rule "${name}"`, rules.get(name)?.owner);
    const options = { by: by(c), kind: "json", state: state.data.state } as const;
    const result = await rules.upload(name, Buffer.from(parsed.rule.text), options);
    if (!result.ok) {
      const detail = result.findings.map(({ message }) => message).join("; ");
      return problem(c, 400, `Cannot keep the rule: ${detail}`.slice(0, 4096));
    }
    log.info(
      { event: "rule_uploaded", rule: name, version: result.version, state: state.data.state },
      "Uploaded a rule",
    );
    return c.json(toRule(result.rule, null), isNew ? 201 : 200);
  });
  return router;
}
