/**
 * A condition: what a transaction must be like for a rule to see it. JSON rules are a condition and nothing else; a module's
 * filter is one as well. It is plain JSON, in one canonical form: fields by their first name, numbers as decimal text, hex in
 * lower case.
 */

import type { AbiSource, Argument } from "./abi/argument.ts";

export const OPERATORS = [
  ...(["eq", "ne", "gt", "gte", "lt", "lte", "in", "not_in"] as const),
  ...(["in_list", "not_in_list", "contains", "starts_with", "regex", "exists"] as const),
] as const;
export type Operator = (typeof OPERATORS)[number];

export interface Predicate {
  readonly field: string;
  readonly operator: Operator;
  /** Several for `in` and `not_in`, the name of a list for `in_list` and `not_in_list`, a boolean for `exists` and for fields that are true or false. */
  readonly value: string | boolean | readonly string[];
  /** Where the field is an argument of an event or a call: which, and where it lies. */
  readonly argument?: Argument;
}

export type Condition =
  | Predicate
  /** All of them; true when there are none. */
  | { readonly and: readonly Condition[] }
  /** At least one of them. */
  | { readonly or: readonly Condition[] }
  | { readonly not: Condition }
  | Match;

/** Some log that is this event, or the call data where it is this call, is like that: comparisons of its arguments alone. */
export interface Match {
  readonly match: AbiSource;
  /** Without `not`. */
  readonly where: Condition;
}

/** True of every transaction. */
export const ALWAYS: Condition = { and: [] };

/** Every comparison of a condition. */
export function predicatesOf(condition: Condition): readonly Predicate[] {
  if ("and" in condition) return condition.and.flatMap(predicatesOf);
  if ("or" in condition) return condition.or.flatMap(predicatesOf);
  if ("match" in condition) return predicatesOf(condition.where);
  return "not" in condition ? predicatesOf(condition.not) : [condition];
}

/** How large one condition may be: far above what people write, far below what would slow every batch down. */
export const CONDITION_LIMITS = {
  depth: 16,
  predicates: 256,
  /** values of one `in` or `not_in`; longer ones are lists by name */
  values: 1_024,
  /** characters of a pattern, and bytes of what `contains` and `starts_with` look for */
  pattern: 512,
} as const;
