import {
  DUPLICATE_KEY,
  EMPTY,
  ESCAPED,
  fail,
  failure,
  INCONSISTENT,
  MISSING_FIELD,
  NOT_JSON,
  NOT_OBJECT,
  OUT_OF_RANGE,
  RESERVED_KEY,
  TOO_LARGE,
  TOO_MANY_TOPICS,
  TRUNCATED,
  WRONG_TYPE,
} from "./decodeErrors.ts";
import { extraSize, writeExtra } from "./extra.ts";
import type { FrameWriter } from "./frameWriter.ts";
import { dataLength, decimalValue, readBytes, readData, readDecimal, readQuantity } from "./hex.ts";
import {
  createText,
  hasDuplicate,
  noteUnknown,
  skipColon,
  skipKey,
  skipLiteral,
  skipSpace,
  skipValue,
  type Text,
  unknownMembers,
} from "./jsonScan.ts";
import { FIRST, KINDS, LEVELS, MEMBERS, memberBit } from "./members.ts";
import { normaliseEscapes, sourcePosition } from "./normaliseEscapes.ts";
import { ACCESS, FRAME_VERSION, HEADER_SIZE, LOG, MAX_RECORD_BYTES, MAX_TOPICS, OFFSET, PRESENT } from "./schema.ts";

/**
 * One transaction as JSON bytes → one frame, in one pass: no object, string or BigInt on the way. The hottest code there
 * is. µs a transaction, one core: see decodeJson.bench.ts.
 *
 * Members may come in any order, so input, access list and logs are written behind the header as they come, and put in the
 * frame's order afterwards if need be (no source needs it). Members without a field are noted and copied to `extra` last.
 * Nodes and recorders give their members in the same order every time: each member remembers which one followed it, and
 * that one is compared first.
 */

// The member table in columns, for the loop. The constants are repeated here as the compiler folds those of its own module.
const TRANSACTION = 0;
const BLOCK = 1;
const RECEIPT = 2;
const LOG_ENTRY = 3;
const ACCESS_ENTRY = 4;
/**
 * Keys with their quotes, four bytes a word, the last word overlapping the one before: `"value"` is `"val` `lue"`. Compared
 * so, a key takes a quarter of the steps; none is shorter than `"to"`.
 */
const KEYS = MEMBERS.map(({ name }) => Buffer.from(`"${name}"`));
const KEY_LENGTH = Uint8Array.from(KEYS, ({ length }) => length);
const KEY_WORDS = Uint32Array.from(
  KEYS.flatMap((key) =>
    Array.from({ length: (key.length + 3) >> 2 }, (_, i) => key.readUInt32LE(Math.min(4 * i, key.length - 4))),
  ),
);
const KEY_START = Uint16Array.from(KEYS, (_, i) =>
  KEYS.slice(0, i).reduce((sum, { length }) => sum + ((length + 3) >> 2), 0),
);
const KIND = Uint8Array.from(MEMBERS, ({ kind }) => KINDS.indexOf(kind));
const AT = Uint16Array.from(MEMBERS, ({ offset }) => offset);
const WIDTH = Uint8Array.from(MEMBERS, ({ width }) => width);
const BIT = Uint32Array.from(MEMBERS, ({ bit }) => bit);
const REQUIRED = [
  ["chainId", "hash", "from", "nonce", "value", "gas"],
  [],
  [],
  ["address", "topics", "data", "logIndex"],
  ["address", "storageKeys"],
];
const REQUIRED_BITS = REQUIRED.map((names, level) => names.reduce((bits, name) => bits | memberBit(level, name), 0));
const INPUT_BIT = memberBit(TRANSACTION, "input");
const TOPICS_BIT = memberBit(LOG_ENTRY, "topics");
/** The member that last followed each member; the last five entries: that last began an object of each level. */
const NEXT = Uint8Array.from(
  { length: MEMBERS.length + LEVELS.length },
  (_, i) => FIRST[Math.max(0, i - MEMBERS.length)]!,
);

