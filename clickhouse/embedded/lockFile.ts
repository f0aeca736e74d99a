/**
 * `store.json` in a store's folder says where its child listens. It is an address, not the lock: that is chDB's own lock on
 * its data (flock, gone with the process), so an old file does no harm. Who reads it asks the address for its identity.
 */
import { randomBytes } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface StoreAddress {
  readonly pid: number;
  readonly port: number;
  /** Password of every request. */
  readonly secret: string;
  /** Random name of the running child. */
  readonly identity: string;
  /** Where bodies of inserts are kept while they are read: the next child removes what a killed one left. */
  readonly spool: string;
  /** Where the socket of its PostgreSQL lies, if it runs: removed in the same way. */
  readonly postgres: string;
}

const pathIn = (folder: string): string => join(folder, "store.json");

/** Returns undefined when there is no file, or none that can be understood. */
export async function readAddress(folder: string): Promise<StoreAddress | undefined> {
  try {
    const address = JSON.parse(await readFile(pathIn(folder), "utf8")) as StoreAddress;
    const whole = Number.isInteger(address.pid) && Number.isInteger(address.port) && address.secret && address.identity;
    return whole ? address : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Replaces the file at once, so that a reader never sees half of it. Only its owner may read it: it holds the secret. */
export async function writeAddress(folder: string, address: StoreAddress): Promise<void> {
  const temporary = `${pathIn(folder)}.${randomBytes(4).toString("hex")}`;
  await writeFile(temporary, `${JSON.stringify(address)}\n`, { mode: 0o600 });
  await rename(temporary, pathIn(folder));
}

export const removeAddress = (folder: string): Promise<void> => rm(pathIn(folder), { force: true });

/** Resolves to whether the child of this address is there and is the one that wrote it. */
export async function answers(address: StoreAddress, timeoutMs = 5_000): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${address.port}/ping`, {
      headers: { "x-clickhouse-key": address.secret },
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.text();
    return response.ok && response.headers.get("x-weir-store") === address.identity;
  } catch {
    return false; // refused, silent, or some other program on a port that once was ours
  }
}
