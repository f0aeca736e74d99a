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

test("the clock of this machine goes forward while a thread works", () => {
  const stopwatch = createStopwatch();
  stopwatch.start();
  for (let i = 0; (stopwatch.take().rows ?? 0) === 0; i++) {
    if (i === 10_000_000) throw new Error("the clock stands still");
    stopwatch.lap("rows");
  }
  expect(stopwatch.take().rows).toBeGreaterThan(0);
});
