import type { Command } from "commander";
import { createArchiveReader } from "../../clickhouse/archive/reader.ts";
import { addConfiguredAdmin } from "../access/firstAdmin.ts";
import { scheduleArchive } from "../archive/schedule.ts";
import { configuredArchive } from "../archive/settings.ts";
import type { RedisConnection } from "../ops/redis.ts";
import { VERSION } from "../ops/version.ts";
import { loadConfiguration } from "./configuration.ts";
import { type House, openHouse } from "./house.ts";
import { interrupted } from "./interrupt.ts";
import { keepRunToken, makeRunToken } from "./runToken.ts";

export function apiCommand(command: Command): void {
  command.addHelpText("after", "\nExample:\n  CLICKHOUSE_URL=http://localhost:8123 weir api").action(async () => {
    const { config } = loadConfiguration();
    const signal = interrupted();
    const house = await openHouse(config);
    try {
      const api = await serve(house);
      process.stderr.write(servingText(api));
      const archiving = await scheduleArchive(house);
      await untilAborted(signal);
      await archiving.close();
      await api.close();
    } finally {
      await house.close();
    }
  });
}

export interface Serving {
  readonly url: string;
  /** Made for this run, and shown by who started it; undefined: who asks has one. */
  readonly token: string | undefined;
  close(): Promise<void>;
}

/** The API is loaded here, not above: the engine runs without it, and nothing else in engine/ knows it. Notifications go out, and exports are made, as long as it listens. */
export async function serve(house: House): Promise<Serving> {
  const { config, catalogue, access, log } = house;
  const { admin } = config.access;
  if (admin && (await addConfiguredAdmin(access, admin)))
    log.info(
      { event: "user_added", user: admin.username, role: "admin" },
      "Added the administrator that is configured",
    );
  const token = await makeRunToken(config, access);
  const api = token === undefined ? config.api : { ...config.api, token };
  const [{ createApi }, { createExports }, { createExportRunner }, { createFeed }, { createNotifications }] =
    await Promise.all([
      import("../../api/app.ts"),
      import("../../api/exports/exports.ts"),
      import("../../api/exports/runner.ts"),
      import("../../api/live/createFeed.ts"),
      import("../../api/notify/start.ts"),
    ]);
  const notifications = createNotifications(house);
  await notifications.configure();
  const archive = await configuredArchive(config, house.store);
  const redis = await connectRedis(house);
  const listening = await createApi({
    ...house,
    redis,
    archive: archive && createArchiveReader(house.store, archive.place),
    notifications,
    rules: catalogue,
    config: { ...config, api },
    live: { feed: createFeed({ ...house, kafka: config.kafka, chains: config.engine.chains }), ...config.live },
    version: VERSION,
  }).listen(api);
  const stop = new AbortController();
  const notifying = notifications.notifier.run(stop.signal);
  const exporting = createExportRunner({ ...house, exports: createExports(house.control) }).run(stop.signal);
  const port = Number(new URL(listening.url).port);
  const forget = token === undefined ? undefined : await keepRunToken(config, port, token);
  return {
    url: listening.url,
    token,
    async close() {
      stop.abort();
      await notifying;
      await exporting;
      await forget?.();
      await listening.close();
      redis?.close();
    },
  };
}

async function connectRedis({ config, health, log }: House): Promise<RedisConnection | undefined> {
  const { url, sentinels } = config.redis;
  if (url === undefined && sentinels === undefined) return undefined;
  const { openRedis } = await import("../ops/redis.ts");
  return openRedis(config.redis, { health, log });
}

/** What is said of it where it starts. */
export const servingText = ({ url, token }: Serving): string =>
  `✓ API  ${url}   docs ${url}/docs\n${token === undefined ? "" : `✓ token of this run  ${token}   (Authorization: Bearer …; npx weir user add --role admin makes users)\n`}`;

export const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
