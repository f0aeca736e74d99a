/** One table's part of a segment: written, read back and compared before anybody relies on it. */
import { WeirError } from "../../engine/ops/errors.ts";
import type { Params, Store } from "../client.ts";
import { ObjectMissing } from "../objectStore.ts";
import { quoteName } from "../quote.ts";
import {
  checksum,
  FILE_FORMAT,
  fileName,
  fileSettings,
  fromFile,
  microsOf,
  structureOf,
  type TableColumns,
  toFile,
} from "./columns.ts";
import type { Compression, Format, Manifest, SegmentFile } from "./manifest.ts";
import type { ArchivePlace } from "./place.ts";

/** How files are written. */
export interface Encoding {
  readonly format: Format;
  readonly compression: Compression;
  /** Rows written at a time: a row group of Parquet. */
  readonly batch: number;
}

interface Content {
  readonly rows: string;
  readonly checksum: string;
  readonly first: string;
  readonly last: string;
}

const contentOf = (columns: TableColumns): string =>
  `toString(count()) AS rows, ${checksum(columns)} AS checksum, toString(min(${microsOf(columns)})) AS first, toString(max(${microsOf(columns)})) AS last`;

/**
 * Writes the rows of a table for which a condition holds as a file of a segment that was begun, in the order of their positions.
 * @returns undefined when there are none
 * @throws Error when what was written is not what is stored; StoreUnavailable, StoreRefused
 */
export async function writeSegmentFile(
  store: Store,
  place: ArchivePlace,
  id: string,
  table: string,
  columns: TableColumns,
  condition: { readonly sql: string; readonly params: Params },
  { format, compression, batch }: Encoding,
): Promise<SegmentFile | undefined> {
  const reads = store.readingFiles(place.prefix); // the condition may name files of the archive
  const from = `${table} WHERE ${condition.sql}`;
  const [stored] = await reads.rows<Content>(`SELECT ${contentOf(columns)} FROM ${from}`, condition.params);
  if (stored!.rows === "0") return undefined;
  const file = fileName(table, format, compression);
  const target = place.files([id], file, FILE_FORMAT[format], structureOf(columns, format), true);
  const order = columns.some(([name]) => name === "n") ? "partition, offset, n" : "partition, offset";
  await store.command(
    `INSERT INTO FUNCTION ${target} SELECT ${toFile(columns, format)} FROM ${from} ORDER BY ${order}
     SETTINGS ${fileSettings(format, compression, batch)}`,
    condition.params,
  );
  const written = await readContent(store, place, { id, format, draft: true }, file, columns);
  if (written.rows !== stored!.rows || written.checksum !== stored!.checksum)
    throw new Error(
      `Cannot archive "${table}": ${written.rows} rows with checksum ${written.checksum} can be read back, expected ${stored!.rows} with ${stored!.checksum}`,
    );
  const { bytes, sha256 } = await place.digest(id, file, true);
  const { rows, ...content } = written;
  return { file, rows: Number(rows), bytes, sha256, ...content, columns: columns.map(([name, type]) => [name, type]) };
}

/** What is wrong with a file of a segment, in words; undefined: nothing. @throws UserError, ServiceUnavailable of a bucket; StoreUnavailable */
export async function checkSegmentFile(
  store: Store,
  place: ArchivePlace,
  { id, format }: Manifest,
  file: SegmentFile,
): Promise<string | undefined> {
  const found = await place.digest(id, file.file).catch((error: Error) => {
    if (error instanceof WeirError && !(error instanceof ObjectMissing)) throw error; // it may be well where it is
    return error.message;
  });
  if (typeof found === "string") return `it cannot be read: ${found}`;
  if (found.bytes !== file.bytes) return `it has ${found.bytes} bytes, expected ${file.bytes}`;
  if (found.sha256 !== file.sha256) return `its sha256 is ${found.sha256}, expected ${file.sha256}`;
  const { rows, checksum } = await readContent(store, place, { id, format }, file.file, file.columns);
  if (Number(rows) !== file.rows) return `it has ${rows} rows, expected ${file.rows}`;
  return checksum === file.checksum ? undefined : `the checksum of its rows is ${checksum}, expected ${file.checksum}`;
}

async function readContent(
  store: Store,
  place: ArchivePlace,
  segment: { readonly id: string; readonly format: Format; readonly draft?: boolean },
  file: string,
  columns: TableColumns,
): Promise<Content> {
  const { id, format, draft } = segment;
  const source = place.files([id], file, FILE_FORMAT[format], structureOf(columns, format), draft);
  const [content] = await store
    .readingFiles(place.prefix)
    .rows<Content>(`SELECT ${contentOf(columns)} FROM (SELECT ${fromFile(columns, format)} FROM ${source})`);
  return content!;
}

/**
 * The rows of a table in some segments, as a table with the columns that the store has now.
 * @returns text that stands behind FROM; a table without rows where no segment has any
 */
export function archivedRows(
  place: ArchivePlace,
  segments: readonly Manifest[],
  table: string,
  columns: TableColumns,
): string {
  const groups = new Map<string, Manifest[]>();
  for (const segment of segments) {
    const file = segment.tables[table];
    if (file === undefined) continue;
    const key = `${segment.format} ${file.file}`;
    groups.set(key, [...(groups.get(key) ?? []), segment]);
  }
  const names = columns.map(([name]) => quoteName(name)).join(", ");
  if (groups.size === 0) return `(SELECT ${names} FROM ${table} WHERE 0)`;
  const each = [...groups.values()].map((group) => {
    const { format, tables } = group[0]!;
    const ids = group.map(({ id }) => id);
    const source = place.files(ids, tables[table]!.file, FILE_FORMAT[format], structureOf(columns, format));
    return `SELECT ${fromFile(columns, format)} FROM ${source}`;
  });
  return `(${each.join(" UNION ALL ")})`;
}