// The transaction being read: one at a time.
let text: Text = createText(new Uint8Array(0));
let out: Uint8Array = new Uint8Array(0);
let words: Uint32Array = new Uint32Array(0);
let frame = 0; // where the frame begins
let tail = 0; // where the next part goes, a multiple of 8
let present = 0;
const parts = { input: 0, inputLength: 0, accessList: 0, accessListLength: 0, logs: 0, logsLength: 0 };
let dataMember = -1; // index among the unknown members
let logDataAt = 0;

/**
 * Decodes the transaction at source[start…end) and appends its frame to the writer.
 *
 * Accepts strict JSON only (RFC 8259, UTF-8, each key once, 256 levels). Quantities are hex strings of at most their width,
 * leading zeros included; chainId, seenAt and block.transactionCount may be JSON numbers without an exponent. Digits may be
 * upper case, `0X` not. Null is absent. `data` is taken for an absent `input`. `block.number` and `block.hash` must be the
 * transaction's, and transactionIndex below block.transactionCount. Members without a field are kept in `extra`, those of
 * logs and access list entries (a node's repeat the transaction) are checked and dropped.
 *
 * Returns 0, or the code of an error (see DECODE_ERRORS; `lastError()` in describeError.ts says where and why); then the
 * writer is as before. Work and memory are linear in the length.
 */
export function decodeJson(source: Uint8Array, start: number, end: number, writer: FrameWriter, n = 0): number {
  failure.source = source;
  failure.start = start;
  failure.end = end;
  if (end - start > MAX_RECORD_BYTES) {
    fail(TOO_LARGE, start);
    return TOO_LARGE;
  }
  if (text.bytes !== source) text = createText(source);
  text.end = end;
  text.normalised = false;
  if (readTransaction(start, writer, n) > 0) return 0;
  if (failure.code !== ESCAPED) return failure.code;
  const normalised = normaliseEscapes(source, start, end);
  text = createText(normalised, normalised.length, true);
  if (readTransaction(0, writer, n) > 0) return 0;
  failure.at = sourcePosition(source, start, end, failure.at);
  return failure.code;
}

function readTransaction(p: number, writer: FrameWriter, n: number): number {
  const start = p;
  // A frame is never longer than header and text, but for extra (see extraSize) and the room kept for topics.
  writer.reserve(writer.end, HEADER_SIZE + 256 + (text.end - p));
  out = writer.bytes;
  words = writer.u32;
  frame = writer.end;
  tail = frame + HEADER_SIZE;
  present = 0;
  dataMember = -1;
  unknownMembers.count = 0;
  parts.input = parts.accessList = parts.logs = 0;
  parts.inputLength = parts.accessListLength = parts.logsLength = 0;
  words.fill(0, frame >> 2, tail >> 2);

  p = skipSpace(text, p);
  if (p >= text.end) return fail(EMPTY, start);
  if (text.bytes[p] !== 0x7b) return skipValue(text, p, 0) < 0 ? -1 : fail(NOT_OBJECT, p);
  p = readMembers(TRANSACTION, p, frame, 1);
  if (p < 0) return -1;
  p = skipSpace(text, p);
  if (p < text.end) return fail(NOT_JSON, p);
  return finish(start, writer, n);
}

/**
 * An object at its brace, of one of the levels; its fields go to out[base + offset]. `depth`: objects and arrays that are
 * open, this one included.
 */
