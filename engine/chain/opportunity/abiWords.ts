/** Arguments as the ABI encodes them, read where they lie and within their bounds: words of 32 bytes, of which some are offsets of others. */
import type { Address } from "../swap.ts";

export const WORD = 32;
/** Elements of an array that are looked at. */
const MAX_ELEMENTS = 64;

export const wordAt = (args: Buffer, place: number): bigint | undefined => {
  const at = place * WORD;
  return at + WORD > args.length ? undefined : BigInt(`0x${args.toString("hex", at, at + WORD)}`);
};

/** A word as a number, if it is one that can be an offset, a length or a fee. */
export function numberAt(args: Buffer, place: number): number | undefined {
  const at = place * WORD;
  if (at + WORD > args.length) return undefined;
  for (let i = at; i < at + WORD - 4; i++) if (args[i] !== 0) return undefined;
  return args.readUInt32BE(at + WORD - 4);
}

/** The address in a word. */
export function addressAt(args: Buffer, place: number): Address | undefined {
  const end = (place + 1) * WORD;
  return end > args.length ? undefined : `0x${args.toString("hex", end - 20, end)}`;
}

/** Of type `bytes`, whose offset stands at `place`. */
export function bytesIn(args: Buffer, place: number): Buffer | undefined {
  const at = numberAt(args, place);
  const length = at === undefined ? undefined : numberAt(args.subarray(at), 0);
  if (at === undefined || length === undefined || at + WORD + length > args.length) return undefined;
  return args.subarray(at + WORD, at + WORD + length);
}

/** Of type `bytes[]`; undefined where one cannot be read, or where there are too many. */
export function elementsIn(args: Buffer, place: number): Buffer[] | undefined {
  const at = numberAt(args, place);
  const count = at === undefined ? undefined : numberAt(args.subarray(at), 0);
  if (at === undefined || count === undefined || count > MAX_ELEMENTS) return undefined;
  const inside = args.subarray(at + WORD);
  const elements = Array.from({ length: count }, (_, i) => bytesIn(inside, i));
  return elements.includes(undefined) ? undefined : (elements as Buffer[]);
}
