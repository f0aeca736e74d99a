/**
 * Every configuration variable, once: validation, `weir config show`, `.env.example` and the docs are made from this table.
 *
 * Adding one: a line here, and a line in `nest()` in config.ts if our code reads it. Names of variables that earlier
 * systems used are accepted for good; those that nothing reads yet are checked all the same and say `later`.
 */
import type { z } from "zod";
import * as t from "./configTypes.ts";

export interface Variable {
  readonly group: Group;
  /** From text; its description says what is expected. */
  readonly type: z.ZodType<unknown, string>;
  /** As one would write it in the environment; absent: unset. */
  readonly default?: string;
  /** Other names for the same thing. Two that are set and differ are an error. */
  readonly aliases?: readonly string[];
  /** One sentence, without a full stop. */
  readonly meaning: string;
  /** Never shown. */
  readonly secret?: true;
  /** Accepted and checked, but nothing reads it yet. */
  readonly later?: true;
}

export const GROUPS = {
  store: "ClickHouse and files",
  kafka: "Kafka",
  engine: "Engine",
  api: "API",
  chain: "Nodes",
  control: "Control store, users and limits",
  cache: "Cache",
  archive: "Archive",
  notify: "Notifications and feeds",
  stack: "docker compose and tests",
} as const;
export type Group = keyof typeof GROUPS;

const KiB = 1024;
const MiB = 1024 * KiB;
const DAY_S = 86_400;

