/**
 * Conditions as people write them, in either form or both mixed, to the canonical one:
 *
 *     {"value_gte": "1000000000000000000", "chain_id": 1}                       each member must hold; `field` alone is `eq`
 *     {"and": [{"field": "value", "operator": "gte", "value": "1…"}, …]}        and, or, not; nested
 */
import { RE2JS } from "re2js";
import { CONDITION_LIMITS, type Condition, OPERATORS, type Operator, type Predicate } from "./condition.ts";
import { didYouMean } from "./didYouMean.ts";
import { type BooleanField, FIELD_NAMES, type RuleField, ruleField, valueForm } from "./fields.ts";
import { LIST_NAME } from "./listKinds.ts";

export interface ConditionProblem {
  /** Dotted path to the place, "" for the whole. */
  readonly path: string;
  readonly message: string;
}

export type ConditionResult =
  | { readonly ok: true; readonly condition: Condition }
  | { readonly ok: false; readonly problems: readonly ConditionProblem[] };

const COMPARING: readonly Operator[] = ["gt", "gte", "lt", "lte"];
/** What may be asked of each kind of field. */
export const OPERATORS_OF: Readonly<Record<RuleField["kind"], readonly Operator[]>> = {
  integer: ["eq", "ne", ...COMPARING, "in", "not_in", "exists"],
  boolean: ["eq", "ne"],
  bytes: ["eq", "ne", "in", "not_in", "in_list", "not_in_list", "contains", "starts_with", "regex", "exists"],
  input: ["eq", "ne", "in", "not_in", "contains", "starts_with", "regex", "exists"],
  log: ["eq", "ne", "in", "not_in", "in_list", "not_in_list", "contains", "starts_with", "regex", "exists"],
};
const OPERATOR_SUFFIX = new RegExp(`_(${OPERATORS.join("|")})$`);
const MAX_PROBLEMS = 20;
const MAX_U256 = 2n ** 256n - 1n;
/** Stands for what could not be read: its problem has been noted. */
const UNREAD: Condition = { and: [] };

/** Reads a condition; every problem is reported with its path. Never throws. */
export function parseCondition(input: unknown): ConditionResult {
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
    if (ruleField(name)) return one(name, "eq", value, path);
    const suffix = OPERATORS.find(
      (operator) => name.endsWith(`_${operator}`) && ruleField(name.slice(0, -operator.length - 1)),
    );
    if (suffix) return one(name.slice(0, -suffix.length - 1), suffix, value, path);
    return problem(path, unknownField(name));
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
    const field = ruleField(name);
    if (!field) return problem(fieldPath, unknownField(name));
    if (++predicates > CONDITION_LIMITS.predicates) {
      if (predicates > CONDITION_LIMITS.predicates + 1) return UNREAD;
      return problem(
        "",
        `More than ${CONDITION_LIMITS.predicates} comparisons: expected at most that; alternatives of one field are "in"`,
      );
    }
    const existence = existenceOf(field, operator, value);
    if (existence) return existence;
    if (!OPERATORS_OF[field.kind].includes(operator))
      return problem(
        path,
        `"${operator}" cannot be asked of ${field.name}: expected one of ${OPERATORS_OF[field.kind].join(", ")}`,
      );
    const canonical = canonicalValue(field, operator, value);
    if (typeof canonical === "object" && "wrong" in canonical) return problem(path, canonical.wrong);
    return { field: field.name, operator, value: canonical };
  }

  const condition = read(input, "", 1);
  return problems.length === 0 ? { ok: true, condition } : { ok: false, problems };
}

/** `eq null` asks whether it is absent. */
function existenceOf(field: RuleField, operator: Operator, value: unknown): Predicate | undefined {
  if (value !== null || field.kind === "boolean" || (operator !== "eq" && operator !== "ne")) return undefined;
  return { field: field.name, operator: "exists", value: operator === "ne" };
}

interface Wrong {
  readonly wrong: string;
}

/** A field whose values are text in the canonical form. */
type ComparedField = Exclude<RuleField, BooleanField>;

const misfit = (field: RuleField, value: unknown): Wrong => ({
  wrong: `Expected ${valueForm(field)}; got ${brief(value)}`,
});

function canonicalValue(field: RuleField, operator: Operator, value: unknown): Predicate["value"] | Wrong {
  if (field.kind === "boolean") return canonicalBoolean(field, value);
  if (operator === "exists")
    return typeof value === "boolean" ? value : { wrong: `Expected true or false, got ${brief(value)}` };
  if (operator === "in" || operator === "not_in") return canonicalList(field, value);
  if (operator === "in_list" || operator === "not_in_list") return canonicalName(value);
  if (operator === "regex") return canonicalPattern(value);
  if (operator === "contains" || operator === "starts_with") return canonicalPart(value);
  return canonicalOne(field, value);
}

function canonicalBoolean(field: BooleanField, value: unknown): boolean | Wrong {
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
  const wrong = misfit(field, value);
  if (field.kind !== "integer") {
    const digits = field.kind === "input" ? "(?:[0-9a-fA-F]{2})*" : `[0-9a-fA-F]{${field.bytes * 2}}`;
    return typeof value === "string" && new RegExp(`^0x${digits}$`).test(value) ? value.toLowerCase() : wrong;
  }
  if (typeof value === "number") {
    if (Number.isInteger(value) && !Number.isSafeInteger(value))
      return { wrong: `${value} is not exact as a JSON number: write it as text` };
    return Number.isSafeInteger(value) && value >= 0 ? String(value) : wrong;
  }
  if (typeof value !== "string" || !/^([0-9]{1,78}|0x[0-9a-fA-F]{1,64})$/.test(value)) return wrong;
  const number = BigInt(value);
  return number <= MAX_U256 ? String(number) : { wrong: `Expected at most 2^256 - 1, got ${brief(value)}` };
}

function canonicalPart(value: unknown): string | Wrong {
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
