/**
 * A condition as alternatives (disjunctive normal form), each a conjunction sorted by how it can be looked up:
 *
 *     value ≥ 10 and (to = A or not (chainId in [1, 10]))
 *     ──▶  { numbers: value [10, …); keys: to = A }  or  { numbers: value [10, …), chainId [0,1) [2,10) [11, …) }
 */
import type { Condition, Match, Predicate } from "../../condition/condition.ts";
import {
  type BytesField,
  encodeName,
  type FactField,
  type FactNameField,
  type FactNumberField,
  type RuleField,
  ruleField,
} from "../../condition/fields.ts";
import {
  atLeast,
  below,
  complement,
  intersection,
  isNothing,
  type NumberSet,
  union,
} from "../../condition/intervals.ts";
import { anyNumberTest, computedField, extremeField } from "./computedField.ts";
import type { Test } from "./frames.ts";
import { type MatchKey, matchKeys } from "./match.ts";
import { type NumberField, numberTest } from "./number.ts";
import type { Scope } from "./scope.ts";
import { bytesTest } from "./test.ts";

/** The field has one of these values, in hex: what a hash table finds. */
export type Key = Omit<MatchKey, "field"> & { readonly field: MatchKey["field"] | FactField | FactNameField };

/** All of it must hold. */
export interface Term {
  /** At most one set a field. */
  readonly numbers: ReadonlyMap<NumberField, NumberSet>;
  readonly keys: readonly Key[];
  readonly tests: readonly Test[];
}

type Literal =
  | { readonly kind: "number"; readonly field: NumberField; readonly set: NumberSet }
  | { readonly kind: "key"; readonly key: Key }
  | { readonly kind: "test"; readonly test: Test };

/** More alternatives than these are not multiplied out, but asked one by one of what passes the rest. */
const MAX_TERMS = 64;

/** The alternatives; none when the condition can never hold. */
export function termsOf(condition: Condition, scope: Scope): Term[] {
  return alternatives(condition, false, scope).flatMap((literals) => termOf(literals) ?? []);
}

/** As a test of one transaction. */
export function conditionTest(condition: Condition, scope: Scope): Test {
  if ("and" in condition) {
    const tests = condition.and.map((each) => conditionTest(each, scope));
    return (frames, frame) => tests.every((test) => test(frames, frame));
  }
  if ("or" in condition) {
    const tests = condition.or.map((each) => conditionTest(each, scope));
    return (frames, frame) => tests.some((test) => test(frames, frame));
  }
  if ("not" in condition) {
    const test = conditionTest(condition.not, scope);
    return (frames, frame) => !test(frames, frame);
  }
  if ("match" in condition) return scope.matches.of(condition);
  const field = fieldOf(condition);
  if (namesList(condition)) return numberTest(scope.lists.of(condition.value as string, field), listSet(condition));
  const number = numberOf(field, condition);
  if (number) return numberTest(number.field, number.set);
  if (field.kind === "factNumber") return someNumberTest(field, condition);
  return bytesTest(field as ByteField, encoded(field, condition));
}

/** What has values that are bytes; of names those that they are encoded as. */
type ByteField = Parameters<typeof bytesTest>[0];

export const keyTest = ({ field, values }: Key): Test =>
  bytesTest(field, { field: field.name, operator: "in", value: values });

function alternatives(condition: Condition, negated: boolean, scope: Scope): Literal[][] {
  if ("not" in condition) return alternatives(condition.not, !negated, scope);
  if ("match" in condition) return [matchLiterals(condition, negated, scope)];
  if (!("and" in condition) && !("or" in condition)) return [literalsOf(condition, negated, scope)];
  const [parts, conjunction] = "and" in condition ? [condition.and, !negated] : [condition.or, negated];
  const each = parts.map((part) => alternatives(part, negated, scope));
  if (!conjunction) {
    const all = each.flat();
    return all.length <= MAX_TERMS ? all : [[whole(condition, negated, scope)]];
  }
  let product: Literal[][] = [[]];
  for (const [i, choices] of each.entries()) {
    if (product.length * choices.length <= MAX_TERMS)
      product = product.flatMap((before) => choices.map((choice) => [...before, ...choice]));
    else product = product.map((before) => [...before, whole(parts[i]!, negated, scope)]);
  }
  return product;
}

function whole(condition: Condition, negated: boolean, scope: Scope): Literal {
  return { kind: "test", test: conditionTest(negated ? { not: condition } : condition, scope) };
}

function matchLiterals(match: Match, negated: boolean, scope: Scope): Literal[] {
  if (negated) return [whole(match, negated, scope)];
  const literals = matchKeys(match).map((key): Literal => ({ kind: "key", key }));
  const bound = scope.arguments.bound(match);
  if (bound) literals.push({ kind: "number", ...bound });
  return [...literals, whole(match, negated, scope)];
}

/** One comparison as what can be looked up of it, and what must be asked. */
function literalsOf(predicate: Predicate, negated: boolean, scope: Scope): Literal[] {
  const field = fieldOf(predicate);
  if (namesList(predicate)) {
    const set = listSet(predicate);
    const member = scope.lists.of(predicate.value as string, field);
    return [{ kind: "number", field: member, set: negated ? complement(set) : set }];
  }
  const number = numberOf(field, predicate);
  if (number) return [{ kind: "number", field: number.field, set: negated ? complement(number.set) : number.set }];
  if (field.kind === "factNumber") return someNumber(field, predicate, negated);
  const { operator, value } = encoded(field, predicate);
  const test = bytesTest(field as ByteField, { ...predicate, value });
  if (negated) return [{ kind: "test", test: (frames, frame) => !test(frames, frame) }];
  if (field.kind === "input") {
    if ((operator !== "eq" && operator !== "starts_with") || (value as string).length < SELECTOR_TEXT)
      return [{ kind: "test", test }];
    const values = [(value as string).slice(0, SELECTOR_TEXT)];
    const key: Literal = { kind: "key", key: { field: SELECTOR, values } };
    return operator === "starts_with" && (value as string).length === SELECTOR_TEXT
      ? [key]
      : [key, { kind: "test", test }];
  }
  const of = field as Key["field"];
  if (operator === "eq") return [{ kind: "key", key: { field: of, values: [value as string] } }];
  if (operator === "in") return [{ kind: "key", key: { field: of, values: value as readonly string[] } }];
  return [{ kind: "test", test }];
}

