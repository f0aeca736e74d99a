import type { Frames } from "./frames.ts";
import { fillColumn, type NumberField, wordsOf } from "./number.ts";

/** A field that some rule compares: read once a batch for all rules. */
export interface Column {
  readonly field: NumberField;
  readonly number: number;
}

/** What transactions have in a column: NaN where it is absent. */
export interface Values {
  readonly floats: Float64Array;
  /**
   * The same as words: [2i + 1] is the upper half of a double (sign, exponent, 20 bits of mantissa), which grows with it. So much
   * is compared without a branch, which a processor cannot predict.
   */
  readonly halves: Int32Array;
}

export interface Columns {
  /** The column of a field, added when it is first asked for. */
  of(field: NumberField): Column;
  /** Reads all columns of the transactions from `from` to `to`. */
  fill(frames: Frames, from: number, to: number): void;
  values(column: Column): Values;
  /** Words of a frame that are read. */
  words(): number[];
}

export function createColumns(): Columns {
  const columns = new Map<NumberField, Column>();
  const values: Values[] = [];
  return {
    of(field) {
      let column = columns.get(field);
      if (!column) {
        column = { field, number: columns.size };
        columns.set(field, column);
        values.push(valuesOf(0));
      }
      return column;
    },
    fill(frames, from, to) {
      for (const { field, number } of columns.values()) {
        if (values[number]!.floats.length < frames.count) values[number] = valuesOf(frames.count);
        fillColumn(field, frames, from, to, values[number]!.floats);
      }
    },
    values: ({ number }) => values[number]!,
    words: () => [...columns.keys()].flatMap(wordsOf),
  };
}

function valuesOf(count: number): Values {
  const floats = new Float64Array(count);
  return { floats, halves: new Int32Array(floats.buffer) };
}
