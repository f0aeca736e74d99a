/**
 * What a rule finds. Records back to back in the output area, each at a multiple of 8:
 *
 *     u8 kind (1 alert, 2 tag, 3 score) │ u8 severity │ u16 0 │ u32 length │ length bytes, padded to 8
 *
 * One transaction may write 4 KiB and 256 of them, about forty alerts. What comes after is left out, and the tag
 * `truncated` says so: a transaction with ten thousand logs must not be able to make a rule fail.
 */
import { commitResult, isRunning, outBase, outLength, resultsLeft } from "rt/stub";

export enum Severity {
  Info = 0,
  Low = 1,
  Medium = 2,
  High = 3,
  Critical = 4,
}

const ALERT: u8 = 1;
const TAG: u8 = 2;
const SCORE: u8 = 3;
const MAX_ALERT = 1024;
const MAX_TAG = 64;
/** Kept free for the tag `truncated`: 8 + 9 bytes, padded. */
const RESERVED = 24;

/** As many as the host takes from one transaction (RUN_LIMITS.results). */
const MAX_RESULTS = 256;

let truncated: bool = false;
let count = 0;

/** Reports the transaction. The message is cut to 1,024 bytes of UTF-8, between characters. */
export function alert(severity: Severity, message: string): void {
  writeText(ALERT, <u8>severity, message, MAX_ALERT);
}

/** Marks the transaction, in at most 64 bytes: `tag("whale")`. */
export function tag(name: string): void {
  writeText(TAG, 0, name, MAX_TAG);
}

/** Scores the transaction from 0 to 1; what is outside counts as the nearer end, NaN as 0. */
export function score(value: f64): void {
  if (!begin(8)) return;
  store<f64>(record(), value >= 0 ? min(value, 1) : 0, 8);
  finish(SCORE, 0, 8);
}

function writeText(kind: u8, severity: u8, text: string, most: i32): void {
  const length = utf8Length(text, most);
  if (!begin(length)) return;
  encode(text, record() + 8, length);
  finish(kind, severity, length);
}

// @ts-ignore: decorator
@inline function record(): usize {
  return outBase() + outLength;
}

function padded(length: i32): i32 {
  return 8 + ((length + 7) & ~7);
}

/** Is there room for a record of so many bytes? */
function begin(length: i32): bool {
  if (!isRunning()) throw new Error("Cannot report at the top level of a rule: expected alert, tag and score within onTx");
  if (truncated) return false;
  if (count < MAX_RESULTS - 1 && padded(length) <= resultsLeft() - RESERVED) return true;
  truncated = true;
  encode("truncated", record() + 8, 9);
  finish(TAG, 0, 9);
  return false;
}

/** Header, and zeros up to the next record: the bytes of a batch depend on nothing but its transactions. */
function finish(kind: u8, severity: u8, length: i32): void {
  const at = record(), size = padded(length);
  store<u32>(at, <u32>kind | (<u32>severity << 8));
  store<u32>(at, length, 4);
  memory.fill(at + 8 + length, 0, size - 8 - length);
  commitResult(size);
  count += 1;
}

/** Code point at `i`; a lone surrogate is U+FFFD, as everywhere. */
function codePoint(text: string, i: i32): i32 {
  const code = text.codePointAt(i);
  return (code & 0xfffff800) == 0xd800 ? 0xfffd : code;
}

function width(code: i32): i32 {
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/** Bytes of the longest prefix in whole characters that fits `most`. */
function utf8Length(text: string, most: i32): i32 {
  let length = 0;
  for (let i = 0; i < text.length; ) {
    const code = codePoint(text, i);
    if (length + width(code) > most) break;
    length += width(code);
    i += code > 0xffff ? 2 : 1;
  }
  return length;
}

/** Writes exactly `length` bytes, as counted by utf8Length. */
function encode(text: string, at: usize, length: i32): void {
  const end = at + length;
  for (let i = 0; at < end; ) {
    const code = codePoint(text, i);
    i += code > 0xffff ? 2 : 1;
    if (code < 0x80) {
      store<u8>(at, code);
      at += 1;
    } else if (code < 0x800) {
      store<u8>(at, 0xc0 | (code >> 6), 0);
      store<u8>(at, 0x80 | (code & 63), 1);
      at += 2;
    } else if (code < 0x10000) {
      store<u8>(at, 0xe0 | (code >> 12), 0);
      store<u8>(at, 0x80 | ((code >> 6) & 63), 1);
      store<u8>(at, 0x80 | (code & 63), 2);
      at += 3;
    } else {
      store<u8>(at, 0xf0 | (code >> 18), 0);
      store<u8>(at, 0x80 | ((code >> 12) & 63), 1);
      store<u8>(at, 0x80 | ((code >> 6) & 63), 2);
      store<u8>(at, 0x80 | (code & 63), 3);
      at += 4;
    }
  }
}
