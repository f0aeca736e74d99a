/**
 * Blocks for the embedded store are handed over as files in its spool. Sent through its socket, their bytes would be copied some
 * four times more: for 40,000 rows the store needs 240 ms of CPU that way, and 160 for a file.
 */
import { existsSync } from "node:fs";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StoreUnavailable } from "../storeErrors.ts";
import { isRunning } from "./isRunning.ts";

const NAME = /^block-(\d+)-/;
let files = 0;

/**
 * Writes a block to a file, hands its path to `use`, and removes it.
 * @throws StoreUnavailable when the store's process has ended meanwhile, and its spool with it
 */
export async function withBlockFile(
  spool: string,
  bodies: readonly Uint8Array[],
  use: (path: string) => Promise<void>,
): Promise<void> {
  const path = join(spool, `block-${process.pid}-${files++}`);
  try {
    await writeFile(path, bodies, { mode: 0o600, flag: "wx" });
    await use(path);
  } catch (error) {
    if (existsSync(path)) throw error;
    throw new StoreUnavailable(`Cannot hand over a block: its file "${path}" is gone, and the store's process with it`);
  } finally {
    await rm(path, { force: true });
  }
}

/** Removes what processes left behind that were killed. */
export async function sweepBlockFiles(spool: string): Promise<void> {
  for (const name of await namesIn(spool)) {
    const pid = NAME.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(spool, name), { force: true });
  }
}

/** None where the child has just ended, and its spool with it: the next request notices. */
async function namesIn(spool: string): Promise<string[]> {
  try {
    return await readdir(spool);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
