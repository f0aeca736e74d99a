import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type TemporaryStore, temporaryStore } from "../test/support/embeddedStore.ts";
import { openStore, StoreRefused } from "./client.ts";
import { migrate } from "./migrate.ts";

let home: TemporaryStore;
let folder: string;
beforeAll(async () => {
  home = await temporaryStore({}, { tables: false });
});
afterAll(() => home.remove());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-migrations-"));
  await write(
    "0001_first.sql",
    "CREATE TABLE IF NOT EXISTS a (x UInt8 COMMENT 'one; two') ENGINE = Memory;\n-- and;\nCREATE TABLE IF NOT EXISTS b (x UInt8) ENGINE = Memory;",
  );
  await write("0002_second.sql", "CREATE TABLE IF NOT EXISTS c (x UInt8) ENGINE = Memory");
});
afterEach(async () => {
  await rm(folder, { recursive: true });
  await home.store.command("DROP DATABASE weir");
});

const write = (file: string, sql: string): Promise<void> => writeFile(join(folder, file), sql);
const tables = async (): Promise<string[]> =>
  (await home.store.rows<{ name: string }>("SELECT name FROM system.tables WHERE database = 'weir' ORDER BY name")).map(
    ({ name }) => name,
  );

test("migrate() applies files in order, each once", async () => {
  expect(await migrate(home.store, { folder, to: 1 })).toEqual({ applied: ["0001_first"], already: 0 });
  expect(await tables()).toEqual(["a", "b", "weir_migrations"]);
  expect(await migrate(home.store, { folder })).toEqual({ applied: ["0002_second"], already: 1 });
  expect(await migrate(home.store, { folder })).toEqual({ applied: [], already: 2 });
  expect(await tables()).toEqual(["a", "b", "c", "weir_migrations"]);
});

test("migrate() twice at once, through two stores, gives every table and record once", async () => {
  const other = await openStore({ folder: home.folder });
  await Promise.all([migrate(home.store, { folder }), migrate(other, { folder })]);
  await other.close();
  expect(await migrate(home.store, { folder })).toEqual({ applied: [], already: 2 });
  expect(await tables()).toEqual(["a", "b", "c", "weir_migrations"]);
});

test("migrate() names the statement that failed, and goes on from there once it is mended", async () => {
  await write(
    "0002_second.sql",
    "CREATE TABLE IF NOT EXISTS c (x UInt8) ENGINE = Memory; CREATE TABLE IF NOT EXISTS d (x Nonsense) ENGINE = Memory",
  );
  const error: unknown = await migrate(home.store, { folder }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StoreRefused);
  expect((error as Error).message).toMatch(/^Cannot apply migration "0002_second", statement 2 of 2: .*Nonsense/);
  await write(
    "0002_second.sql",
    "CREATE TABLE IF NOT EXISTS c (x UInt8) ENGINE = Memory; CREATE TABLE IF NOT EXISTS d (x UInt8) ENGINE = Memory",
  );
  expect(await migrate(home.store, { folder })).toEqual({ applied: ["0002_second"], already: 1 });
  expect(await tables()).toEqual(["a", "b", "c", "d", "weir_migrations"]);
});

test("migrate() refuses an applied file that was edited, renamed or is gone", async () => {
  await migrate(home.store, { folder });
  await write("0002_second.sql", "CREATE TABLE IF NOT EXISTS c (x UInt16) ENGINE = Memory");
  await expect(migrate(home.store, { folder })).rejects.toThrow('"0002_second" was applied with sha256');
  await rename(join(folder, "0002_second.sql"), join(folder, "0002_other.sql"));
  await expect(migrate(home.store, { folder })).rejects.toThrow('but "0002_other" now has');
  await rm(join(folder, "0002_other.sql"));
  await expect(migrate(home.store, { folder })).rejects.toThrow(
    'the store has "0002_second", expected at most number 1',
  );
});

test.each([
  ["0004_gap.sql", "number 4 comes at place 3"],
  ["0002_again.sql", "number 2 comes at place 3"],
  ["third.sql", "its name has no number"],
])("migrate() refuses the file %s", async (file, problem) => {
  await home.store.createDatabase();
  await write(file, "SELECT 1");
  await expect(migrate(home.store, { folder })).rejects.toThrow(problem);
});

test("migrate() makes this version's own tables, and twice changes nothing", async () => {
  const { applied } = await migrate(home.store);
  expect(applied.length).toBeGreaterThan(0);
  expect(await migrate(home.store)).toEqual({ applied: [], already: applied.length });
});
