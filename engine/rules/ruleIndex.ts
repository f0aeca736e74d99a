/**
 * Which transactions each rule is shown: the conditions of all rules as one index, evaluated over a batch. What a transaction
 * costs depends on how many rules match it, hardly on how many there are.
 */
import type { Condition } from "../condition/condition.ts";
import { type Lists, NO_LISTS } from "../world/world.ts";
import { MIN_THRESHOLDS } from "./index/argumentField.ts";
import { createColumns } from "./index/columns.ts";
import { Found } from "./index/found.ts";
import type { Frames } from "./index/frames.ts";
import { CHUNK, createKeyIndex, type RuleTerm } from "./index/keyIndex.ts";
import { termsOf } from "./index/normalForm.ts";
import type { NumberField } from "./index/number.ts";
import { createRangeIndex } from "./index/rangeIndex.ts";
import { createScope } from "./index/scope.ts";
import { createTouch } from "./index/touch.ts";

/** What a batch's transactions match, by rule. Valid until the next batch is selected. */
export interface Selection {
  /** Matches of a rule and a transaction. */
  readonly count: number;
  /** Numbers of the rules that match anything, ascending; as many as `matched` says. */
  readonly rules: Uint32Array;
  readonly matched: number;
  /** How many transactions match rules[r]. */
  readonly counts: Uint32Array;
  /** The transactions of rules[r] are those from starts[r] to starts[r + 1], ascending. Those of a rule that is only counted may be missing. */
  readonly starts: Uint32Array;
  readonly transactions: Uint32Array;
}

export interface RuleIndex {
  /** @param lists those that the conditions name */
  select(frames: Frames, lists?: Lists): Selection;
}

/**
 * @param conditions one a rule, by its number
 * @param counted whether a rule is only counted: nobody needs to know which transactions it matches
 */
export function createRuleIndex(
  conditions: readonly Condition[],
  counted: readonly boolean[] = conditions.map(() => false),
): RuleIndex {
  const columns = createColumns();
  const scope = createScope();
  const terms = withoutRareArguments(
    conditions.flatMap((condition, rule): RuleTerm[] => termsOf(condition, scope).map((term) => ({ ...term, rule }))),
  );
  const keyedTerms = terms.filter(({ keys }) => keys.length > 0);
  const rangeTerms = terms.filter(({ keys }) => keys.length === 0);
  const ways = waysOf(keyedTerms, conditions.length);
  const inRanges = new Set(rangeTerms.map(({ rule }) => rule));
  /** What is found in two ways has to be listed, sorted, and what is there twice dropped, before it can be counted. */
  const isCounted = counted.map((only, rule) => only && ways[rule]! + (inRanges.has(rule) ? 1 : 0) <= 1);

  const keyed = createKeyIndex(keyedTerms, columns, isCounted);
  const ranges = createRangeIndex(rangeTerms, columns);
  const touch = createTouch([...columns.words(), ...keyed.words]);
  const found = new Found(isCounted);
  const sort = createSorter(Array.from(ways, (number, rule) => number > 1 || inRanges.has(rule)));
  return {
    select(frames, lists = NO_LISTS) {
      scope.bind(lists);
      found.begin();
      ranges.begin(frames.count);
      for (let from = 0; from < frames.count; from += CHUNK) {
        const to = Math.min(from + CHUNK, frames.count);
        touch(frames, from, to);
        columns.fill(frames, from, to);
        keyed.select(frames, from, to, columns, found);
        ranges.locate(frames, from, to, columns);
      }
      keyed.count(found);
      ranges.select(frames, found);
      return sort(found);
    },
  };
}

/** Bounds of arguments are hints: where few rules have one, its column would cost more than the tests that it saves. */
function withoutRareArguments(terms: readonly RuleTerm[]): readonly RuleTerm[] {
  const uses = new Map<NumberField, number>();
  for (const { numbers } of terms)
    for (const field of numbers.keys()) if (field.kind === "argument") uses.set(field, (uses.get(field) ?? 0) + 1);
  const isRare = (field: NumberField): boolean => (uses.get(field) ?? MIN_THRESHOLDS) < MIN_THRESHOLDS;
  return terms.map((term) =>
    [...term.numbers.keys()].some(isRare)
      ? { ...term, numbers: new Map([...term.numbers].filter(([field]) => !isRare(field))) }
      : term,
  );
}

/** In how many ways a transaction may be found for a rule, by its keys: each term is one, several where it has several keys. */
function waysOf(terms: readonly RuleTerm[], rules: number): Uint32Array {
  const ways = new Uint32Array(rules);
  for (const { rule, keys } of terms)
    ways[rule]! += keys.some(({ field, values }) => values.length > 1 || field.kind !== "bytes") ? 2 : 1;
  return ways;
}

/**
 * Sorts pairs by rule: a counting sort, linear in the pairs, which leaves the transactions of a rule in the order they were
 * found in. That is ascending for a rule that is found one way by its key; the others' are sorted, and dropped where they are
 * there twice.
 */
function createSorter(unordered: readonly boolean[]): (found: Found) => Selection {
  const rules = unordered.length;
  const sorts = Uint8Array.from(unordered, Number);
  const ends = new Uint32Array(rules + 1);
  const matchedRules = new Uint32Array(rules);
  const matchedCounts = new Uint32Array(rules);
  const starts = new Uint32Array(rules + 1);
  let sorted = new Uint32Array(0);

  return ({ count, rules: ruleOf, transactions: transactionOf, counts }) => {
    if (sorted.length < count) sorted = new Uint32Array(count * 2);
    ends.fill(0);
    for (let p = 0; p < count; p++) ends[ruleOf[p]! + 1]!++;
    for (let r = 1; r <= rules; r++) ends[r]! += ends[r - 1]!;
    for (let p = 0; p < count; p++) sorted[ends[ruleOf[p]!]++] = transactionOf[p]!;
    // ends[r] is now where the pairs of rule r end
    let matched = 0;
    let matches = 0;
    let kept = 0;
    for (let r = 0, from = 0; r < rules; r++) {
      const to = ends[r]!;
      const start = kept;
      if (to > from) kept = sorts[r] === 1 ? keepDistinct(sorted, from, to, kept) : keepAll(sorted, from, to, kept);
      from = to;
      const all = kept - start + counts[r]!;
      if (all === 0) continue;
      matches += all;
      starts[matched] = start;
      matchedCounts[matched] = all;
      matchedRules[matched++] = r;
    }
    starts[matched] = kept;
    return { count: matches, rules: matchedRules, matched, counts: matchedCounts, starts, transactions: sorted };
  };
}

/** Moves part of a list down to `into`. @returns where it ends there */
function keepAll(list: Uint32Array, from: number, to: number, into: number): number {
  if (into !== from) list.copyWithin(into, from, to);
  return into + to - from;
}

/** The same, ascending and each once. */
function keepDistinct(list: Uint32Array, from: number, to: number, into: number): number {
  if (to - from > FEW) list.subarray(from, to).sort();
  else
    for (let i = from + 1; i < to; i++) {
      const each = list[i]!;
      let at = i;
      for (; at > from && list[at - 1]! > each; at--) list[at] = list[at - 1]!;
      list[at] = each;
    }
  let kept = into;
  for (let i = from; i < to; i++) if (i === from || list[i] !== list[i - 1]) list[kept++] = list[i]!;
  return kept;
}

/** So many are sorted by insertion: the call of sort() alone costs 0.5 µs. */
const FEW = 32;
