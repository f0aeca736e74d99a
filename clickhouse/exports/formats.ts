/** The file formats, and how ClickHouse is asked for each: as the file itself, or as Arrow that we write as something else. */
import type { Readable } from "node:stream";
import { UserError } from "../../engine/ops/errors.ts";
import type { Settings } from "../client.ts";
import type { StoredColumn } from "./storedTable.ts";

export type FormatName = "csv" | "parquet" | "json" | "ndjson" | "arrow" | "hdf5" | "tfrecord";
export type Compression = "none" | "gzip" | "snappy" | "lz4" | "zstd";

/**
 * How values are given. All: bytes as hex, integers of 128 bits and more as decimal text.
 * - `flat`: lists as JSON text, since a cell has one value
 * - `nested`: lists stay lists
 * - `plain`: lists as JSON text, times as µs since 1970, decimals as doubles: numbers and texts only
 * - `features`: as plain, but lists of one level stay lists
 */
export type Shape = "flat" | "nested" | "plain" | "features";

export interface Format {
  readonly name: string;
  readonly extension: string;
  readonly mediaType: string;
  readonly shape: Shape;
  /** What ClickHouse makes. */
  readonly from: "CSVWithNames" | "JSONEachRow" | "Parquet" | "Arrow" | "ArrowStream";
  /** The first is the default. */
  readonly compressions: readonly Compression[];
  settings(compression: Compression): Settings;
  /** What makes the file of what ClickHouse gives, where that is somebody's exporter (customFormat.ts). */
  readonly encode?: (from: Readable, columns: readonly StoredColumn[]) => Readable;
}

const TEXT = {
  date_time_output_format: "iso",
  output_format_json_quote_64bit_integers: 0, // whole in the text; whoever reads them as doubles has 53 bits
  output_format_json_quote_decimals: 1,
  output_format_json_escape_forward_slashes: 0,
  output_format_json_validate_utf8: 1, // messages are strangers' bytes
  format_csv_null_representation: "", // a text that is empty is ""
} as const;

const arrow = (compression: Compression): Settings => ({
  output_format_arrow_compression_method: compression === "lz4" ? "lz4_frame" : compression,
});

/**
 * Row groups of 200,000: what a reader, and the store as writer, holds at a time. Columns of hashes have no two equal values, so a
 * dictionary is given up soon; a Bloom filter would cost a quarter of the time for what few readers use.
 */
const parquet = (compression: Compression): Settings => ({
  output_format_parquet_compression_method: compression,
  ...(compression === "zstd" ? { output_format_compression_level: 1 } : {}), // a tenth faster than 3: hashes become no smaller
  output_format_parquet_row_group_size: 200_000,
  output_format_parquet_max_dictionary_size: 65_536,
  output_format_parquet_write_bloom_filter: 0,
});

export const FORMATS: Readonly<Record<FormatName, Format>> = {
  csv: {
    name: "csv",
    extension: "csv",
    mediaType: "text/csv",
    shape: "flat",
    from: "CSVWithNames",
    compressions: ["none", "gzip"],
    settings: () => TEXT,
  },
  parquet: {
    name: "parquet",
    extension: "parquet",
    mediaType: "application/vnd.apache.parquet",
    shape: "nested",
    from: "Parquet",
    compressions: ["zstd", "snappy", "gzip", "none"],
    settings: parquet,
  },
  json: {
    name: "json",
    extension: "json",
    mediaType: "application/json",
    shape: "nested",
    from: "JSONEachRow",
    compressions: ["none", "gzip"],
    settings: () => ({ ...TEXT, output_format_json_array_of_rows: 1 }),
  },
  ndjson: {
    name: "ndjson",
    extension: "ndjson",
    mediaType: "application/x-ndjson",
    shape: "nested",
    from: "JSONEachRow",
    compressions: ["none", "gzip"],
    settings: () => TEXT,
  },
  arrow: {
    name: "arrow",
    extension: "arrow",
    mediaType: "application/vnd.apache.arrow.file",
    shape: "nested",
    from: "Arrow",
    compressions: ["lz4", "zstd", "none"],
    settings: arrow,
  },
  hdf5: {
    name: "hdf5",
    extension: "h5",
    mediaType: "application/x-hdf5",
    shape: "plain",
    from: "ArrowStream",
    compressions: ["none", "gzip"],
    settings: () => arrow("none"),
  },
  tfrecord: {
    name: "tfrecord",
    extension: "tfrecord",
    mediaType: "application/octet-stream",
    shape: "features",
    from: "ArrowStream",
    compressions: ["none", "gzip"],
    settings: () => arrow("none"),
  },
};

export const FORMAT_NAMES = Object.keys(FORMATS) as [FormatName, ...FormatName[]];

const ADDED = new Map<string, Format>();

/** For as long as this process lives. @throws UserError when there is one of its name */
export function addFormat(format: Format): void {
  if (formatNames().includes(format.name))
    throw new UserError(`Cannot add the format "${format.name}": there is one of this name, expected another`);
  ADDED.set(format.name, format);
}

/** With those that were added. */
export const formatNames = (): readonly string[] => [...FORMAT_NAMES, ...ADDED.keys()];

/** @param name one of formatNames */
export const formatOf = (name: string): Format => ADDED.get(name) ?? FORMATS[name as FormatName];

/** Of Parquet, Arrow and HDF5 the compression is inside the file; of the others it is around it, and the name says so. */
export const isWrapped = (format: Format, compression: Compression): boolean =>
  compression === "gzip" &&
  (["csv", "json", "ndjson", "tfrecord"].includes(format.name) || format.encode !== undefined);

export const extensionOf = (format: Format, compression: Compression): string =>
  isWrapped(format, compression) ? `${format.extension}.gz` : format.extension;
