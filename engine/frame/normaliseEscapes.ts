import { isHexDigit } from "./jsonScan.ts";

/**
 * Rewrites JSON text so that every string has one spelling: escapes of characters that need none are replaced by the
 * characters, the others take their shortest form, lower case. Then two keys are equal if their bytes are, and a hex
 * string has no escapes left. What is no valid escape stays, for the decoder to refuse. Linear; never longer than the source.
 *
 * Returns the normalised text, or, given `until`, the source position of the byte that would be written there.
 */
export function normaliseEscapes(source: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(end - start);
  return out.subarray(0, rewrite(source, start, end, out, Infinity));
}

/** Where in the source the byte stands that normaliseEscapes puts at `position`. */
export function sourcePosition(source: Uint8Array, start: number, end: number, position: number): number {
  return rewrite(source, start, end, new Uint8Array(end - start), position);
}

function rewrite(source: Uint8Array, start: number, end: number, out: Uint8Array, until: number): number {
  let at = 0;
  let inString = false;
  let p = start;
  while (p < end && at < until) {
    const c = source[p]!;
    if (c === 0x22) inString = !inString;
    if (c !== 0x5c || !inString || p + 1 >= end) {
      out[at++] = c;
      p++;
    } else if (source[p + 1] !== 0x75) {
      if (source[p + 1] !== 0x2f) out[at++] = c; // \/ is a plain slash
      out[at++] = source[p + 1]!;
      p += 2;
    } else {
      const unit = codeUnit(source, p, end);
      const low = unit >= 0xd800 && unit < 0xdc00 ? codeUnit(source, p + 6, end) : -1;
      if (unit < 0) {
        out[at++] = c;
        p++;
      } else if (low >= 0xdc00 && low < 0xe000) {
        at = writeUtf8(out, at, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
        p += 12;
      } else {
        at = writeUnit(out, at, unit);
        p += 6;
      }
    }
  }
  return until === Infinity ? at : p;
}

/** The UTF-16 code unit that \uXXXX at p stands for, −1 if there is none. */
function codeUnit(source: Uint8Array, p: number, end: number): number {
  if (p + 6 > end || source[p] !== 0x5c || source[p + 1] !== 0x75) return -1;
  let unit = 0;
  for (let i = p + 2; i < p + 6; i++) {
    const c = source[i]!;
    if (!isHexDigit(c)) return -1;
    unit = unit * 16 + (c <= 0x39 ? c - 0x30 : (c | 0x20) - 0x57);
  }
  return unit;
}

const SHORT: Record<number, string> = { 8: "b", 9: "t", 10: "n", 12: "f", 13: "r", 34: '"', 92: "\\" };

function writeUnit(out: Uint8Array, at: number, unit: number): number {
  const short = SHORT[unit];
  if (short === undefined && unit >= 0x20 && (unit < 0xd800 || unit >= 0xe000)) return writeUtf8(out, at, unit);
  const letters = short ?? `u${unit.toString(16).padStart(4, "0")}`; // control characters and lone surrogates
  out[at++] = 0x5c;
  for (let i = 0; i < letters.length; i++) out[at++] = letters.charCodeAt(i);
  return at;
}

function writeUtf8(out: Uint8Array, at: number, point: number): number {
  if (point < 0x80) out[at++] = point;
  else if (point < 0x800) out[at++] = 0xc0 | (point >> 6);
  else if (point < 0x10000) {
    out[at++] = 0xe0 | (point >> 12);
    out[at++] = 0x80 | ((point >> 6) & 0x3f);
  } else {
    out[at++] = 0xf0 | (point >> 18);
    out[at++] = 0x80 | ((point >> 12) & 0x3f);
    out[at++] = 0x80 | ((point >> 6) & 0x3f);
  }
  if (point >= 0x80) out[at++] = 0x80 | (point & 0x3f);
  return at;
}
