import { unknownMembers } from "./jsonScan.ts";

/**
 * The part `extra`: what a record has and the frame has no field for, in the record's own words but without the spaces
 * between tokens (a newline would break a recording). The transaction's members first, then the block's and the receipt's
 * with those words before their names, each in the order of the record.
 *
 *     "v":"0x1","block.size":"0x5a1","receipt.root":"0x…"
 */
export const EXTRA_PREFIXES = ["", "block.", "receipt."] as const;

/** Most bytes that writeExtra can need, padding included. */
export function extraSize(): number {
  const { u32, count } = unknownMembers;
  let size = 8;
  for (let i = 0; i < count; i++) size += u32[i * 5 + 4]! - u32[i * 5 + 1]! + 10; // prefix, comma
  return size;
}

/** Writes the members noted in `unknownMembers` to out[at…]; returns the length. */
export function writeExtra(source: Uint8Array, out: Uint8Array, at: number): number {
  const { u32, count } = unknownMembers;
  const start = at;
  for (let level = 0; level < EXTRA_PREFIXES.length; level++) {
    const prefix = EXTRA_PREFIXES[level]!;
    for (let i = 0; i < count; i++) {
      if (u32[i * 5] !== level) continue;
      if (at > start) out[at++] = 0x2c;
      out[at++] = 0x22;
      for (let k = 0; k < prefix.length; k++) out[at++] = prefix.charCodeAt(k);
      for (let p = u32[i * 5 + 1]! + 1; p < u32[i * 5 + 2]!; p++) out[at++] = source[p]!;
      out[at++] = 0x3a;
      at = copyCompact(source, u32[i * 5 + 3]!, u32[i * 5 + 4]!, out, at);
    }
  }
  return at - start;
}

function copyCompact(source: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  let inString = false;
  for (let p = from; p < to; p++) {
    const c = source[p]!;
    if (inString && c === 0x5c) out[at++] = source[p++]!;
    else if (c === 0x22) inString = !inString;
    else if (c <= 0x20 && !inString) continue;
    out[at++] = source[p]!;
  }
  return at;
}

/** The members of an extra part as texts: `"v":"0x1"`, `"receipt.root":"0x…"`. */
export function splitExtra(extra: string): string[] {
  const members: string[] = [];
  let depth = 0;
  let inString = false;
  let from = 0;
  for (let p = 0; p < extra.length; p++) {
    const c = extra[p];
    if (inString) {
      if (c === "\\") p++;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === "{" || c === "[") depth++;
    else if (c === "}" || c === "]") depth--;
    else if (c === "," && depth === 0) {
      members.push(extra.slice(from, p));
      from = p + 1;
    }
  }
  if (extra !== "") members.push(extra.slice(from));
  return members;
}

/** The value of a member of the transaction itself; undefined where there is none. @param extra valid JSON, as a frame's part `extra` is */
export function extraMember(extra: string, name: string): unknown {
  const start = `"${name}":`;
  if (!extra.includes(start)) return undefined;
  const text = splitExtra(extra).find((one) => one.startsWith(start));
  return text === undefined ? undefined : JSON.parse(text.slice(start.length));
}
