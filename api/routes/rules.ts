import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { type RuleCountsRow, ruleCountsQuery } from "../../clickhouse/queries/stats.ts";
import { RULE_KINDS, RULE_STATES } from "../../engine/control/schema.ts";
import type { RuleInfo, RuleVersion } from "../../engine/rules/catalogue.ts";
import { type Action, WISHES } from "../../engine/rules/lifecycle.ts";
import { RULE_NAME } from "../../engine/sandbox/manifest.ts";
import { by } from "../auth/guard.ts";
import { mustOwn } from "../auth/own.ts";
import { readBody } from "../body.ts";
import type { ApiDeps } from "../deps.ts";
import { READ_SETTINGS, withETag } from "../list.ts";
import { problem, refuse } from "../problem.ts";
import { COMMON_PROBLEMS, createRouter, DATABASE_PROBLEMS, problemResponse } from "../router.ts";

export const MAX_MODULE_BYTES = 1024 * 1024;

/** What a version did; of the cost account, too. */
export const countFields = {
  evaluations: z.number().openapi({ description: "transactions shown to it" }),
  matches: z.number().openapi({ description: "alerts it raised, or on trial would have raised" }),
  traps: z.number().openapi({ description: "transactions it failed on" }),
  fuel: z.number().openapi({ description: "about one a WebAssembly instruction; 0 for a JSON rule" }),
  skipped: z.number().openapi({ description: "transactions it was not shown, since it was throttled" }),
};
const countsSchema = z.object(countFields);
const NO_COUNTS = { evaluations: 0, matches: 0, traps: 0, fuel: 0, skipped: 0 };

export const toCounts = (row: RuleCountsRow): z.infer<typeof countsSchema> => ({
  evaluations: Number(row.evaluations),
  matches: Number(row.matches),
  traps: Number(row.traps),
  fuel: Number(row.fuel),
  skipped: Number(row.skipped),
});

const versionFields = {
  version: z.int(),
  kind: z.enum(RULE_KINDS).openapi({ description: "wasm: a module; json: a condition without one" }),
  sha256: z.string().openapi({ description: "of the module, or of the JSON in its canonical form" }),
  size: z.int().openapi({ description: "bytes" }),
  uploaded_at: z.string(),
  uploaded_by: z.string(),
  manifest: z.record(z.string(), z.unknown()).openapi({
    description: "what the rule says about itself, with the defaults of its parameters",
  }),
  parameters: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .openapi({ description: "values of its parameters that are not the defaults" }),
};

/** Of the cost account, too. */
export const stateFields = {
  state: z.enum(RULE_STATES),
  reason: z.string().nullable().openapi({
    description: "why it is disabled, quarantined or throttled, or why its version on trial was taken out",
  }),
  since: z.string().openapi({ description: "when it came into its state" }),
};

export const toState = ({ state, reason, since }: RuleInfo) => ({ state, reason, since: since.toISOString() });

export const ruleSchema = z
  .object({
    name: z.string(),
    owner: z.string().openapi({ description: "who uploaded it first" }),
    ...stateFields,
    ...versionFields,
    version: z.int().openapi({ description: "that runs, or would: the live one, else that on trial, else the newest" }),
    live_version: z.int().nullable().openapi({ description: "raises the alerts; null: it never did" }),
    shadow_version: z.int().nullable().openapi({ description: "on trial: counted, and raises nothing" }),
    newest_version: z.int(),
    updated_at: z.string(),
    counts: countsSchema
      .nullable()
      .openapi({ description: "of this version, over all that is stored; null in answers to changes" }),
    carried: z
      .object({ state: z.enum(["kept", "reset"]), why: z.string() })
      .optional()
      .openapi({
        description:
          "of an upload, for a rule that has declared state: what becomes of it; `why` says what begins empty",
      }),
  })
  .openapi("Rule");

export const ruleVersionSchema = z
  .object({
    ...versionFields,
    runs: z.enum(["live", "shadow"]).nullable().openapi({ description: "null: it does not run" }),
  })
  .openapi("RuleVersion");

export const ruleAuditSchema = z
  .object({
    at: z.string(),
    who: z.string(),
    action: z.string(),
    before: z
      .unknown()
      .openapi({ description: "state and versions, and values of parameters; null: the rule was not there" }),
    after: z.unknown(),
  })
  .openapi("RuleAudit");

export const ruleNameSchema = z.object({
  name: z
    .string()
    .regex(RULE_NAME.pattern, RULE_NAME.expected)
    .openapi({ param: { description: "name of the rule" }, example: "whale" }),
});
export const ruleBody = (description: string) => ({
  description,
  content: { "application/json": { schema: ruleSchema } },
});
export const changeProblems = {
  400: problemResponse("Wrong parameters"),
  404: problemResponse("No such rule"),
  409: problemResponse("The rule's state, the number of rules that run, or its owner's quota does not allow it"),
  503: problemResponse("The control store cannot be reached; the rules run as they are"),
  ...COMMON_PROBLEMS,
};

