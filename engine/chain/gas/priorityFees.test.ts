import fc from "fast-check";
import { expect, test } from "vitest";
import { priorityFees } from "./priorityFees.ts";

const tip = (fee: number, gasUsed: number) => ({ fee: BigInt(fee), gasUsed: BigInt(gasUsed) });

test("by gas, not by count, in any order", () => {
  const tips = [tip(30, 10), tip(5, 80), tip(20, 10)];
  expect(priorityFees(tips, [0, 50, 80, 81, 90, 91, 100])).toEqual([5n, 5n, 5n, 20n, 20n, 30n, 30n]);
  expect(priorityFees([], [10, 90])).toEqual([0n, 0n]);
});

test("fees beyond a double are told apart", () => {
  const [low, high] = [2n ** 90n, 2n ** 90n + 1n];
  const tips = [low, high, low].map((fee) => ({ fee, gasUsed: 21_000n }));
  expect(priorityFees(tips, [60, 70])).toEqual([low, high]);
});

test("each is a fee of the block, they ascend, and so much of the gas paid as much or less", () => {
  const tips = fc.array(fc.record({ fee: fc.bigInt(0n, 2n ** 100n), gasUsed: fc.bigInt(1n, 30_000_000n) }), {
    minLength: 1,
  });
  fc.assert(
    fc.property(tips, fc.integer({ min: 0, max: 100 }), (all, percentile) => {
      const [fee, most] = priorityFees(all, [percentile, 100]);
      const upTo = all.filter((one) => one.fee <= fee!).reduce((sum, { gasUsed }) => sum + gasUsed, 0n);
      const total = all.reduce((sum, { gasUsed }) => sum + gasUsed, 0n);
      expect(all.some((one) => one.fee === fee)).toBe(true);
      expect(upTo * 100n >= (total * BigInt(percentile)) / 100n).toBe(true);
      expect(most! >= fee!).toBe(true);
    }),
  );
});
