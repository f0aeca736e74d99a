import { chmod, cp, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureDatabase } from "./template.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-template-"));
  await ensureDatabase(join(folder, "made")); // by initdb, if nobody did before
});
afterAll(() => rm(folder, { recursive: true, force: true }));
/** What initdb makes, in 0.1 s of CPU instead of 5 s. */
const make = (to: string) => cp(join(folder, "made"), to, { recursive: true });
const version = (name: string) => stat(join(folder, name, "PG_VERSION"));

test("two that start at once share one template; a third copies it; one that others may write to is not used", async () => {
  const cache = join(folder, "cache");
  await Promise.all(["a", "b"].map((name) => ensureDatabase(join(folder, name), cache, make)));
  await Promise.all([version("a"), version("b")]);
  const [template, ...others] = await readdir(cache);
  expect(others).toEqual([]);
  expect(template).toMatch(/^pglite-\d+\.\d+\.\d+-lean$/);

  const mark = "made-before";
  await writeFile(join(cache, template!, mark), "");
  await ensureDatabase(join(folder, "c"), cache, make);
  expect(await readdir(join(folder, "c"))).toContain(mark);
  await chmod(join(cache, template!), 0o770);
  await ensureDatabase(join(folder, "d"), cache, make);
  await version("d");
  expect(await readdir(join(folder, "d"))).not.toContain(mark);
});
