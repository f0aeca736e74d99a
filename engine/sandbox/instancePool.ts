/**
 * Memories of a thread, each shared by rules in turn. Modules that differ in constants alone, in data or in code, differ in a few words of
 * memory and in globals once they have started: so a memory is made that of the next rule by writing the difference, some hundred words, and ten thousand
 * rules run in a few memories, which stay in the processor's caches, and of which V8 gives a process only so many. Whoever's turn it is
 * finds memory and globals as after its own initialisation: what the one before wrote is put back as between two batches of one rule.
 *
 *     Place: a memory ─┬─ Seat: an instance, of one code ─┬─ Home: a rule, its globals and its words
 *                      │                                  └─ Home
 *                      └─ Seat …
 */
import { instantiate, instantiateIn } from "./instance.ts";
import type { RunLimits } from "./limits.ts";
import { type Home, Place, trimmed } from "./place.ts";
import type { MemoryContent } from "./sharedCode.ts";

/** Decides which memories are kept: told of each place once a rule has run in it. */
export interface Keeper {
  used(place: Pick<Place, "release">): void;
}

export interface InstancePool {
  /**
   * Where a rule runs with input of this size. All rules of a pool have the same limits.
   *
   * @param grows it grows its memory, which would take it from all others: it gets one of its own
   * @throws what instantiate does
   */
  settle(
    module: WebAssembly.Module,
    capacity: number,
    limits: RunLimits,
    content: MemoryContent,
    grows?: boolean,
  ): Home;
  /** A rule has run there. */
  used(place: Place): void;
}

/** Memories of a size that are compared with a new rule's, the newest ones. */
const COMPARED = 8;
const NOTHING = new Uint32Array(0);
/** Words that some tens of rules keep together: all go when the last rule does. */
const TOGETHER = 16_384;

/** @param keeper by default all memories are kept */
export function createInstancePool(keeper: Keeper = { used() {} }): InstancePool {
  /** By the memory's size, the newest first. */
  const places = new Map<string, Place[]>();
  const keep = createShelf();
  return {
    settle(module, capacity, limits, content, grows = false) {
      const first = instantiate(module, capacity, limits, content);
      const { input, out, globals, initFuel, pages } = first;
      const started = { input, capacity, out, globals, initFuel, pages }; // not `first`: its memory may go
      const image = trimmed(first.memory);
      const code = [content.code, capacity, input, out].join(" ");
      const alone = grows || content.code === undefined;
      const there = (alone ? [] : (places.get(pages) ?? [])).filter((each) => each.alive);
      let place = there.find((each) => each.takesIn(code, image));
      if (place === undefined) {
        place = new Place(first, image);
        if (!alone) places.set(pages, [place, ...there].slice(0, COMPARED));
      }
      const seat = place.seatOf(code, first, (memory) => instantiateIn(memory, module, limits, started));
      return { place, seat, capacity, initFuel, ...keep(Uint32Array.of(...globals, ...place.wordsOf(image))) };
    },
    used(place) {
      if (place.alive) keeper.used(place);
    },
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
