/** Tests of what is not a number: bytes, call data, logs. Compiled once a rule set, asked of candidates only. */
import { RE2JS } from "re2js";
import { factsAt, sectionReader } from "../../chain/facts/readFacts.ts";
import type { Predicate } from "../../condition/condition.ts";
import type { BytesField, FactField, FactNameField, InputField, LogField } from "../../condition/fields.ts";
import type { Test } from "./frames.ts";
import { firstLog, LOG_WORD, nextLog, WORD } from "./words.ts";

type ByteField = BytesField | InputField | LogField | FactField | FactNameField;

/** Of bytes from `start` to `end` of the batch. */
type BytesTest = (bytes: Uint8Array, start: number, end: number) => boolean;

/** The predicate as a test; an `exists` looks at presence alone. */
export function bytesTest(field: ByteField, { operator, value }: Predicate): Test {
  const negated = operator === "ne" || operator === "not_in" || (operator === "exists" && value === false);
  const accepts = operator === "exists" ? isThere : matcher(operator, value as string | readonly string[]);
  const any = anyOf(field, accepts);
  return negated ? (frames, frame) => !any(frames, frame) : any;
}

const isThere: BytesTest = (_, start, end) => end > start;

/** Whether the field has a value that is accepted; of logs and of entries of facts, whether any has. */
function anyOf(field: ByteField, accepts: BytesTest): Test {
  if (field.kind === "input")
    return ({ bytes, words }, frame) => {
      const start = (frame + WORD.input) << 2;
      return accepts(bytes, start, start + words[frame + WORD.inputLength]!);
    };
  if (field.kind === "bytes")
    return ({ bytes, words }, frame) => {
      if (field.present !== 0 && (words[frame + WORD.present]! & field.present) === 0) return false;
      if (words[frame + WORD.inputLength]! < field.inputBytes) return false;
      const start = (frame + field.word) << 2;
      return accepts(bytes, start, start + field.bytes);
    };
  if (field.kind === "fact" || field.kind === "factName") {
    const { section, word, bytes: length, bit } = field;
    const { count, first, step } = sectionReader(section);
    return ({ bytes, words }, frame) => {
      const facts = factsAt(words, frame);
      if (facts < 0) return false;
      const by = step(words, facts);
      for (let left = count(words, facts), entry = first(words, facts); left > 0; left--, entry += by) {
        const start = (entry + word) << 2;
        if ((bit === 0 || (words[entry]! & bit) !== 0) && accepts(bytes, start, start + length)) return true;
      }
      return false;
    };
  }
  return ({ bytes, words }, frame) => {
    let log = firstLog(words, frame);
    for (let left = words[frame + WORD.logCount]!; left > 0; left--) {
      const start = (log + field.word) << 2;
      if (words[log + LOG_WORD.topicCount]! >= field.topics && accepts(bytes, start, start + field.bytes)) return true;
      log = nextLog(words, log);
    }
    return false;
  };
}

/** @param value hex, but of a pattern */
export function matcher(operator: Predicate["operator"], value: string | readonly string[]): BytesTest {
  if (operator === "regex") {
    const pattern = RE2JS.compile(value as string);
    return (bytes, start, end) => pattern.matcher(`0x${view(bytes).toString("hex", start, end)}`).find();
  }
  if (operator === "contains") {
    const part = bytesOf(value as string);
    return (bytes, start, end) => view(bytes).subarray(start, end).indexOf(part) >= 0;
  }
  if (operator === "starts_with") {
    const part = bytesOf(value as string);
    return (bytes, start, end) => part.length <= end - start && equals(bytes, start, part);
  }
  const byText = new Set(typeof value === "string" ? [value] : value);
  if (byText.size === 1) {
    const only = bytesOf([...byText][0]!);
    return (bytes, start, end) => only.length === end - start && equals(bytes, start, only);
  }
  return (bytes, start, end) => byText.has(`0x${view(bytes).toString("hex", start, end)}`);
}

/** The same pattern on text: what is no UTF-8 reads as U+FFFD. */
export function matchingText(value: string): BytesTest {
  const pattern = RE2JS.compile(value);
  return (bytes, start, end) => pattern.matcher(view(bytes).toString("utf8", start, end)).find();
}

function equals(bytes: Uint8Array, start: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[start + i] !== part[i]) return false;
  return true;
}

export const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.slice(2), "hex"));

const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
