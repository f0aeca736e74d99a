import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { ConfigError, type ConfigInput, loadConfig, nearest, rows } from "./config.ts";
import { VARIABLES } from "./configTable.ts";
import { envExample, showConfig } from "./configText.ts";

const root = new URL("../../", import.meta.url).pathname;
const scratch = mkdtempSync("/tmp/weir-config-");
afterAll(() => rmSync(scratch, { recursive: true }));

function problemsOf(input: ConfigInput) {
  try {
    loadConfig(input);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error("Expected a ConfigError");
}

function envFile(text: string): string {
  const path = join(scratch, `env-${Math.random()}`);
  writeFileSync(path, text);
  return path;
}

describe("loadConfig()", () => {
  test("gives every default, frozen", () => {
    const { config, origins } = loadConfig();
    expect(config.store).toEqual({ url: undefined, database: "weir", user: "default", password: undefined });
    expect(config.kafka.brokers).toBeUndefined();
    expect(config.kafka.topics).toEqual({
      ...{ txRaw: "tx_raw", blockStatus: "block_status", alerts: "alerts", deadLetters: "dead_letters" },
      ...{ mevBundles: "mev_bundles", arbitrageTransactions: "arbitrage-transactions" },
      arbitrageOpportunities: "arbitrage-opportunities",
      riskMetrics: "risk-metrics",
    });
    expect(config.engine.inFlightBytes).toBe(256 * 1024 * 1024);
    expect(config.engine.chains).toContain(31337);
    expect(config.api).toEqual({
      ...{ host: "127.0.0.1", port: 8000, token: undefined, apiKeys: [], anonymous: undefined, tls: undefined },
      ...{
        allowIps: undefined,
        trustedProxies: [],
        hosts: undefined,
        corsOrigins: [],
        limits: { kind: "sliding", anonymous: 60, known: 1_000, preset: "minute" },
        pendingDropSeconds: 10_800,
      },
    });
    expect(config.engine.threads).toBeGreaterThanOrEqual(1);
    expect(new Set(origins.values())).toEqual(new Set(["default"]));
    expect(() => ((config.api as { port: number }).port = 1)).toThrow(TypeError);
  });

  test("prefers flags to the environment, it to .env, and that to defaults", () => {
    const file = envFile("API_PORT=1\nKAFKA_GROUP_ID=file\nLOG_LEVEL=WARNING\n");
    const { config, origins } = loadConfig({
      flags: { API_PORT: "3" },
      env: { API_PORT: "2", KAFKA_GROUP_ID: "environment" },
      envFile: file,
    });
    expect([config.api.port, config.kafka.groupId, config.logLevel]).toEqual([3, "environment", "warn"]);
    expect(
      ["API_PORT", "KAFKA_GROUP_ID", "LOG_LEVEL", "WEIR_DATA"].map((name) => origins.get(name as "API_PORT")),
    ).toEqual(["flag", "environment KAFKA_GROUP_ID", "file .env LOG_LEVEL", "default"]);
  });

  test("counts an empty value as unset, and does without a .env file", () => {
    const { config, origins } = loadConfig({
      env: { API_PORT: "", KAFKA_BROKERS: "" },
      envFile: join(scratch, "none"),
    });
    expect(config.api.port).toBe(8000);
    expect(origins.get("API_PORT")).toBe("default");
    expect(origins.has("KAFKA_BROKERS")).toBe(false);
  });

  test("reports all mistakes at once, each with value and expectation", () => {
    const problems = problemsOf({
      env: { API_PORT: "80000", KAFKA_BROKERS: "localhost", LOG_LEVEL: "loud", WEIR_THREDS: "2" },
    });
    expect(problems.map(({ variable, value }) => [variable, value])).toEqual([
      ["KAFKA_BROKERS", "localhost"],
      ["LOG_LEVEL", "loud"],
      ["API_PORT", "80000"],
      ["WEIR_THREDS", undefined],
    ]);
    expect(problems[1]?.expected).toBe("one of trace, debug, info, warn, warning, error, fatal, silent");
    expect(problems[3]?.next).toBe("Did you mean WEIR_THREADS?");
    expect(new ConfigError(problems).message).toContain('API_PORT "80000": it cannot be used, expected a port from 0');
    expect(new ConfigError(problems).exitCode).toBe(3);
  });

  test("never shows a secret, neither in a mistake nor in a URL", () => {
    const problems = problemsOf({ env: { WEIR_TOKEN: "short", CLICKHOUSE_URL: "ftp://me:hunter2@host" } });
    expect(JSON.stringify(problems)).not.toMatch(/short|hunter2/);
    expect(problems).toHaveLength(2);
  });

  test("accepts an alias, and refuses two that differ, naming both", () => {
    expect(loadConfig({ env: { POSTGRES_URL: "postgresql://h/d" } }).origins.get("DATABASE_URL")).toBe(
      "environment POSTGRES_URL",
    );
    expect(loadConfig({ env: { JWT_SECRET: "0123456789abcdef", SECRET_KEY: "0123456789abcdef" } })).toBeTruthy();
    const [problem, ...rest] = problemsOf({ env: { WS_MAX_CONNECTIONS: "5", MAX_WEBSOCKET_CONNECTIONS: "6" } });
    expect(rest).toEqual([]);
    expect(problem?.variable + " " + problem?.problem).toMatch(/^WS_MAX_CONNECTIONS .*MAX_WEBSOCKET_CONNECTIONS/);
  });

  test.each([
    ["KAFKA_BROKERS", "a:1, b:65535,", ["a:1", "b:65535"]],
    ["KAFKA_BROKERS", "[::1]:9092", ["[::1]:9092"]],
    ["KAFKA_BROKERS", "a:65536", undefined],
    ["KAFKA_BROKERS", ",", undefined],
    ["WEIR_CHAINS", "1, 56", [1, 56]],
    ["WEIR_CHAINS", "1,-5", undefined],
    ["WEIR_CHAINS", "9007199254740993", undefined],
    ["WEIR_IN_FLIGHT_BYTES", "1GiB", 2 ** 30],
    ["WEIR_IN_FLIGHT_BYTES", "1GB", undefined],
    ["WEIR_THREADS", "0", undefined],
    ["WEIR_RANGE_MAX_AGE_MS", "1e3", undefined],
    [
      "WEIR_RPC_URLS",
      "100=https://a,5=wss://b, 100=wss://c/x=1",
      { 5: ["wss://b"], 100: ["https://a", "wss://c/x=1"] },
    ],
    ["WEIR_RPC_URLS", "https://a", undefined],
    ["WEIR_RPC_URLS", "100=ftp://a", undefined],
    ["WEIR_RPC_URLS", "0=https://a", undefined],
    ["WEIR_SILENT_AFTER", "1=60", undefined],
    ["WEIR_SILENT_AFTER", "300,60", undefined],
    ["WEIR_SILENT_AFTER", "300,1=700000", undefined],
    ["WEIR_REORG_DEPTH", "0", undefined],
    ["KAFKA_TOPIC_TX_RAW", "..", undefined],
    ["KAFKA_TOPIC_TX_RAW", "a b", undefined],
    ["CLICKHOUSE_DATABASE", "weir; DROP", undefined],
    ["API_HOST", "0.0.0.0", "0.0.0.0"],
    ["API_HOST", "weir.example", undefined],
    ["WEIR_ALLOW_IPS", "10.0.0.0/33", undefined],
    ["WEIR_ALLOWED_HOSTS", "Weir.Example, [::1]", ["weir.example", "[::1]"]],
    ["WEIR_ALLOWED_HOSTS", "weir.example:8000", undefined],
    [
      "WEIR_CORS_ORIGINS",
      "https://app.example,http://localhost:3000",
      ["https://app.example", "http://localhost:3000"],
    ],
    ["WEIR_CORS_ORIGINS", "*", undefined],
    ["WEIR_CORS_ORIGINS", "https://app.example/", undefined],
    ["ADMIN_PASSWORD", "admin123456", undefined],
    ["API_HOST", "127.0.0.999", undefined],
    ["API_HOST", "::1", "::1"],
    ["WEIR_TOKEN", "sixteen or more, with spaces", undefined],
    ["WEIR_TOKEN", "0123456789abcdef", "0123456789abcdef"],
    ["ADMIN_PASSWORD", "admin123", undefined],
    ["ADMIN_PASSWORD", "correct horse", "correct horse"],
  ] as const)("%s=%s", (name, text, expected) => {
    const parsed = VARIABLES[name].type.safeParse(text);
    expect(parsed.success ? parsed.data : undefined).toEqual(expected);
  });

  test("has the nodes of each chain, which one variable names", () => {
    const env = { ETHEREUM_RPC_URL: "wss://a,https://b", WEIR_RPC_URLS: "100=https://c" };
    expect(loadConfig({ env }).config.nodes.urls).toEqual({ 1: ["wss://a", "https://b"], 100: ["https://c"] });
    expect(problemsOf({ env: { ...env, WEIR_RPC_URLS: "1=https://c" } })).toMatchObject([
      { variable: "WEIR_RPC_URLS", problem: "it has nodes of chain 1, and so has ETHEREUM_RPC_URLS" },
    ]);
  });

  test("wants room for two batches in flight", () => {
    expect(
      problemsOf({ env: { WEIR_BATCH_MAX_BYTES: "16MiB", WEIR_IN_FLIGHT_BYTES: "16MiB" } })[0]?.expected,
    ).toContain("33554432");
  });
});

describe("the table", () => {
  test("has defaults that are valid, and every name once", () => {
    const names = rows().flatMap(([name, { aliases = [] }]) => [name, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
    for (const [name, variable] of rows())
      if (variable.default !== undefined) expect(variable.type.safeParse(variable.default).success, name).toBe(true);
  });

  test("says of every variable what is expected and what it means", () => {
    for (const [name, { type, meaning }] of rows()) {
      expect(type.description, name).toBeTruthy();
      expect(meaning, name).toMatch(/^[A-Z].*[^.]$/);
    }
  });

  test("refuses or accepts any text, and never throws on one", () => {
    for (const [, { type }] of rows())
      fc.assert(
        fc.property(fc.string(), (text) => void type.safeParse(text)),
        { numRuns: 50 },
      );
  });

  // DEFAULT_LIMITS and SWAP_EVENT_SIGNATURE are constants in their sources, not variables.
  test("accepts every variable that the systems we replace read", () => {
    const names = new Set(rows().flatMap(([name, { aliases = [] }]) => [name, ...aliases]));
    const theirs = `ADMIN_PASSWORD ADMIN_USERNAME ALCHEMY_API_KEY API_KEY API_KEYS API_PORT ARBITRUM_RPC_URLS ARCHIVE_INTERVAL_HOURS
      AWS_ACCESS_KEY_ID BASE_RPC_URLS BATCH_SIZE CACHE_LEADERBOARD_TTL CACHE_OPPORTUNITY_TTL CACHE_STATS_TTL COMPRESSION_TYPE
      DATABASE_URL DISCORD_WEBHOOK_URL EMAIL_PASSWORD EMAIL_USER ENVIRONMENT ETHEREUM_RPC_URL ETHEREUM_RPC_URLS JWT_SECRET LOG_LEVEL
      MAX_CONCURRENT_RULES MAX_NOTIFICATIONS_PER_HOUR MAX_RETRIES MAX_WEBSOCKET_CONNECTIONS OPTIMISM_RPC_URLS POLYGON_RPC_URL
      POSTGRES_DB POSTGRES_PASSWORD POSTGRES_URL POSTGRES_USER RATE_LIMIT_PER_MINUTE REDIS_MAX_CONNECTIONS
      REDIS_SOCKET_CONNECT_TIMEOUT REDIS_SOCKET_TIMEOUT REDIS_URL SECRET_KEY SLACK_WEBHOOK_URL SMTP_USERNAME TELEGRAM_BOT_TOKEN
      TEST_DATABASE_URL TEST_REDIS_URL TWITTER_BEARER_TOKEN WASM_CACHE_SIZE WS_HEARTBEAT_INTERVAL WS_MAX_CONNECTIONS`;
    expect(theirs.split(/\s+/).filter((name) => !names.has(name))).toEqual([]);
  });

  test("knows every WEIR_ variable that the code reads", () => {
    const used = sources(root).flatMap(
      (path) => readFileSync(path, "utf8").match(/(?<=process\.env\.)WEIR_\w+/g) ?? [],
    );
    expect(used.filter((name) => !(name in VARIABLES))).toEqual([]);
  });
});

describe("what is written about it", () => {
  test(".env.example is what the table says", () => {
    expect(readFileSync(join(root, ".env.example"), "utf8")).toBe(envExample());
  });

  test(".env.example, uncommented, is a valid configuration", () => {
    const text = envExample().replace(/^#(?=[A-Z_]+=)/gm, "");
    expect(loadConfig({ envFile: envFile(text) }).config).toEqual(loadConfig().config);
  });

  test("weir config show masks secrets, credentials and keys in node URLs", () => {
    const loaded = loadConfig({
      env: {
        WEIR_TOKEN: "0123456789abcdef",
        CLICKHOUSE_URL: "http://me:hunter2@ch:8123",
        ETHEREUM_RPC_URL: "wss://mainnet.infura.io/ws/v3/0123456789abcdef0123456789abcdef",
      },
    });
    const shown = Object.fromEntries(
      showConfig(loaded).map(({ name, value, origin }) => [name, `${value} < ${origin}`]),
    );
    expect(shown.WEIR_TOKEN).toBe("*** < environment WEIR_TOKEN");
    expect(shown.CLICKHOUSE_URL).toBe("http://***@ch:8123 < environment CLICKHOUSE_URL");
    expect(shown.ETHEREUM_RPC_URLS).toBe("wss://mainnet.infura.io/ws/v3/*** < environment ETHEREUM_RPC_URL");
    expect(shown.JWT_SECRET).toBe(" < ");
  });
});

test("nearest() suggests only what is near", () => {
  expect(nearest("WEIR_TOKN", Object.keys(VARIABLES))).toBe("WEIR_TOKEN");
  expect(nearest("WEIR_SOMETHING_ELSE_ENTIRELY", Object.keys(VARIABLES))).toBeUndefined();
});

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith(".") || entry.name === "node_modules") return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.(ts|mjs)$/.test(entry.name) ? [path] : [];
  });
}
