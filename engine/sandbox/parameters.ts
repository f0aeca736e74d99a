/**
 * Parameters of a rule: what its manifest declares, and the values that whoever runs it gives them. A value has one canonical form,
 * plain JSON: a whole number is decimal text, hex is in lower case.
 *
 *     "parameters": {"least": {"type": "integer", "default": "1000", "min": "1", "description": "in wei"}}
 *
 * In a filter, and in a JSON rule's conditions, `{"param": "least"}` stands for the value.
 */
import { z } from "zod";
import { didYouMean } from "../condition/didYouMean.ts";
import { isUnkeepable } from "../ops/plainJson.ts";

export const PARAMETER_TYPES = [
  ...(["integer", "number", "boolean"] as const),
  ...(["address", "bytes32", "selector", "bytes", "text"] as const),
] as const;
export type ParameterType = (typeof PARAMETER_TYPES)[number];
export type ParameterValue = string | number | boolean;
/** By name. What is not there has its default. */
export type ParameterValues = Readonly<Record<string, ParameterValue>>;

export const PARAMETER_LIMITS = { parameters: 64, choices: 64, text: 1_024, bytes: 512 } as const;

const NAME = /^(?!__proto__$)[a-zA-Z_][a-zA-Z0-9_]{0,63}$/;
const MAX_U256 = 2n ** 256n - 1n;
const HEX_BYTES: Partial<Record<ParameterType, number>> = { address: 20, bytes32: 32, selector: 4 };

const anyValue = z.union([z.string(), z.number(), z.boolean()]);
const parameterSchema = z
  .strictObject({
    type: z
      .enum(PARAMETER_TYPES)
      .optional()
      .describe("missing in modules that were built before values could be changed: theirs cannot be"),
    default: anyValue,
    min: anyValue.optional().describe("of an integer or a number: the least that it may be"),
    max: anyValue.optional(),
    choices: z.array(anyValue).min(1).max(PARAMETER_LIMITS.choices).optional().describe("it may be one of these only"),
    description: z.string().max(512).optional(),
  })
  .transform(({ type, ...declared }, context) => {
    const plain = { ...(type && { type }), ...declared };
    if (type === undefined) {
      if (typeof declared.default === "string" && declared.default.length > PARAMETER_LIMITS.text)
        context.addIssue({ code: "custom", path: ["default"], message: `Expected at most ${PARAMETER_LIMITS.text} characters` }); // biome-ignore format: one issue
      return plain;
    }
    const read = (path: (string | number)[], value: ParameterValue, by: ParameterDeclaration): ParameterValue => {
      const canonical = canonicalValue(by, value);
      if (!isWrong(canonical)) return canonical;
      context.addIssue({ code: "custom", path, message: canonical.wrong });
      return z.NEVER;
    };
    const { min, max, choices } = declared;
    const ranged = type === "integer" || type === "number";
    for (const [name, bound] of Object.entries({ min, max }))
      if (bound !== undefined && !ranged)
        context.addIssue({ code: "custom", path: [name], message: "Expected of an integer or a number only" });
    const bounds = {
      ...(ranged && min !== undefined && { min: read(["min"], min, { type, default: min }) }),
      ...(ranged && max !== undefined && { max: read(["max"], max, { type, default: max }) }),
      ...(choices && { choices: choices.map((each, i) => read(["choices", i], each, { type, default: each })) }),
    };
    if (context.issues.length > 0) return z.NEVER;
    const read1 = read(["default"], declared.default, { ...plain, ...bounds });
    return { ...plain, ...bounds, default: read1 };
  });

export interface ParameterDeclaration {
  readonly type?: ParameterType | undefined;
  readonly default: ParameterValue;
  readonly min?: ParameterValue | undefined;
  readonly max?: ParameterValue | undefined;
  readonly choices?: readonly ParameterValue[] | undefined;
  readonly description?: string | undefined;
}
export type Parameters = Readonly<Record<string, ParameterDeclaration>>;

export const parametersSchema = z
  .record(z.string().regex(NAME), parameterSchema)
  .refine(
    (parameters) => Object.keys(parameters).length <= PARAMETER_LIMITS.parameters,
    `Expected at most ${PARAMETER_LIMITS.parameters} parameters`,
  );

/** What is wrong with a parameter, or with a place that names one: a dotted path, "" for the whole. */
export interface ParameterProblem {
  readonly path: string;
  readonly message: string;
}

export type ParameterCheck =
  | { readonly ok: true; readonly values: ParameterValues }
  | { readonly ok: false; readonly problems: readonly ParameterProblem[] };

/**
 * Values as somebody gave them, in their canonical form; those that are the default are left out. Numbers and truth may be text,
 * and null is the default. Never throws.
 */
export function checkValues(declared: Parameters, given: unknown): ParameterCheck {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return { ok: false, problems: [{ path: "", message: `Expected values by name, got ${brief(given)}` }] };
  const problems: ParameterProblem[] = [];
  const values: Record<string, ParameterValue> = {};
  for (const [name, value] of Object.entries(given)) {
    const declaration = Object.hasOwn(declared, name) ? declared[name]! : undefined;
    if (declaration && value === null) continue;
    const canonical = declaration ? canonicalValue(declaration, value) : { wrong: unknownParameter(name, declared) };
    if (isWrong(canonical)) problems.push({ path: name.slice(0, 64), message: canonical.wrong });
    else if (canonical !== declaration!.default) values[name] = canonical;
  }
  return problems.length === 0 ? { ok: true, values } : { ok: false, problems: problems.slice(0, 20) };
}

/** The value that each parameter has. */
export const allValues = (declared: Parameters, values: ParameterValues): ParameterValues => ({
  ...Object.fromEntries(Object.entries(declared).map(([name, declaration]) => [name, declaration.default])),
  ...values,
});

