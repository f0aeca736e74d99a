import { expect, test } from "vitest";
import { fitLine, fitPower, flatness, type Point } from "./fit.ts";

test("a line through points that lie on it, and around it", () => {
  expect(fitLine([[0, 1], [1, 3], [2, 5]])).toMatchObject({ slope: 2, intercept: 1, spread: 0, r2: 1 }); // biome-ignore format: points
  const around = fitLine([[0, 0], [1, 2], [2, 1], [3, 3]]); // biome-ignore format: points
  expect(around.slope).toBeCloseTo(0.8);
  expect(around.intercept).toBeCloseTo(0.3);
  expect(around.spread).toBeCloseTo(4.303 * Math.sqrt(1.8 / 2 / 5), 3); // as R's confint gives it
  expect(around.r2).toBeCloseTo(0.64);
  expect(fitLine([[0, 1], [1, 2]]).spread).toBe(Number.POSITIVE_INFINITY); // biome-ignore format: points
  expect(() => fitLine([[1, 1], [1, 2]])).toThrow("one x"); // biome-ignore format: points
});

test("a power is found from 1 to 10,000, and refused for what has no logarithm", () => {
  const growth = fitPower([1, 10, 100, 10_000].map((x): Point => [x, 3 * x ** 0.5]));
  expect(growth.power).toBeCloseTo(0.5);
  expect(growth.factor).toBeCloseTo(3);
  expect(() => fitPower([[0, 1], [1, 1]])).toThrow("above 0"); // biome-ignore format: points
});

/** 10 minutes, a sample a second. */
const samples = (of: (minute: number, i: number) => number): Point[] =>
  Array.from({ length: 600 }, (_, i) => [i / 60, of(i / 60, i)]);

test("what swings around a value is flat, what leaks is not, and a little growth is allowed", () => {
  const swing = (i: number): number => 20 * Math.sin(i / 7);
  expect(
    flatness(
      samples((_, i) => 500 + swing(i)),
      25,
    ).flat,
  ).toBe(true);
  const leak = flatness(
    samples((minute, i) => 500 + 10 * minute + swing(i)),
    25,
  );
  expect(leak.flat).toBe(false);
  expect(leak.slope).toBeCloseTo(10, 0);
  expect(leak.slope - leak.spread).toBeGreaterThan(5);
  expect(
    flatness(
      samples((minute, i) => 500 + 1 * minute + swing(i)),
      25,
    ).flat,
  ).toBe(true);
  expect(
    flatness(
      samples((minute) => 500 - 30 * minute),
      25,
    ).flat,
  ).toBe(true);
  expect(() => flatness(samples(() => 1).slice(0, 11), 1)).toThrow("11 samples");
});
