import type { Command } from "commander";
import { createArchiveReader } from "../../clickhouse/archive/reader.ts";
import { addConfiguredAdmin } from "../access/firstAdmin.ts";
import { scheduleArchive } from "../archive/schedule.ts";
import { configuredArchive } from "../archive/settings.ts";
import { logSeldom } from "../ops/logSeldom.ts";
import type { openRedis } from "../ops/redis.ts";
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
      const archiving = scheduleArchive(house);
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

/** The API is loaded here, not above: the engine runs without it, and nothing else in engine/ knows it. Notifications go out as long as it listens. */
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
  const [{ createApi }, { createFeed }, { createNotifications }] = await Promise.all([
    import("../../api/app.ts"),
    import("../../api/live/createFeed.ts"),
    import("../../api/notify/start.ts"),
  ]);
  const notifications = createNotifications(house);
  const archive = configuredArchive(config, house.store);
  const { url } = config.redis;
  const shared = url === undefined ? undefined : await countInRedis({ ...config.redis, url }, house);
  const listening = await createApi({
    ...house,
    limiter: shared?.limiter,
    archive: archive && createArchiveReader(house.store, archive.place),
    notifications,
    rules: catalogue,
    config: { ...config, api },
    live: { feed: createFeed({ ...house, kafka: config.kafka, chains: config.engine.chains }), ...config.live },
    version: VERSION,
  }).listen(api);
  const stop = new AbortController();
  const notifying = notifications.notifier.run(stop.signal);
  const port = Number(new URL(listening.url).port);
  const forget = token === undefined ? undefined : await keepRunToken(config, port, token);
  return {
    url: listening.url,
    token,
    async close() {
      stop.abort();
      await notifying;
      await forget?.();
      await listening.close();
      shared?.close();
    },
  };
}

async function countInRedis(options: Parameters<typeof openRedis>[0], { health, log }: House) {
  const { openRedis } = await import("../ops/redis.ts");
  const { createRedisLimiter } = await import("../../api/limits/redisLimiter.ts");
  const { redis, close } = openRedis(options, health);
  const failed = (error: Error): void =>
    logSeldom(log, "warn", { event: "redis_away", reason: error.message }, "Redis does not answer; each API node counts requests for itself"); // biome-ignore format: one line
  return { limiter: createRedisLimiter(redis, { failed }), close };
}

/** What is said of it where it starts. */
export const servingText = ({ url, token }: Serving): string =>
  `✓ API  ${url}   docs ${url}/docs\n${token === undefined ? "" : `✓ token of this run  ${token}   (Authorization: Bearer …; npx weir user add --role admin makes users)\n`}`;

export const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
