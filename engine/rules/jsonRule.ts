/**
 * A rule as JSON (seed 000): a condition and what to do where it holds. It needs no module: the index is all that runs.
 *
 *     {"name": "Whale Transaction Alert", "description": "Alert for transactions > 100 ETH",
 *      "conditions": {"and": [{"field": "value", "operator": "gte", "value": "100000000000000000000"}]},
 *      "actions": {"send_alert": true, "severity": "high", "channels": ["telegram"], "save_to_db": true}}
 *
 * With `"abi": ["event Transfer(address indexed from, address indexed to, uint256 value)"]` conditions may name `event.Transfer.value`.
 * With `"message": "{from} sent {value:18} ETH"` among its actions alerts say that of each transaction, else the description, else the name (alertText.ts).
 * With `"parameters": {"least": {"type": "integer", "default": "1000"}}` a value may be `{"param": "least"}`.
 */
import { z } from "zod";
import { readAbi, textOf } from "../condition/abi/items.ts";
import { CONDITION_LIMITS, type Condition } from "../condition/condition.ts";
import { LIST_LIMITS } from "../condition/listKinds.ts";
import { listUses } from "../condition/listUses.ts";
import { type ConditionProblem, parseCondition } from "../condition/parseCondition.ts";
import { jsonProblem } from "../ops/plainJson.ts";
import { RULE_NAME, SEVERITIES } from "../sandbox/manifest.ts";
import { fillIn, type ParameterValues, parametersSchema } from "../sandbox/parameters.ts";
import { type Manifest, manifestSchema } from "../sandbox/parseManifest.ts";
import { TEXT_LIMITS, textProblems } from "./alertText.ts";

const actionsSchema = z.strictObject({
  send_alert: z.boolean().default(true).describe("raise an alert; false: only count the matches"),
  severity: z.enum(SEVERITIES).default("medium"),
  message: z
    .string()
    .min(1)
    .max(TEXT_LIMITS.characters)
    .superRefine((text, ctx) => {
      for (const message of textProblems(text)) ctx.addIssue({ code: "custom", message });
    })
    .optional()
    .describe("what alerts say; {value} is what the transaction has of a field"),
  channels: z.array(z.string().min(1).max(64)).max(16).default([]).describe("where alerts are sent"),
  save_to_db: z.boolean().default(true).describe("keep the alerts in the table `alerts`"),
});

const ruleSchema = z.strictObject({
  id: z.string().max(128).optional().describe("what the rule is called when it has no name"),
  name: z.string().min(1).max(128).optional(),
  description: z.string().max(1024).default(""),
  parameters: parametersSchema.default({}),
  abi: z.unknown().optional().describe("events and functions whose arguments the conditions name"),
  conditions: z.unknown(),
  actions: actionsSchema.prefault({}),
});

export interface JsonRule {
  /** From its title: `whale-transaction-alert`. */
  readonly name: string;
  readonly manifest: Manifest;
  readonly condition: Condition;
  /** Matches are counted, not alerted on. */
  readonly silent: boolean;
  readonly actions: z.infer<typeof actionsSchema>;
  /** The rule in its one canonical form: what is kept of it, and what its version is told from others by. With parameters or an ABI, its conditions are as its author wrote them. */
  readonly text: string;
}

export type JsonRuleResult =
  | { readonly ok: true; readonly rule: JsonRule }
  | { readonly ok: false; readonly problems: readonly ConditionProblem[] };

/** Largest text of one rule, in bytes: as many comparisons and values as a condition may have, and some. */
export const MAX_JSON_RULE_BYTES = 512 * 1024;

/**
 * Reads a rule as its author wrote it, or as `text` keeps it. Never throws.
 * @param values canonical ones, of its parameters that are not to have their defaults
 */