// biome-ignore format: a table
export const VARIABLES = {
  CLICKHOUSE_URL: { group: "store", type: t.url("http", "https"), meaning: "ClickHouse server; unset means the embedded one in WEIR_DATA" },
  CLICKHOUSE_CLUSTER: { group: "store", type: t.text(64), meaning: "Cluster that the ClickHouse server is one of: tables are made replicated and distributed on all of its servers" },
  CLICKHOUSE_DATABASE: { group: "store", type: t.identifier(), default: "weir", meaning: "Database that holds our tables" },
  CLICKHOUSE_USER: { group: "store", type: t.text(256), default: "default", meaning: "User of the ClickHouse server" },
  CLICKHOUSE_PASSWORD: { group: "store", type: t.secret(), secret: true, meaning: "Password of CLICKHOUSE_USER" },
  WEIR_DATA: { group: "store", type: t.folder(), default: ".weir", meaning: "Folder of the embedded stores and the ledger of recordings" },

  KAFKA_BROKERS: { group: "kafka", type: t.hostPorts(), meaning: "Brokers as host:port; unset means that only recordings are read" },
  KAFKA_GROUP_ID: { group: "kafka", type: t.text(255), default: "weir", meaning: "Consumer group: engines of one group share the partitions" },
  KAFKA_INSTANCE_ID: { group: "kafka", type: t.text(255), meaning: "Static membership: a restarted engine of this name gets its partitions back at once" },
  KAFKA_DRAIN_MS: { group: "kafka", type: t.integer(100, 60_000, "ms"), default: "5000", meaning: "How long a rebalance waits for what this engine has begun; what is not stored by then runs again elsewhere" },
  KAFKA_TOPIC_TX_RAW: { group: "kafka", type: t.topic(), default: "tx_raw", meaning: "Topic that transactions come in on" },
  KAFKA_TOPIC_ALERTS: { group: "kafka", type: t.topic(), default: "alerts", meaning: "Topic that alerts go out on" },
  KAFKA_TOPIC_DEAD_LETTERS: { group: "kafka", type: t.topic(), default: "dead_letters", meaning: "Topic of records that could not be processed" },
  KAFKA_TOPIC_BLOCK_STATUS: { group: "kafka", type: t.topic(), default: "block_status", meaning: "Topic that says which blocks were mined and which were replaced" },
  KAFKA_TOPIC_TX_ENRICHED: { group: "kafka", type: t.topic(), default: "tx_enriched", later: true, meaning: "Topic of enriched transactions" },
  KAFKA_TOPIC_MEV_BUNDLES: { group: "kafka", type: t.topic(), default: "mev_bundles", meaning: "Topic of arbitrages, sandwiches, liquidations and JIT liquidity" },
  KAFKA_TOPIC_ARBITRAGE_TRANSACTIONS: { group: "kafka", type: t.topic(), default: "arbitrage-transactions", meaning: "Topic of arbitrages alone, by either definition" },
  KAFKA_TOPIC_ARBITRAGE_OPPORTUNITIES: { group: "kafka", type: t.topic(), default: "arbitrage-opportunities", meaning: "Topic of what could be earned: pools out of balance, backruns of swaps that wait" },
  KAFKA_TOPIC_RISK_METRICS: { group: "kafka", type: t.topic(), default: "risk-metrics", meaning: "Topic of risk metrics, a record a block" },
  WEIR_RISK_METRICS: { group: "kafka", type: t.choice("on", "off"), default: "on", meaning: "Whether anything is published on KAFKA_TOPIC_RISK_METRICS" },
  KAFKA_TOPIC_FEED_ITEMS: { group: "kafka", type: t.topic(), default: "feed_items", later: true, meaning: "Topic of feed items" },

  WEIR_THREADS: { group: "engine", type: t.threads(), default: "cores", meaning: "Worker threads" },
  WEIR_CHAINS: { group: "engine", type: t.chainIds(), default: "1,10,25,56,100,130,137,146,250,252,288,324,480,1088,1101,1284,1329,5000,8453,31337,34443,42161,42170,42220,43114,57073,59144,80094,81457,84532,534352,11155111", meaning: "Chain ids that are known; a transaction of another chain is a dead letter" },
  RULES_DIR: { group: "engine", type: t.folder(), default: "rules-as/examples/build", meaning: "Folder of rule modules (.wasm) that are live from the start" },
  LOG_LEVEL: { group: "engine", type: t.choice("trace", "debug", "info", "warn", "warning", "error", "fatal", "silent"), default: "info", meaning: "Least level that is logged" },
  WEIR_BATCH_MAX_RECORDS: { group: "engine", type: t.integer(1, 65_536), default: "4096", meaning: "Records in a batch at most" },
  WEIR_BATCH_MAX_BYTES: { group: "engine", type: t.bytes(8 * MiB, 256 * MiB), default: "8MiB", meaning: "Bytes in a batch at most; a single record may have 4 MiB" },
  WEIR_BLOCK_WAIT_MS: { group: "engine", type: t.integer(0, 600_000, "ms"), default: "30000", meaning: "How long a block is waited for of which some transactions have come; then it is processed as it is, and nothing is found in it that another transaction could change" },
  WEIR_IN_FLIGHT_BYTES: { group: "engine", type: t.bytes(16 * MiB, 64 * 1024 * MiB), default: "256MiB", meaning: "Bytes of records between source and store at most; beyond, the source is paused" },
  WEIR_RANGE_MAX_AGE_MS: { group: "engine", type: t.integer(50, 60_000, "ms"), default: "1000", meaning: "Age at which rows are stored, those of all partitions together" },
  WEIR_RANGE_MAX_ROWS: { group: "engine", type: t.integer(1_000, 1_000_000), default: "100000", meaning: "Rows at which they are stored, however young they are" },
  OTEL_EXPORTER_OTLP_ENDPOINT: { group: "engine", type: t.url("http", "https"), meaning: "Collector that spans of requests, batches and rounds are sent to, as OTLP over HTTP; unset means no traces" },
  OTEL_EXPORTER_OTLP_HEADERS: { group: "engine", type: t.headers(), secret: true, meaning: "Headers of what is sent to the collector, such as its key" },
  OTEL_SERVICE_NAME: { group: "engine", type: t.text(256), default: "weir", meaning: "What spans say they come from; further OTEL_ variables (OTEL_TRACES_SAMPLER, OTEL_RESOURCE_ATTRIBUTES, OTEL_BSP_…) are read from the environment by OpenTelemetry" },
  ENVIRONMENT: { group: "engine", type: t.text(64), default: "development", later: true, meaning: "Name of the environment" },
  MAX_CONCURRENT_RULES: { group: "engine", type: t.integer(1, 100_000), default: "10000", meaning: "Rules that run at most: live, or on trial alone" },
  WEIR_OWNER_MAX_RULES: { group: "engine", type: t.integer(0, 100_000), meaning: "Rules of one owner that run at most, unless it has a quota of its own; unset means MAX_CONCURRENT_RULES" },
  WEIR_OWNER_FUEL_PER_SECOND: { group: "engine", type: t.integer(1, 1_000_000_000_000_000), default: "20000000000", meaning: "Fuel that the rules of one owner may use for a second of the stream, in one engine, unless it has a quota of its own; a core burns 2,000,000,000" },
  WEIR_THROTTLE_SECONDS: { group: "engine", type: t.integer(1, DAY_S, "s"), default: "60", meaning: "How long a rule waits that is throttled since its owner uses too much fuel" },
  WEIR_STATE_BYTES: { group: "engine", type: t.bytes(MiB, 1024 * 1024 * MiB), default: "1GiB", meaning: "Memory for what rules remember, all rules and partitions together; beyond, the rule that takes most is quarantined" },
  WEIR_BASELINE_MINUTES: { group: "engine", type: t.integer(0, 10_080, "minutes"), default: "360", meaning: "How often it is measured what senders usually send and functions usually take, which risk compares with; 0: never" },
  WASM_CACHE_SIZE: { group: "engine", type: t.integer(1, 100_000), default: "8000", meaning: "Memories of rule modules that are kept between batches, in all threads together: rules that differ in little share one; V8 gives a process some 9,800 memories (16,300 on Node 24)" },

  API_HOST: { group: "api", type: t.listenAddress(), default: "127.0.0.1", meaning: "Address that the API listens on; beyond this machine WEIR_ALLOW_IPS says who is answered" },
  API_PORT: { group: "api", type: t.port(), default: "8000", meaning: "Port of the API" },
  WEIR_TOKEN: { group: "api", type: t.bearer(), secret: true, meaning: "Token of whoever runs this Weir: it may do everything through the API; unset means one that is made for each run until there is an administrator. Commands show it, or an API key that stands here" },
  WEIR_ANONYMOUS: { group: "api", type: t.choice("none", "viewer"), default: "none", meaning: "What those may do through the API that show nothing: none, or read as a viewer" },
  WEIR_ALLOW_IPS: { group: "api", type: t.ranges(), meaning: "Addresses and blocks that the API answers; unset means this machine alone" },
  WEIR_TRUSTED_PROXIES: { group: "api", type: t.ranges(), meaning: "Proxies whose X-Forwarded-For is believed" },
  WEIR_ALLOWED_HOSTS: { group: "api", type: t.hostNames(), meaning: "Names that requests may call this API by, beside localhost; unset means any where WEIR_ALLOW_IPS is set, else none" },
  WEIR_CORS_ORIGINS: { group: "api", type: t.origins(), meaning: "Origins whose pages may read answers of the API; unset means none" },
  WEIR_TLS_CERT: { group: "api", type: t.file(), meaning: "PEM file with the certificate of the API and its chain; with WEIR_TLS_KEY it answers https and wss alone" },
  WEIR_TLS_KEY: { group: "api", type: t.file(), meaning: "PEM file with the key of WEIR_TLS_CERT" },
  WEIR_TLS_CLIENT_CA: { group: "api", type: t.file(), meaning: "PEM file with the authorities of clients: then each must have a certificate, whose common name is its user's where a request carries nothing else" },
  API_KEYS: { group: "api", type: t.list(t.secret(), "API keys"), aliases: ["API_KEY"], secret: true, meaning: "Keys accepted in X-API-Key, with the role user; keys of users are better: they are hashed, expire and can be revoked" },
  RATE_LIMIT_PER_MINUTE: { group: "api", type: t.integer(0, 1_000_000), default: "60", meaning: "Requests a minute of an address that shows nothing, or something wrong; 0 means any number" },
  WEIR_RATE_LIMIT_KNOWN_PER_MINUTE: { group: "api", type: t.integer(0, 10_000_000), default: "1000", meaning: "Requests a minute of a user or an API key; 0 means any number. WEIR_TOKEN is not counted" },
  WEIR_RATE_LIMIT_KIND: { group: "api", type: t.choice("sliding", "fixed", "bucket"), default: "sliding", meaning: "How requests are counted: in a window that slides, in fixed ones, or as tokens that refill" },
  WEIR_RATE_LIMIT_PRESET: { group: "api", type: t.choice("minute", "hourly"), default: "minute", meaning: "Limits of a user or key: minute is WEIR_RATE_LIMIT_KNOWN_PER_MINUTE, hourly 1,000 requests an hour, of them 100 for alerts and 10 WebSockets a minute" },
  WS_MAX_CONNECTIONS: { group: "api", type: t.integer(1, 1_000_000), default: "1000", aliases: ["MAX_WEBSOCKET_CONNECTIONS"], meaning: "Live streams at most: WebSockets, and as many server-sent ones; one more is closed with 1008, or answered with 503" },
  WS_HEARTBEAT_INTERVAL: { group: "api", type: t.integer(1, 3600, "s"), default: "30", meaning: "Seconds between heartbeats on a live stream; a WebSocket that has not answered the last one is closed" },

  ETHEREUM_RPC_URLS: { group: "chain", type: t.list(t.url("http", "https", "ws", "wss"), "node URLs", 16), aliases: ["ETHEREUM_RPC_URL"], meaning: "Nodes of Ethereum, which stand in for each other" },
  BSC_RPC_URLS: { group: "chain", type: t.list(t.url("http", "https", "ws", "wss"), "node URLs", 16), aliases: ["BSC_RPC_URL"], meaning: "Nodes of BNB Smart Chain, which stand in for each other" },
  POLYGON_RPC_URLS: { group: "chain", type: t.list(t.url("http", "https", "ws", "wss"), "node URLs", 16), aliases: ["POLYGON_RPC_URL"], meaning: "Nodes of Polygon, which stand in for each other" },
  ARBITRUM_RPC_URLS: { group: "chain", type: t.list(t.url("http", "https", "ws", "wss"), "node URLs", 16), aliases: ["ARBITRUM_RPC_URL"], meaning: "Nodes of Arbitrum One, which stand in for each other" },
  OPTIMISM_RPC_URLS: { group: "chain", type: t.list(t.url("http", "https", "ws", "wss"), "node URLs", 16), aliases: ["OPTIMISM_RPC_URL"], meaning: "Nodes of Optimism, which stand in for each other" },
  BASE_RPC_URLS: { group: "chain", type: t.list(t.url("http", "https", "ws", "wss"), "node URLs", 16), aliases: ["BASE_RPC_URL"], meaning: "Nodes of Base, which stand in for each other" },
  WEIR_RPC_URLS: { group: "chain", type: t.chainUrls(), meaning: "Nodes of other chains by chain id, as in 100=https://one.example,100=wss://two.example" },
  WEIR_REORG_DEPTH: { group: "chain", type: t.integer(1, 4096, "blocks"), default: "64", meaning: "How many blocks a chain may replace at once; beyond, following it is an error that a person has to look at" },
  WEIR_SILENT_AFTER: { group: "chain", type: t.secondsByChain(), default: "300", meaning: "When a watched chain has put no block, or its source of pending transactions has not been heard of, for so many seconds, /health says so and an alert is raised once" },
  WEIR_PENDING_DROP_SECONDS: { group: "chain", type: t.integer(1, 30 * DAY_S, "s"), default: "10800", meaning: "A pending transaction that was last seen so long before its chain's newest block counts as dropped; geth's nodes forget one after 3 hours" },
  WEIR_REGISTRY: { group: "chain", type: t.file(), meaning: "JSON file of chains, routers, their methods and protocols beside those that are built in (engine/chain/README.md)" },
  ALCHEMY_API_KEY: { group: "chain", type: t.secret(), secret: true, later: true, meaning: "Key for Alchemy's nodes" },

  DATABASE_URL: { group: "control", type: t.url("postgres", "postgresql"), aliases: ["POSTGRES_URL"], meaning: "PostgreSQL server (15 or later) of the control store: rules, their versions, lists, audit log; unset means the embedded one in WEIR_DATA" },
  WEIR_SECRETS_KEYS: { group: "control", type: t.secrets(32), secret: true, meaning: "Keys that secrets of notification channels are encrypted with, comma-separated, 32 characters or more each, the same for all API nodes: the first encrypts, all decrypt; unset means one that is made once and kept in WEIR_DATA" },
  JWT_SECRET: { group: "control", type: t.secret(16), aliases: ["SECRET_KEY"], secret: true, meaning: "Secret that tokens of sessions are signed with, the same for all API nodes; unset means one that is made once and kept in WEIR_DATA" },
  ADMIN_USERNAME: { group: "control", type: t.text(64), meaning: "Name of an administrator that is added at the start unless there is a user of that name; npx weir user add does it without a password in the environment" },
  ADMIN_PASSWORD: { group: "control", type: t.secret(12), secret: true, meaning: "First password of ADMIN_USERNAME" },

  REDIS_URL: { group: "cache", type: t.url("redis", "rediss"), meaning: "Redis server through which API nodes count requests together, take each other's tickets once and share answers; unset means that each is alone" },
  REDIS_SENTINELS: { group: "cache", type: t.hostPorts(), meaning: "Sentinels that say where the Redis server is, as host:port; REDIS_URL then gives password and database alone" },
  REDIS_SENTINEL_MASTER: { group: "cache", type: t.text(128), default: "mymaster", meaning: "Name that REDIS_SENTINELS know the server by" },
  REDIS_MAX_CONNECTIONS: { group: "cache", type: t.integer(1, 10_000), default: "50", later: true, meaning: "Connections to Redis at most" },
  REDIS_SOCKET_TIMEOUT: { group: "cache", type: t.integer(1, 300, "s"), default: "5", meaning: "Seconds to wait for Redis" },
  REDIS_SOCKET_CONNECT_TIMEOUT: { group: "cache", type: t.integer(1, 300, "s"), default: "5", meaning: "Seconds to wait for a connection to Redis" },
  WEIR_CACHE_BYTES: { group: "cache", type: t.bytes(KiB, 64 * 1024 * MiB), default: "64MiB", meaning: "Memory for answers that are cached in this process" },
  CACHE_OPPORTUNITY_TTL: { group: "cache", type: t.integer(0, DAY_S, "s"), default: "300", meaning: "Seconds that opportunities are cached at most: what is written makes them anew; 0 means not at all" },
  CACHE_STATS_TTL: { group: "cache", type: t.integer(0, DAY_S, "s"), default: "60", meaning: "Seconds that statistics are cached at most: what is written makes them anew; 0 means not at all" },
  CACHE_LEADERBOARD_TTL: { group: "cache", type: t.integer(0, DAY_S, "s"), default: "300", meaning: "Seconds that leaderboards are cached at most: what is written makes them anew; 0 means not at all" },

  WEIR_ARCHIVE: { group: "archive", type: t.archivePlace(), meaning: "Where the archive is: a folder, s3://bucket/prefix or gs://bucket/prefix (of a ClickHouse server only these, which it must reach itself); unset means that nothing is archived" },
  WEIR_ARCHIVE_FORMAT: { group: "archive", type: t.archiveFormat(), default: "parquet", meaning: "Format of new files of the archive" },
  COMPRESSION_TYPE: { group: "archive", type: t.choice("gzip", "zstd", "snappy", "lz4", "none"), default: "gzip", meaning: "Compression of new files of the archive" },
  BATCH_SIZE: { group: "archive", type: t.integer(1, 1_000_000), default: "10000", meaning: "Rows an archive file is written with at a time" },
  ARCHIVE_INTERVAL_HOURS: { group: "archive", type: t.integer(1, 8760, "h"), default: "1", meaning: "Hours between runs that archive what was stored and remove what is older than WEIR_RETENTION_DAYS" },
  WEIR_EXPORTS: { group: "archive", type: t.text(4096), meaning: "Folder of the files of exports that were asked for over the API; unset means exports/files in WEIR_DATA. Of several API processes all must see it" },
  WEIR_EXPORT_TO: { group: "archive", type: t.list(t.text(1024), "folders, s3://bucket/prefix or gs://bucket/prefix"), meaning: "Where requests may have exports written to (upload_to): these places and what is below them; unset means nowhere but WEIR_EXPORTS" },
  WEIR_EXPORT_DAYS: { group: "archive", type: t.integer(1, 3650, "days"), default: "7", meaning: "Days after which an export over the API is forgotten, with its files in WEIR_EXPORTS" },
  WEIR_EXTENSIONS: { group: "archive", type: t.list(t.text(4096), "paths of ES modules"), meaning: "Modules with exporters and stream processors of one's own (engine/extensions/README.md); they run with our rights" },
  WEIR_RETENTION_DAYS: { group: "archive", type: t.daysByTable(), meaning: "How many days rows stay in the store, by table, as in transactions=30,alerts=365,*=90; unset means for ever. With an archive a row goes only when it is there" },
  AWS_ACCESS_KEY_ID: { group: "archive", type: t.text(256), meaning: "Access key of the object store that exports, backups and the archive go to; unset means what the machine's role gives" },
  AWS_SECRET_ACCESS_KEY: { group: "archive", type: t.secret(), secret: true, meaning: "Secret that belongs to AWS_ACCESS_KEY_ID" },
  AWS_REGION: { group: "archive", type: t.text(64), default: "us-east-1", aliases: ["AWS_DEFAULT_REGION"], meaning: "Region of the buckets" },
  S3_ENDPOINT: { group: "archive", type: t.url("http", "https"), aliases: ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"], meaning: "Server of s3:// and gs:// that is neither Amazon's nor Google's" },

  MAX_NOTIFICATIONS_PER_HOUR: { group: "notify", type: t.integer(1, 1_000_000), default: "1000", meaning: "Messages that a notification channel is given an hour, unless it says otherwise; beyond, they are gathered" },
  MAX_RETRIES: { group: "notify", type: t.integer(0, 100), default: "3", meaning: "Attempts after a notification failed: half a minute later, 6 minutes, 72 minutes, then 6 hours each" },
  TELEGRAM_BOT_TOKEN: { group: "notify", type: t.secret(), secret: true, meaning: "Token of a Telegram bot: with WEIR_NOTIFY_TELEGRAM_CHAT there is a notification channel telegram" },
  WEIR_NOTIFY_TELEGRAM_CHAT: { group: "notify", type: t.text(64), meaning: "Number of the chat, or @name, that the bot of TELEGRAM_BOT_TOKEN tells" },
  DISCORD_WEBHOOK_URL: { group: "notify", type: t.url("http", "https"), secret: true, meaning: "Webhook of a Discord channel: there is a notification channel discord" },
  SLACK_WEBHOOK_URL: { group: "notify", type: t.url("http", "https"), secret: true, meaning: "Incoming webhook of Slack: there is a notification channel slack" },
  WEIR_NOTIFY_ALLOWED_RANGES: { group: "notify", type: t.ranges(), meaning: "Addresses besides the open internet that notifications may be sent to, as 10.1.2.3 or 10.0.0.0/8, comma-separated" },
  WEIR_NOTIFY_EMAIL_TO: { group: "notify", type: t.list(t.text(254), "addresses", 50), meaning: "Who is sent alerts by mail: with SMTP_HOST there is a notification channel email" },
  SMTP_HOST: { group: "notify", type: t.text(255), meaning: "Mail server of notification channels; unset means that there is no mail" },
  SMTP_PORT: { group: "notify", type: t.integer(1, 65_535), default: "587", meaning: "Its port; 465 is TLS from the first byte, any other STARTTLS where it is offered" },
  SMTP_FROM: { group: "notify", type: t.text(320), default: "Weir <weir@localhost>", meaning: "Sender of mails" },
  SMTP_USERNAME: { group: "notify", type: t.text(256), aliases: ["EMAIL_USER"], meaning: "User of the mail server" },
  SMTP_PASSWORD: { group: "notify", type: t.secret(), aliases: ["EMAIL_PASSWORD"], secret: true, meaning: "Password of SMTP_USERNAME" },
  TWITTER_BEARER_TOKEN: { group: "notify", type: t.secret(), secret: true, later: true, meaning: "Token for reading Twitter" },

  POSTGRES_USER: { group: "stack", type: t.text(63), default: "weir", meaning: "User that docker compose creates in PostgreSQL" },
  POSTGRES_PASSWORD: { group: "stack", type: t.secret(8), secret: true, meaning: "Password of POSTGRES_USER" },
  POSTGRES_DB: { group: "stack", type: t.identifier(), default: "weir", meaning: "Database that docker compose creates in PostgreSQL" },
  GRAFANA_ADMIN_PASSWORD: { group: "stack", type: t.secret(8), secret: true, meaning: "Password of Grafana's user admin in docker compose" },
  WEIR_FAILPOINT: { group: "stack", type: t.text(256), meaning: "For crash tests: the point at which the engine kills itself" },
  WEIR_FUZZ: { group: "stack", type: t.integer(1, 1_000_000_000), meaning: "For fuzz tests: how many rounds" },
  WEIR_FUZZ_SEED: { group: "stack", type: t.integer(0, 4_294_967_295), meaning: "For fuzz tests: which sequence" },
  TEST_DATABASE_URL: { group: "stack", type: t.url("postgres", "postgresql"), later: true, meaning: "PostgreSQL server for tests" },
  TEST_REDIS_URL: { group: "stack", type: t.url("redis", "rediss"), later: true, meaning: "Redis server for tests" },
} as const satisfies Record<string, Variable>;

export type VariableName = keyof typeof VARIABLES;
type Row<N extends VariableName> = (typeof VARIABLES)[N];

/** What each variable is once read: undefined only where there is no default. */
export type Values = {
  readonly [N in VariableName]: Row<N> extends { default: string }
    ? z.output<Row<N>["type"]>
    : z.output<Row<N>["type"]> | undefined;
};
