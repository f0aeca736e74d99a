import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Principal } from "../auth/principal.ts";
import { quotasSchema } from "../routes/quotas.ts";
import { startTestServer } from "../testServer.ts";
import { createMemoryLimiter } from "./limiter.ts";
import { blockOf, createRateLimits } from "./rateLimits.ts";

/** So many operations of GraphQL by one WebSocket. @returns the answers */
async function askBySocket(url: string, headers: Record<string, string>, count: number): Promise<string[]> {
  const ws = new WebSocket(url, "graphql-transport-ws", { headers });
  const answers: string[] = [];
  const done = new Promise<void>((resolve, reject) => {
    ws.on("error", reject).on("message", (bytes: Buffer) => {
      const { type, payload } = JSON.parse(bytes.toString()) as { type: string; payload?: unknown };
      if (type === "connection_ack")
        for (let id = 0; id < count; id++)
          ws.send(JSON.stringify({ id: `${id}`, type: "subscribe", payload: { query: "{ rules { name } }" } }));
      if (type === "next" || type === "error") answers.push(JSON.stringify(payload));
      if (answers.length === count) resolve();
    });
  });
  await new Promise((resolve) => ws.once("open", resolve));
  ws.send(JSON.stringify({ type: "connection_init" }));
  await done;
  ws.close();
  return answers;
}

describe("requests are counted", () => {
  test("by who asks, else by address; headers say how many are left, and a refusal when the next is answered", async () => {
    const server = await startTestServer({ limits: { kind: "fixed", anonymous: 5, known: 3, preset: "minute" } });
    try {
      const alice = await server.access.users.add(
        { username: "alice", password: "correct horse battery", role: "user" },
        "t",
      );
      const [one, two] = [
        (await server.access.keys.create(alice, { name: "one", role: "user" }, "t")).key,
        (await server.access.keys.create(alice, { name: "two", role: "user" }, "t")).key,
      ];
      const three = (await server.access.keys.create(alice, { name: "three", role: "user" }, "t")).key;
      const quotas = quotasSchema.parse(
        (await server.get("/api/v1/quotas", { headers: { "x-api-key": three } })).body(),
      );
      expect(quotas).toMatchObject({
        ...{ name: "alice", role: "user", rules: { max: 10, used: 0, throttled: 0 }, fuel_per_second: { max: null } },
        ...{ requests: [{ of: "all", kind: "fixed", limit: 3, window_seconds: 60 }], api_keys: { max: 100, used: 3 } },
      });
      expect([2, 3]).toContain(quotas.requests[0]!.remaining); // itself is counted, unless a window began right after
      const ask = (headers: Record<string, string> = {}) => server.get("/api/v1/rule-fields", { headers });
      const until = Date.now() + 60_000; // a window's edge may lie between: then it begins anew, once
      const statuses = async (count: number, headers?: Record<string, string>) => {
        const all: number[] = [];
        for (let n = 0; n < count; n++) all.push((await ask(headers)).status);
        return all;
      };
      const first = await ask({ "x-api-key": one });
      expect(first.headers.get("ratelimit-limit")).toBe("3");
      expect(first.headers.get("ratelimit-remaining")).toBe("2");
      expect(first.headers.get("ratelimit-policy")).toBe("3;w=60");
      expect(Number(first.headers.get("x-ratelimit-reset")) * 1000).toBeLessThanOrEqual(until + 1_000);
      const more = await statuses(8, { "x-api-key": one });
      expect(more.filter((status) => status === 429).length).toBeGreaterThanOrEqual(3);
      const refused = await ask({ "x-api-key": one });
      if (refused.status === 429) {
        expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
        expect(refused.text).toMatch(/Cannot answer more requests: there were 3 within 60 s/);
      }
      expect((await ask({ "x-api-key": two })).status).toBe(200); // another key
      const upgrade = (headers: Record<string, string>) =>
        new Promise<number>((resolve) => {
          const ws = new WebSocket(`${server.url.replace("http", "ws")}/ws/alerts`, { headers });
          ws.on("unexpected-response", (_, response) => resolve(response.statusCode!)).on("error", () => {});
          ws.on("open", () => {
            resolve(101);
            ws.close();
          });
        });
      const upgrades: number[] = [];
      for (let n = 0; n < 9; n++) upgrades.push(await upgrade({ "x-api-key": two }));
      expect(new Set(upgrades)).toEqual(new Set([101, 429]));
      expect(upgrades.filter((status) => status === 429).length).toBeGreaterThanOrEqual(3); // as requests are
      const four = { "x-api-key": (await server.access.keys.create(alice, { name: "four", role: "user" }, "t")).key };
      const mayNot: number[] = [];
      for (let n = 0; n < 9; n++) mayNot.push((await server.get("/api/v1/users", { headers: four })).status);
      expect(new Set(mayNot)).toEqual(new Set([403, 429]));
      expect(mayNot.filter((status) => status === 429).length).toBeGreaterThanOrEqual(3);
      const five = { "x-api-key": (await server.access.keys.create(alice, { name: "five", role: "user" }, "t")).key };
      const asked = await askBySocket(`${server.url.replace("http", "ws")}/graphql`, five, 9);
      expect(asked.filter((answer) => answer.includes("TOO_MANY_REQUESTS")).length).toBeGreaterThanOrEqual(3);
      expect(asked.some((answer) => answer.includes('"rules"'))).toBe(true);
      const anonymous = await statuses(12);
      expect(anonymous[0]).toBe(200);
      expect(anonymous.filter((status) => status === 429).length).toBeGreaterThanOrEqual(2);
      for (let n = 0; n < 20; n++) expect((await server.get("/health")).status).toBe(200); // probes are not
    } finally {
      await server.close();
    }
  });

  test("by the hour, as an earlier system had them: 100 for alerts, ten WebSockets a minute", async () => {
    const limits = createRateLimits(createMemoryLimiter(() => 0), { kind: "fixed", anonymous: 60, known: 1_000, preset: "hourly" }); // biome-ignore format: one line
    const alice: Principal = {
      name: "alice",
      role: "user",
      kind: "key",
      via: "key 1",
      id: "key 1",
      userId: 7,
      keyId: 1,
    };
    const many = async (what: "upgrade" | "operation", count: number) => {
      let refused = 0;
      for (let n = 0; n < count; n++) if (await limits.live(alice, "192.0.2.7", what)) refused++;
      return refused;
    };
    expect([await many("upgrade", 10), await many("upgrade", 5)]).toEqual([0, 5]);
    expect(await many("operation", 1_000)).toBe(15); // the upgrades are among the thousand
  });

  test("by blocks of IPv6 addresses, of which one has 2^64", () => {
    expect(blockOf("192.0.2.7")).toBe("192.0.2.7");
    expect(blockOf("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64");
    expect(blockOf("2001:db8::1")).toBe("2001:db8:0:0::/64");
    expect(blockOf("::1")).toBe("0:0:0:0::/64");
    expect(blockOf(null)).toBe("unknown");
  });
});
