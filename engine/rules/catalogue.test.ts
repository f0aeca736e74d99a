import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { testModule } from "../sandbox/testModule.ts";
import { type Catalogue, openCatalogue, type UploadResult } from "./catalogue.ts";

let folder: string;
let catalogue: Catalogue;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-rules-"));
  catalogue = await openCatalogue(folder);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const rule = (name: string, description = "") => testModule({ manifest: JSON.stringify({ name, description }) });
const accepted = (result: UploadResult) => {
  if (!result.ok) throw new Error(result.findings[0]!.message);
  return result;
};
const upload = async (name: string, description?: string) =>
  accepted(await catalogue.upload(name, rule(name, description)));
const live = async (of: Catalogue, id = of.current()) =>
  (await of.snapshot(id)).map(({ name, version, manifest }) => `${name}@${version} ${manifest.description}`.trim());

test("an empty catalogue has an id like any other", async () => {
  expect(catalogue.list()).toEqual([]);
  expect(catalogue.current()).toMatch(/^[0-9a-f]{16}$/);
  expect(await catalogue.snapshot(catalogue.current())).toEqual([]);
});

test("an upload is live at once, with what is known of it", async () => {
  const before = catalogue.current();
  const { rule: info, changed } = await upload("whale", "first");
  expect(changed).toBe(true);
  expect(info).toMatchObject({ name: "whale", version: 1, state: "live", size: rule("whale", "first").length });
  expect(info.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(catalogue.get("whale")).toEqual(info);
  expect(catalogue.current()).not.toBe(before);
  const [ready] = await catalogue.snapshot(catalogue.current());
  expect(ready!.module).toBeInstanceOf(WebAssembly.Module);
});

test("another module is the next version; the same one again changes nothing; an older one again is a new version", async () => {
  await upload("whale", "first");
  const id = catalogue.current();
  expect((await upload("whale", "first")).changed).toBe(false);
  expect(catalogue.current()).toBe(id);
  expect((await upload("whale", "second")).rule.version).toBe(2);
  expect((await upload("whale", "first")).rule.version).toBe(3);
  expect(await live(catalogue)).toEqual(["whale@3 first"]);
});

test("a snapshot stays what it was, whatever happens to its rules", async () => {
  await upload("a", "first");
  await upload("b");
  const then = catalogue.current();
  await upload("a", "second");
  await catalogue.setState("b", "disabled");
  expect(await live(catalogue, then)).toEqual(["a@1 first", "b@1"]);
  expect(await live(catalogue)).toEqual(["a@2 second"]);
  expect(await live(await openCatalogue(folder), then)).toEqual(["a@1 first", "b@1"]);
});

test("the id depends on the live set alone: disabled and enabled again, it is the old one", async () => {
  await upload("a");
  await upload("b");
  const both = catalogue.current();
  expect((await catalogue.setState("a", "disabled")).state).toBe("disabled");
  expect(catalogue.current()).not.toBe(both);
  expect(await live(catalogue)).toEqual(["b@1"]);
  await catalogue.setState("a", "live");
  expect(catalogue.current()).toBe(both);
});

test("a new version of a disabled rule stays disabled", async () => {
  await upload("a", "first");
  await catalogue.setState("a", "disabled");
  expect((await upload("a", "second")).rule).toMatchObject({ version: 2, state: "disabled" });
  expect(await live(catalogue)).toEqual([]);
});

test("what is not a rule is refused with findings and leaves no trace", async () => {
  for (const wasm of [new Uint8Array(0), Buffer.from("no module"), testModule({ manifest: "{" })]) {
    const result = await catalogue.upload("a", wasm);
    expect(result.ok).toBe(false);
    if (!result.ok) expect(result.findings[0]!.message).toMatch(/^Cannot |expected/);
  }
  expect(catalogue.list()).toEqual([]);
  expect(await readdir(join(folder, "modules"))).toEqual([]);
});

test("a module under another name than its own is refused", async () => {
  const result = await catalogue.upload("whale", rule("shrimp"));
  expect(result).toMatchObject({
    ok: false,
    findings: [{ code: "manifest", actual: "shrimp", message: expect.stringContaining('its manifest says "shrimp"') }],
  });
  expect(catalogue.get("shrimp")).toBeUndefined();
});

test.each(["constructor", "__proto__", "toString", "hasOwnProperty", ""])("there is no rule %j", async (name) => {
  expect(catalogue.get(name)).toBeUndefined();
  await expect(catalogue.setState(name, "live")).rejects.toThrow(
    `Cannot set the state of the rule "${name}": there is no such rule`,
  );
});

test("a rule may be called constructor", async () => {
  expect((await upload("constructor")).rule.version).toBe(1);
  expect((await openCatalogue(folder)).get("constructor")).toMatchObject({ version: 1 });
});

test("a restart finds everything as it was", async () => {
  await upload("a", "first");
  await upload("a", "second");
  await upload("b");
  await catalogue.setState("b", "disabled");
  const again = await openCatalogue(folder);
  expect(again.list()).toEqual(catalogue.list());
  expect(again.current()).toBe(catalogue.current());
});

test("a second instance takes over changes when it is told to look, and changes of both are kept", async () => {
  const other = await openCatalogue(folder);
  await upload("a");
  expect(other.get("a")).toBeUndefined();
  await other.refresh();
  expect(other.list()).toEqual(catalogue.list());
  expect(other.current()).toBe(catalogue.current());
  accepted(await other.upload("b", rule("b")));
  await upload("c"); // without a refresh in between
  await other.refresh();
  expect(other.list().map(({ name }) => name)).toEqual(["a", "b", "c"]);
  expect(catalogue.current()).toBe(other.current());
});

test("changes and refreshes at once are all there at the end", async () => {
  const names = Array.from({ length: 12 }, (_, i) => `rule-${i}`);
  const refreshing = Array.from({ length: 20 }, () => catalogue.refresh());
  await Promise.all([...names.map((name) => upload(name)), ...refreshing]);
  expect((await openCatalogue(folder)).list()).toHaveLength(12);
  expect(catalogue.list()).toHaveLength(12);
  expect(await live(catalogue)).toHaveLength(12);
});

test("a folder's modules are taken at start, what is refused is named, other files are passed over", async () => {
  const from = join(folder, "from");
  await mkdir(from);
  await writeFile(join(from, "one.wasm"), rule("a"));
  await writeFile(join(from, "two.wasm"), "no module");
  await writeFile(join(from, "readme.txt"), "no module either");
  const loaded = await catalogue.loadFolder(from);
  expect(loaded).toMatchObject({ rules: 1, refused: [{ file: join(from, "two.wasm") }] });
  expect(catalogue.list().map(({ name, state }) => [name, state])).toEqual([["a", "live"]]);
  expect(await catalogue.loadFolder(join(folder, "nowhere"))).toEqual({ rules: 0, refused: [] });
});

test("a start does not undo what was done to the folder's rules: a newer upload stays, a disabled rule stays so", async () => {
  const from = join(folder, "from");
  await mkdir(from);
  await writeFile(join(from, "a.wasm"), rule("a", "of the folder"));
  await catalogue.loadFolder(from);
  await upload("a", "uploaded");
  await catalogue.setState("a", "disabled");
  const restarted = await openCatalogue(folder);
  await restarted.loadFolder(from);
  expect(restarted.get("a")).toMatchObject({ version: 2, state: "disabled" });
  await writeFile(join(from, "a.wasm"), rule("a", "of the folder, newer"));
  await restarted.loadFolder(from);
  expect(restarted.get("a")).toMatchObject({ version: 3, manifest: { description: "of the folder, newer" } });
});

test("a change that cannot be written has not happened", async () => {
  await upload("a", "first");
  const id = catalogue.current();
  await rm(join(folder, "modules"), { recursive: true });
  await writeFile(join(folder, "modules"), "in the way");
  await expect(catalogue.upload("a", rule("a", "second"))).rejects.toThrow();
  expect(catalogue.get("a")).toMatchObject({ version: 1 });
  expect(catalogue.current()).toBe(id);
});

test("a snapshot that is gone, and damaged rules, are errors that say what to do", async () => {
  await expect(catalogue.snapshot("0123456789abcdef")).rejects.toThrow('Cannot run the rule set "0123456789abcdef"');
  await writeFile(join(folder, "rules.json"), '{"rules":');
  await expect(openCatalogue(folder)).rejects.toThrow(`Cannot read the rules "${join(folder, "rules.json")}"`);
});

test("processes that change the rules at the same time lose no change", async () => {
  // Catalogues of one folder know nothing of each other, as in processes of their own.
  const others = await Promise.all(Array.from({ length: 4 }, () => openCatalogue(folder)));
  await Promise.all(
    others.flatMap((each, i) =>
      Array.from({ length: 5 }, async (_, j) => accepted(await each.upload(`rule-${i}-${j}`, rule(`rule-${i}-${j}`)))),
    ),
  );
  await catalogue.refresh();
  expect(catalogue.list()).toHaveLength(20);
  await Promise.all(others.map((each) => each.refresh()));
  expect(new Set(others.map((each) => each.current()))).toEqual(new Set([catalogue.current()]));
});

test("a start that brings nothing new leaves the file as it is", async () => {
  const rules = await mkdtemp(join(tmpdir(), "weir-rules-"));
  await writeFile(join(rules, "whale.wasm"), rule("whale"));
  await catalogue.loadFolder(rules);
  const { ino } = await stat(join(folder, "rules.json"));
  await (await openCatalogue(folder)).loadFolder(rules);
  expect((await stat(join(folder, "rules.json"))).ino).toBe(ino);
  await rm(rules, { recursive: true });
});
