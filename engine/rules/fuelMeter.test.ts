import { expect, test } from "vitest";
import { createFuelMeter } from "./fuelMeter.ts";

const QUOTA = 100;
const counts = (rules: Readonly<Record<string, number>>) =>
  Object.entries(rules).map(([key, fuel]) => {
    const [rule, version = "1"] = key.split("@");
    const none = { evaluations: 10, matches: 0, traps: 0, skipped: 0, added: 0, dropped: 0 };
    return { rule: rule!, version: Number(version), fuel, ...none };
  });
/** A batch of so many transactions a minute. */
const batch = (rules: Readonly<Record<string, number>>, minutes: Readonly<Record<number, number>> = { 0: 10 }) => ({
  rules: counts(rules),
  minutes: new Map(Object.entries(minutes).map(([minute, count]) => [Number(minute), count])),
  transactions: Object.values(minutes).reduce((sum, count) => sum + count, 0),
});
const meter = () =>
  createFuelMeter({
    ownerOf: (rule) => (rule.startsWith("stopped") ? undefined : rule[0]),
    quotaOf: (owner) => (owner === "r" ? Number.POSITIVE_INFINITY : QUOTA),
  });
const names = (greedy: readonly { rule: string; version: number }[]) =>
  greedy.map(({ rule, version }) => `${rule}@${version}`);

test("what an owner may use in a minute is used up once, batch by batch, whoever else uses what", () => {
  const { observe } = meter();
  for (let used = 0; used < 60 * QUOTA; used += 2_000)
    expect(observe(batch({ a1: 1_500, a2: 500, b1: 2_000, rich: 1e12, stopped: 1e12 }))).toEqual([]);
  const greedy = observe(batch({ a1: 1 }));
  expect(names(greedy)).toEqual(["a1@1"]);
  expect(greedy[0]!.reason).toBe(
    'The rules of "a" used 6001 fuel for a minute of the stream, expected at most 100 a second; this one used 75 %',
  );
  expect(observe(batch({ a2: 5_999 }))).toEqual([]); // the rest begins anew
  expect(names(observe(batch({ b1: 1 })))).toEqual(["b1@1"]);
});

test("the greediest go first, and as few as make up half of it; versions count by themselves", () => {
  const { observe } = meter();
  expect(names(observe(batch({ a1: 1_000, a2: 2_500, "a3@1": 900, "a3@2": 2_000 })))).toEqual(["a2@1", "a3@2"]);
  const equal = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`a${i}`, 10]));
  expect(observe(batch(equal))).toHaveLength(500);
});

test("a minute is one of the stream: what is caught up with in one batch was spread over its minutes", () => {
  const { observe } = meter();
  const hour = Object.fromEntries(Array.from({ length: 60 }, (_, minute) => [minute, 5]));
  for (let i = 0; i < 3; i++) expect(observe(batch({ a1: 60 * 2_000 }, hour))).toEqual([]);
  expect(names(observe(batch({ a1: 60 * 6_001 }, hour)))).toEqual(["a1@1"]);
});

test("a timestamp that is far off moves no other", () => {
  const { observe } = meter();
  expect(observe(batch({ a1: 6_000 }, { 29000000: 9, 71582788: 1 }))).toEqual([]);
  expect(names(observe(batch({ a1: 601 }, { 29000000: 9 })))).toEqual(["a1@1"]);
});
