/** Every code block of the page for rule authors is a rule: it must build, and be admitted. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { buildRule } from "../cli/build.ts";
import { generateReaders } from "../cli/codegen.ts";
import { formatDiagnostic } from "../cli/diagnostics.ts";
import { runTestFile } from "../cli/ruleTests.ts";
import { tryModule } from "../cli/tryRule.ts";

const page = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code]) => code!);
const PAIR = JSON.stringify(createRequire(import.meta.url)("@uniswap/v2-core/build/UniswapV2Pair.json").abi);
const folder = mkdtempSync(join(tmpdir(), "weir-readme-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("README", () => {
  test("has its code blocks", () => {
    expect(blocks.length).toBe(9);
  });

  test.for(blocks.map((code, i) => [i + 1, code] as const))(
    "block %i is a rule that the engine takes",
    async ([i, code]) => {
      writeFileSync(join(folder, "pair.ts"), generateReaders(PAIR, "UniswapV2Pair.json").source);
      const file = join(folder, `block-${i}.ts`);
      writeFileSync(file, code);
      const { wasm, diagnostics } = await buildRule(file);
      expect(diagnostics.map(formatDiagnostic).join("\n")).toBe("");
      expect(tryModule(wasm!).manifest.name).toBe(i === 2 ? "big-mint" : `block-${i}`);
    },
  );

  test("the test of the page passes for the rule that it is about", async () => {
    const [, json] = /^```json\n([\s\S]*?)^```/m.exec(page)!;
    const rule = fileURLToPath(new URL("../examples/whale-transfer.ts", import.meta.url));
    const file = join(folder, "whale-transfer.test.json");
    writeFileSync(file, JSON.stringify({ rule, ...JSON.parse(json!) }));
    expect(await runTestFile(file)).toMatchObject([{ test: "a large transfer is reported", ok: true }]);
  });

  test("names every severity, filter condition and export that there is", () => {
    const source = (name: string) => readFileSync(new URL(`../assembly/${name}.ts`, import.meta.url), "utf8");
    const conditions = [...source("filter").matchAll(/^ {2}(\w+)\(.*\): this/gm)].map(([, name]) => name!);
    const exported = [...source("index").matchAll(/^export \{ (.*) \}/gm)].flatMap(([, list]) => list!.split(", "));
    expect(conditions.length).toBe(12);
    const unnamed = [...conditions, ...exported].filter((name) => !new RegExp(`\\b${name}\\b`).test(page));
    expect(unnamed.filter((name) => !["AccessListEntry", "Log"].includes(name))).toEqual([]);
  });
});
