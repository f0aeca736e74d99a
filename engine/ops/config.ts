/**
 * Configuration: flags before environment before .env before defaults, checked as a whole against the one table.
 *
 *     const { config, origins } = loadConfig({ env: process.env, flags: { API_PORT: "0" } });
 *     config.kafka.brokers // undefined, or ["localhost:9092"]
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { VARIABLES, type Values, type Variable, type VariableName } from "./configTable.ts";
import { isBucket } from "./configTypes.ts";
import { EXIT, stripCredentials, WeirError } from "./errors.ts";

export interface ConfigProblem {
  readonly variable: string;
  /** absent for secrets, and where there is none */
  readonly value?: string;
  readonly problem: string;
  readonly expected?: string;
  readonly next?: string;
}

/** All mistakes of the configuration at once. */
export class ConfigError extends WeirError {
  override readonly exitCode = EXIT.config;
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? "1 mistake" : `${problems.length} mistakes`;
    super([`Cannot use the configuration: ${count}`, ...problems.map(describeProblem)].join("\n"), {
      next: "npx weir config show --origin shows each value and where it comes from",
    });
    this.problems = problems;
  }
}

function describeProblem({ variable, value, problem, expected, next }: ConfigProblem): string {
  const shown = value === undefined ? "" : ` "${value}"`;
  return `  ${variable}${shown}: ${problem}${expected ? `, expected ${expected}` : ""}${next ? `. ${next}` : ""}`;
}

/** `default`, `flag`, `environment NAME` or `file .env NAME`, NAME being the alias that was used. */
export type Origin = "default" | "flag" | `environment ${string}` | `file .env ${string}`;

export interface ConfigInput {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** From the command line, by the variable's name. */
  readonly flags?: Readonly<Partial<Record<VariableName, string>>>;
  /** Path of a .env file; it may be missing. */
  readonly envFile?: string;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly origins: ReadonlyMap<VariableName, Origin>;
  /** As written, by variable; what is unset has none. */
  readonly texts: ReadonlyMap<VariableName, string>;
}

interface Setting {
  readonly text: string;
  /** the variable's name, or the alias that was used */
  readonly as: string;
  readonly origin: Origin;
}

/** @throws ConfigError with every problem, exit code 3 */
export function loadConfig({ env = {}, flags = {}, envFile }: ConfigInput = {}): LoadedConfig {
  const problems: ConfigProblem[] = [];
  const file = envFile !== undefined && existsSync(envFile) ? parseEnv(readFileSync(envFile, "utf8")) : {};
  const values: Record<string, unknown> = {};
  const origins = new Map<VariableName, Origin>();
  const texts = new Map<VariableName, string>();

  for (const [name, variable] of rows()) {
    const setting =
      fromFlags(name, flags) ??
      fromNames(name, variable, env, "environment", problems) ??
      fromNames(name, variable, file, "file .env", problems) ??
      (variable.default === undefined ? undefined : { text: variable.default, as: name, origin: "default" as const });
    if (setting === undefined) continue;
    origins.set(name, setting.origin);
    texts.set(name, setting.text);
    const parsed = variable.type.safeParse(setting.text);
    if (parsed.success) values[name] = parsed.data;
    else
      problems.push({
        variable: setting.as,
        ...(variable.secret ? {} : { value: stripCredentials(setting.text.slice(0, 200)) }),
        problem: "it cannot be used",
        expected: variable.type.description,
      });
  }
  problems.push(...unknownNames([...Object.keys(env), ...Object.keys(file)]));
  if (problems.length === 0) problems.push(...crossChecks(values as Values));
  if (problems.length > 0) throw new ConfigError(problems);
  return { config: deepFreeze(nest(values as Values)), origins, texts };
}

/** The table's rows with their type widened to what a loop needs. */
export function rows(): [VariableName, Variable][] {
  return Object.entries(VARIABLES) as [VariableName, Variable][];
}

function fromFlags(name: VariableName, flags: NonNullable<ConfigInput["flags"]>): Setting | undefined {
  const text = flags[name];
  return text === undefined ? undefined : { text, as: name, origin: "flag" };
}

