/**
 * Integers of frames as doubles: one comparison instead of up to eight. The rounding keeps the order (a ≤ b gives
 * float(a) ≤ float(b)), so only equal doubles need a look at the exact words, and below 2^53 there is nothing to round.
 */

import type { BooleanField, FactNumberField, IntegerField } from "../../condition/fields.ts";
import { END, type NumberSet } from "../../condition/intervals.ts";
import type { ArgumentField } from "./argumentField.ts";
import type { ComputedField } from "./computedField.ts";
import type { Frames, Test } from "./frames.ts";
import type { ListField } from "./listField.ts";
import { WORD } from "./words.ts";

/** What a condition compares: numbers, and what is 1 or 0. */
export type NumberField = IntegerField | BooleanField | ListField | ArgumentField | ComputedField;

const WORDS = 8;
const EXACT = 2 ** 53;

/** A bound to compare with: as a double, and in words, least significant first. */
export interface Cut {
  readonly float: number;
  readonly words: Uint32Array;
}

/** @param value in the condition's unit. One at END or above is greater than everything */
export function cutOf(field: NumberField | FactNumberField, value: bigint): Cut {
  const scaled = value * BigInt(field.kind === "integer" ? field.scale : 1);
  const words = Uint32Array.from({ length: WORDS }, (_, i) => Number((scaled >> BigInt(32 * i)) & 0xffff_ffffn));
  return { float: scaled >= END ? Number.POSITIVE_INFINITY : floatOf(words, 0, WORDS), words };
}

/**
 * The sum from the least significant word up, each step rounded. Rounding is monotonic and a sum below 2^(32k) rounds to at
 * most 2^(32k), so a smaller word higher up cannot overtake: the order is kept.
 */
export function floatOf(words: Uint32Array, at: number, width: number): number {
  let float = words[at]!;
  for (let i = 1, scale = 2 ** 32; i < width; i++, scale *= 2 ** 32) float += words[at + i]! * scale;
  return float;
}

/** Reads the field of each frame; NaN, of which every comparison is false, where it is absent. */
export function fillColumn(
  field: NumberField,
  { words, offsets }: Pick<Frames, "words" | "offsets">,
  from: number,
  to: number,
  into: Float64Array,
): void {
  if (field.kind === "boolean") {
    const { bit, when } = field;
    for (let i = from; i < to; i++)
      into[i] = ((words[(offsets[i]! >> 2) + WORD.present]! & bit) !== 0) === when ? 1 : 0;
    return;
  }
  if (field.kind === "list") {
    for (let i = from; i < to; i++) into[i] = field.has(words, offsets[i]! >> 2) ? 1 : 0;
    return;
  }
  if (field.kind === "argument") {
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    for (let i = from; i < to; i++) into[i] = field.largest({ bytes, words }, offsets[i]! >> 2);
    return;
  }
  if (field.kind === "computed") {
    for (let i = from; i < to; i++) into[i] = field.read(words, offsets[i]! >> 2);
    return;
  }
  const { word, width, present, shift, mask } = field;
  for (let i = from; i < to; i++) {
    const frame = offsets[i]! >> 2;
    if (present !== 0 && (words[frame + WORD.present]! & present) === 0) {
      into[i] = Number.NaN;
      continue;
    }
    const at = frame + word;
    if (width === 1) into[i] = ((words[at]! >>> shift) & mask) >>> 0;
    else {
      let float = words[at]! + words[at + 1]! * 2 ** 32;
      let upper = 0; // hardly ever anything else
      for (let w = 2; w < width; w++) upper |= words[at + w]!;
      if (upper !== 0)
        for (let w = 2, scale = 2 ** 64; w < width; w++, scale *= 2 ** 32) float += words[at + w]! * scale;
      into[i] = float;
    }
  }
}

/** Words of a frame that fillColumn reads. */
export function wordsOf(field: NumberField): number[] {
  const value = field.kind === "integer" ? Array.from({ length: field.width }, (_, i) => field.word + i) : [];
  return [WORD.present, ...value];
}

/** Is the frame's value at least the cut? `float` is what fillColumn read. */
export function isAtLeast(field: NumberField, words: Uint32Array, frame: number, float: number, cut: Cut): boolean {
  if (float !== cut.float) return float > cut.float;
  if (float < EXACT) return true;
  if (field.kind === "integer") return areAtLeast(words, frame + field.word, field.width, cut);
  return (
    field.kind !== "computed" || !field.exact || areAtLeast(words, field.exact.at(words, frame), field.exact.width, cut)
  );
}

/** Are the words of a number at least the cut? */
function areAtLeast(words: Uint32Array, at: number, width: number, cut: Cut): boolean {
  for (let i = WORDS - 1; i >= 0; i--) {
    const own = i < width ? words[at + i]! : 0;
    if (own !== cut.words[i]) return own > cut.words[i]!;
  }
  return true;
}

/** Do the words of a number lie in one of these intervals, which end before their second cut? */
export function isWithin(
  words: Uint32Array,
  at: number,
  width: number,
  intervals: readonly (readonly [Cut, Cut])[],
): boolean {
  return intervals.some(
    ([from, to]) =>
      areAtLeast(words, at, width, from) &&
      (to.float === Number.POSITIVE_INFINITY || !areAtLeast(words, at, width, to)),
  );
}

/** Whether the field of a frame belongs to a set. */
export function numberTest(field: NumberField, set: NumberSet): Test {
  const intervals = set.intervals.map(([from, to]) => [cutOf(field, from), cutOf(field, to)] as const);
  const one = new Float64Array(1);
  const offsets = new Uint32Array(1);
  return ({ words }, frame) => {
    offsets[0] = frame << 2;
    fillColumn(field, { words, offsets }, 0, 1, one);
    const float = one[0]!;
    if (Number.isNaN(float)) return set.absent;
    for (const [from, to] of intervals)
      if (isAtLeast(field, words, frame, float, from)) {
        if (!isAtLeast(field, words, frame, float, to)) return true;
      } else return false;
    return false;
  };
}
