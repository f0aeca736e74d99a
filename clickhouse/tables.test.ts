import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blocksOf } from "../engine/chain/blocks.ts";
import type { Finding } from "../engine/chain/finding.ts";
import type { Swap } from "../engine/chain/swap.ts";
import { transactionOf } from "../engine/chain/testing/fixtures.ts";
import { createFrameWriter } from "../engine/frame/frameWriter.ts";
import { writeFrame } from "../engine/frame/writeFrame.ts";
import { encodeFound } from "../engine/worker/findingRows.ts";
import { type TemporaryStore, temporaryStore } from "../test/support/embeddedStore.ts";
import { encodeRows, type RowOf } from "./encodeRows.ts";
import { type Block, createBlockWriter, raw, reserve, string, takeBlock, u32, u64, varuint } from "./native.ts";
import { alertConditions } from "./queries/alerts.ts";
import { hasTransaction } from "./queries/findingLists.ts";
import { countQuery, equalHex, paramsOf, where } from "./queries/list.ts";
import { TRANSACTIONS, transactionConditions } from "./queries/transactions.ts";
import { transferConditions } from "./queries/transfers.ts";
import type { Condition, Query } from "./queries/types.ts";
import type { FindingTable } from "./tables/findings.ts";
import { SOLANA_TRANSACTION_COLUMNS } from "./tables/solanaTransactions.ts";
import { COLUMNS } from "./tables.ts";

let temporary: TemporaryStore;
beforeAll(async () => {
  temporary = await temporaryStore();
});
afterAll(() => temporary.remove());

/** What the server stores more compactly than it is written: the values are the same. */
const asWritten = (type: string): string => type.replace(/LowCardinality\(([^()]+)\)/g, "$1");

const WRITTEN: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  ...COLUMNS,
  solana_transactions: SOLANA_TRANSACTION_COLUMNS,
};

describe("the tables of the migrations and the columns that the engine writes", () => {
  test.each(Object.keys(WRITTEN))("%s: the same columns, types and order", async (table) => {
    const columns = await temporary.store.rows<{ name: string; type: string; comment: string; codec: string }>(
      `SELECT name, type, comment, compression_codec AS codec FROM system.columns
       WHERE database = currentDatabase() AND table = {table:String} AND default_kind != 'MATERIALIZED' ORDER BY position`,
      { table },
    );
    expect(columns.map(({ name, type }) => [name, asWritten(type)])).toEqual(
      WRITTEN[table]!.map((column) => [...column]),
    );
    for (const { name, comment, codec } of columns) {
      expect(comment, `comment of ${table}.${name}`).not.toBe("");
      expect(codec, `codec of ${table}.${name}`).not.toBe("");
    }
  });
});

