import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { libraryFiles } from "assemblyscript/asc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildRule } from "./build.ts";
import { buildExamples } from "./buildExamples.ts";
import { compile } from "./compiler.ts";
import { formatDiagnostic } from "./diagnostics.ts";
import { tryModule } from "./tryRule.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "weir-rules-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HEAD = `import { Tx, Severity, alert, ether, filter } from "@weir/rules";\n`;

function write(name: string, source: string, into = folder): string {
  const file = join(into, name);
  writeFileSync(file, source);
  return file;
}

/** What the author sees for a rule with this function body. */
async function mistakes(source: string): Promise<string> {
  const { wasm, diagnostics } = await buildRule(write("my-rule.ts", source));
  expect(wasm).toBeNull();
  return diagnostics.map(formatDiagnostic).join("\n");
}
const body = (code: string) => mistakes(`${HEAD}export function onTx(tx: Tx): void {\n  ${code}\n}\n`);

describe("buildRule()", () => {
  test("makes the same bytes of the same source, wherever it lies", async () => {
    const source = `${HEAD}filter.chain(1);\nexport function onTx(tx: Tx): void { if (tx.value > ether(1)) alert(Severity.Low, \`\${tx.value}\`); }\n`;
    const elsewhere = mkdtempSync(join(tmpdir(), "weir-other-"));
    const first = await buildRule(write("same.ts", source), { cache: join(folder, "first") });
    const second = await buildRule(write("same.ts", source, elsewhere), { cache: join(folder, "second") }); // compiles again
    rmSync(elsewhere, { recursive: true });
    expect(first.diagnostics).toEqual([]);
    expect(Buffer.from(first.wasm!).equals(second.wasm!)).toBe(true);
    expect(tryModule(first.wasm!).manifest).toMatchObject({ name: "same", filter: { chains: [1] }, onError: "dlq" });
  });

  test("follows imports beside the rule", async () => {
    write("lists.ts", `import { address } from "@weir/rules";\nexport const MINE = address("0x${"12".repeat(20)}");\n`);
    const { wasm, diagnostics } = await buildRule(
      write(
        "uses-list.ts",
        `${HEAD}import { MINE } from "./lists";\nexport function onTx(tx: Tx): void { if (tx.to == MINE) alert(Severity.Low, "mine"); }\n`,
      ),
    );
    expect(diagnostics).toEqual([]);
    expect(tryModule(wasm!).manifest.name).toBe("uses-list");
  });

  test("takes name, version, description, severity and error policy from the source", async () => {
    const { wasm } = await buildRule(
      write(
        "declared.ts",
        `import { Tx, Severity, OnError, name, version, describe, severity, onError, filter, ether } from "@weir/rules";
name("another-name"); version(7); describe("what it \\"finds\\"\\n\\\\ is"); severity(Severity.Critical); onError(OnError.Skip);
filter.chain(1).chain(137).to("0x${"AB".repeat(20)}").from("0x${"cd".repeat(20)}").selector("0x12345678").selector("a()")
  .topic("0x${"0f".repeat(32)}").minValue(ether(2)).created(false).failed().mined();
export function onTx(tx: Tx): void {}
`,
      ),
    );
    expect(tryModule(wasm!).manifest).toEqual({
      manifest: 1,
      name: "another-name",
      version: 7,
      description: 'what it "finds"\n\\ is',
      severity: "critical",
      onError: "skip",
      parameters: {},
      filter: {
        chains: [1, 137],
        to: [`0x${"ab".repeat(20)}`],
        from: [`0x${"cd".repeat(20)}`],
        selectors: ["0x12345678", "0x0dbe671f"], // keccak256("a()")
        topics: [`0x${"0f".repeat(32)}`],
        minValue: "2000000000000000000",
        created: false,
        status: 0,
        pending: false,
      },
    });
  });

  test("shows the place and says where a member is, or which was meant", async () => {
    expect(await body("const amount = tx.arg(1).asAddress();\n  if (amount.isMax()) return;")).toBe(
      [
        'my-rule.ts:4:14  Cannot use "isMax" on Address: it exists on U256',
        "    4 |   if (amount.isMax()) return;",
        "      |              ^^^^^",
      ].join("\n"),
    );
    expect(await body("if (tx.valeu.isZero) return;")).toContain('Did you mean "value"?');
    expect(await body("alert(Severity.Hihg, `x`);")).toContain('Did you mean "High"?');
    expect(await body("alrt(Severity.High, `x`);")).toContain(
      'Cannot find "alrt": it is not declared. Did you mean "alert"?',
    );
    expect(await body("tag(`x`);")).toContain('expected import { tag } from "@weir/rules"');
  });

  test.for([
    ["a closure", "let n = 0;\n  const add = (): void => { n += 1; };\n  add();", "AssemblyScript has no closures"],
    ["try", "try { alert(Severity.Low, `x`); } catch (e) {}", "AssemblyScript has no exceptions"],
    ["any", "const x: any = 1;", 'Cannot use "any"'],
    ["a number as amount", "if (tx.value > 5) return;", "Cannot use i32 as U256: expected an amount such as ether(5)"],
    ["a fraction of ether", "if (tx.value > ether(0.5)) return;", 'for half an ether write units("0.5", 18)'],
    ["a number as text", "alert(Severity.Low, 5);", "Cannot use i32 as string"],
    ["the console", "console.log(`x`);", "a rule has no console"],
    ["the clock", "if (Date.now() > 0) alert(Severity.Low, `x`);", "a rule has no clock"],
    ["chance", "if (Math.random() > 0.5) alert(Severity.Low, `x`);", "a rule has no randomness"],
    ["a syntax error", "alert(Severity.Low 5);", "my-rule.ts:3:18  ')' expected"],
  ] as const)("explains %s", async ([, code, expected]) => {
    const text = await body(code);
    expect(text).toContain(expected);
    expect(text).toMatch(/^my-rule\.ts:\d+:\d+ {2}/);
    expect(text).toContain("^");
  });

  test.for([
    ["a union", "function f(x: u64 | string): void {}", 2, "Cannot use a union of types"],
    ["for … of", "function f(a: i32[]): void { for (const x of a) {} }", 2, "Cannot use for … of"],
    ["for … in", "function f(a: i32[]): void { for (const x in a) {} }", 2, "Cannot use for … in"],
    ["a spread", "function f(a: i32[]): i32[] { return [...a]; }", 2, "Cannot spread a list"],
    ["an object literal", "function f(): void { const x = { a: 1 }; }", 2, "Cannot use an object literal"],
    ["async", "async function f(): Promise<void> {}", 2, "Cannot wait"],
    ["destructuring", "function f(): void { const [a, b] = [1, 2]; }", 2, "Cannot take a value apart"],
    ["?.", "function f(tx: Tx): void { const a = tx?.to; }", 2, 'Cannot use "?."'],
    ["??", 'function f(a: string | null): string { return a ?? "x"; }', 2, 'Cannot use "??"'],
    ["a BigInt", "function f(): void { const a = 5n; }", 2, "Cannot use a BigInt"],
    ["import type", 'import type { Log } from "@weir/rules";', 2, "Cannot use import type"],
    ["a tuple", "function f(): [i32, i32] { return [1, 2]; }", 2, "Cannot use a tuple"],
    ["a generator", "function* f(): void {}", 2, "Cannot use a generator"],
    [
      "an untyped callback",
      "function f(a: i32[]): void { a.map((x) => x); }",
      2,
      "Cannot tell the types of this function",
    ],
    ["a number that may not fit", "function f(tx: Tx): void { const a: i32 = tx.nonce; }", 2, "Cannot use u64 as i32"],
    ["amounts multiplied", "function f(tx: Tx): void { tx.value * tx.value; }", 2, 'Cannot use "*" on amounts'],
    ["an address as text", 'function f(tx: Tx): bool { return tx.to == "0x12"; }', 2, 'const THAT = address("0x…")'],
    ["JSON", 'function f(): void { JSON.parse("1"); }', 2, 'Cannot use "JSON"'],
    ["undefined", "function f(tx: Tx): bool { return tx.to == undefined; }", 2, 'Cannot use "undefined"'],
  ] as const)("says in words what AssemblyScript has not: %s", async ([, code, line, expected]) => {
    const call = /f\(tx/.test(code)
      ? "f(tx)"
      : /f\(a: i32/.test(code)
        ? "f([1])"
        : /f\(a: string/.test(code)
          ? 'f("")'
          : "f()";
    const text = await mistakes(
      `${HEAD}${code}\nexport function onTx(tx: Tx): void { ${code.startsWith("function f") && !code.includes("x: u64") ? call : ""}; }\n`,
    );
    expect(text).toMatch(new RegExp(`^my-rule\\.ts:${line}:\\d+ {2}`));
    expect(text).toContain(expected);
  });

  test("warns of === and !==, which compare places and not values, but not in texts and comments", async () => {
    const source = `${HEAD}// a === b\nexport function onTx(tx: Tx): void { if (tx.value === ether(1) || "!==" !== "a") alert(Severity.Low, "==="); }\n`;
    const { wasm, diagnostics } = await buildRule(write("same-object.ts", source));
    expect(wasm).not.toBeNull();
    expect(diagnostics.map(({ severity, line, column }) => [severity, line, column])).toEqual([
      ["warning", 3, 51],
      ["warning", 3, 73],
    ]);
    expect(diagnostics[0]!.message).toContain('expected "=="');
  });

  test.for([
    ["missing", "function check(tx: Tx): void {}", "my-rule.ts:1:1  ", "it has none"],
    ["of another name", "export function ontx(tx: Tx): void {}", "my-rule.ts:2:17  ", 'it has "ontx"'],
    ["not exported", "function onTx(tx: Tx): void {}", "my-rule.ts:2:10  ", "it is not exported"],
    [
      "with two parameters",
      "export function onTx(tx: Tx, n: i32): void {}",
      "my-rule.ts:2:17  ",
      "or not such a function",
    ],
    ["with another parameter", "export function onTx(tx: i32): void {}", "my-rule.ts:2:17  ", "or not such a function"],
  ] as const)("explains an onTx that is %s", async ([, code, where, why]) => {
    const text = await mistakes(HEAD + code);
    expect(text.startsWith(where)).toBe(true);
    expect(text).toContain(why);
    expect(text).toContain("expected export function onTx(tx: Tx): void");
    expect(text.match(/Cannot find the rule's function/g)).toHaveLength(1);
  });

  test("explains imports that are not there and calls to the outside", async () => {
    expect(await mistakes(`import { Tx } from "@weir/rule";\nexport function onTx(tx: Tx): void {}`)).toContain(
      'Cannot import "@weir/rule": a rule can import "@weir/rules" and files beside it',
    );
    expect(
      await mistakes(`${HEAD}import { x } from "./nowhere";\nexport function onTx(tx: Tx): void { x(); }`),
    ).toContain('my-rule.ts:2:19  Cannot find the file "nowhere.ts"');
    expect(await mistakes(`import { Tx, Foo } from "@weir/rules";\nexport function onTx(tx: Tx): void {}`)).toContain(
      'Cannot import "Foo"',
    );
    expect(
      await mistakes(
        `${HEAD}declare function now(): i32;\nexport function onTx(tx: Tx): void { if (now() > 0) alert(Severity.Low, "x"); }`,
      ),
    ).toContain('my-rule.ts:2:1  Cannot call "now": a rule can call nothing outside itself');
  });

  test("throws when there is no such file", async () => {
    await expect(buildRule(join(folder, "nowhere.ts"))).rejects.toThrow("ENOENT");
  });
});

describe("compile()", () => {
  const files = { "a.ts": "export function f(): string { return new Array<string>(5).join(); }" };
  const argv = ["a.ts", "--outFile", "rule.wasm", "--runtime", "stub"];
  const asItIs = () => compile({ files, library: { "rt/stub": libraryFiles["rt/stub"]! }, argv });

  test("answers with the reason when the compiler refuses, and works again afterwards", async () => {
    const refused = await compile({ files, library: {}, argv: [...argv, "--disable", "no-such-feature"] });
    expect(refused).toMatchObject({ wasm: null, found: [], failure: expect.stringContaining("'no-such-feature'") });
    expect((await asItIs()).wasm).not.toBeNull();
  });

  test("answers with the compiler's report when it crashes, and this process lives on", async () => {
    const [crashed, next] = await Promise.all([compile({ files, library: { "rt/stub": "" }, argv }), asItIs()]);
    expect(crashed.wasm).toBeNull();
    expect(crashed.failure).toContain("The compiler crashed");
    expect(crashed.failure).toContain("has crashed during compile");
    expect(next.wasm).not.toBeNull();
  });
});

describe("buildExamples()", () => {
  test("compiles what has changed and nothing else, and forgets rules that are gone", async () => {
    const examples = mkdtempSync(join(tmpdir(), "weir-examples-"));
    const rule = (text: string) =>
      `${HEAD}import { LEVEL } from "./lib/level";\nexport function onTx(tx: Tx): void { alert(LEVEL, "${text}"); }\n`;
    const { mkdirSync } = await import("node:fs");
    mkdirSync(join(examples, "lib"));
    write("lib/level.ts", `import { Severity } from "@weir/rules";\nexport const LEVEL = Severity.Low;\n`, examples);
    write("one.ts", rule("1"), examples);
    write("two.ts", rule("2"), examples);
    write("one.test.ts", "not a rule", examples);
    expect(await buildExamples(examples)).toEqual({ built: ["one", "two"], unchanged: [] });
    expect(await buildExamples(examples)).toEqual({ built: [], unchanged: ["one", "two"] });
    write("two.ts", rule("two"), examples);
    expect(await buildExamples(examples)).toEqual({ built: ["two"], unchanged: ["one"] });
    write("lib/level.ts", `import { Severity } from "@weir/rules";\nexport const LEVEL = Severity.High;\n`, examples);
    expect(await buildExamples(examples)).toEqual({ built: ["one", "two"], unchanged: [] });
    rmSync(join(examples, "two.ts"));
    await buildExamples(examples);
    expect(() => statSync(join(examples, "build/two.wasm"))).toThrow("ENOENT");
    write("three.ts", HEAD, examples);
    await expect(buildExamples(examples)).rejects.toThrow(/three\.ts:1:1 {2}Cannot find the rule's function "onTx"/);
    rmSync(examples, { recursive: true });
  });
});

test("npm run rules:build takes no file, and says what does", () => {
  const script = fileURLToPath(new URL("buildExamples.ts", import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, ["--import", "tsx", script, "mine.ts"], { encoding: "utf8" });
  expect(status).toBe(2);
  expect(stderr).toContain("npx weir rule build mine.ts");
});
