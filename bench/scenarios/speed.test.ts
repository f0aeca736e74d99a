import { expect, test } from "vitest";
import { figure } from "../figure.ts";
import { rulesFor } from "../load/blockRules.ts";
import { mixTransactions } from "../load/ruleMix.ts";
import { countByRule, parseTransaction } from "../load/ruleTruth.ts";
import { pick } from "./speed.ts";

test("a promise takes its figure from those that were measured, by its own name and with its own goal", () => {
  const figures = [
    { ...figure("all (12): decode", "µs/tx", [1]), load: "656 B" },
    { ...figure("all (12): risk", "µs/tx", [4, 6, 5], { below: 6 }), load: "656 B" },
  ];
  const row = { name: "risk score", begins: "all (", ends: ": risk" };
  expect(pick(figures, { ...row, goal: { below: 5 } })).toEqual({ name: "risk score", unit: "µs/tx", median: 5, min: 4, max: 6, runs: 3, goal: 5, met: false, load: "656 B" }); // biome-ignore format: a row
  expect(pick(figures, { ...row, goal: { below: 5.1 } })).toMatchObject({ goal: 5.1, met: true });
  expect(pick(figures, { ...row, begins: "some (", goal: { below: 5 } })).toBeUndefined();
});

test("rules that are made for transactions are different, match some of them, and at most one in twenty", () => {
  const transactions = mixTransactions(2_000).map(parseTransaction);
  const rules = rulesFor(transactions, 500);
  expect(new Set(rules.map(({ conditions }) => JSON.stringify(conditions))).size).toBeGreaterThan(450);
  const matches = countByRule(rules, transactions).reduce((sum, count) => sum + count, 0);
  expect(matches).toBeGreaterThan(5);
  expect(matches / transactions.length).toBeLessThan(0.05);
});
