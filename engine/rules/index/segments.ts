import type { Columns } from "./columns.ts";
import type { Frames } from "./frames.ts";
import { cutOf, isAtLeast, type NumberField } from "./number.ts";

/** The segments that a field's bounds cut its range into: a value's is how many bounds are at or below it. */
export interface Segments {
  readonly bounds: readonly bigint[];
  /** The segment of those that lack the field, behind the bounds.length + 1 of values. */
  readonly absent: number;
  /** How many there are. */
  readonly count: number;
  /** Writes the segments of the transactions from `from` to `to`, counted from `first`, to their places in `into`. */
  find(frames: Frames, from: number, to: number, columns: Columns, into: Uint32Array, first: number): void;
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
  const lowest = cuts.length > 0 ? upperHalf(floats[0]!) : 0;
  const span = cuts.length > 0 ? upperHalf(floats[cuts.length - 1]!) - lowest : 0;
  let shift = 0;
  while (span >>> shift >= MAX_STARTS) shift++;
  /** Cuts whose upper half lies in an earlier entry. */
  const starts = new Uint32Array((span >>> shift) + 2);
  for (const float of floats) starts[((upperHalf(float) - lowest) >>> shift) + 1]!++;
  for (let s = 1; s < starts.length; s++) starts[s]! += starts[s - 1]!;

  /** How many cuts are at or below a value. */
  function numberOf(float: number, half: number, words: Uint32Array, frame: number): number {
    if (cuts.length === 0 || float < floats[0]!) return 0;
    const entry = (half - lowest) >>> shift;
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

  return {
    bounds,
    absent,
    count: absent + 1,
    find({ words, offsets }, from, to, filled, into, first) {
      const { floats: values, halves } = filled.values(column);
      for (let i = from; i < to; i++) {
        const float = values[i]!;
        into[i] = first + (Number.isNaN(float) ? absent : numberOf(float, halves[2 * i + 1]!, words, offsets[i]! >> 2));
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
