import { type Argument, findArgument } from "../../condition/abi/argument.ts";
import { type AbiItem, readAbi, signatureOf } from "../../condition/abi/items.ts";
import { type ArgumentReader, argumentReader, type Span, smallNumber } from "../../condition/abi/readArgument.ts";
import type { Container } from "./functions.ts";

/** A call as it lies in another one's arguments. */
export interface Handed {
  /** Bytes of the address; undefined: the called contract itself. */
  readonly to: Span | undefined;
  readonly input: Span;
  /** The word of it; undefined where the function has none. */
  readonly value: Span | undefined;
  readonly delegates: boolean;
  /** A command of the Universal Router. */
  readonly command?: number;
}

export interface ContainerReader {
  /** `aggregate3((address,bool,bytes)[])` */
  readonly name: string;
  /**
   * The calls in arguments at start ≤ byte < end, in order. What cannot be where it says it is, is left out.
   *
   * @param most how many are read
   * @returns with `more`: there were more than so many, or they do not end where the bytes do
   */
  read(
    bytes: Uint8Array,
    start: number,
    end: number,
    most: number,
  ): { readonly calls: Handed[]; readonly more: boolean };
}

export function createContainerReader({ signature, calls }: Container): ContainerReader {
  const [item] = readAbi([signature]).items as [AbiItem];
  const name = signatureOf(item);
  if ("packed" in calls) {
    const packed = placeOf(item, calls.packed);
    return {
      name,
      read(bytes, start, end, most) {
        const span = packed(bytes, start, end, 0);
        return span ? unpack(bytes, span, most) : { calls: [], more: false };
      },
    };
  }
  const input = placeOf(item, calls.input);
  if ("commands" in calls) {
    const commands = placeOf(item, calls.commands);
    return {
      name,
      read(bytes, start, end, most) {
        const span = commands(bytes, start, end, 0);
        if (!span) return { calls: [], more: false };
        const count = Math.min(span.end - span.at, input.count(bytes, start, end));
        const handed = each(Math.min(count, most), (i): Handed | undefined => {
          const at = input(bytes, start, end, i);
          return at && { to: undefined, input: at, value: undefined, delegates: true, command: bytes[span.at + i]! };
        });
        return { calls: handed, more: count > most };
      },
    };
  }
  const to = calls.to === undefined ? undefined : placeOf(item, calls.to);
  const value = calls.value === undefined ? undefined : placeOf(item, calls.value);
  const operation = calls.operation === undefined ? undefined : placeOf(item, calls.operation);
  return {
    name,
    read(bytes, start, end, most) {
      const count = input.count(bytes, start, end);
      const handed = each(Math.min(count, most), (i): Handed | undefined => {
        const own = input(bytes, start, end, i);
        const recipient = to?.(bytes, start, end, i);
        if (!own || (to && !recipient)) return undefined;
        const how = operation?.(bytes, start, end, i);
        const delegates = calls.delegates === true || (how !== undefined && bytes[how.end - 1] === 1);
        return { to: recipient, input: own, value: value?.(bytes, start, end, i), delegates };
      });
      return { calls: handed, more: count > most };
    },
  };
}

/** Where an argument lies; of an array the element `i`. */
interface Place {
  (bytes: Uint8Array, start: number, end: number, i: number): Span | undefined;
  /** Elements that the array says it has; 1 for what is none. */
  count(bytes: Uint8Array, start: number, end: number): number;
}

/** Element numbers have four digits at most (condition/abi/argument.ts), and a container's calls are cut off far below. */
function placeOf(item: AbiItem, path: string): Place {
  /** By the element's number, made when first met: an argument that is in no array has one. */
  const readers: ArgumentReader[] = [];
  const isArray = path.includes("[i]");
  const readLength = isArray ? readerOf(item, `${path.slice(0, path.indexOf("[i]"))}.length`) : undefined;
  return Object.assign(
    (bytes: Uint8Array, start: number, end: number, i: number) => {
      const number = isArray ? i : 0;
      const read = (readers[number] ??= readerOf(item, path.replace("[i]", `[${i}]`)));
      const span = { at: 0, end: 0 };
      return read(bytes, 0, start, end, span) ? span : undefined;
    },
    {
      count(bytes: Uint8Array, start: number, end: number): number {
        if (readLength === undefined) return 1;
        const span = { at: 0, end: 0 };
        if (!readLength(bytes, 0, start, end, span)) return 0;
        return Math.min(smallNumber(bytes, span.at), Math.floor((end - start) / 32)); // an element has a word at least
      },
    },
  );
}

const readerOf = (item: AbiItem, path: string): ArgumentReader => argumentReader(argumentOf(item, path));

function argumentOf(item: AbiItem, path: string): Argument {
  const found = findArgument(`call.${item.name}.${path}`, [item]);
  if ("wrong" in found) throw new Error(`Cannot read "${path}" of "${signatureOf(item)}": ${found.wrong}`);
  return found.argument;
}

/**
 * Safe's MultiSend:
 *
 *     u8 operation │ address 20 │ u256 value │ u256 length │ data      and the next
 */
function unpack(bytes: Uint8Array, { at: start, end }: Span, most: number): { calls: Handed[]; more: boolean } {
  const calls: Handed[] = [];
  let at = start;
  for (; at + 85 <= end && calls.length < most; ) {
    const length = smallNumber(bytes, at + 53);
    if (length > end - at - 85) break;
    calls.push({
      to: { at: at + 1, end: at + 21 },
      input: { at: at + 85, end: at + 85 + length },
      value: { at: at + 21, end: at + 53 },
      delegates: bytes[at] === 1,
    });
    at += 85 + length;
  }
  return { calls, more: at < end };
}

function each<T>(count: number, make: (i: number) => T | undefined): T[] {
  const all: T[] = [];
  for (let i = 0; i < count; i++) {
    const one = make(i);
    if (one !== undefined) all.push(one);
  }
  return all;
}
