/** The connection to Redis, where one is configured: what is in it makes things faster or more precise, and nothing needs it. */
import { Redis } from "ioredis";
import { messageOf } from "./errors.ts";
import type { Health } from "./health.ts";

export interface RedisConnection {
  readonly redis: Redis;
  close(): void;
}

/**
 * Connects, and again whenever the connection is lost. Commands fail at once while there is none, so that nobody waits for what is optional.
 * /health shows it as `redis`, which is not required.
 */
export function openRedis(
  { url, timeoutMs, connectTimeoutMs }: { url: string; timeoutMs: number; connectTimeoutMs: number },
  health: Health,
): RedisConnection {
  const component = health.register({ name: "redis", required: false, state: { up: false, reason: "connecting" } });
  const redis = new Redis(url, {
    commandTimeout: timeoutMs,
    connectTimeout: connectTimeoutMs,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
  });
  redis.on("ready", () => component.set({ up: true }));
  redis.on("error", (error) => component.set({ up: false, reason: messageOf(error) }));
  redis.on("close", () => component.set({ up: false, reason: "not connected" }));
  return {
    redis,
    close() {
      component.remove();
      redis.disconnect();
    },
  };
}
