import {
  BAD_ESCAPE,
  BAD_UTF8,
  CONTROL_CHARACTER,
  DUPLICATE_KEY,
  ESCAPED,
  fail,
  NOT_JSON,
  TOO_DEEP,
  TRUNCATED,
} from "./decodeErrors.ts";

/**
 * Strict JSON (RFC 8259) over bytes, without making values. Every function takes the position where its token begins and
 * gives the position behind it, or −1 after `fail()`. Nothing reads at or beyond `text.end`.
 */
export interface Text {
  bytes: Uint8Array;
  /** The same bytes, for reading several at once. */
  view: DataView;
  /** The same bytes, for making strings of keys where there are many. */
  buffer: Buffer;
  end: number;
  /** Escapes have one spelling each (see normaliseEscapes.ts), so keys can be compared as bytes. */
  normalised: boolean;
}

/**
 * Nesting of a transaction, its own object included. A trace has an object and an array for each call within a call: 127 of them, which
 * real ones hardly reach (the EVM allows 1,024).
 */
export const MAX_DEPTH = 256;

export function createText(bytes: Uint8Array, end = bytes.length, normalised = false): Text {
  const { buffer, byteOffset, length } = bytes;
  const view = new DataView(buffer, byteOffset, length);
  return { bytes, view, buffer: Buffer.from(buffer as ArrayBuffer, byteOffset, length), end, normalised };
}

export function skipSpace(text: Text, p: number): number {
  const { bytes, end } = text;
  while (p < end) {
    const c = bytes[p]!;
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) break;
    p++;
  }
  return p;
}

/** p at the opening quote. `escapesIn` tells afterwards whether there was an escape. */
export function skipString(text: Text, p: number): number {
  const { bytes, end } = text;
  for (p++; p < end; ) {
    const c = bytes[p]!;
    if (c === 0x22) return p + 1;
    if (c < 0x20) return fail(CONTROL_CHARACTER, p);
    if (c === 0x5c) {
      const length = escapeLength(text, p);
      if (length < 0) return -1;
      p += length;
    } else if (c < 0x80) p++;
    else {
      const length = utf8Length(bytes, p, end);
      if (length === 0) return fail(BAD_UTF8, p);
      p += length;
    }
  }
  return fail(TRUNCATED, end);
}

function escapeLength(text: Text, p: number): number {
  const { bytes, end } = text;
  if (p + 1 >= end) return fail(TRUNCATED, end);
  switch (bytes[p + 1]) {
    case 0x22: // " \ / b f n r t
    case 0x5c:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return 2;
    case 0x75: // u
      if (p + 6 > end) return fail(TRUNCATED, end);
      for (let i = p + 2; i < p + 6; i++) if (!isHexDigit(bytes[i]!)) return fail(BAD_ESCAPE, p);
      return 6;
    default:
      return fail(BAD_ESCAPE, p);
  }
}

export function isHexDigit(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || (c >= 0x61 && c <= 0x66) || (c >= 0x41 && c <= 0x46);
}

/** Bytes of the UTF-8 sequence at p, 0 if it is none: no overlong forms, no surrogates, nothing over U+10FFFF. */
function utf8Length(bytes: Uint8Array, p: number, end: number): number {
  const c = bytes[p]!;
  const length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
  if (c < 0xc2 || c > 0xf4 || p + length > end) return 0;
  const second = bytes[p + 1]!;
  const low = c === 0xe0 ? 0xa0 : c === 0xf0 ? 0x90 : 0x80;
  const high = c === 0xed ? 0x9f : c === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = p + 2; i < p + length; i++) if ((bytes[i]! & 0xc0) !== 0x80) return 0;
  return length;
}

export function skipNumber(text: Text, p: number): number {
  const { bytes, end } = text;
  if (bytes[p] === 0x2d) p++;
  if (p < end && bytes[p] === 0x30) p++;
  else if ((p = skipDigits(text, p)) < 0) return -1;
  if (p < end && bytes[p] === 0x2e && (p = skipDigits(text, p + 1)) < 0) return -1;
  if (p < end && (bytes[p]! | 0x20) === 0x65) {
    p++;
    if (p < end && (bytes[p] === 0x2b || bytes[p] === 0x2d)) p++;
    return skipDigits(text, p);
  }
  return p;
}

function skipDigits(text: Text, p: number): number {
  const { bytes, end } = text;
  const from = p;
  while (p < end && bytes[p]! >= 0x30 && bytes[p]! <= 0x39) p++;
  if (p > from) return p;
  return p < end ? fail(NOT_JSON, p) : fail(TRUNCATED, end);
}

const LITERALS = { 110: [0x6e, 0x75, 0x6c, 0x6c], 116: [0x74, 0x72, 0x75, 0x65], 102: [0x66, 0x61, 0x6c, 0x73, 0x65] };

/** null, true or false. */
export function skipLiteral(text: Text, p: number): number {
  const { bytes, end } = text;
  for (const letter of LITERALS[bytes[p] as keyof typeof LITERALS] ?? [-1]) {
    if (p >= end) return fail(TRUNCATED, end);
    if (bytes[p] !== letter) return fail(NOT_JSON, p);
    p++;
  }
  return p;
}

