/** What the store says of a dataset's table. */
import { UserError } from "../../engine/ops/errors.ts";
import type { Store } from "../client.ts";
import type { Dataset } from "./datasets.ts";

/** A column of the store. */
export interface StoredColumn {
  readonly name: string;
  /** ClickHouse's type. */
  readonly type: string;
  readonly comment: string;
}

export interface TableShape {
  readonly columns: readonly StoredColumn[];
  /** Expressions that the table is sorted by. */
  readonly sortedBy: readonly string[];
}

/** @throws UserError when the store has no such table (yet) */
export async function readTable(store: Pick<Store, "rows">, { name, table }: Dataset): Promise<TableShape> {
  const [found] = await store.rows<{ sorting_key: string }>(
    "SELECT sorting_key FROM system.tables WHERE database = currentDatabase() AND name = {table:String}",
    { table },
  );
  if (!found)
    throw new UserError(`Cannot export "${name}": the store has no table "${table}", expected one that is there`, {
      next: "npx weir migrate brings the store's tables up to this version",
    });
  const columns = await store.rows<StoredColumn>(
    `SELECT name, type, comment FROM system.columns
     WHERE database = currentDatabase() AND table = {table:String} ORDER BY position`,
    { table },
  );
  return { columns, sortedBy: found.sorting_key.split(/,\s*/) };
}

/** Whether its rows are of blocks, which a chain may replace. */
export const hasBlocks = (columns: readonly StoredColumn[]): boolean =>
  ["chain_id", "block_number", "block_hash"].every((name) => columns.some((column) => column.name === name));
