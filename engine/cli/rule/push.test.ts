/** Against a real API in a process of its own. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildRule } from "../../../rules-as/cli/build.ts";
import { type Databases, openDatabases } from "../../../test/support/databases.ts";
import { type EngineProcess, startWeir, until } from "../../../test/support/engineProcess.ts";
import { createWorkbench, type Workbench, weir, weirRule, weirRuleProcess } from "./testCommand.ts";

const TOKEN = "a-token-for-tests-only";
const rule = (text: string) => `import { Tx, Severity, alert, describe } from "@weir/rules";
describe("says ${text}");
export function onTx(tx: Tx): void { alert(Severity.Low, "${text}"); }
`;
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

let databases: Databases;
let bench: Workbench;
let served: EngineProcess;
let env: Record<string, string>;
let url: string;
beforeAll(async () => {
  bench = createWorkbench();
  databases = await openDatabases();
  const run = await databases.newRun();
  mkdirSync(join(bench.folder, "none"));
  env = { ...run.env, RULES_DIR: join(bench.folder, "none"), WEIR_TOKEN: TOKEN };
  served = startWeir(["api"], { ...env, API_PORT: "0" });
  await until(() => /API {2}http:\S+/.test(served.log()), () => served.log().slice(-2_000)); // biome-ignore format: one call
  url = /API {2}(http:\S+)/.exec(served.log())![1]!;
});
afterAll(async () => {
  await served?.stop();
  await databases?.close();
  bench?.remove();
});

const push = (file: string, ...options: string[]) => weirRule(["push", file, "--api", url, ...options], { env });

describe("weir rule push", () => {
  test("puts a rule, then its next version, which list shows by the API and from where rules are kept", async () => {
    const first = await weirRuleProcess(["push", bench.write("speaks.ts", rule("one")), "--api", url], { env });
    expect(first.lines()[0]).toMatchObject({ ok: true, name: "speaks", version: 1, state: "live" });
    expect(first.code).toBe(0);
    const second = await push(bench.write("speaks.ts", rule("two")), "--json");
    expect(second.lines()[0]).toMatchObject({ ok: true, name: "speaks", version: 2 });
    const listed = (await weirRule(["list", "--api", url], { env })).lines();
    expect(listed).toMatchObject([{ name: "speaks", version: 2, state: "live", description: "says two" }]);
    expect((await weirRuleProcess(["list"], { env })).lines()).toEqual(listed);
  });

  test("says what becomes of a rule's state", async () => {
    const remembers = (seconds: number) => `import { Tx, window } from "@weir/rules";
const seen = window("seen", ${seconds});
export function onTx(tx: Tx): void { seen.add(tx.from, 1); }
`;
    await push(bench.write("remembers.ts", remembers(60)), "--state", "draft");
    const [reset] = (await push(bench.write("remembers.ts", remembers(120)), "--state", "draft")).lines();
    const why = expect.stringMatching(
      /^"seen" was a window address u64 60s 60 buckets and is a .* 120s .*: it begins empty$/,
    );
    expect(reset).toMatchObject({ ok: true, carried: { state: "reset", why } });
  });

  test("puts a version on trial beside the live one, or keeps it as a draft", async () => {
    const shadow = await push(bench.write("speaks.ts", rule("three")), "--state", "shadow");
    expect(shadow.lines()[0]).toMatchObject({ ok: true, state: "live", live_version: 2, shadow_version: 3 });
    const draft = await push(bench.write("waits.ts", rule("draft")), "--state", "draft");
    expect(draft.lines()[0]).toMatchObject({ ok: true, name: "waits", state: "draft", live_version: null });
    expect((await weirRule(["list"], { env })).lines()).toMatchObject([
      { name: "remembers", version: 2, state: "draft" },
      { name: "speaks", version: 2, state: "live" },
      { name: "waits", version: 1, state: "draft" },
    ]);
  });

  test("puts a JSON rule; set changes its values without it, on trial if it is told so, and show has them", async () => {
    const json = {
      name: "Sized",
      parameters: { least: { type: "integer", default: "1000", min: "1", description: "in wei" } },
      conditions: { value_gte: { param: "least" } },
    };
    const pushed = await push(bench.write("sized.json", JSON.stringify(json)));
    expect(pushed.lines()[0]).toMatchObject({ ok: true, name: "sized", kind: "json", version: 1, state: "live" });
    const set = (...args: string[]) => weirRule(["set", "sized", ...args, "--api", url], { env });
    expect((await set("least=5")).lines()[0]).toMatchObject({ rule: "sized", version: 2, runs: "live" });
    const trial = await weirRuleProcess(["set", "sized", "least=7", "--shadow", "--api", url], { env });
    expect(trial.lines()[0]).toMatchObject({ version: 3, runs: "shadow", parameters: [{ name: "least", value: "7" }] });
    const shown = (await weirRule(["show", "sized", "--api", url], { env })).lines();
    expect(shown[0]).toMatchObject({
      ...{ name: "sized", state: "live", version: 2 },
      parameters: [{ name: "least", type: "integer", value: "5", default: "1000", min: "1", description: "in wei" }],
      versions: [
        { version: 3, runs: "shadow", parameters: { least: "7" } },
        { version: 2, runs: "live", parameters: { least: "5" } },
        { version: 1, runs: null, parameters: {} },
      ],
    });
    expect((await weirRuleProcess(["show", "sized"], { env })).lines()).toEqual(shown);
    expect((await set("--default", "least")).lines()[0]).toMatchObject({ version: 4, parameters: [{ value: "1000" }] });
    expect(await set("least=0")).toMatchObject({ code: 1, stderr: expect.stringContaining("least: Expected a whole number of at least 1") }); // biome-ignore format: one line
    expect(await set("lest=2")).toMatchObject({ code: 1, stderr: expect.stringContaining('Did you mean "least"?') });
    expect(await set()).toMatchObject({ code: 2, stderr: expect.stringContaining("expected name=value") });
    expect(await weirRule(["set", "nobody", "a=1", "--api", url], { env })).toMatchObject({ code: 1 });
    expect(await weirRule(["show", "nobody"], { env })).toMatchObject({ code: 1, stderr: expect.stringContaining("there is no such rule") }); // biome-ignore format: one line
  });

  test("shows the findings of a module that is refused, without asking anybody", async () => {
    const refused = await weirRule(["push", bench.write("empty.wasm", EMPTY), "--api", "http://127.0.0.1:1"], { env });
    expect(refused.code).toBe(1);
    const [line] = refused.lines<{ ok: boolean; findings: { code: string }[] }>();
    expect(line!.ok).toBe(false);
    expect(line!.findings.map(({ code }) => code)).toContain("missing_export");
  });

  test("says why not: a wrong token, nobody there, somebody else there", async () => {
    const file = bench.write("speaks.wasm", (await buildRule(bench.write("speaks.ts", rule("two")))).wasm!);
    expect(await push(file, "--token", "another-token-of-somebody")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("WEIR_TOKEN, or --token"),
    });
    const nobody = await weirRule(["push", file, "--api", "http://127.0.0.1:1"], { env });
    expect(nobody).toMatchObject({ code: 4, stderr: expect.stringContaining("npx weir start") });
    expect(await push(file, "--state", "sleeping")).toMatchObject({ code: 2 });
    const store = await weirRule(["push", file, "--api", env.CLICKHOUSE_URL!], { env });
    expect(store).toMatchObject({ code: 1, stderr: expect.stringContaining("expected the API of Weir") });
  });
});

describe("weir list", () => {
  const address = (n: number): string => `0x${n.toString(16).padStart(40, "0")}`;
  const list = (...args: string[]) => weir(["list", ...args, "--api", url], { env });

  test("puts a list of a file, edits it, shows it as put reads it, and removes it", async () => {
    const file = bench.write("bad.txt", `# bad ones\n${address(2)}\n${address(1)}\n`);
    expect((await list("put", "bad", file)).lines()).toMatchObject([{ name: "bad", version: 1, size: 2, added: 2 }]);
    expect((await list("add", "bad", address(3), address(1))).lines()).toMatchObject([{ version: 2, added: 1 }]);
    expect((await list("remove", "bad", address(2))).lines()).toMatchObject([{ version: 3, removed: 1, size: 2 }]);
    expect((await list("show", "bad")).stdout).toBe(`${address(1)}\n${address(3)}\n`);
    expect((await list("show", "bad", "--limit", "1", "--json")).lines()).toEqual([{ entry: address(1) }]);
    expect(await list("show", "bad", "--has", address(2))).toMatchObject({ code: 1 });
    expect((await list("show", "bad", "--has", address(3))).lines()).toEqual([{ list: "bad", entry: address(3), has: true }]); // biome-ignore format: one expression
    expect((await list("ls")).lines()).toMatchObject([{ name: "bad", kind: "address", size: 2, rules: 0 }]);
    expect((await list("rm", "bad")).lines()).toMatchObject([{ name: "bad", size: 2 }]);
    expect(await list("show", "bad")).toMatchObject({ code: 1, stderr: expect.stringContaining("List not found") });
  });

  test("says which line is wrong, and what a kind is", async () => {
    const wrong = await list("put", "bad", bench.write("wrong.txt", `${address(1)}\nvitalik.eth\n`));
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("line 2: Expected an address") });
    expect(await list("put", "bad", "nowhere.txt")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("ENOENT"),
    });
    expect(await list("put", "bad", "-", "--kind", "mood")).toMatchObject({ code: 2 });
  });
});
