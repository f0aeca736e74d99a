import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { buildRule } from "../../../rules-as/cli/build.ts";
import type { Finding } from "../../sandbox/finding.ts";
import { describeFindings } from "./findings.ts";
import { createWorkbench, type Workbench, weirRule, weirRuleProcess } from "./testCommand.ts";

vi.setConfig({ testTimeout: 180_000 }); // a busy machine

const RULE = `import { Tx, filter } from "@weir/rules";\nfilter.chain(1);\nexport function onTx(tx: Tx): void {}\n`;
/** A whole module that exports nothing. */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

let bench: Workbench;
beforeAll(() => {
  bench = createWorkbench();
});
afterAll(() => bench.remove());

test("a good module is ok with its manifest; its source is as good", async () => {
  const source = bench.write("fine.ts", RULE);
  const module = bench.write("fine.wasm", (await buildRule(source)).wasm!);
  const checked = await weirRuleProcess(["check", module, "--json"]);
  expect(checked).toMatchObject({ code: 0, stderr: "" });
  const [line] = checked.lines();
  expect(line).toMatchObject({ ok: true, manifest: { name: "fine", filter: { chains: [1] } }, findings: [] });
  expect((await weirRule(["check", source, "--json"])).stdout).toBe(checked.stdout);
});

test("a module that would be refused is exit 1 with all findings and their places", async () => {
  const { code, lines } = await weirRule(["check", bench.write("empty.wasm", EMPTY), "--json"]);
  const [line] = lines<{ ok: boolean; manifest: null; findings: Finding[] }>();
  expect([code, line!.ok, line!.manifest]).toEqual([1, false, null]);
  expect(line!.findings.map(({ code }) => code)).toEqual(expect.arrayContaining(["memory", "missing_export"]));
  expect(line!.findings.length).toBeGreaterThan(5);
  for (const finding of line!.findings)
    expect(Object.keys(finding)).toEqual(["code", "message", "section", "function", "offset", "limit", "actual"]);
});

test("a person reads a table of places, and each next step once", () => {
  const finding = { section: null, function: null, offset: null, limit: null, actual: null };
  const text = describeFindings([
    { ...finding, code: "too_many_locals", message: "Cannot admit locals: 50000, expected at most 2048", section: "code", function: 7, offset: 1234, limit: 2048, actual: 50_000 },
    { ...finding, code: "missing_export", message: 'Cannot find export "memory", expected a memory', section: "export" },
    { ...finding, code: "missing_export", message: 'Cannot find export "weir_out", expected a function', section: "export" },
  ]); // biome-ignore format: one finding a line
  const [head, , first] = text.split("\n");
  expect(head!.split(/ +/)).toEqual(["code", "section", "function", "offset", "limit", "actual", "message"]);
  expect(first).toMatch(/^too_many_locals +code +7 +1234 +2048 +50000 +Cannot admit locals/);
  expect(text.match(/^next {2}.*$/gm)).toHaveLength(2);
});

test("what is no module, and no file, is said with a next step", async () => {
  expect(await weirRule(["check", "rule.txt"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("expected a rule's source (.ts), a module (.wasm) or a JSON rule (.json)"),
  });
  expect(await weirRule(["check", "nowhere.wasm"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("ENOENT"),
  });
  const broken = await weirRuleProcess(["check", bench.write("broken.ts", RULE.replace("Tx,", "Txx,"))]);
  expect(broken).toMatchObject({ code: 1, stdout: "" });
  expect(broken.stderr).toMatch(/broken\.ts:1:10 {2}Cannot import "Txx".*Did you mean "Tx"\?\n.*\n.*\^\^\^/);
});
