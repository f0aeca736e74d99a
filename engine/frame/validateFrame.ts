import { BAD_FRAME, ESCAPED, fail, failure } from "./decodeErrors.ts";
import { EXTRA_PREFIXES } from "./extra.ts";
import { createText, hasDuplicate, noteUnknown, skipKey, skipValue, type Text, unknownMembers } from "./jsonScan.ts";
import { LEVELS, MEMBERS } from "./members.ts";
import { normaliseEscapes } from "./normaliseEscapes.ts";
import type { FrameBytes } from "./readFrame.ts";
import {
  ACCESS,
  FIELD_WIDTH,
  FIELDS,
  type FieldName,
  FRAME_VERSION,
  HEADER_SIZE,
  LOG,
  MAX_RECORD_BYTES,
  MAX_TOPICS,
  OFFSET,
  OPTIONAL,
  type Optional,
  PRESENT,
} from "./schema.ts";

/**
 * Is it a frame that decodeJson could have made? Packed records come from outside: behind this check all code reads frames
 * without looking where it reads, and every frame has a JSON form that gives the same frame again.
 */

/** The words of the optional fields: where such a field's bit is not set, they must be 0. */
const WORDS = FIELDS.filter(({ name, type }) => name in PRESENT && FIELD_WIDTH[type] >= 4).flatMap(({ name, type }) =>
  Array.from({ length: FIELD_WIDTH[type] >> 2 }, (_, i) => ({ name, word: (OFFSET[name] >> 2) + i })),
);
const ALL_BITS = OPTIONAL.reduce((bits, name) => bits | PRESENT[name], 0);
/** What stands in the block or the receipt alone is there only if that is. */
const within = (part: string) =>
  FIELDS.reduce((bits, { name, ...field }) => {
    return "json" in field && field.json.startsWith(`${part}.`) ? bits | PRESENT[name as Optional] : bits;
  }, 0);
const BLOCK_BITS = within("block");
const RECEIPT_BITS = within("receipt") | PRESENT.logs;
const KNOWN = new Set(
  MEMBERS.filter(({ level, kind }) => level < 3 && kind !== "data").map((m) => LEVELS[m.level] + m.name),
);

/**
 * Size of the frame at `frame` (a multiple of 8), which may use `available` bytes; −1 after `fail()`, whose field names what
 * is wrong.
 */
export function validateFrame(frames: FrameBytes, frame: number, available: number): number {
  const { bytes, u32 } = frames;
  const word = frame >> 2;
  if (available < HEADER_SIZE) return fail(BAD_FRAME, frame, "header");
  if (u32[word] !== (FRAME_VERSION | (HEADER_SIZE << 16)) >>> 0) return fail(BAD_FRAME, frame, "version");
  const size = u32[word + (OFFSET.size >> 2)]!;
  if (size < HEADER_SIZE || size % 8 !== 0 || size > available || size > MAX_RECORD_BYTES)
    return fail(BAD_FRAME, frame + OFFSET.size, "size");
  const inputLength = u32[word + (OFFSET.inputLength >> 2)]!;
  const accessListLength = u32[word + (OFFSET.accessListLength >> 2)]!;
  const logsLength = u32[word + (OFFSET.logsLength >> 2)]!;
  const extraLength = u32[word + (OFFSET.extraLength >> 2)]!;
  if (accessListLength % 8 !== 0 || logsLength % 8 !== 0)
    return fail(BAD_FRAME, frame + OFFSET.accessListLength, "lengths");
  if (HEADER_SIZE + padded(inputLength) + accessListLength + logsLength + padded(extraLength) !== size) {
    return fail(BAD_FRAME, frame + OFFSET.size, "size");
  }
  const wrong = headerFault(bytes, u32, frame);
  if (wrong !== "") return fail(BAD_FRAME, frame + OFFSET[wrong], wrong);

  const input = frame + HEADER_SIZE;
  const accessList = input + padded(inputLength);
  const logs = accessList + accessListLength;
  const extra = logs + logsLength;
  if (!isZero(bytes, input + inputLength, accessList)) return fail(BAD_FRAME, input + inputLength, "input");
  if (!isZero(bytes, extra + extraLength, frame + size)) return fail(BAD_FRAME, extra + extraLength, "extra");
  const accessListCount = u32[word + (OFFSET.accessListCount >> 2)]!;
  const logCount = u32[word + (OFFSET.logCount >> 2)]!;
  if (!areAccessEntries(frames, accessList, logs, accessListCount)) return fail(BAD_FRAME, accessList, "accessList");
  if (!areLogs(frames, logs, extra, logCount)) return fail(BAD_FRAME, logs, "receipt.logs");
  if (extraLength > 0 && !isExtra(frames, frame, extra, extra + extraLength)) return fail(BAD_FRAME, extra, "extra");
  return size;
}

