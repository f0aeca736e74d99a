/**
 * Every metric we expose, a line each: name, type, labels, help. Ours begin with `weir_`; the others are what dashboards of the systems before
 * ask for, under their names and labels. Where those had two names for one thing, both are fed. `go_memstats_*` is left out: there is no runtime
 * of Go here, and the memory of ours is in `process_resident_memory_bytes` and `nodejs_heap_*`, which prom-client adds.
 */
export interface MetricRow {
  readonly type: "counter" | "gauge" | "histogram";
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly Label[];
  /** Upper edges, of histograms. */
  readonly buckets?: readonly number[];
}

/**
 * Labels, and how many values of each are told apart: what a stranger or a user can add to has an end. Of one more, counters and histograms count it
 * as `other`, and a gauge has no series.
 */
export const LABELS = {
  chain: 1_100, // WEIR_CHAINS takes 1,024
  rule: 1_000,
  owner: 200,
  source: 50, // the topic, and recordings by their hash
  topic: 20,
  partition: 1_000,
  endpoint: 400, // routes' patterns, and labels of nodes
  method: 60, // of HTTP or of nodes
  status: 60,
  kind: 40,
  type: 40,
  stage: 10,
  reason: 60,
  operation: 20,
  error_type: 60,
  outcome: 10,
  result: 5,
  proof: 10,
  turn: 5,
  component: 30,
  state: 10,
  cache: 10,
  from: 10,
} as const;
export type Label = keyof typeof LABELS;

/** As the monitor had them that this replaces. */
const RPC_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** 1 ms to 10 s in steps of about 2.5: the decision at 100 ms and 1 s must fall on an edge. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const RECORDS = [1, 16, 64, 256, 1024, 4096, 16_384];

