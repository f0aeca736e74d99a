import { didYouMean } from "../condition/didYouMean.ts";
import { LIST_BYTES, LIST_KINDS, type ListKind, type ListUse } from "../condition/listKinds.ts";
import { UserError } from "../ops/errors.ts";
import { buildList } from "./listTable.ts";
import { readListText } from "./listText.ts";
import type { Lists } from "./world.ts";

/** Lists by name, as text with an entry a line: what a run or a test says, in place of those in the control store. */
export type GivenLists = Readonly<Record<string, string | Uint8Array>>;

/**
 * The lists that a rule names, of what is given; what is not given is empty.
 * @throws UserError when one is given that the rule does not name, or a line is no entry
 */
export function makeLists(rule: string, uses: readonly ListUse[], given: GivenLists): Lists {
  const names = uses.map(({ name }) => name);
  for (const name of Object.keys(given))
    if (!names.includes(name)) {
      const expected = names.length === 0 ? "it names none" : `expected one of ${names.join(", ")}`;
      throw new UserError(
        `Cannot give the rule "${rule}" the list "${name}": ${expected}.${didYouMean(name, names)}`.replace(/\.$/, ""),
      );
    }
  return new Map(
    uses.map(({ name, bytes }) => {
      const text = Object.hasOwn(given, name) ? given[name]! : "";
      const read = readListText(kindOf(bytes), typeof text === "string" ? Buffer.from(text) : text);
      if (!read.ok) {
        const [{ line, value, message }] = read.problems as [(typeof read.problems)[number]];
        throw new UserError(`Cannot read the list "${name}": line ${line}: ${message}; got "${value}"`);
      }
      const builder = buildList(bytes, read.entries.length / bytes);
      builder.add(read.entries);
      return [name, builder.done()];
    }),
  );
}

const kindOf = (bytes: number): ListKind => LIST_KINDS.find((kind) => LIST_BYTES[kind] === bytes)!;
