/** What is seen of a server that runs, after a replay and a few requests: every metric that dashboards may ask for, with what there is to count; its traces. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { openStore } from "../clickhouse/client.ts";
import { stopEmbedded } from "../clickhouse/embedded/open.ts";
import { serve } from "../engine/cli/api.ts";
import { BUNDLED_RECORDING } from "../engine/cli/bundled.ts";
import { type House, openHouse } from "../engine/cli/house.ts";
import { replayRecording } from "../engine/cli/replayRecording.ts";
import { loadConfig } from "../engine/ops/config.ts";
import { traced } from "../engine/ops/tracing.ts";
import { readLines } from "../engine/source/recording.ts";
import { until } from "./support/engineProcess.ts";

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
let collector: Receiver;
beforeAll(async () => {
  collector = await startReceiver();
  folder = await mkdtemp(join(tmpdir(), "weir-metrics-"));
  const registry = join(folder, "registry.json");
  await writeFile(registry, JSON.stringify({ chains: [{ ...CHAIN, wrapped: WETH }] }));
  const env = {
    ...{ WEIR_DATA: folder, WEIR_REGISTRY: registry, WEIR_TOKEN: TOKEN, API_PORT: "0", WEIR_THREADS: "1", LOG_LEVEL: "silent" },
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_HEADERS: "authorization=Basic%20abc%3D" },
    WEIR_NOTIFY_ALLOWED_RANGES: "127.0.0.0/8",
  }; // biome-ignore format: one line each
  house = await openHouse(loadConfig({ env }).config);
});
afterAll(async () => {
  collector?.close();
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
  await until(
    async () => (await house.health.report()).healthy, // an API node has no stream, and is ready
    () => "it is not healthy",
  );
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

interface Receiver {
  readonly url: string;
  readonly got: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string }[];
  close(): void;
}

/** Takes whatever is sent to it: spans, what a store is asked, webhooks. */
async function startReceiver(): Promise<Receiver> {
  const got: Receiver["got"] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      got.push({ path: request.url!, headers: request.headers, body });
      response.setHeader("content-type", "application/json").end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, got, close: () => server.closeAllConnections() ?? server.close() };
}

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly code: number };
  readonly facts: Readonly<Record<string, unknown>>;
}

interface Attribute {
  readonly key: string;
  /** `{"stringValue": "weir"}` */
  readonly value: Readonly<Record<string, unknown>>;
}

interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly (Omit<Span, "facts"> & { attributes: Attribute[] })[] }[];
  }[];
}

const factsOf = (attributes: readonly Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

/** OTLP as JSON. */
function spansIn(body: string): Span[] {
  return (JSON.parse(body) as Exported).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    expect(factsOf(resource.attributes)["service.name"]).toBe("weir");
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, facts: factsOf(span.attributes) })));
  });
}

test("requests, batches and rounds are spans; a trace goes through us, to the store and to webhooks", async () => {
  const api = await serve(house);
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(api.url + path, {
      ...init,
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json", ...init.headers },
    });
  const [trace, parent] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
  const listed = await ask("/api/v1/alerts?limit=1&rule=asked-for-once", {
    headers: { traceparent: `00-${trace}-${parent}-01` },
  });
  expect(listed.status).toBe(200);
  const hook = { name: "hook", kind: "webhook", settings: { url: `${collector.url}/hook`, secrets: [`whsec_${"a".repeat(32)}`] } }; // biome-ignore format: one line
  const made = await ask("/api/v1/notifications/channels", { method: "POST", body: JSON.stringify(hook) });
  expect(made.status, await made.text()).toBe(201);
  await ask("/api/v1/notifications/channels/hook/test", { method: "POST" });
  await expect.poll(() => collector.got.some(({ path }) => path === "/hook"), { timeout: 600_000 }).toBe(true);
  const server = await openStore({ url: collector.url });
  await traced("asked", {}, () => server.rows("SELECT 1"));
  await server.close();
  await api.close();
  await house.close(); // which sends what was not sent yet

  const sent = collector.got.filter(({ path }) => path === "/v1/traces");
  for (const { headers } of sent) expect(headers.authorization).toBe("Basic abc=");
  const spans = sent.flatMap(({ body }) => spansIn(body));
  const named = (name: string): Span[] => spans.filter((span) => span.name === name);
  const childrenOf = ({ spanId }: Span): Span[] => spans.filter(({ parentSpanId }) => parentSpanId === spanId);

  const request = named("GET /api/v1/alerts").find(({ traceId }) => traceId === trace)!;
  expect(request).toMatchObject({ parentSpanId: parent });
  expect(request.facts).toMatchObject({ "http.route": "/api/v1/alerts", "http.response.status_code": 200 });
  expect(childrenOf(request).length).toBeGreaterThan(0);
  for (const child of childrenOf(request)) expect(child).toMatchObject({ name: "store select", traceId: trace });

  const batches = named("batch");
  expect(batches.reduce((sum, { facts }) => sum + Number(facts["weir.records"]), 0)).toBe(LINES + 1);
  for (const batch of batches) expect(batch.parentSpanId).toBeUndefined();
  const rounds = named("round");
  expect(rounds.length).toBeGreaterThan(0);
  for (const round of rounds) expect(childrenOf(round).map(({ name }) => name)).toContain("store insert");

  const bySpan = ({ traceparent }: IncomingHttpHeaders) =>
    spans.find(({ spanId, traceId }) => traceparent === `00-${traceId}-${spanId}-01`);
  const headersOf = (path: string) => collector.got.find((each) => each.path.startsWith(path))!.headers;
  expect(bySpan(headersOf("/hook"))?.name).toBe("notification");
  expect(bySpan(headersOf("/?"))).toMatchObject({ name: "store select", parentSpanId: named("asked")[0]!.spanId });
});
