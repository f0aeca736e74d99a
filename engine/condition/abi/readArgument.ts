/**
 * Arguments of events and calls as they lie in a frame. Strangers wrote them, so nothing is believed: what is cut short, points
 * beyond its end, or has other bits than its type, is not there.
 */

import { LOG } from "../../frame/schema.ts";
import type { Argument, ArgumentType, Step } from "./argument.ts";

/** Bytes of the batch: where the value begins, and ends. Of numbers and booleans it is the whole word. */
export interface Span {
  at: number;
  end: number;
}

/**
 * Finds a value; false when it is not there.
 * @param log word of the log, of a call anything
 * @param start where the encoded arguments begin, in bytes  @param end and end
 */
export type ArgumentReader = (bytes: Uint8Array, log: number, start: number, end: number, span: Span) => boolean;

const WORD = 32;
const NOWHERE = -1;

export function argumentReader({ place, type }: Pick<Argument, "place" | "type">): ArgumentReader {
  if (type.of === "presence") return () => true;
  if (place.in === "emitter")
    return (_bytes, log, _start, _end, span) => {
      span.at = (log << 2) + LOG.address;
      span.end = span.at + 20;
      return true;
    };
  const value = valueReader(type);
  if (place.in === "topic") {
    const offset = LOG.topics + WORD * place.topic;
    return (bytes, log, _start, _end, span) => {
      const at = (log << 2) + offset;
      return value(bytes, at, at + WORD, span);
    };
  }
  const { steps } = place;
  return (bytes, _log, start, end, span) => {
    const at = walk(bytes, steps, start, end);
    return at !== NOWHERE && value(bytes, at, end, span);
  };
}

/** The word that the steps lead to. */
function walk(bytes: Uint8Array, steps: readonly Step[], start: number, end: number): number {
  let at = start;
  for (let s = 0; s < steps.length; s++) {
    const { bytes: distance, element, follow } = steps[s]!;
    let base = at;
    let index = 1;
    if (element) {
      let count = element.count;
      if (count === null) {
        if (at + WORD > end) return NOWHERE;
        count = smallNumber(bytes, at);
        base = at + WORD;
      }
      index = element.index < 0 ? count + element.index : element.index;
      if (index < 0 || index >= count) return NOWHERE;
    }
    at = base + index * distance;
    if (at + WORD > end) return NOWHERE;
    if (!follow) continue;
    at = base + smallNumber(bytes, at);
    if (at + WORD > end) return NOWHERE;
  }
  return at;
}

/** A word as an offset or a count: more than there can be bytes is all the same. */
export function smallNumber(bytes: Uint8Array, at: number): number {
  if (!isFilled(bytes, at, at + 28, 0)) return 2 ** 32;
  return ((bytes[at + 28]! << 24) | (bytes[at + 29]! << 16) | (bytes[at + 30]! << 8) | bytes[at + 31]!) >>> 0;
}

function isFilled(bytes: Uint8Array, from: number, to: number, byte: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== byte) return false;
  return true;
}

/** From a word that is there; `end` is that of the arguments. */
type ValueReader = (bytes: Uint8Array, at: number, end: number, span: Span) => boolean;

function valueReader(type: ArgumentType): ValueReader {
  switch (type.of) {
    case "integer": {
      const padding = WORD - type.bits / 8;
      return (bytes, at, _end, span) => {
        span.at = at;
        span.end = at + WORD;
        const below = type.signed && bytes[at + padding]! >= 0x80;
        return isFilled(bytes, at, at + padding, below ? 0xff : 0);
      };
    }
    case "boolean":
      return (bytes, at, _end, span) => {
        span.at = at;
        span.end = at + WORD;
        return bytes[at + WORD - 1]! <= 1 && isFilled(bytes, at, at + WORD - 1, 0);
      };
    case "bytes":
      return (bytes, at, _end, span) => {
        span.at = type.last ? at + WORD - type.bytes : at;
        span.end = span.at + type.bytes;
        return isFilled(bytes, at, span.at, 0) && isFilled(bytes, span.end, at + WORD, 0);
      };
    default:
      return (bytes, at, end, span) => {
        span.at = at + WORD;
        span.end = span.at + smallNumber(bytes, at);
        return span.end <= end;
      };
  }
}

/** A canonical value as the word that it is encoded as; undefined for what has no word of its own. */
export function wordOf(type: ArgumentType, value: string | boolean): string | undefined {
  switch (type.of) {
    case "integer":
      return `0x${BigInt.asUintN(256, BigInt(value)).toString(16).padStart(64, "0")}`;
    case "boolean":
      return `0x${(value === true ? "1" : "0").padStart(64, "0")}`;
    case "bytes": {
      const digits = (value as string).slice(2);
      return `0x${type.last ? digits.padStart(64, "0") : digits.padEnd(64, "0")}`;
    }
    default:
      return undefined;
  }
}

/** What was found, in words: decimal text, a boolean, hex, text. @param most bytes of data and text that are shown */
export function shownArgument(
  { bytes }: { readonly bytes: Uint8Array },
  type: ArgumentType,
  { at, end }: Span,
  most: number,
) {
  const found = Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset + at, Math.min(end - at, most));
  const rest = end - at > most ? `… (${end - at} bytes)` : "";
  switch (type.of) {
    case "integer": {
      const number = BigInt(`0x${found.toString("hex")}`);
      return String(type.signed ? BigInt.asIntN(256, number) : number);
    }
    case "boolean":
      return found[WORD - 1] === 1;
    case "text":
      return found.toString("utf8") + rest;
    default:
      return `0x${found.toString("hex")}${rest}`;
  }
}
