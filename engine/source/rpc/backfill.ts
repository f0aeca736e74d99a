/**
 * A range of a chain's blocks into a recording, which may be stopped and goes on where it was.
 *
 *     out.ndjson.gz             │ 100 blocks │ 100 blocks │ …    each a compressed stream of its own
 *     out.ndjson.gz.progress    {"next": …, "bytes": …}          how far it is complete; gone at the end
 *
 * Parts end at multiples of 100, wherever it was stopped: the same range gives the same bytes.
 */
import { existsSync } from "node:fs";
import { readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { ServiceUnavailable, UserError } from "../../ops/errors.ts";
import { replaceFile } from "../../ops/replaceFile.ts";
import { checkRecordingName, createRecordingWriter, type RecordingWriter } from "../recordingWriter.ts";
import { createChainLines } from "./chainLines.ts";
import { type ChainOptions, openChain } from "./follow.ts";
import type { BlockRef } from "./readBlock.ts";

export interface BackfillOptions extends Omit<ChainOptions, "known" | "pending"> {
  readonly chainId: number;
  readonly fromBlock: number;
  readonly toBlock: number;
  /** `.ndjson`, `.ndjson.gz` or `.ndjson.zst`. */
  readonly out: string;
  /** After each block: of so many, so many are there. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface BackfillCounts {
  /** In the file: those of earlier runs, too. */
  readonly blocks: number;
  readonly transactions: number;
  /** Blocks whose header and roots were verified, not only their links. */
  readonly proven: number;
}

interface Progress extends BackfillCounts {
  readonly chainId: number;
  readonly from: number;
  readonly to: number;
  /** First block that is not in the file. */
  readonly next: number;
  /** Of the file that are complete. */
  readonly bytes: number;
  readonly last: readonly BlockRef[];
}

const PART_BLOCKS = 100;

/**
 * @throws UserError where the file is another's, or blocks of the range are replaced or not mined yet; ServiceUnavailable when no node
 * gives a block. What is complete stays, and the same call goes on behind it.
 */
export async function backfill(options: BackfillOptions): Promise<BackfillCounts> {
  const { out, fromBlock, toBlock, signal, onProgress } = options;
  const progressFile = `${out}.progress`;
  let done = await begin(options, progressFile);
  const chain = await openChain({ ...options, fromBlock: done.next, known: done.last });
  const linesOf = createChainLines(chain.chainId);
  let counts: BackfillCounts = done;
  let writer: RecordingWriter | undefined;

  async function endPart(next: number): Promise<void> {
    await writer?.close();
    writer = undefined;
    done = { ...done, ...counts, next, bytes: (await stat(out)).size, last: chain.blocks() };
    await replaceFile(progressFile, JSON.stringify(done));
  }

  try {
    if (chain.endpoints.newest() < toBlock)
      throw new UserError(
        `Cannot backfill to block "${toBlock}": the newest of chain ${chain.chainId} is ${chain.endpoints.newest()}, expected a block that is mined`,
      );
    onProgress?.(counts.blocks, toBlock - fromBlock + 1);
    for await (const event of chain.events()) {
      if (event.kind === "reorg") throw replacedError(event.replaced, options.out);
      if (event.kind !== "block") continue;
      const lines = linesOf(event);
      if (lines.length > 0) writer ??= await createRecordingWriter(out, { at: done.bytes });
      for (const line of lines) await writer!.write(line);
      counts = {
        blocks: counts.blocks + 1,
        transactions: counts.transactions + lines.length,
        proven: counts.proven + (event.proof === "proven" ? 1 : 0),
      };
      if ((event.number + 1) % PART_BLOCKS === 0 || event.number === toBlock) await endPart(event.number + 1);
      onProgress?.(counts.blocks, toBlock - fromBlock + 1);
    }
    if (done.next > toBlock) await rm(progressFile, { force: true });
    const { blocks, transactions, proven } = done;
    return { blocks, transactions, proven };
  } catch (error) {
    if (!(error instanceof ServiceUnavailable) || signal?.aborted) throw error;
    const next = `Run the same command again: it goes on at block ${done.next}, in ${out}`;
    throw new ServiceUnavailable(error.message, { next, cause: error.cause });
  } finally {
    await writer?.close().catch(() => undefined); // a part that is not complete: the next run cuts it off
    await chain.close();
  }
}

/** Where an earlier run ended, with what it left behind cut off; or a new, empty file. */
async function begin({ out, chainId, fromBlock, toBlock }: BackfillOptions, progressFile: string): Promise<Progress> {
  checkRecordingName(out);
  if (!existsSync(progressFile)) {
    const writer = await createRecordingWriter(out); // refuses a file that is there
    await writer.close(); // it stays, so that a range without a transaction is a recording, too
    const { size: bytes } = await stat(out);
    const counts = { blocks: 0, transactions: 0, proven: 0 };
    const fresh = { chainId, from: fromBlock, to: toBlock, next: fromBlock, bytes, last: [], ...counts };
    await writeFile(progressFile, JSON.stringify(fresh));
    return fresh;
  }
  const progress = JSON.parse(await readFile(progressFile, "utf8")) as Progress;
  const { chainId: chain, from, to } = progress;
  if (chain !== chainId || from !== fromBlock || to !== toBlock)
    throw new UserError(
      `Cannot go on with "${out}": it has blocks ${from} to ${to} of chain ${chain}, expected ${fromBlock} to ${toBlock} of chain ${chainId}; ` +
        `name another file, or remove it and ${progressFile}`,
    );
  await truncate(out, progress.bytes);
  return progress;
}

function replacedError(replaced: readonly BlockRef[], out: string): UserError {
  const numbers = `${replaced[0]!.number} to ${replaced.at(-1)!.number}`;
  return new UserError(
    `Cannot backfill blocks "${numbers}": they were replaced while they were read, expected blocks that are final`,
    { next: `Remove ${out} and begin again with a --to that lies further back; weir watch follows what is new` },
  );
}
