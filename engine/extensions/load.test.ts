import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../ops/config.ts";
import { loadExtensions } from "./load.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-extensions-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let modules = 0;
async function load(...sources: string[]) {
  const paths = sources.map((_, i) => join(folder, `${modules + i}.mjs`));
  modules += sources.length;
  await Promise.all(sources.map((source, i) => writeFile(paths[i]!, source)));
  return loadExtensions(loadConfig({ env: { WEIR_EXTENSIONS: paths.join(",") } }).config);
}
const processor = (name: string, more = "") =>
  `{ kind: "processor", name: "${name}", reads: "alerts", async process() {}${more} }`;

test("the examples, and several of a module; a method keeps its object", async () => {
  const example = (name: string) => fileURLToPath(new URL(`examples/${name}.mjs`, import.meta.url));
  const paths = ["markdown", "large-arbitrages"].map(example).join(",");
  const { exporters, processors } = await loadExtensions(loadConfig({ env: { WEIR_EXTENSIONS: paths } }).config);
  expect([...exporters, ...processors].map(({ name }) => name)).toEqual(["markdown", "large-arbitrages"]);

  const counting = `{ kind: "processor", name: "b", reads: "x.y", seen: 0, async process(records) { this.seen += records.length; return [{ topic: "t", key: "", value: String(this.seen) }]; } }`;
  const loaded = await load(`export default [${processor("a")}, ${counting}]`);
  expect(await loaded.processors[1]!.process([{} as never, {} as never])).toEqual([
    { topic: "t", key: "", value: "2" },
  ]);
  expect(await loadExtensions({ extensions: [] })).toEqual({ exporters: [], processors: [] });
});

describe("what cannot be used is told at once, each with its module and the reason", () => {
  test.each([
    ["export default {", /it cannot be loaded: .*, expected the path of an ES module/],
    ["throw new Error('not today')", /it cannot be loaded: not today/],
    ["export const other = 1", /default: /],
    ["export default { kind: 'rule' }", /default.kind: expected "exporter" or "processor"/],
    [`export default ${processor("Bad Name")}`, /default.name: expected lower-case letters/],
    [`export default [${processor("a")}, ${processor("a")}]`, /default\[1\].name: there is another processor "a"/],
    [`export default ${processor("a", ", reads: 'a b'")}`, /default.reads: expected a topic/],
    [
      "export default { kind: 'exporter', name: 'a', extension: '../a', write() {} }",
      /default.extension: expected letters/,
    ],
    ["export default { kind: 'exporter', name: 'a', extension: 'a', write: 1 }", /default.write: expected a function/],
  ])("%s", async (source, problem) => {
    await expect(load(source)).rejects.toThrow(problem);
  });

  test("all of them", async () => {
    const wrong = load("export default 1", `export default ${processor("a")}`, "export default 2");
    await expect(wrong).rejects.toThrow(/2 mistakes\n {2}WEIR_EXTENSIONS ".*0?\.mjs".*\n {2}WEIR_EXTENSIONS "/);
    await expect(loadExtensions({ extensions: ["/nowhere/a.mjs"] })).rejects.toThrow(/"\/nowhere\/a.mjs": it cannot be loaded/); // biome-ignore format: one line
  });
});
