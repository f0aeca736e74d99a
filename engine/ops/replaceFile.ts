import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

let drafts = 0;

/**
 * Writes a file so that at any moment either the old content or the new is there, also after a power loss. Several may do so
 * at once, here and in other processes: each has a draft of its own, and the last one wins.
 */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}-${drafts++}.new`;
  try {
    const file = await open(draft, "w");
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
