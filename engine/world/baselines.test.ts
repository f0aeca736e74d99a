import fc from "fast-check";
import { expect, test } from "vitest";
import {
  BASELINE_BYTES,
  type BaselineRow,
  buildBaselines,
  MIN_SAMPLES,
  openBaselines,
  robustDeviation,
} from "./baselines.ts";

const row = (key: Uint8Array, median: number, mad: number, samples = 100): BaselineRow => ({
  ...{ chainId: 1, kind: "sender_value", key, median, mad, samples },
});
const words = (key: Uint8Array) => new Uint32Array(Uint8Array.from(key).buffer);
const keyOf = (n: number) => Uint8Array.from({ length: BASELINE_BYTES.sender_value }, (_, i) => (n >> (8 * i)) & 255);

test("each key has its own, found in shared memory by whoever opens it", () => {
  const rows = Array.from({ length: 500 }, (_, n) => row(keyOf(n), n / 10, 1));
  const baselines = openBaselines(structuredClone(buildBaselines(rows))).get(1)!;
  for (let n = 0; n < 500; n++) {
    const deviation = baselines.deviation("sender_value", words(keyOf(n)), 0, 2 ** 20 - 1);
    expect(deviation).toBeCloseTo(0.6745 * (20 - n / 10));
  }
  expect(baselines.deviation("sender_value", words(keyOf(500)), 0, 1)).toBeUndefined();
  expect(baselines.deviation("selector_gas", words(keyOf(1)), 0, 1)).toBeUndefined();
});

test("few samples say nothing, of two rows the first counts, and who always pays the same may pay 1 % more", () => {
  const [few, twice, same] = [keyOf(1), keyOf(2), keyOf(3)];
  const baselines = openBaselines(
    buildBaselines([
      row(few, 1, 1, MIN_SAMPLES - 1),
      row(twice, 10, 1, MIN_SAMPLES),
      row(twice, 0, 1),
      row(same, 10, 0),
    ]),
  ).get(1)!;
  const of = (key: Uint8Array, amount: number) => baselines.deviation("sender_value", words(key), 0, amount);
  expect([of(few, 5), baselines.has("sender_value", words(few), 0)]).toEqual([undefined, false]);
  expect(of(twice, 2 ** 10 - 1)).toBe(0);
  expect(of(same, 2 ** 10 * 1.01 - 1)).toBeLessThan(0.1);
  expect(of(same, 2 ** 11)).toBeGreaterThan(3.5);
});

test("a deviation grows with the amount, and is finite for any", () => {
  const amount = fc.double({ min: 0, max: 2 ** 256, noNaN: true });
  fc.assert(
    fc.property(
      amount,
      amount,
      fc.double({ min: 0, max: 256, noNaN: true }),
      fc.double({ min: 0, max: 50, noNaN: true }),
      (a, b, median, mad) => {
        const [less, more] = a < b ? [a, b] : [b, a];
        expect(robustDeviation(less, median, mad) <= robustDeviation(more, median, mad)).toBe(true);
        expect(Number.isFinite(robustDeviation(more, median, mad))).toBe(true);
      },
    ),
  );
});
