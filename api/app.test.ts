import { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtInRegistry } from "../engine/chain/registry/registry.ts";
import { testModule } from "../engine/sandbox/testModule.ts";
import { buildRule } from "../rules-as/cli/build.ts";
import { ALIASES, canonicalPath } from "./aliases.ts";
import { healthSchema, readySchema } from "./routes/operations.ts";
import { MAX_MODULE_BYTES, ruleAuditSchema, ruleSchema, ruleVersionSchema } from "./routes/rules.ts";
import { rawAnswer, rawRequest, startTestServer, type TestServer, TOKEN } from "./testServer.ts";

let server: TestServer;
let whale: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  server = await startTestServer();
  const { wasm, diagnostics } = await buildRule(
    new URL("../rules-as/examples/whale-transfer.ts", import.meta.url).pathname,
  );
  expect(diagnostics).toEqual([]);
  whale = new Uint8Array(wasm!);
});
afterAll(() => server?.close());

const NAME = "whale-transfer";
const put = (body: NonNullable<RequestInit["body"]>, headers: Record<string, string> = {}): RequestInit => ({
  method: "PUT",
  body,
  headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/wasm", ...headers },
  ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
});
const post = (headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }): RequestInit => ({
  method: "POST",
  headers,
});

describe("rules", () => {
  test("are uploaded, listed, switched off and on again, with their counts", async () => {
    expect(await server.read("/api/v1/rules", z.array(ruleSchema))).toEqual([]);
    await server.problem(`/api/v1/rules/${NAME}`, 404);

    const created = await server.get(`/api/v1/rules/${NAME}`, put(whale));
    expect(created.status, created.text).toBe(201);
    const rule = ruleSchema.parse(created.body());
    expect(rule).toMatchObject({
      name: NAME,
      version: 1,
      state: "live",
      size: whale.length,
      counts: null,
      manifest: { name: NAME },
    });
    expect((await server.get(`/api/v1/rules/${NAME}`, put(whale))).status).toBe(200);

    await server.store.command(`
      INSERT INTO rule_stats (source, rule, rule_version, evaluations, matches, traps, fuel)
      SELECT 's', '${NAME}', number, 10, 2, 1, 1000 FROM numbers(3)`);
    const counts = { evaluations: 10, matches: 2, traps: 1, fuel: 1000, skipped: 0 };
    expect(await server.read("/api/v1/rules", z.array(ruleSchema))).toEqual([{ ...rule, counts }]);

    for (const [action, state] of [["disable", "disabled"], ["disable", "disabled"], ["enable", "live"]] as const) {
      const changed = await server.get(`/api/v1/rules/${NAME}/${action}`, post());
      expect([changed.status, ruleSchema.parse(changed.body()).state], changed.text).toEqual([200, state]);
      expect((await server.read(`/api/v1/rules/${NAME}`, ruleSchema)).state).toBe(state);
    } // biome-ignore format: three pairs
    expect(server.log()).toContain('"event":"rule_state_changed"');
  });

  test("live their life by one call each: on trial, promoted, rolled back, released; who did what is kept", async () => {
    const name = "life";
    const path = `/api/v1/rules/${name}`;
    const module = (description: string) =>
      new Uint8Array(testModule({ manifest: JSON.stringify({ name, description }) }));
    const call = async (to: string, init: RequestInit) => {
      const { status, body, text } = await server.get(`${path}${to}`, init);
      expect([200, 201], text).toContain(status);
      const { state, version, live_version, shadow_version } = ruleSchema.parse(body());
      return [state, version, live_version, shadow_version];
    };
    expect(await call("?state=draft", put(module("one")))).toEqual(["draft", 1, null, null]);
    expect(await call("/enable", post())).toEqual(["live", 1, 1, null]);
    expect(await call("?state=shadow", put(module("two")))).toEqual(["live", 1, 1, 2]);
    const versions = await server.read(`${path}/versions`, z.array(ruleVersionSchema));
    expect(versions.map(({ version, runs }) => [version, runs])).toEqual([[2, "shadow"], [1, "live"]]); // biome-ignore format: a row
    expect(await call("/promote", post())).toEqual(["live", 2, 2, null]);
    expect(await call("/rollback?version=1", post())).toEqual(["live", 1, 1, null]);
    await server.rules.change(name, "quarantine", { by: "engine", reason: "7 of 10 failed" });
    expect((await server.read(path, ruleSchema)).reason).toBe("7 of 10 failed");
    const names = async (state: string) =>
      (await server.read(`/api/v1/rules?state=${state}`, z.array(ruleSchema))).map((rule) => rule.name);
    expect([await names("quarantined"), (await names("live")).includes(name)]).toEqual([[name], false]);
    expect(await call("/release", post())).toEqual(["live", 1, 1, null]);
    const log = await server.read(`${path}/audit`, z.array(ruleAuditSchema));
    expect(log.map(({ who, action }) => `${who} ${action}`)).toEqual([
      "api token release", "engine quarantine", "api token rollback", "api token promote",
      "api token upload", "api token enable", "api token upload",
    ]); // biome-ignore format: two rows
    expect(await server.read(`${path}/audit?limit=1`, z.array(ruleAuditSchema))).toEqual(log.slice(0, 1));
    await server.get(`${path}/disable`, post());
  });

  test("409 with the remedy for what a rule's state, or the number of rules, does not allow; 400 for wrong parameters", async () => {
    const conflict = async (to: string) => (await server.problem(`/api/v1/rules/${NAME}${to}`, 409, post())).detail;
    expect(await conflict("/release")).toBe(
      `Cannot release the rule "${NAME}": it is live, expected quarantined or throttled. Only what is quarantined or throttled is released; enable what is disabled`,
    );
    expect(await conflict("/promote")).toContain("no version of it is on trial");
    expect(await conflict("/rollback?version=7")).toContain("there is no version 7, expected 1 to 1");
    await server.problem(`/api/v1/rules/${NAME}/rollback`, 400, post());
    await server.problem(`/api/v1/rules/${NAME}?state=gone`, 400, put(whale));
    await server.problem("/api/v1/rules?state=gone", 400);
    await server.problem("/api/v1/rules/none/versions", 404);
    await server.problem("/api/v1/rules/none/audit", 404);
    const many = Array.from({ length: 10 }, (_, i) => `rule-${i}`);
    const answers = await Promise.all(
      many.map((name) =>
        server.get(`/api/v1/rules/${name}`, put(new Uint8Array(testModule({ manifest: JSON.stringify({ name }) })))),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(9);
    const refused = answers.find(({ status }) => status !== 201)!;
    expect([refused.status, refused.text]).toEqual([409, expect.stringContaining("MAX_CONCURRENT_RULES=10")]);
  });

  test("that are refused come back with each finding", async () => {
    const { findings, detail } = await server.problem(`/api/v1/rules/${NAME}`, 422, put("not a module"));
    expect(findings?.[0]?.code).toBe("malformed");
    expect(detail).toMatch(/^Cannot admit the module: /);
    const other = await server.problem("/api/v1/rules/another-name", 422, put(whale));
    expect(other.detail).toContain(NAME);
    await server.problem("/api/v1/rules/another-name", 404);
    await server.problem(`/api/v1/rules/${NAME}`, 422, put(""));
  });

  test("413 beyond 1 MiB, whether the length is announced or not; 415 for what is not WebAssembly", async () => {
    const large = new Uint8Array(MAX_MODULE_BYTES + 1);
    await server.problem(`/api/v1/rules/${NAME}`, 413, put(large));
    const chunks = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < large.length; at += 65_536) controller.enqueue(large.subarray(at, at + 65_536));
        controller.close();
      },
    });
    await server.problem(`/api/v1/rules/${NAME}`, 413, put(chunks));
    await server.problem(`/api/v1/rules/${NAME}`, 422, put(new Uint8Array(MAX_MODULE_BYTES)));
    await server.problem(`/api/v1/rules/${NAME}`, 415, put(whale, { "content-type": "application/json" }));
  });

  test("names are checked, and so is that there is such a rule", async () => {
    for (const name of ["Whale", "a b", "a".repeat(65), "..%2f..%2fetc", "-x"])
      await server.problem(`/api/v1/rules/${name}`, 400);
    for (const name of ["none", "to-string"]) await server.problem(`/api/v1/rules/${name}`, 404);
    await server.problem("/api/v1/rules/none/enable", 404, post());
  });

  test.each([
    ["without a token", {}],
    ["with a wrong one", { authorization: "Bearer something else" }],
    ["with a beginning of it", { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ["with an empty one", { authorization: "Bearer " }],
    ["as Basic", { authorization: `Basic ${TOKEN}` }],
  ])("cannot be changed %s", async (_, headers: Record<string, string>) => {
    for (const [path, init] of [
      [`/api/v1/rules/${NAME}`, { ...put(whale), headers: { "content-type": "application/wasm", ...headers } }],
      [`/api/v1/rules/${NAME}/disable`, post(headers)],
      ["/api/v1/rules/none/enable", post(headers)],
    ] as const) {
      const { detail } = await server.problem(path, 401, init);
      expect(detail).toMatch(
        headers.authorization ? /^Invalid API key or token/ : /^Missing API key\. Provide X-API-Key/,
      );
    }
    expect((await server.read(`/api/v1/rules/${NAME}`, ruleSchema)).state).toBe("live");
  });
});

