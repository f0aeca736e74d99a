import {
  BAD_HEX,
  ESCAPED,
  fail,
  HEX_ODD,
  HEX_TOO_LONG,
  HEX_TOO_SHORT,
  OUT_OF_RANGE,
  TRUNCATED,
  WRONG_TYPE,
} from "./decodeErrors.ts";
import { skipString, type Text } from "./jsonScan.ts";

/**
 * Hex strings and numbers of the record, read straight into the frame. `p` is the position of the value's first byte, the
 * result that behind it, or −1 after `fail()`.
 */

const NO_DIGIT = 0x100;
/** Value of a hex digit by its character. */
const NIBBLE = new Uint16Array(256).fill(NO_DIGIT);
for (let i = 0; i < 10; i++) NIBBLE[0x30 + i] = i;
for (let i = 0; i < 6; i++) NIBBLE[0x61 + i] = NIBBLE[0x41 + i] = 10 + i;

/**
 * Byte by its two characters, read as a little-endian u16: one look-up a byte instead of two. The pairs that occur lie in
 * some 50 cache lines, so the table stays in the first-level cache. With NO_DIGIT set where one of them is no hex digit.
 */
const PAIR = new Uint16Array(65536).fill(NO_DIGIT);
for (let i = 0; i < 65536; i++) {
  const high = NIBBLE[i & 0xff]!;
  const low = NIBBLE[i >> 8]!;
  if ((high | low) < NO_DIGIT) PAIR[i] = (high << 4) | low;
}

/** Exactly `length` bytes (a multiple of 4): `"0x…"` to out[at…], `at` a multiple of 4. */
export function readBytes(text: Text, p: number, out: Uint32Array, at: number, length: number): number {
  const { bytes, view } = text;
  if (p + 2 * length + 4 > text.end || !isHexStart(bytes, p)) return failHex(text, p, length, length);
  let q = p + 3;
  let bits = 0;
  for (let word = at >> 2, last = (at + length) >> 2; word < last; word++, q += 8) {
    const a = view.getUint32(q, true);
    const b = view.getUint32(q + 4, true);
    const value = PAIR[a & 0xffff]! | (PAIR[a >>> 16]! << 8);
    const upper = PAIR[b & 0xffff]! | (PAIR[b >>> 16]! << 8);
    out[word] = value | (upper << 16);
    bits |= PAIR[a & 0xffff]! | PAIR[a >>> 16]! | PAIR[b & 0xffff]! | PAIR[b >>> 16]!;
  }
  if (bits >= NO_DIGIT || bytes[q] !== 0x22) return failHex(text, p, length, length);
  return q + 1;
}

/** Bytes that the last readData wrote. */
export let dataLength = 0;

/** Any number of bytes: `"0x…"` to out[at…], `at` a multiple of 8; padded with zeros to a multiple of 8. */
export function readData(text: Text, p: number, out: Uint8Array, words: Uint32Array, at: number): number {
  const { bytes, view, end } = text;
  if (p + 4 > end || !isHexStart(bytes, p)) return failHex(text, p, 0, end);
  let q = p + 3;
  let word = at >> 2;
  for (const last = end - 8; q <= last; q += 8) {
    const a = view.getUint32(q, true);
    const b = view.getUint32(q + 4, true);
    const b0 = PAIR[a & 0xffff]!;
    const b1 = PAIR[a >>> 16]!;
    const b2 = PAIR[b & 0xffff]!;
    const b3 = PAIR[b >>> 16]!;
    if ((b0 | b1 | b2 | b3) >= NO_DIGIT) break;
    words[word++] = b0 | (b1 << 8) | (b2 << 16) | (b3 << 24);
  }
  let to = word << 2;
  for (; q + 1 < end; q += 2) {
    const byte = PAIR[bytes[q]! | (bytes[q + 1]! << 8)]!;
    if (byte >= NO_DIGIT) break;
    out[to++] = byte;
  }
  if (q >= end || bytes[q] !== 0x22) return failHex(text, p, 0, end);
  dataLength = to - at;
  while (to & 7) out[to++] = 0;
  return q + 1;
}

