/**
 * Grafana's dashboards, a line a panel. `node --import tsx engine/ops/grafana/make.ts` writes their JSON into dashboards/, from where docker-compose.yml
 * provisions them; a test compares the two. Their names are those that the systems before had: System Overview, Transaction Flow, API Performance, Data
 * Quality, ML Pipeline; chain health, detection, databases, business figures; trends; delivery of alerts.
 */
export interface Board {
  readonly uid: string;
  readonly title: string;
  /** What it shows first: the last `1h`, `24h` … */
  readonly last: string;
  readonly panels: readonly Panel[];
}

export interface Panel {
  readonly title: string;
  readonly type: "timeseries" | "stat" | "gauge" | "heatmap";
  /** Grafana's name of the unit: ops, s, bytes, percentunit, short … */
  readonly unit: string;
  /** PromQL, and what its series are called. */
  readonly queries: readonly (readonly [expr: string, legend: string])[];
}

const panel =
  (type: Panel["type"]) =>
  (title: string, unit: string, ...queries: [string, string][]): Panel => ({ title, type, unit, queries });
const [graph, stat, gauge, heatmap] = [panel("timeseries"), panel("stat"), panel("gauge"), panel("heatmap")];

/** p50, p95 and p99 of a histogram, of each value of the labels. */
const quantiles = (bucket: string, by = ""): [string, string][] =>
  [0.5, 0.95, 0.99].map((q) => [
    `histogram_quantile(${q}, sum by (le${by && `, ${by}`}) (rate(${bucket}[5m])))`,
    `${by && `{{${by}}} `}p${q * 100}`,
  ]);
const perSecond = (counter: string, by: string): [string, string] => [
  `sum by (${by}) (rate(${counter}[1m]))`,
  `{{${by}}}`,
];

