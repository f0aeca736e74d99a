/**
 * "Some Transfer is like that" as a test of a transaction, and as keys that find it: of what names an indexed argument, the
 * topic with that argument; else the contract, else the event's hash. Of a call the selector and the words that its arguments stand in.
 *
 * Equal questions of many rules are asked once a transaction: a transaction with ten thousand logs costs one walk over them, however
 * many of its logs lead to the rule.
 */
import type { Argument, ArgumentType } from "../../condition/abi/argument.ts";
import { argumentReader, type Span, wordOf } from "../../condition/abi/readArgument.ts";
import type { Condition, Match, Predicate } from "../../condition/condition.ts";
import { type BytesField, type LogField, ruleField } from "../../condition/fields.ts";
import { HEADER_SIZE } from "../../frame/schema.ts";
import type { ListTable } from "../../world/listTable.ts";
import type { Lists } from "../../world/world.ts";
import type { Frames, Test } from "./frames.ts";
import { bytesOf, matcher, matchingText } from "./test.ts";
import { firstLog, LOG_WORD, nextLog, WORD } from "./words.ts";

/** The questions of some conditions. */
export interface Matches {
  of(match: Match): Test;
  /** Before each batch: what was asked is forgotten. @throws Error when a list is not there */
  bind(lists: Lists): void;
}

export function createMatches(): Matches {
  const tests = new Map<string, Test>();
  const tables = createTables();
  let batch = 0;
  return {
    of(match) {
      const name = JSON.stringify(match);
      let made = tests.get(name);
      if (!made) {
        const test = matchTest(match, tables.of);
        let asked = -1;
        let askedIn = -1;
        let answer = false;
        made = (frames, frame) => {
          if (asked !== frame || askedIn !== batch) {
            answer = test(frames, frame);
            [asked, askedIn] = [frame, batch];
          }
          return answer;
        };
        tests.set(name, made);
      }
      return made;
    },
    bind(lists) {
      batch++;
      tables.bind(lists);
    },
  };
}

/** The list of this name as it is in the batch. */
export type Tables = (name: string, bytes: number) => () => ListTable;

function createTables(): { of: Tables; bind(lists: Lists): void } {
  const tables = new Map<string, { readonly name: string; readonly bytes: number; table: ListTable | undefined }>();
  return {
    of(name, bytes) {
      const bound = tables.get(`${name} ${bytes}`) ?? { name, bytes, table: undefined };
      tables.set(`${name} ${bytes}`, bound);
      return () => bound.table!;
    },
    bind(lists) {
      for (const bound of tables.values()) {
        bound.table = lists.get(bound.name);
        if (bound.table?.bytes !== bound.bytes)
          throw new Error(
            `Cannot look for ${bound.bytes} bytes in the list "${bound.name}": ${bound.table ? `its entries have ${bound.table.bytes}` : "the world has none"}`,
          );
      }
    },
  };
}

/** Whether a log, or the call data, is like that: word of the log, and the bytes from and to which its arguments are encoded. */
export type WhereTest = (bytes: Uint8Array, log: number, start: number, end: number) => boolean;

function matchTest(match: Match, tables: Tables): Test {
  const where = whereTest(match.where, tables);
  const visit = visitor(match);
  return (frames, frame) => visit(frames, frame, where);
}

/** Asks of each log that is the event, or of the call data where it is the call, until one is. */
export function visitor({
  match,
}: Match): (frames: Pick<Frames, "bytes" | "words">, frame: number, where: WhereTest) => boolean {
  const id = new Uint32Array(bytesOf(match.id).buffer);
  if (match.kind === "call")
    return ({ bytes, words }, frame, where) => {
      const length = words[frame + WORD.inputLength]!;
      if (length < 4 || words[frame + WORD.input] !== id[0]) return false;
      const start = (frame + WORD.input) << 2;
      return where(bytes, 0, start + 4, start + length);
    };
  return ({ bytes, words }, frame, where) => {
    let log = firstLog(words, frame);
    for (let left = words[frame + WORD.logCount]!; left > 0; left--) {
      if (words[log + LOG_WORD.topicCount] === match.topics && isAt(words, log + LOG_WORD.topics, id)) {
        const start = (log + LOG_WORD.topics + 8 * match.topics) << 2;
        if (where(bytes, log, start, start + words[log + LOG_WORD.dataLength]!)) return true;
      }
      log = nextLog(words, log);
    }
    return false;
  };
}

