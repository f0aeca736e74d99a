/**
 * Which transactions each rule is shown: the conditions of all rules as one index, evaluated over a batch. What a transaction
 * costs depends on how many rules match it, hardly on how many there are.
 */
import type { Condition } from "../condition/condition.ts";
import { type Lists, NO_LISTS } from "../world/world.ts";
import { createColumns } from "./index/columns.ts";
import type { Frames } from "./index/frames.ts";
import { createKeyIndex, type RuleTerm } from "./index/keyIndex.ts";
import { createListFields } from "./index/listField.ts";
import { termsOf } from "./index/normalForm.ts";
import { Pairs } from "./index/pairs.ts";
import { createSegmentIndex } from "./index/segmentIndex.ts";

/** What a batch's transactions match, by rule. Valid until the next batch is selected. */
export interface Selection {
  /** Pairs of a rule and a transaction. */
  readonly count: number;
  /** Numbers of the rules that match anything, ascending; as many as `matched` says. */
  readonly rules: Uint32Array;
  readonly matched: number;
  /** The transactions of rules[r] are those from starts[r] to starts[r + 1], ascending. */
  readonly starts: Uint32Array;
  readonly transactions: Uint32Array;
}

export interface RuleIndex {
  /** @param lists those that the conditions name */
  select(frames: Frames, lists?: Lists): Selection;
}

/** Frames that all parts of the index look at one after the other: 512 pending ones are 380 KB and stay in the second cache. */
const CHUNK = 512;

/** @param conditions one a rule, by its number */
export function createRuleIndex(conditions: readonly Condition[]): RuleIndex {
  const columns = createColumns();
  const listFields = createListFields();
  const terms = conditions.flatMap((condition, rule): RuleTerm[] =>
    termsOf(condition, listFields).map((term) => ({ ...term, rule })),
  );
  const keyed = createKeyIndex(
    terms.filter(({ keys }) => keys.length > 0),
    columns,
  );
  const others = createSegmentIndex(
    terms.filter(({ keys }) => keys.length === 0),
    columns,
  );
  const pairs = new Pairs();
  const ways = new Uint32Array(conditions.length);
  for (const { rule, keys } of terms)
    ways[rule]! += keys.some(({ field, values }) => values.length > 1 || field.kind === "log") ? 2 : 1;
  const sort = createSorter(Array.from(ways, (number) => number > 1));
  return {
    select(frames, lists = NO_LISTS) {
      listFields.bind(lists);
      pairs.count = 0;
      for (let from = 0; from < frames.count; from += CHUNK) {
        const to = Math.min(from + CHUNK, frames.count);
        columns.fill(frames, from, to);
        keyed.select(frames, from, to, columns, pairs);
        others.select(frames, from, to, columns, pairs);
      }
      return sort(pairs);
    },
  };
}

/**
 * Sorts pairs by rule: a counting sort, linear in the pairs, which leaves the transactions of a rule in the order they were
 * found in. That is ascending for a rule that is found one way; the others' are sorted, and dropped where they are there twice.
 *
 * @param several whether the rule may be found in several ways
 */
function createSorter(several: readonly boolean[]): (pairs: Pairs) => Selection {
  const rules = several.length;
  const unordered = Uint8Array.from(several, Number);
  const ends = new Uint32Array(rules + 1);
  const matchedRules = new Uint32Array(rules);
  const starts = new Uint32Array(rules + 1);
  let sorted = new Uint32Array(0);

  return ({ count, rules: ruleOf, transactions: transactionOf }) => {
    if (sorted.length < count) sorted = new Uint32Array(count * 2);
    ends.fill(0);
    for (let p = 0; p < count; p++) ends[ruleOf[p]! + 1]!++;
    for (let r = 1; r <= rules; r++) ends[r]! += ends[r - 1]!;
    for (let p = 0; p < count; p++) sorted[ends[ruleOf[p]!]++] = transactionOf[p]!;
    // ends[r] is now where the pairs of rule r end
    let matched = 0;
    let kept = 0;
    for (let r = 0, from = 0; r < rules; r++) {
      const to = ends[r]!;
      if (to === from) continue;
      starts[matched] = kept;
      matchedRules[matched++] = r;
      if (unordered[r] === 1) {
        sorted.subarray(from, to).sort();
        for (let k = from; k < to; k++) if (k === from || sorted[k] !== sorted[k - 1]) sorted[kept++] = sorted[k]!;
      } else {
        if (kept !== from) sorted.copyWithin(kept, from, to);
        kept += to - from;
      }
      from = to;
    }
    starts[matched] = kept;
    return { count: kept, rules: matchedRules, matched, starts, transactions: sorted };
  };
}