/** The same for the same values, whatever their order: the store has its own. */
export const textOfValues = (values: ParameterValues): string =>
  JSON.stringify(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Values are replaced this deep, which is deeper than any condition may be. */
const DEPTH = 64;

/** JSON in which each `{"param": "least"}` is replaced by the value; names that were used, and places that name what is not there. */
export function fillIn(json: unknown, declared: Parameters, values: ParameterValues) {
  const problems: ParameterProblem[] = [];
  const used = new Set<string>();
  const all = allValues(declared, values);
  const fill = (value: unknown, path: readonly string[]): unknown => {
    if (typeof value !== "object" || value === null || path.length > DEPTH) return value;
    if (Array.isArray(value)) return value.map((each, i) => fill(each, [...path, String(i)]));
    const members = Object.entries(value);
    const [[key, name] = []] = members;
    if (members.length !== 1 || key !== "param")
      return Object.fromEntries(members.map(([member, each]) => [member, fill(each, [...path, member])]));
    if (typeof name === "string" && Object.hasOwn(all, name)) {
      used.add(name);
      return all[name];
    }
    problems.push({ path: path.join("."), message: unknownParameter(String(name), declared) });
    return null;
  };
  return { filled: fill(json, []), used, problems };
}

function unknownParameter(name: string, declared: Parameters): string {
  const known = Object.keys(declared);
  const expected = known.length === 0 ? "the rule has none" : `expected one of ${known.join(", ")}`;
  return `Unknown parameter "${name.slice(0, 64)}": ${expected}.${didYouMean(name, known)}`;
}

interface Wrong {
  readonly wrong: string;
}
const isWrong = (value: ParameterValue | Wrong): value is Wrong => typeof value === "object";

function canonicalValue(declaration: ParameterDeclaration, value: unknown): ParameterValue | Wrong {
  const { type, min, max, choices } = declaration;
  if (type === undefined)
    return { wrong: "It cannot be changed: the module was built before values could be. Build it anew and push it" };
  const plain = plainValue(type, value);
  const wrong = { wrong: `Expected ${valueForm(declaration)}, got ${brief(value)}` };
  if (plain === undefined) return wrong;
  if (type === "integer") {
    if (min !== undefined && BigInt(plain) < BigInt(min)) return wrong;
    if (max !== undefined && BigInt(plain) > BigInt(max)) return wrong;
  }
  if (type === "number" && ((min !== undefined && plain < min) || (max !== undefined && plain > max))) return wrong;
  return choices && !choices.includes(plain) ? wrong : plain;
}

/** The canonical form; undefined when it is not of this type. */
function plainValue(type: ParameterType, value: unknown): ParameterValue | undefined {
  switch (type) {
    case "integer": {
      if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0 ? String(value) : undefined;
      const number = typeof value === "string" ? wholeNumber(value) : undefined;
      return number !== undefined && number <= MAX_U256 ? String(number) : undefined;
    }
    case "number": {
      const isText = typeof value === "string" && /^-?\d{1,400}(\.\d{1,400})?([eE][+-]?\d{1,3})?$/.test(value);
      const number = isText ? Number(value) : value;
      return typeof number === "number" && Number.isFinite(number) ? number + 0 : undefined; // no −0
    }
    case "boolean":
      if (value === true || value === "true") return true;
      return value === false || value === "false" ? false : undefined;
    case "text":
      if (typeof value !== "string" || value.length > PARAMETER_LIMITS.text) return undefined;
      return isUnkeepable(value) ? undefined : value;
    default: {
      const bytes = HEX_BYTES[type];
      const isHex = typeof value === "string" && /^0x([0-9a-fA-F]{2})*$/.test(value);
      if (!isHex || (bytes ?? PARAMETER_LIMITS.bytes) * 2 + 2 < value.length) return undefined;
      return bytes !== undefined && value.length !== 2 + 2 * bytes ? undefined : value.toLowerCase();
    }
  }
}

/** Decimals of what people count wei in. */
const DECIMALS: Readonly<Record<string, number>> = { wei: 0, gwei: 9, ether: 18 };

/** `12`, `0xc`, `1.5 ether`; undefined for anything else, and for a part of a wei. */
function wholeNumber(text: string): bigint | undefined {
  if (/^([0-9]{1,78}|0x[0-9a-fA-F]{1,64})$/.test(text)) return BigInt(text);
  const [, whole, fraction = "", unit] = /^([0-9]{1,60})(?:\.([0-9]{1,18}))? ?(wei|gwei|ether)$/.exec(text) ?? [];
  const zeros = unit === undefined ? -1 : DECIMALS[unit]! - fraction.length;
  return zeros < 0 ? undefined : BigInt(whole + fraction + "0".repeat(zeros));
}

/** To complete "Expected …". */
export function valueForm({ type, min, max, choices }: ParameterDeclaration): string {
  if (choices) return `one of ${choices.join(", ")}`;
  const range =
    min !== undefined && max !== undefined
      ? `from ${min} to ${max}`
      : [min === undefined ? "" : `of at least ${min}`, max === undefined ? "" : `of at most ${max}`].join("");
  switch (type) {
    case "integer":
      return `a whole number ${range || "of at most 2^256 - 1"}`;
    case "number":
      return `a number ${range}`.trimEnd();
    case "boolean":
      return "true or false";
    case "text":
      return `a text of at most ${PARAMETER_LIMITS.text} characters`;
    case "bytes":
      return `0x and two hexadecimal digits for each of at most ${PARAMETER_LIMITS.bytes} bytes`;
    default:
      return `0x and ${2 * (HEX_BYTES[type!] ?? 0)} hexadecimal digits`;
  }
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
