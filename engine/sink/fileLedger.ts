import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { decodeLedger, encodeLedger, type Ledger, type PartitionState } from "./ledger.ts";

/** Positions of a recording: the same ledger as Kafka's, in a file. There are no output topics, so records go nowhere. */
interface LedgerFile {
  readonly source: string;
  partitions: Record<string, { published: number; ledger: string }>;
}

/**
 * A ledger in a file. Each commit writes a new file, makes it durable and puts it in place of the old one: after a kill there
 * is one or the other, whole.
 */
export function createFileLedger(path: string, source: string): Ledger {
  let content: LedgerFile | undefined;

  const load = async (): Promise<LedgerFile> => {
    content ??= await readLedgerFile(path, source);
    return content;
  };

  return {
    async read(partitions) {
      const file = await load();
      const states = new Map<number, PartitionState>();
      for (const partition of partitions) {
        const entry = file.partitions[partition];
        if (entry) states.set(partition, decodeLedger(entry.ledger, entry.published));
      }
      return states;
    },
    async commit(entries) {
      const file = await load();
      for (const { partition, state } of entries)
        file.partitions[partition] = { published: state.published, ledger: encodeLedger(state) };
      await replaceFile(path, JSON.stringify(file));
    },
  };
}

async function readLedgerFile(path: string, source: string): Promise<LedgerFile> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return { source, partitions: {} };
  }
  const file = JSON.parse(text) as LedgerFile;
  if (file.source !== source)
    throw new Error(`Cannot use the ledger "${path}": it belongs to "${file.source}", expected "${source}"`);
  return file;
}

/** Writes a file so that at any moment either the old content or the new is there, also after a power loss. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.new`;
  const file = await open(draft, "w");
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
