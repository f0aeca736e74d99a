/** A compiled rule in one thread: takes the candidates of a batch, gives matches and failures, survives every trap. */

import type { Scene } from "./hostFunctions.ts";
import type { RuleInstance } from "./instance.ts";
import { createInstancePool, type InstancePool } from "./instancePool.ts";
import { RUN_LIMITS, type RunLimits } from "./limits.ts";
import type { Home } from "./place.ts";
import { readResults } from "./results.ts";
import { RuleRun } from "./ruleRun.ts";
import type { MemoryContent } from "./sharedCode.ts";
import { RuleFault } from "./trap.ts";

/** Frames of a batch: their bytes as words, and where each begins, in bytes, a multiple of 8. */
export interface FrameSource {
  readonly words: Uint32Array;
  readonly offsets: Uint32Array;
}

export interface Rule {
  /**
   * Evaluates `count` transactions that `indices` names from its place `first` on, in that order, on a memory without a past. Once they
   * have used the batch's fuel, the rest fail. What it writes to its state is final for each transaction that finishes, and undone for others.
   *
   * @param run to be filled; one that was before is cleared
   * @throws SandboxExhausted if the process is out of memories or stack: run the batch again later
   */
  run(frames: FrameSource, indices: Uint32Array, count: number, scene?: Scene, first?: number, run?: RuleRun): RuleRun;
}

/**
 * Input areas come in few sizes: a function of the candidates alone, so that neither a pointer nor the memory's size tells
 * a guest what came before.
 */
export const SMALLEST_INPUT = 64 * 1024;
const CAPACITIES = [SMALLEST_INPUT, 256 * 1024, 1024 * 1024];

/** A frame's u32 size is the second word of its header. */
const SIZE_WORD = 1;
/** Up to so many words a loop copies faster than a view and set() do. */
const SHORT_COPY = 64;

/**
 * @param module compiled from what `admit` returned
 * @param content what its memory begins with, beyond what is in the module
 * @param pool where its instances are: those of a thread's rules are in one
 * @param texts whether anybody reads those of its matches; else they are empty
 */
export function createRule(
  module: WebAssembly.Module,
  limits: RunLimits = RUN_LIMITS,
  content: MemoryContent = {},
  pool = createInstancePool(),
  texts = true,
): Rule {
  return new SandboxedRule(module, content, limits, pool, texts);
}

/**
 * A class, since thousands of rules run in turn and find nothing of theirs in the processor's caches: a call waits for this one object and
 * `home`, where closures were nine, one behind the other.
 */
class SandboxedRule implements Rule {
  /** Where the last call was. */
  #home: Home | undefined;
  readonly #limits: RunLimits;
  readonly #pool: InstancePool;
  readonly #texts: boolean;
  readonly #module: WebAssembly.Module;
  readonly #content: MemoryContent;
  /** It has grown its memory, and will again. */
  #grows = false;
  /** One for each capacity that it has had. */
  #homes: readonly Home[] = [];

  constructor(
    module: WebAssembly.Module,
    content: MemoryContent,
    limits: RunLimits,
    pool: InstancePool,
    texts: boolean,
  ) {
    this.#module = module;
    this.#content = content;
    this.#limits = limits;
    this.#pool = pool;
    this.#texts = texts;
  }

  /** @returns an instance without a past, at `#home`, whose first `bytes` of input are about to be written */
  #prepare(capacity: number, bytes: number): RuleInstance {
    if (this.#home?.capacity !== capacity) {
      if (this.#home !== undefined) this.#pool.used(this.#home.place);
      this.#home = this.#homes.find((each) => each.capacity === capacity);
    }
    const there = this.#home?.place.take(this.#home, bytes);
    if (there !== undefined) return there;
    const others = this.#homes.filter((each) => each !== this.#home);
    const home = this.#pool.settle(this.#module, capacity, this.#limits, this.#content, this.#grows);
    this.#homes = [...others, home];
    this.#home = home;
    return home.place.take(home, bytes)!;
  }

