/**
 * Arguments of events and calls by name, and where each lies:
 *
 *     event.Transfer.value                        of a log: a topic, or in its data
 *     event.Transfer.address                      the contract that raised it
 *     call.exactInputSingle.params.amountIn       of the call data, in a struct
 *     call.swap.path[0]   path[-1]   path.length  of an array, [-1] from its end
 *     call.swap(uint256,address[]).path[0]        by its signature, where several have the name
 *     event.Transfer                              whether there is one
 */
import { didYouMean } from "../didYouMean.ts";
import { type AbiItem, type AbiParameter, arrayOf, headWords, idOf, isDynamic, signatureOf, textOf } from "./items.ts";

/** An event or a call that a condition asks about. */
export interface AbiSource {
  readonly kind: "event" | "call";
  /** As Solidity writes it. */
  readonly text: string;
  /** First topic, or selector. */
  readonly id: string;
  /** That the log must have: the event's and one for each indexed parameter. 0 for a call. */
  readonly topics: number;
}

/** What an argument's values are. */
export type ArgumentType =
  /** `bits` of a word; the others are copies of the sign, or 0. */
  | { readonly of: "integer"; readonly bits: number; readonly signed: boolean }
  | { readonly of: "boolean" }
  /** Of a word: the last ones for an address, else the first. */
  | { readonly of: "bytes"; readonly bytes: number; readonly last: boolean }
  | { readonly of: "data" }
  | { readonly of: "text" }
  /** The event, or the call, itself. */
  | { readonly of: "presence" };

/**
 * From the beginning of the arguments to a word, step by step: so many bytes on, or on to the element of an array; then, maybe, to
 * where the word there points to, counted from where the step began (for an array: from its first element).
 */
export interface Step {
  readonly bytes: number;
  /** Of an array: which element, from the end if below 0; `bytes` is what each takes. `count` null: a word before them says. */
  readonly element?: { readonly index: number; readonly count: number | null };
  readonly follow: boolean;
}

export type Place =
  | { readonly in: "topic"; readonly topic: number }
  | { readonly in: "data"; readonly steps: readonly Step[] }
  /** The contract that raised the event. */
  | { readonly in: "emitter" };

/** What a condition's field names. Plain data: a rule set is handed to threads. */
export interface Argument {
  readonly kind: "argument";
  /** As the condition names it. */
  readonly name: string;
  readonly source: AbiSource;
  readonly type: ArgumentType;
  readonly place: Place;
}

const BEGINNING = /^(event|call)\./;

/** Does it ask for an argument? No other field has such a name. */
export const isArgumentName = (name: string): boolean => BEGINNING.test(name);

/**
 * What the name names. Never throws.
 * @param items events and functions that may be named
 * @returns the argument with its item, or why there is none
 */
export function findArgument(
  name: string,
  items: readonly AbiItem[],
): { readonly argument: Argument; readonly item: AbiItem } | { readonly wrong: string } {
  const kind = BEGINNING.exec(name)?.[1] as AbiSource["kind"];
  const [called, path] = splitName(name.slice(kind.length + 1));
  const own = items.filter((item) => (item.kind === "event") === (kind === "event"));
  const found = own.filter((item) => (called.includes("(") ? signatureOf(item) : item.name) === called);
  const what = kind === "event" ? "event" : "function";
  const [item, other] = found;
  if (!item) {
    const known = [...new Set(own.map((each) => each.name))];
    const expected = known.length === 0 ? `the rule's "abi" has no ${what}` : `expected one of ${some(known)}`;
    return { wrong: `Unknown ${what} "${called.slice(0, 64)}": ${expected}.${didYouMean(called, known)}` };
  }
  if (other && textOf(other) !== textOf(item)) {
    const signatures = [...new Set(found.map(signatureOf))];
    const remedy =
      signatures.length > 1 ? `name it ${some(signatures.map((each) => `${kind}.${each}`))}` : "leave one out";
    return { wrong: `The rule's "abi" has several ${what}s ${called}: ${remedy}` };
  }
  if (item.anonymous) return { wrong: `The event ${called} is anonymous: no topic tells its logs from others` };
  const indexed = item.inputs.filter((input) => item.kind === "event" && input.indexed);
  if (indexed.length > 3)
    return { wrong: `The event ${called} has ${indexed.length} indexed parameters: expected at most 3` };
  const source: AbiSource = {
    ...{ kind, text: textOf(item), id: idOf(item) },
    topics: kind === "event" ? indexed.length + 1 : 0,
  };
  const located = locate(item, path);
  return "wrong" in located ? located : { item, argument: { kind: "argument", name, source, ...located } };
}

/** Up to the first dot that is not within brackets, and the rest. */
function splitName(name: string): [called: string, path: string] {
  let depth = 0;
  for (let i = 0; i < name.length; i++) {
    if (name[i] === "(") depth++;
    else if (name[i] === ")") depth--;
    else if (name[i] === "." && depth === 0) return [name.slice(0, i), name.slice(i + 1)];
  }
  return [name, ""];
}

type Located = Pick<Argument, "type" | "place"> | { readonly wrong: string };

/** `value`, `params.amountIn`, `path[0]`: to names and numbers. */
const PART = /(?:^|\.)([A-Za-z_$][\w$]*)|\[(-?\d{1,4})\]/y;

