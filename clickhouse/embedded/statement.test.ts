import { describe, expect, test } from "vitest";
import { intoFile, planStatement } from "./statement.ts";

describe("planStatement()", () => {
  test.each([
    ["SELECT 1 FORMAT JSONEachRow", { kind: "read", by: "chunks", format: "JSONEachRow" }],
    ["WITH 1 AS x SELECT x\nFORMAT JSON", { kind: "read", by: "whole", format: "JSON" }],
    ["SELECT 'FORMAT JSON'", { kind: "read", by: "chunks", format: undefined }],
    ["SHOW TABLES", { kind: "read", by: "whole" }],
    ["SELECT 1 FORMAT Parquet", { kind: "read", by: "file", format: "Parquet", formatAt: 9 }],
    ["SHOW TABLES FORMAT Parquet", { kind: "read", by: "whole" }],
    ["INSERT INTO t SELECT 1", { kind: "write", into: "t" }],
    ['insert into "a b" (c) VALUES (1)', { kind: "write", into: "a b" }],
    ["INSERT INTO a.t SELECT 1", { kind: "write", into: undefined }],
    ["INSERT INTO TABLE t SELECT 1", { kind: "write", into: undefined }],
    ["INSERT INTO FUNCTION file('x') SELECT 1", { kind: "write", into: undefined }],
    ["ALTER TABLE t DELETE WHERE 1;", { kind: "write", sql: "ALTER TABLE t DELETE WHERE 1", into: undefined }],
  ])("%s", (sql, plan) => {
    expect(planStatement(sql, false)).toMatchObject(plan);
  });

  test.each([
    ["INSERT INTO `a b`.t (`x y`, n.z, w) FORMAT Native", "`a b`.t", ["x y", "n.z", "w"], "Native"],
    ["insert into table t format RowBinary", "t", undefined, "RowBinary"],
    ["INSERT INTO t SETTINGS async_insert = 0 FORMAT CSV", "t", undefined, "CSV"],
  ])("finds table, columns and format of %s", (sql, table, columns, format) => {
    expect(planStatement(sql, true)).toMatchObject({ kind: "insertBody", table, columns, format });
  });

  test.each([
    ["", false, "the query is empty"],
    ["-- nothing", false, "the query is empty"],
    ["SELECT 1; DROP TABLE t", false, "2 statements in one request"],
    ["SELECT 'a", false, "is not closed"],
    ["SELECT 1", true, "expected INSERT INTO"],
    ["INSERT INTO t VALUES", true, "expected FORMAT"],
    ["INSERT INTO FORMAT CSV", true, "no table"],
    ["INSERT INTO t (* EXCEPT(a)) FORMAT CSV", true, "in the columns of an INSERT"],
  ])("refuses %j (body: %s)", (sql, hasBody, problem) => {
    expect(() => planStatement(sql, hasBody)).toThrow(problem);
  });
});

test("intoFile() writes the result of a statement to a file, its path quoted", () => {
  const plan = planStatement("SELECT 'FORMAT' AS a\nFORMAT Arrow SETTINGS max_threads = 1", false);
  if (plan.kind !== "read") throw new Error("expected a statement that reads");
  expect(intoFile(plan, "/tmp/it's")).toBe(
    "SELECT 'FORMAT' AS a\nINTO OUTFILE '/tmp/it\\'s' TRUNCATE FORMAT Arrow SETTINGS max_threads = 1",
  );
});
