/**
 * `weir start --no-api` with a wire to the benchmark: the same house and the same stream, and answers to questions over IPC.
 * Run by engine.ts with fork().
 */
import { Session } from "node:inspector/promises";
import { loadConfiguration, openHouse } from "../../engine/cli/house.ts";
import { interrupted } from "../../engine/cli/interrupt.ts";
import { kafkaStream } from "../../engine/kafkaStream.ts";
import { type CpuProfile, selfTimes } from "./profile.ts";

export type Question = "stages" | "profile start" | "profile stop";
/** The answer to each: CPU seconds by stage; nothing; CPU seconds of the main thread by room. */
export type Answer = { readonly [name: string]: number };

const { config } = loadConfiguration();
const house = await openHouse(config);
const session = new Session();
session.connect();

async function answer(question: Question): Promise<Answer> {
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