function locate(item: AbiItem, path: string): Located {
  if (path === "") return { type: { of: "presence" }, place: { in: "data", steps: [] } };
  const parts = partsOf(path);
  const [first, ...rest] = parts;
  if (typeof first !== "string")
    return { wrong: `Cannot read "${path.slice(0, 64)}": expected names and [0], as in path[0]` };
  const ofEvent = item.kind === "event";
  if (ofEvent && path === "address") return { type: ADDRESS, place: { in: "emitter" } };
  const at = indexOf(item.inputs, first);
  if (at < 0)
    return {
      wrong: unknownMember(first, item.inputs, `${ofEvent ? "event" : "call of"} ${signatureOf(item)}`, ofEvent),
    };
  const input = item.inputs[at]!;
  if (!ofEvent || !input.indexed) {
    const inData = ofEvent ? item.inputs.filter(({ indexed }) => !indexed) : item.inputs;
    return descend(inData, inData.indexOf(input), rest, []);
  }
  const place: Place = { in: "topic", topic: 1 + item.inputs.slice(0, at).filter(({ indexed }) => indexed).length };
  // Of what is longer than a word the topic is the hash.
  const isHash = isDynamic(input) || /\]$|^tuple/.test(input.type);
  if (rest.length > 0)
    return { wrong: isHash ? `Of ${first} the log has the hash only, as it is indexed` : hasNoParts(first, input) };
  return { type: isHash ? HASH : valueType(input.type), place };
}

const ADDRESS: ArgumentType = { of: "bytes", bytes: 20, last: true };
const HASH: ArgumentType = { of: "bytes", bytes: 32, last: false };
const LENGTH: ArgumentType = { of: "integer", bits: 256, signed: false };

function partsOf(path: string): (string | number)[] {
  const parts: (string | number)[] = [];
  const sticky = new RegExp(PART);
  while (sticky.lastIndex < path.length) {
    const found = sticky.exec(path);
    if (!found) return [];
    parts.push(found[1] ?? Number(found[2]));
  }
  return parts;
}

/** By name, or as `arg0` by position. */
function indexOf(inputs: readonly AbiParameter[], name: string): number {
  const named = inputs.findIndex((input) => input.name === name);
  if (named >= 0) return named;
  const position = /^arg(\d{1,2})$/.exec(name);
  return position && Number(position[1]) < inputs.length ? Number(position[1]) : -1;
}

/** To member `at` of what stands here, and on. */
function descend(
  inputs: readonly AbiParameter[],
  at: number,
  path: readonly (string | number)[],
  before: readonly Step[],
): Located {
  const input = inputs[at]!;
  const steps = [...before, { bytes: 32 * headWords(inputs.slice(0, at)), follow: isDynamic(input) }];
  return into(input, input.name || `arg${at}`, path, steps);
}

/** Into a parameter that the steps lead to. */
function into(
  input: AbiParameter,
  name: string,
  [part, ...rest]: readonly (string | number)[],
  steps: readonly Step[],
): Located {
  const array = arrayOf(input);
  if (array) {
    const { element, count } = array;
    if (part === "length" && rest.length === 0 && count === null) return { type: LENGTH, place: { in: "data", steps } };
    const inside = typeof part === "number" && (count === null || (part < count && part >= -count));
    if (!inside)
      return {
        wrong: `${name} is an array (${input.type}): expected ${name}[0], ${name}[-1]${count === null ? ` or ${name}.length` : ""}`,
      };
    const follow = isDynamic(element);
    const bytes = follow ? 32 : 32 * headWords([element]);
    return into(element, `${name}[${part}]`, rest, [...steps, { bytes, element: { index: part, count }, follow }]);
  }
  if (input.type === "tuple") {
    if (typeof part !== "string")
      return { wrong: `${name} is a struct: expected one of its members ${some(namesOf(input.components))}` };
    const at = indexOf(input.components, part);
    return at < 0
      ? { wrong: unknownMember(part, input.components, name, false) }
      : descend(input.components, at, rest, steps);
  }
  return part === undefined
    ? { type: valueType(input.type), place: { in: "data", steps } }
    : { wrong: hasNoParts(name, input) };
}

function valueType(type: string): ArgumentType {
  const size = Number(/\d+$/.exec(type)?.[0]);
  if (type === "address") return ADDRESS;
  if (type === "bool") return { of: "boolean" };
  if (type === "bytes") return { of: "data" };
  if (type === "string") return { of: "text" };
  if (type === "function") return { of: "bytes", bytes: 24, last: false };
  return type.startsWith("bytes")
    ? { of: "bytes", bytes: size, last: false }
    : { of: "integer", bits: size, signed: type.startsWith("int") };
}

const namesOf = (inputs: readonly AbiParameter[]): string[] => inputs.map(({ name }, i) => name || `arg${i}`);

const hasNoParts = (name: string, { type }: AbiParameter): string => `${name} is ${type}: expected nothing behind it`;

function unknownMember(name: string, inputs: readonly AbiParameter[], of: string, ofEvent: boolean): string {
  const known = [...namesOf(inputs), ...(ofEvent ? ["address"] : [])];
  const expected = known.length === 0 ? "it has none" : `expected one of ${some(known)}`;
  return `Unknown argument "${name.slice(0, 64)}" of the ${of}: ${expected}.${didYouMean(name, known)}`;
}

const some = (names: readonly string[]): string =>
  names.length > 12 ? `${names.slice(0, 12).join(", ")}, …` : names.join(", ");