describe("Native blocks", () => {
  const types = [
    ["string", "String"],
    ["fixed", "FixedString(3)"],
    ["u16", "UInt16"],
    ["u32", "UInt32"],
    ["u64", "UInt64"],
    ["time", "DateTime64(6, 'UTC')"],
    ["maybe_u64", "Nullable(UInt64)"],
    ["maybe_fixed", "Nullable(FixedString(3))"],
    ["bool", "Bool"],
    ["i32", "Int32"],
    ["float", "Nullable(Float64)"],
    ["u128", "UInt128"],
    ["u256", "UInt256"],
    ["i256", "Nullable(Int256)"],
    ["decimal", "Nullable(Decimal(38, 6))"],
    ["small_decimal", "Nullable(Decimal(18, 9))"],
    ["list_u32", "Array(UInt32)"],
    ["list_string", "Array(String)"],
    ["list_fixed", "Array(FixedString(3))"],
    ["list_i256", "Array(Nullable(Int256))"],
  ] as const;
  type Row = RowOf<typeof types>;
  const fixed = fc.uint8Array({ minLength: 3, maxLength: 3 });
  const whole = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));
  const int256 = fc.bigInt(-(2n ** 255n), 2n ** 255n - 1n);
  const row: fc.Arbitrary<Row> = fc.record({
    string: fc.oneof(fc.string({ unit: "binary" }), fc.uint8Array({ maxLength: 200 })),
    fixed,
    u16: fc.nat(0xffff),
    u32: fc.integer({ min: 0, max: 0xffff_ffff }),
    u64: whole,
    time: fc.integer({ min: 0, max: 2 ** 32 * 1e6 }),
    maybe_u64: fc.option(whole),
    maybe_fixed: fc.option(fixed),
    bool: fc.boolean(),
    i32: fc.integer(),
    float: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
    u128: fc.bigInt(0n, 2n ** 128n - 1n),
    u256: fc.bigInt(0n, 2n ** 256n - 1n),
    i256: fc.option(int256),
    decimal: fc.option(fc.bigInt(-(10n ** 30n), 10n ** 30n)),
    small_decimal: fc.option(fc.bigInt(1n - 10n ** 18n, 10n ** 18n - 1n)),
    list_u32: fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { maxLength: 3 }),
    list_string: fc.array(fc.string({ unit: "binary" }), { maxLength: 3 }),
    list_fixed: fc.array(fixed, { maxLength: 3 }),
    list_i256: fc.array(fc.option(int256), { maxLength: 3 }),
  });
  const hex = (value: string | Uint8Array): string =>
    (typeof value === "string" ? Buffer.from(value) : Buffer.from(value)).toString("hex");

  /** A number of 10^-scale as ClickHouse writes it: without zeros at the end. */
  const decimal = (value: bigint, scale: number): string => {
    const digits = String(value < 0n ? -value : value).padStart(scale + 1, "0");
    return `${value < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`.replace(/\.?0+$/, "");
  };

  test("rows come back from the store as they were written, whatever bytes they hold", async () => {
    const { store } = temporary;
    await store.command(
      `CREATE TABLE written (i UInt32, ${types.map(([name, type]) => `${name} ${type}`).join(", ")}) ENGINE = MergeTree ORDER BY i`,
    );
    const rows = fc.sample(row, { numRuns: 500, seed: 5 }).map((each, i) => ({ i, ...each }));
    const columns = [["i", "UInt32"], ...types] as const;
    const blocks = [rows.slice(0, 1), rows.slice(1, 200), rows.slice(200)].map((part) => encodeRows(columns, part));
    const bodies = blocks.map(({ bytes }) => bytes);
    const names = columns.map(([name]) => name);
    await store.insertBlock({ table: "written", columns: names, format: "Native", bodies, rows: rows.length });
    const back = await store.rows(
      `SELECT i, lower(hex(string)) AS string, lower(hex(fixed)) AS fixed, u16, u32, toString(u64) AS u64,
         toString(toUnixTimestamp64Micro(time)) AS time, toString(maybe_u64) AS maybe_u64, lower(hex(maybe_fixed)) AS maybe_fixed,
         bool, i32, float, toString(u128) AS u128, toString(u256) AS u256, toString(i256) AS i256, toString(decimal) AS decimal,
         toString(small_decimal) AS small_decimal, list_u32,
         arrayMap(x -> lower(hex(x)), list_string) AS list_string, arrayMap(x -> lower(hex(x)), list_fixed) AS list_fixed,
         arrayMap(x -> toString(x), list_i256) AS list_i256
       FROM written ORDER BY i`,
    );
    expect(back).toEqual(
      rows.map((each) => ({
        ...each,
        string: hex(each.string),
        fixed: hex(each.fixed),
        u64: String(each.u64),
        time: String(each.time),
        maybe_u64: each.maybe_u64 === null ? null : String(each.maybe_u64),
        maybe_fixed: each.maybe_fixed && hex(each.maybe_fixed),
        u128: String(each.u128),
        u256: String(each.u256),
        i256: each.i256 === null ? null : String(each.i256),
        decimal: each.decimal === null ? null : decimal(each.decimal, 6),
        small_decimal: each.small_decimal === null ? null : decimal(each.small_decimal, 9),
        list_string: each.list_string.map(hex),
        list_fixed: each.list_fixed.map(hex),
        list_i256: each.list_i256.map((value) => (value === null ? null : String(value))),
      })),
    );
  });

  test("a writer grows from any size and gives a buffer of its own", () => {
    const out = createBlockWriter(1);
    string(out, "é".repeat(100));
    reserve(out, 30);
    varuint(out, 300);
    u32(out, 0xffff_fffe);
    u64(out, Number.MAX_SAFE_INTEGER);
    raw(out, new Uint8Array(1_000).fill(9), 10, 900);
    const block = takeBlock(out).bytes;
    expect(block.length).toBe(2 + 200 + 2 + 4 + 8 + 890);
    expect([...block.subarray(202, 216)]).toEqual([0xac, 2, 0xfe, 255, 255, 255, 255, 255, 255, 255, 255, 255, 31, 0]);
    expect(block.buffer.byteLength).toBe(block.length);
    expect(out.at).toBe(0);
  });

  test("digits stand for the bytes of a FixedString", () => {
    const [digits, bytes] = ["0x0aff", Uint8Array.of(10, 255)].map((a) =>
      encodeRows([["a", "FixedString(2)"]], [{ a }]),
    );
    expect(digits).toEqual(bytes);
  });

  test("a value of the wrong width and an unknown type are refused", () => {
    expect(() => encodeRows([["a", "UInt256"]], [{ a: 2n ** 256n }])).toThrow("expected a number of 256 bits");
    expect(() => encodeRows([["a", "UInt256"]], [{ a: -1n }])).toThrow('Cannot write "-1"');
    expect(() => encodeRows([["a", "FixedString(2)"]], [{ a: new Uint8Array(3) }])).toThrow("the value has 3 bytes");
    expect(() => encodeRows([["a", "Int8"]], [{ a: 1 }])).toThrow('Cannot write a value of type "Int8"');
  });
});

