/** A memory that rules share in turn: see instancePool.ts. */
import type { GuestMemory } from "./importedMemory.ts";
import { BLOCK_SHIFT, COVERED_BYTES, MARKS } from "./inject.ts";
import type { RuleInstance } from "./instance.ts";

/** What a rule is in the place that it shares. */
export interface Home {
  readonly place: Place;
  readonly seat: Seat;
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

/** The instance of a code in a place. */
export interface Seat {
  /** null: a call did not come to its end. */
  guest: RuleInstance | null;
  /** Another in its place. @throws SandboxExhausted */
  readonly renew: () => RuleInstance;
  readonly globalWords: number;
  /** The rule whose globals it has; none yet that is known. */
  home: Home | undefined;
}

/**
 * More that differs is written no faster than another memory is read. With 2,048, where layouts of one source came together that a longer name had
 * shifted, modules of twelve codes took 2.4 µs a transaction (1.9 to 2.4), with 256 2.1 (1.9 to 2.2), code of each one's own 6.2 and 6.3.
 */
const MOST_WORDS = 256;
/** Codes that share a memory: when a rule grows it for the first time, all others need another. */
const MOST_SEATS = 64;
const PAGE = 65_536;
const BLOCK_WORDS = 1 << (BLOCK_SHIFT - 2);
const COVERED_WORDS = COVERED_BYTES / 4;
const NOTHING = new Uint32Array(0);

/** A memory, and the instances that run in it. */
export class Place {
  /** null: it was let go. */
  #memory: GuestMemory | null;
  /** Memory of the first rule here after initialisation, without trailing zeros. */
  readonly #image: Uint32Array;
  /** Numbers of words in which rules here differ from it. Of most it is the same ones: all of them are written for whoever comes. */
  #differing: Uint32Array = NOTHING;
  readonly #seats = new Map<string, Seat>();
  /** What the last call has written: words from … to of its input, and what its instance has marked. */
  #from = 0;
  #to = 0;
  #last: Seat | undefined;
  /** It has not come to its end, or trapped: its marks are not to be had, its instance is not used again. */
  #underWay = false;

  constructor({ memory, words, bytes }: GuestMemory, image: Uint32Array) {
    this.#memory = { memory, words, bytes };
    this.#image = image;
  }

  /** Neither let go, nor grown: a memory never shrinks. */
  get alive(): boolean {
    return this.#memory !== null && this.#memory.words.length > 0;
  }

  /**
   * The instance as after the rule's initialisation, but for the first `next` bytes of the input area, which are about to be written.
   * Undefined where the memory is gone. To be called before each call of it; `ended` after each that came to its end. @throws SandboxExhausted
   */
  take(home: Home, next: number): RuleInstance | undefined {
    if (!this.alive) return undefined;
    const { seat, own, at: first } = home;
    const image = this.#image;
    if (this.#underWay) this.#last!.guest = null;
    if (seat.guest === null) {
      seat.guest = seat.renew();
      seat.home = undefined;
    }
    const { guest } = seat;
    const { words, input } = guest;
    const start = input >> 2;
    const end = (input + next) >> 2;
    const globals = seat.globalWords;
    const before = seat.home;
    if (home !== before) {
      let change = before === undefined ? 1 : 0;
      if (before !== undefined)
        for (let i = 0; i < globals; i++) change |= own[first + i]! ^ before.own[before.at + i]!;
      if (change !== 0) {
        for (let i = 0; i < globals; i++) words[start + i] = own[first + i]!;
        guest.setGlobals();
        putBack(words, image, end, start + globals);
      }
      seat.home = home;
    }
    if (this.#underWay) putBack(words, image, 0, words.length);
    else if (this.#last !== undefined) {
      putBack(words, image, this.#from, Math.min(this.#to, start));
      putBack(words, image, Math.max(this.#from, end), this.#to);
      restoreBlocks(words, image, this.#last.guest!.marks);
    }
    this.#underWay = true;
    this.#from = start;
    this.#to = end;
    this.#last = seat;
    const differing = this.#differing;
    const known = home.length - globals;
    for (let i = 0; i < known; i++) words[differing[i]!] = own[first + globals + i]!;
    for (let i = known; i < differing.length; i++) words[differing[i]!] = at(image, differing[i]!); // they came later
    return guest;
  }

  /** The call of what was taken last came to its end: whatever else becomes of one, a trap or the engine's own distress, needs no word. */
  ended(): void {
    this.#underWay = false;
  }

  /** Whether a rule with this code, whose memory is `other` right after its initialisation, may share: its words are among `differing` then. */
  takesIn(code: string, other: Uint32Array): boolean {
    if (this.#seats.size >= MOST_SEATS && !this.#seats.has(code)) return false;
    const image = this.#image;
    const differing = this.#differing;
    const known = new Set(differing);
    const more: number[] = [];
    for (let i = Math.max(image.length, other.length) - 1; i >= 0; i--)
      if (at(image, i) !== at(other, i) && !known.has(i) && more.push(i) + known.size > MOST_WORDS) return false;
    if (more.length > 0) this.#differing = Uint32Array.of(...differing, ...more);
    return true;
  }

  wordsOf(other: Uint32Array): Uint32Array {
    return this.#differing.map((i) => at(other, i));
  }

  /** @param first an instance of the code, perhaps in another memory  @param make one in this */
  seatOf(code: string, first: RuleInstance, make: (memory: GuestMemory) => RuleInstance): Seat {
    const there = this.#seats.get(code);
    if (there !== undefined) return there;
    const memory = this.#memory!;
    const renew = () => make(memory);
    const guest = first.memory === memory.memory ? first : renew();
    const seat: Seat = { guest, renew, globalWords: first.globals.length, home: undefined };
    this.#seats.set(code, seat);
    return seat;
  }

  /** Lets the memory go, and whoever runs there; they get another. */
  release(): void {
    this.#memory = null;
    this.#seats.clear();
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

/** Words from … to; none where to ≤ from. */
function putBack(memory: Uint32Array, image: Uint32Array, from: number, to: number): void {
  const zeros = Math.min(Math.max(from, image.length), to); // the image ends where only zeros follow
  if (from < zeros) memory.set(image.subarray(from, zeros), from);
  if (zeros < to) memory.fill(0, zeros, to);
}

const ZERO_PAGE = new Uint8Array(PAGE);

/** A copy of the memory up to its last word that is not zero. Whole pages of zeros are skipped at memcmp's speed. */
export function trimmed(memory: WebAssembly.Memory): Uint32Array {
  let bytes = memory.buffer.byteLength;
  while (bytes > 0 && Buffer.compare(new Uint8Array(memory.buffer, bytes - PAGE, PAGE), ZERO_PAGE) === 0) bytes -= PAGE;
  const words = new Uint32Array(memory.buffer);
  let end = bytes / 4;
  while (end > 0 && words[end - 1] === 0) end--;
  return words.slice(0, end);
}
