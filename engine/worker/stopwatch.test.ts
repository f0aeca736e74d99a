import { expect, test } from "vitest";
import { createStopwatch } from "./stopwatch.ts";

test("a stage gets what passed since the one before, and a batch begins at zero", () => {
  const times = [10, 11, 13, 20, 24];
  const stopwatch = createStopwatch(() => times.shift()!);
  stopwatch.start();
  stopwatch.lap("decode");
  stopwatch.lap("rules");
  expect(stopwatch.take()).toEqual({ decode: 1, rules: 2 });
  stopwatch.start();
  stopwatch.lap("decode");
  expect(stopwatch.take()).toEqual({ decode: 4 });
});

test("of small batches one in sixteen is measured, for all sixteen", () => {
  let now = 0;
  const stopwatch = createStopwatch(() => now++);
  const took = Array.from({ length: 17 }, () => {
    stopwatch.start(1_000);
    stopwatch.lap("decode");
    return stopwatch.take().decode ?? 0;
  });
  expect(took).toEqual([16, ...Array(15).fill(0), 16]);
  expect(now).toBe(4);
  stopwatch.start(64 << 10);
  stopwatch.lap("decode");
  expect(stopwatch.take()).toEqual({ decode: 1 });
});

test("the clock of this machine goes forward while a thread works", () => {
  const stopwatch = createStopwatch();
  stopwatch.start();
  for (let i = 0; (stopwatch.take().rows ?? 0) === 0; i++) {
    if (i === 10_000_000) throw new Error("the clock stands still");
    stopwatch.lap("rows");
  }
  expect(stopwatch.take().rows).toBeGreaterThan(0);
});
