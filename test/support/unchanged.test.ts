import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keepPassed, passedFiles, testKeys } from "./unchanged.ts";

const files: Record<string, string> = {
  "engine/sum.ts": 'import { one } from "./one.ts"; export const two = one + one;',
  "engine/one.ts": "export const one = 1;",
  "engine/sum.test.ts": 'import "./sum.ts";',
  "engine/other.ts": "export const other = 3;",
  "engine/other.test.ts": 'import "./other.ts";',
  "engine/process.test.ts": 'import { spawn } from "node:child_process"; spawn("node");',
  "engine/random.test.ts": 'import fc from "fast-check"; fc.string();',
  "test/crash.test.ts": 'import "../engine/sum.ts";',
  "clickhouse/migrations/0001.sql": "SELECT 1",
};
const DAY = "2026-01-01";
let root: string;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "weir-unchanged-"));
  for (const [file, text] of Object.entries(files)) await write(file, text);
});
afterEach(() => rmSync(root, { recursive: true }));

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, file)), { recursive: true });
  await writeFile(join(root, file), text);
}

const keysOn = (day: string) => testKeys(root, Object.keys(files), day);

/** The tests whose key is another after the change. */
async function changedBy(file: string): Promise<string[]> {
  const before = await keysOn(DAY);
  await write(file, `${files[file]}\n`);
  const after = await keysOn(DAY);
  return [...after].filter(([test, key]) => before.get(test) !== key).map(([test]) => test);
}

test("a module changes the tests that import it, over others too, and those that start processes", async () => {
  expect(await changedBy("engine/one.ts")).toEqual(["engine/sum.test.ts", "engine/process.test.ts"]);
});

test("a test changes itself alone", async () => {
  expect(await changedBy("engine/other.test.ts")).toEqual(["engine/other.test.ts"]);
  expect(await changedBy("test/crash.test.ts")).toEqual([]);
});

test("what is no code changes all", async () => {
  expect(await changedBy("clickhouse/migrations/0001.sql")).toEqual([
    "engine/sum.test.ts",
    "engine/other.test.ts",
    "engine/process.test.ts",
    "engine/random.test.ts",
  ]);
});

test("so does what tests are told by the environment", async () => {
  const before = await keysOn(DAY);
  process.env.FUZZ_SEED = "7";
  try {
    expect((await keysOn(DAY)).get("engine/sum.test.ts")).not.toBe(before.get("engine/sum.test.ts"));
  } finally {
    delete process.env.FUZZ_SEED;
  }
});

test("the next day changes those that draw random cases, and no others", async () => {
  const [today, tomorrow] = [await keysOn("2026-01-01"), await keysOn("2026-01-02")];
  expect(await keysOn("2026-01-01")).toEqual(today);
  expect([...tomorrow].filter(([test, key]) => today.get(test) !== key)).toEqual([
    ["engine/random.test.ts", expect.any(String)],
  ]);
});

test("the system's tests are never left out", async () => {
  expect((await keysOn("2026-01-01")).has("test/crash.test.ts")).toBe(false);
});

test("what has passed is read again", async () => {
  expect(await passedFiles(root)).toEqual({});
  const files = { "engine/sum.test.ts": { key: "a", passed: 3, skipped: 1 } };
  await keepPassed(root, files);
  expect(await passedFiles(root)).toEqual(files);
});
