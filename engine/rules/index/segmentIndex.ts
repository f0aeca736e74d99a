/**
 * Terms without a key: only numbers to go by ("value between", "not on chain 1"), or nothing at all. The bounds of all terms cut
 * each field's range into segments, within which no term changes its mind; a segment has a bit for each term.
 *
 *     value:     0 ──── 5 ──── 9 ──────▶   absent        a: value < 9   b: value ≥ 5   c: not value ≥ 5
 *       bits:     a,c     a,b     b         c
 *
 * A transaction takes one row of bits a field; terms whose bit is set in all of them hold. Terms come in blocks, so that rows
 * are short and a block that can't hold is left at its first empty row. Bitmaps over elementary segments: de Berg et al.,
 * Computational Geometry, ch. 10.3.
 */
import { END, EVERYTHING, type NumberSet } from "../../condition/intervals.ts";
import type { Column, Columns } from "./columns.ts";
import type { Frames, Test } from "./frames.ts";
import type { RuleTerm } from "./keyIndex.ts";
import { type Cut, cutOf, isAtLeast, type NumberField } from "./number.ts";
import type { Pairs } from "./pairs.ts";

/** Terms of a block: 32 words a row. Rows of one field are 256 KiB at most, and stay in the second cache. */
const BLOCK_TERMS = 1_024;

export interface SegmentIndex {
  select(frames: Frames, columns: Columns, pairs: Pairs): void;
}

export function createSegmentIndex(terms: readonly RuleTerm[], columns: Columns): SegmentIndex {
  const sorted = [...terms].sort(byFieldsThenBound);
  const blocks: Block[] = [];
  for (let from = 0; from < sorted.length; from += BLOCK_TERMS)
    blocks.push(createBlock(sorted.slice(from, from + BLOCK_TERMS), columns));
  return {
    select(frames, filled, pairs) {
      for (const block of blocks) block(frames, filled, pairs);
    },
  };
}

/** Terms that ask the same fields and begin near each other share a block, which most transactions then leave early. */
function byFieldsThenBound(a: RuleTerm, b: RuleTerm): number {
  const [fieldsOfA, fieldsOfB] = [fieldsOf(a), fieldsOf(b)];
  if (fieldsOfA !== fieldsOfB) return fieldsOfA < fieldsOfB ? -1 : 1;
  for (const [field, { intervals }] of a.numbers) {
    const [x, y] = [intervals[0]?.[0] ?? -1n, b.numbers.get(field)?.intervals[0]?.[0] ?? -1n];
    if (x !== y) return x < y ? -1 : 1;
  }
  return a.rule - b.rule;
}

const fieldsOf = ({ numbers }: RuleTerm): string => [...numbers.keys()].map(({ name }) => name).join(" ");

type Block = (frames: Frames, columns: Columns, pairs: Pairs) => void;

function createBlock(terms: readonly RuleTerm[], columns: Columns): Block {
  const width = Math.ceil(terms.length / 32);
  const axes = [...new Set(terms.flatMap(({ numbers }) => [...numbers.keys()]))]
    .map((field) => createAxis(field, terms, columns))
    .sort((a, b) => a.density - b.density); // the one that leaves the fewest first
  const rules = Uint32Array.from(terms, ({ rule }) => rule);
  const tests: readonly (readonly Test[])[] = terms.map((term) => term.tests);
  const rows = new Int32Array(axes.length);
  const all = new Uint32Array(width).fill(0xffff_ffff);
  if (terms.length % 32 !== 0) all[width - 1] = 2 ** (terms.length % 32) - 1;

  return (frames, filled, pairs) => {
    const { words, offsets, count } = frames;
    const values = axes.map(({ column }) => filled.values(column));
    next: for (let i = 0; i < count; i++) {
      const frame = offsets[i]! >> 2;
      for (let a = 0; a < axes.length; a++) {
        const row = axes[a]!.row(values[a]![i]!, words, frame);
        if (row < 0) continue next;
        rows[a] = row;
      }
      for (let w = 0; w < width; w++) {
        let bits = all[w]!;
        for (let a = 0; a < axes.length && bits !== 0; a++) bits &= axes[a]!.bits[rows[a]! + w]!;
        for (; bits !== 0; bits &= bits - 1) {
          const term = w * 32 + 31 - Math.clz32(bits & -bits);
          const asked = tests[term]!;
          let t = 0;
          while (t < asked.length && asked[t]!(frames, frame)) t++;
          if (t === asked.length) pairs.push(rules[term]!, i);
        }
      }
    }
  };
}

