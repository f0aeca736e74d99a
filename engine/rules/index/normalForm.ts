/**
 * A condition as alternatives (disjunctive normal form), each a conjunction sorted by how it can be looked up:
 *
 *     value ≥ 10 and (to = A or not (chainId in [1, 10]))
 *     ──▶  { numbers: value [10, …); keys: to = A }  or  { numbers: value [10, …), chainId [0,1) [2,10) [11, …) }
 */
import type { Condition, Match, Predicate } from "../../condition/condition.ts";
import {
  type BooleanField,
  type BytesField,
  type IntegerField,
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
import type { Test } from "./frames.ts";
import { type MatchKey, matchKeys } from "./match.ts";
import { type NumberField, numberTest } from "./number.ts";
import type { Scope } from "./scope.ts";
import { bytesTest } from "./test.ts";

/** The field has one of these values: what a hash table finds. */
export type Key = MatchKey;

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
  if (field.kind === "integer" || field.kind === "boolean") return numberTest(field, numberSet(field, condition));
  return bytesTest(field, condition);
}

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
  if (field.kind === "integer" || field.kind === "boolean") {
    const set = numberSet(field, predicate);
    return [{ kind: "number", field, set: negated ? complement(set) : set }];
  }
  const { operator, value } = predicate;
  const test = bytesTest(field, predicate);
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
  if (operator === "eq") return [{ kind: "key", key: { field, values: [value as string] } }];
  if (operator === "in") return [{ kind: "key", key: { field, values: value as readonly string[] } }];
  return [{ kind: "test", test }];
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

const numberSet = (field: IntegerField | BooleanField, predicate: Predicate): NumberSet =>
  field.kind === "boolean" ? booleanSet(predicate) : integerSet(field, predicate);

function booleanSet({ operator, value }: Predicate): NumberSet {
  const wanted = (value === true) === (operator === "eq") ? 1n : 0n;
  return { intervals: [[wanted, wanted + 1n]], absent: false };
}

function integerSet(field: IntegerField, { operator, value }: Predicate): NumberSet {
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
      throw new Error(`Cannot ask "${operator}" of ${field.name}: the condition was not parsed`);
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
