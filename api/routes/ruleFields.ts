import { createRoute, z } from "@hono/zod-openapi";
import { SECTION_NAMES } from "../../engine/chain/facts/schema.ts";
import { RULE_FIELDS, type RuleField } from "../../engine/condition/fields.ts";
import { operatorsOf } from "../../engine/condition/parseCondition.ts";
import { withETag } from "../list.ts";
import { COMMON_PROBLEMS, createRouter } from "../router.ts";

const fieldSchema = z
  .object({
    name: z.string().openapi({ example: "gasPrice" }),
    aliases: z.array(z.string()).openapi({ description: "other names that are accepted" }),
    kind: z.enum(["integer", "boolean", "bytes", "input", "log", "name"]).openapi({
      description: "log: bytes, compared with each log of the receipt, and true when it is of any",
    }),
    of_each: z
      .enum(["log", ...SECTION_NAMES])
      .nullable()
      .openapi({
        description: "compared with each of the transaction's logs, swaps …, and true when it is of any",
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

/** What its values are. */
const KINDS = {
  ...({ integer: "integer", boolean: "boolean", bytes: "bytes", input: "input", log: "log" } as const),
  ...({ elapsed: "integer", fact: "bytes", factName: "name", factNumber: "integer" } as const),
  ...({ factCount: "integer", factFlag: "boolean" } as const),
} satisfies Record<RuleField["kind"], string>;

const toField = (field: RuleField): z.infer<typeof fieldSchema> => ({
  name: field.name,
  aliases: field.aliases.filter((alias) => alias !== field.name),
  kind: KINDS[field.kind],
  of_each: field.kind === "log" ? "log" : "section" in field ? field.section : null,
  operators: [...operatorsOf(field)],
  optional: field.present !== 0 || field.kind === "log" || field.name === "selector",
  doc: field.doc,
});
