/** CSV that our thread makes, byte for byte what the store's own CSV is. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TemporaryStore, temporaryStore } from "../../../test/support/embeddedStore.ts";
import { cellOf, expressionOf } from "../columns.ts";
import { DATASETS } from "../datasets.ts";
import { FORMATS } from "../formats.ts";
import { openLanes } from "../lanes.ts";
import { readTable, type StoredColumn } from "../storedTable.ts";
import { writeAside } from "../writeAside.ts";
import { csvRows, SAME_KEYS } from "./csvRows.ts";

let home: TemporaryStore;
beforeAll(async () => {
  home = await temporaryStore();
});
afterAll(() => home.remove());

/** Rows of a subquery as our thread makes them, of bytes that come in such pieces, and as the store does; both read the same rows in the same order. */
async function bothWays(
  columns: readonly StoredColumn[],
  from: string,
  rows: number,
  piece: number,
  block = 50,
): Promise<[Buffer, Buffer]> {
  const cells = columns.map(cellOf);
  const native = await bytesOf(`SELECT ${cells.map(({ sql }) => sql).join(", ")} FROM ${from}`, "Native", block);
  const csv = await bytesOf(
    `SELECT ${columns.map((each) => expressionOf(each, "flat")).join(", ")} FROM ${from}`,
    "CSVWithNames",
    block,
  );
  return [wholeOf(csvRows(cells, rows, reading(native, piece))), csv];
}

/** In blocks of so many rows. */
async function bytesOf(sql: string, format: string, block = 50): Promise<Buffer> {
  const inOrder = { max_threads: 1, max_block_size: block };
  return buffer(await home.store.stream(sql, {}, format, { ...FORMATS.csv.settings("none"), ...inOrder }));
}

const wholeOf = (pieces: Iterable<Uint8Array>): Buffer =>
  Buffer.concat(Array.from(pieces, (piece) => Buffer.from(piece)));

const reading = (bytes: Buffer, piece: number) => {
  let at = 0;
  return (room: Buffer) => {
    const count = bytes.copy(room, 0, at, Math.min(at + piece, at + room.length));
    at += count;
    return count;
  };
};

const tables = [...new Set(DATASETS.map(({ table }) => table))];
test.each(tables)("is what the store makes, byte for byte, of any values in %s", async (table) => {
  const { columns } = await readTable(home.store, { name: table, table, description: "" });
  const structure = columns.map(({ name, type }) => `${name} ${type.replaceAll("'", "\\'")}`).join(", ");
  const [made, stored] = await bothWays(columns, `generateRandom('${structure}', 7, 40, 3) AS t LIMIT 120`, 120, 999);
  expect(made.toString("latin1")).toBe(stored.toString("latin1"));
});

test("is so of the largest, smallest and strangest values, and of texts beyond any room", async () => {
  const values: Record<string, readonly [type: string, ...values: string[]]> = {
    byte: ["Int8", "-128", "127", "0"],
    word: ["Nullable(UInt16)", "65535", "NULL", "9"],
    int: ["Int32", "-2147483648", "2147483647", "-1"],
    long: ["Int64", "toInt64('-9223372036854775808')", "9223372036854775807", "-1000000000"],
    natural: ["UInt64", "18446744073709551615", "1000000000000000000", "999999999"],
    half: ["UInt128", "toUInt128('340282366920938463463374607431768211455')", "toUInt128('18446744073709551616')", "10"],
    least: ["Int256", "toInt256('-57896044618658097711785492504343953926634992332820282019728792003956564819968')", "toInt256('57896044618658097711785492504343953926634992332820282019728792003956564819967')", "-1"],
    most: ["Nullable(UInt256)", "toUInt256('115792089237316195423570985008687907853269984665640564039457584007913129639935')", "NULL", "toUInt256('1000000000000000000000000000')"],
    time: ["DateTime64(9, 'UTC')", "'1900-01-01 00:00:00.000000001'", "'2262-04-11 23:47:16.854775807'", "'1969-12-31 23:59:59.999999999'"],
    beyond: ["DateTime64(6, 'UTC')", ...["9000000000000123456", "-9000000000000123456", "-62167219200000000"].map((ticks) => `reinterpret(toInt64('${ticks}'), 'DateTime64(6, \\'UTC\\')')`)],
    leap: ["DateTime64(0, 'UTC')", "'2000-02-29 12:00:00'", "'2100-03-01 00:00:00'", "'2299-12-31 23:59:59'"],
    second: ["Nullable(DateTime('UTC'))", "'1970-01-01 00:00:00'", "'2106-02-07 06:28:15'", "NULL"],
    day: ["Date", "'1970-01-01'", "'2149-06-06'", "'2024-02-29'"],
    text: ["Nullable(String)", "''", "NULL", `'"a""\\n,\\0'`],
    long_text: ["String", "repeat('0123456789\"', 50000)", "''", "'0123456789abcde\"'"],
    bytes: ["String", "repeat('\\0\\xff', 200000)", "''", "'x'"],
    few: ["LowCardinality(String)", "'\"'", "''", "repeat('x', 200)"],
    fixed: ["Nullable(FixedString(3))", "'abc'", "NULL", "'\"'"],
    lists: ["Array(Array(String))", "[['\"', '']]", "[]", "[[]]"],
    part: ["Nullable(Float64)", "0.1", "nan", "-inf"],
    sum: ["Nullable(Decimal(38, 6))", "toDecimal128('-1.50', 6)", "NULL", "0"],
    yes: ["Bool", "true", "false", "true"],
  }; // biome-ignore format: a column a line
  const columns = Object.entries(values).map(([name, [type]]) => ({ name, type, comment: "" }));
  const row = (n: number) => Object.entries(values).map(([name, [type, ...each]]) => `CAST(${each[n]}, '${type.replaceAll("'", "\\'")}') AS ${name}`).join(", "); // biome-ignore format: one line
  const from = `(${[0, 1, 2].map((n) => `SELECT ${row(n)}`).join(" UNION ALL ")}) AS t ORDER BY word NULLS LAST`;
  const [made, stored] = await bothWays(columns, from, 3, 65_536);
  expect(made.equals(stored)).toBe(true);
  expect(stored.length).toBeGreaterThan(1_400_000);
});

