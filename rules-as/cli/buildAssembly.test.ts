import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ASSEMBLIES, build } from "./buildAssembly.ts";

test.each(ASSEMBLIES)("$entry: the module is what its source makes: npm run assembly:build", async (assembly) => {
  expect(readFileSync(assembly.module).equals(await build(assembly))).toBe(true);
});
