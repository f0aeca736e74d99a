import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { UserError } from "./errors.ts";
import { holdExclusively } from "./exclusive.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-lock-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a lock that is held is refused with its holder, and free again once it is given back", async () => {
  const path = join(folder, "sub", "a.lock");
  const release = await holdExclusively(path, "replay it");
  await expect(holdExclusively(path, "replay it")).rejects.toThrow(`Cannot replay it: process ${process.pid} is at it`);
  await expect(holdExclusively(path, "replay it")).rejects.toThrow(UserError);
  release();
  expect(existsSync(path)).toBe(false);
  (await holdExclusively(path, "replay it"))();
});

test("a lock of a process that is gone, or that holds no pid, is taken over", async () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  for (const left of [String(pid), ""]) {
    const path = join(folder, "b.lock");
    writeFileSync(path, left);
    const release = await holdExclusively(path, "replay it");
    expect(readFileSync(path, "utf8")).toBe(String(process.pid));
    release();
  }
});

test("one that may wait gets the lock when it is given back", async () => {
  const path = join(folder, "c.lock");
  const release = await holdExclusively(path, "replay it");
  const waiting = holdExclusively(path, "replay it", { waitMs: 30_000 });
  release();
  (await waiting)();
  expect(readdirSync(folder).filter((name) => name.startsWith("c.lock"))).toEqual([]);
});

test("of many that find a lock of a process that is gone, each holds it alone", async () => {
  const path = join(folder, "d.lock");
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  writeFileSync(path, String(pid));
  let holders = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      const release = await holdExclusively(path, "replay it", { waitMs: 30_000 });
      most = Math.max(most, ++holders);
      await new Promise(setImmediate);
      holders--;
      release();
    }),
  );
  expect(most).toBe(1);
});
