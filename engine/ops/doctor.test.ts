import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, expect, test } from "vitest";
import { loadConfig } from "./config.ts";
import { type Check, doctor, hasFailed, memory, nodeVersion } from "./doctor.ts";

const scratch = mkdtempSync("/tmp/weir-doctor-");
afterAll(() => rmSync(scratch, { recursive: true }));

const storeIsFine = async () => ({ version: "26.7", pendingMigrations: [] });

async function run(
  env: Record<string, string>,
  askStore: Parameters<typeof doctor>[0]["askStore"] = storeIsFine,
  askControl: Parameters<typeof doctor>[0]["askControl"] = async () => ({ version: "17.5", rules: 5 }),
): Promise<Check[]> {
  return doctor({
    kafkaTimeoutMs: 300,
    nodeTimeoutMs: 300,
    loaded: loadConfig({ env: { WEIR_DATA: join(scratch, "data"), RULES_DIR: scratch, API_PORT: "0", ...env } }),
    askStore,
    askControl,
  });
}
const of = (checks: readonly Check[], name: string) => checks.filter(({ check }) => check === name);

test("says what is not configured, without calling it a failure", async () => {
  const checks = await run({});
  expect(of(checks, "kafka")).toEqual([
    { check: "kafka", state: "off", detail: expect.stringContaining("KAFKA_BROKERS is not set"), next: "" },
  ]);
  expect(of(checks, "clickhouse")[0]).toMatchObject({
    state: "ok",
    detail: expect.stringMatching(/^26.7, embedded in .*data/),
  });
  expect(of(checks, "configuration")[0]?.detail).toContain("API_PORT=0 (environment API_PORT)");
  expect(of(checks, "rules")[0]).toMatchObject({
    state: "warning",
    next: expect.stringContaining("npm run rules:build"),
  });
  expect(hasFailed(checks)).toBe(false);
});

test("the control store: where, what is in it, and what to do when it is away or empty", async () => {
  const control = async (env: Record<string, string>, ask?: Parameters<typeof doctor>[0]["askControl"]) =>
    of(await run(env, storeIsFine, ask), "control")[0]!;
  expect(await control({})).toMatchObject({
    state: "ok",
    detail: expect.stringMatching(/^PostgreSQL 17.5, embedded in .*, 5 rules$/),
  });
  expect(await control({}, async () => ({ version: "15.1", rules: null }))).toMatchObject({
    state: "warning",
    next: expect.stringContaining("npx weir migrate"),
  });
  const away = await control({ DATABASE_URL: "postgresql://weir:secret@db:5432/weir" }, () =>
    Promise.reject(new Error("refused")),
  );
  expect(away).toMatchObject({ state: "failed", next: expect.stringContaining("Check DATABASE_URL") });
  expect(away.detail).toContain("db:5432/weir: refused");
  expect(away.detail).not.toContain("secret");
});

test("gives a store that cannot be reached a place, a reason without credentials and a next step", async () => {
  const checks = await run({ CLICKHOUSE_URL: "http://me:hunter2@127.0.0.1:1" }, () =>
    Promise.reject(new Error("refused by http://me:hunter2@127.0.0.1:1")),
  );
  expect(hasFailed(checks)).toBe(true);
  expect(of(checks, "clickhouse")).toEqual([
    {
      check: "clickhouse",
      state: "failed",
      detail: "http://***@127.0.0.1:1: refused by http://***@127.0.0.1:1",
      next: "Check CLICKHOUSE_URL, CLICKHOUSE_USER and CLICKHOUSE_PASSWORD",
    },
  ]);
});

test("names migrations that are missing, and how to apply them", async () => {
  const checks = await run({}, async () => ({ version: "26.7", pendingMigrations: ["0005_per_minute"] }));
  expect(of(checks, "clickhouse")[0]).toMatchObject({
    state: "warning",
    next: expect.stringContaining("weir migrate"),
  });
});

test("tells a broker that cannot be reached", async () => {
  const checks = await run({ KAFKA_BROKERS: "127.0.0.1:1" });
  const [kafka] = of(checks, "kafka");
  expect(kafka).toMatchObject({ state: "failed" });
  expect(kafka!.detail).toMatch(/^Cannot (read the topics of "127.0.0.1:1"|load the Kafka client)/);
  expect(kafka!.next).not.toBe("");
});

test("admits each rule module, and says what is wrong with one that is refused", async () => {
  const folder = join(scratch, "rules");
  mkdirSync(folder);
  writeFileSync(join(folder, "broken.wasm"), "not a module");
  const checks = of(await run({ RULES_DIR: folder }), "rules");
  expect(checks[0]?.detail).toMatch(/^0 of 1 modules/);
  expect(checks[1]).toMatchObject({
    state: "failed",
    detail: expect.stringContaining("broken.wasm"),
    next: expect.stringContaining("weir rule check"),
  });
});

test("notices that another program has the API's port", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => void other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as { port: number };
  const checks = await run({ API_PORT: String(port) });
  await new Promise((resolve) => other.close(resolve));
  expect(of(checks, "api port")[0]).toMatchObject({ state: "warning", detail: expect.stringContaining("EADDRINUSE") });
});

test.each([
  ["20.18.9", "failed"],
  ["20.19.0", "ok"],
  ["24.1.0", "ok"],
  ["18.20.0", "failed"],
])("Node %s is %s", (version, state) => {
  expect(nodeVersion(version).state).toBe(state);
});

test("memory() goes by the container's limit where there is one", () => {
  expect(memory(2 ** 29).state).toBe("warning");
  expect(memory(2 ** 29).detail).toMatch(/^0.5 GiB/);
});

test("asks each node of a chain, and says which cannot be used", async () => {
  const answers: Record<string, string> = { eth_chainId: "0x5", eth_blockNumber: "0x2a" };
  const node = createHttpServer(async (request, response) => {
    const asked = [JSON.parse(await text(request))].flat() as { id: number; method: string }[];
    const body = asked.map(({ id, method }) => ({ jsonrpc: "2.0", id, result: answers[method] }));
    response.setHeader("content-type", "application/json").end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => node.listen(0, "127.0.0.1", resolve));
  try {
    const host = `127.0.0.1:${(node.address() as AddressInfo).port}`;
    const nodes = async (urls: string) => of(await run({ WEIR_RPC_URLS: urls }), "nodes");
    expect(of(await run({}), "nodes")[0]).toMatchObject({ state: "off" });
    expect(await nodes(`5=http://${host}/secret-key`)).toMatchObject([
      { state: "ok", detail: expect.stringMatching(`^chain 5, block 42: ${host} 0 behind, \\d+ ms$`), next: "" },
    ]);
    const [warning, failed] = await nodes(`5=http://${host},5=http://127.0.0.1:1,100=http://${host}/secret-key`);
    expect(warning).toMatchObject({
      state: "warning",
      detail: expect.stringMatching(/127\.0\.0\.1:1 cannot be used: Cannot call/),
    });
    expect(failed).toMatchObject({ state: "failed", next: expect.stringContaining("Is the URL right") });
    expect(failed!.detail).toBe(`chain 100, block unknown: ${host} cannot be used: it is of chain 5`);
  } finally {
    node.closeAllConnections();
    node.close();
  }
});
