import { OFFSET } from "../../frame/schema.ts";
import type { BatchFrames } from "../blocks.ts";
import type { Entry, TransactionFacts } from "./factsOf.ts";
import {
  ENTRIES,
  FACT_FLAG,
  FACT_WIDTH,
  FACTS,
  FACTS_BIT,
  FACTS_HEADER,
  FACTS_VERSION,
  MAX_ENTRIES,
  PART,
  type PlacedField,
  partOf,
  SECTION_NAMES,
} from "./schema.ts";

/** The same memory, or a larger copy of it. */
export interface ShownFrames {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  /** Byte offset of each frame as rules are shown it: of one with facts, its copy that has them behind it. */
  readonly shown: Uint32Array;
}

/**
 * Copies the frames that have facts behind all frames, where the batch's memory is nobody's, each with its facts record behind it. The frames themselves stay as they are. What
 * is returned is valid as long as they are, and until facts are attached to them again.
 *
 * @param facts by the transaction's number in the batch
 */
export function attachFacts(batch: BatchFrames, facts: ReadonlyMap<number, TransactionFacts>): ShownFrames {
  const { count, frames } = batch;
  if (facts.size === 0) return { bytes: batch.bytes, words: batch.words, shown: frames };
  let end = 0;
  for (let i = 0; i < count; i++) end = Math.max(end, frames[i]! + sizeAt(batch.words, frames[i]!));
  let needed = end;
  for (const [i, { entries }] of facts) needed += sizeAt(batch.words, frames[i]!) + factsSize(entries);
  const { bytes, words } = needed <= batch.bytes.length ? batch : copyOf(batch.bytes.subarray(0, end), needed);
  const shown = frames.slice(0, count);
  const view = Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
  for (const [i, own] of facts) {
    const frame = frames[i]! >> 2;
    const size = sizeAt(words, frames[i]!);
    words.copyWithin(end >> 2, frame, frame + (size >> 2));
    const record = factsSize(own.entries);
    words[(end + OFFSET.size) >> 2] = size + record;
    words[(end + OFFSET.present) >> 2]! |= FACTS_BIT;
    writeFacts(own, words, view, end + size, record);
    shown[i] = end;
    end += size + record;
  }
  return { bytes, words, shown };
}

const sizeAt = (words: Uint32Array, frame: number): number => words[(frame + OFFSET.size) >> 2]!;

function copyOf(bytes: Uint8Array, size: number): Pick<ShownFrames, "bytes" | "words"> {
  const copy = new Uint8Array(size);
  copy.set(bytes);
  return { bytes: copy, words: new Uint32Array(copy.buffer) };
}

function factsSize(entries: TransactionFacts["entries"]): number {
  return SECTION_NAMES.reduce(
    (sum, name) => sum + Math.min(entries[name].length, MAX_ENTRIES) * ENTRIES[name].stride,
    FACTS_HEADER,
  );
}

/** @param at byte offset of the record, a multiple of 8  @param size its bytes */
function writeFacts(
  { flags, entries, risk }: TransactionFacts,
  words: Uint32Array,
  bytes: Buffer,
  at: number,
  size: number,
): void {
  words.fill(0, at >> 2, (at + size) >> 2);
  const put = (offset: number, value: number): void => void (words[(at + offset) >> 2] = value);
  put(FACTS.version, FACTS_VERSION | (FACTS_HEADER << 16));
  put(FACTS.size, size);
  let bits = 0;
  for (const flag of flags) bits |= FACT_FLAG[flag];
  put(FACTS.flags, bits);
  put(FACTS.risk, risk);
  put(FACTS.swapCount, entries.swap.length);
  let place = FACTS_HEADER;
  for (const name of SECTION_NAMES) {
    const { fields, stride } = ENTRIES[name];
    const count = Math.min(entries[name].length, MAX_ENTRIES);
    put(partOf(name) + PART.at, place - partOf(name));
    put(partOf(name) + PART.count, count);
    put(partOf(name) + PART.stride, stride);
    for (let e = 0; e < count; e++, place += stride) writeEntry(fields, entries[name][e]!, words, bytes, at + place);
  }
}

function writeEntry(fields: readonly PlacedField[], entry: Entry, words: Uint32Array, bytes: Buffer, at: number): void {
  for (const { name, type, offset, bit, choices } of fields) {
    const value = entry[name];
    if (value === undefined) continue;
    words[at >> 2]! |= bit;
    const to = at + offset;
    switch (type) {
      case "u32":
        words[to >> 2] = value as number;
        break;
      case "choice":
        words[to >> 2] = choices!.indexOf(value as string) + 1;
        break;
      case "text":
        bytes.write(value as string, to, FACT_WIDTH.text, "utf8");
        break;
      case "u256":
        for (let i = 0; i < FACT_WIDTH.u256; i += 8) bytes.writeBigUInt64LE(BigInt.asUintN(64, (value as bigint) >> BigInt(8 * i)), to + i); // biome-ignore format: one word after the other
        break;
      default:
        bytes.write((value as string).slice(2), to, FACT_WIDTH[type], "hex");
    }
  }
}
