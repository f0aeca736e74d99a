/**
 * Instances of a thread, each shared by the rules of one code. Modules that differ in data alone differ in memory and globals alone once
 * they have started: so one of them is made the other by writing the difference, some hundred words, and ten thousand rules of a few
 * sources run in a few memories, which stay in the processor's caches. Whoever's turn it is finds memory and globals as after its own
 * initialisation: what the one before wrote is put back as between two batches of one rule.
 */
import { BLOCK_SHIFT, COVERED_BYTES, MARKS } from "./inject.ts";
import { instantiate, type RuleInstance } from "./instance.ts";
import type { RunLimits } from "./limits.ts";
import type { MemoryContent } from "./sharedCode.ts";

/** Decides which instances are kept: told of each place once a rule has run in it. */
export interface Keeper {
  used(place: Pick<Place, "release">): void;
}

export interface InstancePool extends Keeper {
  /** Where a rule runs with input of this size. All rules of a pool have the same limits. @throws what instantiate does */
  settle(module: WebAssembly.Module, capacity: number, limits: RunLimits, content: MemoryContent): Home;
}

/** What a rule is in the place that it shares. */
export interface Home {
  readonly place: Place;
  readonly capacity: number;
  /**
   * Its globals, two words each, then what its memory has where rules of the place differ: in the order of `differing`, and no further than
   * it was then. They are the `length` words from `at` on in an array of several rules: one of each rule's own would be one more object to wait for in each call.
   */
  readonly own: Uint32Array;
  readonly at: number;
  readonly length: number;
  /** Fuel that its initialisation takes. */
  readonly initFuel: number;
}

/** More that differs is written no faster than another memory is read. */
const MOST_WORDS = 2_048;
const PAGE = 65_536;
const BLOCK_WORDS = 1 << (BLOCK_SHIFT - 2);
const COVERED_WORDS = COVERED_BYTES / 4;
const NOTHING = new Uint32Array(0);
/** Words that some tens of rules keep together: all go when the last rule does. */
const TOGETHER = 16_384;

/** @param keeper by default all instances are kept */
export function createInstancePool(keeper: Keeper = { used() {} }): InstancePool {
  /** By code, capacity and layout. */
  const places = new Map<string, Place>();
  const keep = createShelf();
  return {
    settle(module, capacity, limits, content) {
      const guest = instantiate(module, capacity, limits, content);
      const { memory, input, out, initFuel } = guest;
      const key = content.code && [content.code, capacity, input, out, memory.buffer.byteLength].join(" ");
      let place = key === undefined ? undefined : places.get(key);
      let own = place?.ownOf(guest);
      if (place === undefined || own === undefined) {
        const made = new Place(guest, () => void (places.get(key ?? "") === made && places.delete(key!)));
        if (key !== undefined && place === undefined) places.set(key, made);
        [place, own] = [made, guest.globals];
      }
      const home = { place, capacity, initFuel, ...keep(own) };
      place.put(guest, home);
      return home;
    },
    used: (place) => keeper.used(place),
  };
}

/** Puts a rule's words behind those of the rule before: they run in that order. */
function createShelf(): (words: Uint32Array) => Pick<Home, "own" | "at" | "length"> {
  let own = NOTHING;
  let end = 0;
  return (words) => {
    const { length } = words;
    if (end + length > own.length) [own, end] = [new Uint32Array(Math.max(TOGETHER, length)), 0];
    const at = end;
    own.set(words, at);
    end += length;
    return { own, at, length };
  };
}

/** Where an instance is, or will be again. */
export class Place {
  /** null: it trapped, or was let go. */
  guest: RuleInstance | null = null;
  /** Bytes of the input area that the last call's table and frames took. */
  written = 0;
  /** Memory of the first rule here after initialisation, without trailing zeros. */
  readonly #image: Uint32Array;
  readonly #globalWords: number;
  /** Numbers of words in which rules here differ from it. Of most it is the same ones: all of them are written for whoever comes. */
  #differing: Uint32Array = NOTHING;
  readonly #onRelease: () => void;
  /** The rule whose memory and globals the instance has, beyond what the last call wrote. */
  #home: Home | undefined;

