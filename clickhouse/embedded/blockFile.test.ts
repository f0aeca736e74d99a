import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StoreUnavailable } from "../storeErrors.ts";
import { sweepBlockFiles, withBlockFile } from "./blockFile.ts";

let spool: string;
beforeEach(async () => {
  spool = await mkdtemp(join(tmpdir(), "weir-spool-"));
});
afterEach(() => rm(spool, { recursive: true, force: true }));

const bodies = [Buffer.from("ab"), Buffer.from("cd")];

test("the file holds all bodies while it is used, and is gone afterwards", async () => {
  let seen = "";
  await withBlockFile(spool, bodies, async (path) => {
    seen = await readFile(path, "utf8");
  });
  expect(seen).toBe("abcd");
  expect(await readdir(spool)).toEqual([]);
});

test("more bodies than the kernel takes at once, some of them empty, are all there", async () => {
  const many = Array.from({ length: 3_000 }, (_, i) => Buffer.alloc(i % 7, i));
  await withBlockFile(spool, many, async (path) => {
    expect(Buffer.compare(await readFile(path), Buffer.concat(many))).toBe(0);
  });
});

test("an error of its user comes through, and the file goes", async () => {
  const failing = withBlockFile(spool, bodies, async () => {
    throw new Error("refused");
  });
  await expect(failing).rejects.toThrow("refused");
  expect(await readdir(spool)).toEqual([]);
});

test("with the store's process its spool is gone: unavailable, not refused", async () => {
  const failing = withBlockFile(spool, bodies, async () => {
    await rm(spool, { recursive: true });
    throw new Error("no such file");
  });
  await expect(failing).rejects.toThrow(StoreUnavailable);
  await expect(withBlockFile(spool, bodies, async () => {})).rejects.toThrow(StoreUnavailable);
});

test("files of processes that were killed are swept, those of others stay", async () => {
  const ended = spawnSync(process.execPath, ["-e", ""]).pid;
  for (const name of [`block-${ended}-0`, `block-${process.pid}-7`, "12"]) await writeFile(join(spool, name), "x");
  await sweepBlockFiles(spool);
  expect((await readdir(spool)).sort()).toEqual(["12", `block-${process.pid}-7`]);
});
