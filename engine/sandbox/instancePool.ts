/**
 * Instances of a thread, each shared by the rules of one code. Modules that differ in data alone differ in memory and globals alone once
 * they have started: so one of them is made the other by writing the difference, some hundred words, and ten thousand rules of a few
 * sources run in a few memories, which stay in the processor's caches. Whoever's turn it is finds memory and globals as after its own
 * initialisation: what the one before wrote is put back as between two batches of one rule.
 */
import { BLOCK_SHIFT } from "./inject.ts";
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
  /** Where its memory differs from the place's image: number of a word, the word, … */
  readonly difference: Uint32Array;
  /** The same object where they are those of the place. */
  readonly globals: Uint32Array;
  /** Fuel that its initialisation takes. */
  readonly initFuel: number;
}

/** More that differs is written no faster than another memory is read. */
const MOST_WORDS = 2_048;
const PAGE = 65_536;
const BLOCK_WORDS = 1 << (BLOCK_SHIFT - 2);
const NOTHING = new Uint32Array(0);

/** @param keeper by default all instances are kept */
export function createInstancePool(keeper: Keeper = { used() {} }): InstancePool {
  /** By code, capacity and layout. */
  const places = new Map<string, Place>();
  return {
    settle(module, capacity, limits, content) {
      const guest = instantiate(module, capacity, limits, content);
      const { memory, input, out, globals, initFuel } = guest;
      const key = content.code && [content.code, capacity, input, out, memory.buffer.byteLength].join(" ");
      const place = key === undefined ? undefined : places.get(key);
      const difference = place?.differenceOf(memory);
      if (place && difference) {
        const home = {
          place,
          difference,
          globals: isEqual(globals, place.globals) ? place.globals : globals,
          initFuel,
        };
        place.put(guest, home);
        return home;
      }
      const own: Place = new Place(guest, () => void (places.get(key ?? "") === own && places.delete(key!)));
      if (key !== undefined && place === undefined) places.set(key, own);
      const home = { place: own, difference: NOTHING, globals, initFuel };
      own.put(guest, home);
      return home;
    },
    used: (place) => keeper.used(place),
  };
}

/** Where an instance is, or will be again. */
export class Place {
  /** null: it trapped, or was let go. */
  guest: RuleInstance | null = null;
  /** Bytes of the input area that the last call's table and frames took. */
  written = 0;
  /** Globals of the first rule here. */
  readonly globals: Uint32Array;
  /** Its memory after initialisation, without trailing zeros. */
  readonly #image: Uint32Array;
  readonly #onRelease: () => void;
  /** Whose memory and globals the instance has, beyond what the last call wrote. */
  #difference: Uint32Array = NOTHING;
  #globals: Uint32Array = NOTHING;

  constructor({ memory, globals }: RuleInstance, onRelease: () => void) {
    this.#image = trimmed(memory);
    this.globals = globals;
    this.#onRelease = onRelease;
  }

  /** A fresh instance of a rule's. */
  put(guest: RuleInstance, { difference, globals }: Home): void {
    this.guest = guest;
    this.written = 0;
    this.#difference = difference;
    this.#globals = globals;
  }

  /**
   * The instance as after the rule's initialisation, but for the first `next` bytes of the input area, which are about to be written.
   * Undefined where there is none: it trapped, grew, or was let go.
   */
  take({ difference, globals }: Home, next: number): RuleInstance | undefined {
    const { guest } = this;
    if (guest === null || guest.words.length === 0) return undefined;
    const { words, input } = guest;
    const image = this.#image;
    if (globals !== this.#globals) {
      guest.setGlobals(globals);
      this.#globals = globals;
      this.written = Math.max(this.written, globals.byteLength);
    }
    if (this.written > next) putBack(words, image, (input + next) >> 2, (input + this.written) >> 2);
    restoreBlocks(words, image, guest.dirtyLow, 0);
    restoreBlocks(words, image, guest.dirtyHigh, 32);
    this.written = 0;
    if (difference !== this.#difference) {
      const before = this.#difference;
      for (let i = 0; i < before.length; i += 2) words[before[i]!] = image[before[i]!] ?? 0;
      this.#difference = difference;
    }
    for (let i = 0; i < difference.length; i += 2) words[difference[i]!] = difference[i + 1]!;
    return guest;
  }

  /** Of another memory as large, right after its initialisation; undefined when it is too much. */
  differenceOf(memory: WebAssembly.Memory): Uint32Array | undefined {
    const image = this.#image;
    const other = trimmed(memory);
    const found: number[] = [];
    for (let i = 0; i < Math.max(image.length, other.length); i++) {
      if ((image[i] ?? 0) === (other[i] ?? 0)) continue;
      if (found.length === 2 * MOST_WORDS) return undefined;
      found.push(i, other[i] ?? 0);
    }
    return Uint32Array.from(found);
  }

  /** Lets the instance and its memory go; who runs next makes a new one. */
  release(): void {
    this.guest = null;
    this.#onRelease();
  }
}

const isEqual = (a: Uint32Array, b: Uint32Array): boolean =>
  a.length === b.length && a.every((word, i) => word === b[i]);

/** Blocks whose numbers are, modulo 64, those of the set bits. */
function restoreBlocks(memory: Uint32Array, image: Uint32Array, marks: number, first: number): void {
  for (let bits = marks; bits !== 0; bits &= bits - 1) {
    const block = first + 31 - Math.clz32(bits & -bits);
    // a store at a block's end reaches up to 7 bytes into the next one
    for (let at = block * BLOCK_WORDS; at < memory.length; at += 64 * BLOCK_WORDS)
      putBack(memory, image, at, Math.min(at + BLOCK_WORDS + 2, memory.length));
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
