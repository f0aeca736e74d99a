import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureDatabase } from "./template.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-template-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
const version = (name: string) => stat(join(folder, name, "PG_VERSION"));

test("two that start at once share one template; a third copies it; one that others may write to is not used", async () => {
  const cache = join(folder, "cache");
  await Promise.all(["a", "b"].map((name) => ensureDatabase(join(folder, name), cache)));
  await Promise.all([version("a"), version("b")]);
  const [template, ...others] = await readdir(cache);
  expect(others).toEqual([]);
  expect(template).toMatch(/^pglite-\d+\.\d+\.\d+-lean$/);

  const mark = "made-before";
  await writeFile(join(cache, template!, mark), "");
  await ensureDatabase(join(folder, "c"), cache);
  expect(await readdir(join(folder, "c"))).toContain(mark);
  await chmod(join(cache, template!), 0o770);
  await ensureDatabase(join(folder, "d"), cache);
  await version("d");
  expect(await readdir(join(folder, "d"))).not.toContain(mark);
}, 240_000); // three initdbs, each 5 s of CPU
