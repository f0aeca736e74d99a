import { expect, test } from "vitest";
import { createResidents } from "./residents.ts";

function sandboxes(count: number) {
  const released: number[] = [];
  const rules = Array.from({ length: count }, (_, i) => ({ release: () => void released.push(i) }));
  return { rules, released };
}

test("within the budget nothing is released", () => {
  const residents = createResidents(3);
  const { rules, released } = sandboxes(3);
  for (let batch = 0; batch < 200; batch++) {
    residents.begin();
    for (const rule of rules) residents.used(rule);
  }
  expect(released).toEqual([]);
});

test("beyond it those that came first stay, and only the others are made anew, sweep after sweep", () => {
  const residents = createResidents(3);
  const { rules, released } = sandboxes(5);
  for (let batch = 0; batch < 3; batch++) {
    residents.begin();
    for (const rule of rules) residents.used(rule);
  }
  expect(released).toEqual([3, 4, 3, 4, 3, 4]);
});

test("one that is not run any more gives its place up", () => {
  const residents = createResidents(2);
  const { rules, released } = sandboxes(3);
  residents.begin();
  residents.used(rules[0]!);
  residents.used(rules[1]!);
  for (let batch = 0; batch < 64; batch++) {
    residents.begin();
    residents.used(rules[1]!);
  }
  residents.used(rules[2]!);
  expect(released).toEqual([0]);
  residents.begin();
  residents.used(rules[2]!);
  residents.used(rules[1]!);
  expect(released).toEqual([0]);
});

test("one that is never run again is let go in the end, though there is room", () => {
  const residents = createResidents(9);
  const { rules, released } = sandboxes(2);
  for (let batch = 0; batch < 5_000; batch++) {
    residents.begin();
    if (batch < 10) residents.used(rules[0]!);
    residents.used(rules[1]!);
  }
  expect(released).toEqual([0]);
});
