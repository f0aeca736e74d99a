/**
 * HDF5: a dataset a column, all of one length; texts are UTF-8 of a fixed width, padded with zeros, which every reader knows. NULL is
 * 0, an empty text or NaN; where a column may be null, `/null/<column>` has a 1 for each row that is.
 */
import { type Dataset, File, ready } from "h5wasm/node";
import type { ArrowBatch, ArrowColumn } from "./arrowColumns.ts";

/** What is known of a column before its first row. */
export interface Hdf5Column {
  readonly name: string;
  readonly isNullable: boolean;
  /** Bytes of the longest text; 0 of numbers. */
  readonly width: number;
  /** Becomes the attribute `description`. */
  readonly comment: string;
}

export interface Hdf5File {
  readonly path: string;
  readonly columns: readonly Hdf5Column[];
  readonly rows: number;
  readonly gzip: boolean;
}

/** Of a chunk, which is compressed and read as a whole: 1 MiB of hashes. */
const CHUNK_ROWS = 16_384;

type Module = Awaited<typeof ready>;

/**
 * Writes a new file, a batch at a time; the event loop waits meanwhile.
 * @throws Error when the file system refuses, or other than `rows` rows come: then the file is to be removed
 */
export async function writeHdf5(
  { path, columns, rows, gzip }: Hdf5File,
  batches: AsyncIterable<ArrowBatch>,
): Promise<void> {
  const module = await ready;
  const file = new File(path, "w");
  try {
    if (columns.some(({ isNullable }) => isNullable)) file.create_group("null");
    const create = (name: string, dtype: string): Dataset => {
      const layout = { shape: [0], maxshape: [null], chunks: [Math.max(1, Math.min(rows, CHUNK_ROWS))] };
      const dataset = file.create_dataset({
        name,
        data: [],
        dtype,
        ...layout,
        ...(gzip ? { compression: "gzip" as const } : {}),
      });
      dataset.resize([rows]);
      return dataset;
    };
    let at = 0;
    for await (const batch of batches) {
      for (const [i, column] of batch.columns.entries()) {
        const { name, width, isNullable, comment } = columns[i]!;
        if (at === 0) {
          create(name, dtypeOf(column, width)).create_attribute("description", comment);
          if (isNullable) create(`null/${name}`, "<B");
        }
        write(module, file, { name, at, rows: batch.rows }, valuesOf(column, batch.rows, width));
        if (isNullable)
          write(module, file, { name: `null/${name}`, at, rows: batch.rows }, nullsOf(column, batch.rows));
      }
      at += batch.rows;
    }
    if (at !== rows) throw new Error(`Cannot write "${path}": ${at} rows came, expected ${rows}`);
  } finally {
    file.close();
  }
}

const DTYPES = new Map<unknown, string>([
  [Int8Array, "<b"],
  [Uint8Array, "<B"],
  [Int16Array, "<h"],
  [Uint16Array, "<H"],
  [Int32Array, "<i"],
  [Uint32Array, "<I"],
  [BigInt64Array, "<q"],
  [BigUint64Array, "<Q"],
  [Float32Array, "<f"],
  [Float64Array, "<d"],
]);

const dtypeOf = ({ kind, values }: ArrowColumn, width: number): string =>
  kind === "text" ? `S${Math.max(1, width)}` : (DTYPES.get(values.numbers.constructor) as string);

function valuesOf(column: ArrowColumn, rows: number, width: number): Uint8Array {
  if (column.kind === "text") return padded(column, rows, Math.max(1, width));
  const numbers = column.values.numbers as BigInt64Array | Float64Array;
  const copy = numbers.slice(0, rows);
  for (let row = 0; row < rows; row++)
    if (column.isNull(row)) {
      if (copy instanceof BigInt64Array || copy instanceof BigUint64Array) copy[row] = 0n;
      else copy[row] = column.kind === "double" ? Number.NaN : 0;
    }
  return new Uint8Array(copy.buffer, copy.byteOffset, copy.byteLength);
}

function padded({ values: { bytes, ends }, isNull }: ArrowColumn, rows: number, width: number): Uint8Array {
  const texts = new Uint8Array(rows * width);
  for (let row = 0; row < rows; row++)
    if (!isNull(row)) texts.set(bytes.subarray(ends[row]!, ends[row + 1]!), row * width);
  return texts;
}

const nullsOf = ({ isNull }: ArrowColumn, rows: number): Uint8Array =>
  Uint8Array.from({ length: rows }, (_, row) => (isNull(row) ? 1 : 0));

/** As the library's write_slice, but of bytes: that one would make a JavaScript string of each text first. */
function write(
  module: Module,
  file: File,
  { name, at, rows }: { readonly name: string; readonly at: number; readonly rows: number },
  bytes: Uint8Array,
): void {
  const pointer = module._malloc(bytes.length);
  try {
    module.HEAPU8.set(bytes, pointer);
    const status = module.set_dataset_data(file.file_id, name, [BigInt(rows)], [BigInt(at)], [1n], BigInt(pointer));
    if (status < 0) throw new Error(`Cannot write dataset "${name}": HDF5 says ${status}`);
  } finally {
    module._free(pointer);
  }
}
