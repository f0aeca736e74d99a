/**
 * Which transactions a rule is shown: its filter, evaluated by the host over the frames of a batch. A filter is a
 * conjunction; the cheapest and most selective tests come first.
 */
import { FIELD_WIDTH, LOG, OFFSET, PRESENT } from "../frame/schema.ts";
import type { Filter } from "../sandbox/parseManifest.ts";

/** Frames of a batch: bytes as words, and where each frame begins. */
export interface Frames {
  readonly words: Uint32Array;
  readonly offsets: Uint32Array;
  readonly count: number;
}

type Test = (words: Uint32Array, frame: number) => boolean;

export interface Candidates {
  /** Numbers of the frames that pass, ascending, in `into`; returns how many. */
  select(frames: Frames, into: Uint32Array): number;
}

export function compileFilter(filter: Filter): Candidates {
  const tests: Test[] = [];
  const { chains, to, from, selectors, topics, minValue, created, status, pending } = filter;
  if (chains) tests.push(chainTest(chains));
  if (to) tests.push(bytesTest(to, OFFSET.to, PRESENT.to));
  if (from) tests.push(bytesTest(from, OFFSET.from, 0));
  if (created !== undefined) tests.push(presentTest(PRESENT.to, !created));
  if (pending !== undefined) tests.push(presentTest(PRESENT.blockNumber, !pending));
  if (status !== undefined) tests.push(statusTest(status));
  if (selectors) tests.push(selectorTest(selectors));
  if (minValue !== undefined) tests.push(valueTest(BigInt(minValue)));
  if (topics) tests.push(topicTest(topics));
  return {
    select({ words, offsets, count }, into) {
      let found = 0;
      next: for (let i = 0; i < count; i++) {
        for (let t = 0; t < tests.length; t++) if (!tests[t]!(words, offsets[i])) continue next;
        into[found++] = i;
      }
      return found;
    },
  };
}

const word = (frame: number, offset: number): number => (frame + offset) >> 2;

function presentTest(bit: number, wanted: boolean): Test {
  return (words, frame) => ((words[word(frame, OFFSET.present)] & bit) !== 0) === wanted;
}

function chainTest(chains: readonly number[]): Test {
  const set = new Set(chains);
  return (words, frame) => {
    const at = word(frame, OFFSET.chainId);
    return set.has(words[at + 1] * 0x1_0000_0000 + words[at]);
  };
}

function statusTest(status: number): Test {
  return (words, frame) =>
    (words[word(frame, OFFSET.present)] & PRESENT.status) !== 0 &&
    ((words[word(frame, OFFSET.type)] >>> 8) & 0xff) === status; // type and status share a word
}

function selectorTest(selectors: readonly string[]): Test {
  const set = new Set(selectors.map((hex) => wordsOf(hex)[0]!));
  return (words, frame) =>
    words[word(frame, OFFSET.inputLength)] >= 4 && set.has(words[(frame + (words[frame >> 2] >>> 16)) >> 2]);
}

/** value >= least: the most significant word that differs decides. */
function valueTest(least: bigint): Test {
  const limit = Array.from({ length: FIELD_WIDTH.u256 / 4 }, (_, i) =>
    Number((least >> BigInt(32 * i)) & 0xffff_ffffn),
  );
  return (words, frame) => {
    const at = word(frame, OFFSET.value);
    for (let i = limit.length - 1; i >= 0; i--) if (words[at + i] !== limit[i]) return words[at + i] > limit[i]!;
    return true;
  };
}

/** One of several byte strings of one width at a fixed place. The first word finds the few to be compared whole. */
function bytesTest(values: readonly string[], offset: number, bit: number): Test {
  const set = byFirstWord(values);
  return (words, frame) =>
    (bit === 0 || (words[word(frame, OFFSET.present)] & bit) !== 0) && isOneOf(set, words, word(frame, offset));
}

function topicTest(topics: readonly string[]): Test {
  const set = byFirstWord(topics);
  return (words, frame) => {
    const count = words[word(frame, OFFSET.logCount)];
    if (count === 0) return false;
    const header = frame + (words[frame >> 2] >>> 16);
    let at = header + ((words[word(frame, OFFSET.inputLength)] + 7) & ~7) + words[word(frame, OFFSET.accessListLength)];
    for (let i = 0; i < count; i++) {
      if (words[word(at, LOG.topicCount)] > 0 && isOneOf(set, words, word(at, LOG.topics))) return true;
      at += words[at >> 2];
    }
    return false;
  };
}

function byFirstWord(values: readonly string[]): Map<number, Uint32Array[]> {
  const map = new Map<number, Uint32Array[]>();
  for (const value of values.map(wordsOf)) {
    const same = map.get(value[0]!);
    if (same) same.push(value);
    else map.set(value[0]!, [value]);
  }
  return map;
}

function isOneOf(set: ReadonlyMap<number, readonly Uint32Array[]>, words: Uint32Array, at: number): boolean {
  const same = set.get(words[at]);
  if (same === undefined) return false;
  next: for (const value of same) {
    for (let i = 1; i < value.length; i++) if (words[at + i] !== value[i]) continue next;
    return true;
  }
  return false;
}

/** Hex of whole words as the words they are in memory. */
function wordsOf(hex: string): Uint32Array {
  const bytes = Uint8Array.from(Buffer.from(hex.slice(2), "hex"));
  return new Uint32Array(bytes.buffer);
}
