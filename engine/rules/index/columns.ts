import type { Frames } from "./frames.ts";
import { fillColumn, type NumberField } from "./number.ts";

/** A field that some rule compares: read once a batch for all rules. */
export interface Column {
  readonly field: NumberField;
  readonly number: number;
}

export interface Columns {
  /** The column of a field, added when it is first asked for. */
  of(field: NumberField): Column;
  /** Reads all columns of the transactions from `from` to `to`. */
  fill(frames: Frames, from: number, to: number): void;
  values(column: Column): Float64Array;
}

export function createColumns(): Columns {
  const columns = new Map<NumberField, Column>();
  const values: Float64Array[] = [];
  return {
    of(field) {
      let column = columns.get(field);
      if (!column) {
        column = { field, number: columns.size };
        columns.set(field, column);
        values.push(new Float64Array(0));
      }
      return column;
    },
    fill(frames, from, to) {
      for (const { field, number } of columns.values()) {
        if (values[number]!.length < frames.count) values[number] = new Float64Array(frames.count);
        fillColumn(field, frames, from, to, values[number]!);
      }
    },
    values: ({ number }) => values[number]!,
  };
}