function readMembers(level: number, p: number, base: number, depth: number): number {
  const { bytes, end } = text;
  const first = FIRST[level]!;
  const firstUnknown = unknownMembers.count;
  const object = p;
  let seen = 0;
  let given = 0;
  let previous = MEMBERS.length + level;
  p++;
  if (p < end && bytes[p]! <= 0x20) p = skipSpace(text, p);
  if (p < end && bytes[p] === 0x7d) {
    const required = REQUIRED_BITS[level]! & -REQUIRED_BITS[level]!;
    return required === 0 && level !== TRANSACTION ? p + 1 : missing(level, 0, object);
  }
  for (;;) {
    const key = p;
    let member = NEXT[previous]!;
    p = matchKey(member, key);
    if (p === 0) {
      if ((p = skipKey(text, key)) < 0) return -1;
      member = findMember(level, key, p);
      if (member < 255) NEXT[previous] = member;
    }
    const keyEnd = p;
    p = p < end && bytes[p] === 0x3a ? p + 1 : skipColon(text, p);
    if (p < 0) return -1;
    if (p < end && bytes[p]! <= 0x20) p = skipSpace(text, p);
    if (p >= end) return fail(TRUNCATED, end);

    if (member === 255) {
      if (level === TRANSACTION && isReserved(key)) return fail(RESERVED_KEY, key);
      const value = p;
      if ((p = skipValue(text, p, depth)) < 0) return -1;
      noteUnknown(level, key, keyEnd, value, p);
      previous = MEMBERS.length + level;
    } else {
      const bit = 1 << (member - first);
      if ((seen & bit) !== 0) return fail(DUPLICATE_KEY, key);
      seen |= bit;
      previous = member;
      if (bytes[p] === 0x6e) p = skipLiteral(text, p);
      else {
        p = readValue(member, p, base, depth, key, keyEnd, (given & TOPICS_BIT) !== 0);
        given |= bit;
      }
      if (p < 0) return -1;
    }

    if (p < end && bytes[p]! <= 0x20) p = skipSpace(text, p);
    if (p >= end) return fail(TRUNCATED, end);
    const c = bytes[p];
    p++;
    if (c === 0x7d) break;
    if (c !== 0x2c) return fail(NOT_JSON, p - 1);
    if (p < end && bytes[p]! <= 0x20) p = skipSpace(text, p);
  }
  if (unknownMembers.count > firstUnknown) {
    if (hasDuplicate(text, firstUnknown, level)) return -1;
    if (level >= LOG_ENTRY) unknownMembers.count = firstUnknown; // there is no place for them in the frame
  }
  if ((given & REQUIRED_BITS[level]!) !== REQUIRED_BITS[level]) return missing(level, given, object);
  if (level === TRANSACTION && (given & INPUT_BIT) === 0 && !readDataAsInput()) {
    return failure.code === MISSING_FIELD ? fail(MISSING_FIELD, object, "input") : -1;
  }
  return p;
}

/** Position behind the key if it is the member's name, else 0. `p` at its opening quote. */
function matchKey(member: number, p: number): number {
  const { view, end } = text;
  const last = p + KEY_LENGTH[member]! - 4;
  if (last + 4 > end) return 0;
  let word = KEY_START[member]!;
  for (; p < last; p += 4) if (view.getUint32(p, true) !== KEY_WORDS[word++]) return 0;
  return view.getUint32(last, true) === KEY_WORDS[word] ? last + 4 : 0;
}

/** The level's member of that key (with its quotes), 255 if there is none. */
function findMember(level: number, key: number, keyEnd: number): number {
  for (let member = FIRST[level]!, last = FIRST[level + 1]!; member < last; member++) {
    if (KEY_LENGTH[member] === keyEnd - key && matchKey(member, key) > 0) return member;
  }
  return 255;
}

/** Extra names the block's and the receipt's members so: a member of the transaction can't be called the same. */
function isReserved(key: number): boolean {
  return startsWith(key + 1, "block.") || startsWith(key + 1, "receipt.");
}

function startsWith(p: number, prefix: string): boolean {
  for (let i = 0; i < prefix.length; i++) if (text.bytes[p + i] !== prefix.charCodeAt(i)) return false;
  return true;
}

function missing(level: number, given: number, object: number): number {
  const name = REQUIRED[level]!.find((required) => (given & memberBit(level, required)) === 0);
  return fail(MISSING_FIELD, object, name);
}

