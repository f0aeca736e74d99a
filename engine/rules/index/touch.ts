import type { Frames } from "./frames.ts";

/** A cache line is 16 words; frames begin anywhere in one, so of a place that is read 8 words on, another line may be meant. */
const APART = 8;

/**
 * Brings what the index reads of frames into the cache: a loop so short that the processor has a dozen frames under way at a time,
 * where those that follow have one or two and would wait for memory at each. Measured over 23 MB of frames: 0.24 µs a transaction
 * less, of 0.60 with 10,000 rules; over frames that are in the cache it costs some nanoseconds.
 *
 * @param words places in a frame that are read
 */
export function createTouch(words: readonly number[]): (frames: Frames, from: number, to: number) => void {
  const places: number[] = [];
  for (const word of [...words].sort((a, b) => a - b))
    if (places.length === 0 || word >= places.at(-1)! + APART) places.push(word);
  const lines = Uint32Array.from(places);
  /** Where the sum is left, so that the compiler cannot tell that nobody wants it. */
  const sums = new Uint32Array(1);
  return ({ words, offsets }, from, to) => {
    let sum = 0;
    for (let i = from; i < to; i++) {
      const frame = offsets[i]! >> 2;
      for (let l = 0; l < lines.length; l++) sum ^= words[frame + lines[l]!]!;
    }
    sums[0] = sum;
  };
}