  run(
    { words, offsets }: FrameSource,
    indices: Uint32Array,
    count: number,
    scene?: Scene,
    first = 0,
    run = new RuleRun(),
  ): RuleRun {
    const limits = this.#limits;
    const largest = limits.inputBytes;
    const end = first + count;
    run.clear();
    run.evaluations = count;
    /** left of the batch's budget; all that depends on it depends on the batch alone, whatever instance was there before */
    let left = limits.batchFuel;
    /** the last call's capacity; −1: there was none, and no further instance is to be paid for yet */
    let last = -1;
    /** that instance has trapped, or grown */
    let gone = false;

    // Each trap costs an instance and the copy of a call's frames: after one, calls are short and grow again, or a rule that
    // traps on everything would copy the whole batch for every transaction of it.
    let most = count;
    for (let from = first; from < end; ) {
      if (left <= 0) {
        const spent = new RuleFault(
          "batch_fuel",
          `Cannot begin: the batch's ${limits.batchFuel} fuel is used up by the transactions before`,
        );
        for (; from < end; from++) run.fail(indices[from]!, spent);
        break;
      }
      // as many as fit into one call
      let frames = 0;
      let to = from;
      for (; to < end && to - from < most; to++) {
        const size = sizeOf(words, offsets[indices[to]!]!);
        if (tableBytes(to + 1 - from) + frames + size > largest) break;
        frames += size;
      }
      if (to === from) {
        const message = `Cannot show the rule a transaction of ${sizeOf(words, offsets[indices[from]!]!)} bytes: expected at most ${largest - tableBytes(1)}`;
        run.fail(indices[from]!, new RuleFault("frame_too_large", message));
        from++;
        continue;
      }
      const began = from;
      let guest: RuleInstance;
      try {
        const bytes = tableBytes(to - from) + frames;
        const capacity = capacityFor(bytes, largest);
        guest = this.#prepare(capacity, bytes);
        // whether one had to be made now depends on what others have left
        if (last >= 0 && (gone || capacity !== last)) left -= this.#home!.initFuel + limits.instanceFuel;
        last = capacity;
      } catch (error) {
        if (!(error instanceof RuleFault)) throw error;
        left -= limits.initFuel + limits.instanceFuel;
        for (; from < to; from++) run.fail(indices[from]!, error); // it does not even start
        continue;
      }
      write(guest, words, offsets, indices, from, to);
      const shown = scene && { ...scene, transactionAt: (progress: number) => indices[began + progress]! };
      const { finished, fault, used, lost } = guest.run(to - from, left, shown);
      this.#collect(guest, indices, from, finished, run);
      run.fuel += used;
      left -= used + lost;
      from += finished;
      most = fault === null ? most * 8 : 1;
      const grew = guest.words.length === 0;
      this.#grows ||= grew;
      gone = fault !== null || grew;
      if (fault === null) {
        this.#home!.place.ended();
        continue;
      }
      scene?.state?.undo(indices[from]!);
      // A transaction is guilty only of what it does on a memory without a past: results or allocations of those before
      // it may have filled this one. So the first of a call has failed, any other is tried again as the first.
      if (from === began) {
        run.fail(indices[from]!, fault);
        run.fuel += lost;
        from++;
      }
    }
    if (this.#home !== undefined) this.#pool.used(this.#home.place);
    return run;
  }

  #collect(guest: RuleInstance, indices: Uint32Array, from: number, finished: number, run: RuleRun): void {
    const limits = this.#limits;
    const { memory, input, out } = guest;
    const grew = guest.words.length === 0;
    const words = grew ? new Uint32Array(memory.buffer) : guest.words;
    const views = grew ? { words, bytes: Buffer.from(memory.buffer) } : guest;
    let end = 0; // of the results so far
    for (let i = 0; i < finished; i++) {
      const next = words[(input >> 2) + i]!;
      if (next === end) continue;
      const transaction = indices[from + i]!;
      const before = run.count;
      try {
        if (next < end || next % 8 !== 0 || next > words.byteLength - out) {
          throw new RuleFault(
            "bad_result",
            `Cannot read results up to ${next}: expected a multiple of 8 within the memory, at least ${end}`,
          );
        }
        const begin = end;
        end = next;
        readResults(views, out + begin, out + next, transaction, limits, this.#texts, run);
        if (run.count > limits.batchResults)
          throw new RuleFault(
            "too_many_results",
            `Cannot keep the results: more than ${limits.batchResults} for one batch`,
          );
      } catch (error) {
        if (!(error instanceof RuleFault)) throw error;
        run.count = before;
        run.fail(transaction, error);
      }
    }
  }
}

/** @param largest that there is */
function capacityFor(bytes: number, largest: number): number {
  for (const capacity of CAPACITIES) if (bytes <= capacity && capacity < largest) return capacity;
  return largest;
}

const sizeOf = (words: Uint32Array, frame: number): number => words[(frame >> 2) + SIZE_WORD]!;

/** The table takes 4 bytes a transaction; frames begin at a multiple of 8. */
function tableBytes(count: number): number {
  return (count + (count & 1)) * 4;
}

function write(
  guest: RuleInstance,
  words: Uint32Array,
  offsets: Uint32Array,
  indices: Uint32Array,
  from: number,
  to: number,
): void {
  const memory = guest.words;
  const table = guest.input >> 2;
  let at = table + (tableBytes(to - from) >> 2);
  memory[at - 1] = 0; // padding, or an entry that is written below
  for (let i = from; i < to; ) {
    // neighbours in the batch are copied together
    const first = offsets[indices[i]!]! >> 2;
    let last = first;
    do {
      memory[table + i - from] = (at + last - first) << 2;
      last += words[last + SIZE_WORD]! >> 2;
      i++;
    } while (i < to && offsets[indices[i]!]! >> 2 === last);
    if (last - first > SHORT_COPY) memory.set(words.subarray(first, last), at);
    else for (let w = first; w < last; w++) memory[at + w - first] = words[w]!;
    at += last - first;
  }
}
