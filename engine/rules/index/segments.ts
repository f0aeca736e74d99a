import type { Columns } from "./columns.ts";
import type { Frames } from "./frames.ts";
import { cutOf, isAtLeast, type NumberField } from "./number.ts";

/** The segments that a field's bounds cut its range into; found once a batch for all terms. */
export interface Segments {
  readonly bounds: readonly bigint[];
  /** The segment of those that lack the field, behind the bounds.length + 1 of values. */
  readonly absent: number;
  /** Of each transaction: how many bounds are at or below its value. */
  readonly numbers: Uint32Array;
  find(frames: Frames, from: number, to: number, columns: Columns): void;
}

/** Most entries of the table that says where to begin. */
const MAX_STARTS = 4_096;

/**
 * The upper half of a double (sign, exponent, 20 bits of mantissa) grows with the double, so a few of its bits index a table of
 * where to begin, nearly evenly whatever the magnitudes; then it is a step or two.
 *
 * @param bounds ascending
 */
export function createSegments(field: NumberField, bounds: readonly bigint[], columns: Columns): Segments {
  const column = columns.of(field);
  const cuts = bounds.map((bound) => cutOf(field, bound));
  const floats = Float64Array.from(cuts, ({ float }) => float);
  const absent = bounds.length + 1;
  const first = cuts.length > 0 ? upperHalf(floats[0]!) : 0;
  const span = cuts.length > 0 ? upperHalf(floats[cuts.length - 1]!) - first : 0;
  let shift = 0;
  while (span >>> shift >= MAX_STARTS) shift++;
  /** Cuts whose upper half lies in an earlier entry. */
  const starts = new Uint32Array((span >>> shift) + 2);
  for (const float of floats) starts[((upperHalf(float) - first) >>> shift) + 1]!++;
  for (let s = 1; s < starts.length; s++) starts[s]! += starts[s - 1]!;

  /** How many cuts are at or below a value. */
  function numberOf(float: number, words: Uint32Array, frame: number): number {
    if (cuts.length === 0 || float < floats[0]!) return 0;
    const entry = (upperHalf(float) - first) >>> shift;
    if (entry >= starts.length - 1) return cuts.length;
    let low = starts[entry]!;
    let high = starts[entry + 1]!;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (floats[middle]! <= float) low = middle + 1;
      else high = middle;
    }
    // where the doubles are equal, the words decide
    while (low > 0 && floats[low - 1] === float && !isAtLeast(field, words, frame, float, cuts[low - 1]!)) low--;
    return low;
  }

  let numbers = new Uint32Array(0);
  return {
    bounds,
    absent,
    get numbers() {
      return numbers;
    },
    find({ words, offsets, count }, from, to, filled) {
      if (numbers.length < count) numbers = new Uint32Array(count);
      const values = filled.values(column);
      for (let i = from; i < to; i++) {
        const float = values[i]!;
        numbers[i] = Number.isNaN(float) ? absent : numberOf(float, words, offsets[i]! >> 2);
      }
    },
  };
}

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

function upperHalf(float: number): number {
  double[0] = float;
  return halves[1]!;
}
