import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore, type Store, type StoreOptions } from "../../clickhouse/client.ts";
import { readAddress } from "../../clickhouse/embedded/lockFile.ts";
import { stopEmbedded } from "../../clickhouse/embedded/open.ts";
import { fillStore } from "./storeTemplate.ts";

export interface TemporaryStore {
  readonly folder: string;
  readonly store: Store;
  /** Process id of the child that serves the folder now. */
  pid(): Promise<number>;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
  /** Closes the store, ends its child, removes the folder. */
  remove(): Promise<void>;
}

/**
 * An embedded store of its own in a new folder.
 * @param tables all that migrations make; else there is only the database
 * @param control the control store, too
 */
export async function temporaryStore(
  options: StoreOptions["embedded"] = {},
  { tables = true, control = false } = {},
): Promise<TemporaryStore> {
  const folder = await mkdtemp(join(tmpdir(), "weir-store-"));
  if (tables) await fillStore(folder, { control });
  const store = await openStore({ folder, embedded: options });
  await store.createDatabase();
  const pid = async () => (await readAddress(folder))!.pid;
  return {
    folder,
    store,
    pid,
    kill: async () => void process.kill(await pid(), "SIGKILL"),
    async remove() {
      await store.close();
      await stopEmbedded(folder);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