test("is so of numbers of each length, and of those that stay the same for some rows or all, in more than one piece", async () => {
  const lengths = Array.from({ length: 78 }, (_, digits) => 10n ** BigInt(digits));
  const numbers = lengths.flatMap((least) => [least - 1n, least, least + 1n]);
  const types = ["UInt64", "Int64", "UInt128", "Int128", "UInt256", "Int256"];
  const columns = [...types, "UInt32"].map((type) => ({ name: type, type, comment: "" }));
  // A cast takes the lowest bits, so a number that is too long becomes any other.
  const from = `(SELECT ${types.map((type) => `CAST(intDiv(number, 7) % 2 = 0 ? n : -n, '${type}') AS ${type}`).join(", ")}, toUInt32(8453) AS UInt32
    FROM (SELECT number, toInt256([${numbers.map((n) => `'${n}'`).join(",")}][1 + intDiv(number, 3) % ${numbers.length}]) AS n FROM numbers(5000))) AS t`;
  const [made, stored] = await bothWays(columns, from, 5000, 65_536, 5000);
  expect(made.toString("latin1")).toBe(stored.toString("latin1"));
  expect(stored.length).toBeGreaterThan(2 ** 19);
});

test("is refused where it ends early, or has other rows than were to come", async () => {
  const columns = [{ name: "n", cell: "value" }] as const;
  const native = await bytesOf("SELECT number AS n FROM numbers(3)", "Native");
  expect(wholeOf(csvRows(columns, 3, reading(native, 5))).toString()).toBe('"n"\n0\n1\n2\n');
  expect(() => wholeOf(csvRows(columns, 4, reading(native, 5)))).toThrow("3 rows came, expected 4");
  expect(() => wholeOf(csvRows(columns, 3, reading(native.subarray(0, -1), 5)))).toThrow("it ends too early");
  expect(() => wholeOf(csvRows([...columns, ...columns], 3, reading(native, 5)))).toThrow("1 columns came, expected 2");
});

test.each([
  ["a row in a block", "number = 77, 76, number", true],
  ["the last row of the block before", "number = 100, 99, number", true],
  ["no other", "number = 1000, 0, number", false],
])("where keys are to differ, a row with those of %s", async (_, other, isRefused) => {
  const columns = (["a", "b", "c"] as const).map((name) => ({ name, cell: "value" as const, isKey: name !== "c" }));
  const n = `if(${other})`; // rows come in blocks of 50
  const native = await bytesOf(`SELECT intDiv(${n}, 70) AS a, toInt16(${n} % 70) AS b, 1 AS c FROM numbers(120)`, "Native"); // biome-ignore format: one line
  const plain = wholeOf(csvRows(columns, 120, reading(native, 999)));
  const byKey = () => wholeOf(csvRows(columns, 120, reading(native, 999), true));
  if (isRefused) expect(byKey).toThrow(expect.objectContaining({ code: SAME_KEYS }));
  else expect(byKey().equals(plain)).toBe(true);
});

test("that the store does not end fails with what the store says", async () => {
  const out = await mkdtemp(join(tmpdir(), "weir-csv-"));
  const lanes = openLanes(out);
  const writing = writeAside(join(out, "file.csv"), {
    lanes,
    made: { into: "csv", rows: 3, columns: [{ name: "n", cell: "value" }] },
    async write(fifo) {
      await writeFile(fifo, Buffer.from([1, 3]));
      throw new Error("the store has no memory left");
    },
    stop: async () => {},
  });
  await expect(writing).rejects.toThrow("the store has no memory left");
  await lanes.close();
  await rm(out, { recursive: true });
});