function readValue(
  member: number,
  p: number,
  base: number,
  depth: number,
  key: number,
  keyEnd: number,
  topicsGiven: boolean,
): number {
  const at = base + AT[member]!;
  const bit = BIT[member]!;
  if ((present & bit) !== 0) return readAgain(member, p, at);
  present |= bit;
  switch (KIND[member]) {
    case 0: // quantity
      if (WIDTH[member] === 1) return readByte(member, p, at);
      return readQuantity(text, p, out, words, at, WIDTH[member]!);
    case 1: // safe
      return readSafe(p, at, 8, 0);
    case 2: // number
      return readSafe(p, at, WIDTH[member]!, 1);
    case 3: // seenAt
      return readSeenAt(p, at);
    case 4: // bytes
      return readBytes(text, p, words, at, WIDTH[member]!);
    case 5: // input
      return readInput(p);
    case 6: // data
      return noteData(p, depth, key, keyEnd);
    case 7: // block
      return text.bytes[p] === 0x7b ? readMembers(BLOCK, p, base, depth + 1) : fail(WRONG_TYPE, p);
    case 8: // receipt
      return text.bytes[p] === 0x7b ? readMembers(RECEIPT, p, base, depth + 1) : fail(WRONG_TYPE, p);
    case 9: // logs
      return readLogs(p, depth + 1);
    case 10: // accessList
      return readAccessList(p, depth + 1);
    case 11: // topics
      return readWords32(p, base + LOG.topics, base + LOG.topicCount, MAX_TOPICS);
    case 12: // logData: behind the topics, or where four would end if they are not yet known
      logDataAt = base + LOG.topics + 32 * (topicsGiven ? words[(base + LOG.topicCount) >> 2]! : MAX_TOPICS);
      p = readData(text, p, out, words, logDataAt);
      words[(base + LOG.dataLength) >> 2] = dataLength;
      return p;
    case 13: // storageKeys
      return readWords32(p, base + ACCESS.keys, base + ACCESS.keyCount, 2 ** 32);
    default: // ignored
      return skipValue(text, p, depth);
  }
}

const kept = new Uint32Array(8);

/** A member that was given at another place before (`blockNumber` and `block.number`): both must be the same. */
function readAgain(member: number, p: number, at: number): number {
  const value = p;
  const word = at >> 2;
  const count = WIDTH[member]! >> 2;
  for (let i = 0; i < count; i++) kept[i] = words[word + i]!;
  p = KIND[member] === 4 ? readBytes(text, p, words, at, WIDTH[member]!) : readSafe(p, at, 8, 0);
  if (p < 0) return -1;
  for (let i = 0; i < count; i++) if (kept[i] !== words[word + i]) return fail(INCONSISTENT, value);
  return p;
}

/** type: any byte; status: 0 or 1. */
function readByte(member: number, p: number, at: number): number {
  const value = p;
  p = readQuantity(text, p, out, words, at, 1);
  if (p > 0 && BIT[member] === PRESENT.status && out[at]! > 1) return fail(OUT_OF_RANGE, value);
  return p;
}

/** At most 2^53 − 1, so that TypeScript can hold it in a number. As hex, and if `number` is 1 as a JSON number too. */
function readSafe(p: number, at: number, width: number, number: number): number {
  const value = p;
  if (number === 1 && text.bytes[p] !== 0x22) {
    p = readDecimal(text, p, 0);
    if (p < 0) return -1;
    if (width === 4 && decimalValue > 0xffff_ffff) return fail(OUT_OF_RANGE, value);
    words[at >> 2] = decimalValue;
    if (width === 8) words[(at >> 2) + 1] = decimalValue / 2 ** 32;
  } else {
    p = readQuantity(text, p, out, words, at, width);
    if (p < 0) return -1;
    if (width === 8 && words[(at >> 2) + 1]! >= 2 ** 21) return fail(OUT_OF_RANGE, value);
  }
  const isZero = words[at >> 2] === 0 && words[(at >> 2) + 1] === 0;
  return isZero && at === frame + OFFSET.chainId ? fail(OUT_OF_RANGE, value) : p;
}

