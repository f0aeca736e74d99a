/**
 * What the engine publishes, as events of the log: alerts, opportunities and arbitrages one by one at level debug, each with its `correlation_id`;
 * what could not be processed at warn, seldom. It is read out of the records that go to the topics, so it says what they say.
 */
import type { Published } from "./dispatch/publishedTap.ts";
import { correlationId } from "./ops/correlationId.ts";
import type { Log } from "./ops/log.ts";
import { logSeldom } from "./ops/logSeldom.ts";
import type { OutputTopic } from "./worker/outcome.ts";
import { unpackRecords } from "./worker/topicRecords.ts";

type Fields = Record<string, unknown>;
interface Value extends Fields {
  readonly source: { readonly topic: string; readonly partition: number; readonly offset: number; readonly n: number };
}

export function createOutcomeLog(log: Log): (outcomes: Published) => void {
  const one = (event: string, value: Value, names: readonly string[], message: string, more: Fields = {}): void => {
    const { topic, ...place } = value.source;
    const facts = Object.fromEntries(names.map((name) => [name, value[name]]));
    log.debug({ event, correlation_id: correlationId({ source: topic, ...place }), ...facts, ...more }, message);
  };

  const byTopic: Partial<Record<OutputTopic, (value: Value) => void>> = {
    alerts: (alert) =>
      one("alert_raised", alert, ["id", "rule", "version", "severity", "chain_id", "tx_hash"], "Alert"),
    "arbitrage-opportunities": (found) => one("opportunity_detected", found, OPPORTUNITY, "Something could be earned"),
    "arbitrage-transactions": (found) => {
      const swaps = { swaps: (found.route as readonly unknown[]).length };
      one("token_flow_extracted", found, ["tx_hash", "start_amount", "end_amount"], "What went in and came out", swaps);
      one("gas_cost_calculated", found, ["tx_hash", "gas_used", "gas_price", "gas_cost"], "What its gas cost");
      one("profit_calculated", found, ["tx_hash", ...PROFIT], "What it left");
      one("arbitrage_transaction_processed", found, ARBITRAGE, "Arbitrage", swaps);
    },
  };

  return (outcomes) => {
    const isDebug = log.isLevelEnabled("debug");
    for (const { batch, outcome } of outcomes) {
      const { source, partition, from, to } = batch;
      for (const [reason, count] of Object.entries(outcome.deadLetterReasons))
        logSeldom(
          log,
          "warn",
          { event: "transaction_processing_error", reason, count, source, partition, from, to },
          "Records could not be processed; they are dead letters",
        );
      if (!isDebug) continue;
      for (const { topic, value } of unpackRecords(outcome.records))
        byTopic[topic]?.(JSON.parse(value.toString()) as Value);
    }
  };
}

const OPPORTUNITY = ["id", "kind", "chain_id", "tx_hash", "pool", "imbalance_pct", "profit_native", "profit_usd", "is_small_opportunity"]; // biome-ignore format: one line
const PROFIT = ["profit_token", "profit_amount", "net_profit", "roi_percent", "gross_usd", "net_usd"];
const ARBITRAGE = ["definition", "strategy", "chain_id", "block_number", "tx_hash", "from_address", "status"];
