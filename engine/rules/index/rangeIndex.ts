/**
 * Terms without an equality: numbers only ("value between", "gas price above and not on chain 1"), or nothing at all. The bounds
 * of all terms cut each field's range into segments, within which no term changes its mind, and a batch's transactions are put in the
 * order of their segments, field by field. What a term wants of a field is then a slice of that order:
 *
 *     value:        0 ───── 5 ───── 9 ─────▶   absent        a: value < 9   b: value ≥ 5   c: not value ≥ 5
 *     segment:          0       1       2        3
 *     transactions:   t4 t7  │  t1   │ t0 t3  │  t2          a: t4 t7 t1    b: t1 t0 t3    c: t4 t7, t2
 *
 * A term of one field is counted by the slice's two ends. One of several fields takes the shortest of its slices and asks the others
 * of what is in it, by number of segment; where even that is long, slices become sets of bits (prefixSets.ts). So a term costs some
 * tens of nanoseconds a batch, then as its most selective bound, and with 4,096 transactions at most a microsecond or two a field.
 */
import { END, type NumberSet } from "../../condition/intervals.ts";
import type { Columns } from "./columns.ts";
import type { Found } from "./found.ts";
import { type Frames, holds, type Test } from "./frames.ts";
import type { RuleTerm } from "./keyIndex.ts";
import type { NumberField } from "./number.ts";
import { createPrefixSets, listSet, setWords, sizeOfSet } from "./prefixSets.ts";
import { createSegments, type Segments } from "./segments.ts";

/** A slice beyond this share of a batch, and so many more, takes longer to go through than sets take to be made. */
const LONG = { share: 1 / 16, more: 64 };

export interface RangeIndex {
  /** A new batch, of so many transactions. */
  begin(count: number): void;
  /** Notes the segments of the transactions from `from` to `to`, whose columns are filled. */
  locate(frames: Frames, from: number, to: number, columns: Columns): void;
  /** Adds what the batch's transactions match, out of order, and twice where a rule has several terms. */
  select(frames: Frames, found: Found): void;
}

/** A field with the numbers of its segments, which count on from those of the field before. */
interface Axis {
  readonly segments: Segments;
  readonly first: number;
}