/** Milliseconds in the record, microseconds in the frame. */
function readSeenAt(p: number, at: number): number {
  const value = p;
  let micros: number;
  if (text.bytes[p] === 0x22) {
    p = readQuantity(text, p, out, words, at, 8);
    if (p < 0) return -1;
    micros = (words[(at >> 2) + 1]! * 2 ** 32 + words[at >> 2]!) * 1000;
    if (micros > Number.MAX_SAFE_INTEGER) return fail(OUT_OF_RANGE, value);
  } else {
    p = readDecimal(text, p, 3);
    if (p < 0) return -1;
    micros = decimalValue;
  }
  words[at >> 2] = micros;
  words[(at >> 2) + 1] = micros / 2 ** 32;
  return p;
}

function readInput(p: number): number {
  p = readData(text, p, out, words, tail);
  parts.input = tail;
  parts.inputLength = dataLength;
  tail += (dataLength + 7) & ~7;
  return p;
}

/** Kept as an unknown member for now: some nodes say `data` for `input`, some give both. */
function noteData(p: number, depth: number, key: number, keyEnd: number): number {
  const value = p;
  p = skipValue(text, p, depth);
  if (p < 0) return -1;
  dataMember = unknownMembers.count;
  noteUnknown(TRANSACTION, key, keyEnd, value, p);
  return p;
}

function readDataAsInput(): boolean {
  if (dataMember < 0) {
    fail(MISSING_FIELD, 0);
    return false;
  }
  const { u32 } = unknownMembers;
  if (readInput(u32[dataMember * 5 + 3]!) < 0) return false;
  u32[dataMember * 5] = LOG_ENTRY; // a level that writeExtra leaves out
  return true;
}

/** Array of 32-byte strings to out[at…], their count to out[countAt]. */
function readWords32(p: number, at: number, countAt: number, most: number): number {
  const { bytes, end } = text;
  if (bytes[p] !== 0x5b) return fail(WRONG_TYPE, p);
  let count = 0;
  p = skipSpace(text, p + 1);
  if (p < end && bytes[p] === 0x5d) p++;
  else {
    for (;;) {
      if (count === most) return fail(TOO_MANY_TOPICS, p);
      if ((p = readBytes(text, p, words, at + 32 * count, 32)) < 0) return -1;
      count++;
      if (p < end && bytes[p]! <= 0x20) p = skipSpace(text, p);
      if (p >= end) return fail(TRUNCATED, end);
      const c = bytes[p++];
      if (c === 0x5d) break;
      if (c !== 0x2c) return fail(NOT_JSON, p - 1);
      if (p < end && bytes[p]! <= 0x20) p = skipSpace(text, p);
    }
  }
  words[countAt >> 2] = count;
  return p;
}

function readLogs(p: number, depth: number): number {
  parts.logs = tail;
  p = readEntries(LOG_ENTRY, p, depth, OFFSET.logCount);
  parts.logsLength = tail - parts.logs;
  return p;
}

function readAccessList(p: number, depth: number): number {
  parts.accessList = tail;
  p = readEntries(ACCESS_ENTRY, p, depth, OFFSET.accessListCount);
  parts.accessListLength = tail - parts.accessList;
  return p;
}

