import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openStore, type Store } from "../../clickhouse/client.ts";
import { migrate } from "../../clickhouse/migrate.ts";
import { checkRestored } from "../backup/unfinished.ts";
import { migrateControl } from "../control/migrate.ts";
import { type Control, openControl } from "../control/open.ts";
import type { CallMeter } from "../ops/callMeter.ts";
import { type Config, ConfigError } from "../ops/config.ts";

/** @throws ConfigError when we cannot write to the data folder */
async function checkData(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    const problem = `it cannot be used: ${(error as Error).message}`;
    throw new ConfigError([
      { variable: "WEIR_DATA", value: folder, problem, expected: "a folder that we may write to" },
    ]);
  }
}

const embeddedFolder = (config: Config): string => join(config.data, "clickhouse");

/**
 * The store as it is, embedded or server.
 * @param restoring by who restores a backup into it, and nobody else
 */
export async function openStoreOnly(
  config: Config,
  { restoring = false, meter }: { readonly restoring?: boolean; readonly meter?: CallMeter | undefined } = {},
): Promise<Store> {
  await checkData(config.data);
  if (!restoring) await checkRestored(config);
  const { url, user, password, database, cluster } = config.store;
  const { secretAccessKey } = config.objectStore;
  return openStore({
    ...(secretAccessKey && { secrets: [secretAccessKey] }),
    ...(meter && { meter }),
    ...(url === undefined
      ? { folder: embeddedFolder(config), database }
      : {
          url,
          database,
          username: user,
          ...(password === undefined ? {} : { password }),
          ...(cluster === undefined ? {} : { cluster }),
        }),
  });
}

/** The control store as it is, embedded or server: the embedded one shares its process with the store. */
export const openControlOnly = (config: Config, meter?: CallMeter): Control =>
  openControl({ url: config.control.url, folder: embeddedFolder(config), ...(meter && { meter }) });

/** Both stores with their tables as this version wants them. */
export async function openStores(config: Config, meter?: CallMeter): Promise<{ store: Store; control: Control }> {
  const store = await openStoreOnly(config, { meter });
  const control = openControlOnly(config, meter);
  try {
    await Promise.all([migrate(store), migrateControl(control)]);
  } catch (error) {
    await control.close();
    await store.close();
    throw error;
  }
  return { store, control };
}
