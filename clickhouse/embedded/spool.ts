/**
 * Bodies of inserts go through a file: chDB takes inline data as text only (it cuts binary at the first 0A 0A).
 * The file lies in memory (/dev/shm) where there is room, else beside the store.
 */
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Four inserts of 256 MiB side by side: less is left on the machine and we had better use the disk. */
const ROOM_WANTED = 1 << 30;

export interface Spool {
  readonly folder: string;
  /**
   * Writes a body to a file, hands its path to `use`, and removes it.
   * @throws Error with ClickHouse's TOO_MANY_BYTES when the body is longer than the limit
   */
  withFile<T>(body: Readable, use: (path: string) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export async function openSpool({ storeFolder, maxBytes }: { storeFolder: string; maxBytes: number }): Promise<Spool> {
  const folder = await makeFolder(storeFolder);
  let files = 0;

  return {
    folder,
    async withFile(body, use) {
      const path = join(folder, `${files++}`);
      try {
        await pipeline(body, limit(maxBytes), createWriteStream(path, { mode: 0o600 }));
        return await use(path);
      } finally {
        await rm(path, { force: true });
      }
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

async function makeFolder(storeFolder: string): Promise<string> {
  const memory = await statfs("/dev/shm").catch(() => undefined);
  if (memory && memory.bavail * memory.bsize >= ROOM_WANTED) return mkdtemp("/dev/shm/weir-");
  const beside = join(storeFolder, "spool");
  await rm(beside, { recursive: true, force: true });
  await mkdir(beside, { recursive: true, mode: 0o700 });
  return beside;
}

function limit(maxBytes: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen <= maxBytes) done(null, chunk);
      else
        done(
          new Error(
            `Code: 307. DB::Exception: Cannot take a body of more than ${maxBytes} bytes: expected smaller inserts. (TOO_MANY_BYTES)`,
          ),
        );
    },
  });
}
