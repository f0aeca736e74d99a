/** Labels, and alerts that read with them: a rule of the SDK, through the worker into the store, and out of the API. */
import { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { joinRows } from "../../clickhouse/tables/framedRows.ts";
import { COLUMNS } from "../../clickhouse/tables.ts";
import { createWorkbench, weir } from "../../engine/cli/rule/testCommand.ts";
import { CONTENT } from "../../engine/frame/content.ts";
import { BUNDLED } from "../../engine/label/bundled.ts";
import { LABEL_LIMITS } from "../../engine/label/label.ts";
import { packBatch } from "../../engine/source/batch.ts";
import { createProcessor } from "../../engine/worker/process.ts";
import { createWorld } from "../../engine/world/world.ts";
import { mined, sampleTransaction, tryRule } from "../../rules-as/cli/tryRule.ts";
import { startTestServer, type TestServer, TOKEN } from "../testServer.ts";
import { alertSchema } from "./alerts.ts";
import { explanationSchema } from "./explain.ts";
import { labelSchema, labelsSetSchema } from "./labels.ts";

let server: TestServer;
const auth = { authorization: `Bearer ${TOKEN}` };
const bench = createWorkbench();
const address = (n: number): string => `0x${n.toString(16).padStart(40, "0")}`;
const word = (digits: string): string => `0x${digits.padStart(64, "0")}`;
const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
const ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d";
const TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const transfer = (token: string, to: string, value: bigint, logIndex: string) => ({
  ...{ address: token, logIndex, data: word(value.toString(16)) },
  topics: [TRANSFER, word("1"), word(to.slice(2))],
});

beforeAll(async () => {
  server = await startTestServer();
  const { wasm } = await tryRule(new URL("../../rules-as/test/guests/labels.ts", import.meta.url));
  const headers = { ...auth, "content-type": "application/wasm" };
  await server.get("/api/v1/rules/labels", { method: "PUT", body: new Uint8Array(wasm), headers });
  const logs = [transfer(USDC, ROUTER, 40_120_500_000n, "0x0"), transfer(address(7), address(8), 12n, "0x1")];
  const value = Buffer.from(JSON.stringify(sampleTransaction(mined({ logs }))));
  const rules = [await server.rules.version("labels", 1)];
  const batch = packBatch("tx_raw", 0, 0, 1, [{ offset: 0, time: 0, content: CONTENT.json, value }]);
  const outcome = createProcessor(rules, createWorld({ chains: [1] }))(batch);
  for (const table of ["transactions", "alerts"] as const) {
    const blocks = outcome.tables[table]!;
    const columns = COLUMNS[table].map(([name]) => name);
    const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
    await server.store.insertBlock({ table, columns, format: "Native", bodies: (await joinRows(blocks)).bodies, rows });
  }
});
afterAll(async () => {
  bench.remove();
  await server?.close();
});

const send = (method: string, body: unknown, type = "application/json"): RequestInit => ({
  ...{ method, headers: { ...auth, "content-type": type } },
  ...(method === "DELETE" ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
});
const at = (of: string): string => `/api/v1/labels/1/${of}`;
const messages = async (): Promise<string[]> =>
  (await server.read("/api/v1/alerts", z.array(alertSchema))).map(({ message }) => message).sort();
const RAW = [`{12 of ${address(7)}} to {${address(8)}}`, `{40120500000 of ${USDC}} to {${ROUTER}}`];

test("alerts read with the labels of the moment, and are stored with what is exact", async () => {
  expect(await messages()).toEqual(["12 of 0x0000…0007 to 0x0000…0008", "40,120.5 USDC to Uniswap V2: Router"]);
  for (const [of, body] of [
    [address(7), { name: "Seven", symbol: "SVN", decimals: 1 }],
    [address(8), { name: "Treasury" }],
    [ROUTER, { name: "our router" }],
  ] as const)
    expect((await server.get(at(of), send("PUT", body))).status).toBe(200);
  expect(await messages()).toEqual(["1.2 SVN to Treasury", "40,120.5 USDC to our router"]);
  const stored = await server.read("/api/v1/alerts", z.array(alertSchema));
  expect(stored.map(({ message_raw }) => message_raw).sort()).toEqual(RAW);
  const { alerts } = await server.read(`/api/v1/alerts/${stored[0]!.id}/explain`, explanationSchema);
  expect(alerts.map(({ message }) => message).sort()).toEqual(await messages());

  expect((await server.get(at(ROUTER), send("DELETE", ""))).status).toBe(200);
  expect(await messages()).toEqual(["1.2 SVN to Treasury", "40,120.5 USDC to Uniswap V2: Router"]);
  await server.problem(at(ROUTER), 404, send("DELETE", ""));
  expect(await server.read(at(ROUTER), labelSchema)).toMatchObject({ source: "bundled", owner: null });
  const audit = (await server.get(`${at(ROUTER)}/audit`)).body();
  expect(audit).toMatchObject([
    { action: "remove", before: { name: "our router" }, after: null },
    { action: "set", before: null, after: { name: "our router" } },
  ]);
});

test("many at once, all or none; found by chain and text, page by page", async () => {
  const csv = `chain_id,address,name,symbol,decimals\n${[5, 6, 7].map((n) => `99,${address(n)},N${n}_x,,`).join("\n")}`;
  const made = await server.get("/api/v1/labels", send("POST", csv, "text/csv"));
  expect(labelsSetSchema.parse(made.body())).toEqual({ added: 3, changed: 0 });
  const again = [
    { chain_id: 99, address: address(5), name: "N5_y" },
    { chain_id: 99, address: address(4), name: "N4_x" },
  ];
  expect((await server.get("/api/v1/labels", send("POST", again))).body()).toEqual({ added: 1, changed: 1 });
  const { errors } = await server.problem("/api/v1/labels", 400, send("POST", `${csv}\n99,0x1,A,,`, "text/csv"));
  expect(errors).toEqual([
    { parameter: "line 5", detail: "address: Expected an address: 0x and 40 hexadecimal digits" },
  ]);

  const names = async (query: string): Promise<string[]> =>
    (await server.read(`/api/v1/labels?${query}`, z.array(labelSchema))).map(({ name }) => name);
  expect(await names("chain_id=99")).toEqual(["N4_x", "N5_y", "N6_x", "N7_x"]);
  expect(await names("q=_X")).toEqual(["N4_x", "N6_x", "N7_x"]); // an underscore is an underscore
  expect(await names("q=usdc&chainId=1")).toEqual(expect.arrayContaining(["USDC", "Uniswap V2: USDC/WETH"]));
  const all = await names("limit=1000");
  expect(all.slice(0, BUNDLED.length)).toEqual(BUNDLED.map(({ name }) => name));
  const pages = [];
  for (let offset = 0; offset < all.length; offset += 7) pages.push(...(await names(`limit=7&offset=${offset}`)));
  expect(pages).toEqual(all);
});

test("what is no label is refused with what was expected", async () => {
  await server.problem(at(address(1)), 401, {
    ...send("PUT", { name: "A" }),
    headers: { "content-type": "application/json" },
  });
  await server.problem(at(address(1)), 415, send("PUT", { name: "A" }, "text/plain"));
  await server.problem(at(address(1)), 413, send("PUT", { name: "A".repeat(5_000) }));
  await server.problem("/api/v1/labels", 413, send("POST", "A".repeat(LABEL_LIMITS.importBytes + 1), "text/csv"));
  for (const [path, body, detail] of [
    [at("0x12"), { name: "A" }, "Invalid address: Expected an address"],
    ["/api/v1/labels/x/" + address(1), { name: "A" }, "Invalid chain_id"],
    [at(address(1)), {}, "Invalid name"],
    [at(address(1)), "{", "Invalid body"],
    [at(address(1)), { name: "A".repeat(65) }, "Invalid name: Expected at most 64 characters"],
    [at(address(1)), { name: "{x}" }, "Expected text without { }"],
    [at(address(1)), { name: "a\u202eb" }, "Expected text without { } and control characters"],
    [at(address(1)), { name: "A", symbol: "A" }, "Invalid decimals: Expected symbol and decimals, or neither"],
    [at(address(1)), { name: "A", colour: "red" }, "Invalid body"],
  ] as const)
    expect((await server.problem(path, 400, send("PUT", body))).detail).toContain(detail);
  await server.problem(at(address(1)), 404);
});

test("weir label: set, list, import, remove", async () => {
  const env = { WEIR_TOKEN: TOKEN };
  const label = (...args: string[]) => weir(["label", ...args, "--api", server.url], { env, cwd: bench.folder });
  const set = await label("set", address(21), "Cold wallet", "--chain", "77", "--symbol", "CLD", "--decimals", "2");
  expect(set.lines()[0]).toMatchObject({
    chain_id: 77,
    name: "Cold wallet",
    symbol: "CLD",
    decimals: 2,
    source: "user",
  });
  bench.write("more.csv", `address,name,chain_id\n${address(22)},Other,77\n`);
  expect((await label("import", "more.csv")).lines()).toEqual([{ added: 1, changed: 0 }]);
  expect((await label("list", "--chain", "77")).lines().map(({ name }) => name)).toEqual(["Cold wallet", "Other"]);
  expect((await label("remove", address(22), "--chain", "77")).lines()[0]).toMatchObject({ name: "Other" });
  const missing = await label("remove", address(22), "--chain", "77");
  expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining("No user has labelled this address") });
  expect(await label("import", "none.csv")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Cannot read "none.csv"'),
  });
  expect(await label("set", address(1), "A", "--chain", "x")).toMatchObject({ code: 2 });
});

test("without the control store alerts read with bundled labels, and changes are refused", async () => {
  await server.loseControl();
  const bundled = ["12 of 0x0000…0007 to 0x0000…0008", "40,120.5 USDC to Uniswap V2: Router"];
  await vi.waitFor(async () => expect(await messages()).toEqual(bundled), { timeout: 600_000, interval: 500 }); // what was read last shows for 5 s
  expect(server.log()).toContain("labels_unreadable");
  await server.problem(at(address(1)), 503, send("PUT", { name: "A" }));
});
