/** Run by workerCase.ts with fork(): the case as JSON in its argument, the result in its message. */
import { CONTENT } from "../../engine/frame/content.ts";
import { type Batch, packBatch } from "../../engine/source/batch.ts";
import { createProcessor, type Stage } from "../../engine/worker/process.ts";
import { createStopwatch, createThreadClock } from "../../engine/worker/stopwatch.ts";
import { createWorld } from "../../engine/world/world.ts";
import { CHAINS } from "../load/frames.ts";
import { growthLines } from "../load/growthLoad.ts";
import { liveRules } from "../load/liveRules.ts";
import { type JsonRule, mixRules, valueAbove } from "../load/ruleMix.ts";
import { countByRule, parseTransaction } from "../load/ruleTruth.ts";
import type { WorkerCase, WorkerCaseResult } from "./workerCase.ts";

/** Records of a batch, as the engine has by default; a block is not cut. */
const BATCH = 4_096;
/** The clock ticks at 4 ms. */
const RUN_SECONDS = 0.4;
const WARM_UP_SECONDS = 1;
const STAGES: readonly Stage[] = ["decode", "detect", "rules", "rows", "records"];

process.once("disconnect", () => process.exit()); // whoever asked is gone, or has the answer

const { load, transactions, rules: wanted, runs } = JSON.parse(process.argv[2]!) as WorkerCase;
const lines = await growthLines(load, transactions);
const silent = "dense" in wanted;
const rules: readonly JsonRule[] = silent ? mixRules("dense", wanted.dense) : [{ id: "share", conditions: valueAbove(wanted.alertingOn) }]; // biome-ignore format: one line
const stopwatch = createStopwatch();
const run = createProcessor(liveRules(rules, { silent }), createWorld({ chains: CHAINS }), stopwatch.lap);
const batches = cut(load.kind === "blocks" ? Math.max(1, Math.floor(BATCH / load.transactions)) * load.transactions : BATCH); // biome-ignore format: one line

const clock = createThreadClock();
const outcomes = batches.map(run);
for (const began = clock(); clock() - began < WARM_UP_SECONDS; ) batches.forEach(run);
const samples = Array.from({ length: runs }, measure);
const truth = countByRule(rules, lines.map(parseTransaction)).reduce((all, count) => all + count, 0);
const sum = (of: (outcome: (typeof outcomes)[number]) => number): number =>
  outcomes.reduce((all, each) => all + of(each), 0);
const result: WorkerCaseResult = {
  transactions: sum((outcome) => outcome.transactions),
  bytes: Math.round(lines.reduce((all, { length }) => all + length, 0) / lines.length),
  deadLetters: sum((outcome) => outcome.deadLetters),
  alerts: sum((outcome) => outcome.alerts),
  matches: silent ? sum((outcome) => outcome.rules.reduce((all, each) => all + each.matches, 0)) : 0,
  expected: silent ? { alerts: 0, matches: truth } : { alerts: truth, matches: 0 },
  stages: Object.fromEntries(STAGES.map((stage) => [stage, samples.map((each) => each[stage])])) as unknown as WorkerCaseResult["stages"], // biome-ignore format: one line
};
process.send!(result, () => process.disconnect());

/** µs a transaction of one run, by stage. */
function measure(): Record<Stage, number> {
  const seconds = Object.fromEntries(STAGES.map((stage) => [stage, 0])) as Record<Stage, number>;
  let passes = 0;
  for (const began = clock(); clock() - began < RUN_SECONDS; passes++)
    for (const batch of batches) {
      stopwatch.start();
      run(batch);
      for (const [stage, took] of Object.entries(stopwatch.take())) seconds[stage as Stage] += took;
    }
  for (const stage of STAGES) seconds[stage] *= 1e6 / (passes * lines.length);
  return seconds;
}

function cut(size: number): Batch[] {
  const cuts: Batch[] = [];
  for (let from = 0; from < lines.length; from += size) {
    const records = lines
      .slice(from, from + size)
      .map((line, i) => ({ offset: from + i, time: 0, content: CONTENT.json, value: Buffer.from(line) }));
    cuts.push(packBatch("bench", 0, from, from + records.length, records));
  }
  return cuts;
}
