/**
 * The terms of each key of a table. A bucket's terms are in runs: a run has one column, and its terms stand by ascending threshold of
 * that ("value ≥ 5", "≥ 9", …) or, for upper bounds, by descending. A transaction reaches so far into a run as the thresholds let
 * its value.
 *
 *     thresholds:  5    9    9    12          value 10 reaches the third: pairs of the first three, or where they are
 *     reached:     0    0    1    0           only counted a 1 there, and at the end of a batch sums from behind: 1 1 1 0
 *
 * All that a look-up reads of a bucket lies side by side, in words, mostly in one or two cache lines (with an array for each of
 * these it was six, and a third slower):
 *
 *     key │ number of runs │ for each, from an even word: entries │ number of the first │ how │ noted │ thresholds f64 │ reached u32
 */
import { END, type NumberSet } from "../../condition/intervals.ts";
import type { Column, Columns, Values } from "./columns.ts";
import type { Found } from "./found.ts";
import { type Frames, holds, type Test } from "./frames.ts";
import { type Cut, cutOf, isAtLeast, type NumberField, numberTest } from "./number.ts";

/** A term of which the key has been answered. */
export interface KeyedTerm {
  readonly rule: number;
  readonly numbers: ReadonlyMap<NumberField, NumberSet>;
  readonly tests: readonly Test[];
}

export interface Buckets {
  /** Keys, and where each bucket begins, which its key does. */
  readonly memory: Int32Array;
  readonly starts: Uint32Array;
  /** The columns of a batch, for `walk`. */
  values(columns: Columns): readonly Values[];
  /** Adds the pairs of a transaction with the terms of the bucket that begins there, or notes what is to be counted. */
  walk(
    bucket: number,
    frames: Frames,
    transaction: number,
    frame: number,
    values: readonly Values[],
    found: Found,
  ): void;
  /** Adds to the counts what has been noted. */
  count(found: Found): void;
}

/** A term in its run. */
interface Entry {
  readonly rule: number;
  /** Of the run's column; undefined where it has none. */
  readonly cut: Cut | undefined;
  readonly bound: bigint;
  readonly tests: readonly Test[];
}

interface Run {
  readonly field: NumberField | undefined;
  readonly lower: boolean;
  /** Its terms have something left to ask, so each is looked at. */
  readonly asks: boolean;
  /** Its terms are of rules that are only counted. */
  readonly counted: boolean;
  readonly entries: Entry[];
}

/** The head of a run. */
const RUN = { entries: 0, first: 1, how: 2, noted: 3, thresholds: 4 } as const;
/** Bits of `how`, above the column's number. */
const LOWER = 1 << 8;
const ASKED = 1 << 9;
const COUNTED = 1 << 10;
const NO_COLUMN = 0xff;

/**
 * @param keyWords words of a key
 * @param counted whether a rule is only counted
 */