function isAt(words: Uint32Array, at: number, id: Uint32Array): boolean {
  for (let i = 0; i < id.length; i++) if (words[at + i] !== id[i]) return false;
  return true;
}

export function whereTest(where: Condition, tables: Tables): WhereTest {
  if ("and" in where) {
    const tests = where.and.map((each) => whereTest(each, tables));
    return (bytes, log, start, end) => tests.every((test) => test(bytes, log, start, end));
  }
  if ("or" in where) {
    const tests = where.or.map((each) => whereTest(each, tables));
    return (bytes, log, start, end) => tests.some((test) => test(bytes, log, start, end));
  }
  if ("not" in where || "match" in where || !where.argument)
    throw new Error("Cannot ask this of a log: the condition was not parsed");
  return argumentTest(where, where.argument, tables);
}

const OPPOSITE: Partial<Record<Predicate["operator"], Predicate["operator"]>> = {
  ...{ ne: "eq", not_in: "in", not_in_list: "in_list" },
};

/** One comparison. What is not there equals nothing, so opposites hold. */
function argumentTest({ operator, value }: Predicate, argument: Argument, tables: Tables): WhereTest {
  const opposite = OPPOSITE[operator];
  const read = argumentReader(argument);
  const accepts = accepting(argument.type, opposite ?? operator, value, tables);
  const span: Span = { at: 0, end: 0 };
  return (bytes, log, start, end) =>
    (read(bytes, log, start, end, span) && accepts(bytes, span.at, span.end)) === (opposite === undefined);
}

type Accepts = (bytes: Uint8Array, at: number, end: number) => boolean;

function accepting(
  type: ArgumentType,
  operator: Predicate["operator"],
  value: Predicate["value"],
  tables: Tables,
): Accepts {
  if (operator === "exists") return () => true;
  if (operator === "in_list" && type.of === "bytes") return inList(tables(value as string, type.bytes), type.bytes);
  if (type.of === "integer" || type.of === "boolean") {
    const bounds = [value].flat().map((each) => bytesOf(wordOf(type, each as string | boolean)!));
    return comparing(operator, bounds, type.of === "integer" && type.signed);
  }
  if (type.of !== "text") return matcher(operator, value as string | readonly string[]);
  if (operator === "regex") return matchingText(value as string);
  const hex = (text: string): string => `0x${Buffer.from(text).toString("hex")}`;
  return matcher(operator, typeof value === "string" ? hex(value) : (value as readonly string[]).map(hex));
}

function comparing(operator: Predicate["operator"], bounds: readonly Uint8Array[], signed: boolean): Accepts {
  const [bound] = bounds as [Uint8Array];
  const against = (bytes: Uint8Array, at: number): number => compareWords(bytes, at, bound, signed);
  switch (operator) {
    case "gt":
      return (bytes, at) => against(bytes, at) > 0;
    case "gte":
      return (bytes, at) => against(bytes, at) >= 0;
    case "lt":
      return (bytes, at) => against(bytes, at) < 0;
    case "lte":
      return (bytes, at) => against(bytes, at) <= 0;
    default:
      return (bytes, at) => bounds.some((one) => compareWords(bytes, at, one, signed) === 0);
  }
}

