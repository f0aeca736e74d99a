import { blockLines, pendingLine } from "./recordingLine.ts";
import { checkRecordingName, createRecordingWriter } from "./recordingWriter.ts";
import { createRpcSource, type RpcSourceOptions } from "./rpc.ts";

export type RecordCounts = {
  /** Mined transactions: lines with a block. */
  transactions: number;
  /** Blocks with at least one transaction; an empty one leaves no line. */
  blocks: number;
  /** Lines of transactions that were announced before their block. */
  pendingSightings: number;
};

export type RecordOptions = Omit<RpcSourceOptions, "pending"> & {
  /** The file: `.ndjson`, `.ndjson.gz` or `.ndjson.zst`; it must not exist yet. */
  out: string;
  /** Overwrite `out` if it exists. */
  replace?: boolean;
  pending: boolean;
  /** After each block and each pending transaction: the counts so far and the last block read. */
  onProgress?: (progress: RecordCounts & { block: number | null }) => void;
};

/** First sightings remembered for the lines of blocks to come, about 150 B each. */
const MAX_REMEMBERED = 500_000;

/**
 * `weir record`: writes what a node's RPC gives as a recording, one transaction a line in chain order.
 *
 * Ends at `toBlock`, at the signal, or with an error of the node; in each case the file is complete up to there.
 *
 * @example
 * await record({ urls: ["ws://127.0.0.1:8545"], out: "today.ndjson.gz", pending: true, signal });
 * // { transactions: 18204, blocks: 97, pendingSightings: 13377 }
 */
export async function record(options: RecordOptions): Promise<RecordCounts> {
  const { out, onProgress } = options;
  checkRecordingName(out);
  const counts: RecordCounts = { transactions: 0, blocks: 0, pendingSightings: 0 };
  const firstSeen = new Map<string, number>();
  const source = await createRpcSource(options);
  try {
    const writer = await createRecordingWriter(out, options);
    try {
      let block: number | null = null;
      onProgress?.({ ...counts, block });
      for await (const event of source.events()) {
        if (event.kind === "pending") {
          const line = pendingLine(source.chainId, event.transaction, event.seenAt);
          rememberFirst(line.hash, event.seenAt);
          await writer.write(line);
          counts.pendingSightings++;
        } else {
          const lines = blockLines(source.chainId, event, takeFirst);
          for (const line of lines) await writer.write(line);
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
    await source.close();
  }
  return counts;

  function rememberFirst(hash: string, seenAt: number): void {
    firstSeen.set(hash, seenAt);
    if (firstSeen.size > MAX_REMEMBERED) firstSeen.delete(firstSeen.keys().next().value!);
  }

  function takeFirst(hash: string): number | undefined {
    const seenAt = firstSeen.get(hash.toLowerCase());
    firstSeen.delete(hash.toLowerCase());
    return seenAt;
  }
}
