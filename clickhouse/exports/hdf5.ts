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

/** Of a chunk, which is written and read as a whole, and compressed: HDF5 keeps one in memory if it is not larger than this. */
const CHUNK_BYTES = 1 << 20;

type Module = Awaited<typeof ready>;

/**
 * Writes a new file, a chunk of a column at a time; the event loop waits meanwhile.
 * @throws Error when the file system refuses, or other than `rows` rows come: then the file is to be removed
 */
export async function writeHdf5(
  { path, columns, rows, gzip }: Hdf5File,
  batches: AsyncIterable<ArrowBatch>,
): Promise<void> {
  const module = await ready;
  const file = new File(path, "w");
  const open: ColumnFile[] = [];
  try {
    if (columns.some(({ isNullable }) => isNullable)) file.create_group("null");
    const create = (name: string, dtype: string, width: number, comment?: string): ColumnFile => {
      const created = new ColumnFile(module, file, { name, dtype, width, rows, gzip });
      if (comment !== undefined) created.dataset.create_attribute("description", comment);
      open.push(created);
      return created;
    };
    const files: { values: ColumnFile; nulls: ColumnFile | undefined }[] = [];
    let at = 0;
    for await (const batch of batches) {
      for (const [i, column] of batch.columns.entries()) {
        const { name, isNullable, comment, width } = columns[i]!;
        files[i] ??= {
          values: create(name, dtypeOf(column, width), widthOf(column, width), comment),
          nulls: isNullable ? create(`null/${name}`, "<B", 1) : undefined,
        };
        const { values, nulls } = files[i];
        values.add(batch.rows, fillerOf(column, values.width));
        nulls?.add(batch.rows, (bytes, first) => {
          for (let row = 0; row < bytes.length; row++) bytes[row] = column.isNull(first + row) ? 1 : 0;
        });
      }
      at += batch.rows;
    }
    if (at !== rows) throw new Error(`Cannot write "${path}": ${at} rows came, expected ${rows}`);
    for (const each of open) each.flush();
  } finally {
    for (const each of open) each.free();
    file.close();
  }
}

/** Puts the values from a row of the batch on into bytes, as many as there is room for. */
type Fill = (bytes: Uint8Array, first: number) => void;

interface Layout {
  readonly name: string;
  readonly dtype: string;
  /** Bytes of a value. */
  readonly width: number;
  readonly rows: number;
  readonly gzip: boolean;
}

/** A dataset, and the chunk of it that is being filled: in the library's own memory, from where it writes. */
class ColumnFile {
  readonly width: number;
  readonly dataset: Dataset;
  readonly #module: Module;
  readonly #file: File;
  readonly #name: string;
  readonly #chunk: number;
  readonly #chunkRows: number;
  #filled = 0;
  #written = 0;

  constructor(module: Module, file: File, { name, dtype, width, rows, gzip }: Layout) {
    this.#module = module;
    this.#file = file;
    this.#name = name;
    this.width = width;
    this.#chunkRows = Math.max(1, Math.min(rows, Math.floor(CHUNK_BYTES / width)));
    const layout = { shape: [0], maxshape: [null], chunks: [this.#chunkRows] };
    const compression = gzip ? { compression: "gzip" as const } : {};
    this.dataset = file.create_dataset({ name, data: [], dtype, ...layout, ...compression });
    this.dataset.resize([rows]);
    this.#chunk = module._malloc(this.#chunkRows * width);
  }

  add(rows: number, fill: Fill): void {
    for (let done = 0; done < rows; ) {
      const now = Math.min(rows - done, this.#chunkRows - this.#filled);
      const from = this.#chunk + this.#filled * this.width;
      fill(this.#module.HEAPU8.subarray(from, from + now * this.width), done);
      this.#filled += now;
      done += now;
      if (this.#filled === this.#chunkRows) this.flush();
    }
  }

  /** As the library's write_slice, but of bytes: that one would make a JavaScript string of each text first. */
  flush(): void {
    if (this.#filled === 0) return;
    const [count, start] = [[BigInt(this.#filled)], [BigInt(this.#written)]];
    const status = this.#module.set_dataset_data(
      this.#file.file_id,
      this.#name,
      count,
      start,
      [1n],
      BigInt(this.#chunk),
    );
    if (status < 0) throw new Error(`Cannot write dataset "${this.#name}": HDF5 says ${status}`);
    this.#written += this.#filled;
    this.#filled = 0;
  }

  free(): void {
    this.#module._free(this.#chunk);
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

const widthOf = ({ kind, values }: ArrowColumn, width: number): number =>
  kind === "text" ? Math.max(1, width) : (values.numbers as Float64Array).BYTES_PER_ELEMENT;

const fillerOf = (column: ArrowColumn, width: number): Fill =>
  column.kind === "text"
    ? (bytes, first) => fillTexts(column, width, bytes, first)
    : (bytes, first) => fillNumbers(column, width, bytes, first);

function fillTexts({ values, mayBeNull, isNull }: ArrowColumn, width: number, into: Uint8Array, first: number): void {
  const { bytes, ends } = values;
  const rows = into.length / width;
  const [from, to] = [ends[first]!, ends[first + rows]!];
  if (to - from === into.length) {
    into.set(bytes.subarray(from, to)); // all are as long as the longest
    return;
  }
  into.fill(0);
  for (let row = 0; row < rows; row++) {
    if (mayBeNull && isNull(first + row)) continue;
    const end = ends[first + row + 1]!;
    for (let i = ends[first + row]!, at = row * width; i < end; i++, at++) into[at] = bytes[i]!;
  }
}

function fillNumbers(
  { values, kind, mayBeNull, isNull }: ArrowColumn,
  width: number,
  into: Uint8Array,
  first: number,
): void {
  const { buffer, byteOffset } = values.numbers as Float64Array;
  into.set(new Uint8Array(buffer, byteOffset + first * width, into.length));
  if (!mayBeNull) return;
  const none = new Uint8Array(width); // 0, or NaN
  if (kind === "double") new DataView(none.buffer)[width === 8 ? "setFloat64" : "setFloat32"](0, Number.NaN, true);
  for (let row = 0; row < into.length / width; row++) if (isNull(first + row)) into.set(none, row * width);
}
