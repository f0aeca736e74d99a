import { expect, test } from "vitest";
import { openLoop, percentile } from "./openLoop.ts";

test("a percentile is the sample that so many are not above", () => {
  const samples = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect([0.5, 0.99, 1].map((share) => percentile(samples, share))).toEqual([50, 99, 100]);
  expect(percentile([7], 0.5)).toBe(7);
  expect(() => percentile([], 0.5)).toThrow("there are no samples");
});

test("everything is fired, each with the time at which it was due, also what a stall has made late", async () => {
  const dues: number[] = [];
  await openLoop({
    perSecond: 1_000,
    seconds: 0.1,
    fire(i, due) {
      dues.push(due);
      if (i === 10) for (const end = performance.now() + 30; performance.now() < end; );
    },
  });
  expect(dues).toHaveLength(100);
  expect(dues.map((due) => Math.round(due - dues[0]!))).toEqual(Array.from({ length: 100 }, (_, i) => i));
});
