/**
 * Manifest v1: what a rule module says about itself, as JSON in the string that `weir_manifest` returns. The one .wasm
 * file is the whole rule, so its name, filter and error policy travel inside it.
 *
 *     {"manifest":1,"name":"whale","description":"Transfers over 1,000 ether","severity":"high",
 *      "filter":{"chains":[1],"minValue":"1000000000000000000000"},"onError":"dlq"}
 */
import { z } from "zod";
import { FACTS_VERSION } from "../chain/facts/schema.ts";
import { LIST_LIMITS, LIST_NAME, type ListUse } from "../condition/listKinds.ts";
import { listUses } from "../condition/listUses.ts";
import { parseCondition } from "../condition/parseCondition.ts";
import { STATE_KEYS, STATE_LIMITS, STATE_VALUES } from "../state/declaration.ts";
import { MAX_MANIFEST_LENGTH, RULE_NAME, SEVERITIES } from "./manifest.ts";
import { fillIn, type ParameterValues, parametersSchema } from "./parameters.ts";

const MAX_U256 = 2n ** 256n - 1n;

/** Hex of a fixed width, either case in, lower case out. */
const hex = (bytes: number, what: string) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${bytes * 2}}$`), `Expected ${what}: 0x and ${bytes * 2} hexadecimal digits`)
    .transform((text) => text.toLowerCase());

const listOf = <T extends z.ZodType>(item: T, max: number) => z.array(item).min(1).max(max);

/** A value that stands for a parameter is text. */
const chainId = z.preprocess(
  (value) => (typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value),
  z.int().min(1),
);

/** Any condition of engine/condition, in either of its forms; kept in the canonical one. */
const conditionSchema = z.unknown().transform((input, context) => {
  const parsed = parseCondition(input);
  if (parsed.ok) return parsed.condition;
  for (const { path, message } of parsed.problems)
    context.addIssue({ code: "custom", message, path: path === "" ? [] : path.split(".") });
  return z.NEVER;
});

/**
 * A conjunction of conditions; values within a list are alternatives. The host evaluates it before the rule, so that a
 * rule sees candidates only. What is left out does not restrict.
 */
export const filterSchema = z.strictObject({
  chains: listOf(chainId, 64).optional().describe("chain ids"),
  to: listOf(hex(20, "an address"), 1024).optional().describe("recipient is one of these"),
  from: listOf(hex(20, "an address"), 1024).optional().describe("sender is one of these"),
  selectors: listOf(hex(4, "a selector"), 256).optional().describe("input begins with one of these 4 bytes"),
  topics: listOf(hex(32, "a topic"), 256).optional().describe("topic 0 of any log is one of these"),
  minValue: z
    .string()
    .regex(/^(0|[1-9][0-9]{0,77})$/, "Expected a decimal integer in wei, as a string")
    .refine((text) => BigInt(text) <= MAX_U256, "Expected at most 2^256 - 1")
    .optional()
    .describe("value in wei, at least"),
  created: z.boolean().optional().describe("true: contract creations only; false: none"),
  status: z
    .union([z.literal(0), z.literal(1)])
    .optional()
    .describe("receipt status; pending ones have none"),
  pending: z.boolean().optional().describe("true: pending only; false: mined only"),
  where: conditionSchema.optional().describe("a condition as JSON rules have them: ranges, alternatives, patterns"),
});

/** A list that the rule names, and bytes of what it looks for in it. */
const listSchema = z.strictObject({
  name: z.string().regex(LIST_NAME.pattern, LIST_NAME.expected),
  bytes: z.union([z.literal(4), z.literal(20), z.literal(32)], "Expected 4 (selectors), 20 (addresses) or 32 (topics)"),
});

const stateName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/, "Expected 1 to 64 letters, digits, _ and -");
const keyAndValue = {
  name: stateName,
  key: z.enum(STATE_KEYS),
  value: z.enum(STATE_VALUES),
  mined: z.boolean().optional(),
};

/** See engine/state/declaration.ts. */
const stateSchema = z.discriminatedUnion("kind", [
  z.strictObject({ ...keyAndValue, kind: z.literal("counter") }),
  z
    .strictObject({
      ...keyAndValue,
      kind: z.literal("window"),
      seconds: z.int().min(1).max(STATE_LIMITS.seconds),
      buckets: z.int().min(1).max(STATE_LIMITS.buckets),
    })
    .refine(({ seconds, buckets }) => seconds % buckets === 0, "Expected seconds that are a multiple of the buckets"),
]);

const writtenSchema = z.strictObject({
  manifest: z.literal(1).default(1).describe("version of this description"),
  name: z.string().regex(RULE_NAME.pattern, RULE_NAME.expected),
  version: z.int().min(1).max(2_147_483_647).optional(),
  description: z.string().max(1024).default(""),
  severity: z.enum(SEVERITIES).default("medium"),
  facts: z
    .literal(
      FACTS_VERSION,
      `Expected ${FACTS_VERSION}, the version of facts that this engine writes: build the rule with this checkout's SDK`,
    )
    .optional()
    .describe("it is shown what was found of a transaction: swaps, arbitrage, …"),
  parameters: parametersSchema.default({}).describe("values that whoever runs the rule may change"),
  filter: filterSchema.default({}),
  lists: z
    .array(listSchema)
    .max(LIST_LIMITS.rule, `Expected at most ${LIST_LIMITS.rule} lists`)
    .optional()
    .describe("a module asks them by their number here"),
  state: z
    .array(stateSchema)
    .max(STATE_LIMITS.declarations)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, "Expected each name once")
    .optional()
    .describe("values that the engine keeps for it, by key"),
  /** What a failure means for its transaction: nothing, a dead letter, or the end of the stream. */
  onError: z.enum(["skip", "dlq", "halt"]).default("dlq"),
});

