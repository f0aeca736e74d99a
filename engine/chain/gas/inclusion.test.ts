import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BlockFees, chanceOf, measureTips, tipFor } from "./inclusion.ts";

const blocks = (fees: readonly number[], first = 1): BlockFees[] =>
  fees.map((fee, i) => ({ number: first + i, baseFee: 100n, entryFee: BigInt(fee) }));

describe("tipFor()", () => {
  test("the smallest that would have done in a share of the runs", () => {
    const ten = blocks([9, 1, 8, 2, 7, 3, 6, 4, 5, 10]);
    expect([0.1, 0.5, 0.9, 1].map((chance) => tipFor(ten, 1, chance))).toEqual([1n, 5n, 9n, 10n]);
    expect([0.5, 1].map((chance) => tipFor(ten, 3, chance))).toEqual([2n, 4n]); // lowest of three: 1 1 2 2 3 3 4 4
  });

  test("runs do not reach over a gap", () => {
    const apart = [...blocks([5, 6]), ...blocks([7, 8], 10)];
    expect([tipFor(apart, 2, 1), tipFor(apart, 3, 1)]).toEqual([7n, undefined]);
    expect(tipFor([], 1, 0.5)).toBeUndefined();
  });

  test("more blocks never cost more, a higher chance never less", () => {
    const fees = fc.array(fc.nat(1_000), { minLength: 10, maxLength: 60 });
    fc.assert(
      fc.property(fees, fc.double({ min: 0.01, max: 1, noNaN: true }), (all, chance) => {
        const tips = [1, 3, 10].map((horizon) => tipFor(blocks(all), horizon, 1)!);
        expect([...tips].sort((a, b) => Number(b - a))).toEqual(tips);
        expect(tipFor(blocks(all), 3, chance)! <= tips[1]!).toBe(true);
      }),
    );
  });
});

describe("chanceOf()", () => {
  test("is the other way round", () => {
    const ten = blocks([9, 1, 8, 2, 7, 3, 6, 4, 5, 10]);
    const offer = (maxPriorityFee: bigint) => ({ maxFee: 1_000n, maxPriorityFee });
    expect([0n, 5n, 9n, 10n].map((tip) => chanceOf(ten, 1, offer(tip)))).toEqual([0, 0.5, 0.9, 1]);
    expect(chanceOf(ten, 3, offer(2n))).toBe(0.5);
    expect(chanceOf(ten, 11, offer(2n))).toBeUndefined();
  });

  test("what the base fee leaves is all that a producer gets", () => {
    const offer = { maxFee: 104n, maxPriorityFee: 50n };
    expect(chanceOf(blocks([4]), 1, offer)).toBe(1);
    expect(chanceOf(blocks([5]), 1, offer)).toBe(0);
    expect(chanceOf(blocks([0]), 1, { maxFee: 99n, maxPriorityFee: 50n })).toBe(0);
  });
});

describe("measureTips()", () => {
  test("sees only what comes after: constant fees are met, doubled ones missed", () => {
    const options = { horizon: 1, chance: 0.9, history: 5 };
    expect(measureTips(blocks(Array(20).fill(7)), options)).toEqual({ predictions: 15, hitRate: 1, medianError: 0n });
    const doubled = blocks(Array.from({ length: 10 }, (_, i) => 2 ** i));
    expect(measureTips(doubled, options)).toEqual({ predictions: 5, hitRate: 0, medianError: 2n ** 6n });
    expect(measureTips(blocks([1, 2, 3, 4, 5]), options)).toBeUndefined();
  });

  test("nothing is looked up over a gap", () => {
    const apart = [...blocks(Array(5).fill(7)), ...blocks([1_000, 7, 7], 50)];
    expect(measureTips(apart, { horizon: 1, chance: 0.9, history: 5 })!.predictions).toBe(2);
  });

  test("where fees are drawn from one distribution, it hits as often as was asked", () => {
    let seed = 1;
    const draw = () => (seed = (seed * 16_807) % 2_147_483_647) % 1_000_000;
    const all = blocks(Array.from({ length: 3_000 }, draw));
    for (const horizon of [1, 3, 10])
      for (const chance of [0.5, 0.9]) {
        const { hitRate } = measureTips(all, { horizon, chance, history: 100 })!;
        expect(Math.abs(hitRate - chance), `${horizon} blocks, ${chance}: ${hitRate}`).toBeLessThan(0.05);
      }
  });
});
