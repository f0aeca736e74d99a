import { expect, test } from "vitest";
import { jsonProblem } from "./plainJson.ts";

test("what can be kept is left alone: any Unicode, any JSON of some depth", () => {
  for (const value of [null, 1, "", "👩‍👩‍👧‍👦 \u202e é", [], { a: [{ b: ["c"] }] }, { "": null }])
    expect(jsonProblem(value)).toBeUndefined();
});

test("NUL and half surrogate pairs, in names as well, and depth are named", () => {
  for (const value of ["\0", "a\ud800", "\udc00\ud800", { "\0": 1 }, { a: [{ b: "x\0" }] }])
    expect(jsonProblem(value)).toMatch(/^a text in it has U\+0000 or half a surrogate pair, expected Unicode without$/);
  const nested = (depth: number) => JSON.parse("[".repeat(depth) + "]".repeat(depth)) as unknown;
  expect(jsonProblem(nested(64))).toBeUndefined();
  expect(jsonProblem(nested(65))).toBe("it is nested deeper than 64 levels, expected at most that");
  expect(jsonProblem(nested(100_000))).toMatch(/^it is nested deeper/);
});