describe("only programs on this machine are answered", () => {
  test.each(["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8000"])(
    "for host %s",
    async (host) => {
      expect((await rawRequest(server.url, { headers: { host } })).status).toBe(200);
    },
  );

  test.each(["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0", "127.0.0.2", "[::]"])(
    "not for host %j",
    async (host) => {
      for (const path of ["/health", "/metrics", "/api/v1/transactions", "/api/v1/rules", "/nothing"])
        expect((await rawRequest(server.url, { path, headers: { host } })).status, path).toBe(403);
    },
  );

  test.each([
    "GET /health HTTP/1.0\r\n\r\n",
    "GET /health HTTP/1.1\r\nConnection: close\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: localhost:80@evil\r\nConnection: close\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: localhost, evil\r\nConnection: close\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: evil\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "GET http://localhost/health HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n",
  ])("nor for %j", async (text) => {
    expect(await rawAnswer(server.url, text)).toMatch(/^HTTP\/1\.1 40[03] /);
  });

  test("nor for a peer from elsewhere", async () => {
    const incoming = (remoteAddress: string) => ({
      incoming: { headers: { host: "localhost" }, socket: { remoteAddress, remotePort: 1, remoteFamily: "IPv4" } },
    });
    const ask = async (address: string) => (await server.app.request("/health", {}, incoming(address))).status;
    expect(await Promise.all(["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"].map(ask))).toEqual([
      200, 200, 200, 200,
    ]);
    expect(
      await Promise.all(["10.0.0.1", "172.17.0.1", "::ffff:10.0.0.1", "fe80::1", "1.127.0.0", ""].map(ask)),
    ).toEqual([403, 403, 403, 403, 403, 403]);
  });

  test("no page of another origin may read an answer", async () => {
    const { headers } = await server.get("/health", { headers: { origin: "https://evil.example" } });
    expect(headers.get("access-control-allow-origin")).toBeNull();
    expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });
});

