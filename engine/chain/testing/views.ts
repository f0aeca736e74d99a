import { decodeJson } from "../../frame/decodeJson.ts";
import { lastError } from "../../frame/describeError.ts";
import { createFrameWriter } from "../../frame/frameWriter.ts";
import { type TransactionRecord, writeFrame } from "../../frame/writeFrame.ts";
import { blocksOf } from "../blocks.ts";
import type { BlockView } from "../blockView.ts";

/** Block views for tests: one a block, of transactions in chain order, as a recording has them. */
export function viewsOf(transactions: Iterable<TransactionRecord>): BlockView[] {
  const writer = createFrameWriter({ capacity: 64 * 1024, frames: 16 }); // grows: most tests have one transaction
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

/** Block views of a recording's lines. */
export function blocksOfLines(lines: readonly Uint8Array[]): BlockView[] {
  const writer = createFrameWriter();
  for (const line of lines)
    if (line.length > 0 && decodeJson(line, 0, line.length, writer, 0) !== 0) throw new Error(lastError().message);
  return blocksOf({ bytes: writer.bytes, words: writer.u32, count: writer.count, frames: writer.offsets });
}
