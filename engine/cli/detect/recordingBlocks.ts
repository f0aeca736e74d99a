/** The blocks of a recording, one after the other. */

import { blocksOf } from "../../chain/blocks.ts";
import type { BlockView } from "../../chain/blockView.ts";
import { CONTENT } from "../../frame/content.ts";
import { decodeRecord } from "../../frame/decodeRecord.ts";
import { lastError } from "../../frame/describeError.ts";
import { createFrameWriter, type FrameWriter } from "../../frame/frameWriter.ts";
import { frameSize, has, hexAt, isMined, u64AsNumber } from "../../frame/readFrame.ts";
import { OFFSET, PRESENT } from "../../frame/schema.ts";
import { UserError } from "../../ops/errors.ts";
import { readLines } from "../../source/recording.ts";

/** Ethereum's limit of gas allows for some 3,000 transactions, BSC's for 7,000. */
export const MAX_BLOCK_TRANSACTIONS = 65_536;

export interface RecordingBlocks {
  /** Told of each line that is no transaction: its number from 1, and why. */
  onBroken(line: number, reason: string): void;
  /** Lines read so far. */
  progress?(lines: number): void;
}

/** Frames of one block, as far as it has been read. */
interface OpenBlock {
  readonly key: string;
  readonly writer: FrameWriter;
}

/**
 * A block ends where its chain's next begins, and with the file. Pending transactions are in none and are left out, as is a whole block
 * that comes once more. A view is valid until the next is asked for.
 *
 * @throws UserError for a file that cannot be read, or a block of more than MAX_BLOCK_TRANSACTIONS
 */
export async function* recordingBlocks(
  path: string,
  { onBroken, progress }: RecordingBlocks,
): AsyncGenerator<BlockView> {
  const line = createFrameWriter();
  const open = new Map<number, OpenBlock>();
  const whole = new Set<string>();
  const finish = (chain: number, block: OpenBlock): BlockView[] => {
    const views = viewsOf(block);
    if (views.every(({ complete }) => complete)) whole.add(`${chain} ${block.key}`);
    return views;
  };
  let number = 0;
  for await (const text of readLines(path)) {
    number++;
    if (number % 256 === 0) progress?.(number);
    if (text.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)) continue;
    line.reset();
    decodeRecord(text, 0, text.length, CONTENT.json, line, () => onBroken(number, lastError().message));
    if (line.count === 0 || !isMined(line, 0)) continue;
    const chain = u64AsNumber(line, OFFSET.chainId);
    const key = has(line, 0, PRESENT.blockHash)
      ? hexAt(line, OFFSET.blockHash, 32)
      : `${u64AsNumber(line, OFFSET.blockNumber)}`;
    if (whole.has(`${chain} ${key}`)) continue;
    let block = open.get(chain);
    if (block?.key !== key) {
      if (block) yield* finish(chain, block);
      block = { key, writer: block?.writer ?? createFrameWriter() };
      block.writer.reset();
      open.set(chain, block);
    }
    append(block, line, path);
  }
  progress?.(number);
  for (const [chain, block] of open) yield* finish(chain, block);
}

function append({ key, writer }: OpenBlock, line: FrameWriter, path: string): void {
  if (writer.count === MAX_BLOCK_TRANSACTIONS)
    throw new UserError(
      `Cannot read block "${key}" of "${path}": it has more than ${MAX_BLOCK_TRANSACTIONS} transactions, expected no more`,
    );
  const size = frameSize(line, 0);
  writer.reserve(writer.end, size);
  writer.bytes.set(line.bytes.subarray(0, size), writer.end);
  writer.commit(size, 0);
}

const viewsOf = ({ writer: { bytes, u32, count, offsets } }: OpenBlock): BlockView[] =>
  blocksOf({ bytes, words: u32, count, frames: offsets });