test("findings come back as they were found, one of each kind", async () => {
  const address = (digit: string): string => `0x${digit.repeat(40)}`;
  const hash = (digit: string): string => `0x${digit.repeat(64)}`;
  const [writer, numbers] = [createFrameWriter(), [0, 1, 2]];
  for (const i of numbers)
    writeFrame(
      writer,
      transactionOf([], {
        hash: hash(String(i)),
        blockHash: hash("b"),
        transactionIndex: `0x${i}`,
        block: { timestamp: "0x64", transactionCount: 3 },
        ...(i === 0 && { to: null }),
      }),
    );
  const { bytes, u32: words, count, offsets: frames, n: indexes } = writer;
  const place = { source: "s", partition: 3, from: 70, count, bytes, words, frames, indexes, failures: [] };
  const times = Float64Array.of(1, 2, 3);
  const decoded = { ...place, offsets: Float64Array.of(70, 71, 72), times, events: Float64Array.of(5e6, 6e6, 7e6) };
  const [block] = blocksOf(decoded);
  const judged = { confidence: "high", reason: "because", evidence: [7, 9] } as const;
  const swap: Swap = {
    transaction: 1,
    logIndex: 7,
    protocol: "uniswap_v2",
    pool: address("a"),
    from: address("c"),
    to: address("d"),
    tokenIn: address("e"),
    amountIn: 2n ** 255n,
    tokenOut: address("f"),
    amountOut: 0n,
    provenance: "log",
    ...judged,
    after: { reserve0: 5n, reserve1: 2n ** 111n },
  };
  const v4: Swap = {
    ...swap,
    logIndex: 8,
    pool: hash("a"),
    after: { sqrtPriceX96: 2n ** 159n, liquidity: 2n ** 127n, tick: -887_272 },
  };
  const profit = {
    gasCost: 9n,
    feeRecipientPayment: 0n,
    paymentsComplete: false,
    net: -4n,
    roiPercent: -2.5,
    gasUsd: 0.5,
    grossUsd: 1.25,
    netUsd: null,
  };
  const amounts = { profitToken: address("e"), profitAmount: -3n };
  const findings: Finding[] = [
    { kind: "swap", ...swap },
    { kind: "swap", ...v4 },
    { kind: "arbitrage", definition: "cycle", transaction: 1, logIndex: 7, account: address("c"), ...amounts, startAmount: 8n, endAmount: 5n, route: [swap, v4], profit, ...judged },
    { kind: "sandwich", transaction: 0, logIndex: 6, pool: address("a"), protocol: "uniswap_v2", sandwicher: address("c"), frontruns: [0], victims: [1], backruns: [2], frontrunIn: 1n, frontrunOut: 2n, backrunIn: 3n, backrunOut: 4n, ...amounts, victimLosses: [{ transaction: 1, token: address("f"), amount: null }], ...judged },
    { kind: "liquidation", transaction: 2, logIndex: 11, protocol: "aave", pool: address("a"), liquidator: address("c"), user: address("d"), debtToken: address("e"), debtAmount: 6n, collateralToken: address("f"), collateralAmount: 7n, ...judged },
    { kind: "jit", transaction: 0, logIndex: 5, protocol: "uniswap_v3", pool: address("a"), provider: address("c"), mintTransaction: 0, swapTransactions: [1], burnTransaction: 2, liquidity: 10n, ...judged },
    { kind: "attempt", transaction: 2, logIndex: -1, searcher: address("c"), ...judged },
  ]; // biome-ignore format: a finding a line
  const { store } = temporary;
  /** As text: bytes in digits, everything else as ClickHouse writes it. */
  const readable = ([name, type]: readonly [string, string]): string => {
    const isBytes = type.includes("FixedString") || name === "pool" || name === "route_pools";
    const digits = type.startsWith("Array") ? `toString(arrayMap(x -> lower(hex(x)), ${name}))` : `lower(hex(${name}))`;
    return `ifNull(${isBytes ? digits : `toString(${name})`}, '-')`;
  };
  const back: string[] = [];
  for (const [table, blocks] of Object.entries(encodeFound(decoded, [{ block: block!, findings }]))) {
    const columns = COLUMNS[table as FindingTable];
    const names = columns.map(([name]) => name);
    const [{ bytes, rows }] = blocks as [Block];
    await store.insertBlock({ table, columns: names, format: "Native", bodies: [bytes], rows });
    const found = await store.rows<{ row: string }>(
      `SELECT concatWithSeparator(' ', ${columns.map(readable).join(", ")}) AS row FROM ${table} ORDER BY ALL`,
    );
    back.push(...found.map(({ row }) => `${table}: ${row.replace(/([0-9a-f])\1{7,}/g, "$1..")}`));
  }
  expect(back).toMatchInlineSnapshot(`
    [
      "swaps: s 3 71 1 1970-01-01 00:00:06.000000 1 1 b.. 1970-01-01 00:01:40 1 1.. a.. b.. 7 uniswap_v2 a.. c.. d.. e.. 57896044618658097711785492504343953926634992332820282019728792003956564819968 f.. 0 log 5 2596148429267413814265248164610048 - - - confirmed high because [7,9]",
      "swaps: s 3 71 1 1970-01-01 00:00:06.000000 1 1 b.. 1970-01-01 00:01:40 1 1.. a.. b.. 8 uniswap_v2 a.. c.. d.. e.. 57896044618658097711785492504343953926634992332820282019728792003956564819968 f.. 0 log - - 730750818665451459101842416358141509827966271488 170141183460469231731687303715884105728 -887272 confirmed high because [7,9]",
      "arbitrages: s 3 71 1 1970-01-01 00:00:06.000000 1 1 b.. 1970-01-01 00:01:40 1 1.. a.. b.. 7 cycle 0 c.. e.. 8 5 -3 [7,8] ['uniswap_v2','uniswap_v2'] ['a..','a..'] ['e..','e..'] 9 0 false -4 -2.5 1.25 - 2 2 - - 0.5 1.25 - confirmed high because [7,9]",
      "sandwiches: s 3 70 0 1970-01-01 00:00:05.000000 1 1 b.. 1970-01-01 00:01:40 0 0.. a.. - 6 uniswap_v2 a.. c.. ['0..'] ['1..'] ['2..'] 1 2 3 4 e.. -3 ['f..'] ['1..'] [NULL] - - - - - - - confirmed high because [7,9]",
      "liquidations: s 3 72 2 1970-01-01 00:00:07.000000 1 1 b.. 1970-01-01 00:01:40 2 2.. a.. b.. 11 aave a.. c.. d.. e.. 6 f.. 7 confirmed high because [7,9]",
      "jit_liquidity: s 3 70 0 1970-01-01 00:00:05.000000 1 1 b.. 1970-01-01 00:01:40 0 0.. a.. - 5 uniswap_v3 a.. c.. ['1..'] 2.. 10 confirmed high because [7,9]",
      "failed_attempts: s 3 72 2 1970-01-01 00:00:07.000000 1 1 b.. 1970-01-01 00:01:40 2 2.. a.. b.. c.. confirmed high because [7,9]",
    ]
  `);
});

