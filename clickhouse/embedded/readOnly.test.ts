import { expect, test } from "vitest";
import { createReadOnlyGuard } from "./readOnly.ts";

const guard = createReadOnlyGuard(["file", "url", "numbers", "remote", "s3Cluster", "format"]);

test.each([
  ["SELECT count() FROM transactions WHERE input LIKE '%file(%'"],
  ["WITH x AS (SELECT 1) SELECT format('{}', file) FROM numbers(3)"],
  ["SELECT url, file FROM t -- file('/etc/passwd')"],
  ["EXPLAIN SELECT 1"],
  ["(SELECT 1) UNION ALL (SELECT 2)"],
])("lets %s through", (sql) => {
  expect(() => guard(sql)).not.toThrow();
});

test.each([
  ["INSERT INTO t SELECT 1"],
  ["KILL QUERY WHERE 1"],
  ["SELECT * FROM file('/etc/passwd')"],
  ["SELECT * FROM FILE /* x */ ('/etc/passwd')"],
  ["SELECT * FROM `file`('/etc/passwd')"],
  ["SELECT * FROM \"fil\\x65\"('/etc/passwd')"],
  ["SELECT * FROM \u201cfile\u201d('/etc/passwd')"],
  ["SELECT 1 // '\n, file('/etc/passwd') // '"],
  ["SELECT (SELECT * FROM (SELECT * FROM s3cluster('x')))"],
  ["DESCRIBE TABLE url('http://x')"],
  ["SELECT 1 INTO OUTFILE '/tmp/x'"],
  ["SELECT aiGenerate('x')"],
])("refuses %s", (sql) => {
  expect(() => guard(sql)).toThrow(/^Code: 164\. DB::Exception: Cannot use .* \(READONLY\)$/);
});

test.each([
  ["SELECT count() FROM file('/archive/{a,b}/swaps.parquet', 'Parquet', 'x UInt8')"],
  ["SELECT * FROM (SELECT * FROM file('/archive/a.parquet') UNION ALL SELECT * FROM file('/archive/b.parquet'))"],
])("lets files of the archive through where they are asked for: %s", (sql) => {
  expect(() => guard(sql, "/archive/")).not.toThrow();
  expect(() => guard(sql)).toThrow(/READONLY/);
  expect(() => guard(sql, "/other/")).toThrow(/READONLY/);
});

test.each([
  ["SELECT * FROM file('/etc/passwd')"],
  ["SELECT * FROM file('/archive/../etc/passwd')"],
  ["SELECT * FROM file('/archive/{a,../../etc}/passwd')"],
  ["SELECT * FROM file('/archive/a.parquet'), file('/etc/passwd')"],
  ["SELECT * FROM file(concat('/archive/', '../etc/passwd'))"],
  ["SELECT * FROM file({path:String})"],
  ["SELECT * FROM url('/archive/x')"],
  ["SELECT 1 INTO OUTFILE '/archive/x'"],
  ["INSERT INTO FUNCTION file('/archive/x') SELECT 1"],
])("refuses %s, also where files of the archive may be read", (sql) => {
  expect(() => guard(sql, "/archive/")).toThrow(/READONLY/);
});