// biome-ignore format: a table
export const BOARDS: readonly Board[] = [
  { uid: "weir-system", title: "Weir: System Overview", last: "1h", panels: [
    stat("Processes that answer", "short", ['sum by (job) (up{job=~"weir-.*"})', "{{job}}"]),
    stat("Uptime", "s", ["time() - process_start_time_seconds", "{{instance}}"]),
    stat("Parts that work", "short", ["min by (component) (weir_component_up)", "{{component}}"]),
    graph("Transactions per second", "ops", ["sum(rate(weir_transactions_total[1m]))", "transactions"]),
    graph("Alerts per second", "ops", ["sum(rate(weir_alerts_total[1m]))", "alerts"]),
    graph("Errors: dead letters, traps, databases, API, workers", "ops", ["sum(rate(weir_dead_letters_total[5m]))", "dead letters"], ["sum(rate(weir_rule_traps_total[5m]))", "rule traps"], ["sum(rate(db_errors_total[5m]))", "databases"], ['sum(rate(api_errors_total{error_type!="client"}[5m]))', "API"], ["sum(rate(weir_worker_restarts_total[5m]))", "worker restarts"]),
    graph("CPU cores", "short", ["rate(process_cpu_seconds_total[1m])", "{{instance}}"]),
    graph("Memory", "bytes", ["process_resident_memory_bytes", "{{instance}}"]),
    graph("JavaScript heap", "bytes", ["nodejs_heap_size_used_bytes", "{{instance}}"]),
    graph("Event loop lag, 99th percentile", "s", ["nodejs_eventloop_lag_p99_seconds", "{{instance}}"]),
    graph("Garbage collection, share of time", "percentunit", ["sum by (instance) (rate(nodejs_gc_duration_seconds_sum[5m]))", "{{instance}}"]),
    graph("Open files", "short", ["process_open_fds", "{{instance}}"]),
  ] },
  { uid: "weir-flow", title: "Weir: Transaction Flow", last: "1h", panels: [
    graph("Transactions per second by source", "ops", perSecond("weir_transactions_total", "source")),
    graph("Records that wait on the topic", "short", ["sum by (topic) (weir_consumer_lag)", "{{topic}}"]),
    graph("Bytes in flight", "bytes", ["weir_in_flight_bytes", "{{instance}}"]),
    graph("Batches per second", "ops", ["sum(rate(weir_batches_total[1m]))", "batches"]),
    graph("Records in a batch", "short", ...quantiles("weir_batch_records_bucket")),
    graph("CPU by stage of a worker", "s", ["sum by (stage) (rate(weir_stage_seconds_sum[1m]))", "{{stage}}"]),
    graph("Ranges stored and ledger commits per second", "ops", ["sum(rate(weir_ranges_stored_total[1m]))", "ranges"], ["sum by (result) (rate(weir_ledger_commits_total[1m]))", "commits {{result}}"]),
    graph("Records sent to topics per second", "ops", ["sum(kafka_producer_record_send_rate)", "over a minute"], ["sum(rate(weir_kafka_records_sent_total[5m]))", "over five"]),
    graph("From batch to publication", "s", ...quantiles("detection_latency_seconds_bucket", "type")),
  ] },
  { uid: "weir-trends", title: "Weir: Historical Trends", last: "14d", panels: [
    graph("Transactions an hour", "short", ["sum(increase(weir_transactions_total[1h]))", "transactions"]),
    graph("Alerts an hour", "short", ["sum(increase(weir_alerts_total[1h]))", "alerts"]),
    graph("Findings an hour by kind", "short", ["sum by (kind) (increase(weir_findings_total[1h]))", "{{kind}}"]),
    graph("Profit detected a day", "currencyUSD", ["sum by (chain) (increase(total_profit_detected_usd[1d]))", "{{chain}}"]),
    graph("Requests to the API an hour", "short", ["sum(increase(api_requests_total[1h]))", "requests"]),
    graph("Memory, the most of an hour", "bytes", ["max by (job) (max_over_time(process_resident_memory_bytes[1h]))", "{{job}}"]),
  ] },
  { uid: "weir-chains", title: "Weir: Chain Health", last: "6h", panels: [
    gauge("Blocks behind", "short", ["max by (chain) (chain_blocks_behind)", "{{chain}}"]),
    graph("RPC latency", "s", ...quantiles("chain_rpc_latency_seconds_bucket", "chain")),
    graph("RPC error rate", "ops", ["sum by (chain, error_type) (rate(chain_rpc_errors_total[5m]))", "{{chain}} {{error_type}}"]),
    graph("RPC latency by node, 95th percentile", "s", ["histogram_quantile(0.95, sum by (le, chain, endpoint) (rate(chain_rpc_latency_seconds_bucket[5m])))", "{{chain}} {{endpoint}}"]),
    graph("Blocks a minute, by how far they were verified", "short", ["sum by (chain, proof) (increase(weir_chain_blocks_total[1m]))", "{{chain}} {{proof}}"]),
    graph("Blocks replaced", "short", ["sum by (chain) (increase(weir_chain_replaced_blocks_total[5m]))", "{{chain}}"]),
    graph("Pending transactions per second", "ops", perSecond("weir_chain_pending_total", "chain")),
    graph("Pending ones whose body, or whose pools, could not be had", "short", ["weir_chain_pending_missed", "{{chain}} body"], ["weir_chain_markets_missed", "{{chain}} pools"]),
  ] },
  { uid: "weir-detection", title: "Weir: Detection and Profit", last: "6h", panels: [
    graph("Opportunities detected per minute", "short", ["sum by (chain) (rate(opportunities_detected_total[5m])) * 60", "{{chain}}"]),
    graph("Arbitrage transactions detected per minute", "short", ["sum by (chain) (rate(transactions_detected_total[5m])) * 60", "{{chain}}"]),
    heatmap("Detection latency", "s", ["sum by (le) (rate(detection_latency_seconds_bucket[5m]))", "{{le}}"]),
    stat("Total profit detected", "currencyUSD", ["sum by (chain) (total_profit_detected_usd)", "{{chain}}"]),
    stat("Total profit detected, SOL", "short", ["sum(arbitrage_profit_total_sol)", "SOL"]),
    gauge("Active arbitrageurs in the last hour", "short", ["sum by (chain) (active_arbitrageurs)", "{{chain}}"]),
    gauge("Small opportunities", "percent", ["avg by (chain) (small_opportunities_percentage)", "{{chain}}"]),
    graph("Arbitrage transactions per second", "ops", ["sum(arbitrage_transactions_rate)", "over a minute"], ["sum(rate(arbitrage_transactions_total[5m]))", "over five"]),
    graph("Transactions on Solana taken in per minute", "short", ["sum(rate(weir_solana_transactions_total[5m])) * 60", "transactions"]),
    graph("Findings per minute by kind", "short", ["sum by (kind) (rate(weir_findings_total[5m])) * 60", "{{kind}}"]),
  ] },
  { uid: "weir-rules", title: "Weir: Rules", last: "1h", panels: [
    stat("Rules by state", "short", ["max by (state) (weir_rules)", "{{state}}"]),
    graph("Alerts per second, the ten rules with most", "ops", ["topk(10, sum by (rule) (rate(weir_alerts_total[1m])))", "{{rule}}"]),
    graph("Transactions shown per second, the ten rules with most", "ops", ["topk(10, sum by (rule) (rate(weir_rule_evaluations_total[1m])))", "{{rule}}"]),
    graph("Fuel per second, the ten rules with most", "short", ["topk(10, sum by (rule) (rate(weir_rule_fuel_total[1m])))", "{{rule}}"]),
    graph("Failures per second by rule", "ops", ["topk(10, sum by (rule) (rate(weir_rule_traps_total[5m])))", "{{rule}}"]),
    graph("Throttled: how often, and transactions not shown", "short", ["sum by (rule) (increase(weir_rule_throttles_total[5m]))", "{{rule}} throttled"], ["sum by (rule) (increase(weir_rule_skipped_total[5m]))", "{{rule}} not shown"]),
    graph("Fuel per second by owner, of what they may", "percentunit", ["sum by (owner) (rate(weir_owner_fuel_total[1m])) / max by (owner) (weir_owner_max_fuel_per_second)", "{{owner}}"]),
    graph("Rules by owner, of what they may", "short", ["max by (owner) (weir_owner_rules)", "{{owner}}"], ["max by (owner) (weir_owner_max_rules)", "{{owner}} at most"], ["max by (owner) (weir_owner_throttled_rules)", "{{owner}} throttled"]),
    graph("Memory of state, of what it may take", "bytes", ["sum(weir_state_bytes)", "all"], ["sum(weir_state_max_bytes)", "at most"], ["topk(5, sum by (rule) (weir_rule_state_bytes))", "{{rule}}"]),
  ] },
  { uid: "weir-databases", title: "Weir: Database Performance", last: "1h", panels: [
    graph("Query latency by operation, 95th percentile", "s", ["histogram_quantile(0.95, sum by (le, operation) (rate(db_query_latency_seconds_bucket[5m])))", "{{operation}}"]),
    graph("Queries per second by operation", "ops", perSecond("db_query_latency_seconds_count", "operation")),
    graph("Database error rate", "ops", ["sum by (operation, error_type) (rate(db_errors_total[5m]))", "{{operation}} {{error_type}}"]),
    gauge("Connection pool utilization", "percentunit", ["(db_connection_pool_size - db_connection_pool_free) / db_connection_pool_size", "{{instance}}"]),
    graph("Average duration by operation", "s", ["sum by (operation) (rate(database_query_duration_seconds_sum[5m])) / sum by (operation) (rate(database_query_duration_seconds_count[5m]))", "{{operation}}"]),
    graph("Attempts of the stream at the store that failed", "short", ["sum by (operation) (increase(weir_store_errors_total[5m]))", "{{operation}}"]),
  ] },
  { uid: "weir-api", title: "Weir: API Performance", last: "1h", panels: [
    graph("Request rate by endpoint", "ops", ["topk(15, sum by (endpoint) (rate(api_requests_total[1m])))", "{{endpoint}}"]),
    graph("Request latency", "s", ...quantiles("api_request_latency_seconds_bucket")),
    graph("Error rate, of all answers", "percentunit", ['sum(rate(api_errors_total{error_type!="client"}[5m])) / sum(rate(api_requests_total[5m]))', "ours"], ['sum(rate(api_errors_total{error_type="client"}[5m])) / sum(rate(api_requests_total[5m]))', "of clients"]),
    graph("Requests per second by status", "ops", perSecond("api_requests_total", "status")),
    graph("Latency by endpoint, 95th percentile", "s", ["topk(15, histogram_quantile(0.95, sum by (le, endpoint) (rate(api_request_duration_seconds_bucket[5m]))))", "{{endpoint}}"]),
    graph("Errors by endpoint and kind", "ops", ["sum by (endpoint, error_type) (rate(api_errors_total[5m]))", "{{endpoint}} {{error_type}}"]),
    gauge("WebSocket connections", "short", ["sum(websocket_connections_active)", "connections"]),
    graph("WebSocket messages per second by type", "ops", perSecond("websocket_messages_sent_total", "type")),
    graph("Answers out of the cache, of all that may be", "percentunit", ["sum by (cache) (rate(weir_cache_hits_total[5m])) / (sum by (cache) (rate(weir_cache_hits_total[5m])) + sum by (cache) (rate(weir_cache_misses_total[5m])))", "{{cache}}"]),
    graph("Memory of the cache", "bytes", ["weir_cache_bytes", "{{instance}}"]),
    graph("Answers in the cache, and those that had to go", "short", ["weir_cache_entries", "{{instance}}"], ["sum(increase(weir_cache_evictions_total[5m]))", "had to go"]),
  ] },
  { uid: "weir-quality", title: "Weir: Data Quality", last: "24h", panels: [
    graph("Records that cannot be processed, by reason", "ops", perSecond("weir_dead_letters_total", "reason")),
    stat("Of what comes in", "percentunit", ["sum(rate(weir_dead_letters_total[1h])) / sum(rate(weir_transactions_total[1h]))", "dead letters"]),
    graph("Failures of rules", "ops", ["sum(rate(weir_rule_traps_total[5m]))", "traps"]),
    graph("Blocks whose word was taken back, or holds again", "short", ["sum by (turn) (increase(weir_block_turns_total[5m]))", "{{turn}}"]),
    graph("Records that say so", "short", ["sum(increase(weir_retractions_total[5m]))", "retractions"]),
    graph("Contradictions of nodes", "short", ['sum by (chain, error_type) (increase(chain_rpc_errors_total{error_type=~"lie_.*"}[5m]))', "{{chain}} {{error_type}}"]),
    graph("Pending transactions that were announced and not had", "short", ["weir_chain_pending_missed", "{{chain}}"]),
    stat("Watched chains are heard of", "short", ['min(weir_component_up{component="coverage"})', "1: all of them"]),
  ] },
  { uid: "weir-ml", title: "Weir: ML Pipeline", last: "24h", panels: [
    graph("Rows of features per second", "ops", ["sum(rate(weir_feature_rows_total[5m]))", "rows"]),
    graph("Requests for features and exports per second", "ops", ['sum by (endpoint) (rate(api_requests_total{endpoint=~".*(features|export).*"}[5m]))', "{{endpoint}}"]),
    graph("Their latency, 95th percentile", "s", ['histogram_quantile(0.95, sum by (le, endpoint) (rate(api_request_latency_seconds_bucket{endpoint=~".*(features|export).*"}[5m])))', "{{endpoint}}"]),
    graph("Their errors", "ops", ['sum by (endpoint, error_type) (rate(api_errors_total{endpoint=~".*(features|export).*"}[5m]))', "{{endpoint}} {{error_type}}"]),
    graph("Selects that they are made of, 95th percentile", "s", ['histogram_quantile(0.95, sum by (le, operation) (rate(db_query_latency_seconds_bucket{operation=~"select|stream"}[5m])))', "{{operation}}"]),
  ] },
  { uid: "weir-delivery", title: "Weir: Alert Delivery", last: "24h", panels: [
    graph("Messages per minute, by what became of an attempt", "short", ["sum by (outcome) (rate(weir_notifications_total[5m])) * 60", "{{outcome}}"]),
    stat("Delivered, of what was settled in a day", "percentunit", ['sum(increase(weir_notifications_total{outcome="delivered"}[1d])) / sum(increase(weir_notifications_total{outcome=~"delivered|dead"}[1d]))', "success rate"]),
    graph("By kind", "short", ["sum by (kind) (increase(weir_notifications_total[5m]))", "{{kind}}"]),
    graph("Given up", "short", ['sum by (kind) (increase(weir_notifications_total{outcome="dead"}[1h]))', "{{kind}}"]),
    graph("Alerts raised per minute", "short", ["sum(rate(weir_alerts_total[5m])) * 60", "alerts"]),
    graph("Live streams: connections", "short", ["sum(websocket_connections_active)", "WebSockets"]),
  ] },
];