/** Its values as they stand in memory. */
function encoded(field: RuleField, predicate: Predicate): Predicate {
  const { value } = predicate;
  if (field.kind !== "factName" || typeof value === "boolean") return predicate;
  const each = (name: string): string => encodeName(field, name);
  return { ...predicate, value: typeof value === "string" ? each(value) : value.map(each) };
}

/** A comparison that says nothing but that some column's value is in a set; undefined where it is not one. */
function numberOf(field: RuleField, predicate: Predicate): { field: NumberField; set: NumberSet } | undefined {
  switch (field.kind) {
    case "integer":
      return { field, set: integerSet(predicate) };
    case "boolean":
      return { field, set: booleanSet(predicate) };
    case "elapsed":
    case "factCount":
      return { field: computedField(field), set: integerSet(predicate) };
    case "factFlag":
      return { field: computedField(field), set: booleanSet(predicate) };
    case "factNumber": {
      const { operator } = predicate;
      if (operator === "gt" || operator === "gte" || operator === "exists")
        return { field: extremeField(field, "largest"), set: integerSet(predicate) };
      if (operator === "lt" || operator === "lte")
        return { field: extremeField(field, "smallest"), set: integerSet(predicate) };
      return undefined;
    }
    default:
      return undefined;
  }
}

const isOpposite = ({ operator }: Predicate): boolean => operator === "ne" || operator === "not_in";

/** That some entry's number is one of a few values, or that none's is. */
function someNumberTest(field: FactNumberField, predicate: Predicate): Test {
  const set = integerSet(predicate);
  const any = anyNumberTest(field, isOpposite(predicate) ? complement(set) : set);
  return isOpposite(predicate) ? (frames, frame) => !any(frames, frame) : any;
}

/** The same, with the least of the values as what it is found by. */
function someNumber(field: FactNumberField, predicate: Predicate, negated: boolean): Literal[] {
  const test = someNumberTest(field, predicate);
  if (negated) return [{ kind: "test", test: (frames, frame) => !test(frames, frame) }];
  if (isOpposite(predicate)) return [{ kind: "test", test }];
  const [least] = integerSet(predicate).intervals;
  return [
    { kind: "number", field: extremeField(field, "largest"), set: atLeast(least![0]) },
    { kind: "test", test },
  ];
}

/** Call data that begins with so much has a selector. */
const SELECTOR_TEXT = "0x12345678".length;
const SELECTOR = ruleField("selector") as BytesField;

function fieldOf({ field: name }: Predicate): RuleField {
  const field = ruleField(name);
  if (!field) throw new Error(`Cannot index the field "${name}": the condition was not parsed`);
  return field;
}

const namesList = ({ operator }: Predicate): boolean => operator === "in_list" || operator === "not_in_list";

/** Of what is 1 where the value is in the list, and 0 where it is not, or absent. */
const listSet = ({ operator }: Predicate): NumberSet => {
  const wanted = operator === "in_list" ? 1n : 0n;
  return { intervals: [[wanted, wanted + 1n]], absent: false };
};

function booleanSet({ operator, value }: Predicate): NumberSet {
  const wanted = (value === true) === (operator === "eq") ? 1n : 0n;
  return { intervals: [[wanted, wanted + 1n]], absent: false };
}

function integerSet({ field, operator, value }: Predicate): NumberSet {
  const exactly = (text: string): NumberSet => ({ intervals: [[BigInt(text), BigInt(text) + 1n]], absent: false });
  switch (operator) {
    case "exists":
      return value === true ? atLeast(0n) : complement(atLeast(0n));
    case "gte":
      return atLeast(BigInt(value as string));
    case "gt":
      return atLeast(BigInt(value as string) + 1n);
    case "lt":
      return below(BigInt(value as string));
    case "lte":
      return below(BigInt(value as string) + 1n);
    case "eq":
      return exactly(value as string);
    case "ne":
      return complement(exactly(value as string));
    case "in":
      return union((value as readonly string[]).map(exactly));
    case "not_in":
      return complement(union((value as readonly string[]).map(exactly)));
    default:
      throw new Error(`Cannot ask "${operator}" of ${field}: the condition was not parsed`);
  }
}

/** undefined: it can never hold. */
function termOf(literals: readonly Literal[]): Term | undefined {
  const numbers = new Map<NumberField, NumberSet>();
  const keys: Key[] = [];
  const tests: Test[] = [];
  for (const literal of literals) {
    if (literal.kind === "number") {
      const before = numbers.get(literal.field);
      const set = before ? intersection(before, literal.set) : literal.set;
      if (isNothing(set) || (set.intervals.length === 0 && isAlwaysThere(literal.field))) return undefined;
      numbers.set(literal.field, set);
    } else if (literal.kind === "key") keys.push(literal.key);
    else tests.push(literal.test);
  }
  return { numbers, keys, tests };
}

const isAlwaysThere = (field: NumberField): boolean => field.present === 0;
