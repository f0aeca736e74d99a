/** Metrics of a server that runs, after a replay and a few requests: every name that dashboards may ask for, with what there is to count. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { stopEmbedded } from "../clickhouse/embedded/open.ts";
import { serve } from "../engine/cli/api.ts";
import { BUNDLED_RECORDING } from "../engine/cli/bundled.ts";
import { type House, openHouse } from "../engine/cli/house.ts";
import { replayRecording } from "../engine/cli/replayRecording.ts";
import { loadConfig } from "../engine/ops/config.ts";
import { readLines } from "../engine/source/recording.ts";

/** What seeds 002 and 003 name, but for go_memstats_alloc_bytes: there is no runtime of Go here. */
const NAMES = {
  gauge: [
    ...["chain_blocks_behind", "db_connection_pool_size", "db_connection_pool_free", "websocket_connections_active"],
    ...["active_arbitrageurs", "small_opportunities_percentage", "arbitrage_transactions_rate"],
    ...["kafka_producer_record_send_rate", "process_resident_memory_bytes"],
  ],
  counter: [
    ...["chain_rpc_errors_total", "opportunities_detected_total", "transactions_detected_total", "db_errors_total"],
    ...["api_requests_total", "api_errors_total", "websocket_messages_sent_total", "total_profit_detected_usd"],
    ...["arbitrage_transactions_total", "arbitrage_profit_total_sol", "process_cpu_seconds_total"],
  ],
  histogram: [
    ...["chain_rpc_latency_seconds", "detection_latency_seconds", "db_query_latency_seconds"],
    ...["api_request_latency_seconds", "api_request_duration_seconds", "database_query_duration_seconds"],
  ],
};
const LINES = 1_500;
const TOKEN = "a-token-for-this-test";
/** The recording's chain has a coin and a price here, so that profits have a value. */
const CHAIN = { id: 31337, name: "Local", nativeToken: "SOL", nativeUsd: 100 };
const WETH = "0x5fbdb2315678afecb367f032d93f642f64180aa3";

let folder: string;
let house: House;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-metrics-"));
  const registry = join(folder, "registry.json");
  await writeFile(registry, JSON.stringify({ chains: [{ ...CHAIN, wrapped: WETH }] }));
  const env = { WEIR_DATA: folder, WEIR_REGISTRY: registry, WEIR_TOKEN: TOKEN, API_PORT: "0", WEIR_THREADS: "1", LOG_LEVEL: "silent" }; // biome-ignore format: one line
  house = await openHouse(loadConfig({ env }).config);
});
afterAll(async () => {
  await house?.close();
  await stopEmbedded(join(folder, "clickhouse"));
  await rm(folder, { recursive: true, force: true });
});

/** Values by name and labels, as in the text; types by name. */
function parse(text: string) {
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]));
  const values = new Map(
    [...text.matchAll(/^([a-z]\S+) (\S+)$/gm)].map(([, series, value]) => [series!, Number(value)]),
  );
  return { types, values };
}

