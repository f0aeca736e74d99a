/**
 * The terms of a key's bucket, in runs: a run has one column, and its terms stand by ascending threshold of that ("value ≥ 5",
 * "≥ 9", …) or, for upper bounds, by descending. A transaction walks a run until the thresholds pass its value.
 */
import { END, type NumberSet } from "../../condition/intervals.ts";
import type { Column, Columns } from "./columns.ts";
import { type Frames, holds, type Test } from "./frames.ts";
import { type Cut, cutOf, isAtLeast, type NumberField, numberTest } from "./number.ts";
import type { Pairs } from "./pairs.ts";

/** A term of which the key has been answered. */
export interface KeyedTerm {
  readonly rule: number;
  readonly numbers: ReadonlyMap<NumberField, NumberSet>;
  readonly tests: readonly Test[];
}

export interface Runs {
  /** The columns of a batch, for `walk`. */
  values(columns: Columns): readonly Float64Array[];
  /** Adds the pairs of a transaction with the terms of a bucket. */
  walk(
    bucket: number,
    frames: Frames,
    transaction: number,
    frame: number,
    values: readonly Float64Array[],
    pairs: Pairs,
  ): void;
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
  readonly entries: Entry[];
}

/** @param buckets the terms of each bucket, by its number */
export function createRuns(buckets: readonly (readonly KeyedTerm[])[], columns: Columns): Runs {
  const runs: Run[] = [];
  /** Runs of bucket b are those from firsts[b] to firsts[b + 1]; entries of run r those from starts[r] to starts[r + 1]. */
  const firsts = Uint32Array.from([0, ...buckets.map((terms) => runs.push(...runsOf(terms)))]);
  const entries = runs.flatMap((run) => run.entries);
  const starts = new Uint32Array(runs.length + 1);
  for (const [r, run] of runs.entries()) starts[r + 1] = starts[r]! + run.entries.length;
  const used: Column[] = [];
  /** Which of `used` the run walks along, −1 for none; and whether its thresholds are lower bounds. */
  const columnOf = Int32Array.from(runs, ({ field }) => {
    if (field === undefined) return -1;
    const column = columns.of(field);
    return used.includes(column) ? used.indexOf(column) : used.push(column) - 1;
  });
  const lower = Uint8Array.from(runs, (run) => (run.lower ? 1 : 0));
  const rules = Uint32Array.from(entries, ({ rule }) => rule);
  const thresholds = Float64Array.from(entries, ({ cut }) => cut?.float ?? 0);
  /** Whether any term of the run has something left to ask. */
  const asks = Uint8Array.from(runs, (run) => (run.entries.some(({ tests }) => tests.length > 0) ? 1 : 0));

  /** How many terms from `from` on have their bound kept by the value: those before the first threshold beyond it. */
  function kept(from: number, to: number, isLower: boolean, float: number): number {
    let [low, high] = [from, to];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isLower ? thresholds[middle]! < float : thresholds[middle]! > float) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    values: (filled) => used.map((column) => filled.values(column)),
    walk(bucket, frames, transaction, frame, values, pairs) {
      for (let r = firsts[bucket]!; r < firsts[bucket + 1]!; r++) {
        const column = columnOf[r]!;
        const from = starts[r]!;
        let to = starts[r + 1]!;
        if (column >= 0) {
          const float = values[column]![transaction]!;
          if (Number.isNaN(float)) continue; // absent: no bound holds
          const isLower = lower[r] === 1;
          const end = to;
          to = kept(from, end, isLower, float);
          // where the doubles are equal, the words decide; terms of equal thresholds stand by their exact bounds
          while (to < end && thresholds[to] === float) {
            const { field } = used[column]!;
            if (isAtLeast(field, frames.words, frame, float, entries[to]!.cut!) !== isLower) break;
            to++;
          }
        }
        if (asks[r] === 0) pairs.pushAll(rules, from, to, transaction);
        else
          for (let e = from; e < to; e++)
            if (holds(entries[e]!.tests, frames, frame)) pairs.push(rules[e]!, transaction);
      }
    },
  };
}

/** A bucket's terms by their first bound. */
function runsOf(terms: readonly KeyedTerm[]): Run[] {
  const runs = new Map<string, Run>();
  for (const { rule, numbers, tests } of terms) {
    const bound = firstBound(numbers);
    const name = bound ? `${bound.field.name} ${bound.lower}` : "";
    let run = runs.get(name);
    if (!run) {
      run = { field: bound?.field, lower: bound?.lower ?? true, entries: [] };
      runs.set(name, run);
    }
    const rest = [...numbers].filter(([field]) => field !== bound?.field || !bound.whole);
    run.entries.push({
      rule,
      cut: bound && cutOf(bound.field, bound.value),
      bound: bound?.value ?? 0n,
      tests: [...rest.map(([field, set]) => numberTest(field, set)), ...tests],
    });
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
