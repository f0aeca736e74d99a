/** What TypeScript has and AssemblyScript has not, in words: by what the author wrote where the compiler stopped. */

type Sentence = string | ((...groups: string[]) => string);

/** By the compiler's message. */
const BY_MESSAGE: readonly (readonly [RegExp, Sentence])[] = [
  [/^Not implemented: union types/, "Cannot use a union of types: in AssemblyScript a value has one type, expected one of them, or a function for each"],
  [/^Not implemented: Iterators/, "Cannot use for … of: AssemblyScript has no iterators, expected for (let i = 0; i < list.length; ++i)"],
  [/^Not implemented: Spread/, "Cannot spread a list: AssemblyScript has no such operator, expected concat, slice or push"],
  [
    /^Not implemented: Interface hidden|^Type '<object>' is not/,
    "Cannot use an object literal: expected a class with these members, made with new",
  ],
  [/^Type argument expected/, "Cannot tell the types of this function: expected all of them, (x: i32): i32 => x + 1, or a for loop"],
  [
    /^Conversion from type '([iu]\w+)' to '(\w+)' requires an explicit cast/,
    (from, to) => `Cannot use ${from} as ${to}: it may not fit, expected <${to}>value, or ${from} on both sides`,
  ],
  [
    /^Operator '([*/%])' cannot be applied to types? 'U256'/,
    (operator) =>
      `Cannot use "${operator}" on amounts: U256 has + and -, comparisons, mul(number) and div(number); for ratios toF64()`,
  ],
  [
    /^Ambiguous operator overload .*'(\w+)#equals' and 'string/,
    (type) =>
      `Cannot compare ${type} with a text: expected a constant of it at the top level, const THAT = ${type.toLowerCase()}("0x…")`,
  ],
]; // biome-ignore format: a sentence a line

/** By the name that is not there. */
const BY_NAME: Readonly<Record<string, string>> = {
  JSON: 'Cannot use "JSON": a rule gets no text to parse, expected the members of tx',
  RegExp: "Cannot use a regular expression: AssemblyScript has none, expected startsWith, indexOf or includes",
  Promise: "Cannot wait: a rule sees one transaction and says at once what it has to say",
  setTimeout: "Cannot wait: a rule sees one transaction and says at once what it has to say",
  setInterval: "Cannot wait: a rule sees one transaction and says at once what it has to say",
  fetch: "Cannot fetch: a rule can call nothing outside itself",
  require: 'Cannot use "require": expected import { … } from "./file"',
  process: "Cannot ask the process: a rule can call nothing outside itself",
  Buffer: 'Cannot use "Buffer": expected Bytes, as tx.input is',
  undefined: 'Cannot use "undefined": in AssemblyScript every value is there, and tx.has… tells what a record had',
  delete: 'Cannot use "delete": in AssemblyScript an object\'s members are fixed',
};

/** By the source, from the beginning of a statement or an expression, where the compiler knows only that it was stopped. */
const BY_SOURCE: readonly (readonly [RegExp, string])[] = [
  [/^async\b|^await\b/, "Cannot wait: a rule sees one transaction and says at once what it has to say"],
  [/^function\s*\*/, "Cannot use a generator: AssemblyScript has none, expected a function that gives a list"],
  [/^(?:const|let|var)\s*[[{]/, "Cannot take a value apart: AssemblyScript has no destructuring, expected a name for each part: const a = pair[0]"],
  [/^\?\./, 'Cannot use "?.": nothing of a transaction is null, what it did not have reads as zero, and has… tells'],
  [/^\?\?/, 'Cannot use "??": AssemblyScript has no such operator, expected a ? b : c'],
  [/^for\s*\([^;)]*\bin\b/, "Cannot use for … in: AssemblyScript's objects cannot be listed, expected for (let i = 0; i < list.length; ++i)"],
  [/^\d+n\b/, 'Cannot use a BigInt: expected an amount such as u256("5"), ether(5) or gwei(5), or a u64'],
  [/^import\s+type\b/, "Cannot use import type: expected import { … }"],
  [/^[\w)]\s*:\s*\[/, "Cannot use a tuple: expected a class, or an array of one type"],
]; // biome-ignore format: a sentence a line

/** What the compiler says when it does not know what it sees. */
const STOPPED = /^(?:.+ expected|Unexpected token)$/;
/** How far before the place where it was stopped the cause may begin; on the same line. */
const LOOK_BACK = 40;

/** The sentence for a mistake at `start` of `text`, if it is one of these. */
export function unsupported(message: string, text: string | undefined, start: number): string | undefined {
  for (const [pattern, sentence] of BY_MESSAGE) {
    const match = pattern.exec(message);
    if (match) return typeof sentence === "string" ? sentence : sentence(...match.slice(1));
  }
  const name = /^Cannot find name '(\w+)'/.exec(message)?.[1];
  if (name !== undefined) return Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
  if (text === undefined || !STOPPED.test(message.replace(/\.$/, ""))) return undefined;
  const line = Math.max(text.lastIndexOf("\n", start - 1) + 1, start - LOOK_BACK);
  // the nearest cause before the place counts
  for (let at = start; at >= line; at--) {
    if (/\w/.test(text[at] ?? "") && /\w/.test(text[at - 1] ?? "")) continue; // within a word
    const found = BY_SOURCE.find(([pattern]) => pattern.test(text.slice(at, at + 200)));
    if (found) return found[1];
  }
  return undefined;
}
