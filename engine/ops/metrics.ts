/**
 * Every metric we expose, in one place: name, type, labels, sentence. Ours begin with `weir_`; the others are what
 * dashboards of earlier systems ask for. No metric of Go's runtime: there is none here to measure.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics({ defaults = true }: { defaults?: boolean } = {}) {
  const registry = new Registry();
  const registers = [registry];
  if (defaults) collectDefaultMetrics({ register: registry }); // CPU, memory, event loop lag, garbage collection

  const counter = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, labelNames, registers });
  const gauge = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name, help, labelNames, registers });
  const histogram = <L extends string = never>(
    name: string,
    help: string,
    labelNames: readonly L[],
    buckets: readonly number[],
  ) => new Histogram<L>({ name, help, labelNames, buckets: [...buckets], registers });

  return {
    registry,
    transactions: counter("weir_transactions_total", "Transactions processed", ["source"]),
    deadLetters: counter("weir_dead_letters_total", "Records that could not be processed, by reason", ["reason"]),
    alerts: counter("weir_alerts_total", "Alerts raised, by rule", ["rule"]),
    findings: counter("weir_findings_total", "What was found in blocks, by chain and kind", ["chain", "kind"]),
    opportunitiesDetected: counter("opportunities_detected_total", "Total number of opportunities detected", ["chain"]),
    transactionsDetected: counter("transactions_detected_total", "Total number of arbitrage transactions detected", [
      "chain",
    ]),
    ruleEvaluations: counter("weir_rule_evaluations_total", "Transactions shown to a rule", ["rule"]),
    ruleTraps: counter("weir_rule_traps_total", "Transactions a rule failed on", ["rule"]),
    ruleFuel: counter("weir_rule_fuel_total", "Fuel a rule used", ["rule"]),
    ruleSkipped: counter("weir_rule_skipped_total", "Transactions a throttled rule was not shown", ["rule"]),
    ruleThrottles: counter("weir_rule_throttles_total", "How often a rule was throttled", ["rule"]),
    ownerFuel: counter("weir_owner_fuel_total", "Fuel the rules of an owner used", ["owner"]),
    ownerRules: gauge("weir_owner_rules", "Rules of an owner that run, or wait to", ["owner"]),
    ownerThrottled: gauge("weir_owner_throttled_rules", "Rules of an owner that are throttled", ["owner"]),
    ownerMaxRules: gauge("weir_owner_max_rules", "Rules of an owner that may run", ["owner"]),
    ownerMaxFuel: gauge("weir_owner_max_fuel_per_second", "Fuel an owner may use for a second of the stream", [
      "owner",
    ]),
    stateBytes: gauge("weir_state_bytes", "Memory that state of rules takes, all partitions together"),
    stateMaxBytes: gauge("weir_state_max_bytes", "Memory that state of rules may take"),
    ruleStateBytes: gauge("weir_rule_state_bytes", "Memory that the state of a rule takes", ["rule"]),
    batches: counter("weir_batches_total", "Batches processed"),
    batchRecords: histogram("weir_batch_records", "Records in a batch", [], [1, 16, 64, 256, 1024, 4096, 16_384]),
    stageSeconds: histogram("weir_stage_seconds", "CPU that a batch took in a stage of its worker", ["stage"], SECONDS),
    rangesStored: counter("weir_ranges_stored_total", "Ranges that are in ClickHouse"),
    ledgerCommits: counter("weir_ledger_commits_total", "Commits of the ledger, by result", ["result"]),
    inFlightBytes: gauge("weir_in_flight_bytes", "Bytes of records between source and store"),
    consumerLag: gauge("weir_consumer_lag", "Records on the topic that are not published yet", ["topic", "partition"]),
    storeErrors: counter("weir_store_errors_total", "Failed requests to ClickHouse, by operation", ["operation"]),
    workerRestarts: counter("weir_worker_restarts_total", "Worker threads that died and were replaced"),
    chainBlocksBehind: gauge("chain_blocks_behind", "Number of blocks behind the latest block", ["chain"]),
    chainRpcLatency: histogram(
      "chain_rpc_latency_seconds",
      "RPC call latency in seconds",
      ["chain", "endpoint", "method"],
      RPC_SECONDS,
    ),
    chainRpcErrors: counter("chain_rpc_errors_total", "Total RPC errors by chain and error type", [
      "chain",
      "error_type",
    ]),
    chainBlocks: counter("weir_chain_blocks_total", "Blocks taken from a chain, by how far they were verified", [
      "chain",
      "proof",
    ]),
    notifications: counter(
      "weir_notifications_total",
      "Messages to notification channels, by what became of an attempt",
      ["outcome", "kind"],
    ),
    blockTurns: counter("weir_block_turns_total", "Blocks whose word was taken back (replaced) or holds again (back)", [
      "turn",
    ]),
    retractions: counter(
      "weir_retractions_total",
      "Records that say that an alert or a block's findings do not hold, or hold again",
      [],
    ),
    chainReplaced: counter("weir_chain_replaced_blocks_total", "Blocks that a chain replaced after they were taken", [
      "chain",
    ]),
    chainPending: counter("weir_chain_pending_total", "Pending transactions seen", ["chain"]),
    chainMarketsMissed: gauge(
      "weir_chain_markets_missed",
      "Router swaps seen pending whose pools could not be read in time",
      ["chain"],
    ),
    chainPendingMissed: gauge(
      "weir_chain_pending_missed",
      "Pending transactions announced whose body could not be had",
      ["chain"],
    ),
    apiRequests: counter("api_requests_total", "Total API requests by endpoint, method, and status", [
      "endpoint",
      "method",
      "status",
    ]),
    apiLatency: histogram(
      "api_request_latency_seconds",
      "API request latency by endpoint and method",
      ["endpoint", "method"],
      SECONDS,
    ),
    wsConnections: gauge("websocket_connections_active", "Number of active WebSocket connections"),
    wsMessages: counter("websocket_messages_sent_total", "Total WebSocket messages sent by message type", ["type"]),
    apiErrors: counter("api_errors_total", "Total API errors by endpoint and error type", ["endpoint", "error_type"]),
  };
}

/** As the monitor had them that this replaces. */
const RPC_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** 1 ms to 10 s in steps of about 2.5: the decision at 100 ms and 1 s must fall on an edge. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
