import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { type RuleCountsRow, ruleCountsQuery } from "../../clickhouse/queries/stats.ts";
import { RULE_NAME } from "../../engine/sandbox/manifest.ts";
import { type ApiDeps, RULE_STATES, type RuleInfo } from "../deps.ts";
import { tokenRequired } from "../guard.ts";
import { READ_SETTINGS, withETag } from "../list.ts";
import { problem, refuse } from "../problem.ts";
import { COMMON_PROBLEMS, createRouter, DATABASE_PROBLEMS, problemResponse } from "../router.ts";

export const MAX_MODULE_BYTES = 1024 * 1024;

const countsSchema = z.object({
  evaluations: z.number().openapi({ description: "transactions shown to it" }),
  matches: z.number().openapi({ description: "alerts it raised" }),
  traps: z.number().openapi({ description: "transactions it failed on" }),
  fuel: z.number().openapi({ description: "fuel it used" }),
});

export const ruleSchema = z
  .object({
    name: z.string(),
    version: z.int(),
    state: z.enum(RULE_STATES),
    sha256: z.string().openapi({ description: "of the module" }),
    size: z.int().openapi({ description: "bytes" }),
    uploaded_at: z.string(),
    manifest: z.record(z.string(), z.unknown()).openapi({ description: "what the module says about itself" }),
    counts: countsSchema
      .nullable()
      .openapi({ description: "of this version, over all that is stored; null in answers to changes" }),
  })
  .openapi("Rule");

const nameSchema = z.object({
  name: z
    .string()
    .regex(RULE_NAME.pattern, RULE_NAME.expected)
    .openapi({ param: { description: "name of the rule" }, example: "whale" }),
});
const body = (description: string) => ({ description, content: { "application/json": { schema: ruleSchema } } });
const changeProblems = {
  400: problemResponse("Wrong parameters"),
  401: problemResponse("The token is missing or wrong"),
  404: problemResponse("No such rule"),
  ...COMMON_PROBLEMS,
};

const list = createRoute({
  method: "get",
  path: "/api/v1/rules",
  tags: ["rules"],
  summary: "Rules in the order of their names",
  responses: {
    200: { description: "Rules", content: { "application/json": { schema: z.array(ruleSchema) } } },
    ...DATABASE_PROBLEMS,
  },
});

const one = createRoute({
  method: "get",
  path: "/api/v1/rules/{name}",
  tags: ["rules"],
  summary: "One rule",
  request: { params: nameSchema },
  responses: {
    200: body("The rule"),
    400: problemResponse("Not a name"),
    404: problemResponse("No such rule"),
    ...DATABASE_PROBLEMS,
  },
});

const put = createRoute({
  method: "put",
  path: "/api/v1/rules/{name}",
  tags: ["rules"],
  summary: "Upload a module: a new rule, live at once, or a rule's next version",
  description: `A WebAssembly module of at most ${MAX_MODULE_BYTES} bytes; its manifest must have this name. A rule that is
disabled stays so: its new version runs once the rule is enabled. The same module again changes nothing.`,
  security: [{ token: [] }],
  request: {
    params: nameSchema,
    body: { required: true, content: { "application/wasm": { schema: z.string().openapi({ format: "binary" }) } } },
  },
  responses: {
    200: body("A new version of the rule"),
    201: body("A new rule"),
    ...changeProblems,
    413: problemResponse("The module is too large"),
    415: problemResponse("The body is not application/wasm"),
    422: problemResponse("The module was refused; `findings` says why"),
  },
});

const change = (action: "enable" | "disable", summary: string) =>
  createRoute({
    method: "post",
    path: `/api/v1/rules/{name}/${action}`,
    tags: ["rules"],
    summary,
    security: [{ token: [] }],
    request: { params: nameSchema },
    responses: { 200: body("The rule"), ...changeProblems },
  });

export function ruleRoutes({ rules, store, config, log }: Pick<ApiDeps, "rules" | "store" | "config" | "log">) {
  const router = createRouter();
  const token = tokenRequired(config.api.token);
  router.use("/api/v1/rules/*", (c, next) =>
    c.req.method === "GET" || c.req.method === "HEAD" ? next() : token(c, next),
  );

  async function countsOf(name?: string): Promise<(rule: RuleInfo) => z.infer<typeof countsSchema>> {
    const { sql, params } = ruleCountsQuery(name);
    const rows = await store.rows<RuleCountsRow>(sql, params, READ_SETTINGS);
    const byVersion = new Map(rows.map((row) => [`${row.rule} ${row.rule_version}`, row]));
    return ({ name, version }) => {
      const { evaluations = 0, matches = 0, traps = 0, fuel = 0 } = byVersion.get(`${name} ${version}`) ?? {};
      return { evaluations: Number(evaluations), matches: Number(matches), traps: Number(traps), fuel: Number(fuel) };
    };
  }

  function known(name: string): RuleInfo {
    const rule = rules.get(name);
    if (!rule) throw refuse(404, "Rule not found");
    return rule;
  }

  async function setState(c: Context, name: string, state: "live" | "disabled") {
    known(name);
    const rule = await rules.setState(name, state);
    log.info({ event: "rule_state_changed", rule: name, version: rule.version, state }, "Changed the state of a rule");
    return c.json(toRule(rule, null), 200);
  }

  return router
    .openapi(list, async (c) => {
      const counts = await countsOf();
      const sorted = [...rules.list()].sort((a, b) => (a.name < b.name ? -1 : 1));
      return withETag(c, sorted.map((rule) => toRule(rule, counts(rule)))); // biome-ignore format: one expression
    })
    .openapi(one, async (c) => {
      const { name } = c.req.valid("param");
      const rule = known(name);
      return withETag(c, toRule(rule, (await countsOf(name))(rule)));
    })
    .openapi(put, async (c) => {
      const { name } = c.req.valid("param");
      const wasm = await moduleOf(c);
      const isNew = rules.get(name) === undefined;
      const result = await rules.upload(name, wasm);
      if (!result.ok) {
        const detail = `Cannot admit the module: ${result.findings.map(({ message }) => message).join("; ")}`;
        return problem(c, 422, detail.slice(0, 4096), { findings: [...result.findings] });
      }
      log.info(
        { event: "rule_uploaded", rule: name, version: result.rule.version, sha256: result.rule.sha256 },
        "Uploaded a rule",
      );
      return c.json(toRule(result.rule, null), isNew ? 201 : 200);
    })
    .openapi(change("enable", "Make a rule live"), (c) => setState(c, c.req.valid("param").name, "live"))
    .openapi(change("disable", "Switch a rule off"), (c) => setState(c, c.req.valid("param").name, "disabled"));
}

/** The body, read no further than the limit, whatever Content-Length says. */
async function moduleOf(c: Context): Promise<Uint8Array> {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/wasm")
    throw refuse(415, `Cannot read a body of type "${(type ?? "").slice(0, 100)}": expected application/wasm`);
  const tooLarge = () =>
    refuse(413, `Cannot admit the module: it is larger than ${MAX_MODULE_BYTES} bytes, expected at most that`);
  if (Number(c.req.header("content-length") ?? 0) > MAX_MODULE_BYTES) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    size += chunk.length;
    if (size > MAX_MODULE_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function toRule(rule: RuleInfo, counts: z.infer<typeof countsSchema> | null): z.infer<typeof ruleSchema> {
  const { name, version, state, sha256, size, uploadedAt, manifest } = rule;
  return {
    name,
    version,
    state,
    sha256,
    size,
    uploaded_at: uploadedAt.toISOString(),
    manifest: { ...manifest },
    counts,
  };
}