describe("lists that are asked for an address or a hash leave out what has none of it, by an index", () => {
  const [ADDRESS, HASH] = [`0x${"5a".repeat(20)}`, `0x${"a5".repeat(32)}`];
  const ofColumns = (table: string, ...columns: string[]) =>
    columns.map((column): [string, readonly Condition[]] => [table, equalHex(column, ADDRESS)]);
  const cases: readonly [table: string, conditions: readonly Condition[]][] = [
    ...(["from", "to", "address", "token"] as const).map((by): [string, readonly Condition[]] => ["transfers", transferConditions({ [by]: ADDRESS })]),
    ["transfers", transferConditions({ txHash: HASH })],
    ["alerts", alertConditions({ address: ADDRESS })],
    ["alerts", alertConditions({ txHash: HASH })],
    ...ofColumns("swaps", "tx_from", "sender", "token_in", "token_out"),
    ...ofColumns("arbitrages", "tx_to"),
    ["sandwiches", hasTransaction(["frontrun_txs", "victim_txs", "backrun_txs"], HASH)],
    ...ofColumns("liquidations", "tx_from"),
    ...ofColumns("transactions", "from_address"),
  ]; // biome-ignore format: a list a line
  const named = cases.map(([table, conditions]) => {
    const by = conditions.flatMap(({ params = {} }) => Object.keys(params));
    return [`${table} by ${by}`, table, conditions] as const;
  });

  test.each(named)("%s", async (_name, table, conditions) => {
    const { store } = temporary;
    const structure = COLUMNS[table as FindingTable].map(([name, type]) => `\`${name}\` ${type}`).join(", ");
    await store.command(`TRUNCATE TABLE ${table}`);
    await store.command(`INSERT INTO ${table} SELECT * FROM generateRandom('${structure.replaceAll("'", "\\'")}', 7, 4, 2) LIMIT 20000`); // biome-ignore format: one line
    const sql = `EXPLAIN indexes = 1 SELECT count() FROM ${table} AS t${where(conditions)}`;
    const plan = await store.rows<{ explain: string }>(sql, paramsOf(conditions));
    const granules = plan.flatMap(({ explain }) => /Granules: (\d+)\/(\d+)/.exec(explain)?.slice(1).map(Number) ?? []);
    expect(granules.at(-2)).toBeLessThan(granules[1]!);
    await store.command(`TRUNCATE TABLE ${table}`);
  });
});

