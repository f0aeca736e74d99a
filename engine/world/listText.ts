/**
 * Entries of a list as text, one a line, read as it comes in: `0x` and hexadecimal digits, in either case. What follows a `#` is a
 * note; empty lines are none.
 */
import { entryForm, LIST_BYTES, LIST_KINDS, LIST_LIMITS, type ListKind } from "../condition/listKinds.ts";

export interface ListProblem {
  /** From 1. */
  readonly line: number;
  readonly value: string;
  readonly message: string;
}

export type ListText =
  /** Entries back to back; one that is there twice is there twice. */
  | { readonly ok: true; readonly entries: Uint8Array }
  | { readonly ok: false; readonly problems: readonly ListProblem[] };

export interface ListTextReader {
  /** @returns false once there are so many problems that more need not be read */
  feed(chunk: Uint8Array): boolean;
  done(): ListText;
}

/** Bytes of a text: a million topics, each with a line's end, and notes of some length. */
export const MAX_LIST_TEXT = 128 << 20;
const MAX_LINE = 1_024;
const MAX_PROBLEMS = 20;
/** Entries of a text, the same ones counted: a list has at most half of them. */
const MAX_WRITTEN = 2 * LIST_LIMITS.entries;

const [NEWLINE, HASH, ZERO, X] = [10, 35, 48, 120];
const BAD = 0x100;
const NIBBLE = new Uint16Array(256).fill(BAD);
for (let digit = 0; digit < 16; digit++)
  for (const text of [digit.toString(16), digit.toString(16).toUpperCase()]) NIBBLE[text.charCodeAt(0)] = digit;

export function createListTextReader(kind: ListKind): ListTextReader {
  const width = LIST_BYTES[kind];
  const problems: ListProblem[] = [];
  let entries = new Uint8Array(width * 1_024);
  let length = 0;
  let line = 0;
  let rest = new Uint8Array(0);

  function problem(text: Uint8Array, message: string): void {
    const shown = Buffer.from(text.subarray(0, 80)).toString("utf8");
    if (problems.length < MAX_PROBLEMS) problems.push({ line, value: shown, message });
  }

  function read(bytes: Uint8Array, from: number, to: number): void {
    line++;
    const note = bytes.subarray(from, to).indexOf(HASH);
    let end = note < 0 ? to : from + note;
    while (end > from && isSpace(bytes[end - 1]!)) end--;
    let start = from;
    while (start < end && isSpace(bytes[start]!)) start++;
    if (start === end) return;
    if (length === entries.length) {
      const grown = new Uint8Array(entries.length * 2);
      grown.set(entries);
      entries = grown;
    }
    let wrong = end - start !== 2 + 2 * width || bytes[start] !== ZERO || (bytes[start + 1]! | 32) !== X ? BAD : 0;
    for (let i = 0, at = start + 2; i < width && wrong < BAD; i++, at += 2) {
      const high = NIBBLE[bytes[at]!]!;
      const low = NIBBLE[bytes[at + 1]!]!;
      wrong |= high | low;
      entries[length + i] = (high << 4) | low;
    }
    if (wrong >= BAD) {
      problem(bytes.subarray(start, end), `Expected ${entryForm(kind)}${otherKind(kind, end - start)}`);
      return;
    }
    length += width;
    if (length === (MAX_WRITTEN + 1) * width)
      problem(
        bytes.subarray(start, end),
        `More than ${MAX_WRITTEN} entries: a list has at most ${LIST_LIMITS.entries}`,
      );
  }

  return {
    feed(chunk) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let from = 0;
      for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
        read(bytes, from, to);
        from = to + 1;
        if (length > MAX_WRITTEN * width) return false;
      }
      rest = Uint8Array.from(bytes.subarray(from));
      if (rest.length > MAX_LINE) {
        line++;
        problem(rest, `A line of more than ${MAX_LINE} bytes: expected one entry a line`);
        rest = new Uint8Array(0);
        return false;
      }
      return problems.length < MAX_PROBLEMS;
    },
    done() {
      if (rest.length > 0 && problems.length < MAX_PROBLEMS) read(rest, 0, rest.length);
      return problems.length > 0 ? { ok: false, problems } : { ok: true, entries: entries.subarray(0, length) };
    },
  };
}

const isSpace = (byte: number): boolean => byte === 32 || byte === 9 || byte === 13;

/** Whoever sends selectors as addresses has forgotten to say so. */
function otherKind(kind: ListKind, length: number): string {
  const other = LIST_KINDS.find((each) => LIST_BYTES[each] * 2 + 2 === length && LIST_BYTES[each] !== LIST_BYTES[kind]);
  return other ? `; a list of them is of kind ${other}` : "";
}

/** A whole text. */
export function readListText(kind: ListKind, text: Uint8Array): ListText {
  const reader = createListTextReader(kind);
  for (let at = 0; at < text.length && reader.feed(text.subarray(at, at + 65_536)); at += 65_536);
  return reader.done();
}
