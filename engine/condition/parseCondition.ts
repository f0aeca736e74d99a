/**
 * Conditions as people write them, in either form or both mixed, to the canonical one:
 *
 *     {"value_gte": "1000000000000000000", "chain_id": 1}                       each member must hold; `field` alone is `eq`
 *     {"and": [{"field": "value", "operator": "gte", "value": "1…"}, …]}        and, or, not; nested
 *
 * With an ABI a field may be an argument: {"event.Transfer.value_gte": "1…"}.
 */
import { RE2JS } from "re2js";
import { type Argument, type ArgumentType, findArgument, isArgumentName } from "./abi/argument.ts";
import type { AbiItem } from "./abi/items.ts";
import { CONDITION_LIMITS, type Condition, OPERATORS, type Operator, type Predicate } from "./condition.ts";
import { didYouMean } from "./didYouMean.ts";
import { FIELD_NAMES, type RuleField, ruleField } from "./fields.ts";
import { groupMatches } from "./groupMatches.ts";
import { LIST_NAME } from "./listKinds.ts";

export interface ConditionProblem {
  /** Dotted path to the place, "" for the whole. */
  readonly path: string;
  readonly message: string;
}

export type ConditionResult =
  | {
      readonly ok: true;
      readonly condition: Condition;
      /** The events and functions that it names, in the ABI's order. */
      readonly named: readonly AbiItem[];
    }
  | { readonly ok: false; readonly problems: readonly ConditionProblem[] };

const COMPARING: readonly Operator[] = ["gt", "gte", "lt", "lte"];
/** What may be asked of each kind of field. */
export const OPERATORS_OF: Readonly<Record<ComparedAs, readonly Operator[]>> = {
  integer: ["eq", "ne", ...COMPARING, "in", "not_in", "exists"],
  boolean: ["eq", "ne"],
  bytes: ["eq", "ne", "in", "not_in", "in_list", "not_in_list", "contains", "starts_with", "regex", "exists"],
  input: ["eq", "ne", "in", "not_in", "contains", "starts_with", "regex", "exists"],
  log: ["eq", "ne", "in", "not_in", "in_list", "not_in_list", "contains", "starts_with", "regex", "exists"],
  data: ["eq", "ne", "in", "not_in", "contains", "starts_with", "regex", "exists"],
  text: ["eq", "ne", "in", "not_in", "contains", "starts_with", "regex", "exists"],
  name: ["eq", "ne", "in", "not_in", "exists"],
  presence: ["exists"],
};
/** What a field's values are compared as: of facts, what they are bytes, numbers or names for. */
type ComparedAs = "integer" | "boolean" | "bytes" | "input" | "log" | "name" | ArgumentType["of"];
const COMPARED_AS: Readonly<Record<RuleField["kind"], ComparedAs>> = {
  ...({ integer: "integer", boolean: "boolean", bytes: "bytes", input: "input", log: "log" } as const),
  ...({ elapsed: "integer", fact: "log", factName: "name", factNumber: "integer" } as const),
  ...({ factCount: "integer", factFlag: "boolean" } as const),
};

/** What may be asked of a field. */
export const operatorsOf = ({ kind }: RuleField): readonly Operator[] => OPERATORS_OF[COMPARED_AS[kind]];

const OPERATOR_SUFFIX = new RegExp(`_(${OPERATORS.join("|")})$`);
const MAX_PROBLEMS = 20;
const MAX_U256 = 2n ** 256n - 1n;
/** Stands for what could not be read: its problem has been noted. */
const UNREAD: Condition = { and: [] };

/**
 * Reads a condition; every problem is reported with its path. Never throws.
 * @param abi events and functions whose arguments it may name; undefined: there are none
 */
