/** What lists are of, and how large they may be. */
import { didYouMean } from "./didYouMean.ts";

/** Bytes of an entry, by the kind of the list. A token is an address: the word is for people. */
export const LIST_BYTES = { address: 20, token: 20, selector: 4, topic: 32 } as const;
export type ListKind = keyof typeof LIST_BYTES;
export const LIST_KINDS = Object.keys(LIST_BYTES) as readonly ListKind[];

export const LIST_LIMITS = {
  /** of one list: 28 MB of memory in an engine, whatever its threads */
  entries: 1_000_000,
  lists: 1_000,
  /** of all lists together */
  allEntries: 10_000_000,
  /** that one rule names */
  rule: 16,
} as const;

export const LIST_NAME = {
  pattern: /^[a-z0-9][a-z0-9_-]{0,63}$/,
  expected: "Expected the name of a list: 1 to 64 of a-z 0-9 - _, beginning with a letter or digit",
} as const;

/** A list that a rule names, and bytes of what is looked for in it. */
export interface ListUse {
  readonly name: string;
  readonly bytes: number;
}

/** An example of an entry, to complete "expected …". */
export const entryForm = (kind: ListKind): string =>
  `${kind === "address" || kind === "token" ? "an address" : `a ${kind}`}: 0x and ${LIST_BYTES[kind] * 2} hexadecimal digits`;

/** What is wrong with the lists that a rule names; none when all are there and of its kind. */
export function listProblems(
  uses: readonly ListUse[],
  lists: ReadonlyMap<string, { readonly kind: ListKind }>,
): string[] {
  return uses.flatMap(({ name, bytes }) => {
    const list = lists.get(name);
    if (!list)
      return `There is no list "${name}".${didYouMean(name, [...lists.keys()])} PUT /api/v1/lists/${name} makes it`;
    const own = LIST_BYTES[list.kind];
    return own === bytes
      ? []
      : `The list "${name}" is of ${list.kind === "address" ? "addresses" : `${list.kind}s`}, ${own} bytes each: expected one of ${bytes} bytes`;
  });
}