export function parseJsonRule(body: unknown, values: ParameterValues = {}): JsonRuleResult {
  const parsed = ruleSchema.safeParse(body);
  const problems: ConditionProblem[] = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => ({ path: path.map(String).join("."), message }));
  const { conditions, parameters, abi } = (body ?? {}) as Partial<Record<string, unknown>>;
  const declared = parametersSchema.safeParse(parameters ?? {});
  const { filled, used, problems: unknown } = fillIn(conditions, declared.data ?? {}, values);
  const names = Object.keys(declared.data ?? {});
  for (const name of names.filter((name) => !used.has(name)))
    problems.push({
      path: `parameters.${name}`,
      message: `No condition has {"param": "${name}"}: it would change nothing`,
    });
  const declaredAbi = abi === undefined ? undefined : readAbi(abi);
  for (const { path, message } of declaredAbi?.problems ?? [])
    problems.push({ path: path === "" ? "abi" : `abi.${path}`, message });
  const condition = parseCondition(filled, declaredAbi?.items);
  if (declaredAbi?.items.length && condition.ok && condition.named.length === 0)
    problems.push({ path: "abi", message: "No condition names an event or a function of it: it would change nothing" });
  if (declared.success) {
    // One mistake is told once: where a parameter is wrong, what stands in its place is, too.
    const places = new Set(unknown.map(({ path }) => path));
    const others = condition.ok ? [] : condition.problems.filter(({ path }) => !places.has(path));
    for (const { path, message } of [...unknown, ...others]) problems.push({ path: under(path), message });
  }
  if (!parsed.success || !condition.ok || problems.length > 0) return { ok: false, problems };
  const lists = listUses(condition.condition);
  if (lists.length > LIST_LIMITS.rule) {
    const message = `${lists.length} lists: expected at most ${LIST_LIMITS.rule}`;
    return { ok: false, problems: [{ path: "conditions", message }] };
  }

  const { id, description, actions } = parsed.data;
  const title = parsed.data.name ?? id;
  const name = slug(title ?? "");
  if (title === undefined || name === "") {
    const message =
      title === undefined ? "The name is missing" : `Expected a name with a letter or digit, got "${title}"`;
    return { ok: false, problems: [{ path: "name", message }] };
  }
  const { named } = condition;
  const asWritten = names.length > 0 || named.length > 0;
  const kept = {
    ...{ name: title, description },
    ...(names.length > 0 && { parameters: parsed.data.parameters }),
    ...(named.length > 0 && { abi: [...new Set(named.map(textOf))] }),
    conditions: asWritten ? conditions : condition.condition,
    actions,
  };
  return {
    ok: true,
    rule: {
      name,
      manifest: manifestSchema.parse({
        ...{ name, description: description || title, severity: actions.severity },
        parameters: parsed.data.parameters,
        lists,
      }),
      condition: condition.condition,
      silent: !actions.send_alert,
      actions,
      text: JSON.stringify(kept),
    },
  };
}

/** The same for text: what is no JSON is a problem like others. */
export function parseJsonRuleText(text: string, values: ParameterValues = {}): JsonRuleResult {
  if (Buffer.byteLength(text) > MAX_JSON_RULE_BYTES) {
    const message = `Longer than ${MAX_JSON_RULE_BYTES} bytes: expected at most that, with at most ${CONDITION_LIMITS.predicates} comparisons`;
    return { ok: false, problems: [{ path: "", message }] };
  }
  try {
    const rule: unknown = JSON.parse(text);
    const problem = jsonProblem(rule);
    if (problem) return { ok: false, problems: [{ path: "", message: problem }] };
    return parseJsonRule(rule, values);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { ok: false, problems: [{ path: "", message: `Cannot read the rule as JSON: ${error.message}` }] };
  }
}

const under = (path: string): string => (path === "" ? "conditions" : `conditions.${path}`);

/** A title as a name: lower case, what is no letter or digit as one dash. */
function slug(title: string): string {
  const name = title
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, "-")
    .replace(/^[-_]+|-+$/g, "")
    .slice(0, 64);
  return RULE_NAME.pattern.test(name) ? name : "";
}
