/**
 * The largest value of an argument among a transaction's logs of an event (of a call the one that it has), as a number like others: a
 * rule that asks for at least 100 can hold only where the largest is as large. So of 10,000 thresholds of one event a
 * transaction walks past those that it reaches, and what is asked together with them is asked of these.
 */
import type { Argument } from "../../condition/abi/argument.ts";
import { argumentReader, type Span } from "../../condition/abi/readArgument.ts";
import type { Condition, Match } from "../../condition/condition.ts";
import { atLeast, type NumberSet } from "../../condition/intervals.ts";
import type { Frames } from "./frames.ts";
import { visitor } from "./match.ts";
import { floatOf } from "./number.ts";

export interface ArgumentField {
  readonly kind: "argument";
  readonly name: string;
  /** It is NaN where no log has it. */
  readonly present: 0;
  /** As a double, whose rounding keeps the order. */
  largest(frames: Pick<Frames, "bytes" | "words">, frame: number): number;
}

/** Of fewer rules' thresholds no column is made: it would be read of every transaction, and they are asked of those few with the event. */
export const MIN_THRESHOLDS = 32;

export interface ArgumentFields {
  /** What a transaction must have for the match to hold; undefined where it names no least value. */
  bound(match: Match): { readonly field: ArgumentField; readonly set: NumberSet } | undefined;
}

export function createArgumentFields(): ArgumentFields {
  const fields = new Map<string, ArgumentField>();
  return {
    bound(match) {
      const least = leastOf(match.where);
      if (!least) return undefined;
      const name = `${match.match.text} ${least.argument.name}`;
      let field = fields.get(name);
      if (!field) {
        field = createArgumentField(name, match, least.argument);
        fields.set(name, field);
      }
      return { field, set: atLeast(least.value) };
    },
  };
}

interface Least {
  readonly argument: Argument;
  readonly value: bigint;
}

/** The first least value that it cannot do without. */
function leastOf(where: Condition): Least | undefined {
  if ("and" in where) {
    for (const part of where.and) {
      const least = leastOf(part);
      if (least) return least;
    }
    return undefined;
  }
  if (!("operator" in where) || where.argument?.type.of !== "integer" || where.argument.type.signed) return undefined;
  const { argument, operator, value } = where;
  if (operator === "gte" || operator === "eq") return { argument, value: BigInt(value as string) };
  return operator === "gt" ? { argument, value: BigInt(value as string) + 1n } : undefined;
}

function createArgumentField(name: string, match: Match, argument: Argument): ArgumentField {
  const visit = visitor(match);
  const read = argumentReader(argument);
  const span: Span = { at: 0, end: 0 };
  const words = new Uint32Array(8);
  let largest = Number.NaN;
  const look = (bytes: Uint8Array, log: number, start: number, end: number): boolean => {
    if (!read(bytes, log, start, end, span)) return false;
    for (let w = 0, at = span.end - 4; w < words.length; w++, at -= 4)
      words[w] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    const value = floatOf(words, 0, words.length);
    if (!(value <= largest)) largest = value;
    return false; // on to the next log
  };
  return {
    kind: "argument",
    name,
    present: 0,
    largest(frames, frame) {
      largest = Number.NaN;
      visit(frames, frame, look);
      return largest;
    },
  };
}
