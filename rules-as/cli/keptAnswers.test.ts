import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { libraryFiles } from "assemblyscript/asc";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Request } from "./compiler.ts";
import { compileOnce } from "./keptAnswers.ts";

let folder: string;
let cache: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weir-kept-"));
  cache = join(folder, "cache");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const request = (returns: string, about: Partial<Request> = {}): Request => ({
  files: { "a.ts": `import { n } from "lib"; export function f(): i32 { return n + ${returns}; }` },
  library: { "rt/stub": libraryFiles["rt/stub"]!, lib: "export const n: i32 = 40;" },
  argv: ["a.ts", "--outFile", "rule.wasm", "--runtime", "stub"],
  ...about,
});
const said = (wasm: Uint8Array<ArrayBuffer> | null): unknown =>
  (new WebAssembly.Instance(new WebAssembly.Module(wasm!)).exports.f as () => unknown)();
const build = async (what: Request): Promise<unknown> => said((await compileOnce(what, cache)).wasm as never);
const entries = (): string[] => readdirSync(cache);

test("the same program is compiled once; what differs in any part is another", async () => {
  const first = await compileOnce(request("2"), cache);
  const [entry] = entries();
  utimesSync(join(cache, entry!), 0, 0);
  const again = await compileOnce(request("2"), cache);
  expect(again).toEqual({ ...first, wasm: new Uint8Array(first.wasm!) });
  expect(entries()).toEqual([entry]);

  expect(await build(request("3"))).toBe(43); // a source
  const { library, argv } = request("2");
  expect(await build(request("2", { library: { ...library, lib: "export const n: i32 = 50;" } }))).toBe(52); // the SDK
  const mapped = await compileOnce(request("2", { argv: [...argv, "--sourceMap"] }), cache); // an option
  expect([first.map, typeof mapped.map]).toEqual([null, "string"]);
  expect(entries()).toHaveLength(4);
  expect(await build(request("2"))).toBe(42);
});

test("a kept answer is what is given: no second compilation", async () => {
  await compileOnce(request("2"), cache);
  const [two] = entries();
  await compileOnce(request("3"), cache);
  const three = entries().find((name) => name !== two)!;
  const before = readFileSync(join(cache, two!), "utf8");
  utimesSync(join(cache, two!), 0, 0);
  expect(await build(request("2"))).toBe(42);
  expect(readFileSync(join(cache, two!), "utf8")).toBe(before);

  // One under another's name is not taken for it, though it is whole.
  renameSync(join(cache, three), join(cache, two!));
  expect(await build(request("2"))).toBe(42);
  expect(readFileSync(join(cache, two!), "utf8")).toBe(before);
});

test("an entry that is cut, changed or empty is compiled anew and replaced", async () => {
  await compileOnce(request("2"), cache);
  const file = join(cache, entries()[0]!);
  const whole = readFileSync(file, "utf8");
  const damaged = [whole.slice(0, -10), "", `${whole} `, whole.replace('"wasm":"', '"wasm":"AAAA'), "x".repeat(100)];
  for (const text of damaged) {
    writeFileSync(file, text);
    expect(await build(request("2"))).toBe(42);
    expect(readFileSync(file, "utf8")).toBe(whole);
  }
});

test("a library is its request's alone: the compiler's thread does not remember it", async () => {
  expect(await build(request("2"))).toBe(42);
  const without = await compileOnce(request("2", { library: { "rt/stub": libraryFiles["rt/stub"]! } }), cache);
  expect(without.wasm).toBeNull();
  expect(without.found.map(({ message }) => message).join()).toContain("lib");
});

test("mistakes in the source are kept, a failure of the compiler is not", async () => {
  const wrong = request("true ? nothing : 1");
  const first = await compileOnce(wrong, cache);
  expect(first).toMatchObject({ wasm: null, failure: null, found: [{ error: true, message: expect.any(String) }] });
  expect(await compileOnce(wrong, cache)).toEqual(first);
  expect(entries()).toHaveLength(1);
  const crash = request("2", { argv: [...request("2").argv, "--disable", "no-such-feature"] });
  expect((await compileOnce(crash, cache)).failure).toContain("no-such-feature");
  expect(entries()).toHaveLength(1);
});

test("a cache that others can write is not read, one that cannot be made is done without", async () => {
  await compileOnce(request("2"), cache);
  const [two] = entries();
  await compileOnce(request("3"), cache);
  const three = entries().find((name) => name !== two)!;
  const [, body] = readFileSync(join(cache, three), "utf8").split("\n");
  writeFileSync(
    join(cache, two!),
    `${createHash("sha256")
      .update(two! + body!)
      .digest("hex")}\n${body}`,
  );
  expect(await build(request("2"))).toBe(43); // so much is believed of what only we can write
  chmodSync(cache, 0o777);
  expect(await build(request("2"))).toBe(42);
  const blocked = join(folder, "a-file");
  writeFileSync(blocked, "");
  expect(said((await compileOnce(request("2"), join(blocked, "cache"))).wasm as never)).toBe(42);
});

test("the entries that were not used for longest go", async () => {
  await compileOnce(request("2"), cache);
  const [used] = entries();
  for (let i = 0; i < 399; ++i) {
    writeFileSync(join(cache, `old${i}`), "");
    utimesSync(join(cache, `old${i}`), i, i);
  }
  await compileOnce(request("3"), cache);
  expect(entries()).toHaveLength(301);
  expect(entries()).toContain(used);
  expect(entries()).toContain("old398");
  expect(entries()).not.toContain("old0");
});