/** @param terms by rule, ascending */
export function createRangeIndex(terms: readonly RuleTerm[], columns: Columns): RangeIndex {
  const fields = [...new Set(terms.flatMap(({ numbers }) => [...numbers.keys()]))];
  const axes: Axis[] = [];
  let total = 0;
  for (const field of fields) {
    const segments = createSegments(field, boundsOf(terms, field), columns);
    axes.push({ segments, first: total });
    total += segments.count;
  }
  const { code, starts } = encode(terms, fields, axes);
  const tests: readonly (readonly Test[])[] = terms.map((term) => term.tests);
  const asks = Uint8Array.from(tests, ({ length }) => (length > 0 ? 1 : 0));
  const ruleOf = Uint32Array.from(terms, ({ rule }) => rule);

  let capacity = 0;
  /** Segments of the batch's transactions, field by field: [field × capacity + transaction]. */
  let numbers = new Uint32Array(0);
  /** Transactions in the order of their segments, field by field; those of segment s begin at firsts[s]. */
  let order = new Uint32Array(0);
  const firsts = new Uint32Array(total + 1);
  /** The same order as sets; of the fields that were asked for in this batch. */
  const prefixSets = axes.map(createPrefixSets);
  const isFilled = new Uint8Array(axes.length);
  let [both, other] = [new Uint32Array(0), new Uint32Array(0)];
  /** What a term has found. */
  let list = new Uint32Array(0);
  /** Of each transaction, the last rule that it has been counted for. */
  let countedFor = new Int32Array(0);

  function sortBySegment(count: number): void {
    firsts.fill(0);
    for (let f = 0; f < axes.length; f++)
      for (let i = f * capacity; i < f * capacity + count; i++) firsts[numbers[i]!]!++;
    for (let s = 1; s <= total; s++) firsts[s]! += firsts[s - 1]!;
    // firsts[s] is where segment s ends, and where it begins once its transactions are placed
    for (let f = 0; f < axes.length; f++)
      for (let i = count - 1; i >= 0; i--) order[--firsts[numbers[f * capacity + i]!]!] = i;
  }

  /** Transactions of one field's intervals. */
  function sizeOf(at: number): number {
    let size = 0;
    for (let i = at + 2, end = nextField(at); i < end; i += 2) size += firsts[code[i + 1]!]! - firsts[code[i]!]!;
    return size;
  }

  /** Lists what a term matches, or may leave that when they are only counted. @returns how many */
  function find(term: number, frames: Frames, only?: "count"): number {
    const from = starts[term]!;
    const to = starts[term + 1]!;
    const isAsked = asks[term] === 1;
    let best = -1;
    let least = frames.count;
    let fields = 0;
    for (let at = from; at < to; at = nextField(at), fields++) {
      const size = sizeOf(at);
      if (size >= least && best !== -1) continue;
      best = at;
      least = size;
    }
    if (fields === 1 && only && !isAsked) return least;
    if (least === 0) return 0;
    let length: number;
    if (fields > 1 && least > LONG.share * frames.count + LONG.more) {
      intersect(from, to, frames.count);
      if (only && !isAsked) return sizeOfSet(both);
      length = listSet(both, list);
    } else {
      length = best === -1 ? listAll(least) : listSlices(best);
      for (let at = from; at < to && length > 0; at = nextField(at))
        if (at !== best) length = code[at + 1] === 1 ? keepBetween(at, length) : keepWithin(at, length);
    }
    return isAsked ? ask(tests[term]!, frames, length) : length;
  }

  const nextField = (at: number): number => at + 2 + 2 * code[at + 1]!;

  function listAll(count: number): number {
    for (let i = 0; i < count; i++) list[i] = i;
    return count;
  }

  function listSlices(at: number): number {
    const into = list;
    const from = order;
    let length = 0;
    for (let i = at + 2, end = nextField(at); i < end; i += 2)
      for (let p = firsts[code[i]!]!, last = firsts[code[i + 1]!]!; p < last; p++) into[length++] = from[p]!;
    return length;
  }

  /** Makes a set, `both`, of what lies in the intervals of several fields. */
  function intersect(from: number, to: number, count: number): void {
    const result = both;
    const next = other;
    setOf(from, count, result);
    for (let at = nextField(from); at < to; at = nextField(at)) {
      setOf(at, count, next);
      for (let w = 0; w < result.length; w++) result[w]! &= next[w]!;
    }
  }

  /** The transactions in a field's intervals, as bits. */
  function setOf(at: number, count: number, into: Uint32Array): void {
    const field = code[at]!;
    const prefixes = prefixSets[field]!;
    if (isFilled[field] === 0) prefixes.fill(order, field * count, count);
    isFilled[field] = 1;
    prefixes.slice(into, firsts[code[at + 2]!]!, firsts[code[at + 3]!]!);
    for (let i = at + 4, end = nextField(at); i < end; i += 2)
      prefixes.add(into, firsts[code[i]!]!, firsts[code[i + 1]!]!);
  }

  /** Keeps those of the list whose segment lies in the field's interval. */
  function keepBetween(at: number, length: number): number {
    const kept = list;
    const segments = numbers;
    const field = code[at]! * capacity;
    const first = code[at + 2]!;
    const last = code[at + 3]! - 1;
    let count = 0;
    for (let i = 0; i < length; i++) {
      const transaction = kept[i]!;
      const segment = segments[field + transaction]! | 0;
      kept[count] = transaction;
      count += 1 - (((segment - first) | (last - segment)) >>> 31); // without a branch, which nobody could predict
    }
    return count;
  }

  /** The same for several intervals. */
  function keepWithin(at: number, length: number): number {
    const kept = list;
    const segments = numbers;
    const field = code[at]! * capacity;
    const end = nextField(at);
    let count = 0;
    for (let i = 0; i < length; i++) {
      const transaction = kept[i]!;
      const segment = segments[field + transaction]! | 0;
      let outside = 1;
      for (let interval = at + 2; interval < end; interval += 2)
        outside &= ((segment - code[interval]!) | (code[interval + 1]! - 1 - segment)) >>> 31;
      kept[count] = transaction;
      count += 1 - outside;
    }
    return count;
  }

  function ask(questions: readonly Test[], frames: Frames, length: number): number {
    let kept = 0;
    for (let i = 0; i < length; i++)
      if (holds(questions, frames, frames.offsets[list[i]!]! >> 2)) list[kept++] = list[i]!;
    return kept;
  }

  /** How many transactions the terms of one rule match together. */
  function countRule(from: number, to: number, frames: Frames): number {
    if (to - from === 1) return find(from, frames, "count");
    const listed = list;
    const last = countedFor;
    let sum = 0;
    for (let term = from; term < to; term++)
      for (let i = find(term, frames) - 1; i >= 0; i--) {
        const transaction = listed[i]!;
        if (last[transaction] === from) continue;
        last[transaction] = from;
        sum++;
      }
    return sum;
  }

  return {
    begin(count) {
      if (terms.length === 0) return;
      if (capacity < count) {
        capacity = count;
        [numbers, order] = [new Uint32Array(axes.length * count), new Uint32Array(axes.length * count)];
        [list, countedFor] = [new Uint32Array(count), new Int32Array(count)];
      }
      if (both.length !== setWords(count))
        [both, other] = [new Uint32Array(setWords(count)), new Uint32Array(setWords(count))];
      countedFor.fill(-1);
      isFilled.fill(0);
    },
    locate(frames, from, to, filled) {
      for (const [f, { segments, first }] of axes.entries())
        segments.find(frames, from, to, filled, numbers.subarray(f * capacity), first);
    },
    select(frames, matches) {
      if (terms.length === 0) return;
      sortBySegment(frames.count);
      for (let from = 0, to = 0; from < ruleOf.length; from = to) {
        const rule = ruleOf[from]!;
        while (ruleOf[to] === rule) to++;
        if (matches.counted[rule]) matches.counts[rule]! += countRule(from, to, frames);
        else for (let term = from; term < to; term++) matches.pushTransactions(rule, list, find(term, frames));
      }
    },
  };
}