/** The value under the variable's name or an alias. Empty counts as unset: that is how compose files pass what is not set. */
function fromNames(
  name: VariableName,
  variable: Variable,
  from: Readonly<Record<string, string | undefined>>,
  where: "environment" | "file .env",
  problems: ConfigProblem[],
): Setting | undefined {
  const set = [name, ...(variable.aliases ?? [])].filter((alias) => from[alias] !== undefined && from[alias] !== "");
  const [first, ...others] = set;
  if (first === undefined) return undefined;
  const text = from[first] as string;
  const other = others.find((alias) => from[alias] !== text);
  if (other !== undefined)
    problems.push({
      variable: first,
      problem: `it differs from ${other}, which means the same, in the ${where}`,
      next: "Set one of them",
    });
  return { text, as: first, origin: `${where} ${first}` };
}

/** Only our own prefix: other programs have variables too. */
function unknownNames(names: readonly string[]): ConfigProblem[] {
  const unknown = [...new Set(names)].filter((name) => name.startsWith("WEIR_") && !(name in VARIABLES));
  return unknown.map((variable) => {
    const near = nearest(variable, Object.keys(VARIABLES));
    return { variable, problem: "there is no such variable", ...(near && { next: `Did you mean ${near}?` }) };
  });
}

/** The candidate with the fewest edits, if they are few. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates.map((name) => [distance(word, name), name] as const).sort(([a], [b]) => a - b);
  const best = ranked[0];
  return best && best[0] <= Math.max(2, word.length / 4) ? best[1] : undefined;
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

/** Rules between variables. */
function crossChecks(values: Values): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (values.WEIR_IN_FLIGHT_BYTES < 2 * values.WEIR_BATCH_MAX_BYTES)
    problems.push({
      variable: "WEIR_IN_FLIGHT_BYTES",
      value: String(values.WEIR_IN_FLIGHT_BYTES),
      problem: "there is no room to read a batch while another is processed",
      expected: `at least twice WEIR_BATCH_MAX_BYTES: ${2 * values.WEIR_BATCH_MAX_BYTES}`,
    });
  const pairs = [["ADMIN_USERNAME", "ADMIN_PASSWORD"], ["WEIR_TLS_CERT", "WEIR_TLS_KEY"], ["WEIR_TLS_CLIENT_CA", "WEIR_TLS_CERT"], ["CLICKHOUSE_CLUSTER", "CLICKHOUSE_URL"]] as const; // biome-ignore format: pairs
  for (const [one, other] of [
    ...pairs,
    ["ADMIN_PASSWORD", "ADMIN_USERNAME"],
    ["WEIR_TLS_KEY", "WEIR_TLS_CERT"],
  ] as const)
    if (values[one] !== undefined && values[other] === undefined)
      problems.push({ variable: one, problem: `it means nothing without ${other}`, next: `Set ${other}` });
  for (const [chain, variable] of Object.entries(CHAIN_VARIABLES))
    if (values[variable] && values.WEIR_RPC_URLS?.[Number(chain)])
      problems.push({
        variable: "WEIR_RPC_URLS",
        problem: `it has nodes of chain ${chain}, and so has ${variable}`,
        next: "Set one of them",
      });
  return problems;
}

/** Chains whose nodes have a variable of their own. */
const CHAIN_VARIABLES = {
  1: "ETHEREUM_RPC_URLS",
  10: "OPTIMISM_RPC_URLS",
  56: "BSC_RPC_URLS",
  137: "POLYGON_RPC_URLS",
  8453: "BASE_RPC_URLS",
  42161: "ARBITRUM_RPC_URLS",
} as const;

function nodeUrls(values: Values): Record<number, readonly string[]> {
  const urls: Record<number, readonly string[]> = { ...values.WEIR_RPC_URLS };
  for (const [chain, variable] of Object.entries(CHAIN_VARIABLES)) {
    const own = values[variable];
    if (own) urls[Number(chain)] = own;
  }
  return urls;
}

