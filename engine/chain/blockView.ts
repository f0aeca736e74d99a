import type { FrameBytes } from "../frame/readFrame.ts";

/**
 * Transactions that are looked at together: those of one block, in chain order, or one pending transaction. A view of a batch's
 * frames: nothing is copied.
 */
export interface BlockView extends FrameBytes {
  readonly chainId: number;
  /** undefined: pending, so there are no receipts, and nothing of it has happened. */
  readonly blockNumber: number | undefined;
  /** Byte offset of each frame, by transaction index. */
  readonly frames: readonly number[];
  /** All transactions of the block are here. If not, nothing is said that another transaction could change: no sandwich, no JIT. */
  readonly complete: boolean;
}
