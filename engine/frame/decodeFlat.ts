/**
 * Runs of flat transactions, as mempools give them: records of a batch that assembly/flat.ts takes, which makes the same frames of them as
 * decodeJson.ts in half the time: µs a transaction of 656 B with all that a batch is decoded to, one core, 0.65 and 0.32, of which 0.2 are the module.
 *
 * Texts are copied into its memory some hundred at a time, and frames out of it: both stay in the processor's second cache.
 *
 *     assembly's own │ entries of records, 32 B each │ where frames begin │ texts │ frames
 */
import { readFileSync } from "node:fs";
import { CONTENT } from "./content.ts";
import { WORD } from "./copyShared.ts";
import type { FrameWriter } from "./frameWriter.ts";
import { FIRST, KINDS, MEMBERS, memberBit, TRANSACTION } from "./members.ts";
import { FIELDS, FRAME_VERSION, HEADER_SIZE, OFFSET } from "./schema.ts";

/** Values of a batch's part one behind the other, and its table: see native/consumeBatch.h and source/batch.ts. */
export interface Texts {
  readonly bytes: Uint8Array;
  readonly u32: Uint32Array;
  readonly count: number;
}

export interface FlatDecoder {
  /** Another part of a batch, from its first record on. */
  begin(texts: Texts): void;
  /** Appends the frames of the record and of those that follow it, as many as are flat. @returns how many: 0 if it is not */
  take(record: number, writer: FrameWriter): number;
}

interface Assembly {
  readonly memory: WebAssembly.Memory;
  readonly MEMBERS: WebAssembly.Global;
  readonly FREE: WebAssembly.Global;
  readonly end: WebAssembly.Global;
  decode(entries: number, count: number, shift: number, out: number, limit: number, starts: number): number;
}

const ENTRY_WORDS = 8;
const [START, LENGTH, CONTENT_TYPE] = [4, 5, 6];
const TEXT_BYTES = 64 << 10;
const MOST_RECORDS = 512;
/** Behind the texts, so that nothing of earlier ones follows: what is read there is no token. */
const BEHIND = 64;
/**
 * More than so many texts come to: the shortest flat record has 194 bytes, its frame 424, and one of the last that is not flat may write half the texts'
 * length before it is seen that its digits do not end.
 */
const FRAME_BYTES = 4 * TEXT_BYTES;
/** Records that were not flat, more than those that were: the rest of the part is not looked at. */
const PATIENCE = 8;
/** After a record that was not flat one is tried by itself, then so many times more each time: nothing is copied for nothing. */
const GROWTH = 8;

/** Of assembly/flat.ts, whose entries of members have `"key":` and a mask of its bytes, 32 each, then words. */
const MEMBER_WORDS = 24;
const REQUIRED = [...FIELDS.flatMap((field) => ("required" in field ? [field.json] : [])), "input"];

let compiled: WebAssembly.Module | undefined;

export function createFlatDecoder(): FlatDecoder {
  compiled ??= new WebAssembly.Module(readFileSync(new URL("./flat.wasm", import.meta.url)));
  const assembly = new WebAssembly.Instance(compiled).exports as unknown as Assembly;
  const { memory, decode, end } = assembly;
  const entries = Math.ceil(assembly.FREE.value / 16) * 16;
  const starts = entries + MOST_RECORDS * ENTRY_WORDS * 4;
  const room = starts + MOST_RECORDS * 4;
  const frames = room + WORD + TEXT_BYTES + BEHIND;
  const limit = frames + FRAME_BYTES;
  memory.grow(Math.ceil((limit + BEHIND - memory.buffer.byteLength) / 65_536));
  const all = new Uint8Array(memory.buffer);
  const words = new Uint32Array(memory.buffer);
  writeMembers(assembly, all, words);

  let texts: Texts = { bytes: all, u32: words, count: 0 };
  let missed = 0;
  let taken = 0;
  /** Records to be tried together. */
  let most = 1;
  /** The record that is known not to be flat. */
  let notFlat = -1;

  /** How many records from this one on there is room for, their texts one behind the other. */
  function together(record: number): number {
    const { u32, count } = texts;
    const last = Math.min(count, record + most);
    const from = u32[record * ENTRY_WORDS + START]!;
    let next = record;
    for (let to = from; next < last; next++) {
      const at = next * ENTRY_WORDS;
      const content = u32[at + CONTENT_TYPE];
      if (u32[at + START] !== to || (content !== CONTENT.json && content !== CONTENT.unknown)) break;
      to += u32[at + LENGTH]!; // of none it is 2³² − 1
      if (to - from > TEXT_BYTES) break;
    }
    return next - record;
  }

  return {
    begin(next) {
      texts = next;
      missed = taken = 0;
      notFlat = -1;
    },
    take(record, writer) {
      if (record === notFlat || missed > taken + PATIENCE) return 0;
      const count = together(record);
      if (count === 0) return 0;
      const { bytes, u32 } = texts;
      const first = record * ENTRY_WORDS;
      const from = u32[first + START]!;
      const last = first + (count - 1) * ENTRY_WORDS;
      const to = u32[last + START]! + u32[last + LENGTH]!;
      const at = room + (from % WORD); // copied by words
      all.set(bytes.subarray(from, to), at);
      all.fill(0, at + to - from, at + to - from + BEHIND);
      words.set(u32.subarray(first, first + count * ENTRY_WORDS), entries >> 2);
      const done = decode(entries, count, at - from, frames, limit, starts);
      writer.append(all.subarray(frames, end.value), words.subarray(starts >> 2, (starts >> 2) + done));
      taken += done;
      if (done === count) most = Math.min(MOST_RECORDS, most * GROWTH);
      else {
        most = 1;
        missed++;
        notFlat = record + done;
      }
      return done;
    },
  };
}

function writeMembers(assembly: Assembly, bytes: Uint8Array, words: Uint32Array): void {
  const members = MEMBERS.slice(FIRST[TRANSACTION], FIRST[TRANSACTION + 1]);
  const at = assembly.MEMBERS.value;
  for (const [i, { name, kind, offset, width, bit }] of members.entries()) {
    const key = Buffer.from(`"${name}":`);
    const entry = at + i * MEMBER_WORDS * 4;
    bytes.set(key, entry);
    bytes.fill(0xff, entry + 32, entry + 32 + key.length);
    const next = (i + 1) % members.length;
    words.set([key.length, KINDS.indexOf(kind), offset, width, bit, next], (entry >> 2) + 16);
  }
  const settings = {
    memberCount: members.length,
    required: REQUIRED.reduce((bits, name) => bits | memberBit(TRANSACTION, name), 0),
    version: FRAME_VERSION | (HEADER_SIZE << 16),
    headerSize: HEADER_SIZE,
    chainIdAt: OFFSET.chainId,
    sizeAt: OFFSET.size,
    inputLengthAt: OFFSET.inputLength,
    extraLengthAt: OFFSET.extraLength,
    presentAt: OFFSET.present,
  };
  const globals = assembly as unknown as Record<string, WebAssembly.Global>;
  for (const [name, value] of Object.entries(settings)) globals[name]!.value = value;
}
