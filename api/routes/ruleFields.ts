import { createRoute, z } from "@hono/zod-openapi";
import { RULE_FIELDS, type RuleField } from "../../engine/condition/fields.ts";
import { OPERATORS_OF } from "../../engine/condition/parseCondition.ts";
import { withETag } from "../list.ts";
import { COMMON_PROBLEMS, createRouter } from "../router.ts";

const fieldSchema = z
  .object({
    name: z.string().openapi({ example: "gasPrice" }),
    aliases: z.array(z.string()).openapi({ description: "other names that are accepted" }),
    kind: z.enum(["integer", "boolean", "bytes", "input", "log"]).openapi({
      description: "log: compared with each log of the receipt, and true when it is of any",
    }),
    operators: z.array(z.string()),
    optional: z.boolean().openapi({ description: "it may be absent: then every comparison with it is false" }),
    doc: z.string(),
  })
  .openapi("RuleField");

const list = createRoute({
  method: "get",
  path: "/api/v1/rule-fields",
  tags: ["rules"],
  summary: "Fields that a rule's conditions may name, and what may be asked of each",
  responses: {
    200: { description: "Fields", content: { "application/json": { schema: z.array(fieldSchema) } } },
    ...COMMON_PROBLEMS,
  },
});

export function ruleFieldRoutes() {
  return createRouter().openapi(list, (c) => withETag(c, RULE_FIELDS.map(toField)));
}

const toField = (field: RuleField): z.infer<typeof fieldSchema> => ({
  name: field.name,
  aliases: field.aliases.filter((alias) => alias !== field.name),
  kind: field.kind,
  operators: [...OPERATORS_OF[field.kind]],
  optional: field.present !== 0 || field.kind === "log" || field.name === "selector",
  doc: field.doc,
});
