/**
 * Numbers that are not at one place of every frame, as columns like others: those of facts, and what is computed of two fields. Of a number that each
 * swap has, a rule that asks for at least 100 holds where the largest is as large, and one that asks for at most 100 where the smallest
 * is as small; so these two are its columns.
 */
import { factsAt, sectionReader } from "../../chain/facts/readFacts.ts";
import { FACTS } from "../../chain/facts/schema.ts";
import type { ElapsedField, FactCountField, FactFlagField, FactNumberField } from "../../condition/fields.ts";
import type { NumberSet } from "../../condition/intervals.ts";
import { OFFSET, PRESENT } from "../../frame/schema.ts";
import type { Test } from "./frames.ts";
import { cutOf, floatOf, isWithin } from "./number.ts";

export interface ComputedField {
  readonly kind: "computed";
  readonly name: string;
  /** 0: it is never absent. */
  readonly present: number;
  /** As a double, whose rounding keeps the order; NaN where it is absent. @param frame its first word */
  read(words: Uint32Array, frame: number): number;
  /** Its exact words, for what does not fit in a double. */
  readonly exact?: {
    readonly width: number /** −1 where it is absent */;
    at(words: Uint32Array, frame: number): number;
  };
}

/** Each once, so that a column is read once for all rules. */
const made = new Map<string, ComputedField>();

function once(name: string, make: (name: string) => ComputedField): ComputedField {
  let field = made.get(name);
  if (!field) made.set(name, (field = make(name)));
  return field;
}

/** A number or flag of the transaction. */
export const computedField = (field: FactCountField | FactFlagField | ElapsedField): ComputedField =>
  once(field.name, (name) => {
    const { present } = field;
    if (field.kind === "elapsed") return { kind: "computed", name, present, read: readElapsed };
    const flags = FACTS.flags >> 2;
    if (field.kind === "factFlag")
      return {
        ...{ kind: "computed", name, present },
        read(words, frame) {
          const facts = factsAt(words, frame);
          return facts >= 0 && (words[facts + flags]! & field.flag) !== 0 ? 1 : 0;
        },
      };
    return {
      ...{ kind: "computed", name, present },
      read(words, frame) {
        const facts = factsAt(words, frame);
        return facts < 0 ? 0 : words[facts + field.word]!;
      },
    };
  });

const BOTH = PRESENT.seenAt | PRESENT.blockTimestamp;

function readElapsed(words: Uint32Array, frame: number): number {
  if ((words[frame + (OFFSET.present >> 2)]! & BOTH) !== BOTH) return Number.NaN;
  const u64 = (offset: number): number => words[frame + (offset >> 2) + 1]! * 2 ** 32 + words[frame + (offset >> 2)]!;
  const ms = Math.floor((u64(OFFSET.blockTimestamp) * 1e6 - u64(OFFSET.seenAt)) / 1_000);
  return Math.min(Math.max(ms, 0), Number.MAX_SAFE_INTEGER); // seen after its block's timestamp: 0
}

/** Of a number that each entry has. */
export const extremeField = (field: FactNumberField, which: "largest" | "smallest"): ComputedField =>
  once(`${which} ${field.name}`, (name) => {
    const visit = visitor(field);
    const { width, present } = field;
    function at(words: Uint32Array, frame: number): number {
      let best = -1;
      visit(words, frame, (value) => {
        if (best < 0 || isLarger(words, value, best, width) === (which === "largest")) best = value;
        return false;
      });
      return best;
    }
    return {
      ...{ kind: "computed", name, present },
      exact: { width, at },
      read(words, frame) {
        const value = at(words, frame);
        return value < 0 ? Number.NaN : floatOf(words, value, width);
      },
    };
  });

/** Whether the number of any entry belongs to a set. */
export function anyNumberTest(field: FactNumberField, { intervals }: NumberSet): Test {
  const visit = visitor(field);
  const cuts = intervals.map(([from, to]) => [cutOf(field, from), cutOf(field, to)] as const);
  return ({ words }, frame) => visit(words, frame, (value) => isWithin(words, value, field.width, cuts));
}

/** Goes through the values of a transaction's entries, by their word, until one is taken. */
function visitor({ section, word, bit }: FactNumberField) {
  const { count, first, step } = sectionReader(section);
  return (words: Uint32Array, frame: number, take: (value: number) => boolean): boolean => {
    const facts = factsAt(words, frame);
    if (facts < 0) return false;
    const by = step(words, facts);
    for (let left = count(words, facts), entry = first(words, facts); left > 0; left--, entry += by)
      if ((bit === 0 || (words[entry]! & bit) !== 0) && take(entry + word)) return true;
    return false;
  };
}

function isLarger(words: Uint32Array, a: number, b: number, width: number): boolean {
  for (let i = width - 1; i >= 0; i--) if (words[a + i] !== words[b + i]) return words[a + i]! > words[b + i]!;
  return false;
}
