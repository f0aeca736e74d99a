import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, statfs, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openStore } from "../../clickhouse/client.ts";
import { stopEmbedded } from "../../clickhouse/embedded/open.ts";
import { temporaryStore } from "../../test/support/embeddedStore.ts";
import { loadConfig } from "../ops/config.ts";
import { readManifest } from "./manifest.ts";
import { type BackupPlace, bytesOf, openBackupPlace } from "./place.ts";
import { backUpDatabase, restoreDatabase } from "./storeData.ts";

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

describe("the store's disk", () => {
  let small: string;
  let mounted: ReturnType<typeof spawnSync>;
  beforeAll(async () => {
    small = await mkdtemp(join(tmpdir(), "weir-small-"));
    mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=32m", "tmpfs", small], { encoding: "utf8" });
  });
  beforeEach((context) => {
    if (mounted.status !== 0) context.skip(`no disk can be mounted here: ${mounted.stderr}`);
  });
  afterAll(async () => {
    await stopEmbedded(small);
    spawnSync("umount", ["--lazy", small]); // the child may still be on its way out
    await rm(small, { recursive: true, force: true });
  });

  /** Of large ones ClickHouse sees before that they do not fit; of small ones it counts bytes, and each takes a page. */
  test.each([
    ["large files", "SELECT randomString(4096) AS text FROM numbers(2000)"],
    ["small files", `SELECT ${Array.from({ length: 300 }, (_, i) => `1 AS n${i}`).join(", ")} FROM numbers(2000)`],
  ])("that has no room for %s is an error that says so, and all comes back once it has", async (_, rows) => {
    const store = await openStore({ folder: small });
    try {
      await store.createDatabase();
      await store.command(
        `CREATE TABLE wide ENGINE = MergeTree ORDER BY tuple() SETTINGS min_bytes_for_wide_part = 0 AS ${rows}`,
      );
      const from = { database: store.database, from: `File('${join(folder, "backup")}')`, folder: small };
      await backUpDatabase(store, from.from);
      await store.command("DROP TABLE wide SYNC");
      const { bavail, bsize } = await statfs(small);
      const filler = join(small, "filler");
      await writeFile(filler, Buffer.alloc(bavail * bsize - (1 << 20)));
      await expect(restoreDatabase(store, from)).rejects.toThrow(
        `Cannot restore into "${small}": the disk does not take all of it, expected room for the rows`,
      );
      await rm(filler);
      await store.command("DROP TABLE IF EXISTS wide SYNC");
      await restoreDatabase(store, from);
      expect(await store.rows("SELECT count() AS n FROM wide")).toEqual([{ n: "2000" }]);
      await store.command("DROP TABLE wide SYNC");
    } finally {
      await store.close();
    }
  });
});
