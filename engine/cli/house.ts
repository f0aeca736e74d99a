/** What most commands need: the configuration, the store with its tables, the rules, an engine. Closed in the reverse order. */
import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openStore, type Store } from "../../clickhouse/client.ts";
import { migrate } from "../../clickhouse/migrate.ts";
import { createEngine, type Engine } from "../engine.ts";
import { type Config, ConfigError, type LoadedConfig, loadConfig } from "../ops/config.ts";
import { createFailpoint, type Failpoint } from "../ops/failpoint.ts";
import { createHealth, type Health } from "../ops/health.ts";
import { createLog, type Log } from "../ops/log.ts";
import { logSeldom } from "../ops/logSeldom.ts";
import { createMetrics, type Metrics } from "../ops/metrics.ts";
import { type Catalogue, openCatalogue } from "../rules/catalogue.ts";

export interface House {
  readonly config: Config;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly store: Store;
  readonly catalogue: Catalogue;
  readonly engine: Engine;
  readonly failpoint: Failpoint;
  close(): Promise<void>;
}

/** The checkout, wherever the command was called. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const BUNDLED_RECORDING = join(ROOT, "test/recordings/dex.ndjson.zst");

export function loadConfiguration(flags: Parameters<typeof loadConfig>[0] = {}): LoadedConfig {
  return loadConfig({ env: process.env, envFile: ".env", ...flags });
}

export function createLogFor(config: Config): Log {
  return createLog({ level: config.logLevel, secrets: [config.store.password, config.api.token] });
}

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

/** The store as it is, embedded or server. */
export async function openStoreOnly(config: Config): Promise<Store> {
  await checkData(config.data);
  const { url, user, password, database } = config.store;
  return openStore(
    url === undefined
      ? { folder: join(config.data, "clickhouse"), database }
      : { url, database, username: user, ...(password === undefined ? {} : { password }) },
  );
}

/** The store with its tables as this version wants them. */
async function openTables(config: Config): Promise<Store> {
  const store = await openStoreOnly(config);
  try {
    await migrate(store);
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

export async function openHouse(config: Config): Promise<House> {
  const log = createLogFor(config);
  const store = await openTables(config);
  const catalogue = await openCatalogue(join(config.data, "rules"));
  const { refused } = await catalogue.loadFolder(config.rules.folder);
  for (const { file, findings } of refused)
    log.error({ event: "rule_refused", file, findings }, `Refused a rule: ${findings[0]?.message}`);
  const metrics = createMetrics();
  const health = createHealth();
  const failpoint = createFailpoint(config.engine.failpoint);
  const engine = createEngine({ config, store, catalogue, log, metrics, health, failpoint });
  // Rules that another process changes take effect within a second.
  const refreshing = setInterval(() => {
    catalogue
      .refresh()
      .catch((error: unknown) =>
        logSeldom(
          log,
          "error",
          { event: "rules_unreadable", reason: error instanceof Error ? error.message : String(error) },
          "Cannot read the rules again; going on with those we have",
        ),
      );
  }, 1_000);
  refreshing.unref();
  return {
    config,
    log,
    metrics,
    health,
    store,
    catalogue,
    engine,
    failpoint,
    async close() {
      clearInterval(refreshing);
      await engine.close();
      await store.close();
    },
  };
}