// Offsets in words
const AT = Object.fromEntries(Object.entries(OFFSET).map(([name, offset]) => [name, offset >> 2])) as typeof OFFSET;

/** Words that must be 0, by what is present: frames are of few kinds. */
const EMPTY = new Map<number, Uint16Array>();
const MOST_KINDS = 256;

function emptyWords(present: number): Uint16Array {
  let words = EMPTY.get(present);
  if (words === undefined) {
    if (EMPTY.size === MOST_KINDS) EMPTY.clear();
    const absent = WORDS.filter(({ name }) => (present & PRESENT[name as Optional]) === 0);
    words = Uint16Array.from(absent, ({ word }) => word);
    EMPTY.set(present, words);
  }
  return words;
}

/** Whose word is the first of these that is not 0: one is. */
function firstFilled(u32: Uint32Array, word: number, empty: Uint16Array): FieldName {
  const at = empty.find((each) => u32[word + each] !== 0);
  return WORDS.find((each) => each.word === at)!.name;
}

/** Name of the first header field that can't be, "" if there is none. Hot, so without a closure. */
function headerFault(bytes: Uint8Array, u32: Uint32Array, frame: number): FieldName | "" {
  const word = frame >> 2;
  const present = u32[word + AT.present]!;
  if ((present & ~ALL_BITS) !== 0) return "present";
  if ((present & PRESENT.block) === 0 && (present & BLOCK_BITS) !== 0) return "present";
  if ((present & PRESENT.receipt) === 0 && (present & RECEIPT_BITS) !== 0) return "present";
  const empty = emptyWords(present);
  let bits = 0;
  for (let i = 0; i < empty.length; i++) bits |= u32[word + empty[i]!]!;
  if (bits !== 0) return firstFilled(u32, word, empty);
  if ((present & PRESENT.type) === 0 && bytes[frame + OFFSET.type] !== 0) return "type";
  if (bytes[frame + OFFSET.status]! > ((present & PRESENT.status) === 0 ? 0 : 1)) return "status";
  if (bytes[frame + OFFSET.reserved] !== 0 || bytes[frame + OFFSET.reserved + 1] !== 0) return "reserved";
  if ((present & PRESENT.logs) === 0 && u32[word + AT.logCount]! + u32[word + AT.logsLength]! > 0) return "logCount";
  if ((present & PRESENT.accessList) === 0) {
    if (u32[word + AT.accessListCount]! + u32[word + AT.accessListLength]! > 0) return "accessListCount";
  }
  if (u32[word + AT.chainId + 1]! >= 2 ** 21 || u32[word + AT.chainId]! + u32[word + AT.chainId + 1]! === 0)
    return "chainId";
  if (u32[word + AT.blockNumber + 1]! >= 2 ** 21) return "blockNumber";
  if (u32[word + AT.seenAt + 1]! >= 2 ** 21) return "seenAt";
  const positioned = (present & PRESENT.transactionIndex) !== 0 && (present & PRESENT.blockTransactionCount) !== 0;
  const ordered = u32[word + AT.transactionIndex]! < u32[word + AT.blockTransactionCount]!;
  return positioned && !ordered ? "transactionIndex" : "";
}

