import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { buildRows, MODULE } from "./build.ts";

test("the module is what its source makes: npm run csv:build", async () => {
  expect(readFileSync(MODULE).equals(await buildRows())).toBe(true);
});
