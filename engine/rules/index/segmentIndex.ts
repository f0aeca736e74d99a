/**
 * Terms without a key: only numbers to go by ("value between", "not on chain 1"), or nothing at all. The bounds of all terms cut
 * each field's range into segments, within which no term changes its mind; a segment has a bit for each term.
 *
 *     value:     0 ──── 5 ──── 9 ──────▶   absent        a: value < 9   b: value ≥ 5   c: not value ≥ 5
 *       bits:     a,c     a,b     b         c
 *
 * A transaction takes one row of bits a field; terms whose bit is set in all of them hold. Terms that ask the same fields come in
 * blocks of 1,024, ordered by their bounds, so that those which hold together stand together: a summary of a row (a bit
 * for each of its 32 words) mostly says after one AND that a block has nothing. Bitmaps over elementary segments: de Berg et
 * al., Computational Geometry, ch. 10.3.
 */
import { END, EVERYTHING, type NumberSet } from "../../condition/intervals.ts";
import type { Columns } from "./columns.ts";
import { type Frames, holds, type Test } from "./frames.ts";
import type { RuleTerm } from "./keyIndex.ts";
import type { NumberField } from "./number.ts";
import type { Pairs } from "./pairs.ts";
import { createSegments, type Segments } from "./segments.ts";

/** As many words as a summary has bits. */
const BLOCK_WORDS = 32;
const BLOCK_TERMS = BLOCK_WORDS * 32;

export interface SegmentIndex {
  /** Adds the pairs of the transactions from `from` to `to`, whose columns are filled. */
  select(frames: Frames, from: number, to: number, columns: Columns, pairs: Pairs): void;
}

export function createSegmentIndex(terms: readonly RuleTerm[], columns: Columns): SegmentIndex {
  const fields = [...new Set(terms.flatMap(({ numbers }) => [...numbers.keys()]))];
  const segmentsOf = new Map(fields.map((field) => [field, createSegments(field, boundsOf(terms, field), columns)]));
  const blocks: Block[] = [];
  for (const alike of byFields(terms))
    for (let from = 0; from < alike.length; from += BLOCK_TERMS)
      blocks.push(createBlock(alike.slice(from, from + BLOCK_TERMS), segmentsOf));
  return {
    select(frames, from, to, filled, pairs) {
      for (const segments of segmentsOf.values()) segments.find(frames, from, to, filled);
      for (const block of blocks) block(frames, from, to, pairs);
    },
  };
}

/** Where any term changes its mind. */
function boundsOf(terms: readonly RuleTerm[], field: NumberField): bigint[] {
  const all = new Set(terms.flatMap(({ numbers }) => numbers.get(field)?.intervals.flat() ?? []));
  return [...all].filter((bound) => bound > 0n && bound < END).sort((a, b) => (a < b ? -1 : 1));
}

/** Terms that ask the same fields together, by their first bounds. */
function byFields(terms: readonly RuleTerm[]): RuleTerm[][] {
  const groups = new Map<string, RuleTerm[]>();
  for (const term of terms) {
    const name = [...term.numbers.keys()]
      .map((field) => field.name)
      .sort()
      .join(" ");
    const group = groups.get(name);
    if (group) group.push(term);
    else groups.set(name, [term]);
  }
  for (const group of groups.values()) {
    const [field] = mostBounds(group);
    if (field === undefined) continue;
    const first = (term: RuleTerm): bigint => term.numbers.get(field)!.intervals[0]?.[0] ?? 0n;
    const last = (term: RuleTerm): bigint => term.numbers.get(field)!.intervals.at(-1)?.[1] ?? 0n;
    group.sort((a, b) => compare(first(a), first(b)) || compare(last(a), last(b)) || a.rule - b.rule);
  }
  return [...groups.values()];
}

