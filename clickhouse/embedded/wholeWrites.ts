/** chDB says nothing of a disk that is full, and leaves files that are too short. But it counts what was refused. */
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Store } from "../client.ts";

/**
 * Does what has the embedded store write files, and sees to it that the file system took all of it. What the store writes elsewhere meanwhile counts, too.
 * @param path of a file or folder among them
 * @throws Error with code ENOSPC when its disk is full, EIO when something was refused for another reason, be it that `work` has failed of it, not
 * knowing why; else what `work` throws
 */
export async function wholeWrites(store: Store, path: string, work: () => Promise<void>): Promise<void> {
  const before = await failedWrites(store);
  const [done] = await Promise.allSettled([work()]);
  const isWhole = (await failedWrites(store)) === before;
  if (isWhole && done.status === "fulfilled") return;
  if (isWhole && done.status === "rejected") throw done.reason;
  const { bavail, bsize } = await statfs(dirname(path));
  const code = bavail * bsize < ROOM ? "ENOSPC" : "EIO";
  throw Object.assign(new Error(`Cannot write "${path}": ${code}`), { code });
}

/** Less than what the store hands to the file system at a time. */
const ROOM = 1 << 20;

async function failedWrites(store: Store): Promise<string> {
  const [row] = await store.rows<{ failed: string }>(
    "SELECT toString(sum(value)) AS failed FROM system.events WHERE event = 'WriteBufferFromFileDescriptorWriteFailed'",
  );
  return row!.failed;
}