/** Where any term changes its mind. */
function boundsOf(terms: readonly RuleTerm[], field: NumberField): bigint[] {
  const all = new Set(terms.flatMap(({ numbers }) => numbers.get(field)?.intervals.flat() ?? []));
  return [...all].filter((bound) => bound > 0n && bound < END).sort((a, b) => (a < b ? -1 : 1));
}

/**
 * What the terms want, in numbers of segments. Of term t from starts[t] to starts[t + 1], for each of its fields:
 *
 *     field │ number of intervals │ first segment, segment behind the last │ … ascending
 */
function encode(terms: readonly RuleTerm[], fields: readonly NumberField[], axes: readonly Axis[]) {
  const code: number[] = [];
  const starts = [0];
  const segmentOf = axes.map(({ segments }) => new Map(segments.bounds.map((bound, i) => [bound, i + 1])));
  for (const { numbers } of terms) {
    for (const [field, set] of numbers) {
      const f = fields.indexOf(field);
      const intervals = segmentIntervals(set, segmentOf[f]!, axes[f]!.segments);
      code.push(f, intervals.length, ...intervals.flat().map((segment) => segment + axes[f]!.first));
    }
    starts.push(code.length);
  }
  return { code: Int32Array.from(code), starts: Uint32Array.from(starts) };
}

function segmentIntervals(
  { intervals, absent }: NumberSet,
  segmentOf: ReadonlyMap<bigint, number>,
  segments: Segments,
): [from: number, to: number][] {
  const all = intervals.map(([from, to]): [number, number] => [
    from === 0n ? 0 : segmentOf.get(from)!,
    to === END ? segments.absent : segmentOf.get(to)!,
  ]);
  return absent ? [...all, [segments.absent, segments.absent + 1]] : all;
}
