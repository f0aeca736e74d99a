import { checkRecordingName, createRecordingWriter } from "./recordingWriter.ts";
import { createChainLines } from "./rpc/chainLines.ts";
import { type ChainOptions, openChain } from "./rpc/follow.ts";

export type RecordCounts = {
  /** Mined transactions: lines with a block. */
  transactions: number;
  /** Blocks with at least one transaction; an empty one leaves no line. */
  blocks: number;
  /** Lines of transactions that were announced before their block. */
  pendingSightings: number;
  /** Blocks that were written and then replaced: their lines stay, those of the blocks in their place follow. */
  replaced: number;
};

export type RecordOptions = Omit<ChainOptions, "pending"> & {
  /** The file: `.ndjson`, `.ndjson.gz` or `.ndjson.zst`; it must not exist yet. */
  out: string;
  /** Overwrite `out` if it exists. */
  replace?: boolean;
  pending: boolean;
  /** After each block and each few pending transactions: the counts so far and the last block read. */
  onProgress?: (progress: RecordCounts & { block: number | null }) => void;
};

/**
 * `weir record`: writes what a node's RPC gives as a recording, one transaction a line in chain order.
 *
 * Ends at `toBlock`, at the signal, or with an error of the node; in each case the file is complete up to there.
 *
 * @example
 * await record({ urls: ["ws://127.0.0.1:8545"], out: "today.ndjson.gz", pending: true, signal });
 * // { transactions: 18204, blocks: 97, pendingSightings: 13377, replaced: 0 }
 */
export async function record(options: RecordOptions): Promise<RecordCounts> {
  const { out, onProgress } = options;
  checkRecordingName(out);
  const counts: RecordCounts = { transactions: 0, blocks: 0, pendingSightings: 0, replaced: 0 };
  const chain = await openChain(options);
  try {
    const writer = await createRecordingWriter(out, options);
    const linesOf = createChainLines(chain.chainId);
    try {
      let block: number | null = null;
      onProgress?.({ ...counts, block });
      for await (const event of chain.events()) {
        const lines = linesOf(event);
        for (const line of lines) await writer.write(line);
        if (event.kind === "pending") counts.pendingSightings += lines.length;
        else if (event.kind === "reorg") counts.replaced += event.replaced.length;
        else if (event.kind === "block") {
          counts.transactions += lines.length;
          if (lines.length > 0) counts.blocks++;
          block = event.number;
        }
        onProgress?.({ ...counts, block });
      }
    } finally {
      await writer.close();
    }
  } finally {
    await chain.close();
  }
  return counts;
}
