import { readFile } from "node:fs/promises";
import { UserError } from "../ops/errors.ts";
import { replaceFile } from "../ops/replaceFile.ts";
import { decodeLedger, encodeLedger, type Ledger, type PartitionState } from "./ledger.ts";

/** Positions of a recording: the same ledger as Kafka's, in a file. There are no output topics, so records go nowhere. */
interface LedgerFile {
  readonly source: string;
  readonly partitions: Readonly<Record<string, { published: number; ledger: string }>>;
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
      const partitions = { ...(await load()).partitions };
      for (const { partition, state } of entries)
        partitions[partition] = { published: state.published, ledger: encodeLedger(state) };
      const next: LedgerFile = { source, partitions };
      await replaceFile(path, JSON.stringify(next));
      content = next; // only now: a commit that failed has not been
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
  let file: LedgerFile;
  try {
    file = JSON.parse(text) as LedgerFile;
  } catch (error) {
    throw new UserError(`Cannot read the ledger "${path}": ${(error as Error).message}`, {
      next: "Bring back the file as it was, or make a new run of the recording with --again",
    });
  }
  if (file.source !== source)
    throw new UserError(`Cannot use the ledger "${path}": it belongs to "${file.source}", expected "${source}"`);
  return file;
}