const list = createRoute({
  method: "get",
  path: "/api/v1/rules",
  tags: ["rules"],
  summary: "Rules in the order of their names",
  request: {
    query: z.strictObject({
      state: z
        .enum(RULE_STATES)
        .optional()
        .openapi({ param: { description: "only rules in this state" } }),
    }),
  },
  responses: {
    400: problemResponse("Wrong parameters"),
    200: { description: "Rules", content: { "application/json": { schema: z.array(ruleSchema) } } },
    ...DATABASE_PROBLEMS,
  },
});

const one = createRoute({
  method: "get",
  path: "/api/v1/rules/{name}",
  tags: ["rules"],
  summary: "One rule",
  request: { params: ruleNameSchema },
  responses: {
    200: ruleBody("The rule"),
    400: problemResponse("Not a name"),
    404: problemResponse("No such rule"),
    ...DATABASE_PROBLEMS,
  },
});

const versions = createRoute({
  method: "get",
  path: "/api/v1/rules/{name}/versions",
  tags: ["rules"],
  summary: "All versions of a rule, the newest first",
  request: { params: ruleNameSchema },
  responses: {
    200: { description: "Versions", content: { "application/json": { schema: z.array(ruleVersionSchema) } } },
    400: problemResponse("Not a name"),
    404: problemResponse("No such rule"),
    ...DATABASE_PROBLEMS,
  },
});

const MAX_AUDIT = 1_000;

const audit = createRoute({
  method: "get",
  path: "/api/v1/rules/{name}/audit",
  tags: ["rules"],
  summary: "What was done to a rule and by whom, the last first",
  request: {
    params: ruleNameSchema,
    query: z.strictObject({
      limit: z.coerce
        .number()
        .int()
        .min(1)
        .max(MAX_AUDIT)
        .default(100)
        .openapi({ param: { description: "entries at most" } }),
    }),
  },
  responses: {
    200: { description: "Entries", content: { "application/json": { schema: z.array(ruleAuditSchema) } } },
    400: problemResponse("Wrong parameters"),
    404: problemResponse("No such rule"),
    ...DATABASE_PROBLEMS,
  },
});

/** What a change that makes a version asks for it. */
export const wishQuery = z.strictObject({
  state: z
    .enum(WISHES)
    .default("live")
    .openapi({ param: { description: "what becomes of the version" } }),
});

const put = createRoute({
  method: "put",
  path: "/api/v1/rules/{name}",
  tags: ["rules"],
  summary: "Upload a module: a new rule, live at once, or a rule's next version",
  description: `A WebAssembly module of at most ${MAX_MODULE_BYTES} bytes; its manifest must have this name. With state=shadow the
version runs on trial beside the live one, with state=draft it does not run. A rule that is disabled, quarantined or throttled stays so: its
new version runs once the rule does. The newest module again is no new version. Values that were set for the rule's parameters stay, as far
as the module takes them. State that the rule has declared goes on where this version declares it the same way: \`carried\` says what begins empty.`,
  request: {
    params: ruleNameSchema,
    query: wishQuery,
    body: { required: true, content: { "application/wasm": { schema: z.string().openapi({ format: "binary" }) } } },
  },
  responses: {
    200: ruleBody("A new version of the rule"),
    201: ruleBody("A new rule"),
    ...changeProblems,
    413: problemResponse("The module is too large"),
    415: problemResponse("The body is not application/wasm"),
    422: problemResponse("The module was refused; `findings` says why"),
  },
});

type Path = Exclude<Action, "quarantine" | "throttle" | "rollback">;

const change = (action: Path, summary: string) =>
  createRoute({
    method: "post",
    path: `/api/v1/rules/{name}/${action}`,
    tags: ["rules"],
    summary,
    request: { params: ruleNameSchema },
    responses: { 200: ruleBody("The rule"), ...changeProblems },
  });

const rollback = createRoute({
  method: "post",
  path: "/api/v1/rules/{name}/rollback",
  tags: ["rules"],
  summary: "Make an older version live again",
  description: "It keeps its number; a rule that is disabled, quarantined or throttled is live with it.",
  request: {
    params: ruleNameSchema,
    query: z.strictObject({
      version: z.coerce
        .number()
        .int()
        .min(1)
        .max(2_147_483_647)
        .openapi({ param: { description: "which" }, example: 1 }),
    }),
  },
  responses: { 200: ruleBody("The rule"), ...changeProblems },
});

