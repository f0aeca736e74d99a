/**
 * Prints how much code detection runs for floods of logs: { "flood": [work of few, work of 8 times as many] }, which is V8's count of calls, and of
 * the blocks within functions that ran, loops above all. The same on any machine under any load, which no clock is. V8 counts in what is compiled
 * after it was asked to: hence a process of its own.
 */
import { Session } from "node:inspector/promises";

const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });

const { createDetector } = await import("../detect.ts");
const { builtInRegistry } = await import("../registry/registry.ts");
const { FEW, floods } = await import("./floods.ts");
const { floodOf } = await import("./logs.ts");

/** Since it was asked for last. */
async function takeCount(): Promise<number> {
  const { result } = await session.post("Profiler.takePreciseCoverage");
  const counts = result
    .filter(({ url }) => /\/engine\/(chain|frame)\//.test(url))
    .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges.map(({ count }) => count)));
  return counts.reduce((sum, count) => sum + count, 0);
}

const detect = createDetector({ registry: builtInRegistry });
const work: Record<string, number[]> = {};
for (const [name, logs] of Object.entries(floods)) {
  work[name] = [];
  for (const count of [FEW, 8 * FEW]) {
    const flood = floodOf(logs(count));
    await takeCount();
    detect(flood);
    work[name].push(await takeCount());
  }
}
process.stdout.write(JSON.stringify(work));
