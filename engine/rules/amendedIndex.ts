/**
 * The index of a rule set that differs in few rules from one that is indexed: that index, of which what is gone is left out, and
 * a small one of what is new. It takes as long to make as there are new rules, and every batch a few nanoseconds a transaction
 * more, so once there are many a whole one is made. What is selected is the same.
 *
 *     whole:  a b c d     numbers now: a 0, b gone, c 2, d 3      a transaction that matches b, d of the one
 *     patch:  b'          numbers now: b' 1                       and b' of the other: 1, 3
 */
import type { Condition } from "../condition/condition.ts";
import { listUses } from "../condition/listUses.ts";
import { createRuleIndex, type RuleIndex, type Selection } from "./ruleIndex.ts";

export interface AmendableIndex extends RuleIndex {
  /**
   * The index of other conditions.
   * @param places of each its number among this index's conditions where it is the same, ascending; −1: it is new
   */
  amended(conditions: readonly Condition[], counted: readonly boolean[], places: Int32Array): AmendableIndex;
}

interface Whole {
  readonly index: RuleIndex;
  readonly conditions: readonly Condition[];
  readonly counted: readonly boolean[];
}

/** New rules beside a whole index. */
const MOST = 256;

/** @param counted as of createRuleIndex */
export function createAmendableIndex(conditions: readonly Condition[], counted: readonly boolean[]): AmendableIndex {
  const whole = { index: createRuleIndex(conditions, counted), conditions, counted };
  return {
    select: whole.index.select,
    amended: (...now) => amend(whole, undefined, ...now),
  };
}

/** @param before numbers in the whole index of the rules that `places` are about, −1 for those that are not in it; undefined: it is theirs */
function amend(
  whole: Whole,
  before: Int32Array | undefined,
  conditions: readonly Condition[],
  counted: readonly boolean[],
  places: Int32Array,
): AmendableIndex {
  const inWhole = places.map((place, rule) => {
    const number = place < 0 || before === undefined ? place : before[place]!;
    return number >= 0 && whole.counted[number] === counted[rule] ? number : -1;
  });
  const fresh = Uint32Array.from(conditions.keys()).filter((rule) => inWhole[rule] === -1);
  const numbers = new Int32Array(whole.conditions.length).fill(-1);
  for (const [rule, number] of inWhole.entries()) if (number >= 0) numbers[number] = rule;
  // a list that only what is gone has named may be gone as well
  const asksGone = whole.conditions.some(
    (condition, number) => numbers[number] === -1 && listUses(condition).length > 0,
  );
  if (fresh.length > MOST || asksGone) return createAmendableIndex(conditions, counted);
  const ofFresh = <T>(all: readonly T[]): T[] => Array.from(fresh, (rule) => all[rule]!);
  const patch = createRuleIndex(ofFresh(conditions), ofFresh(counted));
  const merge = createMerge(conditions.length, numbers, fresh);
  return {
    select: (frames, lists) => merge(whole.index.select(frames, lists), patch.select(frames, lists)),
    amended: (...now) => amend(whole, inWhole, ...now),
  };
}

/** @param numbers, others of the rules that the one and the other index know, ascending; −1: it is left out */
function createMerge(rules: number, numbers: Int32Array, others: Uint32Array) {
  const matchedRules = new Uint32Array(rules);
  const counts = new Uint32Array(rules);
  const starts = new Uint32Array(rules + 1);
  let transactions = new Uint32Array(0);
  return (one: Selection, other: Selection): Selection => {
    const most = one.starts[one.matched]! + other.starts[other.matched]!;
    if (transactions.length < most) transactions = new Uint32Array(most * 2);
    let [matched, count, at] = [0, 0, 0];
    const take = (from: Selection, r: number, rule: number): void => {
      matchedRules[matched] = rule;
      counts[matched] = from.counts[r]!;
      starts[matched++] = at;
      count += from.counts[r]!;
      for (let t = from.starts[r]!; t < from.starts[r + 1]!; t++) transactions[at++] = from.transactions[t]!;
    };
    let o = 0;
    for (let r = 0; r < one.matched; r++) {
      const rule = numbers[one.rules[r]!]!;
      if (rule < 0) continue;
      for (; o < other.matched && others[other.rules[o]!]! < rule; o++) take(other, o, others[other.rules[o]!]!);
      take(one, r, rule);
    }
    for (; o < other.matched; o++) take(other, o, others[other.rules[o]!]!);
    starts[matched] = at;
    return { count, rules: matchedRules, matched, counts, starts, transactions };
  };
}
