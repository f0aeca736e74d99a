import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readAddress } from "../../clickhouse/embedded/lockFile.ts";
import { CONTROL_KINDS, type ControlStore, emptyControl } from "../../test/support/controlStores.ts";
import { pgCore, sql } from "./drizzle.ts";
import { ControlUnavailable } from "./errors.ts";
import { migrateControl } from "./migrate.ts";
import { type Control, type Database, openControl } from "./open.ts";
import * as schema from "./schema.ts";

const MIGRATIONS = new URL("migrations/", import.meta.url).pathname;

/** Of an embedded store with PostgreSQL in it, on a busy machine. */
const START_MS = 60_000;

const rowsOf = async <T extends Record<string, unknown>>(db: Pick<Database, "execute">, query: string) =>
  (await db.execute(sql.raw(query))).rows as T[];

describe.each(CONTROL_KINDS.filter(({ skip }) => skip === undefined))("the control store, $kind", ({ kind, start }) => {
  let store: ControlStore;
  let control: Control;
  const open: Control[] = [];
  beforeAll(async () => {
    store = await start();
  }, START_MS);
  beforeEach(async () => {
    control = await emptyControl(store.options);
    open.push(control);
  });
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
  });
  afterAll(() => store.remove());
  const embeddedTest = kind === "embedded" ? test : () => {};
  const another = (): Control => {
    const made = openControl(store.options);
    open.push(made);
    return made;
  };
  const read = <T extends Record<string, unknown>>(query: string) => control.read((db) => rowsOf<T>(db, query));

  test("migrations are applied once, whoever starts at the same time", async () => {
    const results = await Promise.all([control, another(), another()].map((each) => migrateControl(each)));
    const all = (await readdir(MIGRATIONS)).length;
    expect(results.map(({ applied }) => applied.length).sort()).toEqual([0, 0, all]);
    expect(await migrateControl(control)).toEqual({ applied: [], already: all });
    expect(await read("SELECT number FROM changes")).toEqual([{ number: "0" }]);
  });

  test("a migration that was edited after it was applied, and a store of a newer version, are errors", async () => {
    await migrateControl(control);
    const folder = await mkdtemp(join(tmpdir(), "weir-migrations-"));
    try {
      await cp(MIGRATIONS, folder, { recursive: true });
      const first = join(folder, "0001_rules.sql");
      await writeFile(first, `${await readFile(first, "utf8")}\n-- edited`);
      await expect(migrateControl(control, { folder })).rejects.toThrow("expected an applied file to stay as it is");
      for (const file of await readdir(folder)) await rm(join(folder, file));
      await expect(migrateControl(control, { folder })).rejects.toThrow("Its tables are newer than this version");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("a migration that fails leaves nothing, and says which it was", async () => {
    const folder = await mkdtemp(join(tmpdir(), "weir-migrations-"));
    try {
      await writeFile(join(folder, "0001_good.sql"), "CREATE TABLE good (n integer);");
      await writeFile(join(folder, "0002_bad.sql"), "CREATE TABLE bad (n integer); SELECT nonsense;");
      await expect(migrateControl(control, { folder })).rejects.toThrow('Cannot apply migration "0002_bad"');
      expect(await read("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("schema.ts has the columns that the migrations make, and every column says what it is", async () => {
    await migrateControl(control);
    const found = await read<{ column: string; nullable: string; comment: string | null }>(
      `SELECT table_name || '.' || column_name AS column, is_nullable AS nullable,
              col_description(format('public.%I', table_name)::regclass, ordinal_position) AS comment
       FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'control_migrations'`,
    );
    const described = Object.values(schema)
      .filter((each) => typeof each === "object" && !Array.isArray(each))
      .map((table) => pgCore.getTableConfig(table as Parameters<typeof pgCore.getTableConfig>[0]))
      .flatMap(({ name, columns }) =>
        columns.map((column) => `${name}.${column.name} ${column.notNull ? "NO" : "YES"}`),
      );
    expect(found.map(({ column, nullable }) => `${column} ${nullable}`).sort()).toEqual(described.sort());
    expect(found.filter(({ comment }) => !comment)).toEqual([]);
  });

  test("transactions of two clients do not mix: none sees what is not committed, and both commit", async () => {
    await read("CREATE TABLE t (who text, n integer)");
    const both = [control, another()];
    await Promise.all(
      both.map((client, i) =>
        Promise.all(
          Array.from({ length: 10 }, (_, n) =>
            client.change(async (tx) => {
              await tx.execute(sql`INSERT INTO t VALUES (${`client ${i}`}, ${n})`);
              const others = await rowsOf<{ n: number }>(tx, "SELECT count(*)::int AS n FROM t WHERE n = -1");
              expect(others[0]!.n).toBe(0);
              await tx.execute(sql`INSERT INTO t VALUES (${`client ${i}`}, -1)`);
              await tx.execute(sql`DELETE FROM t WHERE who = ${`client ${i}`} AND n = -1`);
            }),
          ),
        ),
      ),
    );
    expect(await read("SELECT who, count(*)::int AS n, sum(n)::int AS sum FROM t GROUP BY who ORDER BY who")).toEqual([
      { who: "client 0", n: 10, sum: 45 },
      { who: "client 1", n: 10, sum: 45 },
    ]);
  });

  test("statements of many clients at once get their own answers", async () => {
    const clients = [control, another(), another()];
    const asked = await Promise.all(
      Array.from({ length: 300 }, (_, n) =>
        clients[n % 3]!.read(async (db) => (await db.execute<{ n: number }>(sql`SELECT ${n}::int AS n`)).rows[0]!.n),
      ),
    );
    expect(asked).toEqual(Array.from({ length: 300 }, (_, n) => n));
  });

  test("a change that throws, and one whose statement fails, have not happened", async () => {
    await read("CREATE TABLE t (n integer PRIMARY KEY)");
    const insert = (n: number) => sql`INSERT INTO t VALUES (${n})`;
    await expect(
      control.change(async (tx) => {
        await tx.execute(insert(1));
        throw new Error("changed my mind");
      }),
    ).rejects.toThrow("changed my mind");
    await expect(
      control.change(async (tx) => {
        await tx.execute(insert(2));
        await tx.execute(insert(2));
      }),
    ).rejects.toThrow(/^duplicate key value/);
    expect(await read("SELECT * FROM t")).toEqual([]);
  });

  test("bytes come back as they went, of any size a module may have", async () => {
    await migrateControl(control);
    const bytes = Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => (i * 7) % 256));
    await control.change((tx) => tx.insert(schema.modules).values({ sha256: "a".repeat(64), bytes }));
    const [row] = await control.read((db) => db.select().from(schema.modules));
    expect(bytes.equals(row!.bytes)).toBe(true);
  });

  embeddedTest("a commit is there after SIGKILL, what was not committed is not", async () => {
    await read("CREATE TABLE t (n integer)");
    const kill = async () => process.kill((await readAddress(store.options.folder!))!.pid, "SIGKILL");
    for (let n = 1; n <= 3; n++) {
      await control.change((tx) => tx.execute(sql`INSERT INTO t VALUES (${n})`));
      await kill();
      expect(await read("SELECT max(n) AS n FROM t")).toEqual([{ n }]);
    }
    const halfWay = control.change(async (tx) => {
      await tx.execute(sql`INSERT INTO t VALUES (4)`);
      await kill();
      await tx.execute(sql`INSERT INTO t VALUES (5)`);
    });
    await expect(halfWay).rejects.toThrow(ControlUnavailable);
    expect(await read("SELECT max(n) AS n FROM t")).toEqual([{ n: 3 }]);
  });

  embeddedTest("a client that dies inside a transaction holds nobody up", async () => {
    await read("CREATE TABLE t (n integer)");
    const dying = another();
    const inside = dying.change(async (tx) => {
      await tx.execute(sql`INSERT INTO t VALUES (1)`);
      const { session } = tx as unknown as { session: { client: { connection: { stream: { destroy(): void } } } } };
      session.client.connection.stream.destroy();
      await tx.execute(sql`SELECT 1`);
    });
    await expect(inside).rejects.toThrow(ControlUnavailable);
    expect(await read("SELECT * FROM t")).toEqual([]);
  });
});

test("a server that is not there is unavailable, and its password is nowhere in what is said", async () => {
  const control = openControl({ url: "postgres://weir:hunter2@127.0.0.1:9/weir" });
  const error = await control.read((db) => db.execute(sql`SELECT 1`)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ControlUnavailable);
  expect((error as Error).message).toMatch(/^Cannot reach the control store: connect ECONNREFUSED/);
  expect(`${(error as Error).stack} ${control.where}`).not.toContain("hunter2");
  await control.close();
});