export function parseCondition(input: unknown, abi?: readonly AbiItem[]): ConditionResult {
  const named = new Set<AbiItem>();
  const findField = (name: string): ComparedField | { readonly wrong: string } => {
    const field = ruleField(name);
    if (field) return ruleFieldAs(field);
    if (!isArgumentName(name)) return { wrong: unknownField(name) };
    if (!abi)
      return { wrong: `"${name.slice(0, 64)}" is of an event or a call: expected a rule with "abi" that declares it` };
    const found = findArgument(name, abi);
    if ("wrong" in found) return found;
    named.add(found.item);
    return argumentAs(found.argument);
  };
  const isField = (name: string): boolean => !("wrong" in findField(name));
  const problems: ConditionProblem[] = [];
  let predicates = 0;
  const problem = (path: string, message: string): Condition => {
    if (problems.length < MAX_PROBLEMS) problems.push({ path, message });
    return UNREAD;
  };

  function read(value: unknown, path: string, depth: number): Condition {
    if (depth > CONDITION_LIMITS.depth)
      return problem(path, `Nested deeper than ${CONDITION_LIMITS.depth} levels: expected at most that`);
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return problem(path, `Expected an object with a field's condition or "and", "or", "not"; got ${brief(value)}`);
    const members = Object.entries(value);
    if (members.length === 0)
      return problem(path, `Expected a condition, got {}: write {"and": []} for every transaction`);
    if ("field" in value || "operator" in value) return predicateOf(value as Record<string, unknown>, path);
    const parts = members.map(([name, member]) => memberOf(name, member, join(path, name), depth));
    return parts.length === 1 ? parts[0]! : { and: parts };
  }

  function memberOf(name: string, value: unknown, path: string, depth: number): Condition {
    if (name === "not") return { not: read(value, path, depth + 1) };
    if (name === "and" || name === "or") {
      if (!Array.isArray(value)) return problem(path, `Expected a list of conditions, got ${brief(value)}`);
      if (value.length > CONDITION_LIMITS.predicates)
        return problem(path, `${value.length} conditions: expected at most ${CONDITION_LIMITS.predicates}`);
      if (name === "or" && value.length === 0) return problem(path, "Expected at least one alternative, got []");
      const parts = value.map((each, i) => read(each, `${path}.${i}`, depth + 1));
      return name === "and" ? { and: parts } : { or: parts };
    }
    if (isField(name)) return one(name, "eq", value, path);
    const suffix = OPERATORS.find(
      (operator) => name.endsWith(`_${operator}`) && isField(name.slice(0, -operator.length - 1)),
    );
    if (suffix) return one(name.slice(0, -suffix.length - 1), suffix, value, path);
    const found = findField(isArgumentName(name) ? name.replace(OPERATOR_SUFFIX, "") : name);
    return problem(path, "wrong" in found ? found.wrong : unknownField(name));
  }

  function predicateOf(value: Record<string, unknown>, path: string): Condition {
    const { field, operator = "eq", value: wanted, ...rest } = value;
    const [other] = Object.keys(rest);
    if (other !== undefined)
      return problem(join(path, other), `Unknown member "${other.slice(0, 64)}": expected field, operator, value`);
    if (typeof field !== "string")
      return problem(join(path, "field"), `Expected the name of a field, got ${brief(field)}`);
    if (!OPERATORS.includes(operator as Operator)) {
      const near = typeof operator === "string" ? didYouMean(operator, OPERATORS) : "";
      return problem(
        join(path, "operator"),
        `Unknown operator ${brief(operator)}: expected one of ${OPERATORS.join(", ")}.${near}`,
      );
    }
    if (!("value" in value)) return problem(path, "The value is missing");
    return one(field, operator as Operator, wanted, join(path, "value"), join(path, "field"));
  }

  function one(name: string, operator: Operator, value: unknown, path: string, fieldPath = path): Condition {
    const field = findField(name);
    if ("wrong" in field) return problem(fieldPath, field.wrong);
    if (++predicates > CONDITION_LIMITS.predicates) {
      if (predicates > CONDITION_LIMITS.predicates + 1) return UNREAD;
      return problem(
        "",
        `More than ${CONDITION_LIMITS.predicates} comparisons: expected at most that; alternatives of one field are "in"`,
      );
    }
    const { name: first, argument } = field;
    const predicate = { field: first, ...(argument && { argument }) };
    if (value === null && field.of !== "boolean" && (operator === "eq" || operator === "ne"))
      return { ...predicate, operator: "exists", value: operator === "ne" };
    if (!OPERATORS_OF[field.of].includes(operator))
      return problem(
        path,
        `"${operator}" cannot be asked of ${first}: expected one of ${OPERATORS_OF[field.of].join(", ")}`,
      );
    const canonical = canonicalValue(field, operator, value);
    if (typeof canonical === "object" && "wrong" in canonical) return problem(path, canonical.wrong);
    return { ...predicate, operator, value: canonical };
  }

  const plain = read(input, "", 1);
  const condition = groupMatches(plain, (message) => problem("", message));
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, condition, named: (abi ?? []).filter((item) => named.has(item)) };
}