/** From the flat table to what the code reads. Paths are absolute from here on. */
function nest(values: Values) {
  return {
    data: resolve(values.WEIR_DATA),
    logLevel: values.LOG_LEVEL === "warning" ? ("warn" as const) : values.LOG_LEVEL,
    /** url undefined: the embedded store */
    store: {
      url: values.CLICKHOUSE_URL,
      database: values.CLICKHOUSE_DATABASE,
      /** undefined: it stands alone */
      cluster: values.CLICKHOUSE_CLUSTER,
      user: values.CLICKHOUSE_USER,
      password: values.CLICKHOUSE_PASSWORD,
    },
    /** brokers undefined: no Kafka */
    kafka: {
      brokers: values.KAFKA_BROKERS,
      groupId: values.KAFKA_GROUP_ID,
      instanceId: values.KAFKA_INSTANCE_ID,
      drainMs: values.KAFKA_DRAIN_MS,
      topics: {
        txRaw: values.KAFKA_TOPIC_TX_RAW,
        blockStatus: values.KAFKA_TOPIC_BLOCK_STATUS,
        alerts: values.KAFKA_TOPIC_ALERTS,
        deadLetters: values.KAFKA_TOPIC_DEAD_LETTERS,
        mevBundles: values.KAFKA_TOPIC_MEV_BUNDLES,
        arbitrageTransactions: values.KAFKA_TOPIC_ARBITRAGE_TRANSACTIONS,
        arbitrageOpportunities: values.KAFKA_TOPIC_ARBITRAGE_OPPORTUNITIES,
        /** undefined: nothing is published there */
        riskMetrics: values.WEIR_RISK_METRICS === "on" ? values.KAFKA_TOPIC_RISK_METRICS : undefined,
      },
    },
    engine: {
      threads: values.WEIR_THREADS,
      instances: values.WASM_CACHE_SIZE,
      chains: values.WEIR_CHAINS,
      batchMaxRecords: values.WEIR_BATCH_MAX_RECORDS,
      batchMaxBytes: values.WEIR_BATCH_MAX_BYTES,
      blockWaitMs: values.WEIR_BLOCK_WAIT_MS,
      stateBytes: values.WEIR_STATE_BYTES,
      inFlightBytes: values.WEIR_IN_FLIGHT_BYTES,
      rangeMaxAgeMs: values.WEIR_RANGE_MAX_AGE_MS,
      rangeMaxRows: values.WEIR_RANGE_MAX_ROWS,
      baselineMs: values.WEIR_BASELINE_MINUTES * 60_000,
      failpoint: values.WEIR_FAILPOINT,
    },
    rules: {
      folder: resolve(values.RULES_DIR),
      max: values.MAX_CONCURRENT_RULES,
      /** Of an owner that has none of its own. */
      quota: {
        maxRules: values.WEIR_OWNER_MAX_RULES ?? values.MAX_CONCURRENT_RULES,
        fuelPerSecond: values.WEIR_OWNER_FUEL_PER_SECOND,
      },
      coolDownMs: values.WEIR_THROTTLE_SECONDS * 1_000,
    },
    nodes: {
      /** By chain id. */
      urls: nodeUrls(values),
      reorgDepth: values.WEIR_REORG_DEPTH,
      silentAfter: values.WEIR_SILENT_AFTER,
    },
    /** Path of a registry file, undefined: what is built in. */
    registry: values.WEIR_REGISTRY && resolve(values.WEIR_REGISTRY),
    /** endpoint undefined: there are no traces */
    tracing: {
      endpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
      headers: values.OTEL_EXPORTER_OTLP_HEADERS ?? {},
      service: values.OTEL_SERVICE_NAME,
    },
    archive: {
      /** Path, or URL of a bucket; undefined: nothing is archived. */
      place:
        values.WEIR_ARCHIVE && (isBucket(values.WEIR_ARCHIVE) ? values.WEIR_ARCHIVE : resolve(values.WEIR_ARCHIVE)),
      format: values.WEIR_ARCHIVE_FORMAT,
      compression: values.COMPRESSION_TYPE,
      batch: values.BATCH_SIZE,
      intervalHours: values.ARCHIVE_INTERVAL_HOURS,
      /** By table; undefined: rows stay for ever. */
      retentionDays: values.WEIR_RETENTION_DAYS,
    },
    /** Paths of modules. */
    extensions: (values.WEIR_EXTENSIONS ?? []).map((path) => resolve(path)),
    exports: {
      folder: resolve(values.WEIR_EXPORTS ?? join(values.WEIR_DATA, "exports", "files")),
      /** Places that clients may name others below. */
      to: values.WEIR_EXPORT_TO ?? [],
      days: values.WEIR_EXPORT_DAYS,
    },
    /** url undefined: the embedded control store */
    control: { url: values.DATABASE_URL },
    cache: {
      maxBytes: values.WEIR_CACHE_BYTES,
      /** How late it may be known that something was written. */
      freshMs: 1_000,
      ttlMs: {
        opportunities: values.CACHE_OPPORTUNITY_TTL * 1000,
        stats: values.CACHE_STATS_TTL * 1000,
        leaderboard: values.CACHE_LEADERBOARD_TTL * 1000,
      },
    },
    /** neither url nor sentinels: none */
    redis: {
      url: values.REDIS_URL,
      sentinels: values.REDIS_SENTINELS,
      master: values.REDIS_SENTINEL_MASTER,
      timeoutMs: values.REDIS_SOCKET_TIMEOUT * 1000,
      connectTimeoutMs: values.REDIS_SOCKET_CONNECT_TIMEOUT * 1000,
    },
    /** jwtSecret undefined: one is made, and kept in the data folder */
    access: {
      jwtSecret: values.JWT_SECRET,
      admin:
        values.ADMIN_USERNAME && values.ADMIN_PASSWORD
          ? { username: values.ADMIN_USERNAME, password: values.ADMIN_PASSWORD }
          : undefined,
    },
    /** endpoint undefined: Amazon's, of gs:// Google's */
    objectStore: {
      endpoint: values.S3_ENDPOINT,
      region: values.AWS_REGION,
      accessKeyId: values.AWS_ACCESS_KEY_ID,
      secretAccessKey: values.AWS_SECRET_ACCESS_KEY,
    },
    /** secretsKeys undefined: one is made, and kept in the data folder */
    secretsKeys: values.WEIR_SECRETS_KEYS,
    notify: {
      perHour: values.MAX_NOTIFICATIONS_PER_HOUR,
      maxRetries: values.MAX_RETRIES,
      allowedRanges: values.WEIR_NOTIFY_ALLOWED_RANGES ?? [],
      /** What makes channels by itself; undefined: none of the kind. */
      telegram: { token: values.TELEGRAM_BOT_TOKEN, chat: values.WEIR_NOTIFY_TELEGRAM_CHAT },
      discordUrl: values.DISCORD_WEBHOOK_URL,
      slackUrl: values.SLACK_WEBHOOK_URL,
      emailTo: values.WEIR_NOTIFY_EMAIL_TO,
      /** undefined: there is no mail */
      smtp:
        values.SMTP_HOST === undefined
          ? undefined
          : {
              ...{ host: values.SMTP_HOST, port: values.SMTP_PORT, secure: values.SMTP_PORT === 465 },
              ...{ username: values.SMTP_USERNAME, password: values.SMTP_PASSWORD, from: values.SMTP_FROM },
            },
    },
    /** allowIps undefined: loopback; hosts, token, tls undefined: none */
    api: {
      host: values.API_HOST,
      port: values.API_PORT,
      token: values.WEIR_TOKEN,
      pendingDropSeconds: values.WEIR_PENDING_DROP_SECONDS,
      apiKeys: values.API_KEYS ?? [],
      anonymous: values.WEIR_ANONYMOUS === "none" ? undefined : values.WEIR_ANONYMOUS,
      allowIps: values.WEIR_ALLOW_IPS,
      trustedProxies: values.WEIR_TRUSTED_PROXIES ?? [],
      hosts: values.WEIR_ALLOWED_HOSTS,
      corsOrigins: values.WEIR_CORS_ORIGINS ?? [],
      limits: {
        kind: values.WEIR_RATE_LIMIT_KIND,
        anonymous: values.RATE_LIMIT_PER_MINUTE,
        known: values.WEIR_RATE_LIMIT_KNOWN_PER_MINUTE,
        preset: values.WEIR_RATE_LIMIT_PRESET,
      },
      tls:
        values.WEIR_TLS_CERT && values.WEIR_TLS_KEY
          ? {
              cert: resolve(values.WEIR_TLS_CERT),
              key: resolve(values.WEIR_TLS_KEY),
              clientCa: values.WEIR_TLS_CLIENT_CA && resolve(values.WEIR_TLS_CLIENT_CA),
            }
          : undefined,
    },
    live: { maxConnections: values.WS_MAX_CONNECTIONS, heartbeatMs: values.WS_HEARTBEAT_INTERVAL * 1_000 },
  };
}

export type Config = ReturnType<typeof nest>;

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}
