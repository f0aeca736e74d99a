import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryStore } from "../../test/support/embeddedStore.ts";
import { loadConfig } from "../ops/config.ts";
import { readManifest } from "./manifest.ts";
import { type BackupPlace, bytesOf, openBackupPlace } from "./place.ts";
import { backUpDatabase } from "./storeData.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-place-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (to: string, env: Record<string, string> = {}): BackupPlace => openBackupPlace(to, loadConfig({ env }).config); // biome-ignore format: one line

test("a folder appears with its manifest, and what was begun before makes way", async () => {
  const to = join(folder, "a", "b");
  await open(to).begin();
  await open(to).write("control/x", bytesOf("left by a kill"));
  const place = open(to);
  await expect(place.manifest()).rejects.toThrow(/there is no backup\.json/);
  await place.begin();
  const written = await place.write("ledger/one.json", bytesOf("text"));
  expect(written).toEqual({
    bytes: 4,
    sha256: "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1",
  });
  expect(await place.facts("ledger/one.json", true)).toEqual(written);
  expect(await place.written()).toEqual(["ledger/one.json"]);
  await expect(place.manifest()).rejects.toThrow(/there is no backup\.json/);
  await place.publish("{}");
  expect(await place.manifest()).toBe("{}");
  expect(await place.facts("ledger/one.json", false)).toEqual(written);
  await expect(place.begin()).rejects.toThrow(/it has 2 files, expected an empty folder or none/);
});

test.each([
  ["ftp://a/b", {}, /its kind is not known, expected a folder, s3:/],
  ["s3://A/b", {}, /it names no bucket/],
  ["folder", { CLICKHOUSE_URL: "http://a:8123" }, /does not see folders of this host, expected s3:/],
  ["s3://abc/d", { CLICKHOUSE_URL: "http://a:8123", CLICKHOUSE_CLUSTER: "c" }, /the cluster "c".*expected one/],
])("%s with %j is refused", (to, env, problem) => {
  expect(() => open(to, env as Record<string, string>)).toThrow(problem);
});

test("a place that cannot be written to, and a manifest that is none, are refused", async () => {
  await writeFile(join(folder, "file"), "");
  await expect(open(join(folder, "file", "x")).begin()).rejects.toThrow(
    /ENOTDIR.*expected a folder that we may write to/,
  );
  expect(() => readManifest("{", "x")).toThrow(/Cannot read the backup "x": backup\.json: .*JSON/);
  expect(() => readManifest('{"version": 2}', "x")).toThrow(/backup\.json: version: .*expected a manifest/);
});

test("a disk that takes only some of what the store writes is an error: the store says that it wrote all", async () => {
  const home = await temporaryStore();
  try {
    const place = open(join(folder, "backup"));
    await place.begin();
    const tables = join(folder, "backup.unfinished", "store", "metadata", home.store.database);
    await mkdir(tables, { recursive: true });
    await symlink("/dev/full", join(tables, "alerts.sql"));
    const storing = place.storing(home.store, () => backUpDatabase(home.store, place.store(true)));
    await expect(storing).rejects.toThrow(/^Cannot back up to ".*backup": the disk does not take all of it/);
  } finally {
    await home.remove();
  }
}, 60_000); // a store's child, on a busy machine
