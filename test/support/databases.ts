/** One embedded store for a test file, spoken to as a server: a database a run, and the control store of them all. A start costs seconds. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore, type Store } from "../../clickhouse/client.ts";
import { readAddress } from "../../clickhouse/embedded/lockFile.ts";
import { openEmbedded } from "../../clickhouse/embedded/open.ts";
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
  const temporary = await temporaryStore({}, { tables: false });
  const child = await openEmbedded({ folder: temporary.folder });
  const control = `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(await child.postgres())}`;
  const folder = await mkdtemp(join(tmpdir(), "weir-runs-"));
  const stores: Store[] = [];
  return {
    async newRun() {
      const database = `run${stores.length}`;
      const { port, secret } = (await readAddress(temporary.folder))!;
      const url = `http://127.0.0.1:${port}`;
      const store = await openStore({ url, username: "weir", password: secret, database });
      stores.push(store);
      const data = join(folder, database);
      const env = {
        CLICKHOUSE_URL: url,
        CLICKHOUSE_USER: "weir",
        CLICKHOUSE_PASSWORD: secret,
        CLICKHOUSE_DATABASE: database,
        DATABASE_URL: control,
        WEIR_DATA: data,
      };
      return { env, store, data };
    },
    async close() {
      for (const store of stores) await store.close();
      await child.close();
      await temporary.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
