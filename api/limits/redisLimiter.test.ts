/** The three ways to count in a real Redis, beside those in memory; and Redis going away. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { createHealth } from "../../engine/ops/health.ts";
import { openRedis } from "../../engine/ops/redis.ts";
import { createMemoryLimiter } from "./limiter.ts";
import { KINDS } from "./policy.ts";
import { createRedisLimiter } from "./redisLimiter.ts";

const missing = spawnSync("redis-server", ["--version"]).error !== undefined;
if (missing)
  process.stderr.write("skipped: rate limits in Redis: there is no redis-server (apt-get install redis-server)\n");

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test.skipIf(missing)(
  "Redis counts as memory does, for several nodes together, and without it each goes on alone",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "weir-redis-"));
    const port = await freePort();
    const server = spawn("redis-server", ["--port", String(port), "--save", "", "--dir", folder], { stdio: "ignore" });
    const exited = once(server, "exit");
    const health = createHealth();
    const options = { url: `redis://127.0.0.1:${port}`, timeoutMs: 5_000, connectTimeoutMs: 5_000 };
    const node = openRedis(options, health);
    const other = new Redis(options.url, { lazyConnect: false });
    other.on("error", () => {}); // until it listens, and when it goes away
    try {
      await Promise.all(
        [node.redis, other].map(
          (each) => each.status === "ready" || new Promise((resolve) => each.once("ready", resolve)),
        ),
      );
      expect((await health.report()).components.redis).toMatchObject({ up: true, required: false });
      let now = Date.parse("2030-01-01T00:00:00Z");
      const failures: string[] = [];
      const given = { failed: (error: Error) => failures.push(error.message), now: () => now };
      const [one, two] = [createRedisLimiter(node.redis, given), createRedisLimiter(other, given)];
      const memory = createMemoryLimiter(() => now);
      let seed = 7;
      const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
      for (const kind of KINDS)
        for (let n = 0; n < 300; n++) {
          now += Math.floor(random() * 4_000) - 200;
          const policy = { kind, limit: 10, windowMs: 20_000, ...(kind === "bucket" && { burst: 5 }) };
          const asked = random() < 0.5 ? one : two;
          expect(await asked.take(`key ${kind}`, policy), `${kind} ${n}`).toEqual(
            await memory.take(`key ${kind}`, policy),
          );
        }
      const clocked = createRedisLimiter(node.redis, { failed: given.failed }); // by Redis' own clock
      const first = await clocked.take("clocked", { kind: "fixed", limit: 2, windowMs: 3_600_000 });
      expect(first).toMatchObject({ allowed: true, remaining: 1 });
      expect(failures).toEqual([]);

      server.kill("SIGKILL");
      await exited;
      const policy = { kind: "fixed", limit: 2, windowMs: 60_000 } as const;
      const alone = [await one.take("gone", policy), await one.take("gone", policy), await one.take("gone", policy)];
      expect(alone.map(({ allowed }) => allowed)).toEqual([true, true, false]);
      expect(failures.length).toBeGreaterThan(0);
    } finally {
      node.close();
      other.disconnect();
      server.kill("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    }
  },
);