test("after a replay and some requests each metric is there, with the values that counts give", async () => {
  expect(await house.health.report()).toMatchObject({ healthy: true }); // an API node has no stream, and is ready
  const lines: Buffer[] = [];
  for await (const line of readLines(BUNDLED_RECORDING)) {
    lines.push(line);
    if (lines.length === LINES) break;
  }
  const path = join(folder, "some.ndjson");
  await writeFile(path, Buffer.concat([...lines.flatMap((line) => [line, Buffer.from("\n")]), Buffer.from("{]\n")]));
  const { summary } = await replayRecording({ house, path, again: false, signal: new AbortController().signal });
  expect(summary).toMatchObject({ dead_letters: 1 });

  const api = await serve(house);
  const get = (path: string) => fetch(api.url + path, { headers: { authorization: `Bearer ${TOKEN}` } });
  for (const path of ["/api/v1/alerts", "/api/v1/alerts", "/api/v1/alerts?limit=x", "/nowhere"]) await get(path);
  await expect(house.store.rows("SELECT nonsense")).rejects.toThrow("nonsense");
  const socket = new WebSocket(`${api.url.replace("http", "ws")}/ws/v1/stream`, { headers: { authorization: `Bearer ${TOKEN}` } }); // biome-ignore format: one line
  await new Promise((resolve, reject) => socket.once("message", resolve).once("error", reject)); // connected
  const { types, values } = parse(await (await get("/metrics")).text());
  socket.close();
  await api.close();

  for (const [type, names] of Object.entries(NAMES)) for (const name of names) expect(types.get(name), name).toBe(type);
  const [counted] = await house.store.rows<Record<string, number>>(
    `SELECT count() AS arbitrages, uniqExact(tx_hash) AS transactions, uniqExact(tx_from) AS senders, countIf(net_usd > 0) AS paid,
      toFloat64(sum(greatest(ifNull(net_usd, 0), 0))) AS usd, sum(greatest(toFloat64(ifNull(net_profit, 0)), 0)) / 1e9 AS sol
    FROM arbitrages WHERE definition = 'cycle'`,
    {},
    { output_format_json_quote_64bit_integers: 0 },
  );
  const { transactions, senders, usd, sol, paid } = counted!;
  expect(transactions).toBeGreaterThan(10);
  expect(paid).toBeGreaterThan(5);
  const of = (name: string, labels = ""): number | undefined => values.get(name + labels);
  const ofChain = (name: string): number | undefined => of(name, '{chain="Local"}');

  expect(sumOf(values, "weir_transactions_total")).toBe(summary.transactions);
  expect(of("weir_dead_letters_total", '{reason="not_json"}')).toBe(1);
  for (const [rule, alerts] of Object.entries(summary.alerts))
    expect(of("weir_alerts_total", `{rule="${rule}"}`), rule).toBe(alerts);
  expect(ofChain("transactions_detected_total")).toBe(transactions);
  expect(ofChain("arbitrage_transactions_total")).toBe(transactions);
  expect(of("arbitrage_transactions_rate")).toBeGreaterThan(0);
  expect(ofChain("total_profit_detected_usd")).toBeCloseTo(usd!, 3);
  expect(of("arbitrage_profit_total_sol")! / sol!).toBeCloseTo(1, 9);
  expect(ofChain("active_arbitrageurs")).toBe(senders);
  expect(of("detection_latency_seconds_count", '{chain="Local",type="transaction"}')).toBeGreaterThan(0);

  for (const name of ["api_request_latency_seconds", "api_request_duration_seconds"])
    expect(of(`${name}_count`, '{endpoint="/api/v1/alerts",method="GET"}')).toBe(3);
  expect(of("api_requests_total", '{endpoint="/api/v1/alerts",method="GET",status="200"}')).toBe(2);
  expect(of("api_requests_total", '{endpoint="/api/v1/alerts",method="GET",status="400"}')).toBe(1);
  expect(of("api_errors_total", '{endpoint="unmatched",error_type="client"}')).toBe(1);
  expect(of("websocket_connections_active")).toBe(1);
  expect(of("websocket_messages_sent_total", '{type="connected"}')).toBe(1);

  for (const name of ["db_query_latency_seconds", "database_query_duration_seconds"])
    for (const operation of ["select", "insert", "command", "control_read", "control_change"])
      expect(of(`${name}_count`, `{operation="${operation}"}`), `${name} ${operation}`).toBeGreaterThan(0);
  expect(of("db_errors_total", '{operation="select",error_type="StoreRefused"}')).toBe(1);
  expect(of("db_connection_pool_size")).toBeGreaterThan(0);
  expect(of("db_connection_pool_free")).toBeLessThanOrEqual(of("db_connection_pool_size")!);
  expect(of("kafka_producer_record_send_rate")).toBe(0); // a recording has no topics
  expect(of("weir_rules", '{state="live"}')).toBe(house.catalogue.list().length);
  expect(of("weir_component_up", '{component="store"}')).toBe(1);
});

const sumOf = (values: ReadonlyMap<string, number>, name: string): number =>
  [...values].reduce((sum, [series, value]) => (series.startsWith(`${name}{`) ? sum + value : sum), 0);
