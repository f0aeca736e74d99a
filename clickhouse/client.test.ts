import { existsSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createClient } from "@clickhouse/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TemporaryStore, temporaryStore } from "../test/support/embeddedStore.ts";
import { openStore, StoreRefused, StoreUnavailable } from "./client.ts";
import { readAddress } from "./embedded/lockFile.ts";

let home: TemporaryStore;
beforeAll(async () => {
  home = await temporaryStore({}, { tables: false });
  await home.store.command("CREATE TABLE bytes (id UInt64, body String) ENGINE = MergeTree ORDER BY id");
  await home.store.command("CREATE TABLE kept (id UInt64) ENGINE = MergeTree ORDER BY id");
});
afterAll(() => home.remove());

/** RowBinary: id u64, then the length as varuint and the bytes. */
function row(id: number, body: Uint8Array): Uint8Array {
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(id));
  const length: number[] = [];
  for (let rest = body.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([head, Buffer.from(length), body]);
}

const bytesInto = { table: "bytes", columns: ["id", "body"], format: "RowBinary" } as const;

/** Native block of one UInt64 column `id` with the numbers from 0, all lengths but the rows' below 128. */
function nativeIds(rows: number): Uint8Array {
  const head = [1];
  for (let rest = rows; ; rest >>>= 7) {
    head.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  const ids = new BigUint64Array(rows);
  for (let id = 0; id < rows; id++) ids[id] = BigInt(id);
  return Buffer.concat([Buffer.from([...head, 2]), Buffer.from("id\x06UInt64"), Buffer.from(ids.buffer)]);
}

describe("rows()", () => {
  test("binds every kind of value as a parameter", async () => {
    const values = {
      s: "it's\t\\ \n\0 {x:String} 'ü",
      n: null,
      list: ["a'b", "c\\d"],
      big: 2n ** 200n,
      table: "bytes",
      few: 1,
    };
    const got = await home.store.rows(
      `SELECT {s:String} AS s, {n:Nullable(String)} AS n, {list:Array(String)} AS list, toString({big:UInt256}) AS big,
              (SELECT count() FROM {table:Identifier}) AS rows FROM numbers(3) LIMIT {few:UInt8}`,
      values,
    );
    expect(got).toEqual([{ s: values.s, n: null, list: values.list, big: String(2n ** 200n), rows: "0" }]);
  });

  test("gives 64-bit integers as strings, or as numbers when asked", async () => {
    const sql = "SELECT toUInt64(18446744073709551615) AS a, toUInt32(7) AS b";
    expect(await home.store.rows(sql)).toEqual([{ a: "18446744073709551615", b: 7 }]);
    const numbers = { output_format_json_quote_64bit_integers: 0 };
    expect(await home.store.rows(sql, {}, numbers)).toEqual([{ a: 18446744073709552000, b: 7 }]);
  });

  test("keeps parameters apart when eight run at once, for 200 queries", async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, id) => {
        const [got] = await home.store.rows<{ id: number; sum: number }>(
          "SELECT {id:UInt32} AS id, toUInt32(sum(number)) AS sum FROM numbers({upTo:UInt32})",
          { id, upTo: id + 1 },
        );
        return [got!.id, got!.sum];
      }),
    );
    expect(answers).toEqual(Array.from({ length: 200 }, (_, id) => [id, (id * (id + 1)) / 2]));
  });

  test("takes a list of parameters that is too long for a URL", async () => {
    const ids = Array.from({ length: 100_000 }, (_, id) => id);
    const [got] = await home.store.rows(
      "SELECT length({ids:Array(UInt32)}) AS n, toUInt32(arraySum({ids:Array(UInt32)})) AS sum",
      { ids },
    );
    expect(got).toEqual({ n: "100000", sum: 4999950000 % 2 ** 32 });
  });

  test("leaves no setting behind for the next query", async () => {
    const sql = "SELECT toString(getSetting('max_block_size')) AS size";
    const before = await home.store.rows(sql);
    expect(await home.store.rows(sql, {}, { max_block_size: 77 })).toEqual([{ size: "77" }]);
    expect(await Promise.all(Array.from({ length: 12 }, () => home.store.rows(sql)))).toEqual(Array(12).fill(before));
  });

  test("a slow query does not hold up others, nor an insert", async () => {
    const slow = "SELECT sleepEachRow(1) FROM numbers(50)";
    const isRunning = async () => {
      const running = "SELECT 1 FROM system.processes WHERE startsWith(query, {slow:String})";
      return (await home.store.rows(running, { slow })).length > 0;
    };
    const ended = expect(home.store.rows(slow, {}, { max_block_size: 1 })).rejects.toThrow("QUERY_WAS_CANCELLED");
    while (!(await isRunning()));
    await home.store.insertBlock({ ...bytesInto, bodies: [row(999, Buffer.from("x"))], rows: 1 });
    expect(await isRunning()).toBe(true);
    await home.store.command(`KILL QUERY WHERE startsWith(query, '${slow}') SYNC`);
    await ended;
    await home.store.command("TRUNCATE TABLE bytes");
  });

  test.each([
    ["INSERT INTO kept VALUES (1)"],
    ["TRUNCATE TABLE kept"],
    ["CREATE TEMPORARY TABLE x (a UInt8)"],
    ["SELECT * FROM file('/etc/passwd', 'LineAsString')"],
    ["SELECT file('/etc/passwd')"],
    ["SELECT * FROM default.`/etc/passwd`"],
    ["SELECT * FROM '/etc/passwd'"],
    ["SELECT * FROM url('http://127.0.0.1:1/')"],
    ["SELECT 1 INTO OUTFILE '/tmp/weir-outfile'"],
    ["SELECT 1 SETTINGS readonly = 0"],
    ["SELECT 1; TRUNCATE TABLE kept"],
  ])("never runs %s", async (sql) => {
    for (const readonly of ["1", "2"])
      await expect(home.store.rows(sql, {}, { readonly })).rejects.toMatchObject({
        name: "StoreRefused",
        code: expect.any(Number),
      });
  });
});

