/** Of a cluster nothing can be run here: each statement that would be sent is parsed by ClickHouse, and read. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TemporaryStore, temporaryStore } from "../test/support/embeddedStore.ts";
import { clusterStatements } from "./cluster.ts";
import { storeMigrations } from "./migrate.ts";
import { splitStatements } from "./sqlTokens.ts";

const cluster = { name: "weir-1", database: "weir" };
const of = (sql: string): string[] => clusterStatements(sql, cluster);

describe("a statement", () => {
  test("that makes a table makes a replicated one on every server, and one over all of them", () => {
    const sql =
      "CREATE TABLE IF NOT EXISTS t (source String, partition UInt16 COMMENT 'of ENGINE = MergeTree', x UInt8) ENGINE = MergeTree ORDER BY x SETTINGS non_replicated_deduplication_window = 5";
    expect(of(sql)).toEqual([
      "CREATE TABLE IF NOT EXISTS `t_local` ON CLUSTER `weir-1` (source String, partition UInt16 COMMENT 'of ENGINE = MergeTree', x UInt8) ENGINE = ReplicatedMergeTree ORDER BY x SETTINGS replicated_deduplication_window = 5",
      "CREATE TABLE IF NOT EXISTS `t` ON CLUSTER `weir-1` AS `t_local` ENGINE = Distributed('weir-1', 'weir', 't_local', cityHash64(source, partition))",
    ]);
  });

  test("of a table that replaces rows keeps those that replace each other together", () => {
    const sql = "CREATE TABLE r (source String, partition UInt16, a UInt8) ENGINE = ReplacingMergeTree(a) ORDER BY (a, f(source, a)) COMMENT 'x'"; // biome-ignore format: one line
    expect(of(sql)[0]).toContain("ENGINE = ReplicatedReplacingMergeTree(a) ORDER BY");
    expect(of(sql)[1]).toMatch(/cityHash64\(a, f\(source, a\)\)\)$/);
  });

  test.each([
    ["DELETE FROM t WHERE x IN (SELECT x FROM t)", ["DELETE FROM `t_local` ON CLUSTER `weir-1` WHERE x IN (SELECT x FROM t)"]], // biome-ignore format: one line
    ["TRUNCATE TABLE IF EXISTS t", ["TRUNCATE TABLE IF EXISTS `t_local` ON CLUSTER `weir-1`"]],
    ["TRUNCATE TABLE weir_instance", ["TRUNCATE TABLE weir_instance ON CLUSTER `weir-1`"]],
    ["ALTER TABLE t MODIFY SETTING x = 1", ["ALTER TABLE `t_local` ON CLUSTER `weir-1` MODIFY SETTING x = 1"]],
    [
      "ALTER TABLE t ADD COLUMN a Decimal(3, 1) AFTER b, ADD INDEX i a TYPE minmax, ADD COLUMN c UInt8",
      [
        "ALTER TABLE `t_local` ON CLUSTER `weir-1` ADD COLUMN a Decimal(3, 1) AFTER b, ADD INDEX i a TYPE minmax, ADD COLUMN c UInt8",
        "ALTER TABLE `t` ON CLUSTER `weir-1` ADD COLUMN a Decimal(3, 1) AFTER b, ADD COLUMN c UInt8",
      ],
    ],
    ["CREATE MATERIALIZED VIEW IF NOT EXISTS v TO t AS SELECT x FROM u", ["CREATE MATERIALIZED VIEW IF NOT EXISTS v ON CLUSTER `weir-1` TO `t_local` AS SELECT x FROM `u_local`"]], // biome-ignore format: one line
    ["INSERT INTO t SELECT 1", ["INSERT INTO t SELECT 1"]],
  ])("%s", (sql, expected) => {
    expect(of(sql)).toEqual(expected);
  });

  test("of a table that a cluster cannot have is refused", () => {
    expect(() => of("CREATE TABLE a AS b")).toThrow(/Cannot make the table "a" of a cluster.*expected columns/);
  });
});

describe("every migration", () => {
  let home: TemporaryStore;
  beforeAll(async () => {
    home = await temporaryStore();
  });
  afterAll(() => home?.remove());

  test("gives statements that ClickHouse parses, all of them on the cluster", async () => {
    const statements = (await storeMigrations()).flatMap(({ sql }) => splitStatements(sql)).flatMap(of);
    expect(statements.length).toBeGreaterThan(60);
    const known = new Set<string>();
    for (const statement of statements) {
      if (/^(--.*\n)*INSERT/.test(statement)) continue; // into what is distributed
      expect(statement).toContain("ON CLUSTER `weir-1`");
      expect(statement).not.toMatch(/non_replicated|= MergeTree|= (Summing|Replacing)MergeTree/);
      const made = /CREATE TABLE IF NOT EXISTS `?(\w+)/.exec(statement)?.[1];
      if (made) known.add(made);
      const altered = /ALTER TABLE `?(\w+)/.exec(statement)?.[1];
      if (altered) expect(known).toContain(altered); // what is changed has been made
      await home.store.command(`EXPLAIN AST ${statement}`);
    }
    await expect(home.store.command(`EXPLAIN AST ${statements[0]!.replace("ENGINE =", "ENGINE = =")}`)).rejects.toThrow(/Syntax error/); // biome-ignore format: one line
  });
});
