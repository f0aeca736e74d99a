/**
 * `weir start --no-api` with a wire to the benchmark: the same house and the same stream, and answers to questions over IPC.
 * Run by engine.ts with fork().
 */
import { Session } from "node:inspector/promises";
import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import { loadConfiguration, openHouse } from "../../engine/cli/house.ts";
import { interrupted } from "../../engine/cli/interrupt.ts";
import { kafkaStream } from "../../engine/kafkaStream.ts";
import { changeProbe, takeRules } from "./engineRules.ts";
import { type CpuProfile, selfTimes } from "./profile.ts";

export type Question = "stages" | "profile start" | "profile stop" | "runtime" | "change a rule";
/**
 * The answer to each: CPU seconds by stage; nothing; CPU seconds of the main thread by room; what the main thread waited for since this was last
 * asked, by the names of `Runtime`; ms until the other version of a rule runs.
 */
export type Answer = { readonly [name: string]: number };

/** Of the main thread: garbage collection in all and the longest pause; how late a timer comes, that something else kept waiting. */
export type Runtime = Readonly<Record<"gcMs" | "longestGcMs" | "loopP50Ms" | "loopP99Ms" | "longestLoopMs", number>>;

const { config } = loadConfiguration();
const house = await openHouse(config);
const session = new Session();
session.connect();

let probeVersion = 1;
if (process.env.BENCH_RULES) await takeRules(house, process.env.BENCH_RULES);

const LOOP_MS = 5;
const loop = monitorEventLoopDelay({ resolution: LOOP_MS });
loop.enable();
let pauses: number[] = [];
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) pauses.push(duration);
}).observe({ entryTypes: ["gc"] });

function runtime(): Answer {
  const late = (ns: number): number => Math.max(0, ns / 1e6 - LOOP_MS);
  const answer = {
    gcMs: pauses.reduce((sum, ms) => sum + ms, 0),
    longestGcMs: Math.max(0, ...pauses),
    loopP50Ms: late(loop.percentile(50)),
    loopP99Ms: late(loop.percentile(99)),
    longestLoopMs: late(loop.max),
  } satisfies Runtime;
  pauses = [];
  loop.reset();
  return answer;
}

async function answer(question: Question): Promise<Answer> {
  if (question === "runtime") return runtime();
  if (question === "change a rule") return { liveMs: await changeProbe(house, ++probeVersion) };
  if (question === "profile start") {
    await session.post("Profiler.enable");
    await session.post("Profiler.start");
    return {};
  }
  if (question === "profile stop") return selfTimes((await session.post("Profiler.stop")).profile as CpuProfile);
  const { values } = await house.metrics.stageSeconds.get();
  return Object.fromEntries(
    values
      .filter(({ metricName }) => metricName?.endsWith("_sum"))
      .map(({ labels, value }) => [String(labels.stage), value]),
  );
}

process.on("message", (question: Question) => {
  void answer(question).then((found) => process.send!(found));
});
const assigned = (): boolean => process.send!("assigned");
await house.engine.run(() => kafkaStream(house), interrupted(), { assignment: assigned });
await house.close();
process.exit();