describe("what is not there", () => {
  test("404, as a problem", async () => {
    const { detail, instance } = await server.problem("/api/v2/x%3Cscript%3E", 404);
    expect([detail, instance]).toEqual([
      "There is nothing at /api/v2/x%3Cscript%3E; see /docs",
      "/api/v2/x%3Cscript%3E",
    ]);
  });

  test("405 says what could be asked", async () => {
    const { headers } = await server.get("/api/v1/transactions", { method: "DELETE" });
    expect(headers.get("allow")).toBe("GET, HEAD");
    await server.problem("/api/v1/transactions", 405, { method: "POST", body: "{}" });
    await server.problem("/health", 405, { method: "OPTIONS" });
    expect((await server.get(`/api/v1/rules/${NAME}/enable`)).headers.get("allow")).toBe("POST");
    expect((await server.get("/health", { method: "HEAD" })).status).toBe(200);
  });
});

/** What does not answer in JSON. */
const OTHER_TYPES: Readonly<Record<string, string>> = {
  "/metrics": "text/plain",
  "/sse/stream": "text/event-stream",
  "/api/v1/exports/{id}/files/{number}": "application/octet-stream",
  "/export/{id}/files/{number}": "application/octet-stream",
};

const isAlias = (route: string): boolean => canonicalPath(route.split(" ")[1]!) !== route.split(" ")[1];

