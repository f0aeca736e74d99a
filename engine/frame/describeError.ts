import { DECODE_ERRORS, type DecodeReason, failure, reasonOf } from "./decodeErrors.ts";
import { LEVELS, MEMBERS } from "./members.ts";

/** Why the last decoding failed, for a dead letter. Made only when asked for: the hot path just notes code and position. */
export interface DecodeError {
  readonly code: number;
  readonly reason: DecodeReason;
  /** Path such as `receipt.logs[3].data`, empty for the transaction itself. */
  readonly field: string;
  /** Byte within the transaction's text, from 0. */
  readonly at: number;
  readonly message: string;
}

/** The failure that decodeJson or validateFrame reported last. The source must still hold the bytes. */
export function lastError(): DecodeError {
  const { code, start, end } = failure;
  const reason = reasonOf(code);
  const at = failure.at - start;
  const path = reason === "bad_frame" || reason === "too_large" ? "" : pathTo(failure.source, start, end, failure.at);
  const field = [path, failure.field].filter(Boolean).join(".");
  const subject = field ? `"${field}" at byte ${at}` : at > 0 ? `byte ${at}` : "it";
  const message = `Cannot decode transaction: ${subject} ${state(reason)}, expected ${expected(reason, field)}`;
  return { code, reason, field, at, message };
}

function state(reason: DecodeReason): string {
  const { source, start, end, at } = failure;
  if (reason === "missing_field") return "is missing";
  if (reason === "truncated") return "is cut off";
  if (reason === "duplicate_key") return "occurs twice";
  if (reason === "empty" || reason === "no_value") return "is empty";
  if (reason === "too_large") return `has ${end - start} bytes`;
  if (reason === "bad_frame" && at < end)
    return `is 0x${Buffer.from(source.slice(at, Math.min(end, at + 8))).toString("hex")}`;
  if (failure.field && reason === "inconsistent") return "does not agree";
  return `is ${snippet(source, at, end)}`;
}

function expected(reason: DecodeReason, field: string): string {
  const member = memberAt(field);
  const general = DECODE_ERRORS[reason][1];
  if (reason === "inconsistent" && field === "transactionIndex") return "less than block.transactionCount";
  if (!member || reason === "inconsistent" || reason === "duplicate_key" || reason === "truncated") return general;
  switch (member.kind) {
    case "quantity":
    case "safe":
      if (reason === "out_of_range") return member.width === 1 ? "0x0 or 0x1" : "at most 2^53 − 1";
      return `0x and 1 to ${2 * member.width} hex digits`;
    case "number":
      return `an integer from ${member.name === "chainId" ? 1 : 0} to ${member.width === 4 ? "2^32 − 1" : "2^53 − 1"}`;
    case "seenAt":
      return "milliseconds since 1970 with at most three decimals";
    case "bytes":
      return `0x and ${2 * member.width} hex digits`;
    case "input":
    case "data":
    case "logData":
      return "0x and an even number of hex digits";
    case "block":
    case "receipt":
      return "an object";
    case "ignored":
      return general;
    default:
      return reason === "wrong_type" ? "an array" : general;
  }
}

function memberAt(field: string) {
  const path = field
    .replace(/^receipt\.logs\[\d+\]\./, "log.")
    .replace(/^accessList\[\d+\]\./, "access.")
    .replace(/(topics|storageKeys)\[\d+\]$/, "$1");
  const member = MEMBERS.find(({ level, name }) => LEVELS[level] + name === path);
  const isElement = /(topics|storageKeys)\[\d+\]$/.test(field);
  return member && isElement ? { ...member, kind: "bytes" as const, width: 32 } : member;
}

/** The token at `at`, cut to 40 characters, with what can't be printed as dots. */
function snippet(source: Uint8Array, at: number, end: number): string {
  let to = at;
  if (source[at] === 0x22) while (++to < end && source[to] !== 0x22) if (source[to] === 0x5c) to++;
  while (
    to < end &&
    to - at < 41 &&
    !(source[at] !== 0x22 && ",]} \n\r\t".includes(String.fromCharCode(source[to]!)))
  ) {
    if (source[to++] === 0x22 && to - 1 > at) break;
  }
  const cut = to - at > 40;
  let token = "";
  for (let p = at; p < Math.min(to, at + 40, end); p++) {
    token += source[p]! >= 0x20 && source[p]! < 0x7f ? String.fromCharCode(source[p]!) : ".";
  }
  return token === "" ? "nothing" : token + (cut ? "…" : "");
}

/** Path of the value (or key) that stands at `at`, in text that is valid JSON up to there. */
function pathTo(source: Uint8Array, start: number, end: number, at: number): string {
  const path: (string | number)[] = [];
  let expectsKey = false;
  for (let p = start; p < at; p++) {
    const c = source[p];
    if (c === 0x22) {
      const from = p;
      p = stringEnd(source, p, end);
      if (expectsKey && p <= at) path[path.length - 1] = keyText(source, from, p);
      if (expectsKey && p <= at) expectsKey = false;
      p--;
    } else if (c === 0x7b) {
      path.push("");
      expectsKey = true;
    } else if (c === 0x5b) path.push(0);
    else if (c === 0x7d || c === 0x5d) {
      path.pop();
      expectsKey = false;
    } else if (c === 0x2c) {
      const last = path.length - 1;
      if (typeof path[last] === "number") path[last]++;
      else expectsKey = true;
    }
  }
  if (expectsKey && path.length > 0) {
    path[path.length - 1] = source[at] === 0x22 ? keyText(source, at, stringEnd(source, at, end)) : "";
  }
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (step !== "") text += text === "" ? step : `.${step}`;
  }
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** Behind the closing quote of the string at p. */
function stringEnd(source: Uint8Array, p: number, end: number): number {
  for (p++; p < end && source[p] !== 0x22; p++) if (source[p] === 0x5c) p++;
  return Math.min(p + 1, end);
}

/** The key whose text stands in quotes from `from` to `to`, cut to what a message can bear. */
function keyText(source: Uint8Array, from: number, to: number): string {
  const text = Buffer.from(source.slice(from, Math.min(to, from + 400))).toString("utf8");
  try {
    return JSON.parse(text).slice(0, 64);
  } catch {
    return text.slice(1, 64); // cut off, or not a string at all: as it stands
  }
}
