import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createWorkbench, type Workbench, weirRule, weirRuleProcess } from "./testCommand.ts";

vi.setConfig({ testTimeout: 180_000 }); // a busy machine

const EXAMPLES = fileURLToPath(new URL("../../../rules-as/examples", import.meta.url));
const TSC = fileURLToPath(new URL("../../../node_modules/typescript/bin/tsc", import.meta.url));

let bench: Workbench;
beforeAll(() => {
  bench = createWorkbench();
});
afterAll(() => bench.remove());

test("every template is an example with its tests, whose passing is tested; the minimal one passes under its new name", async () => {
  const help = (await weirRule(["new", "--help"])).stdout.replace(/\s+/g, " ");
  const templates = [...help.match(/\(choices: (.*?), default/)![1]!.matchAll(/"([\w-]+)"/g)].map(([, name]) => name!);
  expect(templates).toHaveLength(10);
  for (const template of templates.filter((name) => name !== "minimal" && name !== "facts" && !name.startsWith("json")))
    expect(existsSync(join(EXAMPLES, `${template}.test.json`)), template).toBe(true);
  const make = async (template: string): Promise<void> => {
    const name = `my-${template}`;
    const made = await (template === "minimal" ? weirRuleProcess : weirRule)(
      ["new", name, "--template", template, "--json"],
      { cwd: bench.folder },
    );
    expect(made).toMatchObject({ code: 0, stderr: "" });
    for (const kind of ["ts", "test.json"]) {
      const example = join(EXAMPLES, `${template === "minimal" ? "templates/" : ""}${template}.${kind}`);
      expect(readFileSync(join(bench.folder, name, `${name}.${kind}`), "utf8")).toBe(readFileSync(example, "utf8"));
    }
  };
  await Promise.all(["minimal", "whale-transfer"].map(make));
  const tested = await weirRule(["test", "my-minimal"], { cwd: bench.folder });
  expect(tested.lines().at(-1)).toEqual({ summary: { passed: 3, failed: 0 } });
  const checked = await weirRule(["check", join(bench.folder, "my-minimal/my-minimal.ts"), "--json"]);
  expect(checked.lines()[0]).toMatchObject({ ok: true, manifest: { name: "my-minimal" } });
  for (const template of ["facts", "json-facts"]) {
    await weirRule(["new", `on-${template}`, "--template", template], { cwd: bench.folder });
    const passed = await weirRule(["test", `on-${template}`], { cwd: bench.folder });
    expect(passed.lines().at(-1)).toEqual({ summary: { passed: 2, failed: 0 } });
  }
});

test("a JSON rule begins with a test beside it, and is checked, tested and run as a module is", async () => {
  const options = { cwd: bench.folder };
  const made = await weirRule(["new", "big-ones", "--template", "json", "--json"], options);
  expect(made.lines()[0]).toMatchObject({ files: expect.arrayContaining(["big-ones/big-ones.json", "big-ones/big-ones.test.json"]) }); // biome-ignore format: one line
  const tested = await weirRule(["test", "big-ones"], options);
  expect(tested.lines().at(-1)).toEqual({ summary: { passed: 2, failed: 0 } });
  const checked = await weirRule(["check", "big-ones/big-ones.json"], options);
  const manifest = { name: "big-ones", severity: "medium", parameters: { least: { type: "integer", min: "1" } } };
  expect(checked.lines()[0]).toMatchObject({ ok: true, manifest, findings: [] });
  const file = join(bench.folder, "big-ones/big-ones.json");
  writeFileSync(file, readFileSync(file, "utf8").replace('"param": "least"', '"param": "lest"'));
  const refused = await weirRule(["check", "big-ones/big-ones.json"], options);
  expect(refused.code).toBe(1);
  expect(refused.stdout).toMatch(/conditions\.and\.0\.value: Unknown parameter.*Did you mean/);
});

test("a JSON rule on an event is tested, and runs over a recording as it would in the engine", async () => {
  const options = { cwd: bench.folder };
  await weirRule(["new", "usdc", "--template", "json-event"], options);
  const tested = await weirRule(["test", "usdc"], options);
  expect(tested.lines().at(-1)).toEqual({ summary: { passed: 3, failed: 0 } });
  const file = join(bench.folder, "usdc/usdc.json");
  const recording = join(EXAMPLES, "../../test/recordings/dex.ndjson.gz");
  const matches = async (conditions: string): Promise<unknown> => {
    const rule = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify({ ...rule, parameters: {}, conditions: JSON.parse(conditions) }));
    const ran = await weirRule(["run", "usdc/usdc.json", recording, "--json"], options);
    return (ran.lines().at(-1) as { summary: { matches: number } }).summary.matches;
  };
  // all of the recording's transfers are well formed: the event by its name is the event by its hash
  const transfer = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
  const all = await matches(`{"topic0": "${transfer}", "event.Transfer_exists": true}`);
  expect(all).toBeGreaterThan(1_000);
  expect(await matches('{"event.Transfer.value_gte": 0}')).toBe(all);
  expect(await matches(`{"not": {"event.Transfer_exists": true}, "topic0": "${transfer}"}`)).toBe(0);
  writeFileSync(file, readFileSync(file, "utf8").replace("event.Transfer_exists", "event.Transfr_exists"));
  const refused = await weirRule(["check", "usdc/usdc.json"], options);
  expect(refused).toMatchObject({ code: 1, stdout: expect.stringMatching(/Unknown event.*Did you mean/) });
});

test("nothing is overwritten, and a name that no rule can have is a usage error", async () => {
  const options = { cwd: bench.folder };
  await weirRule(["new", "mine"], options);
  const file = join(bench.folder, "mine/mine.ts");
  writeFileSync(file, "// mine");
  expect(await weirRule(["new", "mine"], options)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("it is there already"),
  });
  expect(readFileSync(file, "utf8")).toBe("// mine");
  expect(await weirRule(["new", "Mine!"], options)).toMatchObject({ code: 2 });
  expect(await weirRule(["new", "other", "--template", "whale"], options)).toMatchObject({ code: 2 });
});

test("an editor knows the SDK's types: the rule has no errors, and a mistake in it is one", async () => {
  await weirRule(["new", "typed"], { cwd: bench.folder });
  const file = join(bench.folder, "typed/typed.ts");
  const errors = async (): Promise<string[]> => {
    const { stdout } = await promisify(execFile)(process.execPath, [TSC, "-p", join(bench.folder, "typed")]).catch(
      (error: { stdout: string }) => error,
    );
    return stdout.split("\n").filter((line) => /(^|\/)typed\.ts\(/.test(line));
  };
  expect(await errors()).toEqual([]);
  writeFileSync(file, readFileSync(file, "utf8").replace("tx.to", "tx.too"));
  expect((await errors())[0]).toContain("Property 'too' does not exist on type 'Tx'");
});
