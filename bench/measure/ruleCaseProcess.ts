/**
 * Run by ruleCase.ts with fork(): the case as JSON in its argument, the result in its message. Transactions lie in memory as frames;
 * a pass is all of them in batches of 4,096, through the stage and, where alerts are written, to the rows and the topic's records.
 */
import { encodeAlerts } from "../../clickhouse/tables/alerts.ts";
import type { Condition } from "../../engine/condition/condition.ts";
import type { LiveRule } from "../../engine/rules/liveRule.ts";
import { createRuleIndex } from "../../engine/rules/ruleIndex.ts";
import { shareCode } from "../../engine/sandbox/sharedCode.ts";
import { alertRecords, alertRows } from "../../engine/worker/alerts.ts";
import type { Decoded } from "../../engine/worker/decode.ts";
import type { Matched } from "../../engine/worker/matches.ts";
import { createRuleStage } from "../../engine/worker/ruleStage.ts";
import { createThreadClock } from "../../engine/worker/stopwatch.ts";
import { packRecords } from "../../engine/worker/topicRecords.ts";
import { decodeBatches } from "../load/frames.ts";
import { conditionOf, liveRules } from "../load/liveRules.ts";
import { type JsonRule, mixRules, mixTransactions } from "../load/ruleMix.ts";
import { createModuleMaker, renamed } from "../load/ruleModules.ts";
import { createPairCounter, type Pairs } from "../load/ruleTruth.ts";
import type { RuleCase, RuleCaseResult } from "./ruleCase.ts";

/** Records of a batch, as the engine has by default. */
const BATCH = 4_096;
/** The clock ticks at 4 ms. */
const RUN_SECONDS = 0.4;
const WARM_UP_SECONDS = 1;

process.once("disconnect", () => process.exit()); // whoever asked is gone, or has the answer

const clock = createThreadClock();
const { mix, rules: count, as, alerts, transactions, checked, runs } = JSON.parse(process.argv[2]!) as RuleCase;

const batches = decodeBatches(mixTransactions(transactions), BATCH);
const rules = mixRules(mix, count);
const live = as === "json" ? liveRules(rules, { silent: !alerts }) : await asModules(rules);
const rssBefore = process.memoryUsage.rss();
const began = clock();
const stage = createRuleStage(live);
const buildSeconds = clock() - began;

const outcomes = batches.map((batch) => stage(batch));
const { pairs, selected } = selectAll(rules.map(conditionOf));
const milliseconds: number[] = [];
for (const start = clock(); clock() - start < WARM_UP_SECONDS; ) pass();
const microseconds = Array.from({ length: runs }, () => {
  const start = clock();
  let passes = 0;
  for (; clock() - start < RUN_SECONDS; passes++) pass(milliseconds);
  return ((clock() - start) * 1e6) / (passes * transactions);
});

const total = (of: (outcome: (typeof outcomes)[number]) => number): number =>
  outcomes.reduce((sum, each) => sum + of(each), 0);
const result: RuleCaseResult = {
  pairs,
  selected,
  matches: total((outcome) => stage.countsOf(outcome).reduce((sum, { matches }) => sum + matches, 0)),
  failures: total((outcome) => outcome.failures.length),
  alerts: total((outcome) => outcome.alerts.length),
  buildSeconds,
  microseconds,
  p99Milliseconds: milliseconds.sort((a, b) => a - b)[Math.floor(milliseconds.length * 0.99)]!,
  rssBytes: process.memoryUsage.rss(),
  rssBefore,
};
process.send!(result, () => process.disconnect());

function pass(times?: number[]): void {
  for (const batch of batches) {
    const start = performance.now();
    const matched = stage(batch);
    if (alerts) write(batch, matched);
    times?.push(performance.now() - start);
  }
}

/** What process.ts makes of alerts. */
function write(batch: Decoded, { alerts: raised }: Pick<Matched, "alerts">): void {
  const rows = alertRows(batch, raised);
  if (rows.count > 0) encodeAlerts(rows);
  packRecords(alertRecords(rows));
}

/** Each pair once more, by the index over the JSON rules, since counting rules do not say which transactions they have seen. */
function selectAll(conditions: readonly Condition[]): { pairs: Pairs; selected: number } {
  const index = createRuleIndex(conditions);
  const counter = createPairCounter();
  let selected = 0;
  for (const [b, { bytes, words, frames, count }] of batches.entries()) {
    const found = index.select({ bytes, words, offsets: frames, count });
    selected += found.count;
    for (let m = 0; m < found.matched; m++)
      for (const t of found.transactions.subarray(found.starts[m], found.starts[m + 1]))
        if (b * BATCH + t < checked) counter.add(b * BATCH + t, found.rules[m]!);
  }
  return { pairs: counter.pairs, selected };
}

async function asModules(all: readonly JsonRule[]): Promise<LiveRule[]> {
  const makeModule = await createModuleMaker();
  return all.map((rule, number) => {
    const { admitted, manifest } = makeModule(rule);
    const code = shareCode(as === "modules" ? admitted : renamed(admitted, number));
    return { name: rule.id, version: 1, manifest, ...code, silent: !alerts };
  });
}
