/** What exactly-once rests on: how ClickHouse treats tokens, and where it cannot be trusted. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type TemporaryStore, temporaryStore } from "../test/support/embeddedStore.ts";
import { forgetLastToken, loseLastRows } from "../test/support/tornDeduplication.ts";
import { stopEmbedded } from "./embedded/open.ts";

let home: TemporaryStore;
beforeAll(async () => {
  home = await temporaryStore({}, { tables: false });
  const window = "SETTINGS non_replicated_deduplication_window = 100";
  for (const sql of [
    `CREATE TABLE events (id UInt64, partition UInt16) ENGINE = MergeTree ORDER BY id ${window}`,
    `CREATE TABLE sums (partition UInt16, events UInt64) ENGINE = SummingMergeTree ORDER BY partition ${window}`,
    `CREATE TABLE uniques (partition UInt16, ids AggregateFunction(uniqExact, UInt64), events SimpleAggregateFunction(sum, UInt64))
     ENGINE = AggregatingMergeTree ORDER BY partition ${window}`,
    "CREATE MATERIALIZED VIEW sums_view TO sums AS SELECT partition, count() AS events FROM events GROUP BY partition",
    `CREATE MATERIALIZED VIEW uniques_view TO uniques AS
     SELECT partition, uniqExactState(id) AS ids, count() AS events FROM events GROUP BY partition`,
    // Parts stay as they were inserted, so that tests can count them.
    "SYSTEM STOP MERGES",
  ])
    await home.store.command(sql);
});
afterAll(() => home.remove());
beforeEach(async () => {
  for (const table of ["events", "sums", "uniques"]) await home.store.command(`TRUNCATE TABLE ${table}`);
});

/** RowBinary: id u64 little-endian, partition u16. */
function rowsOf(count: number, partition = 1): Uint8Array {
  const bytes = Buffer.alloc(count * 10);
  for (let row = 0; row < count; row++) {
    bytes.writeBigUInt64LE(BigInt(row), row * 10);
    bytes.writeUInt16LE(partition, row * 10 + 8);
  }
  return bytes;
}

/** Native: columns, rows as varuint, then name and type with their lengths, and the values. */
function nativeBlock(rows: number): Uint8Array {
  const head = [1];
  for (let rest = rows; ; rest >>>= 7) {
    head.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  const ids = BigUint64Array.from({ length: rows }, (_, id) => BigInt(id));
  return Buffer.concat([Buffer.from(head), Buffer.from("\x02id\x06UInt64"), Buffer.from(ids.buffer)]);
}

const insert = (token?: string, partition?: number): Promise<void> =>
  home.store.insertBlock({
    table: "events",
    columns: ["id", "partition"],
    format: "RowBinary",
    bodies: [rowsOf(3, partition)],
    rows: 3,
    ...(token === undefined ? {} : { token }),
  });

async function count() {
  const [row] = await home.store.rows<Record<string, number>>(
    `SELECT (SELECT count() FROM events) AS events, (SELECT sum(events) FROM sums) AS sums,
            (SELECT sum(events) FROM uniques) AS uniques`,
    {},
    { output_format_json_quote_64bit_integers: 0 },
  );
  return row!;
}

describe("a token", () => {
  test("adds nothing the second time, in the table and in both kinds of views", async () => {
    await insert("a");
    await insert("a");
    expect(await count()).toEqual({ events: 3, sums: 3, uniques: 3 });
  });

  test("that is new adds the same rows again, in the views too", async () => {
    await insert("b-1");
    await insert("b-2");
    expect(await count()).toEqual({ events: 6, sums: 6, uniques: 6 });
  });

  test("is not there in the next insert: without one every insert adds", async () => {
    await insert("c");
    await insert();
    await insert();
    expect(await count()).toEqual({ events: 9, sums: 9, uniques: 9 });
  });

  test("is known after a clean stop and after SIGKILL", async () => {
    await insert("d");
    await stopEmbedded(home.folder);
    await insert("d");
    await home.kill();
    await insert("d").catch(() => insert("d")); // the first one may find the connection gone
    expect(await count()).toEqual({ events: 3, sums: 3, uniques: 3 });
  });

  test("is still known after its rows were deleted, so that a repeat of them needs another", async () => {
    await insert("e");
    await home.store.command("DELETE FROM events WHERE partition = 1");
    await insert("e");
    expect((await count()).events).toBe(0);
    await insert("e-again");
    expect((await count()).events).toBe(3);
  });
});

test("Native blocks in one body, or cut anywhere, are one part with one token, though they are large", async () => {
  // ClickHouse by itself closes a part at 1,048,449 rows: it would make two of these.
  const rows = 2_100_000;
  const all = Buffer.concat([nativeBlock(700_000), nativeBlock(700_000), nativeBlock(700_000)]);
  const block = { table: "events", columns: ["id"], format: "Native", rows, token: "large" } as const;
  await home.store.insertBlock({ ...block, bodies: [all.subarray(0, 13), all.subarray(13)] });
  await home.store.insertBlock({ ...block, bodies: [all] });
  const parts = await home.store.rows<{ rows: string }>(
    "SELECT rows FROM system.parts WHERE database = 'weir' AND table = 'events' AND active",
  );
  expect(parts).toEqual([{ rows: `${rows}` }]);
});

describe.each([
  ["DELETE FROM events WHERE partition = {partition:UInt16} AND id >= {from:UInt64} AND id < {to:UInt64}"],
  ["ALTER TABLE events DELETE WHERE partition = {partition:UInt16} AND id >= {from:UInt64} AND id < {to:UInt64}"],
])("%s", (sql) => {
  test("has taken effect when it resolves", async () => {
    await insert();
    await insert(undefined, 2);
    await home.store.command(sql, { partition: 1, from: 1, to: 3 });
    const left = await home.store.rows(
      "SELECT partition, groupArray(toUInt8(id)) AS ids FROM events GROUP BY ALL ORDER BY 1",
    );
    expect(left).toEqual([
      { partition: 1, ids: [0] },
      { partition: 2, ids: [0, 1, 2] },
    ]);
  });
});

describe("what SIGKILL can tear apart", () => {
  test("rows without their token are added again by a repeat", async () => {
    await insert("torn-1");
    await stopEmbedded(home.folder);
    await forgetLastToken({ folder: home.folder, table: "events" });
    await insert("torn-1");
    expect((await count()).events).toBe(6);
  });

  test("a token without its rows makes a repeat add nothing: they are lost", async () => {
    await insert("torn-2");
    await stopEmbedded(home.folder);
    await loseLastRows({ folder: home.folder, table: "events" });
    expect((await count()).events).toBe(0);
    await insert("torn-2");
    expect((await count()).events).toBe(0);
  });
});
