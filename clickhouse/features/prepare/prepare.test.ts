import { describe, expect, test } from "vitest";
import {
  applyPreparation,
  fitPreparation,
  PREPARE_DEFAULTS,
  type PreparedTable,
  type PrepareOptions,
} from "./prepare.ts";
import { createScaler, scaled } from "./scale.ts";
import { partOf, splitTemporal } from "./split.ts";
import type { FeatureTable } from "./table.ts";

/** A row every 12 seconds. */
const ROWS = 1_000;
const numbersOf = (seed: number): number[] => Array.from({ length: ROWS }, (_, i) => Math.sin(seed + i) * 10 + i / 100);

/** Tables of 130 rows: no boundary of them is one of a part. */
async function* tablesOf(size: readonly number[], kind: readonly (string | null)[]): AsyncGenerator<FeatureTable> {
  for (let from = 0; from < ROWS; from += 130) {
    const until = Math.min(ROWS, from + 130);
    yield {
      times: Float64Array.from({ length: until - from }, (_, i) => 12 * (from + i)),
      hashes: Array.from({ length: until - from }, (_, i) => `0x${from + i}`),
      columns: [
        { name: "size", numbers: Float64Array.from(size.slice(from, until)) },
        { name: "kind", texts: kind.slice(from, until) },
      ],
    };
  }
}
const COUNTS = Array.from({ length: ROWS }, (_, i) => [12 * i, 1] as const);
const KINDS = Array.from({ length: ROWS }, (_, i) =>
  i % 7 === 0 ? null : i % 3 === 0 ? "swap" : i > 900 ? "new" : "send",
);

async function prepared(
  size: readonly number[],
  kind: readonly (string | null)[],
  options: Partial<PrepareOptions> = {},
) {
  const all = { ...PREPARE_DEFAULTS, split: { embargo: 600 }, ...options };
  const preparation = await fitPreparation(() => tablesOf(size, kind), COUNTS, all);
  const out: PreparedTable[] = [];
  for await (const table of applyPreparation(JSON.parse(JSON.stringify(preparation)), tablesOf(size, kind)))
    out.push(table);
  const column = (part: string, name: string): number[] =>
    out
      .filter((table) => table.part === part)
      .flatMap(({ columns }) => [...columns.find((one) => one.name === name)!.numbers]);
  return { preparation, column, out };
}

describe("splitTemporal()", () => {
  test("cuts by time, in the shares asked for, with an embargo behind each cut", () => {
    const split = splitTemporal(COUNTS, { embargo: 600 });
    const parts = COUNTS.map(([time]) => partOf(split, time));
    expect(parts.slice(0, 700).every((part) => part === "train")).toBe(true);
    expect(parts.slice(700, 750).every((part) => part === undefined)).toBe(true);
    expect(parts.slice(750, 850).every((part) => part === "val")).toBe(true);
    expect(parts.slice(850, 900).every((part) => part === undefined)).toBe(true);
    expect(parts.slice(900).every((part) => part === "test")).toBe(true);
  });

  test("never cuts a block", () => {
    const split = splitTemporal([[0, 6], [12, 5], [24, 4], [36, 5]], { train: 0.5, val: 0.25, test: 0.25, embargo: 0 }); // biome-ignore format: times and rows
    expect([0, 12, 24, 36].map((time) => partOf(split, time))).toEqual(["train", "train", "val", "test"]);
  });

  test("refuses shares that are none, and parts that would be empty", () => {
    expect(() => splitTemporal(COUNTS, { train: 0.8 })).toThrow("Cannot split into 0.8, 0.15 and 0.15");
    expect(() => splitTemporal(COUNTS, { embargo: -1 })).toThrow("Cannot split with an embargo of -1");
    expect(() => splitTemporal(COUNTS, { embargo: 1_800 })).toThrow("val would be empty");
    expect(() => splitTemporal([], {})).toThrow("train would be empty");
  });
});

describe("createScaler()", () => {
  const fitted = (method: "standard" | "minmax" | "robust", xs: readonly number[], handleOutliers = false) => {
    const scaler = createScaler({ method, handleOutliers });
    scaler.add(xs);
    return { ...scaler.fit(), of: (x: number) => scaled(Float64Array.of(x), scaler.fit())[0] };
  };
  const xs = [1, 2, 3, 4, Number.NaN, 5];

  test("standard, minmax, robust", () => {
    expect(fitted("standard", xs)).toMatchObject({ centre: 3, scale: Math.sqrt(2), known: 5, unknown: 1 });
    expect(fitted("minmax", xs).of(4)).toBe(0.75);
    expect(fitted("robust", xs)).toMatchObject({ centre: 3, scale: 2 });
    expect(fitted("robust", xs).of(Number.NaN)).toBeNaN();
  });

  test("counts outliers as if they stood at three interquartile ranges", () => {
    const { low, high, of } = fitted("minmax", [...xs, 1_000], true);
    expect([low, high]).toEqual([-5.25, 12.25]); // quartiles 2.25 and 4.75
    expect([of(1_000), of(1)]).toEqual([1, 0]);
  });

  test("of a column that does not vary, or has no number, nothing becomes infinite", () => {
    expect(fitted("standard", [7, 7]).of(7)).toBe(0);
    expect(fitted("robust", [Number.NaN]).of(5)).toBe(5);
  });

  test("keeps evenly spaced ones of many numbers", () => {
    const many = fitted(
      "robust",
      Array.from({ length: 300_000 }, (_, i) => i),
    );
    expect(many.known).toBe(300_000);
    expect(many.centre).toBeCloseTo(150_000, -2);
    expect(many.scale).toBeCloseTo(150_000, -2);
  });
});

describe("preparation", () => {
  test("is fitted on the train part alone", async () => {
    const before = await prepared(numbersOf(1), KINDS);
    const size = numbersOf(1).map((x, i) => (i < 700 ? x : x * 1_000));
    const kind = KINDS.map((text, i) => (i < 700 ? text : "never seen"));
    const after = await prepared(size, kind);
    expect(after.preparation).toEqual(before.preparation);
    expect((await prepared([5_000, ...numbersOf(1).slice(1)], KINDS)).preparation).not.toEqual(before.preparation);
    expect(new Set(after.column("test", "kind"))).toEqual(new Set([0]));
  });

  test("gives train numbers mean 0 and deviation 1, and each row to one part", async () => {
    const { column, out } = await prepared(numbersOf(2), KINDS, { handleOutliers: false });
    const train = column("train", "size");
    expect(train).toHaveLength(700);
    const mean = train.reduce((a, b) => a + b, 0) / 700;
    expect(mean).toBeCloseTo(0, 9);
    expect(Math.sqrt(train.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 700)).toBeCloseTo(1, 9);
    const hashes = out.flatMap((table) => table.hashes);
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(hashes).toHaveLength(900); // 1,000 less two embargoes of 50
  });

  test("encodes categories by how frequent they are, what is new as another", async () => {
    const { preparation, column } = await prepared(numbersOf(3), KINDS);
    expect(preparation.categories.kind!.values).toEqual(["send", "swap"]);
    expect(new Set(column("test", "kind"))).toEqual(new Set([0, 2]));
    const onehot = await prepared(numbersOf(3), KINDS, { encoding: "onehot", maxCategories: 1 });
    expect(onehot.out[0]!.columns.map(({ name }) => name)).toEqual(["size", "kind=send"]);
    expect(onehot.preparation.categories.kind!.others).toBeGreaterThan(0);
  });
});
