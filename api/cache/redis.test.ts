/** What API nodes share in a real Redis: answers and used tickets; found through a Sentinel, too; and what is left without it. */
import { expect, test } from "vitest";
import { createTokens } from "../../engine/access/tokens.ts";
import { createHealth } from "../../engine/ops/health.ts";
import { createLog } from "../../engine/ops/log.ts";
import { createMetrics } from "../../engine/ops/metrics.ts";
import { openRedis, type RedisOptions } from "../../engine/ops/redis.ts";
import { isRedisMissing, startRedis } from "../../test/support/redisServer.ts";
import type { Principal } from "../auth/principal.ts";
import { createTickets, onceInRedis } from "../auth/ticket.ts";
import { createCache } from "./cache.ts";
import { createMemory } from "./memory.ts";
import { createShared } from "./shared.ts";

const ALICE: Principal = { name: "alice", role: "user", kind: "key", via: "key 1", id: "key 1", userId: 7, keyId: 1 };
const log = createLog({ level: "silent" });
const now = () => new Date();
const versions = new Map([["arbitrages", "1"]]);
let made = 0;

/** An API node, as far as it shares anything. It waits for a Redis that hangs as long as a busy machine may take. */
async function startNode(options: Pick<RedisOptions, "url" | "sentinels">) {
  const connection = openRedis({ ...options, timeoutMs: 60_000, connectTimeoutMs: 60_000, waitMs: 3_000 }, { health: createHealth(), log }); // biome-ignore format: one line
  await new Promise((resolve) => connection.redis.once("ready", resolve));
  const cache = createCache({
    memory: createMemory({ maxBytes: 1 << 20, now: Date.now, onChange: () => {} }),
    shared: createShared(connection),
    versions: async () => new Map(versions),
    ttlMs: { opportunities: 60_000, stats: 60_000, leaderboard: 60_000 },
    metrics: createMetrics({ defaults: false }),
  });
  const tickets = createTickets(createTokens("a secret for tests only", now), now, onceInRedis(connection, now));
  const read = async (name = "/stats") => {
    const make = async () => ({ status: 200, headers: { etag: '"1"' }, body: Buffer.from(`é${++made}`) });
    const { answer, from } = await cache.read({ kind: "stats", tables: ["arbitrages"], name }, make);
    expect(answer.headers).toEqual({ etag: '"1"' });
    return `${answer.body} ${from}`;
  };
  return { ...connection, tickets, read };
}

test.skipIf(isRedisMissing("answers and tickets in Redis"))(
  "nodes share answers and used tickets; without Redis each goes on alone",
  async () => {
    const server = await startRedis();
    const sentinel = await startRedis({ sentinelOf: server.port });
    const nodes = [
      await startNode({ url: server.url }),
      await startNode({ sentinels: [`127.0.0.1:${sentinel.port}`] }),
    ] as const;
    const [one, two] = nodes;
    try {
      expect([await one.read(), await two.read(), await two.read()]).toEqual(["é1 made", "é1 redis", "é1 memory"]);
      versions.set("arbitrages", "2");
      expect([await two.read(), await one.read(), await one.read()]).toEqual(["é2 made", "é2 redis", "é2 memory"]);
      for (const name of await one.redis.keys("weir:cache:*")) expect(await one.redis.pttl(name)).toBeGreaterThan(0); // nothing stays for ever
      await one.redis.set((await one.redis.keys("weir:cache:*"))[0]!, "no JSON");
      versions.set("arbitrages", "3");
      expect(await one.read()).toBe("é3 made");

      const { ticket } = await one.tickets.issue(ALICE);
      expect(await two.tickets.redeem(ticket)).toEqual(ALICE);
      expect(await one.tickets.redeem(ticket)).toBeUndefined();
      const { ticket: both } = await two.tickets.issue(ALICE);
      const answers = await Promise.all([one.tickets.redeem(both), two.tickets.redeem(both)]);
      expect(answers.filter(Boolean)).toEqual([ALICE]);

      server.hang();
      expect(await one.read("/hanging")).toBe("é4 made");
      expect(await one.read("/hanging")).toBe("é4 memory");
      await server.kill();
      expect([await one.read("/gone"), await two.read("/gone"), await two.read("/gone")]).toEqual([
        ...["é5 made", "é6 made", "é6 memory"],
      ]);
      const { ticket: alone } = await one.tickets.issue(ALICE);
      expect([await two.tickets.redeem(alone), await two.tickets.redeem(alone)]).toEqual([ALICE, undefined]);
    } finally {
      for (const node of nodes) node.close();
      await Promise.all([server.close(), sentinel.close()]);
    }
  },
);