/** Array of logs or access list entries, each to `tail`; `depth`: the array included. */
function readEntries(level: number, p: number, depth: number, countAt: number): number {
  const { bytes, end } = text;
  if (bytes[p] !== 0x5b) return fail(WRONG_TYPE, p);
  let count = 0;
  p = skipSpace(text, p + 1);
  if (p < end && bytes[p] === 0x5d) p++;
  else {
    for (;;) {
      if (p >= end) return fail(TRUNCATED, end);
      if (bytes[p] !== 0x7b) return fail(WRONG_TYPE, p);
      if ((p = readMembers(level, p, tail, depth + 1)) < 0) return -1;
      tail += level === LOG_ENTRY ? finishLog(tail) : finishAccess(tail);
      count++;
      if (p < end && bytes[p]! <= 0x20) p = skipSpace(text, p);
      if (p >= end) return fail(TRUNCATED, end);
      const c = bytes[p++];
      if (c === 0x5d) break;
      if (c !== 0x2c) return fail(NOT_JSON, p - 1);
      if (p < end && bytes[p]! <= 0x20) p = skipSpace(text, p);
    }
  }
  words[(frame + countAt) >> 2] = count;
  return p;
}

/** Size of the log at `at`, whose members are all there. */
function finishLog(at: number): number {
  const dataAt = at + LOG.topics + 32 * words[(at + LOG.topicCount) >> 2]!;
  const padded = (words[(at + LOG.dataLength) >> 2]! + 7) & ~7;
  if (logDataAt !== dataAt) out.copyWithin(dataAt, logDataAt, logDataAt + padded); // data came before topics
  words[(at + LOG.address + 20) >> 2] = 0;
  return (words[(at + LOG.size) >> 2] = dataAt + padded - at);
}

function finishAccess(at: number): number {
  words[(at + ACCESS.address + 20) >> 2] = 0;
  return (words[(at + ACCESS.size) >> 2] = ACCESS.keys + 32 * words[(at + ACCESS.keyCount) >> 2]!);
}

/** Puts the parts in order, writes extra and the header's own fields. */
function finish(start: number, writer: FrameWriter, n: number): number {
  const word = frame >> 2;
  if ((present & PRESENT.transactionIndex) !== 0 && (present & PRESENT.blockTransactionCount) !== 0) {
    const index = words[word + (OFFSET.transactionIndex >> 2)]!;
    if (index >= words[word + (OFFSET.blockTransactionCount >> 2)]!) {
      return fail(INCONSISTENT, start, "transactionIndex");
    }
  }
  orderParts();
  let extraLength = 0;
  if (unknownMembers.count > 0) {
    writer.reserve(tail, extraSize());
    out = writer.bytes;
    words = writer.u32;
    extraLength = writeExtra(text.bytes, out, tail);
    for (tail += extraLength; tail & 7; tail++) out[tail] = 0;
  }
  const size = tail - frame;
  if (size > MAX_RECORD_BYTES) return fail(TOO_LARGE, start);
  words[word] = FRAME_VERSION | (HEADER_SIZE << 16);
  words[word + (OFFSET.size >> 2)] = size;
  words[word + (OFFSET.inputLength >> 2)] = parts.inputLength;
  words[word + (OFFSET.accessListLength >> 2)] = parts.accessListLength;
  words[word + (OFFSET.logsLength >> 2)] = parts.logsLength;
  words[word + (OFFSET.extraLength >> 2)] = extraLength;
  words[word + (OFFSET.present >> 2)] = present;
  writer.commit(size, n);
  return 1;
}

function orderParts(): void {
  const input = frame + HEADER_SIZE;
  const inputSize = (parts.inputLength + 7) & ~7;
  const accessList = input + inputSize;
  const logs = accessList + parts.accessListLength;
  const inOrder =
    (inputSize === 0 || parts.input === input) &&
    (parts.accessListLength === 0 || parts.accessList === accessList) &&
    (parts.logsLength === 0 || parts.logs === logs);
  if (inOrder) return;
  const copy = out.slice(input, tail);
  out.set(copy.subarray(parts.input - input, parts.input - input + inputSize), input);
  out.set(copy.subarray(parts.accessList - input, parts.accessList - input + parts.accessListLength), accessList);
  out.set(copy.subarray(parts.logs - input, parts.logs - input + parts.logsLength), logs);
}
