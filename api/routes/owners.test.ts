import { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { weir } from "../../engine/cli/rule/testCommand.ts";
import { testModule } from "../../engine/sandbox/testModule.ts";
import { startTestServer, type TestServer, TOKEN } from "../testServer.ts";
import { ownerSchema } from "./owners.ts";
import { ruleCostSchema } from "./ruleCost.ts";
import { ruleSchema } from "./rules.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.close());

const OWNER = "/api/v1/owners/api%20token/quota";
const put = (body: unknown, type = "application/json"): RequestInit => ({
  method: "PUT",
  body: typeof body === "string" ? body : JSON.stringify(body),
  headers: { authorization: `Bearer ${TOKEN}`, "content-type": type },
});
const upload = (name: string): RequestInit => ({
  ...put(""),
  body: new Uint8Array(testModule({ manifest: JSON.stringify({ name }) })),
  headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/wasm" },
});
const owners = () => server.read("/api/v1/owners", z.array(ownerSchema));

test("an owner's quota is shown and set; a rule too many is refused with the number, the limit and the remedy", async () => {
  expect((await server.get("/api/v1/rules/one", upload("one"))).status).toBe(201);
  expect(await owners()).toEqual([
    {
      ...{ owner: "api token", rules: 1, throttled: 0, max_rules: 10, fuel_per_second: null },
      quota: { max_rules: null, fuel_per_second: null },
      ...{ evaluations: 0, matches: 0, traps: 0, fuel: 0, skipped: 0 },
    },
  ]);
  const set = await server.get(OWNER, put({ max_rules: 1, fuel_per_second: 1_000_000 }));
  expect([set.status, set.body()]).toEqual([200, { max_rules: 1, fuel_per_second: 1_000_000 }]);
  expect((await owners())[0]).toMatchObject({ max_rules: 1, fuel_per_second: 1_000_000 });
  const { detail } = await server.problem("/api/v1/rules/two", 409, upload("two"));
  expect(detail).toBe(
    'Cannot run the rule "two": 2 rules of "api token" would run, expected at most 1. Disable some of them, or raise WEIR_OWNER_MAX_RULES or the owner\'s quota',
  );
  expect((await server.get(OWNER, put({}))).body()).toEqual({ max_rules: null, fuel_per_second: null });
  expect((await server.get("/api/v1/rules/two", upload("two"))).status).toBe(201);
  expect(server.log()).toContain('"event":"owner_quota_changed"');
});

test("weir owner shows owners and gives them limits", async () => {
  const owner = async (...args: string[]) => {
    const ran = await weir(["owner", ...args, "--api", server.url, "--token", TOKEN]);
    return {
      ...ran,
      rows: ran.stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    };
  };
  const set = await owner("quota", "api token", "--rules", "7", "--fuel", "5000");
  expect(set.rows).toEqual([{ owner: "api token", max_rules: 7, fuel_per_second: 5000 }]);
  const [shown] = (await owner("list")).rows;
  expect(shown).toMatchObject({ owner: "api token", rules: 2, max_rules: 7, fuel_per_second: 5000 });
  expect((await owner("quota", "api token")).rows[0]).toMatchObject({ max_rules: null, fuel_per_second: null });
  expect(await owner("quota", "api token", "--rules", "100001")).toMatchObject({ code: 1, stderr: expect.stringContaining("max_rules") }); // biome-ignore format: one line
  expect(await owner("quota", "api token", "--rules", "many")).toMatchObject({ code: 2 });
});

test("a throttled rule says so, why and since when; its account says what it was not shown", async () => {
  const before = Date.now();
  await server.rules.changeEach([{ name: "one", action: "throttle", version: 1, reason: "version 1: too much" }], "engine"); // biome-ignore format: one call
  const rule = await server.read("/api/v1/rules/one", ruleSchema);
  expect(rule).toMatchObject({ state: "throttled", reason: "version 1: too much", live_version: 1 });
  expect(Date.parse(rule.since)).toBeGreaterThanOrEqual(before - 1_000);
  await server.store.command(
    "INSERT INTO rule_stats (source, partition, offset, rule, rule_version, skipped) VALUES ('s', 0, 0, 'one', 1, 7)",
  );
  await server.store.command(
    `INSERT INTO rule_state (source, partition, offset, rule, name, shape, key, value)
     SELECT 's', number % 2, number, 'one', 'seen', 'counter address u64', repeat('k', 20), repeat('v', 8) FROM numbers(10)`,
  );
  expect(await server.read("/api/v1/rules/one/cost", ruleCostSchema)).toMatchObject({
    ...{
      owner: "api token",
      state: "throttled",
      reason: "version 1: too much",
      since: rule.since,
      skipped: 7,
      state_keys: 2,
      state_bytes: 56,
    },
    versions: [{ version: 1, skipped: 7, evaluations: 0 }],
  });
  expect((await owners())[0]).toMatchObject({ rules: 2, throttled: 1, skipped: 7 });
  const released = await server.get("/api/v1/rules/one/release", { ...put(""), method: "POST" });
  expect(ruleSchema.parse(released.body())).toMatchObject({ state: "live", reason: null });
});

test("a quota that is none changes nothing", async () => {
  for (const [body, parameter] of [
    [{ max_rules: -1 }, "max_rules"],
    [{ max_rules: 1.5 }, "max_rules"],
    [{ fuel_per_second: 0 }, "fuel_per_second"],
    [{ fuel_per_second: 1e16 }, "fuel_per_second"],
    [{ fuel: 1 }, "body"],
    ["{", "body"],
    ["[]", "body"],
  ] as const)
    expect((await server.problem(OWNER, 400, put(body))).errors?.[0]?.parameter).toBe(parameter);
  await server.problem(OWNER, 415, put({}, "text/plain"));
  await server.problem(OWNER, 413, put(" ".repeat(2_000)));
  await server.problem(OWNER, 401, { ...put({}), headers: { "content-type": "application/json" } });
  await server.problem(`/api/v1/owners/${"x".repeat(257)}/quota`, 400, put({}));
  await server.problem("/api/v1/owners/a%00b/quota", 400, put({}));
  expect((await owners())[0]!.quota).toEqual({ max_rules: null, fuel_per_second: null });
});
