import { expect, test } from "vitest";
import { figure } from "./figure.ts";

test("median, least and greatest of an odd and an even number of runs", () => {
  expect(figure("rate", "tx/s", [30, 10, 20])).toMatchObject({
    median: 20,
    min: 10,
    max: 30,
    runs: 3,
    goal: null,
    met: null,
  });
  expect(figure("rate", "tx/s", [40, 10, 20, 30])).toMatchObject({ median: 25, min: 10, max: 40, runs: 4 });
});

test("numbers are sorted as numbers", () => {
  expect(figure("rate", "tx/s", [9, 100, 10])).toMatchObject({ median: 10, min: 9, max: 100 });
});

test("the median decides about the goal, on either side of it", () => {
  expect(figure("rate", "tx/s", [1, 40_000, 50_000], { atLeast: 40_000 })).toMatchObject({ goal: 40_000, met: true });
  expect(figure("rate", "tx/s", [1, 39_999, 50_000], { atLeast: 40_000 }).met).toBe(false);
  expect(figure("RSS", "MiB", [1, 1_499, 9_999], { below: 1_500 })).toMatchObject({ goal: 1_500, met: true });
  expect(figure("RSS", "MiB", [1_500], { below: 1_500 }).met).toBe(false);
});

test("digits that mean nothing are left out, after the goal was looked at", () => {
  expect(figure("cpu", "µs", [1.234567]).median).toBe(1.235);
  expect(figure("rate", "tx/s", [123_456.7]).median).toBe(123_457);
  expect(figure("rate", "tx/s", [39_999.9], { atLeast: 40_000 })).toMatchObject({ median: 40_000, met: false });
});

test("no samples, or one that is no number, are an error", () => {
  expect(() => figure("rate", "tx/s", [])).toThrow(/expected at least one/);
  expect(() => figure("rate", "tx/s", [1, Number.NaN])).toThrow(/rate/);
  expect(() => figure("rate", "tx/s", [1 / 0])).toThrow(RangeError);
});
