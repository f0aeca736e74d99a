import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { createWorkbench, type Workbench, weirRule, weirRuleProcess } from "./testCommand.ts";

vi.setConfig({ testTimeout: 180_000 }); // a busy machine

const EXAMPLES = fileURLToPath(new URL("../../../rules-as/examples", import.meta.url));
const RULE = `import { Tx, Severity, alert, filter, tag, ether } from "@weir/rules";
filter.minValue(ether(1));
export function onTx(tx: Tx): void {
  if (tx.nonce == 3) throw new Error("three");
  alert(Severity.High, \`\${tx.value}\`);
  tag("seen");
}
`;
const ETHER = "0xde0b6b3a7640000";

let bench: Workbench;
beforeEach(() => {
  bench ??= createWorkbench();
  bench.write("rule.ts", RULE);
});
afterAll(() => bench?.remove());

const run = (tests: unknown[], ...options: string[]) => {
  bench.write("rule.test.json", JSON.stringify({ tests }));
  return weirRule(["test", "--json", ...options, "rule.test.json"], { cwd: bench.folder });
};

test("passes what the rule says, in any transaction, a failure of the rule included", async () => {
  const { code, lines } = await run([
    { name: "one", transactions: [{ value: ETHER }], alerts: ["high: 1000000000000000000"], tags: ["seen"] },
    { name: "small", transactions: [{}], alerts: [] },
    { name: "fails", transactions: [{ value: ETHER, nonce: "0x3" }], failures: ["three at rule.ts:4:22"] },
  ]);
  expect(lines().map(({ test: name, ok, summary }) => summary ?? [name, ok])).toEqual([
    ["one", true],
    ["small", true],
    ["fails", true],
    { passed: 3, failed: 0 },
  ]);
  expect(code).toBe(0);
});

test("says what was missing and what was too much, and that a filter let nothing through", async () => {
  const { code, lines } = await run([
    { name: "another", transactions: [{ value: ETHER }], alerts: ["low: 1"], tags: ["seen"] },
    { name: "left out", transactions: [{ value: ETHER }], alerts: ["high: 1000000000000000000"] },
    { name: "filtered", transactions: [{}], alerts: ["low: 1"] },
    { name: "undecided", transactions: [{}] },
    { name: "fails", transactions: [{}, { value: ETHER, nonce: "0x3" }], alerts: [] },
  ]);
  expect(code).toBe(1);
  expect(lines()).toMatchObject([
    { ok: false, differences: [{ list: "alerts", missing: ["low: 1"], unexpected: ["high: 1000000000000000000"] }] },
    { ok: false, differences: [{ list: "tags", missing: [], unexpected: ["seen"] }] },
    { ok: false, hint: "the rule's filter let none of its 1 transactions through" },
    { ok: false, differences: [], hint: expect.stringContaining("--update") },
    { ok: false, hint: expect.stringMatching(/^rule\.ts:4:22\n +4 \| {3}if \(tx\.nonce == 3\) throw/) },
    { summary: { passed: 0, failed: 5 } },
  ]);
});

test("--update writes down what the rule says, and leaves alone what was right", async () => {
  const right = { name: "right", transactions: [{ value: ETHER }], alerts: ["high: 1000000000000000000"], tags: ["seen"], scores: [] }; // biome-ignore format: one test
  const tests = [right, { name: "new", transactions: [{ value: ETHER }] }];
  expect((await run(tests, "--update")).lines().map(({ updated }) => updated)).toEqual([false, true, undefined]);
  const written = JSON.parse(readFileSync(join(bench.folder, "rule.test.json"), "utf8"));
  const { scores: _, ...lists } = right;
  expect(written).toEqual({ tests: [right, { ...lists, name: "new" }] });
  expect(await run(written.tests)).toMatchObject({ code: 0 });
});

test("takes a recording beside the test", async () => {
  const transaction = { chainId: 1, hash: `0x${"1".repeat(64)}`, from: `0x${"2".repeat(40)}`, nonce: "0x0", gas: "0x1", input: "0x" }; // biome-ignore format: one transaction
  const record = (value: string) => JSON.stringify({ ...transaction, value });
  bench.write("few.ndjson", `${record("0x1")}\n${record(ETHER)}\n`);
  const alerts = ["high: 1000000000000000000"];
  expect(await run([{ name: "few", transactions: "few.ndjson", alerts, tags: ["seen"] }])).toMatchObject({ code: 0 });
});

