/**
 * Tables of the store as the archive's files have them. What is archived of each table is all its columns, as the store has them at that time;
 * what a file lacks, since a later version added it, is read as the column's default.
 */
import type { StoreReads } from "../client.ts";
import { quoteName, quoteText } from "../quote.ts";
import { COLUMNS } from "../tables.ts";
import type { Format } from "./manifest.ts";

/** Of a table, in its order. */
export type TableColumns = readonly (readonly [name: string, type: string])[];

/**
 * Tables whose rows have a position and stay as they were inserted. What rules remember (`rule_state`) is no history: of each key the last row counts
 * for ever.
 */
export const ARCHIVED_TABLES = Object.keys(COLUMNS).filter((table) => table !== "rule_state");

/** The moment that a row of a table is about, as retention and periods mean it, in µs since 1970. */
export function microsOf(columns: TableColumns): string {
  const name = timeOf(columns);
  const [, precision] = /DateTime64\((\d)/.exec(columns.find(([each]) => each === name)![1])!;
  // Not by ClickHouse's conversions, which fail where strangers' times end beyond what they can hold.
  return `reinterpretAsInt64(${name}) * ${10 ** (6 - Number(precision))}`;
}

/** Its column. */
export const timeOf = (columns: TableColumns): string =>
  columns.some(([name]) => name === "event_time") ? "event_time" : "record_time";

export const FILE_FORMAT = { parquet: "Parquet", json: "JSONEachRow" } as const satisfies Record<Format, string>;

/** The columns of the archived tables that are in the store. */
export async function readColumns(store: StoreReads): Promise<Map<string, TableColumns>> {
  const rows = await store.rows<{ table: string; name: string; type: string }>(
    `SELECT table, name, type FROM system.columns
     WHERE database = currentDatabase() AND table IN {tables:Array(String)} AND default_kind NOT IN ('MATERIALIZED', 'ALIAS', 'EPHEMERAL')
     ORDER BY table, position`,
    { tables: ARCHIVED_TABLES },
  );
  const columns = new Map<string, [string, string][]>();
  for (const { table, name, type } of rows) columns.set(table, [...(columns.get(table) ?? []), [name, type]]);
  return columns;
}

/**
 * A hash of a row by these columns, 128 bits. Over the row's bytes, since hash functions make nothing of NULL.
 */
export const rowHash = (columns: TableColumns): string =>
  `sipHash128(formatRow('RowBinary', ${columns.map(([name]) => quoteName(name)).join(", ")}))`;

/** Of all rows, in any order: two that are alike count twice. */
export const checksum = (columns: TableColumns): string => `toString(sum(reinterpretAsUInt128(${rowHash(columns)})))`;

/** Columns of String that hold bytes, which are no text in JSON. */
const BYTES = new Set(["input", "log_data", "bytes", "pool"]);

/** Seconds of DateTime64(0) become milliseconds in Parquet, whose range strangers' blocks may exceed; JSON's texts end in the year 9999. */
const isNumber = (type: string, format: Format): boolean =>
  (format === "json" ? /^(Nullable\()?DateTime64/ : /^(Nullable\()?DateTime64\(0/).test(type);

/** No text. */
export const holdsBytes = (name: string, type: string): boolean => type.includes("FixedString(") || BYTES.has(name);

/** Of a column that holds bytes, in arrays of any depth. */
export const inHex = (type: string, column: string, prefix = ""): string =>
  eachOf(type, column, (x) => (prefix === "" ? `lower(hex(${x}))` : `concat('${prefix}', lower(hex(${x})))`));

const isHex = (name: string, type: string, format: Format): boolean => format === "json" && holdsBytes(name, type);

/** What a file has of a column. */
const typeInFile = ([name, type]: readonly [string, string], format: Format): string =>
  isNumber(type, format)
    ? type.startsWith("Nullable")
      ? "Nullable(Int64)"
      : "Int64"
    : isHex(name, type, format)
      ? type.replace(/FixedString\(\d+\)/g, "String")
      : type.replace(/LowCardinality\((\w+)\)/g, "$1");

export const structureOf = (columns: TableColumns, format: Format): string =>
  columns.map((column) => `${quoteName(column[0])} ${typeInFile(column, format)}`).join(", ");

/** Expressions over the store's columns that give the file's. */
export const toFile = (columns: TableColumns, format: Format): string =>
  columns
    .map(([name, type]) => {
      const column = quoteName(name);
      if (isNumber(type, format)) return `reinterpretAsInt64(${column}) AS ${column}`;
      return isHex(name, type, format) ? `${inHex(type, column)} AS ${column}` : column;
    })
    .join(", ");

/** Expressions over the file's columns that give the store's. */
export const fromFile = (columns: TableColumns, format: Format): string =>
  columns
    .map(([name, type]) => {
      const column = quoteName(name);
      if (isNumber(type, format))
        return `reinterpret(${column}, ${quoteText(type.replace(/^Nullable\((.*)\)$/, "$1"))}) AS ${column}`;
      const plain = isHex(name, type, format) ? eachOf(type, column, (x) => `unhex(${x})`) : column;
      return `CAST(${plain}, ${quoteText(type)}) AS ${column}`;
    })
    .join(", ");

/** Applies to what stands in arrays of any depth; NULL stays NULL. */
function eachOf(type: string, column: string, apply: (of: string) => string): string {
  const depth = type.split("Array(").length - 1;
  const at = (of: string, level: number): string =>
    level === 0 ? apply(of) : `arrayMap(x${level} -> ${at(`x${level}`, level - 1)}, ${of})`;
  return at(column, depth);
}

/** Settings of an INSERT into a file. @param batch rows that are written at a time, and that a reader skips at a time */
export function fileSettings(format: Format, compression: string, batch: number): string {
  const settings =
    format === "parquet"
      ? {
          output_format_parquet_compression_method: quoteText(compression),
          output_format_parquet_row_group_size: batch,
          // Call data is no text.
          output_format_parquet_string_as_string: 0,
        }
      : {
          output_format_json_quote_64bit_integers: 1,
          output_format_json_quote_decimals: 1,
          output_format_json_quote_denormals: 1,
        };
  return Object.entries({
    ...settings,
    engine_file_truncate_on_insert: 1,
    s3_truncate_on_insert: 1,
    max_insert_threads: 1,
  })
    .map(([name, value]) => `${name} = ${value}`)
    .join(", ");
}

const ENDINGS: Readonly<Record<string, string>> = {
  gzip: ".gz",
  zstd: ".zst",
  lz4: ".lz4",
  snappy: ".snappy",
  none: "",
};

/** ClickHouse tells the compression of JSON by the name's end; in Parquet it is inside. */
export const fileName = (table: string, format: Format, compression: string): string =>
  format === "parquet" ? `${table}.parquet` : `${table}.json${ENDINGS[compression]}`;
