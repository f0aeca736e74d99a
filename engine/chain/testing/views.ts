import { createFrameWriter } from "../../frame/frameWriter.ts";
import { type TransactionRecord, writeFrame } from "../../frame/writeFrame.ts";
import type { BlockView } from "../blockView.ts";

/** Block views for tests: one a block, of transactions in chain order, as a recording has them. */
export function viewsOf(transactions: Iterable<TransactionRecord>): BlockView[] {
  const writer = createFrameWriter();
  const blocks = new Map<string, { chainId: number; blockNumber: number | undefined; frames: number[] }>();
  for (const transaction of transactions) {
    const { chainId, blockHash, blockNumber } = transaction;
    const key = `${chainId} ${blockHash ?? transaction.hash}`;
    if (!blocks.has(key))
      blocks.set(key, { chainId, blockNumber: blockNumber ? Number(blockNumber) : undefined, frames: [] });
    blocks.get(key)!.frames.push(writer.end);
    writeFrame(writer, transaction);
  }
  return [...blocks.values()].map((block) => ({ ...block, bytes: writer.bytes, u32: writer.u32, complete: true }));
}