export function createBuckets(
  buckets: readonly { readonly words: Uint32Array; readonly terms: readonly KeyedTerm[] }[],
  keyWords: number,
  columns: Columns,
  counted: readonly boolean[],
): Buckets {
  const used: Column[] = [];
  const entries: Entry[] = [];
  const filled = buckets.map(({ words, terms }) => ({ words, runs: runsOf(terms, counted) }));
  const starts = new Uint32Array(buckets.length);
  const noted: number[] = [];
  let size = 0;
  for (const [b, { runs }] of filled.entries()) {
    starts[b] = size;
    size += even(keyWords + 1) + runs.reduce((sum, run) => sum + sizeOf(run.entries.length), 0);
  }
  const memory = new Int32Array(size);
  const thresholdsOf = new Float64Array(memory.buffer);
  for (const [b, { words, runs }] of filled.entries()) {
    let at = starts[b]!;
    memory.set(words, at);
    memory[at + keyWords] = runs.length;
    at += even(keyWords + 1);
    for (const run of runs) {
      memory[at + RUN.entries] = run.entries.length;
      memory[at + RUN.first] = entries.length;
      memory[at + RUN.how] = howOf(run);
      for (const [e, { cut }] of run.entries.entries())
        thresholdsOf[((at + RUN.thresholds) >> 1) + e] = cut?.float ?? 0;
      entries.push(...run.entries);
      at += sizeOf(run.entries.length);
    }
  }
  const rules = Uint32Array.from(entries, ({ rule }) => rule);

  function howOf({ field, lower, asks, counted }: Run): number {
    let column = NO_COLUMN;
    if (field !== undefined) {
      column = used.indexOf(columns.of(field));
      if (column === -1) column = used.push(columns.of(field)) - 1;
    }
    return column | (lower ? LOWER : 0) | (asks ? ASKED : 0) | (counted ? COUNTED : 0);
  }

  /** Entries that a transaction's value reaches. An absent one reaches none. */
  function reach(
    run: number,
    lower: boolean,
    { floats, halves }: Values,
    transaction: number,
    frames: Frames,
    frame: number,
  ): number {
    const length = memory[run + RUN.entries]!;
    const float = floats[transaction]!;
    if (Number.isNaN(float)) return 0;
    const half = halves[2 * transaction + 1]!;
    const sign = lower ? 1 : -1;
    const upper = run + RUN.thresholds + 1;
    if (Math.imul(half - memory[upper]!, sign) < 0) return 0; // mostly: rules are after what is rare (0.45 to 0.39 µs)
    // those whose upper half is before the value's: no branch depends on a value, so several transactions are under way at a time
    let low = 0;
    for (let left = length; left > 1; ) {
      const step = left >> 1;
      low += step & (Math.imul(memory[upper + 2 * (low + step - 1)]! - half, sign) >> 31);
      left -= step;
    }
    low += Math.imul(memory[upper + 2 * low]! - half, sign) >>> 31;
    if (low === length) return length;
    // of as large an upper half there are few, mostly
    const thresholds = (run + RUN.thresholds) >> 1;
    if (lower ? thresholdsOf[thresholds + low]! < float : thresholdsOf[thresholds + low]! > float)
      for (let high = length; low < high; ) {
        const middle = (low + high) >> 1;
        const threshold = thresholdsOf[thresholds + middle]!;
        if (lower ? threshold < float : threshold > float) low = middle + 1;
        else high = middle;
      }
    // where the doubles are equal, the words decide; terms of equal thresholds stand by their exact bounds
    for (; low < length && thresholdsOf[thresholds + low] === float; low++) {
      const { cut } = entries[memory[run + RUN.first]! + low]!;
      const { field } = used[memory[run + RUN.how]! & NO_COLUMN]!;
      if (isAtLeast(field, frames.words, frame, float, cut!) !== lower) break;
    }
    return low;
  }

  return {
    memory,
    starts,
    values: (filled) => used.map((column) => filled.values(column)),
    walk(bucket, frames, transaction, frame, values, found) {
      let run = bucket + even(keyWords + 1);
      for (let left = memory[bucket + keyWords]!; left > 0; left--) {
        const length = memory[run + RUN.entries]!;
        const how = memory[run + RUN.how]!;
        const column = how & NO_COLUMN;
        let end = length;
        if (column !== NO_COLUMN) end = reach(run, (how & LOWER) !== 0, values[column]!, transaction, frames, frame);
        if (end > 0) {
          const first = memory[run + RUN.first]!;
          if ((how & COUNTED) !== 0) {
            memory[run + RUN.thresholds + 2 * length + end - 1]!++;
            if (memory[run + RUN.noted] === 0) {
              memory[run + RUN.noted] = 1;
              noted.push(run);
            }
          } else if ((how & ASKED) === 0) found.pushRules(rules, first, first + end, transaction);
          else
            for (let e = first; e < first + end; e++)
              if (holds(entries[e]!.tests, frames, frame)) found.add(rules[e]!, transaction);
        }
        run += sizeOf(length);
      }
    },
    count({ counts }) {
      for (const run of noted) {
        const length = memory[run + RUN.entries]!;
        const first = memory[run + RUN.first]!;
        const reached = run + RUN.thresholds + 2 * length;
        let sum = 0;
        for (let e = length - 1; e >= 0; e--) {
          sum += memory[reached + e]!;
          memory[reached + e] = 0;
          counts[rules[first + e]!]! += sum;
        }
        memory[run + RUN.noted] = 0;
      }
      noted.length = 0;
    },
  };
}

const even = (words: number): number => (words + 1) & ~1;

/** Words of a run with so many entries. */
const sizeOf = (entries: number): number => even(RUN.thresholds + 3 * entries);

/** A bucket's terms by their first bound; those that are only counted and have nothing left to ask in runs of their own. */
function runsOf(terms: readonly KeyedTerm[], countedRules: readonly boolean[]): Run[] {
  const runs = new Map<string, Run>();
  for (const { rule, numbers, tests: others } of terms) {
    const bound = firstBound(numbers);
    const rest = [...numbers].filter(
      ([field]) => field.kind !== "argument" && (field !== bound?.field || !bound.whole), // an argument's own test is among the others
    );
    const tests = [...rest.map(([field, set]) => numberTest(field, set)), ...others];
    const asks = tests.length > 0;
    const counted = !asks && countedRules[rule]!;
    const name = `${bound?.field.name} ${bound?.lower} ${asks} ${counted}`;
    let run = runs.get(name);
    if (!run) {
      run = { field: bound?.field, lower: bound?.lower ?? true, asks, counted, entries: [] };
      runs.set(name, run);
    }
    run.entries.push({ rule, cut: bound && cutOf(bound.field, bound.value), bound: bound?.value ?? 0n, tests });
  }
  for (const { lower, entries } of runs.values())
    entries.sort((a, b) => Number(a.bound > b.bound ? 1 : a.bound < b.bound ? -1 : 0) * (lower ? 1 : -1));
  return [...runs.values()];
}

interface Bound {
  readonly field: NumberField;
  readonly lower: boolean;
  /** The set begins at it, or (upper) ends before it. */
  readonly value: bigint;
  /** The bound says all that the set says. */
  readonly whole: boolean;
}

function firstBound(numbers: ReadonlyMap<NumberField, NumberSet>): Bound | undefined {
  for (const [field, { intervals, absent }] of numbers) {
    if (field.kind === "list") continue; // a column would look every transaction up
    if (absent || intervals.length === 0) continue;
    const [from] = intervals[0]!;
    const to = intervals.at(-1)![1];
    const whole = intervals.length === 1;
    if (from > 0n) return { field, lower: true, value: from, whole: whole && to === END };
    if (to < END) return { field, lower: false, value: to, whole };
  }
  return undefined;
}
