/**
 * What a rule finds. Records back to back in the output area, each at a multiple of 8:
 *
 *     u8 kind (1 alert, 2 tag, 3 score) │ u8 severity │ u16 0 │ u32 length │ length bytes, padded to 8
 *
 * One transaction may write 4 KiB and 256 of them, about forty alerts. What comes after is left out, and the tag
 * `truncated` says so: a transaction with ten thousand logs must not be able to make a rule fail.
 */
import { beginArena, commitResult, isRunning, outBase, outLength, resultsLeft } from "rt/stub";

/** How grave a finding is. */
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

/** Reports the transaction. The message is cut to 1,024 bytes of UTF-8, between characters. False: no room, left out. */
export function alert(severity: Severity, message: string): bool {
  return writeText(ALERT, <u8>severity, message, MAX_ALERT);
}

/** Marks the transaction, in at most 64 bytes: `tag("whale")`. False: no room, left out. */
export function tag(name: string): bool {
  return writeText(TAG, 0, name, MAX_TAG);
}

/** Scores the transaction from 0 to 1; what is outside counts as the nearer end, NaN as 0. False: no room, left out. */
export function score(value: f64): bool {
  if (!mayWrite()) return false;
  if (!fits(8)) return leaveOut();
  store<f64>(record() + 8, value >= 0 ? min(value, 1) : 0);
  finish(SCORE, 0, 8);
  return true;
}

/** Encodes right into the output area; a text that turns out too long for the room that is left is simply not finished. */
function writeText(kind: u8, severity: u8, text: string, most: i32): bool {
  if (!mayWrite()) return false;
  const room = min(most, resultsLeft() - RESERVED - 8);
  const length = encode(text, record() + 8, room);
  if (length < 0 || !fits(length)) {
    // over the limit of a text: cut; over what is left for this transaction: left out
    if (room < most) return leaveOut();
    finish(kind, severity, ~length);
    return true;
  }
  finish(kind, severity, length);
  return true;
}

// @ts-ignore: decorator
@inline function record(): usize {
  return outBase() + outLength;
}

function padded(length: i32): i32 {
  return 8 + ((length + 7) & ~7);
}

function fits(length: i32): bool {
  return padded(length) <= resultsLeft() - RESERVED;
}

function mayWrite(): bool {
  if (!isRunning()) throw new Error("Cannot report at the top level of a rule: expected alert, tag and score within onTx");
  if (truncated) return false;
  beginArena();
  return count < MAX_RESULTS - 1 || leaveOut();
}

/** The first that is left out leaves a tag; always false. */
function leaveOut(): bool {
  truncated = true;
  finish(TAG, 0, encode("truncated", record() + 8, MAX_TAG));
  return false;
}

/** Header, and zeros up to the next record: the bytes of a batch depend on nothing but its transactions. */
function finish(kind: u8, severity: u8, length: i32): void {
  const at = record(), size = padded(length), last = at + size - 8, used = length & 7;
  store<u32>(at, <u32>kind | (<u32>severity << 8));
  store<u32>(at, length, 4);
  if (used != 0) store<u64>(last, load<u64>(last) & ((<u64>1 << (used << 3)) - 1));
  commitResult(size);
  count += 1;
}

/** 00dd00cc00bb00aa, then ..ddccccbbbbaa with the bytes where they belong: ddccbbaa. */
// @ts-ignore: decorator
@inline
function fourBytes(units: u64): u64 {
  const pairs = units | (units >> 8);
  return (pairs & 0xffff) | ((pairs >> 16) & 0xffff_0000);
}

/**
 * UTF-8 of the text at `at`, whole characters only; a lone surrogate is U+FFFD, as everywhere.
 * Returns the bytes written; if they did not reach the end of the text within `most`, their complement (~).
 */
function encode(text: string, at: usize, most: i32): i32 {
  const begin = at, end = at + most;
  let from = changetype<usize>(text);
  const to = from + (<usize>text.length << 1);
  while (from < to) {
    if (from + 16 <= to && at + 8 <= end) {
      // eight characters at once, if all are ASCII
      const first = load<u64>(from), second = load<u64>(from, 8);
      if (((first | second) & 0xff80_ff80_ff80_ff80) == 0) {
        store<u64>(at, fourBytes(first) | (fourBytes(second) << 32));
        at += 8;
        from += 16;
        continue;
      }
    }
    let code: u32 = load<u16>(from);
    if (code < 0x80) {
      if (at >= end) return ~<i32>(at - begin);
      store<u8>(at, code);
      at += 1;
      from += 2;
      continue;
    }
    let units: usize = 2;
    if ((code & 0xf800) == 0xd800) {
      const low: u32 = from + 2 < to ? load<u16>(from, 2) : 0;
      if (code < 0xdc00 && (low & 0xfc00) == 0xdc00) {
        code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
        units = 4;
      } else code = 0xfffd;
    }
    const width: usize = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (at + width > end) return ~<i32>(at - begin);
    for (let i = width - 1; i > 0; --i, code >>= 6) store<u8>(at + i, 0x80 | (code & 63));
    store<u8>(at, width == 2 ? 0xc0 | code : width == 3 ? 0xe0 | code : 0xf0 | code);
    at += width;
    from += units;
  }
  return <i32>(at - begin);
}