describe("stream()", () => {
  test("gives a result of 60 MB as it comes", async () => {
    const stream = await home.store.stream("SELECT number, 'some text' AS s FROM numbers(2000000)", {}, "TSV");
    let size = 0;
    let chunks = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length;
      chunks++;
    }
    // digits of 0 … 1,999,999, and tab, nine letters and newline on each line
    expect(size).toBe(10 + 90 * 2 + 900 * 3 + 9_000 * 4 + 90_000 * 5 + 900_000 * 6 + 1_000_000 * 7 + 2_000_000 * 11);
    expect(chunks).toBeGreaterThan(10);
  });

  test("gives formats with a header or a footer as they come, without holding them", async () => {
    const csv = await text(
      await home.store.stream("SELECT number AS a FROM numbers({n:UInt8})", { n: 3 }, "CSVWithNames"),
    );
    expect(csv).toBe('"a"\n0\n1\n2\n');
    // 320 MB: more than a result that is held in memory may have
    let size = 0;
    let end = Buffer.alloc(0);
    const arrow = await home.store.stream("SELECT number AS a FROM numbers(40000000)", {}, "Arrow", {
      output_format_arrow_compression_method: "none",
    });
    for await (const chunk of arrow as AsyncIterable<Buffer>) {
      size += chunk.length;
      end = Buffer.concat([end, chunk]).subarray(-6);
    }
    expect(end.toString()).toBe("ARROW1");
    expect(size).toBeGreaterThan(320_000_000);
  });

  test.each(["TSV", "CSVWithNames"])("fails when an error comes after the first rows of %s", async (format) => {
    const stream = await home.store.stream("SELECT throwIf(number = 1500000) FROM numbers(2000000)", {}, format);
    await expect(text(stream)).rejects.toThrow(/aborted|terminated|closed/i);
  });

  test("says what is wrong with a statement before the first row, and cannot write, in any format", async () => {
    await expect(home.store.stream("SELECT nope", {}, "Parquet")).rejects.toThrow("UNKNOWN_IDENTIFIER");
    const path = join(home.folder, "outfile");
    const out = `SELECT 1 INTO OUTFILE '${path}' FORMAT CSVWithNames SETTINGS max_threads = 1 --`;
    await expect(home.store.stream(out, {}, "Parquet")).rejects.toThrow("READONLY");
    expect(existsSync(path)).toBe(false);
  });

  test.each(["RowBinary", "CSVWithNames"])("a reader of %s that leaves early frees its place", async (format) => {
    for (let reader = 0; reader < 12; reader++) {
      const stream = await home.store.stream("SELECT number FROM system.numbers", {}, format);
      for await (const _ of stream) break;
    }
    expect(await home.store.rows("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });
});

describe("insertBlock()", () => {
  test("keeps every byte, pairs of newlines too", async () => {
    const all = Buffer.from([...Array(256).keys(), 10, 10, 10, 13, 10, 0, 0]);
    const bodies = Array.from({ length: 50 }, (_, id) => row(id, Buffer.concat(Array(id).fill(all))));
    await home.store.insertBlock({ ...bytesInto, bodies, rows: bodies.length });
    const stored = await home.store.rows<{ id: number; body: string }>(
      "SELECT toUInt32(id) AS id, hex(body) AS body FROM bytes ORDER BY id",
    );
    expect(stored).toEqual(bodies.map((_, id) => ({ id, body: all.toString("hex").toUpperCase().repeat(id) })));
  });

  test("takes 50 MB of Native as one part", async () => {
    const body = nativeIds(6_500_000);
    expect(body.length).toBeGreaterThan(50e6);
    await home.store.command("CREATE TABLE large (id UInt64) ENGINE = MergeTree ORDER BY id");
    await home.store.insertBlock({
      table: "large",
      columns: ["id"],
      format: "Native",
      bodies: [body],
      rows: 6_500_000,
    });
    expect(await home.store.rows("SELECT rows FROM system.parts WHERE table = 'large' AND active")).toEqual([
      { rows: "6500000" },
    ]);
    await home.store.command("DROP TABLE large");
  });

  test("SIGKILL of the child in the middle leaves all or nothing, and the next call finds a new child", async () => {
    await home.store.command("CREATE TABLE torn (id UInt64) ENGINE = MergeTree ORDER BY id");
    const block = {
      table: "torn",
      columns: ["id"],
      format: "Native",
      bodies: [nativeIds(3_000_000)],
      rows: 3_000_000,
    } as const;
    for (const after of [20, 60, 120, 200]) {
      const before = await home.pid();
      const inserting = home.store.insertBlock({ ...block, token: `torn-${after}` });
      const outcome = inserting.then(
        () => "inserted",
        (error: Error) => error,
      );
      await new Promise((resolve) => setTimeout(resolve, after));
      await home.kill();
      if ((await outcome) !== "inserted") expect(await outcome).toBeInstanceOf(StoreUnavailable);
      const [{ rows }] = (await home.store.rows<{ rows: number }>("SELECT toUInt32(count()) AS rows FROM torn")) as [
        { rows: number },
      ];
      expect(rows % 3_000_000).toBe(0);
      expect(await home.pid()).not.toBe(before);
    }
  });
});

describe("errors", () => {
  test.each([
    ["a column that is not there", "SELECT nope FROM bytes", "UNKNOWN_IDENTIFIER", 47],
    ["a parameter that is not given", "SELECT {nope:String}", "UNKNOWN_QUERY_PARAMETER", 456],
    ["a table that is not there", "SELECT * FROM nope", "UNKNOWN_TABLE", 60],
    ["SQL that cannot be read", "SELECT FROM WHERE", "SYNTAX_ERROR", 62],
  ])("%s is refused", async (_, sql, type, code) => {
    const error: unknown = await home.store.rows(sql).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StoreRefused);
    expect(error).toMatchObject({ code, type, message: expect.stringMatching(/^Cannot read from the store: [^\n]+$/) });
  });

  test("rows that cannot be read are refused, and the child lives on", async () => {
    const pid = await home.pid();
    const insert = home.store.insertBlock({ ...bytesInto, bodies: [new Uint8Array([1, 2, 3])], rows: 1 });
    await expect(insert).rejects.toThrow(/^Cannot insert into "bytes": .*CANNOT_READ_ALL_DATA/);
    await expect(
      home.store.insertBlock({ ...bytesInto, columns: ["id", "nope"], bodies: [new Uint8Array(9)], rows: 1 }),
    ).rejects.toThrow('column "nope" of `bytes`: no such column');
    expect(await home.pid()).toBe(pid);
  });

  test("a query that runs too long, or needs too much memory, may be tried again", async () => {
    const slow = home.store.rows(
      "SELECT sleepEachRow(0.5) FROM numbers(6)",
      {},
      { max_execution_time: 1, max_block_size: 1 },
    );
    await expect(slow).rejects.toMatchObject({ name: "StoreUnavailable", type: "TIMEOUT_EXCEEDED" });
    const large = home.store.rows(
      "SELECT uniqExact(number) FROM numbers(10000000)",
      {},
      { max_memory_usage: 10_000_000, max_bytes_before_external_group_by: 0 },
    );
    await expect(large).rejects.toMatchObject({ name: "StoreUnavailable", type: "MEMORY_LIMIT_EXCEEDED" });
  });

  test("a server that is not there is unavailable, and its password not in the message", async () => {
    const store = await openStore({ url: "http://reader:s3cret@127.0.0.1:1/" });
    for (const call of [store.ping(), store.command("SELECT 's3cret'")]) {
      const error: Error = await call.then(
        () => new Error("no error"),
        (thrown: Error) => thrown,
      );
      expect(error).toBeInstanceOf(StoreUnavailable);
      expect(error.message).toContain("ECONNREFUSED");
      expect(error.message).not.toContain("s3cret");
    }
    expect(store.url).toBe("http://127.0.0.1:1");
    await store.close();
  });

  test("a wrong password is refused, a ping says so too", async () => {
    const store = await openStore({ url: home.store.url, username: "weir", password: "guess" });
    await expect(store.rows("SELECT 1")).rejects.toMatchObject({ name: "StoreRefused", code: 516 });
    await expect(store.ping()).rejects.toThrow(StoreUnavailable);
    await store.close();
  });

  test("a closed store says that it is closed", async () => {
    const store = await openStore({ folder: home.folder });
    await store.close();
    await expect(store.rows("SELECT 1")).rejects.toThrow("it is closed");
  });
});

test("stillness lasts as long as nobody writes, whoever it is and whatever comes of it", async () => {
  const { store, folder } = home;
  const other = await openStore({ folder });
  try {
    let before = store.stillness(["kept"]);
    const expectAnother = () => {
      const now = store.stillness(["kept"]);
      expect(now?.isStill).toBe(true);
      expect(now?.name).not.toBe(before?.name);
      expect(other.stillness(["kept"])).toEqual(now);
      before = now;
    };
    await store.rows("SELECT count() FROM kept");
    await text(await store.stream("SELECT id FROM kept"));
    await other.command("INSERT INTO bytes VALUES (1, '')");
    expect(store.stillness(["kept"])).toEqual(before);
    expect(before?.isStill).toBe(true);
    await other.command("INSERT INTO kept VALUES (1)");
    expectAnother();
    await other.insertBlock({ table: "kept", columns: ["id"], format: "Native", bodies: [nativeIds(1)], rows: 1, types: ["UInt64"] }); // biome-ignore format: one line
    expectAnother();
    await expect(other.command("INSERT INTO kept VALUES ('?')")).rejects.toThrow(StoreRefused);
    expectAnother();
    await other.command(`INSERT INTO ${store.database}.kept VALUES (1)`);
    expectAnother();
    // one that may write, though it reads
    const { secret, port } = (await readAddress(folder))!;
    const said = await fetch(`http://127.0.0.1:${port}/?wait_end_of_query=1`, { method: "POST", body: "SELECT 1", headers: { "x-clickhouse-key": secret } }); // biome-ignore format: one line
    expect(await said.text()).toBe("1\n");
    expectAnother();

    const endless =
      "INSERT INTO kept SELECT number + sleepEachRow(0.01) FROM numbers(1000000) SETTINGS max_block_size = 1";
    const failing = expect(other.command(endless)).rejects.toThrow(/cancelled/i);
    const underWay = () => store.stillness(["kept"]);
    while (underWay()?.isStill) await store.rows("SELECT 1");
    expect(underWay()).toEqual({ name: before?.name, isStill: false }); // nobody has been told that anything is stored
    await other.command("INSERT INTO kept VALUES (1)");
    const name = underWay()?.name;
    expect(name).not.toBe(before?.name);
    await other.command("INSERT INTO bytes VALUES (2, '')");
    expect(underWay()).toEqual({ name, isStill: false }); // the other one writes still
    await other.command("DELETE FROM bytes WHERE id <= 2");
    expect(underWay()).toMatchObject({ isStill: false });
    expect(underWay()?.name).not.toBe(name);
    await store.command("KILL QUERY WHERE query LIKE 'INSERT INTO kept SELECT number%' SYNC");
    await failing;
    expectAnother();

    const deleting = other.command("ALTER TABLE kept DELETE WHERE sleepEachRow(0.01) = 0 SETTINGS mutations_sync = 1");
    while (store.stillness(["kept"])) await store.rows("SELECT 1");
    await deleting;
    expectAnother();

    await home.kill();
    await store.rows("SELECT 1");
    const now = store.stillness(["kept"]);
    expect(now).toBeDefined();
    expect(now?.name).not.toBe(before?.name);
    expect(other.stillness(["kept"])).toBeUndefined(); // it has not noticed yet
    await other.rows("SELECT 1");
    expect(other.stillness(["kept"])).toEqual(now);
  } finally {
    await other.close();
  }
});

test("calls that find the child dead start one together", async () => {
  await home.kill();
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => home.store.rows<{ pid: string }>("SELECT 1 AS one")),
  );
  expect(answers).toEqual(Array(8).fill([{ one: 1 }]));
});

