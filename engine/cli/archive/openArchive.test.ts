import { expect, test } from "vitest";
import { periodOf } from "./openArchive.ts";

test("a period that ends before it begins is refused; one without an end is not", () => {
  const [from, to] = [new Date("2024-02-01"), new Date("2024-01-01")];
  expect(() => periodOf({ from, to })).toThrow(
    /^Cannot look from "2024-02-01.*" to "2024-01-01.*": the range is empty/,
  );
  expect(() => periodOf({ from, to: from })).toThrow("the range is empty");
  expect(periodOf({ from, chain: 1 })).toEqual({ since: from, until: undefined, chainId: 1 });
});