/** Quantity `"0x…"` of 1 to 2 × width digits, leading zeros included, to out[at…] little-endian; u128 and wider: over zeros. */
export function readQuantity(
  text: Text,
  p: number,
  out: Uint8Array,
  words: Uint32Array,
  at: number,
  width: number,
): number {
  const { bytes, end } = text;
  if (p + 5 > end || !isHexStart(bytes, p)) return failHex(text, p, 0, width, true);
  const first = p + 3;
  let q = first;
  let low = 0;
  let high = 0;
  for (; q < end; q++) {
    const digit = NIBBLE[bytes[q]!]!;
    if (digit >= NO_DIGIT) break;
    high = (high << 4) | (low >>> 28);
    low = (low << 4) | digit;
  }
  if (q === first || q >= end || bytes[q] !== 0x22 || q - first > 2 * width) return failHex(text, p, 0, width, true);
  if (width === 1) out[at] = low;
  else {
    words[at >> 2] = low;
    if (width > 4) words[(at >> 2) + 1] = high;
    if (q - first > 16) readUpperWords(bytes, first, q - 16, words, (at >> 2) + 2);
  }
  return q + 1;
}

/** What stands before the last 16 digits, eight digits a word from the end. */
function readUpperWords(bytes: Uint8Array, first: number, to: number, words: Uint32Array, word: number): void {
  for (; to > first; to -= 8) {
    let value = 0;
    for (let i = Math.max(first, to - 8); i < to; i++) value = (value << 4) | NIBBLE[bytes[i]!]!;
    words[word++] = value;
  }
}

/** What the last readDecimal read, times 10^decimals. */
export let decimalValue = 0;

/** A JSON number with up to so many decimals, not negative, no exponent, at most 2^53 − 1 when scaled to an integer. */
export function readDecimal(text: Text, p: number, decimals: number): number {
  const { bytes, end } = text;
  const first = p;
  let value = 0;
  let places = -1; // digits behind the point, −1 before it
  let q = p;
  for (; q < end; q++) {
    const c = bytes[q]!;
    if (c === 0x2e && places < 0 && q > first && decimals > 0) places = 0;
    else if (c >= 0x30 && c <= 0x39) {
      if (places >= 0 && places++ === decimals) return fail(WRONG_TYPE, p);
      value = value * 10 + (c - 0x30);
      if (value > Number.MAX_SAFE_INTEGER) return fail(OUT_OF_RANGE, p);
    } else break;
  }
  if (q >= end) return fail(TRUNCATED, end);
  if (q === first || places === 0 || bytes[q] === 0x2e || (bytes[q]! | 0x20) === 0x65) return fail(WRONG_TYPE, p);
  if (bytes[first] === 0x30 && q > first + 1 && bytes[first + 1] !== 0x2e) return fail(WRONG_TYPE, p);
  for (let i = Math.max(places, 0); i < decimals; i++) value *= 10;
  if (value > Number.MAX_SAFE_INTEGER) return fail(OUT_OF_RANGE, p);
  decimalValue = value;
  return q;
}

function isHexStart(bytes: Uint8Array, p: number): boolean {
  return bytes[p] === 0x22 && bytes[p + 1] === 0x30 && bytes[p + 2] === 0x78;
}

/** Finds out what is wrong with a hex string of `least` to `most` bytes. Always fails. */
function failHex(text: Text, p: number, least: number, most: number, quantity = false): number {
  const { bytes } = text;
  if (p >= text.end) return fail(TRUNCATED, text.end);
  if (bytes[p] !== 0x22) return fail(WRONG_TYPE, p);
  const end = skipString(text, p);
  if (end < 0) return -1;
  let digits = 0;
  for (let q = p + 3; q < end - 1 && NIBBLE[bytes[q]!]! < NO_DIGIT; q++) digits++;
  if (!text.normalised) for (let q = p; q < end; q++) if (bytes[q] === 0x5c) return fail(ESCAPED, p);
  if (end - p < 4 || !isHexStart(bytes, p) || p + 3 + digits !== end - 1) return fail(BAD_HEX, p);
  if (quantity) return fail(digits === 0 ? BAD_HEX : HEX_TOO_LONG, p);
  if (digits > 2 * most) return fail(HEX_TOO_LONG, p);
  if (digits < 2 * least) return fail(HEX_TOO_SHORT, p);
  return fail(HEX_ODD, p);
}
