/** One embedded store for a test file, and in it a database a run, spoken to as a server: a start of the store costs seconds. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore, type Store } from "../../clickhouse/client.ts";
import { readAddress } from "../../clickhouse/embedded/lockFile.ts";
import { stopEmbedded } from "../../clickhouse/embedded/open.ts";
import { temporaryStore } from "./embeddedStore.ts";

export interface Run {
  /** Variables of a `weir` that works on this database, with files of its own. */
  readonly env: Record<string, string>;
  readonly store: Store;
  /** WEIR_DATA */
  readonly data: string;
}

export interface Databases {
  newRun(): Promise<Run>;
  close(): Promise<void>;
}

export async function openDatabases(): Promise<Databases> {
  const temporary = await temporaryStore();
  const folder = await mkdtemp(join(tmpdir(), "weir-runs-"));
  const stores: Store[] = [];
  const folders: string[] = [];
  return {
    async newRun() {
      const database = `run${stores.length}`;
      const { port, secret } = (await readAddress(temporary.folder))!;
      const url = `http://127.0.0.1:${port}`;
      const store = await openStore({ url, username: "weir", password: secret, database });
      stores.push(store);
      const data = join(folder, database);
      folders.push(join(data, "clickhouse"));
      const env = {
        CLICKHOUSE_URL: url,
        CLICKHOUSE_USER: "weir",
        CLICKHOUSE_PASSWORD: secret,
        CLICKHOUSE_DATABASE: database,
        WEIR_DATA: data,
      };
      return { env, store, data };
    },
    async close() {
      for (const store of stores) await store.close();
      for (const child of folders) await stopEmbedded(child); // of the control store
      await temporary.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
