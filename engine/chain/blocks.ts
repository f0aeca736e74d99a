import { has, hexAt, isPending, u32At, u64AsNumber } from "../frame/readFrame.ts";
import { OFFSET, PRESENT } from "../frame/schema.ts";
import type { BlockView } from "./blockView.ts";

/** Frames back to back, as a batch has them. */
export interface BatchFrames {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly count: number;
  /** Byte offset of each frame. */
  readonly frames: Uint32Array;
}

/** A block of a batch. */
export interface BatchBlock extends BlockView {
  readonly blockNumber: number;
  /** Of each frame of the view: its number in the batch. */
  readonly numbers: readonly number[];
}

const MEMBER = (PRESENT.blockHash | PRESENT.transactionIndex) >>> 0;

/**
 * The blocks of a batch, in the order in which they begin there; pending transactions are in none. Two hashes for one height are two
 * blocks. A transaction that came twice is in its block once, as it came first.
 *
 * A block is complete when there is a transaction for each of its indexes, as many as the records say it has; what does not
 * say its block's hash or its own index is a view of its own, which is not complete.
 *
 * Of a pending transaction it costs a look at one word, of a mined one places in three arrays.
 */
export function blocksOf({ bytes, words, count, frames }: BatchFrames): BatchBlock[] {
  const all = { bytes, u32: words };
  const groups: number[][] = [];
  const byHash = new Map<string, number[]>();
  let last: number[] | undefined;
  for (let i = 0; i < count; i++) {
    const frame = frames[i]!;
    if (isPending(words, frame)) continue;
    if ((words[(frame + OFFSET.present) >> 2]! & MEMBER) !== MEMBER) {
      groups.push([i]);
      continue;
    }
    if (last === undefined || !isOfOneBlock(words, frames[last[0]!]!, frame)) {
      const key = `${u64AsNumber(all, frame + OFFSET.chainId)} ${hexAt(all, frame + OFFSET.blockHash, 32)}`;
      last = byHash.get(key);
      if (last === undefined) {
        byHash.set(key, (last = []));
        groups.push(last);
      }
    }
    last.push(i);
  }
  return groups.map((group): BatchBlock => {
    const indexOf = (i: number): number => u32At(all, frames[i]! + OFFSET.transactionIndex);
    const inOrder = group.sort((a, b) => indexOf(a) - indexOf(b) || a - b);
    const isSecond = (i: number, at: number): boolean =>
      at > 0 &&
      indexOf(i) === indexOf(inOrder[at - 1]!) &&
      areEqual(words, frames[i]! + OFFSET.hash, frames[inOrder[at - 1]!]! + OFFSET.hash, 8);
    const numbers = inOrder.filter((i, at) => !isSecond(i, at));
    const first = frames[numbers[0]!]!;
    const isWhole =
      has(all, first, PRESENT.blockTransactionCount) &&
      numbers.length === u32At(all, first + OFFSET.blockTransactionCount) &&
      (words[(first + OFFSET.present) >> 2]! & MEMBER) === MEMBER;
    return {
      ...all,
      chainId: u64AsNumber(all, first + OFFSET.chainId),
      blockNumber: u64AsNumber(all, first + OFFSET.blockNumber),
      frames: numbers.map((i) => frames[i]!),
      complete: isWhole && numbers.every((i, at) => indexOf(i) === at),
      numbers,
    };
  });
}

const isOfOneBlock = (words: Uint32Array, a: number, b: number): boolean =>
  areEqual(words, a + OFFSET.blockHash, b + OFFSET.blockHash, 8) &&
  areEqual(words, a + OFFSET.chainId, b + OFFSET.chainId, 2);

/** @param a byte offsets */
function areEqual(words: Uint32Array, a: number, b: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (words[(a >> 2) + i] !== words[(b >> 2) + i]) return false;
  return true;
}