/** Big-endian, so the first byte that differs decides; of signed numbers the first bit counts the other way. */
function compareWords(bytes: Uint8Array, at: number, bound: Uint8Array, signed: boolean): number {
  const flip = signed ? 0x80 : 0;
  const first = (bytes[at]! ^ flip) - (bound[0]! ^ flip);
  if (first !== 0) return first;
  for (let i = 1; i < bound.length; i++) if (bytes[at + i] !== bound[i]) return bytes[at + i]! - bound[i]!;
  return 0;
}

function inList(table: () => ListTable, width: number): Accepts {
  const entry = new Uint8Array(width);
  const words = new Uint32Array(entry.buffer);
  return (bytes, at, end) => {
    entry.set(bytes.subarray(at, end)); // it may lie anywhere, and a list is looked in by words
    return table().has(words, 0);
  };
}

/** Equalities of which a key is made: those that hold wherever the question does. */
function equalities(where: Condition): { argument: Argument; values: readonly (string | boolean)[] }[] {
  if ("and" in where) return where.and.flatMap(equalities);
  if (!("operator" in where) || !where.argument) return [];
  const { argument, operator, value } = where;
  if (operator === "eq") return [{ argument, values: [value as string | boolean] }];
  return operator === "in" ? [{ argument, values: value as readonly string[] }] : [];
}

export interface MatchKey {
  readonly field: BytesField | LogField;
  readonly values: readonly string[];
}

/** What leads to it in a hash table: it never holds where one of these is not found. */
export function matchKeys({ match, where }: Match): MatchKey[] {
  const found = equalities(where);
  if (match.kind === "call") {
    const words = found.flatMap(({ argument, values: [only, more] }): MatchKey[] => {
      const at = more === undefined ? fixedPlace(argument) : undefined;
      const word = at === undefined ? undefined : wordOf(argument.type, only!);
      return word === undefined ? [] : [{ field: argumentWord(at!), values: [word] }];
    });
    return [...words, { field: SELECTOR, values: [match.id] }];
  }
  const keys = found.flatMap(({ argument: { place, type }, values }): MatchKey[] => {
    if (place.in === "emitter") return [{ field: EMITTER, values: values as string[] }];
    return place.in === "topic"
      ? [{ field: TOPICS[place.topic]!, values: values.map((value) => wordOf(type, value)!) }]
      : [];
  });
  // few values first, an argument before the contract: a contract raises many events
  const rank = ({ field, values }: MatchKey): number => values.length * 2 + (field === EMITTER ? 1 : 0);
  const [best] = keys.sort((a, b) => rank(a) - rank(b));
  return [best ?? { field: TOPICS[0]!, values: [match.id] }];
}

const SELECTOR = ruleField("selector") as BytesField;
const EMITTER = ruleField("logAddress") as LogField;
const TOPICS = [0, 1, 2, 3].map((i) => ruleField(`topic${i}`) as LogField);

/** Arguments behind these are asked for, not looked up: each place is one more table to look in. */
const KEYED_BYTES = 8 * 32;

/** Bytes from the selector to a word that always stands there; undefined for what something points to, or is counted. */
function fixedPlace({ place }: Argument): number | undefined {
  if (place.in !== "data" || place.steps.length === 0) return undefined;
  let at = 0;
  for (const { bytes, element, follow } of place.steps) {
    if (follow || element?.count === null) return undefined;
    const { index, count } = element ?? { index: 1, count: 0 };
    at += bytes * (index < 0 ? count! + index : index);
  }
  return at < KEYED_BYTES ? at : undefined;
}

/** One a place: the index knows fields by their identity. */
const argumentWords = new Map<number, BytesField>();

function argumentWord(at: number): BytesField {
  let field = argumentWords.get(at);
  if (!field) {
    field = {
      ...{ kind: "bytes", name: `argument at ${at}`, aliases: [], doc: "a word of the call data", present: 0 },
      ...{ word: (HEADER_SIZE + 4 + at) >> 2, bytes: 32, inputBytes: 4 + at + 32 },
    };
    argumentWords.set(at, field);
  }
  return field;
}
