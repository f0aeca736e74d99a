/**
 * Blocks for the embedded store are handed over as files in its spool. Sent through its socket, their bytes would be copied some
 * four times more: for 40,000 rows the store needs 240 ms of CPU that way, and 160 for a file.
 */
import { existsSync } from "node:fs";
import { open, readdir, rm } from "node:fs/promises";
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
    await writeAll(path, bodies);
    await use(path);
  } catch (error) {
    if (existsSync(path)) throw error;
    throw new StoreUnavailable(`Cannot hand over a block: its file "${path}" is gone, and the store's process with it`);
  } finally {
    await rm(path, { force: true });
  }
}

/** What the kernel takes at once. */
const MOST_BODIES = 1_024;

/** Makes a file of these, one behind the other. */
async function writeAll(path: string, bodies: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    for (let from = 0; from < bodies.length; from += MOST_BODIES) {
      let rest = bodies.slice(from, from + MOST_BODIES);
      while (rest.length > 0) rest = without(rest, (await file.writev(rest)).bytesWritten);
    }
  } finally {
    await file.close();
  }
}

/** What is left behind so many bytes. */
function without(bodies: readonly Uint8Array[], bytes: number): Uint8Array[] {
  const left: Uint8Array[] = [];
  for (const body of bodies) {
    if (bytes < body.length) left.push(bytes > 0 ? body.subarray(bytes) : body);
    bytes = Math.max(0, bytes - body.length);
  }
  return left;
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