function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  while (from < to) if (bytes[from++] !== 0) return false;
  return true;
}

/** `count` logs from `at` fill the part up to `end` exactly. */
function areLogs(frames: FrameBytes, at: number, end: number, count: number): boolean {
  for (; count > 0; count--) {
    const size = logSize(frames, at, end);
    if (size === 0) return false;
    at += size;
  }
  return at === end;
}

/** The same of access list entries. */
function areAccessEntries(frames: FrameBytes, at: number, end: number, count: number): boolean {
  for (; count > 0; count--) {
    const size = accessEntrySize(frames, at, end);
    if (size === 0) return false;
    at += size;
  }
  return at === end;
}

/** Size of the log at `at` if it is one and ends at `end` or before, else 0. */
function logSize({ bytes, u32 }: FrameBytes, at: number, end: number): number {
  if (at + LOG.topics > end) return 0;
  const dataLength = u32[(at + LOG.dataLength) >> 2]!;
  const topicCount = u32[(at + LOG.topicCount) >> 2]!;
  const size = LOG.topics + 32 * topicCount + padded(dataLength);
  if (topicCount > MAX_TOPICS || at + size > end || u32[at >> 2] !== size || u32[(at + LOG.address + 20) >> 2] !== 0)
    return 0;
  return isZero(bytes, at + LOG.topics + 32 * topicCount + dataLength, at + size) ? size : 0;
}

function accessEntrySize({ u32 }: FrameBytes, at: number, end: number): number {
  if (at + ACCESS.keys > end) return 0;
  const size = ACCESS.keys + 32 * u32[(at + ACCESS.keyCount) >> 2]!;
  return at + size <= end && u32[at >> 2] === size && u32[(at + ACCESS.address + 20) >> 2] === 0 ? size : 0;
}

let text: Text = createText(new Uint8Array(0));

/** Members that have no field, strict JSON without spaces between tokens, in the order that writeExtra gives them. */
function isExtra(frames: FrameBytes, frame: number, from: number, to: number): boolean {
  if (text.bytes !== frames.bytes) text = createText(frames.bytes);
  text.end = to;
  text.normalised = false;
  const present = frames.u32[(frame + OFFSET.present) >> 2]!;
  if (areMembers(from, to, present)) return true;
  if (failure.code !== ESCAPED) return false;
  // A key with an escape: then decodeJson had normalised it all.
  text.normalised = true;
  const same = Buffer.compare(normaliseEscapes(frames.bytes, from, to), frames.bytes.subarray(from, to)) === 0;
  return same && areMembers(from, to, present);
}

function areMembers(from: number, to: number, present: number): boolean {
  const { bytes } = text;
  let last = 0;
  failure.code = BAD_FRAME;
  unknownMembers.count = 0;
  for (let p = from; ; p++) {
    const key = p;
    if ((p = skipKey(text, p)) < 0) return false;
    const name = text.buffer.toString("latin1", key + 1, p - 1);
    const level = EXTRA_PREFIXES.findLastIndex((prefix) => name.startsWith(prefix));
    noteUnknown(0, key, p, 0, 0);
    if (KNOWN.has(name) || level < last || p >= to || bytes[p] !== 0x3a) return false;
    if ((level === 1 && (present & PRESENT.block) === 0) || (level === 2 && (present & PRESENT.receipt) === 0))
      return false;
    last = level;
    const value = p + 1;
    if ((p = skipValue(text, value, level === 0 ? 1 : 2)) < 0 || hasSpace(bytes, value, p)) return false;
    if (p === to) return !hasDuplicate(text, 0, 0);
    if (bytes[p] !== 0x2c) return false;
  }
}

/** Space between the tokens of a valid value. */
function hasSpace(bytes: Uint8Array, from: number, to: number): boolean {
  let inString = false;
  for (let p = from; p < to; p++) {
    if (bytes[p] === 0x22) inString = !inString;
    else if (inString && bytes[p] === 0x5c) p++;
    else if (!inString && bytes[p]! <= 0x20) return true;
  }
  return false;
}
