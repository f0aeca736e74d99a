/**
 * Copies out of shared memory. V8 copies it by words where source and target are as far from one, else byte by byte, three times as long: so it
 * goes to a place that is, and from there, memory of our own, as fast as memory is.
 */
export const WORD = 8;
const SCRATCH_BYTES = 64 << 10;
const scratch = new Uint8Array(SCRATCH_BYTES + WORD);

/** Bytes from `start` to before `end` of the source, to `at` of the target, which has room. */
export function copyShared(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): void {
  for (let from = start; from < end; from += SCRATCH_BYTES) {
    const to = Math.min(end, from + SCRATCH_BYTES);
    const place = from % WORD;
    scratch.set(source.subarray(from, to), place);
    target.set(scratch.subarray(place, place + to - from), at + from - start);
  }
}
