import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

test("a lock of a process that is gone, or that was killed before it wrote its pid, is taken over", async () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  for (const left of [String(pid), ""]) {
    const path = join(folder, "b.lock");
    writeFileSync(path, left);
    const release = await holdExclusively(path, "replay it");
    expect(readFileSync(path, "utf8")).toBe(String(process.pid));
    release();
  }
});
