import { UserError } from "../../ops/errors.ts";
import type { BlockRef } from "./readBlock.ts";

/** The last blocks that were handed on: what tells a replaced chain from one that went on. */
export interface ChainWindow {
  tip(): BlockRef | undefined;
  /** Ascending, without a gap. */
  blocks(): BlockRef[];
  append(block: BlockRef): void;
  /**
   * Which of the last blocks the chain does not have any more, ascending; none when it still has the tip.
   * @param hashAt the hash of the chain's block at a height; undefined: it has none
   * @throws UserError when all that are remembered are replaced, as many as may be
   */
  findReplaced(hashAt: (number: number) => Promise<string | undefined>): Promise<BlockRef[]>;
  /** Takes the replaced ones out. */
  remove(replaced: readonly BlockRef[]): void;
}

/** @param depth how many blocks may be replaced at once; two epochs of Ethereum, after which a block is final, are 64 */
export function createChainWindow(known: readonly BlockRef[], depth: number): ChainWindow {
  let blocks = known.slice(-depth);
  const checkNext = (number: number, tip: BlockRef | undefined): void => {
    if (tip && number !== tip.number + 1)
      throw new Error(`Cannot go on at block "${number}": the one before is ${tip.number}, expected no gap`);
  };
  for (const [index, { number }] of blocks.entries()) checkNext(number, blocks[index - 1]);

  return {
    tip: () => blocks.at(-1),
    blocks: () => [...blocks],
    append(block) {
      checkNext(block.number, blocks.at(-1));
      blocks.push(block);
      if (blocks.length > depth) blocks.shift();
    },
    async findReplaced(hashAt) {
      let kept = blocks.length;
      while (kept > 0 && (await hashAt(blocks[kept - 1]!.number)) !== blocks[kept - 1]!.hash) kept--;
      if (kept === 0 && blocks.length === depth) {
        const [first, last] = [blocks[0]!.number, blocks.at(-1)!.number];
        throw new UserError(
          `Cannot follow the chain past block "${last}": the blocks ${first} to ${last} were replaced, ` +
            `expected fewer than ${depth} at once`,
          {
            next: "If the chain did that, go on with a larger WEIR_REORG_DEPTH; else look at what the nodes say of these blocks",
          },
        );
      }
      return blocks.slice(kept);
    },
    remove(replaced) {
      blocks = blocks.slice(0, blocks.length - replaced.length);
    },
  };
}
