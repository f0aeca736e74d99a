import { readFileSync, rmSync } from "node:fs";
import { link, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning } from "../../clickhouse/embedded/isRunning.ts";
import { UserError } from "./errors.ts";

let drafts = 0;
const ASK_AGAIN_MS = 5;
/** A takeover is a handful of system calls, but many may want it at once. */
const TAKEOVER_MS = 30_000;

/**
 * Takes a lock that one process may hold: a file with its pid, there with its content or not at all. One whose process is gone
 * is taken over.
 * @param what completes the sentence `Cannot <what>`
 * @param waitMs how long to wait for another that holds it
 * @returns gives it back; the end of the process does so, too
 * @throws UserError that names the process that holds it
 */
export async function holdExclusively(path: string, what: string, { waitMs = 0 } = {}): Promise<() => void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}-${drafts++}`;
  await writeFile(draft, String(process.pid));
  try {
    for (const deadline = performance.now() + waitMs; ; ) {
      if (await isFree(draft, path)) return heldBy(path);
      const holder = holderOf(path);
      if (holder !== undefined && !isAlive(holder)) {
        if (await replaceDead(draft, path, what)) return heldBy(path);
      } else if (performance.now() >= deadline) {
        const who = holder === undefined ? "another process" : `process ${holder}`;
        throw new UserError(`Cannot ${what}: ${who} is at it`, {
          next: `Wait for it, or stop it; if it is none of ours, remove ${path}`,
        });
      } else await sleep(ASK_AGAIN_MS);
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/** Puts the draft in its place: of several that try, one succeeds. */
async function isFree(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function heldBy(path: string): () => void {
  const release = (): void => {
    process.off("exit", release);
    rmSync(path, { force: true });
  };
  process.on("exit", release);
  return release;
}

/**
 * Takes over from a dead holder, alone: who replaces a lock holds a lock on that, and looks again. Else the one that found
 * it dead a moment ago would throw out the one that has replaced it since.
 */
async function replaceDead(draft: string, path: string, what: string): Promise<boolean> {
  const release = await holdExclusively(`${path}.takeover`, what, { waitMs: TAKEOVER_MS });
  try {
    const holder = holderOf(path);
    if (holder === undefined || isAlive(holder)) return false;
    await rename(draft, path);
    return true;
  } finally {
    release();
  }
}

/** undefined: it is gone by now. 0: it holds no pid, and so is nobody's. */
function holderOf(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "utf8")) || 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

const isAlive = (pid: number): boolean => pid !== 0 && isRunning(pid);