/** Any value. `depth`: objects and arrays that are open around it. */
export function skipValue(text: Text, p: number, depth: number): number {
  if (p >= text.end) return fail(TRUNCATED, text.end);
  const c = text.bytes[p]!;
  if (c === 0x22) return skipString(text, p);
  if (c === 0x2d || (c >= 0x30 && c <= 0x39)) return skipNumber(text, p);
  if (c !== 0x7b && c !== 0x5b) return skipLiteral(text, p);
  if (depth >= MAX_DEPTH) return fail(TOO_DEEP, p);
  return c === 0x7b ? skipObject(text, p, depth + 1) : skipArray(text, p, depth + 1);
}

function skipArray(text: Text, p: number, depth: number): number {
  p = skipSpace(text, p + 1);
  if (p < text.end && text.bytes[p] === 0x5d) return p + 1;
  for (;;) {
    if ((p = skipValue(text, p, depth)) < 0) return -1;
    p = skipSpace(text, p);
    if (p >= text.end) return fail(TRUNCATED, text.end);
    if (text.bytes[p] === 0x5d) return p + 1;
    if (text.bytes[p] !== 0x2c) return fail(NOT_JSON, p);
    p = skipSpace(text, p + 1);
  }
}

function skipObject(text: Text, p: number, depth: number): number {
  const from = unknownMembers.count;
  p = skipSpace(text, p + 1);
  if (p < text.end && text.bytes[p] === 0x7d) return p + 1;
  for (;;) {
    const key = p;
    if ((p = skipKey(text, p)) < 0) return -1;
    const keyEnd = p;
    if ((p = skipColon(text, p)) < 0) return -1;
    if ((p = skipValue(text, p, depth)) < 0) return -1;
    noteUnknown(NESTED, key, keyEnd, 0, 0);
    p = skipSpace(text, p);
    if (p >= text.end) return fail(TRUNCATED, text.end);
    if (text.bytes[p] === 0x7d) break;
    if (text.bytes[p] !== 0x2c) return fail(NOT_JSON, p);
    p = skipSpace(text, p + 1);
  }
  if (hasDuplicate(text, from, NESTED)) return -1;
  unknownMembers.count = from;
  return p + 1;
}

/** A key at its opening quote. Fails with ESCAPED if it can't be compared as bytes yet. */
export function skipKey(text: Text, p: number): number {
  if (p >= text.end) return fail(TRUNCATED, text.end);
  if (text.bytes[p] !== 0x22) return fail(NOT_JSON, p);
  const end = skipString(text, p);
  if (end > 0 && !text.normalised && hasEscape(text, p, end)) return fail(ESCAPED, p);
  return end;
}

/** Position of the value behind a key that ends at p. */
export function skipColon(text: Text, p: number): number {
  p = skipSpace(text, p);
  if (p >= text.end) return fail(TRUNCATED, text.end);
  return text.bytes[p] === 0x3a ? skipSpace(text, p + 1) : fail(NOT_JSON, p);
}

export function hasEscape(text: Text, from: number, to: number): boolean {
  while (from < to) if (text.bytes[from++] === 0x5c) return true;
  return false;
}

/**
 * Members that have no field in the frame: a stack of
 * level │ start of key (at its quote) │ end of key │ start of value │ end of value
 */
export const unknownMembers = { u32: new Uint32Array(64 * 5), count: 0 };
/** Level of members within an unknown value; the levels of known objects are in members.ts. */
const NESTED = 9;

export function noteUnknown(level: number, key: number, keyEnd: number, value: number, valueEnd: number): void {
  let at = unknownMembers.count++ * 5;
  if (at === unknownMembers.u32.length) {
    const grown = new Uint32Array(at * 2);
    grown.set(unknownMembers.u32);
    unknownMembers.u32 = grown;
  }
  const { u32 } = unknownMembers;
  u32[at++] = level;
  u32[at++] = key;
  u32[at++] = keyEnd;
  u32[at++] = value;
  u32[at] = valueEnd;
}

/** Over this many keys a set of strings (its hashing can't be attacked) is quicker than comparing all with all. */
const FEW = 24;

/** Fails and gives true if two of the unknown members noted since `from` on this level have the same key. */
export function hasDuplicate(text: Text, from: number, level: number): boolean {
  const { u32, count } = unknownMembers;
  if (count - from < 2) return false;
  const many = count - from > FEW ? new Set<string>() : undefined;
  for (let i = from; i < count; i++) {
    if (u32[i * 5] !== level) continue;
    const key = u32[i * 5 + 1]!;
    const keyEnd = u32[i * 5 + 2]!;
    if (many) {
      const name = text.buffer.toString("latin1", key, keyEnd);
      if (many.has(name)) return fail(DUPLICATE_KEY, key) < 0;
      many.add(name);
      continue;
    }
    for (let j = from; j < i; j++) {
      if (u32[j * 5] === level && sameBytes(text.bytes, u32[j * 5 + 1]!, u32[j * 5 + 2]!, key, keyEnd)) {
        return fail(DUPLICATE_KEY, key) < 0;
      }
    }
  }
  return false;
}

function sameBytes(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean {
  if (aEnd - a !== bEnd - b) return false;
  while (a < aEnd) if (bytes[a++] !== bytes[b++]) return false;
  return true;
}
