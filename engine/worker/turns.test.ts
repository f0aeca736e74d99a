import { expect, test } from "vitest";
import { createTurns, type Turns } from "./turns.ts";

const taken = (turns: Turns): number[] => {
  const order: number[] = [];
  turns.take((what) => void order.push(what));
  return order;
};

test("rules of one code have their turns after each other, else in order", () => {
  const turns = createTurns(["b", "a", undefined, "b", "a", undefined].map((code) => ({ ...(code && { code }) })));
  for (const rule of [0, 1, 2, 3, 4, 5]) turns.add(rule, 10 + rule);
  expect(taken(turns)).toEqual([10, 13, 11, 14, 12, 15]);
  expect(taken(turns)).toEqual([]);
});

test("of many rules those that were added, each once, whatever the batch before has left", () => {
  const turns = createTurns(Array.from({ length: 1_000 }, (_, i) => ({ code: `${i % 7}` })));
  const some = Array.from({ length: 1_000 }, (_, i) => i).filter((i) => i % 3 === 0 || i === 31 || i === 999);
  turns.add(500, 500);
  turns.begin();
  for (const rule of some) turns.add(rule, rule);
  const order = taken(turns);
  expect(order).toEqual([...some].sort((a, b) => (a % 7) - (b % 7) || a - b));
});
