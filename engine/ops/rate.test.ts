import { expect, test } from "vitest";
import { createRate } from "./rate.ts";

test("counts the last minute, and forgets what is older", () => {
  let at = 5_000;
  const rate = createRate(() => at);
  rate.add(30);
  expect(rate.perSecond()).toBe(30); // within the first second
  at += 10_000;
  rate.add(70);
  expect(rate.perSecond()).toBe(10); // 100 in ten seconds
  at += 49_999;
  expect(rate.perSecond()).toBeCloseTo(100 / 59.999, 6);
  at += 1; // the second of the 30 is a minute ago
  expect(rate.perSecond()).toBeCloseTo(70 / 60, 6);
  at += 3_600_000;
  expect(rate.perSecond()).toBe(0);
  rate.add(6); // in a place of the ring that an older second had
  expect(rate.perSecond()).toBeCloseTo(0.1, 6);
});
