import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { type JsonCondition, MIXES, type MixName, mixRules, mixTransactions } from "./ruleMix.ts";
import { bruteForce, createPairCounter, parseTransaction, prepare } from "./ruleTruth.ts";

const NAMES = Object.keys(MIXES) as MixName[];
const lines = mixTransactions(400);
const transactions = lines.map(parseTransaction);

test("a mix is the same for a seed, and what is taken of it is its beginning", () => {
  expect(mixTransactions(50)).toEqual(lines.slice(0, 50));
  expect(mixTransactions(1, 8)).not.toEqual(lines.slice(0, 1));
  for (const mix of NAMES) {
    const thousand = mixRules(mix, 1_000);
    expect(mixRules(mix, 100)).toEqual(thousand.slice(0, 100));
    expect(mixRules(mix, 100, 8)).not.toEqual(thousand.slice(0, 100));
    expect(new Set(thousand.map(({ conditions }) => JSON.stringify(conditions))).size).toBe(1_000);
  }
  const all = [lines, ...NAMES.map((mix) => mixRules(mix, 100))];
  expect(createHash("sha256").update(JSON.stringify(all)).digest("hex").slice(0, 16)).toMatchInlineSnapshot(
    `"fe20969472e8db02"`,
  );
});

test("a transaction matches as many rules as the mixes promise, and the sparse ones at most one in twenty", () => {
  const each = Object.fromEntries(NAMES.map((mix) => [mix, bruteForce(mixRules(mix, 10_000), transactions).matches]));
  expect(each).toMatchInlineSnapshot(`
    {
      "dense": 2164,
      "ranges": 5369,
      "ranges sparse": 3,
      "sparse": 0,
    }
  `);
  expect(each.dense).toBeGreaterThan(4 * transactions.length);
  expect(each.ranges).toBeGreaterThan(2 * each.dense!);
  expect(each.sparse).toBeLessThanOrEqual(0.05 * transactions.length);
  expect(each["ranges sparse"]).toBeLessThanOrEqual(0.05 * transactions.length);
});

test("three of ten rules of the ranges have no equality that all their matches share", () => {
  const hasEquality = (condition: JsonCondition): boolean => {
    if ("and" in condition) return condition.and.some(hasEquality);
    if ("field" in condition) return condition.operator === "eq" || condition.operator === "starts_with";
    return false;
  };
  const count = (mix: MixName) => mixRules(mix, 1_000).filter(({ conditions }) => !hasEquality(conditions)).length;
  expect(count("dense")).toBe(0);
  expect(count("ranges")).toBeGreaterThan(270);
  expect(count("ranges")).toBeLessThan(330);
});

test("the counter reads each operator at its edge", () => {
  const tx = parseTransaction(
    `{"chainId":56,"from":"0xaa","to":null,"input":"0x38ed1739ff","nonce":"0x7","value":"0xde0b6b3a7640000","gasPrice":"0x1"}`,
  );
  const holds = (conditions: JsonCondition): boolean => bruteForce([{ id: "r", conditions }], [tx]).matches === 1;
  const value = (operator: string, text: string) => ({ field: "value", operator, value: text });
  expect(["gt", "gte", "lt", "lte"].map((each) => holds(value(each, "1000000000000000000")))).toEqual([
    false,
    true,
    false,
    true,
  ]);
  expect(["gt", "gte", "lt", "lte"].map((each) => holds(value(each, "999999999999999999")))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  const one = { field: "chainId", operator: "eq", value: 56 };
  const other = { ...one, value: 1 };
  expect([one, other].map(holds)).toEqual([true, false]);
  expect(holds({ and: [one, other] })).toBe(false);
  expect(holds({ or: [one, other] })).toBe(true);
  expect(holds({ not: other })).toBe(true);
  expect(holds({ field: "input", operator: "starts_with", value: "0x38ed1739" })).toBe(true);
  expect(holds({ field: "input", operator: "starts_with", value: "0x38ed173a" })).toBe(false);
  expect(holds({ field: "to", operator: "eq", value: "0xaa" })).toBe(false);
  expect(() => prepare({ field: "hash", operator: "eq", value: "0x" })).toThrow(/hash eq/);
});

test("the checksum tells pairs apart, whatever their order", () => {
  const sum = (...pairs: [number, number][]) => {
    const counter = createPairCounter();
    for (const [t, r] of pairs) counter.add(t, r);
    return counter.pairs;
  };
  expect(sum([1, 2], [3, 4])).toEqual(sum([3, 4], [1, 2]));
  expect(sum([1, 2], [3, 4]).checksum).not.toBe(sum([1, 4], [3, 2]).checksum);
  expect(sum([1, 2]).checksum).not.toBe(sum([2, 1]).checksum);
});
