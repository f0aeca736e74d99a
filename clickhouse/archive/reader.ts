/** Reads the archive without restoring it: lists its segments, and asks a table in those that may have what is wanted. */

import type { Store } from "../client.ts";
import { blockStatus, commonConditions, countQuery, equalHex } from "../queries/list.ts";
import { readList } from "../queries/readList.ts";
import type { Condition, ListSpec, Page } from "../queries/types.ts";
import { quoteName } from "../quote.ts";
import { ARCHIVED_TABLES, holdsBytes, inHex, readColumns, rowHash, type TableColumns, timeOf } from "./columns.ts";
import { effective, type Manifest, mayHold } from "./manifest.ts";
import type { ArchivePlace } from "./place.ts";
import { archivedRows } from "./segmentFile.ts";

export interface ArchiveFilter {
  readonly chainId?: number | undefined;
  readonly since?: Date | undefined;
  /** Not included. */
  readonly until?: Date | undefined;
}

export interface ArchivedRowFilter extends ArchiveFilter {
  /** Of a transaction, 0x and 64 hex digits. */
  readonly hash?: string | undefined;
  /** In any column that holds addresses, 0x and 40 hex digits. */
  readonly address?: string | undefined;
  readonly blockNumber?: number | undefined;
}

/** A row with all its columns: bytes in hex, times as RFC 3339, integers of 64 bits and more as decimal text; and `block_status`. */
export type ArchivedRow = Record<string, unknown> & { readonly cursor: readonly string[] };

export interface ArchivedPage {
  readonly rows: readonly ArchivedRow[];
  /** Of all pages. */
  readonly total: string;
  /** Segments that were looked into. */
  readonly segments: number;
}

export interface ArchiveReader {
  /** Segments, oldest first. @throws Error when a manifest cannot be read */
  segments(filter?: ArchiveFilter): Promise<Manifest[]>;
  /**
   * Rows of a table, newest first.
   * @throws RangeError for a table that is not archived, or when more than MAX_SEGMENTS would have to be looked into
   */
  rows(table: string, filter: ArchivedRowFilter, page: Page): Promise<ArchivedPage>;
}

/** A file each: more at once is a report that needs its rows in the store. */
export const MAX_SEGMENTS = 1_000;

export function createArchiveReader(store: Store, place: ArchivePlace): ArchiveReader {
  const reads = store.readingFiles(place.prefix);
  const segments = async (table: string | undefined, { since, until, chainId }: ArchiveFilter): Promise<Manifest[]> => {
    const period = { since: toMicros(since), until: toMicros(until), chainId };
    return effective(await place.manifests()).filter((segment) =>
      (table === undefined ? Object.keys(segment.tables) : [table]).some((each) => mayHold(segment, each, period)),
    );
  };

  return {
    segments: (filter = {}) => segments(undefined, filter),

    async rows(table, filter, page) {
      if (!ARCHIVED_TABLES.includes(table))
        throw new RangeError(
          `Cannot read table "${table}" of the archive: there is none, expected one of ${ARCHIVED_TABLES.join(", ")}`,
        );
      const columns = (await readColumns(store)).get(table)!;
      const found = await segments(table, filter);
      if (found.length > MAX_SEGMENTS)
        throw new RangeError(
          `Cannot look into ${found.length} segments of the archive at once: expected at most ${MAX_SEGMENTS}; ask for less time with since and until`,
        );
      const list = listOf(place, found, table, columns);
      const conditions = conditionsOf(columns, filter);
      const count = countQuery({ ...list, table: archivedRows(place, found, table, columns) }, conditions);
      const [{ rows }, [counted]] = await Promise.all([
        readList<ArchivedRow>(reads, list, conditions, page, { output_format_json_quote_denormals: 1 }),
        reads.rows<{ total: string }>(count.sql, count.params),
      ]);
      return { rows, total: counted!.total, segments: found.length };
    },
  };
}

const toMicros = (date: Date | undefined): bigint | undefined => date && BigInt(date.getTime()) * 1_000n;

/** Rows have no number of their own in every table: their hash makes the order one. The time is the table's own. */
export const ARCHIVED_ORDER = {
  time: "event_time",
  ties: { source: "String", partition: "UInt16", offset: "UInt64", row_hash: "String" },
} as const;

function listOf(place: ArchivePlace, segments: readonly Manifest[], table: string, columns: TableColumns): ListSpec {
  const hasBlock = columns.some(([name]) => name === "block_hash");
  return {
    table: `(SELECT *, lower(hex(${rowHash(columns)})) AS row_hash FROM ${archivedRows(place, segments, table, columns)})`,
    order: { ...ARCHIVED_ORDER, time: timeOf(columns) },
    columns: [...columns.map(shown), ...(hasBlock ? [`${blockStatus} AS block_status`] : [])],
  };
}

function shown([name, type]: readonly [string, string]): string {
  const column = `t.${quoteName(name)}`;
  if (holdsBytes(name, type)) return `${inHex(type, column, "0x")} AS ${quoteName(name)}`;
  return `${column} AS ${quoteName(name)}`;
}

function conditionsOf(
  columns: TableColumns,
  { hash, address, blockNumber, ...filter }: ArchivedRowFilter,
): Condition[] {
  const has = (wanted: string): boolean => columns.some(([name]) => name === wanted);
  const addresses = columns.filter(([, type]) => /^(Nullable\()?FixedString\(20\)/.test(type)).map(([name]) => name);
  const none: Condition = { sql: "0" };
  return [
    ...commonConditions(has("chain_id") ? filter : { ...filter, chainId: undefined }, timeOf(columns)),
    ...(hash === undefined
      ? []
      : has("hash")
        ? equalHex("hash", hash)
        : has("tx_hash")
          ? equalHex("tx_hash", hash)
          : [none]),
    ...(blockNumber === undefined
      ? []
      : has("block_number")
        ? [{ sql: "t.block_number = {block_number:UInt64}", params: { block_number: blockNumber } }]
        : [none]),
    ...(address === undefined
      ? []
      : addresses.length === 0
        ? [none]
        : [
            {
              sql: addresses.map((name) => `t.${quoteName(name)} = unhex({address:String})`).join(" OR "),
              params: { address: address.slice(2) },
            },
          ]),
  ];
}
