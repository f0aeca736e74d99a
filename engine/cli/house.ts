/** What most commands need: the configuration, the store with its tables, the rules, an engine. Closed in the reverse order. */
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Store } from "../../clickhouse/client.ts";
import { type Access, createAccess } from "../access/access.ts";
import { keptSecret } from "../access/keptSecret.ts";
import { readRegistry } from "../chain/registry/readRegistry.ts";
import { createRegistry, type Registry } from "../chain/registry/registry.ts";
import type { Control } from "../control/open.ts";
import { createSecrets, type Secrets } from "../control/secrets.ts";
import { createPublishedTap, type PublishedTap } from "../dispatch/publishedTap.ts";
import { createEngine, type Engine } from "../engine.ts";
import { createLabelStore, type LabelStore } from "../label/labels.ts";
import { createCallMeter } from "../ops/callMeter.ts";
import { type Config, ConfigError } from "../ops/config.ts";
import { VARIABLES } from "../ops/configTable.ts";
import { messageOf } from "../ops/errors.ts";
import { createFailpoint, type Failpoint } from "../ops/failpoint.ts";
import { createHealth, type Health } from "../ops/health.ts";
import { createLog, type Log } from "../ops/log.ts";
import { logSeldom } from "../ops/logSeldom.ts";
import { createMetrics, type Metrics } from "../ops/metrics.ts";
import { startTracing } from "../ops/tracing.ts";
import { type Catalogue, openCatalogue } from "../rules/catalogue.ts";
import { type CoverageOfChains, readCoverage } from "../source/rpc/coverage.ts";
import { openStores } from "./store.ts";

export { loadConfiguration } from "./configuration.ts";

export interface House {
  readonly config: Config;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly store: Store;
  readonly catalogue: Catalogue;
  readonly labels: LabelStore;
  readonly registry: Registry;
  readonly coverage: () => Promise<CoverageOfChains>;
  readonly access: Access;
  readonly control: Control;
  readonly secrets: Secrets;
  readonly engine: Engine;
  /** What that engine publishes. */
  readonly tap: PublishedTap;
  readonly failpoint: Failpoint;
  close(): Promise<void>;
}

export function createLogFor(config: Config): Log {
  return createLog({
    level: config.logLevel,
    secrets: [
      ...[config.store.password, config.api.token, config.access.jwtSecret, passwordIn(config.control.url)],
      ...[config.objectStore.secretAccessKey, config.notify.smtp?.password, ...(config.secretsKeys ?? [])],
      ...Object.values(config.tracing.headers),
      ...[config.notify.telegram.token, config.notify.discordUrl, config.notify.slackUrl],
    ],
  });
}

const passwordIn = (url: string | undefined): string | undefined =>
  url === undefined ? undefined : decodeURIComponent(new URL(url).password) || undefined;

/**
 * No folder is no rules, and nobody would notice: so it must be there, but for the examples before they were built.
 * @throws ConfigError when it is not
 */
async function checkRules(folder: string, log: Log): Promise<void> {
  const problem = await readdir(folder).then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (problem === undefined) return;
  if (folder !== resolve(VARIABLES.RULES_DIR.default))
    throw new ConfigError([
      { variable: "RULES_DIR", value: folder, problem: `it cannot be read: ${problem}`, expected: "a folder of .wasm" },
    ]);
  log.warn({ event: "no_rules", folder }, "There are no rules yet: npm run rules:build makes the examples");
}

/** How often an engine asks whether rules have changed: a statement of 1 ms. */
const POLL_MS = 400;

export async function openHouse(config: Config): Promise<House> {
  const log = createLogFor(config);
  const registry = readRegistry(config.registry);
  await checkRules(config.rules.folder, log);
  const stopTracing = await startTracing(config, log);
  const metrics = createMetrics();
  const { store, control } = await openStores(config, createCallMeter(metrics));
  const catalogue = await openCatalogue({
    control,
    maxRules: config.rules.max,
    quota: config.rules.quota,
    chains: config.engine.chains,
    registry,
  });
  const { refused } = await catalogue.loadFolder(config.rules.folder);
  for (const { file, findings } of refused)
    log.error({ event: "rule_refused", file, findings }, `Refused a rule: ${findings[0]?.message}`);
  const health = createHealth();
  showParts(metrics, { health, control, catalogue });
  const failpoint = createFailpoint(config.engine.failpoint);
  const tap = createPublishedTap();
  const engine = createEngine({ config, registry, store, catalogue, log, metrics, health, failpoint, tap });
  const following = followRules(catalogue, { log, health });
  return {
    config,
    log,
    metrics,
    health,
    store,
    control,
    catalogue,
    labels: createLabelStore(control),
    registry: createRegistry(registry),
    coverage: () => readCoverage(control),
    access: createAccess({
      control,
      secret: config.access.jwtSecret ?? (await keptSecret(join(config.data, "jwt-secret"))),
    }),
    secrets: createSecrets(config.secretsKeys ?? [await keptSecret(join(config.data, "secrets-key"))]),
    engine,
    tap,
    failpoint,
    async close() {
      following.stop();
      await engine.close();
      await control.close();
      await store.close();
      await stopTracing();
    },
  };
}

/** What metrics say of the parts when they are read. */
function showParts(metrics: Metrics, { health, control, catalogue }: Pick<House, "health" | "control" | "catalogue">) {
  metrics.beforeRead(async () => {
    const { open, free } = control.connections();
    metrics.dbPoolSize.set(open);
    metrics.dbPoolFree.set(free);
    metrics.rulesInState.reset();
    for (const { state } of catalogue.list()) metrics.rulesInState.inc({ state });
    const { components } = await health.report();
    metrics.componentUp.reset();
    for (const [component, { up }] of Object.entries(components)) metrics.componentUp.set({ component }, up ? 1 : 0);
  });
}

/** Takes over what others change, within a second; while the control store is away, all goes on with the rules that are known. */
function followRules(catalogue: Catalogue, { log, health }: Pick<House, "log" | "health">): { stop(): void } {
  const component = health.register({ name: "control", required: false, state: { up: true } });
  let asking = false;
  const ask = async (): Promise<void> => {
    if (asking) return; // 10,000 rules that are new to us take seconds
    asking = true;
    try {
      await catalogue.refresh();
      component.set({ up: true });
    } catch (error) {
      const reason = messageOf(error);
      component.set({ up: false, reason });
      logSeldom(
        log,
        "error",
        { event: "rules_unreadable", reason },
        "Cannot read the rules again; going on with those we have",
      );
    } finally {
      asking = false;
    }
  };
  const timer = setInterval(() => void ask(), POLL_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