/** One field of a block. */
interface Axis {
  readonly column: Column;
  /** Rows of bits, one a segment. */
  readonly bits: Uint32Array;
  /** Share of bits that are set. */
  readonly density: number;
  /** Where the row of a value begins in `bits`; −1: no term of the block holds there. */
  row(float: number, words: Uint32Array, frame: number): number;
}

function createAxis(field: NumberField, terms: readonly RuleTerm[], columns: Columns): Axis {
  const sets = terms.map(({ numbers }) => numbers.get(field) ?? EVERYTHING);
  const bounds = [...new Set(sets.flatMap(({ intervals }) => intervals.flat()))]
    .filter((bound) => bound > 0n && bound < END)
    .sort((a, b) => (a < b ? -1 : 1));
  const { bits, filled } = fillRows(sets, bounds);
  const width = Math.ceil(terms.length / 32);
  const cuts = bounds.map((bound) => cutOf(field, bound));
  const lookUp = createLookUp(field, cuts);
  const absent = bounds.length + 1;
  return {
    column: columns.of(field),
    bits,
    density: filled.reduce((sum, each) => sum + each, 0) / (filled.length * terms.length),
    row(float, words, frame) {
      const segment = Number.isNaN(float) ? absent : lookUp(float, words, frame);
      return filled[segment] === 0 ? -1 : segment * width;
    },
  };
}

/** Rows for the segments before, between and behind the bounds, and one for the absent; and how many bits each has. */
function fillRows(sets: readonly NumberSet[], bounds: readonly bigint[]): { bits: Uint32Array; filled: Uint32Array } {
  const width = Math.ceil(sets.length / 32);
  const bits = new Uint32Array((bounds.length + 2) * width);
  const filled = new Uint32Array(bounds.length + 2);
  const numberOf = new Map(bounds.map((bound, i) => [bound, i + 1]));
  const mark = (segment: number, term: number): void => {
    bits[segment * width + (term >> 5)]! |= 1 << (term & 31);
    filled[segment]!++;
  };
  for (const [term, { intervals, absent }] of sets.entries()) {
    for (const [from, to] of intervals) {
      const last = to === END ? bounds.length + 1 : numberOf.get(to)!;
      for (let s = from === 0n ? 0 : numberOf.get(from)!; s < last; s++) mark(s, term);
    }
    if (absent) mark(bounds.length + 1, term);
  }
  return { bits, filled };
}

/** Most entries of the table that says where to begin. */
const MAX_STARTS = 4_096;

/**
 * How many cuts are at or below a value. The upper half of a double (sign, exponent, 20 bits of mantissa) grows with the double,
 * so a few of its bits index a table of where to begin, nearly evenly whatever the magnitudes; then it is a step or two.
 */
function createLookUp(
  field: NumberField,
  cuts: readonly Cut[],
): (float: number, words: Uint32Array, frame: number) => number {
  const floats = Float64Array.from(cuts, ({ float }) => float);
  if (cuts.length === 0) return () => 0;
  const first = upperHalf(floats[0]!);
  const span = upperHalf(floats[cuts.length - 1]!) - first;
  let shift = 0;
  while (span >>> shift >= MAX_STARTS) shift++;
  /** Cuts whose upper half lies in an earlier entry. */
  const starts = new Uint32Array((span >>> shift) + 2);
  for (const float of floats) starts[((upperHalf(float) - first) >>> shift) + 1]!++;
  for (let s = 1; s < starts.length; s++) starts[s]! += starts[s - 1]!;

  return (float, words, frame) => {
    if (float < floats[0]!) return 0;
    const entry = (upperHalf(float) - first) >>> shift;
    if (entry >= starts.length - 1) return cuts.length;
    let low = starts[entry]!;
    let high = starts[entry + 1]!;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (floats[middle]! <= float) low = middle + 1;
      else high = middle;
    }
    while (low > 0 && floats[low - 1] === float && !isAtLeast(field, words, frame, float, cuts[low - 1]!)) low--;
    return low;
  };
}

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

function upperHalf(float: number): number {
  double[0] = float;
  return halves[1]!;
}
