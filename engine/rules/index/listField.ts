/**
 * "Is in the list" as a field that is 1 or 0: to the index it is a number like others. A transaction is looked up once for each
 * list and field that rules name, however many do: in the columns of what has no key, or when the first rule asks that its key found.
 */
import { factsAt, sectionReader } from "../../chain/facts/readFacts.ts";
import type { BytesField, FactField, LogField, RuleField } from "../../condition/fields.ts";
import type { ListTable } from "../../world/listTable.ts";
import type { Lists } from "../../world/world.ts";
import { firstLog, LOG_WORD, nextLog, WORD } from "./words.ts";

export interface ListField {
  readonly kind: "list";
  readonly name: string;
  /** It is 0 where the field is absent. */
  readonly present: 0;
  /** Whether the field's value is in the list; of logs and of entries of facts, whether any is. */
  has(words: Uint32Array, frame: number): boolean;
}

/** The lists that some conditions name. */
export interface ListFields {
  of(list: string, field: RuleField): ListField;
  /** Before each batch: what they are, and what was looked up is forgotten. @throws Error when one is not there */
  bind(lists: Lists): void;
}

interface Bound extends ListField {
  bind(lists: Lists): void;
}

export function createListFields(): ListFields {
  const fields = new Map<string, Bound>();
  return {
    of(list, field) {
      if (field.kind !== "bytes" && field.kind !== "log" && field.kind !== "fact")
        throw new Error(`Cannot look for ${field.name} in a list: the condition was not parsed`);
      const name = `${field.name} in_list ${list}`;
      let made = fields.get(name);
      if (!made) {
        made = createListField(name, list, field);
        fields.set(name, made);
      }
      return made;
    },
    bind(lists) {
      for (const field of fields.values()) field.bind(lists);
    },
  };
}

function createListField(name: string, list: string, field: BytesField | LogField | FactField): Bound {
  let table: ListTable | undefined;
  /** The transaction that was asked about last, and the answer: its rules ask one after the other. */
  let asked = -1;
  let answer = false;
  const find = field.kind === "bytes" ? ofTransaction(field) : field.kind === "log" ? ofLogs(field) : ofEntries(field);
  return {
    kind: "list",
    name,
    present: 0,
    bind(lists) {
      table = lists.get(list);
      asked = -1;
      if (table?.bytes !== field.bytes)
        throw new Error(
          `Cannot look for ${field.name} in the list "${list}": ${table ? `its entries have ${table.bytes} bytes` : "the world has none"}, expected one of ${field.bytes} bytes`,
        );
    },
    has(words, frame) {
      if (frame === asked) return answer;
      asked = frame;
      answer = find(table!, words, frame);
      return answer;
    },
  };
}

type Find = (table: ListTable, words: Uint32Array, frame: number) => boolean;

const ofTransaction =
  ({ word, present, inputBytes }: BytesField): Find =>
  (table, words, frame) =>
    (present === 0 || (words[frame + WORD.present]! & present) !== 0) &&
    words[frame + WORD.inputLength]! >= inputBytes &&
    table.has(words, frame + word);

const ofLogs =
  ({ word, topics }: LogField): Find =>
  (table, words, frame) => {
    let log = firstLog(words, frame);
    for (let left = words[frame + WORD.logCount]!; left > 0; left--) {
      if (words[log + LOG_WORD.topicCount]! >= topics && table.has(words, log + word)) return true;
      log = nextLog(words, log);
    }
    return false;
  };

function ofEntries({ section, word, bit }: FactField): Find {
  const { count, first, step } = sectionReader(section);
  return (table, words, frame) => {
    const facts = factsAt(words, frame);
    if (facts < 0) return false;
    const by = step(words, facts);
    for (let left = count(words, facts), entry = first(words, facts); left > 0; left--, entry += by)
      if ((bit === 0 || (words[entry]! & bit) !== 0) && table.has(words, entry + word)) return true;
    return false;
  };
}