interface Wrong {
  readonly wrong: string;
}

/** What parsing needs to know of a field. */
interface ComparedField {
  readonly name: string;
  readonly argument?: Argument;
  readonly of: ComparedAs;
  /** Of what has a fixed number of bytes. */
  readonly bytes?: number;
  /** Of a name that can be nothing else. */
  readonly choices?: readonly string[];
  /** Of an integer: the least, and the greatest that it can be. */
  readonly range?: readonly [bigint, bigint];
}

function ruleFieldAs(field: RuleField): ComparedField {
  const of = COMPARED_AS[field.kind];
  return {
    ...{ name: field.name, of },
    ...("bytes" in field && { bytes: field.bytes }),
    ...("choices" in field && { choices: field.choices }),
    ...(of === "integer" && { range: [0n, MAX_U256] }),
  };
}

function argumentAs(argument: Argument): ComparedField {
  const { name, type } = argument;
  const field = { name, argument, of: type.of };
  if (type.of === "bytes") return { ...field, bytes: type.bytes };
  if (type.of !== "integer") return field;
  const half = 1n << BigInt(type.bits - 1);
  return { ...field, range: type.signed ? [-half, half - 1n] : [0n, 2n * half - 1n] };
}

/** What a value of the field looks like, to complete "expected …". */
function valueForm({ of, bytes, range, choices }: ComparedField): string {
  if (of === "integer") return `a whole number: 12, "12" or "0xc"${range![0] < 0n ? ', or "-12"' : ""}`;
  if (of === "boolean") return "true or false";
  if (of === "text") return "text";
  if (of === "name") return choices ? `one of ${choices.join(", ")}` : `a name of 1 to ${bytes} bytes`;
  return bytes === undefined ? "0x and an even number of hexadecimal digits" : `0x and ${bytes * 2} hexadecimal digits`;
}

const misfit = (field: ComparedField, value: unknown): Wrong => ({
  wrong: `Expected ${valueForm(field)}; got ${brief(value)}`,
});

function canonicalValue(field: ComparedField, operator: Operator, value: unknown): Predicate["value"] | Wrong {
  if (field.of === "boolean") return canonicalBoolean(field, value);
  if (operator === "exists")
    return typeof value === "boolean" ? value : { wrong: `Expected true or false, got ${brief(value)}` };
  if (operator === "in" || operator === "not_in") return canonicalList(field, value);
  if (operator === "in_list" || operator === "not_in_list") return canonicalName(value);
  if (operator === "regex") return canonicalPattern(value);
  if (operator === "contains" || operator === "starts_with") return canonicalPart(field, value);
  return canonicalOne(field, value);
}