/** @param name all rules when absent @returns counts of a rule's version that it would run */
export async function readCounts(
  store: ApiDeps["store"],
  name?: string,
): Promise<(rule: RuleInfo) => z.infer<typeof countsSchema>> {
  const { sql, params } = ruleCountsQuery(name);
  const rows = await store.rows<RuleCountsRow>(sql, params, READ_SETTINGS);
  const byVersion = new Map(rows.map((row) => [`${row.rule} ${row.rule_version}`, toCounts(row)]));
  return ({ name, version }) => byVersion.get(`${name} ${version}`) ?? NO_COUNTS;
}

export function ruleRoutes({ rules, store, log }: Pick<ApiDeps, "rules" | "store" | "log">) {
  const router = createRouter();
  function known(name: string): RuleInfo {
    const rule = rules.get(name);
    if (!rule) throw refuse(404, "Rule not found");
    return rule;
  }

  async function act(c: Context, name: string, action: Action, version?: number) {
    mustOwn(c, `the rule "${name}"`, known(name).owner);
    const rule = await rules.change(name, action, { by: by(c), ...(version !== undefined && { version }) });
    const { state } = rule;
    log.info(
      { event: "rule_state_changed", rule: name, action, version: rule.version, state },
      "Changed the state of a rule",
    );
    return c.json(toRule(rule, null), 200);
  }
  const acting = (action: Path) => (c: Context) => act(c, c.req.param("name")!, action);

  return router
    .openapi(list, async (c) => {
      const { state } = c.req.valid("query");
      const counts = await readCounts(store);
      const wanted = rules.list().filter((rule) => state === undefined || rule.state === state);
      return withETag(c, wanted.map((rule) => toRule(rule, counts(rule)))); // biome-ignore format: one expression
    })
    .openapi(one, async (c) => {
      const { name } = c.req.valid("param");
      const rule = known(name);
      return withETag(c, toRule(rule, (await readCounts(store, name))(rule)));
    })
    .openapi(versions, async (c) => {
      const { name } = c.req.valid("param");
      const { liveVersion, shadowVersion, state } = known(name);
      const running = state === "live" || state === "shadow";
      const all = (await rules.versions(name)).map((version) => ({
        ...toVersion(version),
        runs:
          running && version.version === liveVersion
            ? ("live" as const)
            : running && version.version === shadowVersion
              ? ("shadow" as const)
              : null,
      }));
      return withETag(c, all);
    })
    .openapi(audit, async (c) => {
      const { name } = c.req.valid("param");
      known(name);
      const entries = await rules.audit(name, c.req.valid("query").limit);
      return withETag(
        c,
        entries.map(({ at, ...entry }) => ({ at: at.toISOString(), ...entry })),
      );
    })
    .openapi(put, async (c) => {
      const { name } = c.req.valid("param");
      const { state } = c.req.valid("query");
      mustOwn(c, `the rule "${name}"`, rules.get(name)?.owner);
      const wasm = await readBody(c, "the module", "application/wasm", MAX_MODULE_BYTES);
      const isNew = rules.get(name) === undefined;
      const result = await rules.upload(name, wasm, { by: by(c), state });
      if (!result.ok) {
        const detail = `Cannot admit the module: ${result.findings.map(({ message }) => message).join("; ")}`;
        return problem(c, 422, detail.slice(0, 4096), { findings: [...result.findings] });
      }
      log.info({ event: "rule_uploaded", rule: name, version: result.version, state }, "Uploaded a rule");
      return c.json(
        { ...toRule(result.rule, null), ...(result.carried && { carried: result.carried }) },
        isNew ? 201 : 200,
      );
    })
    .openapi(change("enable", "Make a rule live that is disabled or a draft"), acting("enable"))
    .openapi(change("disable", "Switch a rule off"), acting("disable"))
    .openapi(change("promote", "Make the version on trial the live one"), acting("promote"))
    .openapi(change("release", "Let a rule run again that was quarantined or throttled"), acting("release"))
    .openapi(rollback, (c) => act(c, c.req.valid("param").name, "rollback", c.req.valid("query").version));
}

function toVersion({ version, kind, sha256, size, uploadedAt, uploadedBy, manifest, parameters }: RuleVersion) {
  return {
    version,
    kind,
    sha256,
    size,
    uploaded_at: uploadedAt.toISOString(),
    uploaded_by: uploadedBy,
    manifest: { ...manifest },
    parameters: { ...parameters },
  };
}

export function toRule(rule: RuleInfo, counts: z.infer<typeof countsSchema> | null): z.infer<typeof ruleSchema> {
  const { name, owner, liveVersion, shadowVersion, newestVersion, updatedAt } = rule;
  return {
    name,
    owner,
    ...toState(rule),
    ...toVersion(rule),
    live_version: liveVersion,
    shadow_version: shadowVersion,
    newest_version: newestVersion,
    updated_at: updatedAt.toISOString(),
    counts,
  };
}