/** Lists that the filter names are the rule's, too, behind those that it declares. */
export const manifestSchema = writtenSchema.transform((manifest, context) => {
  const { lists: declared = [], ...rest } = manifest;
  const lists: ListUse[] = [...declared];
  for (const use of listUses(manifest.filter.where))
    if (!lists.some(({ name, bytes }) => name === use.name && bytes === use.bytes)) lists.push(use);
  if (lists.length > LIST_LIMITS.rule) {
    const message = `${lists.length} lists with those of the filter: expected at most ${LIST_LIMITS.rule}`;
    context.addIssue({ code: "custom", message, path: ["lists"] });
  }
  return { ...rest, ...(lists.length > 0 && { lists }) };
});

/** What a rule module says about itself. */
export type Manifest = z.infer<typeof manifestSchema>;
/** Which transactions a rule is shown. */
export type Filter = z.infer<typeof filterSchema>;

export interface ManifestProblem {
  /** dotted path, "" for the whole */
  readonly path: string;
  readonly message: string;
}

export type ManifestResult =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly problems: readonly ManifestProblem[] };

/**
 * Parses the JSON text of a manifest; every problem is reported with the path of its field. Never throws.
 * @param values of its parameters: what its filter has in place of `{"param": "name"}`; else the defaults
 */
export function parseManifest(json: string, values: ParameterValues = {}): ManifestResult {
  if (json.length > MAX_MANIFEST_LENGTH) {
    const message = `Cannot read the manifest: ${json.length} characters, expected at most ${MAX_MANIFEST_LENGTH}`;
    return { ok: false, problems: [{ path: "", message }] };
  }
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return { ok: false, problems: [{ path: "", message: `Cannot read the manifest as JSON: ${String(error)}` }] };
  }
  const filled = fillFilter(value, values);
  if (filled.problems.length > 0) return { ok: false, problems: filled.problems };
  const parsed = manifestSchema.safeParse(filled.manifest);
  if (parsed.success) return { ok: true, manifest: parsed.data };
  const problems = parsed.error.issues.map(({ path, message }) => ({ path: path.map(String).join("."), message }));
  return { ok: false, problems };
}

/** Parameters that are wrong themselves are for the manifest's own check. */
function fillFilter(manifest: unknown, values: ParameterValues) {
  const { parameters = {}, filter } = (manifest ?? {}) as { parameters?: unknown; filter?: unknown };
  const declared = parametersSchema.safeParse(parameters);
  if (!declared.success || filter === undefined) return { manifest, problems: [] };
  const { filled, problems } = fillIn(filter, declared.data, values);
  const problemsThere = problems.map(({ path, message }) => ({ path: `filter.${path}`, message }));
  return { manifest: { ...(manifest as object), filter: filled }, problems: problemsThere };
}
