import { hexAt, logDataAt, logDataLength, logTopicAt, logTopicCount } from "../frame/readFrame.ts";
import type { BlockView } from "./blockView.ts";
import type { Address } from "./swap.ts";

/** Types of one word; but `bytes`, which is a word that says where in the data its length and its bytes stand. */
type Type = `uint${number}` | `int${number}` | "address" | "bool" | "bytes32" | "bytes";
type Parameter = Type | `indexed ${Type}`;

type Value<P> = P extends `${"" | "indexed "}${"address" | "bytes32" | "bytes"}` ? Address : bigint;
type Values<P extends readonly Parameter[]> = { readonly [K in keyof P]: Value<P[K]> };

export interface LogEvent<P extends readonly Parameter[] = readonly Parameter[]> {
  /** As Solidity writes it: its Keccak-256 is the first topic. */
  readonly signature: string;
  /**
   * The arguments in order: addresses and bytes as `0x…`, numbers and booleans as bigint.
   * undefined if the log cannot be this event: more or less topics or data than it has, or a word that is out of its type's range.
   *
   * @param log byte offset
   */
  read(view: BlockView, log: number): Values<P> | undefined;
}

/** `createEvent("Transfer", ["indexed address", "indexed address", "uint256"])` */
export function createEvent<const P extends readonly Parameter[]>(name: string, parameters: P): LogEvent<P> {
  const types = parameters.map((parameter) => parameter.replace("indexed ", "") as Type);
  const isIndexed = parameters.map((parameter) => parameter.startsWith("indexed "));
  const topics = isIndexed.filter(Boolean).length;
  const readers = types.map(readerOf);
  const words = 32 * (types.length - topics);
  const isExact = !types.includes("bytes");
  return {
    signature: `${name}(${types.join(",")})`,
    read(view, log) {
      if (logTopicCount(view, log) !== 1 + topics) return undefined;
      const length = logDataLength(view, log);
      if (isExact ? length !== words : length < words) return undefined;
      let topic = logTopicAt(log, 1);
      const dataAt = logDataAt(view, log);
      let data = dataAt;
      const values: (Address | bigint)[] = [];
      for (let i = 0; i < types.length; i++) {
        const value = readers[i]!(view, isIndexed[i] ? topic : data, dataAt, length);
        if (value === undefined) return undefined;
        values.push(value);
        if (isIndexed[i]) topic += 32;
        else data += 32;
      }
      return values as unknown as Values<P>;
    },
  };
}

/** @param dataAt where the log's data begin, and their length, for bytes */
type Reader = (view: BlockView, at: number, dataAt: number, length: number) => Address | bigint | undefined;

function readerOf(type: Type): Reader {
  if (type === "address") return addressAt;
  if (type === "bytes") return bytesAt;
  if (type === "bytes32") return (view, at) => hexAt(view, at, 32);
  if (type === "bool") return (view, at) => upTo(1n, wordAt(view, at));
  const bits = Number(/\d+$/.exec(type)![0]);
  if (type.startsWith("uint")) {
    const max = 2n ** BigInt(bits) - 1n;
    return (view, at) => upTo(max, wordAt(view, at));
  }
  const limit = 2n ** BigInt(bits - 1);
  return (view, at) => {
    const value = BigInt.asIntN(256, wordAt(view, at));
    return value >= -limit && value < limit ? value : undefined;
  };
}

function upTo(max: bigint, value: bigint): bigint | undefined {
  return value <= max ? value : undefined;
}

/** An address in a word: 12 zero bytes, then 20 of it; undefined if they are not zero. */
export function addressAt(view: BlockView, at: number): Address | undefined {
  return isAddressAt(view, at) ? hexAt(view, at + 12, 20) : undefined;
}

export function isAddressAt({ u32 }: BlockView, at: number): boolean {
  const word = at >> 2;
  return (u32[word]! | u32[word + 1]! | u32[word + 2]!) === 0;
}

function bytesAt(view: BlockView, at: number, dataAt: number, length: number): string | undefined {
  const offset = wordAt(view, at);
  if (offset > length - 32 || offset % 32n !== 0n) return undefined;
  const size = wordAt(view, dataAt + Number(offset));
  return size > length - 32 - Number(offset) ? undefined : hexAt(view, dataAt + Number(offset) + 32, Number(size));
}

/** A word as an unsigned number: 32 bytes, the highest first, at a multiple of 4. */
export function wordAt({ u32 }: BlockView, at: number): bigint {
  const last = (at >> 2) + 7;
  let word = at >> 2;
  while (word < last - 1 && u32[word] === 0) word++;
  let value = 0n;
  for (; word <= last; word++) value = (value << 32n) | BigInt(swapped(u32[word]!));
  return value;
}

/** The bytes of a 32-bit number in the opposite order. */
function swapped(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}
