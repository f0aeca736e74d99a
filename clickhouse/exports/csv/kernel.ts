/** The module that makes rows (assembly/rows.ts), and the memory it works in. */
import { readFileSync } from "node:fs";

/** Addresses are bytes of its memory. See the functions in assembly/rows.ts. */
export interface Kernel {
  readonly memory: Memory;
  /** Bytes of a column's description. */
  readonly columnSize: number;
  /** And of an entry in the list of keys. */
  readonly keySize: number;
  /** From here on the memory is the caller's. */
  readonly free: number;
  /** @returns behind the last text, 0 when they are not all there */
  texts(at: number, end: number, count: number, table: number): number;
  areDistinct(keys: number, end: number, rows: number): boolean;
  /** @returns the end of what is written, and the first row that is not */
  rows(columns: number, end: number, first: number, last: number, out: number, limit: number, most: number): readonly [end: number, next: number]; // biome-ignore format: one line
}

/** It moves when it grows: what is taken from here is good up to the next `reserve`. */
export interface Memory {
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Sees to so many bytes. @throws RangeError above 4 GiB */
  reserve(size: number): void;
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly COLUMN: WebAssembly.Global;
  readonly KEY: WebAssembly.Global;
  readonly FREE: WebAssembly.Global;
  readonly next: WebAssembly.Global;
  texts(at: number, end: number, count: number, table: number): number;
  areDistinct(keys: number, end: number, rows: number): number;
  rows(columns: number, end: number, first: number, last: number, out: number, limit: number, most: number): number;
}

const PAGE = 65_536;
/** Grown by that at least. */
const STEP = 64 * PAGE;

/** Once a thread: what V8 has optimised of it is the module's. */
let module: WebAssembly.Module | undefined;

export function createKernel(): Kernel {
  module ??= new WebAssembly.Module(readFileSync(new URL("./rows.wasm", import.meta.url)));
  const exports = new WebAssembly.Instance(module).exports as unknown as Exports;
  // Addresses above 2 GiB come as negative numbers.
  return {
    memory: createMemory(exports.memory),
    columnSize: exports.COLUMN.value,
    keySize: exports.KEY.value,
    free: exports.FREE.value,
    texts: (at, end, count, table) => exports.texts(at, end, count, table) >>> 0,
    areDistinct: (keys, end, rows) => exports.areDistinct(keys, end, rows) !== 0,
    rows(columns, end, first, last, out, limit, most) {
      const stop = exports.rows(columns, end, first, last, out, limit, most) >>> 0;
      return [stop, exports.next.value];
    },
  };
}

function createMemory(memory: WebAssembly.Memory): Memory {
  let bytes = Buffer.from(memory.buffer);
  let view = new DataView(memory.buffer);
  return {
    get bytes() {
      return bytes;
    },
    get view() {
      return view;
    },
    reserve(size) {
      if (size <= bytes.length) return;
      memory.grow(Math.ceil(Math.max(size - bytes.length, STEP) / PAGE));
      bytes = Buffer.from(memory.buffer);
      view = new DataView(memory.buffer);
    },
  };
}
