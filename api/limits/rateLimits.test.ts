import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { quotasSchema } from "../routes/quotas.ts";
import { startTestServer } from "../testServer.ts";
import { blockOf } from "./rateLimits.ts";

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
      const anonymous = await statuses(12);
      expect(anonymous[0]).toBe(200);
      expect(anonymous.filter((status) => status === 429).length).toBeGreaterThanOrEqual(2);
      for (let n = 0; n < 20; n++) expect((await server.get("/health")).status).toBe(200); // probes are not
    } finally {
      await server.close();
    }
  }, 120_000);

  test("by blocks of IPv6 addresses, of which one has 2^64", () => {
    expect(blockOf("192.0.2.7")).toBe("192.0.2.7");
    expect(blockOf("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64");
    expect(blockOf("2001:db8::1")).toBe("2001:db8:0:0::/64");
    expect(blockOf("::1")).toBe("0:0:0:0::/64");
    expect(blockOf(null)).toBe("unknown");
  });
});