test("runs TypeScript tests in processes of their own; what they say about a failure is shown", async () => {
  bench.write("package.json", '{ "type": "module" }');
  bench.write(
    "rule.test.ts",
    `import { assert, sampleTransaction, test, tryRule } from "@weir/rules/testing";
const rule = await tryRule(new URL("rule.ts", import.meta.url));
const alerts = (value: string) => rule.run([sampleTransaction({ value })]).verdicts[0]!.alerts;
test("large", () => assert.deepEqual(alerts("${ETHER}"), ["high: 1000000000000000000"]));
test("wrong", () => assert.deepEqual(alerts("0x0"), ["never"]));
`,
  );
  const { code, lines } = await weirRuleProcess(["test", "rule.test.ts"], { cwd: bench.folder });
  expect(lines()).toMatchObject([
    { file: "rule.test.ts", test: "large", ok: true },
    { file: "rule.test.ts", test: "wrong", ok: false, hint: expect.stringContaining("never") },
    { summary: { passed: 1, failed: 1 } },
  ]);
  expect(code).toBe(1);
});

test("values of parameters come from the test, else from the command line; a JSON rule is tested like any", async () => {
  const rule = {
    name: "sized",
    parameters: {
      least: { type: "integer", default: ETHER, min: "2" },
      most: { type: "integer", default: "0xffffffffffffffff" },
    },
    conditions: { value_gte: { param: "least" }, value_lte: { param: "most" } },
  };
  bench.write("sized.json", JSON.stringify(rule));
  const transactions = [{ value: "0x5" }, { value: "0x9" }, { value: ETHER }];
  const times = (count: number) => Array.from({ length: count }, () => "medium: sized");
  const tests = [
    { name: "defaults", transactions, alerts: times(1) },
    { name: "own", parameters: { least: 6 }, transactions, alerts: times(2) },
    { name: "new", parameters: { least: "5" }, transactions },
  ];
  bench.write("sized.test.json", JSON.stringify({ tests }));
  const run = (...args: string[]) => weirRule(["test", ...args, "sized.test.json"], { cwd: bench.folder });
  const oks = ({ lines }: Awaited<ReturnType<typeof run>>) => lines<{ ok?: boolean }>().map(({ ok }) => ok);
  expect(oks(await run())).toEqual([true, true, false, undefined]);
  expect(oks(await run("--update"))).toEqual([true, true, true, undefined]);
  const written = JSON.parse(readFileSync(join(bench.folder, "sized.test.json"), "utf8"));
  expect(written.tests[2]).toEqual({ ...tests[2], alerts: times(3) });
  expect(oks(await run("--param", "most=8"))).toEqual([false, false, false, undefined]);
  expect(await run("--param", "mots=8")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Did you mean "most"?'),
  });
  expect(await run("--param", "most")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Expected name=value"),
  });
});

test("mistakes of a test file are told with their place; no tests is an error", async () => {
  const wrong = await run([{ name: "x", transactions: [{}], alert: [] }]);
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringMatching(/tests\.0: .*"alert"/) });
  bench.write("lonely.test.json", JSON.stringify({ tests: [{ name: "x", transactions: [{}], alerts: [] }] }));
  const lonely = await weirRule(["test", "lonely.test.json"], { cwd: bench.folder });
  expect(lonely).toMatchObject({ code: 1, stderr: expect.stringContaining("lonely.ts") });
  expect(await weirRule(["test", "nowhere"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("no such file"),
  });
  expect(await weirRule(["test", join(EXAMPLES, "../assembly")])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("weir rule new"),
  });
});

test("the examples pass their tests", async () => {
  const { code, lines } = await weirRuleProcess(["test", EXAMPLES]);
  expect(lines().at(-1)).toEqual({ summary: { passed: 24, failed: 0 } });
  expect(code).toBe(0);
});