test("the child speaks to @clickhouse/client as a server does, by URL alone", async () => {
  const { secret: password, port } = (await readAddress(home.folder))!;
  const server = await openStore({ url: `http://weir:${password}@127.0.0.1:${port}` });
  expect(server.kind).toBe("server");
  expect(await server.version()).toMatch(/^26\./);
  await server.close();

  const client = createClient({
    url: `http://127.0.0.1:${port}`,
    username: "weir",
    password,
    database: "weir",
    compression: { request: true, response: true },
  });
  expect(await client.ping()).toEqual({ success: true });
  await client.command({
    query:
      "CREATE TABLE people (id UInt32, name String, greeting String DEFAULT concat('Hi ', name)) ENGINE = MergeTree ORDER BY id",
  });
  const values = Array.from({ length: 1_000 }, (_, id) => ({ id, name: `n${id}\n\n` }));
  const inserted = await client.insert({ table: "people", values, format: "JSONEachRow", query_id: "mine" });
  expect(inserted).toMatchObject({ query_id: "mine", response_headers: { "x-clickhouse-query-id": "mine" } });
  expect(Number(inserted.summary?.elapsed_ns)).toBeGreaterThan(0);
  const result = await client.query({ query: "SELECT * FROM people ORDER BY id", format: "JSON" });
  const { rows, data } = await result.json<{ greeting: string }>();
  expect([rows, data[999]]).toEqual([1_000, { id: 999, name: "n999\n\n", greeting: "Hi n999\n\n" }]);
  await client.close();
});