describe("the docs", () => {
  test("openapi.json describes every route, each parameter and each answer that there is", async () => {
    const document = (await server.get("/openapi.json")).body() as typeof server.document;
    expect(document.openapi).toBe("3.1.0");
    const documented = Object.entries(document.paths!).flatMap(([path, item]) =>
      Object.keys(item!).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = server.app.routes
      .filter(({ method, path }) => method !== "ALL" && !["/", "/docs", "/graphiql", "/openapi.json"].includes(path))
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
    expect(documented.filter((route) => !isAlias(route)).sort()).toEqual([...new Set(served)].sort());
    for (const [name, target] of Object.entries(ALIASES).filter(([, target]) => target !== "/docs"))
      expect(documented.filter((route) => route.includes(` ${name}`)).length, name).toBe(
        served.filter((route, at) => served.indexOf(route) === at && route.includes(` ${target}`)).length,
      );
    for (const [path, item] of Object.entries(document.paths!))
      for (const operation of Object.values(item!)) {
        const { summary, responses, parameters = [], tags } = operation as NonNullable<typeof item>["get"] & object;
        expect([path, summary?.length, tags?.length]).toEqual([path, expect.any(Number), 1]);
        const pathNames = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        expect(
          parameters
            .filter((each) => (each as { in: string }).in === "path")
            .map((each) => (each as { name: string }).name),
        ).toEqual(pathNames);
        for (const [status, response] of Object.entries(responses!)) {
          expect(status).toMatch(/^[2-5]\d\d$/);
          expect((response as { description: string }).description.length).toBeGreaterThan(2);
          const [type] = Object.keys((response as { content: object }).content);
          expect(type).toBe(Number(status) < 400 || /health|ready/.test(path) && status === "503" ? (OTHER_TYPES[path] ?? "application/json") : "application/problem+json"); // biome-ignore format: one decision
        }
      }
    // every reference leads somewhere
    for (const [, name] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(document.components?.schemas).toHaveProperty(name!);
  });

  test("/docs is one page without anything from elsewhere, and / leads to it", async () => {
    const { text, headers } = await server.get("/docs");
    expect(headers.get("content-type")).toMatch(/^text\/html/);
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    for (const path of Object.keys(server.document.paths!)) expect(text).toContain(path);
    expect(text).not.toMatch(/<script|<link|https?:\/\/|undefined|\[object/);
    expect((await server.get("/")).headers.get("location")).toBe("/docs");
  });
});

test("a request keeps the name its client gave it, or gets one; the answer and the log have it", async () => {
  const asked = async (id?: string, path = "/health"): Promise<string> =>
    (await server.get(path, id === undefined ? {} : { headers: { "x-request-id": id } })).headers.get("x-request-id")!;
  expect(await asked("trace-7:a.b=1")).toBe("trace-7:a.b=1");
  const [one, other] = [await asked(), await asked("two words\t", "/nowhere")];
  for (const made of [one, other, await asked("x".repeat(129))]) expect(made).toMatch(/^[0-9a-f-]{36}$/);
  expect(one).not.toBe(other);
});

test("/metrics counts by route, not by path", async () => {
  await server.get(`/api/v1/alerts/${"0".repeat(32)}`);
  await server.get("/no/such/path/12345");
  const { text, headers } = await server.get("/metrics");
  expect(headers.get("content-type")).toMatch(/^text\/plain/);
  expect(text).toContain('api_requests_total{endpoint="/api/v1/alerts/:id",method="GET",status="404"} 1');
  expect(text).toContain('api_errors_total{endpoint="/api/v1/alerts/:id",error_type="client"} 1');
  expect(text).toMatch(/api_requests_total\{endpoint="unmatched",method="GET",status="404"\} \d/);
  expect(text).toMatch(/api_request_latency_seconds_count\{endpoint="\/api\/v1\/rules",method="GET"\} \d/);
  expect(text).not.toContain("12345");
});

describe("health", () => {
  test("is what both earlier systems gave, and which part is down", async () => {
    const part = server.health.register({ name: "kafka", state: { up: false, reason: "no broker" } });
    server.metrics.transactions.inc({ source: "s" }, 500);
    for (const path of ["/health", "/api/v1/health"]) {
      const body = await server.read(path, healthSchema);
      expect(body.database_pool_size).toBeGreaterThan(0);
      expect(body.database_pool_free).toBeLessThanOrEqual(body.database_pool_size);
      expect(body).toMatchObject({
        status: "degraded", database: "connected", version: "1.2.3",
        services: { clickhouse: "up", kafka: "down", redis: "not configured", api: "up" },
        components: { kafka: { up: false, required: true, reason: "no broker" } },
      }); // biome-ignore format: a row
      expect(body.metrics.transactions_per_second).toBeGreaterThan(0);
      expect(body.metrics.avg_latency_ms).toBeGreaterThan(0);
      expect(body.metrics.error_rate).toBe(0);
    }
    const { status, body } = await server.get("/ready");
    expect([status, readySchema.parse(body())]).toEqual([503, { ready: false, reasons: ["kafka: no broker"] }]);
    part.set({ up: true });
    expect(await server.read("/ready", readySchema)).toEqual({ ready: true, reasons: [] });
    expect((await server.read("/health", healthSchema)).status).toBe("healthy");
    part.remove();
  });

  test("without a database is 503 with the words that clients know, and recovers by itself", async () => {
    const broken = await startTestServer({ token: null });
    const { rows } = broken.store;
    try {
      await broken.problem("/api/v1/rules/a/enable", 401, { method: "POST" });

      const store = broken.store as { rows: typeof rows };
      const { StoreUnavailable, StoreRefused } = await import("../clickhouse/storeErrors.ts");
      const failWith = (error: Error) => (store.rows = () => Promise.reject(error));
      failWith(
        new StoreUnavailable("Cannot read from the store: connect ECONNREFUSED http://me:hunter2@10.0.0.1", {
          type: "ECONNREFUSED",
        }),
      );
      const { status, body } = await broken.get("/health");
      expect([status, body()]).toMatchObject([
        503,
        { status: "unhealthy", database: "disconnected", detail: "Database not connected" },
      ]);
      expect((await broken.get("/ready")).status).toBe(503);
      expect((await broken.problem("/api/v1/transactions", 503)).detail).toBe("Database not connected");
      failWith(new StoreUnavailable("too long", { code: 159, type: "TIMEOUT_EXCEEDED" }));
      expect((await broken.problem("/api/v1/transactions", 504)).detail).toContain("narrow it");
      failWith(new StoreRefused("no such column secret_name", { code: 47, type: "UNKNOWN_IDENTIFIER" }));
      expect((await broken.problem("/api/v1/alerts", 500)).detail).toBe("Failed to query database");
      failWith(new TypeError("x is undefined"));
      expect((await broken.problem("/api/v1/stats", 500)).detail).toBe("An error on our side; the log has the details");
      expect(broken.log()).toMatch(/"event":"api_error".*x is undefined/);
      expect(broken.log()).not.toContain("hunter2");

      store.rows = rows;
      expect((await broken.get("/ready")).status).toBe(200);
      expect((await broken.get("/api/v1/transactions")).status).toBe(200);
    } finally {
      broken.store.rows = rows;
      await broken.close();
    }
  });
});

test("without the control store: the rules are shown as they are known, and changes are 503", async () => {
  const cut = await startTestServer();
  try {
    await cut.get(`/api/v1/rules/${NAME}`, put(whale));
    await cut.loseControl();
    expect((await cut.read("/api/v1/rules", z.array(ruleSchema))).map(({ name }) => name)).toEqual([NAME]);
    for (const [path, init] of [["", put(whale)], ["/disable", post()], ["/versions", {}], ["/audit", {}]] as const) {
      const { detail } = await cut.problem(`/api/v1/rules/${NAME}${path}`, 503, init);
      expect(detail).toMatch(/^Control store not connected: the rules go on as they are/);
    } // biome-ignore format: four pairs
  } finally {
    await cut.close();
  }
});

test("a port that is taken is refused with what to do, and closing frees it", async () => {
  const port = Number(new URL(server.url).port);
  const { createApi } = await import("./app.ts");
  const { createHealth } = await import("../engine/ops/health.ts");
  const { createMetrics } = await import("../engine/ops/metrics.ts");
  const { createLog } = await import("../engine/ops/log.ts");
  const { loadConfig } = await import("../engine/ops/config.ts");
  const api = { ...loadConfig().config.api, port };
  const deps = {
    store: server.store,
    rules: server.rules,
    labels: server.labels,
    registry: builtInRegistry,
    coverage: server.coverage,
    access: server.access,
    control: server.control,
    notifications: server.notifications,
    health: createHealth(),
    metrics: createMetrics({ defaults: false }),
    log: createLog({ level: "silent" }),
    config: { ...loadConfig().config, api, nodes: { silentAfter: { seconds: 300, byChain: {} } } },
    version: "1.2.3",
  };
  await expect(createApi(deps).listen(api)).rejects.toMatchObject({
    exitCode: 1,
    next: expect.stringContaining("API_PORT"),
  });
  const other = await createApi({ ...deps, health: createHealth() }).listen({ host: "127.0.0.1", port: 0 });
  expect((await fetch(`${other.url}/health`)).status).toBe(200);
  await other.close();
  await expect(fetch(`${other.url}/health`)).rejects.toThrow();
});
