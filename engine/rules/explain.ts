/** Why a condition holds for a transaction, or why not: every comparison with the value that it met. */

import { factsAt, sectionReader } from "../chain/facts/readFacts.ts";
import type { Condition } from "../condition/condition.ts";
import {
  type FactField,
  type FactNameField,
  type FactNumberField,
  type RuleField,
  ruleField,
} from "../condition/fields.ts";
import {
  bigAt,
  type FrameBytes,
  has,
  hexAt,
  inputAt,
  inputLength,
  logCount,
  logsAt,
  logTopicCount,
  nextEntry,
} from "../frame/readFrame.ts";
import type { ListTable } from "../world/listTable.ts";
import { type Lists, NO_LISTS } from "../world/world.ts";
import { explainMatch } from "./explainMatch.ts";
import type { Explanation } from "./explanation.ts";
import { computedField } from "./index/computedField.ts";
import { conditionTest } from "./index/normalForm.ts";
import { createScope } from "./index/scope.ts";
import { bytesOf } from "./index/test.ts";

/** Bytes of call data, and values of logs or entries, that an explanation shows. */
const SHOWN_BYTES = 68;
const SHOWN_EACH = 64;

/** @param frame byte offset of the frame  @param lists those that the condition names */
export function explain(condition: Condition, frames: FrameBytes, frame: number, lists: Lists = NO_LISTS): Explanation {
  if ("and" in condition) {
    const and = condition.and.map((each) => explain(each, frames, frame, lists));
    return { holds: and.every(({ holds }) => holds), and };
  }
  if ("or" in condition) {
    const or = condition.or.map((each) => explain(each, frames, frame, lists));
    return { holds: or.some(({ holds }) => holds), or };
  }
  if ("not" in condition) {
    const not = explain(condition.not, frames, frame, lists);
    return { holds: !not.holds, not };
  }
  if ("match" in condition) return explainMatch(condition, frames, frame, lists);
  const { field, operator, value } = condition;
  const one = { bytes: frames.bytes, words: frames.u32, offsets: Uint32Array.of(frame), count: 1 };
  const scope = createScope();
  const test = conditionTest(condition, scope);
  scope.bind(lists);
  const holds = test(one, frame >> 2);
  const actual = actualOf(ruleField(field)!, frames, frame);
  const table = operator === "in_list" || operator === "not_in_list" ? lists.get(value as string) : undefined;
  if (!table) return { holds, field, operator, value, actual };
  const values = (Array.isArray(actual) ? actual : [actual]).filter((one): one is string => typeof one === "string");
  return { holds, field, operator, value, actual, in_list: values.filter((one) => isEntry(table, one)) };
}

const isEntry = (table: ListTable, hex: string): boolean => table.has(new Uint32Array(bytesOf(hex).buffer), 0);

/** The first comparison that keeps a condition from holding; undefined when it holds. Within a "not" it is one that holds. */
export function firstFailure(explanation: Explanation, wanted = true): Explanation | undefined {
  const { holds, and, or, not, where } = explanation;
  if (holds === wanted) return undefined;
  if (not) return firstFailure(not, !wanted);
  if (where) return firstFailure(where, wanted);
  const parts = and ?? or;
  if (!parts || parts.length === 0) return explanation;
  for (const part of parts) {
    const failure = firstFailure(part, wanted);
    if (failure) return failure;
  }
  return explanation;
}

/** A comparison that failed, in words: `value gte 100: it is 7`. */
export function describeFailure({ field, operator, value, actual, holds }: Explanation): string {
  if (field === undefined) return "the condition never holds";
  const wanted =
    Array.isArray(value) && value.length > 3
      ? `one of ${value.length} values`
      : JSON.stringify(value).replaceAll('"', "");
  const met =
    actual === null
      ? "there is none"
      : `it is ${Array.isArray(actual) ? actual.join(", ") || "of none" : String(actual)}`;
  return `${holds ? "not (" : ""}${field} ${operator} ${wanted}${holds ? ")" : ""}: ${met}`;
}

/** What a transaction has: as `Explanation.actual`. @param frame byte offset of its frame */
export function actualOf(field: RuleField, frames: FrameBytes, frame: number): Explanation["actual"] {
  if (field.kind === "boolean") return has(frames, frame, field.bit) === field.when;
  if (field.kind === "factFlag") return computedField(field).read(frames.u32, frame >> 2) === 1;
  if (field.kind === "factCount" || field.kind === "elapsed") {
    const number = computedField(field).read(frames.u32, frame >> 2);
    return Number.isNaN(number) ? null : String(number);
  }
  if (field.kind === "fact" || field.kind === "factName" || field.kind === "factNumber")
    return ofEntries(field, frames, frame);
  if (field.kind === "log")
    return ofLogs(frames, frame, (log) =>
      logTopicCount(frames, log) < field.topics ? [] : [hexAt(frames, log + field.word * 4, field.bytes)],
    );
  if (field.kind === "input") {
    const length = inputLength(frames, frame);
    const shown = hexAt(frames, inputAt(frames, frame), Math.min(length, SHOWN_BYTES));
    return length > SHOWN_BYTES ? `${shown}… (${length} bytes)` : shown;
  }
  if (field.present !== 0 && !has(frames, frame, field.present)) return null;
  const at = frame + field.word * 4;
  if (field.kind === "bytes")
    return inputLength(frames, frame) < field.inputBytes ? null : hexAt(frames, at, field.bytes);
  if (field.width === 1) return String(((frames.u32[at >> 2]! >>> field.shift) & field.mask) >>> 0);
  return String(bigAt(frames, at, field.width * 4) / BigInt(field.scale));
}

function ofLogs(frames: FrameBytes, frame: number, read: (log: number) => readonly string[]): string[] {
  const found = new Set<string>();
  let log = logsAt(frames, frame);
  for (let left = logCount(frames, frame); left > 0 && found.size < SHOWN_EACH; left--, log = nextEntry(frames, log))
    for (const value of read(log)) found.add(value);
  return [...found];
}

function ofEntries(field: FactField | FactNameField | FactNumberField, frames: FrameBytes, frame: number): string[] {
  const facts = factsAt(frames.u32, frame >> 2);
  if (facts < 0) return [];
  const { count, first, step } = sectionReader(field.section);
  const found = new Set<string>();
  for (
    let left = count(frames.u32, facts), entry = first(frames.u32, facts);
    left > 0 && found.size < SHOWN_EACH;
    left--
  ) {
    const at = (entry + field.word) << 2;
    if (field.bit === 0 || (frames.u32[entry]! & field.bit) !== 0) found.add(shownValue(field, frames, at));
    entry += step(frames.u32, facts);
  }
  return [...found];
}

function shownValue(field: FactField | FactNameField | FactNumberField, frames: FrameBytes, at: number): string {
  if (field.kind === "factNumber") return String(bigAt(frames, at, field.width * 4));
  if (field.kind === "fact") return hexAt(frames, at, field.bytes);
  if (field.choices) return field.choices[frames.u32[at >> 2]! - 1]!;
  return Buffer.from(frames.bytes.subarray(at, at + field.bytes))
    .toString("utf8")
    .replace(/\0+$/, "");
}