function canonicalBoolean(field: ComparedField, value: unknown): boolean | Wrong {
  if (value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  return misfit(field, value);
}

function canonicalList(field: ComparedField, value: unknown): readonly string[] | Wrong {
  if (!Array.isArray(value) || value.length === 0) return { wrong: `Expected a list of values, got ${brief(value)}` };
  if (value.length > CONDITION_LIMITS.values)
    return { wrong: `${value.length} values: expected at most ${CONDITION_LIMITS.values}` };
  const values: string[] = [];
  for (const each of value) {
    const canonical = canonicalOne(field, each);
    if (typeof canonical !== "string") return canonical;
    values.push(canonical);
  }
  return [...new Set(values)].sort();
}

/** Whether there is such a list is for the catalogue to say: what there is changes. */
function canonicalName(value: unknown): string | Wrong {
  return typeof value === "string" && LIST_NAME.pattern.test(value)
    ? value
    : { wrong: `${LIST_NAME.expected}; got ${brief(value)}` };
}

function canonicalOne(field: ComparedField, value: unknown): string | Wrong {
  if (field.of === "integer") return canonicalInteger(field, value);
  if (field.of === "text") return canonicalText(value);
  if (field.of === "name") return isName(field, value) ? value : misfit(field, value);
  const digits = field.bytes === undefined ? "(?:[0-9a-fA-F]{2})*" : `[0-9a-fA-F]{${field.bytes * 2}}`;
  return typeof value === "string" && new RegExp(`^0x${digits}$`).test(value)
    ? value.toLowerCase()
    : misfit(field, value);
}

function canonicalInteger(field: ComparedField, value: unknown): string | Wrong {
  const [least, greatest] = field.range!;
  if (typeof value === "number") {
    if (Number.isInteger(value) && !Number.isSafeInteger(value))
      return { wrong: `${value} is not exact as a JSON number: write it as text` };
    if (!Number.isSafeInteger(value)) return misfit(field, value);
  } else if (typeof value !== "string" || !/^(-?[0-9]{1,78}|0x[0-9a-fA-F]{1,64})$/.test(value))
    return misfit(field, value);
  const number = BigInt(value as string | number);
  if (number < least)
    return least < 0n ? { wrong: `Expected at least -2^${power(-least)}, got ${brief(value)}` } : misfit(field, value);
  return number <= greatest
    ? String(number)
    : { wrong: `Expected at most 2^${power(greatest + 1n)} - 1, got ${brief(value)}` };
}

function isName({ bytes, choices }: ComparedField, value: unknown): value is string {
  if (typeof value !== "string") return false;
  return choices
    ? choices.includes(value)
    : value.length > 0 && Buffer.byteLength(value) <= bytes! && !value.includes("\0");
}

const power = (value: bigint): number => value.toString(2).length - 1;

function canonicalText(value: unknown): string | Wrong {
  const most = CONDITION_LIMITS.pattern;
  return typeof value === "string" && Buffer.byteLength(value) <= most
    ? value
    : { wrong: `Expected text of at most ${most} bytes, got ${brief(value)}` };
}

function canonicalPart(field: ComparedField, value: unknown): string | Wrong {
  if (field.of === "text")
    return value === "" ? { wrong: 'Expected at least one character of text, got ""' } : canonicalText(value);
  const most = CONDITION_LIMITS.pattern;
  if (typeof value !== "string" || !/^0x([0-9a-fA-F]{2})+$/.test(value))
    return { wrong: `Expected 0x and an even number of hexadecimal digits, at least 2; got ${brief(value)}` };
  if (value.length > 2 + 2 * most) return { wrong: `${(value.length - 2) / 2} bytes: expected at most ${most}` };
  return value.toLowerCase();
}

function canonicalPattern(value: unknown): string | Wrong {
  const most = CONDITION_LIMITS.pattern;
  if (typeof value !== "string" || value.length === 0 || value.length > most)
    return { wrong: `Expected a regular expression of 1 to ${most} characters, got ${brief(value)}` };
  try {
    RE2JS.compile(value);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      wrong: `Cannot read the pattern ${brief(value)}: ${why}. Expected RE2 syntax: no lookaround, no back references`,
    };
  }
  return value;
}

const unknownField = (name: string): string =>
  `Unknown field "${name.slice(0, 64)}".${didYouMean(name.replace(OPERATOR_SUFFIX, ""), FIELD_NAMES)} GET /api/v1/rule-fields lists them all`;

const join = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
