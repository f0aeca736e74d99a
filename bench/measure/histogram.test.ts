import { expect, test } from "vitest";
import { createHistogram } from "./histogram.ts";

test("percentiles are within a part in a thousand of the sorted samples', and never below them, from 1 µs to an hour", () => {
  const histogram = createHistogram();
  const samples = Array.from({ length: 5_000 }, (_, i) => 0.001 * 1.0044 ** i).sort((a, b) => a - b); // to 3,400,000 ms
  for (const ms of samples) histogram.record(ms);
  expect(histogram.count).toBe(5_000);
  for (const share of [0, 0.1, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = samples[Math.max(0, Math.ceil(share * 5_000) - 1)]!;
    const got = histogram.percentile(share);
    expect(got).toBeGreaterThanOrEqual(Math.round(exact * 1_000) / 1_000);
    expect(got).toBeLessThanOrEqual(exact * 1.001 + 0.001);
  }
});

test("what is below 2 ms is exact to the µs, and neighbours at the edges of buckets are not mixed up", () => {
  const histogram = createHistogram();
  for (const us of [0, 1, 2_047, 2_048, 2_049, 4_095, 4_096]) histogram.record(us / 1_000);
  expect(histogram.counters()).toEqual([
    { ms: 0, samples: 1 },
    { ms: 0.001, samples: 1 },
    { ms: 2.047, samples: 1 },
    { ms: 2.049, samples: 2 },
    { ms: 4.095, samples: 1 },
    { ms: 4.099, samples: 1 },
  ]);
});

test("the sum of histograms has all samples, what is too long counts as the longest, and without samples there is no percentile", () => {
  const [one, other] = [createHistogram(), createHistogram()];
  expect(() => one.percentile(0.5)).toThrow("there are no samples");
  for (const ms of [1, 2, 900]) one.record(ms);
  for (const ms of [1, 1e12]) other.record(ms);
  one.add(other);
  expect(one.count).toBe(5);
  expect(one.percentile(0.4)).toBe(1);
  expect(one.percentile(1)).toBeCloseTo(2 ** 32 / 1_000, -1);
});
