import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { peakMemory, threadCpu } from "./processCpu.ts";

const linux = existsSync("/proc/self/task");
if (!linux) console.warn("CPU by thread is not tested: there is no /proc here");

test.skipIf(!linux)("CPU by thread agrees with what the process knows of itself", () => {
  for (const began = performance.now(); performance.now() - began < 100; );
  const cpu = threadCpu(process.pid)!;
  const { user, system } = process.cpuUsage();
  const sum = Object.values(cpu).reduce((a, b) => a + b, 0);
  expect(cpu.main).toBeGreaterThan(0.01);
  // Threads that ended count in one and not in the other; ticks are 4 ms.
  expect(sum).toBeLessThan((user + system) / 1e6 + 0.1);
});

test.skipIf(!linux)("peak memory only grows, and covers what is resident now", () => {
  const before = peakMemory(process.pid)!;
  // what was given back since the peak is filled first
  const held = Buffer.alloc(before - process.memoryUsage.rss() + (64 << 20), 1);
  expect(peakMemory(process.pid)! - before).toBeGreaterThan(32 << 20);
  expect(held.length).toBeGreaterThan(0);
});

test("a process that is not there has neither", () => {
  expect(threadCpu(2 ** 22 + 1)).toBeUndefined();
  expect(peakMemory(2 ** 22 + 1)).toBeUndefined();
});
