/** Frames of a batch: the same bytes as words, and where each begins. */
export interface Frames {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly offsets: Uint32Array;
  readonly count: number;
}

/** Asks something of the transaction whose frame begins at this word. */
export type Test = (frames: Frames, word: number) => boolean;

/** Whether all of them hold. */
export function holds(tests: readonly Test[], frames: Frames, word: number): boolean {
  for (let t = 0; t < tests.length; t++) if (!tests[t]!(frames, word)) return false;
  return true;
}