  constructor({ memory, globals }: RuleInstance, onRelease: () => void) {
    this.#image = trimmed(memory);
    this.#globalWords = globals.length;
    this.#onRelease = onRelease;
  }

  /** A fresh instance of a rule's. */
  put(guest: RuleInstance, home: Home): void {
    this.guest = guest;
    this.written = 0;
    this.#home = home;
  }

  /**
   * The instance as after the rule's initialisation, but for the first `next` bytes of the input area, which are about to be written.
   * Undefined where there is none: it trapped, grew, or was let go.
   */
  take(home: Home, next: number): RuleInstance | undefined {
    const { guest } = this;
    if (guest === null || guest.words.length === 0) return undefined;
    const { words, input } = guest;
    const image = this.#image;
    const globals = this.#globalWords;
    const { own, at: first } = home;
    const before = this.#home!;
    if (home !== before) {
      let change = 0;
      for (let i = 0; i < globals; i++) change |= own[first + i]! ^ before.own[before.at + i]!;
      if (change !== 0) {
        for (let i = 0; i < globals; i++) words[(input >> 2) + i] = own[first + i]!;
        guest.setGlobals();
        this.written = Math.max(this.written, 4 * globals);
      }
      this.#home = home;
    }
    if (this.written > next) putBack(words, image, (input + next) >> 2, (input + this.written) >> 2);
    restoreBlocks(words, image, guest.marks);
    this.written = 0;
    const differing = this.#differing;
    const known = home.length - globals;
    for (let i = 0; i < known; i++) words[differing[i]!] = own[first + globals + i]!;
    for (let i = known; i < differing.length; i++) words[differing[i]!] = at(image, differing[i]!); // they came later
    return guest;
  }

  /** Of an instance of another rule right after its initialisation; undefined when they differ in too much. */
  ownOf({ memory, globals }: RuleInstance): Uint32Array | undefined {
    const image = this.#image;
    const other = trimmed(memory);
    const known = new Set(this.#differing);
    const more: number[] = [];
    for (let i = 0; i < Math.max(image.length, other.length); i++)
      if (at(image, i) !== at(other, i) && !known.has(i)) more.push(i);
    if (known.size + more.length > MOST_WORDS) return undefined;
    if (more.length > 0) this.#differing = Uint32Array.of(...this.#differing, ...more);
    return Uint32Array.of(...globals, ...this.#differing.map((i) => at(other, i)));
  }

  /** Lets the instance and its memory go; who runs next makes a new one. */
  release(): void {
    this.guest = null;
    this.#onRelease();
  }
}

/** A word of an image, which ends where only zeros follow. */
const at = (image: Uint32Array, i: number): number => (i < image.length ? image[i]! : 0);

/** Blocks whose numbers are, modulo MARKS, those of the set bits. */
function restoreBlocks(memory: Uint32Array, image: Uint32Array, marks: number): void {
  for (let bits = marks; bits !== 0; bits &= bits - 1) {
    const block = 31 - Math.clz32(bits & -bits);
    for (let at = block * BLOCK_WORDS; at < memory.length; at += MARKS * BLOCK_WORDS)
      putBack(memory, image, at, Math.min(at + BLOCK_WORDS + COVERED_WORDS, memory.length));
  }
}

function putBack(memory: Uint32Array, image: Uint32Array, from: number, to: number): void {
  const zeros = Math.min(Math.max(from, image.length), to); // the image ends where only zeros follow
  if (from < zeros) memory.set(image.subarray(from, zeros), from);
  if (zeros < to) memory.fill(0, zeros, to);
}

const ZERO_PAGE = new Uint8Array(PAGE);

/** A copy of the memory up to its last word that is not zero. Whole pages of zeros are skipped at memcmp's speed. */
function trimmed(memory: WebAssembly.Memory): Uint32Array {
  let bytes = memory.buffer.byteLength;
  while (bytes > 0 && Buffer.compare(new Uint8Array(memory.buffer, bytes - PAGE, PAGE), ZERO_PAGE) === 0) bytes -= PAGE;
  const words = new Uint32Array(memory.buffer);
  let end = bytes / 4;
  while (end > 0 && words[end - 1] === 0) end--;
  return words.slice(0, end);
}
