import { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { joinRows } from "../../clickhouse/tables/framedRows.ts";
import { COLUMNS } from "../../clickhouse/tables.ts";
import { CONTENT } from "../../engine/frame/content.ts";
import type { LiveRule } from "../../engine/rules/liveRule.ts";
import { packBatch } from "../../engine/source/batch.ts";
import { createProcessor } from "../../engine/worker/process.ts";
import { createWorld } from "../../engine/world/world.ts";
import { mined, sampleTransaction, tryRule } from "../../rules-as/cli/tryRule.ts";
import { startTestServer, type TestServer, TOKEN } from "../testServer.ts";
import { alertSchema } from "./alerts.ts";
import { explanationSchema } from "./explain.ts";
import { ruleCostSchema } from "./ruleCost.ts";
import { ruleTrialSchema } from "./ruleTrial.ts";

let server: TestServer;
const ETHER = 10n ** 18n;
const hash = (digit: string) => `0x${digit.repeat(64)}`;
const wei = (ether: bigint) => `0x${(ether * ETHER).toString(16)}`;
const whale = { hash: hash("a"), value: wei(150n), ...mined() };
/** The first is seen pending, then mined. */
const TRANSACTIONS = [
  { hash: hash("a"), value: wei(150n) },
  whale,
  { hash: hash("b"), value: wei(3n), nonce: "0x7" },
].map((about) => sampleTransaction(about));

beforeAll(async () => {
  server = await startTestServer();
  const auth = { authorization: `Bearer ${TOKEN}` };
  const { wasm } = await tryRule(new URL("../../rules-as/examples/whale-transfer.ts", import.meta.url));
  await server.get("/api/v1/rules/whale-transfer", {
    method: "PUT",
    body: new Uint8Array(wasm),
    headers: { ...auth, "content-type": "application/wasm" },
  });
  for (const least of [2n, 5n])
    await server.get("/api/v1/rules", {
      method: "POST",
      body: JSON.stringify({ name: "Large", conditions: { value_gte: String(least * ETHER), nonce_lt: 9 } }),
      headers: { ...auth, "content-type": "application/json" },
    });
  // At a time when version 1 of "large" was live.
  const rules = await Promise.all([server.rules.version("whale-transfer", 1), server.rules.version("large", 1)]);
  await store(rules, ["transactions", "alerts", "rule_stats"]);
});

/** What an engine does with the transactions. */
async function store(
  rules: readonly LiveRule[],
  tables: readonly ("transactions" | "alerts" | "rule_stats")[],
  world = createWorld({ chains: [1] }),
  source = "tx_raw",
) {
  const records = TRANSACTIONS.map((each, offset) => {
    return { offset, time: 0, content: CONTENT.json, value: Buffer.from(JSON.stringify(each)) };
  });
  const outcome = createProcessor(rules, world)(packBatch(source, 0, 0, 3, records));
  for (const table of tables) {
    const blocks = outcome.tables[table]!;
    const columns = COLUMNS[table].map(([name]) => name);
    const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
    await server.store.insertBlock({ table, columns, format: "Native", bodies: (await joinRows(blocks)).bodies, rows });
  }
}

afterAll(() => server?.close());

const explained = (path: string) => server.read(path, explanationSchema);

test("an alert: the version of then, what held, and what the rule says again", async () => {
  const alerts = await server.read("/api/v1/alerts", z.array(alertSchema));
  expect(alerts.length).toBe(5);
  for (const { id, rule, rule_version, severity, message, tx_hash, block_number, ...place } of alerts) {
    const { source, partition, offset, n } = place;
    expect(await explained(`/api/v1/alerts/${id}/explain`)).toMatchObject({
      ...{ rule, version: rule_version, tx_hash, sees: true, why_not: null, failure: null },
      block_number: block_number === null ? null : String(block_number),
      ...{ alerts: [{ severity, message }], correlation_id: `${source}/${partition}/${offset}/${n}` },
      condition: { holds: true },
    });
  }
  const { id } = alerts.find(({ rule, tx_hash }) => rule === "large" && tx_hash === hash("b"))!;
  expect((await explained(`/api/v1/alerts/${id}/explain`)).condition).toEqual({
    holds: true,
    and: [
      { holds: true, field: "value", operator: "gte", value: String(2n * ETHER), actual: String(3n * ETHER) },
      { holds: true, field: "nonce", operator: "lt", value: "9", actual: "7" },
    ],
  });
});

test("a rule on a transaction: why not, by the version that is asked for", async () => {
  const path = `/api/v1/rules/large/explain?tx_hash=${hash("b")}`;
  expect(await explained(`${path}&version=1`)).toMatchObject({
    version: 1,
    sees: true,
    alerts: [{ message: "Large" }],
  });
  expect(await explained(path)).toMatchObject({
    ...{ version: 2, sees: false, alerts: [], fuel: 0 },
    why_not: `value gte ${5n * ETHER}: it is ${3n * ETHER}`,
  });
});

test("a module runs in its sandbox, on the mined sighting if there is one", async () => {
  const made = await explained(`/api/v1/rules/whale-transfer/explain?tx_hash=${hash("a")}`);
  expect(made).toMatchObject({ block_number: "16", sees: true, tags: ["whale"], alerts: [{ severity: "medium" }] });
  expect(made.fuel).toBeGreaterThan(100);
});

test("what a rule has cost, by version", async () => {
  const account = await server.read("/api/v1/rules/whale-transfer/cost", ruleCostSchema);
  const { fuel } = await explained(`/api/v1/rules/whale-transfer/explain?tx_hash=${hash("a")}`);
  expect(account).toMatchObject({ rule: "whale-transfer", owner: "api token", evaluations: 2, matches: 2, traps: 0 });
  expect(account.versions).toHaveLength(1);
  expect(account.fuel).toBeGreaterThan(fuel);
  expect(account.versions[0]!.fuel_per_evaluation).toBe(account.fuel / 2);
  expect(await server.read("/api/v1/rules/large/cost", ruleCostSchema)).toMatchObject({
    ...{ evaluations: 3, fuel: 0 },
    versions: [{ version: 1, matches: 3 }],
  });
  await server.problem("/api/v1/rules/nothing/cost", 404);
});

test("a trial: which alerts the version on trial would add and drop", async () => {
  await server.problem("/api/v1/rules/large/trial", 404);
  const auth = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  const body = JSON.stringify({ name: "Large", conditions: { value_lt: String(5n * ETHER) } });
  await server.get("/api/v1/rules?state=shadow", { method: "POST", body, headers: auth });
  const trial = { rule: "large", live_version: 2, trial_version: 3 };
  const read = (query = "") => server.read(`/api/v1/rules/large/trial${query}`, ruleTrialSchema);
  expect(await read()).toEqual({ ...trial, added: 0, dropped: 0, changes: [] });

  await store(await server.rules.snapshot(server.rules.current()), ["rule_stats"]);
  const { changes, ...counts } = await read();
  expect(counts).toEqual({ ...trial, added: 1, dropped: 2 });
  const kinds = changes.map(({ change, tx_hash }) => [change, tx_hash]);
  expect(kinds.sort()).toEqual([["added", hash("b")], ["dropped", hash("a")], ["dropped", hash("a")]]); // biome-ignore format: one expression
  expect((await read("?limit=1")).changes).toHaveLength(1);
  await server.problem("/api/v1/rules/large/trial?limit=0", 400);
  await server.problem("/api/v1/rules/nothing/trial", 404);
});

test("lists are those that the batch ran with; once these are gone, as they are now, and it says which", async () => {
  const entry = Buffer.from(TRANSACTIONS[0]!.to!.slice(2), "hex");
  await server.rules.lists.put("watched", "address", entry, "me");
  for (const [name, world] of [["then", undefined], ["gone", "0123456789abcdef"]] as const) {
    const rule = JSON.stringify({ name, conditions: { to_in_list: "watched" } });
    expect(await server.rules.upload(name, Buffer.from(rule), { by: "me", kind: "json" })).toMatchObject({ ok: true });
    const then = await server.rules.worldOf(server.rules.world());
    const ran = { ...then, chains: [1], ...(world && { id: world }) };
    await store([await server.rules.version(name, 1)], ["transactions", "alerts", "rule_stats"], ran, `tx_${name}`);
  } // biome-ignore format: two rules
  await server.rules.lists.edit("watched", { added: new Uint8Array(0), removed: entry }, "me");

  const alerts = (await server.read("/api/v1/alerts", z.array(alertSchema))).filter(
    ({ rule }) => rule === "then" || rule === "gone",
  );
  expect(alerts).toHaveLength(6);
  const made = await Promise.all(alerts.map(({ id }) => explained(`/api/v1/alerts/${id}/explain`)));
  const said = made.map(({ lists_of, sees, condition }) => JSON.stringify([lists_of, sees, condition.in_list]));
  expect(said.sort()).toEqual([
    ...new Array(3).fill('["now",false,[]]'),
    ...new Array(3).fill(JSON.stringify(["then", true, [TRANSACTIONS[0]!.to]])),
  ]);
  expect((await explained(`/api/v1/rules/large/explain?tx_hash=${hash("b")}`)).lists_of).toBeNull();
});

test("404 for a rule, version, transaction or alert that is not there, 400 for what is none", async () => {
  await server.problem(`/api/v1/rules/nothing/explain?tx_hash=${hash("a")}`, 404);
  await server.problem(`/api/v1/rules/large/explain?tx_hash=${hash("a")}&version=4`, 404);
  await server.problem(`/api/v1/rules/large/explain?tx_hash=${hash("c")}`, 404);
  await server.problem(`/api/v1/rules/large/explain?tx_hash=${hash("a")}&chain_id=5`, 404);
  await server.problem(`/api/v1/alerts/${"0".repeat(32)}/explain`, 404);
  await server.problem("/api/v1/rules/large/explain", 400);
  await server.problem(`/api/v1/rules/large/explain?tx_hash=${hash("a")}&version=0`, 400);
});
