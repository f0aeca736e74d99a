/**
 * One embedded store for a test file, spoken to as a server: a database a run, and the control store of them all. A start costs seconds; so do the
 * migrations of a database, which the first has, and any that was given back.
 */
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
  /** Empties its tables for the next `newRun`. */
  giveBack(): Promise<void>;
}

export interface Databases {
  newRun(): Promise<Run>;
  close(): Promise<void>;
}

export async function openDatabases(): Promise<Databases> {
  const temporary = await temporaryStore({}, { control: true });
  const child = await openEmbedded({ folder: temporary.folder });
  const control = `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(await child.postgres())}`;
  const folder = await mkdtemp(join(tmpdir(), "weir-runs-"));
  const stores: Store[] = [];
  /** Names of databases that have all tables, with nothing in them. */
  const empty = ["weir"];
  let runs = 0;
  return {
    async newRun() {
      const run = `run${runs++}`;
      const database = empty.pop() ?? run;
      const { port, secret } = (await readAddress(temporary.folder))!;
      const url = `http://127.0.0.1:${port}`;
      const store = await openStore({ url, username: "weir", password: secret, database });
      stores.push(store);
      const data = join(folder, run);
      const env = {
        CLICKHOUSE_URL: url,
        CLICKHOUSE_USER: "weir",
        CLICKHOUSE_PASSWORD: secret,
        CLICKHOUSE_DATABASE: database,
        DATABASE_URL: control,
        WEIR_DATA: data,
      };
      const giveBack = async (): Promise<void> => {
        const tables = await store.rows<{ name: string }>(
          "SELECT name FROM system.tables WHERE database = {database:String} AND engine LIKE '%MergeTree' AND total_rows > 0 AND name != 'weir_migrations'",
          { database },
        );
        for (const { name } of tables) await store.command(`TRUNCATE TABLE \`${name}\``);
        empty.push(database);
      };
      return { env, store, data, giveBack };
    },
    async close() {
      for (const store of stores) await store.close();
      await child.close();
      await temporary.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