/** The fields of like terms, the one that tells them apart best first. */
function mostBounds(terms: readonly RuleTerm[]): NumberField[] {
  const fields = [...terms[0]!.numbers.keys()];
  const bounds = new Map(fields.map((field) => [field, boundsOf(terms, field).length]));
  return fields.sort((a, b) => bounds.get(b)! - bounds.get(a)!);
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

type Block = (frames: Frames, from: number, to: number, pairs: Pairs) => void;

function createBlock(terms: readonly RuleTerm[], segmentsOf: ReadonlyMap<NumberField, Segments>): Block {
  const axes = mostBounds(terms).map((field) => createAxis(field, terms, segmentsOf.get(field)!));
  const rules = Uint32Array.from(terms, ({ rule }) => rule);
  const tests: readonly (readonly Test[])[] = terms.map((term) => term.tests);
  const words = Math.ceil(terms.length / 32);
  /** Bits of the last word that are terms, and words that there are. */
  const lastWord = terms.length % 32 === 0 ? -1 : 2 ** (terms.length % 32) - 1;
  const allWords = words === 32 ? -1 : 2 ** words - 1;
  const rows = new Uint32Array(axes.length);

  return (frames, from, to, pairs) => {
    next: for (let i = from; i < to; i++) {
      let live = allWords;
      for (let a = 0; a < axes.length; a++) {
        const axis = axes[a]!;
        const row = axis.rowOf[axis.segments.numbers[i]!]!;
        live &= axis.summaries[row]!;
        if (live === 0) continue next;
        rows[a] = row * words;
      }
      for (; live !== 0; live &= live - 1) {
        const w = 31 - Math.clz32(live & -live);
        let bits = w === words - 1 ? lastWord : -1;
        for (let a = 0; a < axes.length; a++) bits &= axes[a]!.bits[rows[a]! + w]!;
        for (; bits !== 0; bits &= bits - 1) {
          const term = w * 32 + 31 - Math.clz32(bits & -bits);
          if (holds(tests[term]!, frames, frames.offsets[i]! >> 2)) pairs.push(rules[term]!, i);
        }
      }
    }
  };
}

/** One field of a block. The block has bounds of its own, fewer than all terms together have. */
interface Axis {
  readonly segments: Segments;
  /** The block's row for each segment of the field. */
  readonly rowOf: Uint16Array;
  /** Rows of bits. */
  readonly bits: Uint32Array;
  /** Of each row, which of its words are not 0. */
  readonly summaries: Uint32Array;
}

function createAxis(field: NumberField, terms: readonly RuleTerm[], segments: Segments): Axis {
  const words = Math.ceil(terms.length / 32);
  const sets = terms.map(({ numbers }) => numbers.get(field) ?? EVERYTHING);
  const bounds = boundsOf(terms, field);
  const bits = fillRows(sets, bounds);
  const summaries = new Uint32Array(bits.length / words);
  for (let row = 0; row < summaries.length; row++)
    for (let w = 0; w < words; w++) if (bits[row * words + w] !== 0) summaries[row]! |= 1 << w;

  const rowOf = new Uint16Array(segments.bounds.length + 2);
  for (let s = 0, row = 0; s <= segments.bounds.length; s++) {
    if (s > 0 && segments.bounds[s - 1] === bounds[row]) row++;
    rowOf[s] = row;
  }
  rowOf[segments.absent] = bounds.length + 1;
  return { segments, rowOf, bits, summaries };
}

/** Rows for the segments before, between and behind the bounds, and one for the absent. */
function fillRows(sets: readonly NumberSet[], bounds: readonly bigint[]): Uint32Array {
  const words = Math.ceil(sets.length / 32);
  const bits = new Uint32Array((bounds.length + 2) * words);
  const numberOf = new Map(bounds.map((bound, i) => [bound, i + 1]));
  const mark = (row: number, term: number): void => {
    bits[row * words + (term >> 5)]! |= 1 << (term & 31);
  };
  for (const [term, { intervals, absent }] of sets.entries()) {
    for (const [from, to] of intervals) {
      const last = to === END ? bounds.length + 1 : numberOf.get(to)!;
      for (let row = from === 0n ? 0 : numberOf.get(from)!; row < last; row++) mark(row, term);
    }
    if (absent) mark(bounds.length + 1, term);
  }
  return bits;
}