test("a risky transaction is found without reading the others, and a sender's are counted without reading them, deleted ones left out", async () => {
  const { store } = temporary;
  await store.command("TRUNCATE TABLE transactions");
  await store.command(`INSERT INTO transactions (chain_id, event_time, offset, from_address, risk)
    SELECT 1 + number % 2, toDateTime64(number, 6, 'UTC'), number, unhex(repeat('5a', 20)), if(number = 7, 80, 5) FROM numbers(20000)`);
  const explain = async ({ sql, params }: Query): Promise<string> => {
    const lines = await store.rows<{ explain: string }>(`EXPLAIN indexes = 1, projections = 1 ${sql}`, { ...params });
    return lines.map((line) => line.explain).join("\n");
  };
  const risky = countQuery(TRANSACTIONS, transactionConditions({ minRisk: 60 }));
  expect(await explain(risky)).toMatch(/Name: risk_index.*?Granules: 1\/[2-9]\n/s);
  await store.command("DELETE FROM transactions WHERE offset < 4000");
  for (const [filter, total] of [[{}, "16000"], [{ chainId: 2 }, "8000"]] as const) {
    const count = countQuery(TRANSACTIONS, transactionConditions({ ...filter, from: `0x${"5a".repeat(20)}` }));
    expect(await explain(count)).toContain("ReadFromMergeTree (senders)");
    expect(await store.rows(count.sql, { ...count.params })).toEqual([{ total }]);
  } // biome-ignore format: a filter a line
  await store.command("TRUNCATE TABLE transactions");
});
