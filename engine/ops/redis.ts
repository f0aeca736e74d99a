/** The connection to Redis, where one is configured: what is in it makes things faster or more precise, and nothing needs it. */
import { Redis } from "ioredis";
import { messageOf } from "./errors.ts";
import type { Health } from "./health.ts";
import type { Log } from "./log.ts";
import { logSeldom } from "./logSeldom.ts";

export interface RedisOptions {
  /** With sentinels, only user, password and database of it count. */
  readonly url?: string | undefined;
  /** `host:port` each; they say where the server of the name `master` is. */
  readonly sentinels?: readonly string[] | undefined;
  readonly master?: string;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Until what is optional is done without it; default: longer than Redis ever takes while it is well, and less than what it saves. */
  readonly waitMs?: number;
}

export interface RedisConnection {
  readonly redis: Redis;
  /** What Redis answers within `waitMs`; if it does not, what is done without it, and for a second it is not asked again. */
  attempt<T>(ask: () => Promise<T>, otherwise: () => T | Promise<T>): Promise<T>;
  close(): void;
}

const WAIT_MS = 250;
const ALONE_MS = 1_000;

/**
 * Connects, and again whenever the connection is lost. Commands fail at once while there is none, so that nobody waits for what is optional.
 * /health shows it as `redis`, which is not required.
 */
export function openRedis(options: RedisOptions, { health, log }: { health: Health; log: Log }): RedisConnection {
  const { url, sentinels, master = "mymaster", timeoutMs, connectTimeoutMs, waitMs = WAIT_MS } = options;
  const component = health.register({ name: "redis", required: false, state: { up: false, reason: "connecting" } });
  const retryStrategy = (attempt: number): number => Math.min(attempt * 100, 2_000);
  const common = {
    commandTimeout: timeoutMs,
    connectTimeout: connectTimeoutMs,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy,
  };
  const redis = sentinels
    ? new Redis({ ...common, ...credentialsOf(url), sentinels: sentinels.map(addressOf), name: master, sentinelRetryStrategy: retryStrategy }) // biome-ignore format: one line
    : new Redis(url!, common);
  redis.on("ready", () => component.set({ up: true }));
  redis.on("error", (error) => component.set({ up: false, reason: messageOf(error) }));
  redis.on("close", () => component.set({ up: false, reason: "not connected" }));

  let aloneUntil = 0;
  return {
    redis,
    async attempt(ask, otherwise) {
      if (performance.now() < aloneUntil) return otherwise();
      try {
        return await within(waitMs, ask());
      } catch (error) {
        aloneUntil = performance.now() + ALONE_MS;
        const reason = messageOf(error);
        logSeldom(log, "warn", { event: "redis_away", reason }, "Redis does not answer; each API node goes on alone");
        return otherwise();
      }
    },
    close() {
      component.remove();
      redis.disconnect();
    },
  };
}

function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function addressOf(text: string): { host: string; port: number } {
  const at = text.lastIndexOf(":");
  return { host: text.slice(0, at).replace(/^\[(.*)\]$/, "$1"), port: Number(text.slice(at + 1)) };
}

/** What a URL says of the server that the sentinels find. */
function credentialsOf(url: string | undefined) {
  if (url === undefined) return {};
  const { protocol, username, password, pathname } = new URL(url);
  return {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    ...(pathname.length > 1 && { db: Number(pathname.slice(1)) }),
    ...(protocol === "rediss:" && { tls: {} }),
  };
}
