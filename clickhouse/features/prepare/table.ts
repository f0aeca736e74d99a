import { createInterface } from "node:readline";
import type { Store } from "../../client.ts";
import { type FeatureColumn, selectColumns } from "../catalogue.ts";
import { type FeatureRequest, planFeatures } from "../chunks.ts";

/** Rows of some blocks by column, as Arrow has them. */
export interface FeatureTable {
  /** Unix seconds of each row's block, ascending. */
  readonly times: Float64Array;
  /** Hash of each row's transaction, 0x. */
  readonly hashes: readonly string[];
  readonly columns: readonly NamedColumn[];
}

export type NamedColumn = NumberColumn | CategoryColumn;

export interface NumberColumn {
  readonly name: string;
  /** NaN is not known. */
  readonly numbers: Float64Array;
}

export interface CategoryColumn {
  readonly name: string;
  /** null is not known. */
  readonly texts: readonly (string | null)[];
}

/** Features of a period as tables, in order: one a chunk of the request, so memory is that of a chunk. */
export async function* readFeatureTables(store: Store, request: FeatureRequest): AsyncGenerator<FeatureTable> {
  const columns = selectColumns(request.names);
  for (const { sql, params } of await planFeatures(store, request)) {
    const names = ["toUnixTimestamp(block_timestamp)", "tx_hash", ...columns.map(({ name }) => name)];
    const bytes = await store.stream(`SELECT ${names.join(", ")} FROM (${sql})`, params, "JSONCompactEachRow");
    const rows: unknown[][] = [];
    for await (const line of createInterface({ input: bytes })) rows.push(JSON.parse(line) as unknown[]);
    yield {
      times: Float64Array.from(rows, (row) => row[0] as number),
      hashes: rows.map((row) => row[1] as string),
      columns: columns.map((column, i) => columnOf(column, rows, i + 2)),
    };
  }
}

function columnOf({ name, feature }: FeatureColumn, rows: readonly unknown[][], at: number): NamedColumn {
  if (feature.kind === "category") return { name, texts: rows.map((row) => row[at] as string | null) };
  return { name, numbers: Float64Array.from(rows, (row) => (row[at] as number | null) ?? Number.NaN) };
}
