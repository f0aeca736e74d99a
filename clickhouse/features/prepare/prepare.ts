/** Features made ready for a model: numbers scaled, categories encoded, rows in parts by time; all fitted on the train part alone. */
import { type Categories, createEncoder, type Encoding, encoded } from "./encode.ts";
import { createScaler, type Method, type Scaling, scaled } from "./scale.ts";
import { PARTS, type Part, partOf, type Split, type SplitOptions, splitTemporal } from "./split.ts";
import type { FeatureTable, NumberColumn } from "./table.ts";

export interface PrepareOptions {
  readonly method: Method;
  readonly handleOutliers: boolean;
  readonly encoding: Encoding;
  /** Texts of a category that get a number of their own. */
  readonly maxCategories: number;
  readonly split: SplitOptions;
}

export const PREPARE_DEFAULTS = {
  method: "standard",
  handleOutliers: true,
  encoding: "ordinal",
  maxCategories: 32,
  split: {},
} as const satisfies PrepareOptions;

/** What was fitted: written beside the data as JSON, and enough to prepare later rows the same way. */
export interface Preparation {
  readonly version: 1;
  readonly method: Method;
  readonly encoding: Encoding;
  /** Unix seconds: [from, until) of each part; null: to the beginning, or to the end. */
  readonly split: Readonly<Record<Part, readonly [from: number | null, until: number | null]>>;
  readonly numbers: Readonly<Record<string, Scaling>>;
  readonly categories: Readonly<Record<string, Categories>>;
}

/** Rows of one part. NaN is not known. */
export interface PreparedTable {
  readonly part: Part;
  readonly times: Float64Array;
  readonly hashes: readonly string[];
  readonly columns: readonly NumberColumn[];
}

/**
 * Fits to the train part. @param tables the period, twice: once to count its rows by time and to cut, once to fit to what is before the first cut
 * @throws UserError when the period cannot be cut so
 */
export async function fitPreparation(
  tables: () => AsyncIterable<FeatureTable>,
  counts: readonly (readonly [time: number, rows: number])[],
  { method, handleOutliers, encoding, maxCategories, split: shares }: PrepareOptions,
): Promise<Preparation> {
  const split = splitTemporal(counts, shares);
  const scalers = new Map<string, ReturnType<typeof createScaler>>();
  const encoders = new Map<string, ReturnType<typeof createEncoder>>();
  for await (const table of tables()) {
    const rows = rowsOf(split, table.times, "train");
    for (const column of table.columns) {
      if ("numbers" in column) {
        const scaler = scalers.get(column.name) ?? createScaler({ method, handleOutliers });
        scalers.set(column.name, scaler);
        scaler.add(rows.map((i) => column.numbers[i]!));
      } else {
        const encoder = encoders.get(column.name) ?? createEncoder(maxCategories);
        encoders.set(column.name, encoder);
        encoder.add(rows.map((i) => column.texts[i]!));
      }
    }
    if ((table.times.at(-1) ?? 0) >= split.train[1]) break; // what follows is later still
  }
  const bound = (seconds: number): number | null => (Number.isFinite(seconds) ? seconds : null);
  return {
    version: 1,
    method,
    encoding,
    split: Object.fromEntries(PARTS.map((part) => [part, split[part].map(bound)])) as unknown as Preparation["split"],
    numbers: Object.fromEntries([...scalers].map(([name, scaler]) => [name, scaler.fit()])),
    categories: Object.fromEntries([...encoders].map(([name, encoder]) => [name, encoder.fit()])),
  };
}

/** Tables as they come, in parts; rows within an embargo are left out. */
export async function* applyPreparation(
  preparation: Preparation,
  tables: AsyncIterable<FeatureTable>,
): AsyncGenerator<PreparedTable> {
  const split = Object.fromEntries(
    PARTS.map((part) => {
      const [from, until] = preparation.split[part];
      return [part, [from ?? Number.NEGATIVE_INFINITY, until ?? Number.POSITIVE_INFINITY]];
    }),
  ) as unknown as Split;
  for await (const table of tables)
    for (const part of PARTS) {
      const rows = rowsOf(split, table.times, part);
      if (rows.length > 0) yield preparedRows(preparation, table, part, rows);
    }
}

function preparedRows(
  { numbers, categories, encoding }: Preparation,
  table: FeatureTable,
  part: Part,
  rows: readonly number[],
): PreparedTable {
  const columns = table.columns.flatMap((column) =>
    "numbers" in column
      ? [
          {
            name: column.name,
            numbers: scaled(
              Float64Array.from(rows, (i) => column.numbers[i]!),
              numbers[column.name]!,
            ),
          },
        ]
      : encoded(
          column.name,
          rows.map((i) => column.texts[i]!),
          categories[column.name]!,
          encoding,
        ),
  );
  return {
    part,
    times: Float64Array.from(rows, (i) => table.times[i]!),
    hashes: rows.map((i) => table.hashes[i]!),
    columns,
  };
}

const rowsOf = (split: Split, times: Float64Array, part: Part): number[] =>
  [...times.keys()].filter((i) => partOf(split, times[i]!) === part);
