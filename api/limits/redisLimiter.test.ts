/** The three ways to count in a real Redis, beside those in memory; and Redis going away. */
import { expect, test } from "vitest";
import { createHealth } from "../../engine/ops/health.ts";
import { createLog } from "../../engine/ops/log.ts";
import { openRedis } from "../../engine/ops/redis.ts";
import { isRedisMissing, startRedis } from "../../test/support/redisServer.ts";
import { startTestServer, TOKEN } from "../testServer.ts";
import { createMemoryLimiter } from "./limiter.ts";
import { KINDS } from "./policy.ts";
import { createRedisLimiter } from "./redisLimiter.ts";

/** A machine that is busy is no Redis that is away. */
const PATIENCE = { timeoutMs: 60_000, connectTimeoutMs: 60_000, waitMs: 60_000 };

test.skipIf(isRedisMissing("two nodes over Redis"))(
  "API nodes over one Redis count requests together, and take a ticket once",
  async () => {
    const redis = await startRedis();
    const server = await startTestServer({ limits: { kind: "bucket", anonymous: 0, known: 5, preset: "hourly" } });
    const options = { url: redis.url, ...PATIENCE };
    const connect = () => openRedis(options, { health: createHealth(), log: createLog({ level: "silent" }) });
    const connections = [connect(), connect()];
    await Promise.all(connections.map((each) => new Promise((resolve) => each.redis.once("ready", resolve))));
    const nodes = await Promise.all(
      connections.map((each) => server.another({ redis: each }).listen({ host: "127.0.0.1", port: 0 })),
    );
    try {
      const { access } = server;
      const user = await access.users.add({ username: "alice", password: "correct horse battery", role: "user" }, "t");
      const { key } = await access.keys.create(user, { name: "one", role: "user" }, "t");
      const left: (string | null)[] = [];
      for (let n = 0; n < 4; n++)
        left.push((await fetch(`${nodes[n % 2]!.url}/api/v1/alerts`, { headers: { "x-api-key": key } })).headers.get("ratelimit-remaining")); // biome-ignore format: one line
      expect(left).toEqual(["99", "98", "97", "96"]); // each for itself would be 99, 99, 98, 98

      const asked = await fetch(`${nodes[0]!.url}/api/v1/auth/ticket`, { method: "POST", headers: { authorization: `Bearer ${TOKEN}` } }); // biome-ignore format: one line
      const { ticket } = (await asked.json()) as { ticket: string };
      const query = encodeURIComponent("{ rules { name } }");
      const taken = nodes.map(
        async ({ url }) => (await fetch(`${url}/graphql?query=${query}&ticket=${ticket}`)).status,
      );
      expect((await Promise.all(taken)).sort()).toEqual([200, 401]);
    } finally {
      await Promise.all(nodes.map(({ close }) => close()));
      for (const each of connections) each.close();
      await server.close();
      await redis.close();
    }
  },
  120_000,
);

test.skipIf(isRedisMissing("rate limits in Redis"))(
  "Redis counts as memory does, for several nodes together, and without it each goes on alone",
  async () => {
    const server = await startRedis();
    const health = createHealth();
    const lines: string[] = [];
    const log = createLog({ stream: { write: (line) => void lines.push(line) } });
    const options = { url: server.url, ...PATIENCE };
    const [node, other] = [openRedis(options, { health, log }), openRedis(options, { health: createHealth(), log })];
    try {
      await Promise.all([node, other].map(({ redis }) => new Promise((resolve) => redis.once("ready", resolve))));
      expect((await health.report()).components.redis).toMatchObject({ up: true, required: false });
      let now = Date.parse("2030-01-01T00:00:00Z");
      const [one, two] = [createRedisLimiter(node, () => now), createRedisLimiter(other, () => now)];
      const memory = createMemoryLimiter(() => now);
      let seed = 7;
      const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
      for (const kind of KINDS)
        for (let n = 0; n < 300; n++) {
          now += Math.floor(random() * 4_000) - 200;
          const policy = { kind, limit: 10, windowMs: 20_000, ...(kind === "bucket" && { burst: 5 }) };
          const asked = random() < 0.5 ? one : two;
          const cost = random() < 0.2 ? 0 : 1;
          expect(await asked.take(`key ${kind}`, policy, cost), `${kind} ${n}`).toEqual(
            await memory.take(`key ${kind}`, policy, cost),
          );
        }
      const clocked = createRedisLimiter(node); // by Redis' own clock
      const first = await clocked.take("clocked", { kind: "fixed", limit: 2, windowMs: 3_600_000 });
      expect(first).toMatchObject({ allowed: true, remaining: 1 });
      expect(lines).toEqual([]);

      await server.kill();
      const policy = { kind: "fixed", limit: 2, windowMs: 60_000 } as const;
      const alone = [await one.take("gone", policy), await one.take("gone", policy), await one.take("gone", policy)];
      expect(alone.map(({ allowed }) => allowed)).toEqual([true, true, false]);
      expect(lines.join("")).toContain('"event":"redis_away"');
    } finally {
      node.close();
      other.close();
      await server.close();
    }
  },
);