// biome-ignore format: a table
export const METRICS = {
  // The stream.
  transactions: { type: "counter", name: "weir_transactions_total", help: "Transactions processed", labels: ["source"] },
  batches: { type: "counter", name: "weir_batches_total", help: "Batches processed" },
  batchRecords: { type: "histogram", name: "weir_batch_records", help: "Records in a batch", buckets: RECORDS },
  stageSeconds: { type: "histogram", name: "weir_stage_seconds", help: "CPU that a batch took in a stage of its worker", labels: ["stage"], buckets: SECONDS },
  deadLetters: { type: "counter", name: "weir_dead_letters_total", help: "Records that could not be processed, by reason", labels: ["reason"] },
  alerts: { type: "counter", name: "weir_alerts_total", help: "Alerts raised, by rule", labels: ["rule"] },
  solanaTransactions: { type: "counter", name: "weir_solana_transactions_total", help: "Records of arbitrages on Solana taken in" },
  findings: { type: "counter", name: "weir_findings_total", help: "What was found in blocks, by chain and kind", labels: ["chain", "kind"] },
  rangesStored: { type: "counter", name: "weir_ranges_stored_total", help: "Ranges that are in ClickHouse" },
  ledgerCommits: { type: "counter", name: "weir_ledger_commits_total", help: "Commits of the ledger, by result", labels: ["result"] },
  inFlightBytes: { type: "gauge", name: "weir_in_flight_bytes", help: "Bytes of records between source and store" },
  consumerLag: { type: "gauge", name: "weir_consumer_lag", help: "Records on the topic that are not published yet, markers of transactions among them", labels: ["topic", "partition"] },
  storeErrors: { type: "counter", name: "weir_store_errors_total", help: "Attempts of the stream at the store that failed, by operation", labels: ["operation"] },
  workerRestarts: { type: "counter", name: "weir_worker_restarts_total", help: "Worker threads that died and were replaced" },
  componentUp: { type: "gauge", name: "weir_component_up", help: "Parts of /health: 1 works, 0 does not", labels: ["component"] },
  blockTurns: { type: "counter", name: "weir_block_turns_total", help: "Blocks whose word was taken back (replaced) or holds again (back)", labels: ["turn"] },
  retractions: { type: "counter", name: "weir_retractions_total", help: "Records that say that an alert or a block's findings do not hold, or hold again" },
  recordsSent: { type: "counter", name: "weir_kafka_records_sent_total", help: "Records that brokers have acknowledged, committed ones where there is a transaction" },
  recordsSentRate: { type: "gauge", name: "kafka_producer_record_send_rate", help: "Records a second that brokers have acknowledged, over the last minute" },

  // Rules and their owners.
  ruleEvaluations: { type: "counter", name: "weir_rule_evaluations_total", help: "Transactions shown to a rule", labels: ["rule"] },
  ruleTraps: { type: "counter", name: "weir_rule_traps_total", help: "Transactions a rule failed on", labels: ["rule"] },
  ruleFuel: { type: "counter", name: "weir_rule_fuel_total", help: "Fuel a rule used", labels: ["rule"] },
  ruleSkipped: { type: "counter", name: "weir_rule_skipped_total", help: "Transactions a throttled rule was not shown", labels: ["rule"] },
  ruleThrottles: { type: "counter", name: "weir_rule_throttles_total", help: "How often a rule was throttled", labels: ["rule"] },
  rulesInState: { type: "gauge", name: "weir_rules", help: "Rules by state: draft, shadow, live, disabled, quarantined, throttled", labels: ["state"] },
  ruleStateBytes: { type: "gauge", name: "weir_rule_state_bytes", help: "Memory that the state of a rule takes", labels: ["rule"] },
  stateBytes: { type: "gauge", name: "weir_state_bytes", help: "Memory that state of rules takes, all partitions together" },
  stateMaxBytes: { type: "gauge", name: "weir_state_max_bytes", help: "Memory that state of rules may take" },
  ownerFuel: { type: "counter", name: "weir_owner_fuel_total", help: "Fuel the rules of an owner used", labels: ["owner"] },
  ownerRules: { type: "gauge", name: "weir_owner_rules", help: "Rules of an owner that run, or wait to", labels: ["owner"] },
  ownerThrottled: { type: "gauge", name: "weir_owner_throttled_rules", help: "Rules of an owner that are throttled", labels: ["owner"] },
  ownerMaxRules: { type: "gauge", name: "weir_owner_max_rules", help: "Rules of an owner that may run", labels: ["owner"] },
  ownerMaxFuel: { type: "gauge", name: "weir_owner_max_fuel_per_second", help: "Fuel an owner may use for a second of the stream", labels: ["owner"] },

  // What was found: opportunities and arbitrages. An arbitrage is a cycle, as statistics mean it.
  opportunitiesDetected: { type: "counter", name: "opportunities_detected_total", help: "Total number of opportunities detected", labels: ["chain"] },
  transactionsDetected: { type: "counter", name: "transactions_detected_total", help: "Total number of arbitrage transactions detected", labels: ["chain"] },
  arbitrageTransactions: { type: "counter", name: "arbitrage_transactions_total", help: "The same as transactions_detected_total, under its other name", labels: ["chain"] },
  arbitrageTransactionsRate: { type: "gauge", name: "arbitrage_transactions_rate", help: "Arbitrage transactions a second, over the last minute" },
  detectionLatency: { type: "histogram", name: "detection_latency_seconds", help: "From when a batch is cut to when what was found in it is published, once for each batch in which something was: type is opportunity or transaction", labels: ["chain", "type"], buckets: SECONDS },
  profitUsd: { type: "counter", name: "total_profit_detected_usd", help: "Cumulative net profit of arbitrages that paid, in USD, where it is known", labels: ["chain"] },
  profitSol: { type: "counter", name: "arbitrage_profit_total_sol", help: "Cumulative net profit of arbitrages that paid, on chains whose coin is SOL, in SOL; of Solana what its collectors say" },
  activeArbitrageurs: { type: "gauge", name: "active_arbitrageurs", help: "Number of unique arbitrageurs active in the last hour, by when their transactions were processed", labels: ["chain"] },
  smallOpportunities: { type: "gauge", name: "small_opportunities_percentage", help: "Percentage of opportunities classified as small ($10K-$100K), of those whose profit is known", labels: ["chain"] },

  // Chains and their nodes.
  chainBlocksBehind: { type: "gauge", name: "chain_blocks_behind", help: "Number of blocks behind the latest block", labels: ["chain"] },
  chainRpcLatency: { type: "histogram", name: "chain_rpc_latency_seconds", help: "RPC call latency in seconds", labels: ["chain", "endpoint", "method"], buckets: RPC_SECONDS },
  chainRpcErrors: { type: "counter", name: "chain_rpc_errors_total", help: "Total RPC errors by chain and error type", labels: ["chain", "error_type"] },
  chainBlocks: { type: "counter", name: "weir_chain_blocks_total", help: "Blocks taken from a chain, by how far they were verified", labels: ["chain", "proof"] },
  chainReplaced: { type: "counter", name: "weir_chain_replaced_blocks_total", help: "Blocks that a chain replaced after they were taken", labels: ["chain"] },
  chainPending: { type: "counter", name: "weir_chain_pending_total", help: "Pending transactions seen", labels: ["chain"] },
  chainPendingMissed: { type: "gauge", name: "weir_chain_pending_missed", help: "Pending transactions announced whose body could not be had", labels: ["chain"] },
  chainMarketsMissed: { type: "gauge", name: "weir_chain_markets_missed", help: "Router swaps seen pending whose pools could not be read in time", labels: ["chain"] },

  // Databases: select, insert, command and stream are ClickHouse's, control_read and control_change PostgreSQL's.
  dbLatency: { type: "histogram", name: "db_query_latency_seconds", help: "Database query latency by operation", labels: ["operation"], buckets: SECONDS },
  dbDuration: { type: "histogram", name: "database_query_duration_seconds", help: "The same as db_query_latency_seconds, under its other name", labels: ["operation"], buckets: SECONDS },
  dbErrors: { type: "counter", name: "db_errors_total", help: "Total database errors by operation and error type", labels: ["operation", "error_type"] },
  dbPoolSize: { type: "gauge", name: "db_connection_pool_size", help: "Number of active database connections: PostgreSQL's, since ClickHouse is spoken to over HTTP" },
  dbPoolFree: { type: "gauge", name: "db_connection_pool_free", help: "Number of free database connections, of db_connection_pool_size" },

  // The API and its streams.
  apiRequests: { type: "counter", name: "api_requests_total", help: "Total API requests by endpoint, method, and status", labels: ["endpoint", "method", "status"] },
  apiLatency: { type: "histogram", name: "api_request_latency_seconds", help: "API request latency by endpoint and method", labels: ["endpoint", "method"], buckets: SECONDS },
  apiDuration: { type: "histogram", name: "api_request_duration_seconds", help: "The same as api_request_latency_seconds, under its other name", labels: ["endpoint", "method"], buckets: SECONDS },
  apiErrors: { type: "counter", name: "api_errors_total", help: "Total API errors by endpoint and error type; client is what who asks got wrong", labels: ["endpoint", "error_type"] },
  cacheHits: { type: "counter", name: "weir_cache_hits_total", help: "Answers out of the cache, by kind and where they were", labels: ["cache", "from"] },
  cacheMisses: { type: "counter", name: "weir_cache_misses_total", help: "Answers that had to be made, by kind", labels: ["cache"] },
  cacheBytes: { type: "gauge", name: "weir_cache_bytes", help: "Memory that answers in the cache of this process take" },
  cacheEntries: { type: "gauge", name: "weir_cache_entries", help: "Answers in the cache of this process" },
  cacheEvictions: { type: "counter", name: "weir_cache_evictions_total", help: "Answers that had to go for others before their time was up" },
  wsConnections: { type: "gauge", name: "websocket_connections_active", help: "Number of active WebSocket connections" },
  wsMessages: { type: "counter", name: "websocket_messages_sent_total", help: "Total WebSocket messages sent by message type", labels: ["type"] },

  // Features for models.
  featureRows: { type: "counter", name: "weir_feature_rows_total", help: "Rows of features that the API has given out" },

  // Notifications.
  notifications: { type: "counter", name: "weir_notifications_total", help: "Messages to notification channels, by what became of an attempt", labels: ["outcome", "kind"] },
} as const satisfies Record<string, MetricRow>;
