/** Counts what the engine publishes: transactions, findings and what they are worth, rules, dead letters. */
import type { Registry } from "./chain/registry/registry.ts";
import type { Published } from "./dispatch/publishedTap.ts";
import type { Metrics } from "./ops/metrics.ts";
import type { Catalogue } from "./rules/catalogue.ts";
import type { Batch } from "./source/batch.ts";
import type { FindingCount, Outcome, RuleCount } from "./worker/outcome.ts";

export interface OutcomeMeter {
  /** A batch was cut: from here on its way is timed. */
  begun(batch: Batch): void;
  published(outcomes: Published): void;
}

type RuleSum = Pick<RuleCount, "evaluations" | "matches" | "traps" | "fuel" | "skipped">;

/** A counter costs more than a sum, and a commit has some twenty batches. */
function sumsOf(outcomes: Published): Map<string, RuleSum> {
  const sums = new Map<string, RuleSum>();
  for (const { outcome } of outcomes)
    for (const { rule, evaluations, matches, traps, fuel, skipped } of outcome.rules) {
      const sum = sums.get(rule);
      sums.set(rule, {
        evaluations: evaluations + (sum?.evaluations ?? 0),
        matches: matches + (sum?.matches ?? 0),
        traps: traps + (sum?.traps ?? 0),
        fuel: fuel + (sum?.fuel ?? 0),
        skipped: skipped + (sum?.skipped ?? 0),
      });
    }
  return sums;
}

const HOUR_MS = 3_600_000;
/** Arbitrageurs of a chain that are remembered for an hour: 10 MB. The one that was active longest ago is forgotten first. */
const MAX_ARBITRAGEURS = 100_000;
const LAMPORTS = 1e9;

/** @param now ms; for tests */
export function createOutcomeMeter(
  metrics: Metrics,
  { chains }: Pick<Registry, "chains">,
  catalogue: Pick<Catalogue, "get">,
  now: () => number = () => performance.now(),
): OutcomeMeter {
  const beginnings = new WeakMap<Batch, number>();
  /** By chain: when an arbitrageur was last active, in that order. */
  const arbitrageurs = new Map<string, Map<string, number>>();
  const valued = new Map<string, { known: number; small: number }>();

  metrics.beforeRead(() => {
    for (const [chain, seen] of arbitrageurs) {
      for (const [sender, at] of seen) {
        if (now() - at < HOUR_MS) break;
        seen.delete(sender);
      }
      metrics.activeArbitrageurs.set({ chain }, seen.size);
    }
  });

  function countOpportunities(chain: string, { findings, valued: worth }: FindingCount): void {
    metrics.opportunitiesDetected.inc({ chain }, findings);
    const sum = valued.get(chain) ?? { known: 0, small: 0 };
    valued.set(chain, sum);
    sum.known += worth?.known ?? 0;
    sum.small += worth?.small ?? 0;
    if (sum.known > 0) metrics.smallOpportunities.set({ chain }, (100 * sum.small) / sum.known);
  }

  function countArbitrages(chain: string, { chainId, transactions, earned }: FindingCount): void {
    metrics.transactionsDetected.inc({ chain }, transactions);
    metrics.arbitrageTransactions.inc({ chain }, transactions);
    metrics.rates.arbitrageTransactions.add(transactions);
    if (!earned) return;
    metrics.profitUsd.inc({ chain }, earned.usd);
    if (chains.get(chainId)?.nativeToken === "SOL") metrics.profitSol.inc(earned.native / LAMPORTS);
    let seen = arbitrageurs.get(chain);
    if (!seen) arbitrageurs.set(chain, (seen = new Map()));
    for (const sender of earned.senders) {
      seen.delete(sender); // to the end: a Map keeps the order in which its keys came
      seen.set(sender, now());
      if (seen.size > MAX_ARBITRAGEURS) seen.delete(seen.keys().next().value!);
    }
  }

  function countFindings(batch: Batch, findings: Outcome["findings"]): void {
    const took = (now() - (beginnings.get(batch) ?? now())) / 1000;
    const timed = new Set<string>();
    const time = (chain: string, type: "opportunity" | "transaction"): void => {
      if (timed.size < timed.add(`${chain} ${type}`).size) metrics.detectionLatency.observe({ chain, type }, took);
    };
    for (const count of findings) {
      const { chainId, kind } = count;
      const chain = chains.get(chainId)?.name ?? String(chainId);
      metrics.findings.inc({ chain, kind }, count.findings);
      if (kind === "pool_imbalance" || kind === "pending_backrun") {
        countOpportunities(chain, count);
        time(chain, "opportunity");
      }
      if (kind === "arbitrage") {
        countArbitrages(chain, count);
        time(chain, "transaction");
      }
    }
  }

  function countRule(rule: string, { evaluations, matches, traps, fuel, skipped }: RuleSum): void {
    metrics.ruleEvaluations.inc({ rule }, evaluations);
    if (matches > 0) metrics.alerts.inc({ rule }, matches);
    if (traps > 0) metrics.ruleTraps.inc({ rule }, traps);
    metrics.ruleFuel.inc({ rule }, fuel);
    if (fuel > 0) metrics.ownerFuel.inc({ owner: catalogue.get(rule)?.owner ?? "unknown" }, fuel);
    if (skipped > 0) metrics.ruleSkipped.inc({ rule }, skipped);
  }

  return {
    begun: (batch) => void beginnings.set(batch, now()),
    published(outcomes) {
      metrics.ledgerCommits.inc({ result: "ok" });
      for (const { batch, outcome } of outcomes) {
        metrics.batches.inc();
        metrics.batchRecords.observe(batch.count);
        metrics.transactions.inc({ source: batch.source }, outcome.transactions);
        countFindings(batch, outcome.findings);
        for (const [reason, count] of Object.entries(outcome.deadLetterReasons))
          metrics.deadLetters.inc({ reason }, count);
      }
      for (const [rule, sum] of sumsOf(outcomes)) countRule(rule, sum);
    },
  };
}
