/**
 * Rows of CSV out of the columns of a block of ClickHouse's Native format, byte for byte as ClickHouse writes them. AssemblyScript: compiled by
 * `npm run assembly:build` into rows.wasm, which csvRows.ts runs. It fills the columns' descriptions and puts a block's bytes into this memory.
 *
 * Texts and hex are moved 16 bytes at a time, over their ends: up to 15 bytes are read behind a value, and up to 32 written behind a cell, which the
 * next one writes over. Whoever calls has that much room behind all he names.
 */

import { CELL_SIZE, COLUMN, KIND, NULLS, SIGNED, TABLE, VALUES, WIDTH } from "./column";
import { integer, QUOTE, unsigned, wide } from "./digits";
import { time } from "./times";

export { COLUMN };

/** Kinds of columns; csvRows.ts has the same. */
const HEX = 0;
const HEX_TEXT = 1;
const TEXT = 2;
const FINISHED = 3;
const INTEGER = 4;
const WIDE = 5;
const TIME = 6;

const COMMA: u8 = 0x2c;
const NEWLINE: u8 = 0x0a;

/** From here on this memory is the caller's. */
export const FREE: usize = __heap_base;

/** Of `rows`: the first row that is not written. */
export let next: u32 = 0;

/**
 * Notes where `count` texts begin, each a varuint length and its bytes.
 * @returns behind the last; 0 when that is beyond `end`
 */
export function texts(at: usize, end: usize, count: u32, table: usize): usize {
  for (const last = table + 4 * count; table < last; table += 4) {
    store<u32>(table, <u32>at);
    let size: usize = 0;
    let shift: usize = 0;
    let byte: usize = 128;
    for (; byte > 127; shift += 7) {
      if (at >= end) return 0;
      byte = load<u8>(at++);
      size |= (byte & 127) << shift;
    }
    if (end - at < size) return 0;
    at += size;
  }
  return at;
}

/** Of the list of keys, an entry each: the address of its column's description, and (u64) what it was in the last row. */
export const KEY: usize = 16;
const LAST_KEY: usize = 8;

/** There was a block before this one. */
let hasLast = false;

/**
 * Whether no row has the same keys as the one before it, that of the last block included: then their order follows from the keys alone.
 * @param keys integers of 64 bits at most, never null; what differs most often first
 */
export function areDistinct(keys: usize, end: usize, rows: u32): bool {
  for (let row: u32 = 0; row < rows; row++) {
    let same = row > 0 || hasLast;
    for (let key = keys; same && key < end; key += KEY)
      same = keyOf(key, row) == (row > 0 ? keyOf(key, row - 1) : load<u64>(key, LAST_KEY));
    if (same) return false;
  }
  for (let key = keys; rows > 0 && key < end; key += KEY) store<u64>(key, keyOf(key, rows - 1), LAST_KEY);
  hasLast = hasLast || rows > 0;
  return true;
}

// @ts-ignore: decorator
@inline
function keyOf(key: usize, row: u32): u64 {
  const column: usize = load<u32>(key);
  const width = load<u32>(column, WIDTH);
  const from: usize = load<u32>(column, VALUES) + row * width;
  return width == 8 ? load<u64>(from) : <u64>unsigned(from, width);
}

/**
 * Writes rows from `first` to before `last` while they fit between `out` and `limit`; `next` says how far.
 * @param columns their descriptions, up to `end`
 * @param most bytes of a row at most, without its texts
 * @returns behind what was written
 */
export function rows(columns: usize, end: usize, first: u32, last: u32, out: usize, limit: usize, most: usize): usize {
  let at = out;
  // Cells of integers are copied from where they were written last: here others stand now.
  for (let column = columns; column < end; column += COLUMN) store<u32>(column, 0, CELL_SIZE);
  for (let row = first; row < last; row++) {
    const begin = at;
    if (at + most > limit) {
      next = row;
      return at;
    }
    for (let column = columns; column < end; column += COLUMN) {
      const nulls = load<u32>(column, NULLS);
      if (nulls == 0 || load<u8>(nulls + row) == 0) {
        const width = load<u32>(column, WIDTH);
        const from: usize = load<u32>(column, VALUES) + row * width;
        const kind = load<u32>(column, KIND);
        switch (kind) {
          case HEX:
            at = hex(at, from, width);
            break;
          case TIME:
            at = time(at, column, width == 8 ? load<i64>(from) : <i64>load<u32>(from));
            break;
          case INTEGER:
            at = integer(at, column, from, width);
            break;
          case WIDE:
            at = wide(at, from, width, load<u32>(column, SIGNED) != 0);
            break;
          default: {
            const n = width == 0 ? row : unsigned(from, width);
            let text: usize = load<u32>(load<u32>(column, TABLE) + 4 * n);
            let size: usize = load<u8>(text++);
            if (size > 127) {
              size &= 127;
              let byte: usize = 128;
              for (let shift: usize = 7; byte > 127; shift += 7) {
                byte = load<u8>(text++);
                size |= (byte & 127) << shift;
              }
            }
            // Twice its length: hex, or quotes alone.
            if (at + 2 * size + most > limit) {
              next = row;
              return begin;
            }
            if (kind == TEXT) at = quoted(at, text, size);
            else if (kind == HEX_TEXT) at = hex(at, text, size);
            else at = finished(at, text, size);
          }
        }
      }
      store<u8>(at++, COMMA);
    }
    store<u8>(at - 1, NEWLINE);
  }
  next = last;
  return at;
}

/** `"0x…"` */
// @ts-ignore: decorator
@inline
function hex(at: usize, from: usize, size: usize): usize {
  store<u32>(at, 0x783022);
  at += 3;
  const end = at + 2 * size;
  const digits = i8x16(48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102);
  const four = i8x16.splat(15);
  for (; at < end; at += 32, from += 16) {
    const bytes = v128.load(from);
    const high = i8x16.swizzle(digits, i8x16.shr_u(bytes, 4));
    const low = i8x16.swizzle(digits, v128.and(bytes, four));
    v128.store(at, i8x16.shuffle(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    v128.store(at, i8x16.shuffle(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16);
  }
  store<u8>(end, QUOTE);
  return end + 1;
}

/** Quotes in it are doubled. */
// @ts-ignore: decorator
@inline
function quoted(at: usize, from: usize, size: usize): usize {
  store<u8>(at++, QUOTE);
  const quotes = i8x16.splat(QUOTE);
  let found = i8x16.splat(0);
  for (let i: usize = 0; i < size; i += 16) {
    const bytes = v128.load(from + i);
    v128.store(at + i, bytes);
    found = v128.or(found, i8x16.eq(bytes, quotes));
  }
  // One may stand behind its end: then this was for nothing.
  at = v128.any_true(found) ? doubled(at, from, size) : at + size;
  store<u8>(at, QUOTE);
  return at + 1;
}

function doubled(at: usize, from: usize, size: usize): usize {
  for (const end = from + size; from < end; from++) {
    const byte = load<u8>(from);
    if (byte == QUOTE) store<u8>(at++, QUOTE);
    store<u8>(at++, byte);
  }
  return at;
}

/** A text that is the cell. */
function finished(at: usize, from: usize, size: usize): usize {
  memory.copy(at, from, size);
  return at + size;
}
