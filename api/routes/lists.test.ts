import { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Stillness } from "../../clickhouse/embedded/stillness.ts";
import { ALERTS, type AlertRow, alertConditions } from "../../clickhouse/queries/alerts.ts";
import { ARBITRAGE_TRANSACTIONS } from "../../clickhouse/queries/arbitrageTransactions.ts";
import { DEAD_LETTERS } from "../../clickhouse/queries/deadLetters.ts";
import { ARBITRAGES, LIQUIDATIONS, SANDWICHES, SWAPS } from "../../clickhouse/queries/findingLists.ts";
import { listQuery } from "../../clickhouse/queries/list.ts";
import { createPageReader } from "../../clickhouse/queries/newestPages.ts";
import { OPPORTUNITIES, opportunityList } from "../../clickhouse/queries/opportunities.ts";
import { tablesOf } from "../../clickhouse/queries/parts.ts";
import { SOLANA_TRANSACTIONS } from "../../clickhouse/queries/solanaTransactions.ts";
import { TRANSACTIONS } from "../../clickhouse/queries/transactions.ts";
import { TRANSFERS } from "../../clickhouse/queries/transfers.ts";
import { RISK } from "../../engine/chain/risk/factors.ts";
import { PRESENT } from "../../engine/frame/schema.ts";
import type { ReadableStore } from "../deps.ts";
import { READ_SETTINGS } from "../list.ts";
import { startTestServer, type TestServer } from "../testServer.ts";
import { alertSchema } from "./alerts.ts";
import { deadLetterSchema } from "./deadLetters.ts";
import { riskFactorSchema, riskSchema } from "./risk.ts";
import { statsSchema } from "./stats.ts";
import { transactionDetailSchema, transactionSchema } from "./transactions.ts";
import { transferSchema } from "./transfers.ts";

let server: TestServer;
const transactions = z.array(transactionSchema);
const alerts = z.array(alertSchema);
const hash = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;
const address = (n: number) => `0x${n.toString(16).padStart(40, "0")}`;

/**
 * 250 transactions a second apart from 2024-01-01, in pairs of equal times: chain 1, but every tenth 56; every fifth pending;
 * senders 0 to 6. Transaction 7 came in twice: pending first, then mined, with everything a row can have.
 */
beforeAll(async () => {
  server = await startTestServer();
  const { store } = server;
  await store.command(`
    INSERT INTO transactions (source, partition, offset, n, event_time, chain_id, hash, from_address, to_address, nonce, value, gas,
      gas_price, block_number, block_timestamp, status, gas_used, effective_gas_price, tags)
    SELECT 'tx_raw', number % 3, number, 0, toDateTime64('2024-01-01 00:00:00', 6, 'UTC') + intDiv(number, 2), if(number % 10 = 0, 56, 1),
      unhex(leftPad(lower(hex(number)), 64, '0')), unhex(leftPad(hex(number % 7), 40, '0')), if(number % 4 = 0, NULL, unhex(leftPad('ff', 40, '0'))),
      number, 1500000000000000000, 21000, 5000000000,
      if(number % 5 = 0, NULL, 1000 + number), if(number % 5 = 0, NULL, toDateTime('2024-01-01 00:00:00', 'UTC')),
      if(number % 5 = 0, NULL, number % 2), if(number % 5 = 0, NULL, 21000), if(number % 5 = 0, NULL, 4000000000), if(number = 3, ['it''s', 'b\\\\'], [])
    FROM numbers(250) WHERE number != 7`);
  const sighting = `'tx_raw', 0, {offset:UInt64}, 2, toDateTime64('2024-01-01 00:00:03.5', 6, 'UTC'), 1, unhex({hash:String})`;
  await store.command(
    `INSERT INTO transactions (source, partition, offset, n, event_time, chain_id, hash, from_address, seen_at, value, gas, nonce, input, gas_price, max_fee_per_gas)
     SELECT ${sighting}, unhex(repeat('AB', 20)), toDateTime64('2024-01-01 00:00:03.5', 6, 'UTC'), toUInt256('115792089237316195423570985008687907853269984665640564039457584007913129639935'),
       18446744073709551615, 18446744073709551615, unhex('a9059cbb0001'), NULL, 30000000000`,
    { offset: 900, hash: hash(7).slice(2) },
  );
  await store.command(
    `INSERT INTO transactions (source, partition, offset, n, event_time, chain_id, hash, from_address, block_number, block_hash, block_timestamp, status, gas_used,
       effective_gas_price, input, log_index, log_address, log_topics, log_data, access_address, access_keys, score, to_address, present, extra, risk, risk_factors)
     SELECT ${sighting}, unhex(repeat('AB', 20)), 1007, unhex(repeat('0C', 32)), toDateTime('2024-01-01 00:00:12', 'UTC'), 1, 60000, 20000000001, unhex('a9059cbb0001'),
       [4, 5], [unhex(repeat('01', 20)), unhex(repeat('02', 20))], [[unhex(repeat('03', 32))], []], ['', unhex('00ff')],
       [unhex(repeat('04', 20))], [[unhex(repeat('05', 32))]], 0.25, unhex(repeat('06', 20)), {present:UInt32}, {extra:String}, 85, {factors:UInt32}`,
    {
      ...{ offset: 901, hash: hash(7).slice(2), present: PRESENT.receipt },
      factors: RISK.known_bad | RISK.unlimited_approval,
      extra: `"receipt.l1Fee":"0x10","trace":{"type":"CALL","to":"${address(6)}","input":"0xa9059cbb","value":"0x5"}`,
    },
  );
  await store.command(`
    INSERT INTO alerts (source, partition, offset, n, event_time, alert_id, rule, rule_version, severity, ordinal, chain_id, tx_hash, block_number, from_address, to_address, message)
    SELECT 'tx_raw', 0, number, 0, toDateTime64('2024-01-01 00:00:00', 6, 'UTC') + number, unhex(leftPad(lower(hex(number)), 32, '0')), if(number % 2 = 0, 'whale', 'approval'),
      3, if(number % 3 = 0, 'high', 'low'), 0, 1, unhex(leftPad(lower(hex(number)), 64, '0')), if(number = 1, NULL, number), unhex(leftPad(hex(number), 40, '0')),
      unhex(leftPad('ff', 40, '0')), '<script>"quoted"\\\\</script>'
    FROM numbers(12)`);
  await store.command(`
    INSERT INTO dead_letters (source, partition, offset, n, record_time, reason, detail, rule, size, sha256, bytes)
    SELECT 'tx_raw', 0, number, 0, if(number = 0, toDateTime64(0, 3, 'UTC'), toDateTime64('2024-01-01 00:00:00', 3, 'UTC')), if(number = 2, 'rule_failed', 'not_json'),
      'expected a value', if(number = 2, 'whale', ''), 300, unhex(repeat('AA', 32)), repeat(unhex('ff'), 300) FROM numbers(3)`);
});
afterAll(() => server?.close());

describe("GET /api/v1/transactions", () => {
  test("gives the newest 100, and how many there are", async () => {
    const list = await server.read("/api/v1/transactions", transactions);
    expect(list).toHaveLength(100);
    expect(list[0]).toMatchObject({
      tx_hash: hash(248), chain_id: 1, from_address: address(248 % 7), to_address: null, value: 1.5, value_raw: "1500000000000000000",
      gas_price_gwei: 4, gas_price_raw: "4000000000", gas_cost_native: 0.000084, gas_cost_raw: "84000000000000", pending: false, status: 0, block_number: 1248,
      detected_at: "2024-01-01T00:02:04.000000Z", block_timestamp: "2024-01-01T00:00:00Z", offset: "248", partition: 2,
    }); // biome-ignore format: a row
    const times = list.map(({ detected_at }) => detected_at);
    expect(times).toEqual([...times].sort().reverse());
    expect((await server.get("/api/v1/transactions")).headers.get("x-total-count")).toBe("251");
    expect(new Set(list.map(({ id }) => id)).size).toBe(100);
  });

  test("walks all pages by their links, each row once", async () => {
    const seen: string[] = [];
    for (let next: string | undefined = "/api/v1/transactions?limit=33"; next; ) {
      const { headers, body } = await server.get(next);
      seen.push(...transactions.parse(body()).map(({ partition, offset }) => `${partition}:${offset}`));
      expect(headers.get("x-total-count")).toBe("251");
      next = /<([^>]+)>; rel="next"/.exec(headers.get("link") ?? "")?.[1];
    }
    expect(seen).toHaveLength(251);
    expect(new Set(seen).size).toBe(251);
  });

  test("pages by offset as well, with a link back", async () => {
    const all = await server.read("/api/v1/transactions?limit=20", transactions);
    const { headers, body } = await server.get("/api/v1/transactions?limit=5&offset=10");
    expect(transactions.parse(body())).toEqual(all.slice(10, 15));
    expect(headers.get("link")).toContain('</api/v1/transactions?limit=5&offset=5>; rel="prev"');
    expect(await server.read("/api/v1/transactions?offset=100000", transactions)).toEqual([]);
  });

  // counts from the rule by which the rows were made
  test.each([
    ["chain_id=56", 25],
    ["chainId=56", 25],
    ["chain_id=56&chainId=56", 25],
    ["chain_id=99", 0],
    [`from_address=${address(3)}`, 36],
    [`from_address=0x${"aB".repeat(20)}`, 2],
    [`to_address=${address(255)}`, 186],
    [`hash=${hash(7)}`, 2],
    ["block_number=1007", 1],
    ["status=1", 100],
    ["pending=true", 51],
    ["pending=false&chain_id=1", 200],
    ["tag=it%27s", 1],
    ["tag=b%5C", 1],
    ["since=2024-01-01T00:02:00Z", 10],
    ["since=2024-01-01T00:02:00%2B00:00&until=2024-01-01T00:02:01Z", 2],
    ["until=2024-01-01", 0],
  ])("%s leaves %i", async (filter, count) => {
    const { status, text, headers } = await server.get(`/api/v1/transactions?limit=1000&${filter}`);
    expect(status, text).toBe(200);
    expect(JSON.parse(text)).toHaveLength(count);
    expect(headers.get("x-total-count")).toBe(String(count));
  });

  test("takes a least confidence, as clients of news feeds ask: what a rule raised is certain", async () => {
    const all = (await server.get("/alerts")).text;
    expect((await server.get("/alerts?min_confidence=0.7")).text).toBe(all);
    expect((await server.problem("/alerts?min_confidence=1.1", 400)).detail).toContain("Expected a number from 0 to 1");
  });

  test("answers 304 to a client that has this very list", async () => {
    const { headers } = await server.get("/api/v1/transactions?limit=3");
    const again = await server.get("/api/v1/transactions?limit=3", {
      headers: { "if-none-match": `"other", W/${headers.get("etag")}` },
    });
    expect([again.status, again.text]).toEqual([304, ""]);
    expect(
      (await server.get("/api/v1/transactions?limit=4", { headers: { "if-none-match": headers.get("etag")! } })).status,
    ).toBe(200);
  });
});

describe("further ways to transactions", () => {
  const counted = async (path: string): Promise<number> => {
    const list = await server.read(path, transactions);
    expect((await server.get(path)).headers.get("x-total-count")).toBe(String(list.length));
    return list.length;
  };

  test.each([
    ["start=2024-01-01", 251],
    ["start=2024-01-01&end=2024-01-01", 251], // a day that is named belongs to the range
    ["start=2023-12-01&end=2023-12-31", 0],
    ["start=2024-01-01T00:02:00Z", 10],
    ["start=2024-01-01&end=2024-01-01T00:00:01Z", 2],
    ["start=2024-01-01&end=2024-01-01&chain_id=56&pending=true", 25],
    ["start=2024-01-01&strategy=3-hop", 0],
  ])("GET /api/v1/historical?%s has %i", async (asked, count) => {
    expect(await counted(`/api/v1/historical?limit=1000&${asked}`)).toBe(count);
  });

  test("search by hash, address, height, tag, and the name of whoever it was, on that chain", async () => {
    const labelled = { address: address(3), name: "Third Man", symbol: null, decimals: null };
    await server.labels.set([{ ...labelled, chainId: 1 }, { ...labelled, chainId: 56, address: address(4), name: "third of BSC" }], "tester"); // biome-ignore format: a pair
    const found = (q: string, more = "") =>
      counted(`/api/v1/search/transactions?limit=1000&q=${encodeURIComponent(q)}${more}`);
    expect(await found(hash(7))).toBe(2);
    expect(await found(hash(999))).toBe(0);
    expect(await found(address(255).toUpperCase().replace("0X", "0x"))).toBe(186);
    expect(await found(address(3))).toBe(36);
    expect(await found("1007")).toBe(1);
    expect(await found("it's")).toBe(1);
    const [onOne, onOther] = [
      await counted(`/api/v1/transactions?limit=1000&chain_id=1&from_address=${address(3)}`),
      await counted(`/api/v1/transactions?limit=1000&chain_id=56&from_address=${address(4)}`),
    ];
    expect([onOne, onOther].every((count) => count > 0)).toBe(true);
    expect(await found("tHiRd")).toBe(onOne + onOther);
    expect(await found("third", "&chain_id=1")).toBe(onOne);
    expect(await found("third", "&since=2024-01-02")).toBe(0);
    expect(await found("nobody's name, and no tag")).toBe(0);
  });

  test("what is wrong is refused", async () => {
    for (const wrong of ["", "start=2024-02-01&end=2024-01-01", "start=yesterday", "start=2024-01-01&end=x", "start=2024-01-01&since=2024-01-01"])
      await server.problem(`/api/v1/historical?${wrong}`, 400); // biome-ignore format: one line
    for (const wrong of ["", "q=", `q=${"x".repeat(129)}`, "q=a&q2=b"])
      await server.problem(`/api/v1/search/transactions?${wrong}`, 400);
    expect((await server.problem("/api/v1/search/transactions?q=0x1234", 400)).detail).toBe(
      "Invalid q: it has 4 digits, expected 64 of a hash or 40 of an address",
    );
  });

  test("aliases answer as their canonical paths do, and their links keep the name", async () => {
    for (const [alias, path] of [
      ["/transactions?limit=2", "/api/v1/transactions?limit=2"],
      [`/transactions/${hash(7)}`, `/api/v1/transactions/${hash(7)}`],
      ["/api/v1/transactions/search?q=1007", "/api/v1/search/transactions?q=1007"],
      ["/historical?start=2024-01-01&limit=3", "/api/v1/historical?start=2024-01-01&limit=3"],
      ["/stats?since=2024-01-01", "/api/v1/stats?since=2024-01-01"],
      ["/stats/daily?since=2024-01-01", "/api/v1/stats/daily?since=2024-01-01"],
      ["/alerts?limit=3", "/api/v1/alerts?limit=3"],
      ["/redoc", "/docs"],
    ] as const) {
      const [one, other] = [await server.get(alias), await server.get(path)];
      expect([one.status, one.text], alias).toEqual([200, other.text]);
      expect(one.headers.get("etag")).toBe(other.headers.get("etag"));
    }
    const { headers } = await server.get("/alerts?limit=2");
    expect(headers.get("link")).toMatch(/<\/alerts\?limit=2&cursor=[^>]+>; rel="next"/);
    for (const missing of ["/transactionsx", "/statsdaily", "/api/v1/transactionsearch", "/redoc/x"])
      await server.problem(missing, 404);
    expect((await server.get("/transactions", { method: "POST" })).headers.get("allow")).toBe("GET, HEAD");
  });
});

describe("GET /api/v1/transactions/{hash}", () => {
  test("joins the sightings: mined, with when it was seen pending, logs and call data", async () => {
    const found = await server.read(
      `/api/v1/transactions/${hash(7).toUpperCase().replace("0X", "0x")}`,
      transactionDetailSchema,
    );
    expect(found).toMatchObject({
      pending: false, block_number: 1007, seen_at: "2024-01-01T00:00:03.500000Z", input: "0xa9059cbb0001", method: "0xa9059cbb", input_size: 6, log_count: 2,
      gas_price_gwei: 20.000000001, gas_cost_raw: "1200000000060000", score: 0.25,
      logs: [
        { log_index: 4, address: `0x${"01".repeat(20)}`, topics: [`0x${"03".repeat(32)}`], data: "0x" },
        { log_index: 5, address: `0x${"02".repeat(20)}`, topics: [], data: "0x00ff" },
      ],
      access_list: [{ address: `0x${"04".repeat(20)}`, storage_keys: [`0x${"05".repeat(32)}`] }],
      calls: { calls: [{ depth: 0, name: "transfer(address,uint256)", to: `0x${"06".repeat(20)}`, length: 6, provenance: "abi" }] },
      internal_calls: { calls: [{ type: "CALL", to: address(6), name: "transfer(address,uint256)", value_raw: "5" }] },
      fees: { total_raw: "1200000000060016", l1_fee_raw: "16", blob_gas_used: null },
    }); // biome-ignore format: a row
    expect(found.sightings.map(({ pending, offset }) => [pending, offset])).toEqual([[false, "901"], [true, "900"]]); // biome-ignore format: two pairs
    // integers beyond 2^53 are exact in the text beside the number
    expect(found.sightings[1]).toMatchObject({
      value_raw: String(2n ** 256n - 1n), nonce_raw: String(2n ** 64n - 1n), gas_raw: String(2n ** 64n - 1n), gas_price_gwei: 30, gas_cost_raw: null, gas_used: null,
    }); // biome-ignore format: a row
  });

  test("its risk: contributions that add up, and why", async () => {
    const risk = await server.read(`/api/v1/transactions/${hash(7)}/risk`, riskSchema);
    expect(risk).toMatchObject({ chain_id: 1, tx_hash: hash(7), pending: false, score: 85, level: "critical" });
    expect(risk.contributions.map(({ factor, points }) => [factor, points])).toEqual([
      ["known_bad", 60],
      ["unlimited_approval", 25],
    ]);
    const factors = await server.read("/api/v1/risk-factors", z.array(riskFactorSchema));
    expect(factors).toContainEqual(risk.contributions[0]);
    const none = await server.read(`/api/v1/transactions/${hash(8)}/risk`, riskSchema);
    expect(none).toMatchObject({ score: null, level: null, contributions: [] });
    // senders 0 to 6 in turn, all with one value; every fifth is pending
    expect(none.value_deviation).toEqual({ samples: 1, deviation: null }); // its sender's first was 1
    const last = await server.read(`/api/v1/transactions/${hash(248)}/risk`, riskSchema);
    expect(last.value_deviation).toEqual({ samples: 28, deviation: 0 });
    const found = await server.read("/api/v1/transactions?min_risk=85", transactions);
    expect(found.map(({ tx_hash, risk, risk_factors }) => [tx_hash, risk, risk_factors])).toEqual([
      [hash(7), 85, ["known_bad", "unlimited_approval"]],
    ]);
    expect(await server.read("/api/v1/transactions?min_risk=86", transactions)).toEqual([]);
    await server.problem(`/api/v1/transactions/${hash(7777)}/risk`, 404);
    await server.problem("/api/v1/transactions?min_risk=101", 400);
  });

  test("404 for one that never came in, or not on that chain; 400 for what is no hash", async () => {
    expect((await server.problem(`/api/v1/transactions/${hash(7777)}`, 404)).detail).toBe("Transaction not found");
    await server.problem(`/api/v1/transactions/${hash(7)}?chain_id=56`, 404);
    expect((await server.problem("/api/v1/transactions/0x12", 400)).errors).toEqual([
      { parameter: "hash", detail: "Expected a transaction hash: 0x and 64 hexadecimal digits" },
    ]);
  });
});

describe("GET /api/v1/alerts", () => {
  test.each([
    ["", 12],
    ["rule=whale", 6],
    ["severity=high", 4],
    ["rule=whale&severity=high", 2],
    [`tx_hash=${hash(5)}`, 1],
    [`address=${address(255)}`, 12],
    [`address=${address(4)}`, 1],
    ["chain_id=1&since=2024-01-01T00:00:10Z", 2],
  ])("%s leaves %i", async (filter, count) => {
    expect(await server.read(`/api/v1/alerts?${filter}`, alerts)).toHaveLength(count);
  });

  test("walks its pages, and gives one by its id", async () => {
    const { headers, body } = await server.get("/api/v1/alerts?limit=10");
    const next = /<([^>]+)>; rel="next"/.exec(headers.get("link")!)![1]!;
    const rest = await server.read(next, alerts);
    expect(rest.map(({ tx_hash }) => tx_hash)).toEqual([hash(1), hash(0)]);
    const [first] = alerts.parse(body());
    expect(await server.read(`/api/v1/alerts/${first!.id.toUpperCase()}`, alertSchema)).toEqual(first);
    expect(first).toMatchObject({ message: '<script>"quoted"\\</script>', rule_version: 3, pending: false });
    expect(rest[0]).toMatchObject({ pending: true, block_number: null });
  });

  test("404 and 400", async () => {
    expect((await server.problem(`/api/v1/alerts/${"f".repeat(32)}`, 404)).detail).toBe("Alert not found");
    await server.problem("/api/v1/alerts/12", 400);
    await server.problem("/api/v1/alerts?severity=HIGH", 400);
  });
});

test("a newest page is right whatever has come, gone or been asked since the last one", async () => {
  const { store } = server;
  const insert = (first: number, rows: number) =>
    store.command(`
      INSERT INTO alerts (source, offset, event_time, alert_id, severity, chain_id, ordinal)
      SELECT 'ends', number, toDateTime64('2023-06-01', 6, 'UTC') + number, unhex(leftPad(hex(number), 32, '0')), 'low', 778, number FROM numbers(${first}, ${rows})`);
  const ordinals = async (query: string) =>
    (await server.read(`/api/v1/alerts?chain_id=778&${query}`, alerts)).map(({ ordinal }) => ordinal);
  await insert(0, 30);
  expect(await ordinals("limit=5")).toEqual([29, 28, 27, 26, 25]);
  await insert(30, 2);
  expect(await ordinals("limit=5")).toEqual([31, 30, 29, 28, 27]);
  expect(await ordinals("limit=2&offset=2")).toEqual([29, 28]);
  expect(await ordinals("limit=7")).toEqual([31, 30, 29, 28, 27, 26, 25]);
  expect(await ordinals("limit=3&until=2023-06-01T00:00:29Z")).toEqual([28, 27, 26]);
  expect(await ordinals("limit=7&since=2023-06-01T00:00:30Z")).toEqual([31, 30]);
  await store.command("DELETE FROM alerts WHERE source = 'ends' AND ordinal >= 10");
  expect(await ordinals("limit=7")).toEqual([9, 8, 7, 6, 5, 4, 3]);
  expect((await server.get("/api/v1/alerts?chain_id=778&limit=7")).headers.get("x-total-count")).toBe("10");
  await store.command("DELETE FROM alerts WHERE source = 'ends'");
  expect(await ordinals("limit=7")).toEqual([]);
});

test("GET /api/v1/dead-letters shows reason, rule and the beginning of the bytes", async () => {
  const list = await server.read("/api/v1/dead-letters", z.array(deadLetterSchema));
  expect(list.map(({ offset, rule, record_time }) => [offset, rule, record_time])).toEqual([
    ["2", "whale", "2024-01-01T00:00:00.000Z"],
    ["1", null, "2024-01-01T00:00:00.000Z"],
    ["0", null, null],
  ]);
  expect(list[0]).toMatchObject({
    size: 300,
    sha256: `0x${"aa".repeat(32)}`,
    preview_base64: Buffer.alloc(256, 0xff).toString("base64"),
  });
  expect(
    await server.read("/api/v1/dead-letters?reason=not_json&source=tx_raw", z.array(deadLetterSchema)),
  ).toHaveLength(2);
  expect(await server.read("/api/v1/dead-letters?rule=whale", z.array(deadLetterSchema))).toHaveLength(1);
});

describe("GET /api/v1/stats", () => {
  const stats = z.array(statsSchema);

  test("counts by chain and hour, from the roll-ups", async () => {
    const list = await server.read("/api/v1/stats?since=2024-01-01&until=2024-01-02", stats);
    expect(list).toMatchObject([
      {
        chain_id: 1,
        hour_timestamp: "2024-01-01T00:00:00Z",
        transactions: 226,
        pending: 26,
        failed: 100,
        gas_used: 199 * 21_000 + 60_000,
        alerts: 12,
      },
      { chain_id: 56, transactions: 25, pending: 25, failed: 0, gas_used: 0, alerts: 0, transactions_detected: 0 },
    ]);
    expect(await server.read("/api/v1/stats?since=2024-01-01&until=2024-01-02&chain_id=56", stats)).toHaveLength(1);
    const { headers, body } = await server.get("/api/v1/stats?since=2024-01-01&limit=1&offset=1");
    expect(headers.get("x-total-count")).toBe("2");
    expect(stats.parse(body())[0]?.chain_id).toBe(56);
  });

  test("what a replaced block said is not counted, until the chain comes back to it", async () => {
    const { store } = server;
    const row = (table: string, more: string): string =>
      `INSERT INTO ${table} (source, offset, n, event_time, chain_id, block_number, block_hash, ${more}`;
    const place = `'reorg', 0, number, toDateTime64('2023-05-05 10:59:30', 6, 'UTC') + number * 10, 10, if(number < 4, NULL, intDiv(number, 4)),
      if(number < 4, NULL, unhex(leftPad(hex(intDiv(number, 4)), 64, 'd')))`; // four pending, then blocks 1, 2 and 3 of four
    await store.command(`${row("transactions", "hash, from_address, status, gas_used)")}
      SELECT ${place}, unhex(repeat('0D', 32)), unhex(repeat('0D', 20)), if(number < 4, NULL, number % 2), if(number < 4, NULL, 7) FROM numbers(16)`);
    await store.command(`${row("alerts", "rule)")} SELECT ${place}, 'whale' FROM numbers(16)`);
    const hours = async (query = "") =>
      (await server.read(`/api/v1/stats?chain_id=10&since=2023-05-05${query}`, stats)).map((hour) => [
        ...[hour.transactions, hour.pending, hour.failed, hour.gas_used, hour.alerts],
      ]);
    const replace = (block: number, replaced: 0 | 1, offset: number) =>
      store.command(
        `INSERT INTO replaced_blocks SELECT 10, ${block}, unhex('${"d".repeat(62)}0${block}'), ${replaced}, ${offset}`,
      );
    expect(await hours()).toEqual([[13, 1, 6, 84, 13], [3, 3, 0, 0, 3]]); // biome-ignore format: an hour each
    await replace(2, 1, 0);
    expect(await hours()).toEqual([[9, 1, 4, 56, 9], [3, 3, 0, 0, 3]]); // biome-ignore format: an hour each
    // An hour counts whole.
    expect(await hours("T11:00:55Z&until=2023-05-06")).toEqual([[9, 1, 4, 56, 9]]);
    await replace(2, 0, 1);
    expect(await hours()).toEqual([[13, 1, 6, 84, 13], [3, 3, 0, 0, 3]]); // biome-ignore format: an hour each
    for (const table of ["transactions", "alerts"]) await store.command(`DELETE FROM ${table} WHERE source = 'reorg'`);
  });

  test("is about the last 24 hours by default, or a period back from now", async () => {
    expect(await server.read("/api/v1/stats", stats)).toEqual([]);
    await server.store.command(`
      INSERT INTO transactions (source, offset, event_time, chain_id, hash, from_address)
      SELECT 'now', number, now64(6) - toIntervalHour(number * 30), 137, unhex(repeat('00', 32)), unhex(repeat('00', 20)) FROM numbers(3)`);
    expect(await server.read("/api/v1/stats?chain_id=137", stats)).toHaveLength(1);
    expect(await server.read("/api/v1/stats?chain_id=137&period=1h", stats)).toHaveLength(1);
    expect(await server.read("/api/v1/stats?chain_id=137&period=7d", stats)).toHaveLength(3);
    await server.store.command("DELETE FROM transactions WHERE source = 'now'");
  });
});

describe("GET /api/v1/transfers", () => {
  const transfers = z.array(transferSchema);

  /** Of three blocks four each: the value of a transaction, then three tokens' 1, 2 and 3, from 1 to 2, 2 to 3 and 3 to 4. The second block was replaced. */
  beforeAll(async () => {
    await server.store.command(`
      INSERT INTO transfers (source, partition, offset, n, event_time, chain_id, block_number, block_hash, block_timestamp, tx_hash, log_index, kind, token,
        from_address, to_address, amount)
      SELECT 'tx_raw', 0, 500 + intDiv(number, 4), 0, toDateTime64('2024-01-01', 6, 'UTC') + 12 * intDiv(number, 4), 5, 1 + intDiv(number, 4) AS block,
        unhex(leftPad(lower(hex(toUInt8(block))), 64, '0')), toDateTime('2024-01-01', 'UTC') + 12 * intDiv(number, 4), unhex(leftPad(lower(hex(toUInt8(block))), 64, 'e')),
        toInt64(number % 4) - 1, ['native', 'erc20', 'deposit', 'withdrawal'][1 + number % 4] AS kind, unhex(leftPad(toString(number % 4), 40, '0')),
        unhex(leftPad(toString(number % 4), 40, '0')), unhex(leftPad(toString(1 + number % 4), 40, '0')),
        if(kind = 'native', toUInt256('115792089237316195423570985008687907853269984665640564039457584007913129639935'), number)
      FROM numbers(12)`);
    await server.store.command(`INSERT INTO replaced_blocks SELECT 5, 2, unhex(leftPad('02', 64, '0')), 1, 100`);
  });

  test("gives the newest first, none of a block that was replaced, and walks its pages", async () => {
    const all = await server.read("/api/v1/transfers?chain_id=5", transfers);
    expect(all.map(({ block_number, log_index }) => [block_number, log_index])).toEqual([
      [3, 2], [3, 1], [3, 0], [3, null], [1, 2], [1, 1], [1, 0], [1, null],
    ]); // biome-ignore format: two blocks
    expect(all.slice(2, 4)).toMatchObject([
      { kind: "erc20", token: address(1), from_address: address(1), to_address: address(2), amount: "9", tx_hash: `0x${"e".repeat(62)}03`, status: "confirmed" },
      { kind: "native", from_address: address(0), amount: String(2n ** 256n - 1n), block_timestamp: "2024-01-01T00:00:24Z", detected_at: "2024-01-01T00:00:24.000000Z" },
    ]); // biome-ignore format: a row a line
    const pages: unknown[] = [];
    for (let next: string | undefined = "/api/v1/transfers?limit=3"; next; ) {
      const { headers, body } = await server.get(next);
      pages.push(...transfers.parse(body()));
      expect(headers.get("x-total-count")).toBe("8");
      next = /<([^>]+)>; rel="next"/.exec(headers.get("link") ?? "")?.[1];
    }
    expect(pages).toEqual(all);
  });

  test.each([
    [`token=${address(2)}`, 2],
    [`from_address=${address(2)}`, 2],
    [`to_address=${address(2)}`, 2],
    [`address=${address(2)}`, 4],
    [`address=${address(2)}&kind=deposit`, 2],
    ["block_number=2", 0],
    ["block_number=3&kind=native", 1],
    [`tx_hash=0x${"e".repeat(62)}01`, 4],
    ["until=2024-01-01T00:00:24Z", 4],
  ])("%s leaves %i", async (filter, count) => {
    expect(await server.read(`/api/v1/transfers?${filter}`, transfers)).toHaveLength(count);
  });

  test("an unknown kind is refused", async () => {
    const { detail } = await server.problem("/api/v1/transfers?kind=erc721", 400);
    expect(detail).toContain("Invalid kind");
  });
});

describe("what is wrong is refused with each reason", () => {
  test("all at once", async () => {
    const { detail, errors } = await server.problem(
      "/api/v1/transactions?limit=0&from_address=0x12&chain_id=x&colour=red",
      400,
    );
    expect(errors?.map(({ parameter }) => parameter).sort()).toEqual(["chain_id", "colour", "from_address", "limit"]);
    expect(detail).toContain("Invalid from_address: Expected an address: 0x and 40 hexadecimal digits");
  });

  test.each([
    "limit=1001", "limit=-1", "limit=1e2", "limit=1&limit=2", "limit=", "offset=100001", "offset=-1", "offset=0x10", "chain_id=9007199254740993", "chain_id=-1", "chain_id=1&chainId=2",
    "status=2", "pending=yes", "since=yesterday", "since=2024-13-01", "since=1969-12-31", "until=9999-01-01", "since=2024-01-02&until=2024-01-01", "tag=", `tag=${"x".repeat(257)}`,
    "cursor=abc", "cursor=", "hash=0x1", "block_number=1.5", "__proto__=1", "constructor=1",
  ])("%s", async (query) => {
    await server.problem(`/api/v1/transactions?${query}`, 400);
  }); // biome-ignore format: a list

  test("a forged cursor, or another list's, is no way in", async () => {
    const cursor = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString("base64url");
    for (const parts of [
      ["1", "s", "1", "1"], ["x", "s", "1", "1", "1"], ["1", "s", "65536", "1", "1"], ["1", "s", "1", "18446744073709551616", "1"], ["1", "s", "-1", "1", "1"],
      ["99999999999999999999", "s", "1", "1", "1"], ["1", "x".repeat(513), "1", "1", "1"], [1, "s", 1, 1, 1], { length: 5 }, null,
    ]) await server.problem(`/api/v1/transactions?cursor=${cursor(parts)}`, 400); // biome-ignore format: a list
    expect(
      await server.read(
        `/api/v1/transactions?cursor=${cursor(["9999999999999999", "') OR 1=1 --\0\t\\", "65535", "18446744073709551615", "4294967295"])}&limit=1`,
        transactions,
      ),
    ).toHaveLength(1);
    await server.problem(`/api/v1/transactions?cursor=${cursor(["1", "s", "1", "1", "1"])}&offset=1`, 400);
    await server.problem(`/api/v1/alerts?cursor=${cursor(["1", "s", "1", "1", "1"])}`, 400);
  });

  const attacks = [
    "' OR '1'='1",
    "'; DROP TABLE transactions --",
    "1) UNION ALL SELECT * FROM system.tables --",
    "{tag:String}",
    "\\'",
    "\\",
    "\0",
    "\n\t",
    "%27",
    "\u202e",
    "0x' OR 1=1",
    "💥",
  ];
  const PARAMETERS: Record<string, string[]> = {
    "/api/v1/transactions": [
      "chain_id",
      "chainId",
      "hash",
      "from_address",
      "to_address",
      "block_number",
      "status",
      "pending",
      "tag",
      "since",
      "until",
      "limit",
      "offset",
      "cursor",
    ],
    "/api/v1/alerts": [
      "chain_id",
      "rule",
      "severity",
      "tx_hash",
      "address",
      "since",
      "until",
      "limit",
      "offset",
      "cursor",
    ],
    "/api/v1/dead-letters": ["reason", "rule", "source", "since", "until", "limit", "offset", "cursor"],
    "/api/v1/transfers": [
      "chain_id",
      "block_number",
      "tx_hash",
      "kind",
      "token",
      "from_address",
      "to_address",
      "address",
      "cursor",
    ],
    "/api/v1/stats": ["chain_id", "period", "since", "until", "limit", "offset"],
  };

  test.each(Object.entries(PARAMETERS))("%s treats SQL in every parameter as a value", async (path, names) => {
    const documented = server.document.paths![path]!.get!.parameters!.map(
      (parameter) => (parameter as { name: string }).name,
    );
    expect(names.filter((name) => !documented.includes(name))).toEqual([]);
    for (const name of names)
      for (const attack of attacks) {
        const { status, text } = await server.get(`${path}?${name}=${encodeURIComponent(attack)}`);
        if (status === 200) expect(text, `${name}=${attack}`).toBe("[]");
        else expect(status, `${name}=${attack}: ${text}`).toBe(400);
      }
    expect((await server.get("/api/v1/transactions")).headers.get("x-total-count")).toBe("251");
  });

  test("and in every path", async () => {
    for (const attack of attacks)
      for (const path of ["transactions", "alerts", "rules"]) {
        const { status, text } = await server.get(`/api/v1/${path}/${encodeURIComponent(attack)}`);
        expect([400, 404], `${path} ${attack}: ${text}`).toContain(status);
      }
  });
});

describe("a newest page that is asked for often", () => {
  /** Alerts of chain 779: of block 5 the odd ones. */
  const insert = (first: number, rows: number) =>
    server.store.command(`
      INSERT INTO alerts (source, offset, event_time, alert_id, severity, chain_id, ordinal, block_number, block_hash)
      SELECT 'often', number, toDateTime64('2023-06-01', 6, 'UTC') + number, unhex(leftPad(hex(number), 32, '0')), 'low', 779, number,
        if(number % 2 = 0, NULL, 5), if(number % 2 = 0, NULL, unhex(repeat('0E', 32))) FROM numbers(${first}, ${rows})`);
  const conditions = (until?: Date) => alertConditions({ chainId: 779, until });
  /** How often what was asked is counted, and what is done before it is next asked; a clock that stands still makes everything often. */
  function scene({ isServer = false } = {}) {
    const asked = { parts: 0, pages: 0, added: 0 };
    const meanwhile: { [What in keyof typeof asked]?: () => Promise<unknown> } = {};
    /** Set: it goes on to say what it said last. A merge by a statement then passes for one that came by itself. */
    const said: { again?: true; last?: Stillness | undefined } = {};
    const store: ReadableStore = {
      stillness(tables) {
        if (!said.again) said.last = isServer ? undefined : server.store.stillness(tables);
        return said.last;
      },
      async rows(sql, params, settings) {
        const what = sql.includes("system.parts") ? "parts" : sql.includes("_part IN") ? "added" : "pages";
        asked[what]++;
        const first = meanwhile[what];
        delete meanwhile[what];
        await first?.();
        return server.store.rows(sql, params, settings);
      },
    };
    const read = createPageReader(store, READ_SETTINGS, () => 0);
    const ask = async (limit: number, { offset = 0, until }: { offset?: number; until?: string } = {}) => {
      const page = { limit, offset, counted: true };
      const conditions_ = conditions(until === undefined ? until : new Date(until));
      const { rows, total } = await read<AlertRow>(ALERTS, conditions_, page);
      return `${rows.map(({ ordinal, status }) => `${ordinal}${status[0]}`).join(" ")} of ${total}`;
    };
    return { asked, ask, meanwhile, said, source: store };
  }
  /** A merge of what was added with what was there makes that a page is read anew, and could not be counted. */
  async function withoutMerges(work: () => Promise<void>): Promise<void> {
    await server.store.command("SYSTEM STOP MERGES");
    try {
      await work();
    } finally {
      await server.store.command("SYSTEM START MERGES");
    }
  }

  test("comes from memory, and is what the store would say at once after anything is written", async () => {
    await insert(0, 8);
    const { asked, ask } = scene();
    const first = "7c 6p 5c of 8";
    await withoutMerges(async () => {
      expect([await ask(3), await ask(3), await ask(3), await ask(3)]).toEqual([first, first, first, first]);
      expect(asked).toMatchObject({ pages: 2, added: 0 }); // the first is not known to be asked for often
      await insert(8, 1);
      expect([await ask(3), await ask(3)]).toEqual(["8p 7c 6p of 9", "8p 7c 6p of 9"]);
      expect(asked).toMatchObject({ pages: 2, added: 1 });
    });
    await server.store.command("INSERT INTO replaced_blocks SELECT 779, 5, unhex(repeat('0E', 32)), 1, 0");
    expect(await ask(3)).toBe("8p 7r 6p of 9");
    await server.store.command("INSERT INTO replaced_blocks SELECT 779, 5, unhex(repeat('0E', 32)), 0, 1");
    expect(await ask(3)).toBe("8p 7c 6p of 9");
    await server.store.command("DELETE FROM alerts WHERE source = 'often' AND ordinal = 8");
    expect([await ask(3), await ask(3)]).toEqual([first, first]);
  });

  const add = (ordinals: readonly number[], { seconds = 0, source = "often", rule = "", block = 5 } = {}) =>
    server.store.command(
      `INSERT INTO alerts (source, offset, event_time, alert_id, severity, chain_id, ordinal, rule, block_number, block_hash)
       SELECT {source:String}, n, toDateTime64('2023-06-01', 6, 'UTC') + {seconds:UInt32}, '', 'low', 779, n, {rule:String}, {block:UInt64}, unhex(repeat('0E', 32)) FROM (SELECT arrayJoin({ordinals:Array(UInt32)}) AS n)`,
      { ordinals, seconds, source, rule, block },
    );
  const removeAdded = () => server.store.command("DELETE FROM alerts WHERE chain_id = 779 AND ordinal >= 8");

  test("rows that were added go where they belong, and the rest is not read again", async () => {
    const { asked, ask } = scene();
    await server.store.command("OPTIMIZE TABLE alerts FINAL"); // a merge leaves out what was deleted: then all is read
    await ask(4);
    await ask(4);
    expect(await ask(4)).toBe("7c 6p 5c 4p of 8"); // and by now it is known that nothing came while they were read
    await withoutMerges(async () => {
      await add([10], { seconds: 6, source: "oftem" });
      await add([11], { seconds: 6, source: "often\u{10000}" });
      expect(await ask(4)).toBe("7c 11c 6p 10c of 10");
      await add([12, 13], { seconds: 6, source: "often", rule: "a" });
      expect(await ask(4)).toBe("7c 11c 13c 12c of 12");
      await add([9], { seconds: 7 });
      expect(await ask(4)).toBe("9c 7c 11c 13c of 13");
      await add([14], { seconds: 6, source: "often\uffff" });
      expect(await ask(4)).toBe("9c 7c 11c 14c of 14");
      expect(asked).toMatchObject({ pages: 2, added: 4 });
      await add([20, 21], { seconds: 1 }); // not new enough: counted by a question of their own
      expect(await ask(4)).toBe("9c 7c 11c 14c of 16");
      expect(asked).toMatchObject({ pages: 2, added: 6 });
      await server.store.command("INSERT INTO alerts (source, chain_id) SELECT 'often', 780");
      expect(await ask(4)).toBe("9c 7c 11c 14c of 16");
      expect(asked).toMatchObject({ pages: 2, added: 8 });
      await insert(22, 4); // as many as the page has: all of it may be in them
      expect(await ask(4)).toBe("25c 24p 23c 22p of 20");
      expect(asked).toMatchObject({ pages: 3, added: 8 });
    });
    await ask(4);
    const { pages, added } = asked;
    await server.store.command("OPTIMIZE TABLE alerts FINAL");
    expect(await ask(4)).toBe("25c 24p 23c 22p of 20");
    expect(asked).toMatchObject({ pages, added });
    await server.store.command("DELETE FROM alerts WHERE chain_id = 780");
    await removeAdded();
  });

  test.each([false, true])("is right whatever happens beside what is added, of a server: %s", async (isServer) => {
    const { ask, meanwhile } = scene({ isServer });
    const optimize = () => server.store.command("OPTIMIZE TABLE alerts FINAL");
    const replace = (replaced: 0 | 1, version: number) =>
      server.store.command(
        `INSERT INTO replaced_blocks SELECT 779, 5, unhex(repeat('0E', 32)), ${replaced}, ${version + (isServer ? 10 : 0)}`,
      );
    await ask(2);
    expect(await ask(2)).toBe("7c 6p of 8");
    // merged with what was there
    await add([30], { seconds: 30 });
    await optimize();
    expect([await ask(2), await ask(2)]).toEqual(["30c 7c of 9", "30c 7c of 9"]);
    // and deleted, or changed
    await add([31], { seconds: 31 });
    await server.store.command("DELETE FROM alerts WHERE chain_id = 779 AND ordinal = 30");
    expect([await ask(2), await ask(2)]).toEqual(["31c 7c of 9", "31c 7c of 9"]);
    await add([32], { seconds: 32 });
    await server.store.command(
      "ALTER TABLE alerts UPDATE block_hash = NULL WHERE chain_id = 779 AND ordinal = 31 SETTINGS mutations_sync = 1",
    );
    expect([await ask(2), await ask(2)]).toEqual(["32c 31p of 10", "32c 31p of 10"]);
    // one row less, and one more
    await add([33], { seconds: 33 });
    expect([await ask(2), await ask(2)]).toEqual(["33c 32c of 11", "33c 32c of 11"]);
    await server.store.command("DELETE FROM alerts WHERE chain_id = 779 AND ordinal = 33");
    await add([34], { seconds: 30 });
    expect([await ask(2), await ask(2)]).toEqual(["32c 31p of 11", "32c 31p of 11"]);
    // a block is replaced
    await add([35], { seconds: 35 });
    await replace(1, 2);
    expect([await ask(2), await ask(2)]).toEqual(["35r 32r of 12", "35r 32r of 12"]);
    // merged while they are read: nothing is left by the name that was asked for
    await ask(2);
    await add([36], { seconds: 36 });
    meanwhile.added = optimize;
    expect([await ask(2), await ask(2)]).toEqual(["36r 35r of 13", "36r 35r of 13"]);
    // a block that was replaced comes back while they are read: all rows say so, or none
    await withoutMerges(async () => {
      await ask(2);
      await add([37], { seconds: 37 });
      meanwhile.added = () => replace(0, 3);
      expect([await ask(2), await ask(2)]).toEqual(["37c 36c of 14", "37c 36c of 14"]);
      expect(meanwhile).toEqual({});
    });
    // added while all are read: they must not count twice
    await server.store.command("DELETE FROM alerts WHERE chain_id = 779 AND ordinal = 37");
    meanwhile.pages = () => add([38], { seconds: 38 });
    expect([await ask(2), await ask(2)]).toEqual(["38c 36c of 14", "38c 36c of 14"]);
    await add([39], { seconds: 39 });
    expect([await ask(2), await ask(2)]).toEqual(["39c 38c of 15", "39c 38c of 15"]);
    await removeAdded();
  });

  test("answers what lies in it, the store what goes on below", () =>
    withoutMerges(async () => {
      const { asked, ask } = scene();
      await ask(5);
      expect(await ask(5)).toBe("7c 6p 5c 4p 3c of 8");
      expect(asked.pages).toBe(2);
      expect(await ask(2, { offset: 1 })).toBe("6p 5c of 8");
      expect(await ask(3, { until: "2100-01-01" })).toBe("7c 6p 5c of 8");
      expect(asked.pages).toBe(2);
      expect(await ask(3, { offset: 4 })).toBe("3c 2p 1c of 8"); // to the seventh row: longer from now on
      expect(await ask(7)).toBe("7c 6p 5c 4p 3c 2p 1c of 8");
      expect(asked.pages).toBe(3);
      expect(await ask(100)).toBe("7c 6p 5c 4p 3c 2p 1c 0p of 8");
      const all = asked.pages;
      expect(await ask(100, { offset: 50 })).toBe(" of 8");
      expect(await ask(9)).toBe("7c 6p 5c 4p 3c 2p 1c 0p of 8");
      expect(asked.pages).toBe(all + 1);
    }));

  test("is as of its time limit: rows that are newer are left out, and not counted", async () => {
    const now = Date.now();
    const second = (n: number): string => new Date(now + n * 1_000).toISOString();
    const add = (n: number) =>
      server.store.command(
        `INSERT INTO alerts (source, offset, event_time, alert_id, severity, chain_id, ordinal) SELECT 'often', {n:UInt32}, fromUnixTimestamp64Milli({ms:Int64}, 'UTC'), '', 'low', 779, {n:UInt32}`,
        { n, ms: now + n * 1_000 },
      );
    for (const n of [20, 21, 22]) await add(n);
    const { asked, ask } = scene();
    await withoutMerges(async () => {
      await ask(2);
      await ask(4);
      const before = asked.pages;
      expect(await ask(2, { until: second(22) })).toBe("21p 20p of 10");
      expect(await ask(1, { until: second(20) })).toBe("7c of 8");
      expect(asked.pages).toBe(before);
      expect(await ask(4, { until: second(22) })).toBe("21p 20p 7c 6p of 10"); // more than is kept
      expect(await ask(2, { until: second(10) })).toBe("7c 6p of 8");
    });
    await server.store.command("DELETE FROM alerts WHERE source = 'often' AND ordinal >= 20");
  });

  test("of all there are, what was added is counted by its parts", async () => {
    const { asked, meanwhile, said, source } = scene();
    const read = createPageReader(source, READ_SETTINGS, () => 0);
    const page = () => read<AlertRow>(ALERTS, [], { limit: 4, offset: 0, counted: true });
    const total = async () => Number((await page()).total);
    await total();
    await total();
    const before = await total();
    await withoutMerges(async () => {
      await add([40, 41], { seconds: 3_000_000_000 }); // newer than all that other tests have
      expect(await total()).toBe(before + 2);
      const questions = asked.parts;
      await add([42], { seconds: 3_000_000_001 });
      expect(await total()).toBe(before + 3);
      expect(asked.parts).toBe(questions + 1); // all that was added was read, and nobody has written since
      await add([43], { seconds: 1 }); // not new enough for the page
      expect(await total()).toBe(before + 4);
      expect(asked).toMatchObject({ pages: 2, added: 3 });
      await add([44], { seconds: 3_000_000_002 });
      meanwhile.added = async () => {
        said.again = true;
        await server.store.command("SYSTEM START MERGES");
        await server.store.command("OPTIMIZE TABLE alerts FINAL");
      };
      const { rows } = await page();
      expect([rows[0]!.ordinal, await total(), meanwhile]).toEqual([44, before + 5, {}]);
      delete said.again;
    });
    await removeAdded();
    expect(await total()).toBe(before);
  });

  test("nobody is asked what parts there are as long as nobody writes", async () => {
    const { asked, ask } = scene();
    await ask(2);
    await ask(2);
    const before = asked.parts;
    await server.store.rows("SELECT 1");
    expect(await ask(2)).toBe(await ask(2));
    expect(asked.parts).toBe(before);
    await server.store.command("INSERT INTO dead_letters (source) SELECT 'often'");
    await ask(2);
    expect(asked.parts).toBe(before);
    await server.store.command("DELETE FROM dead_letters WHERE source = 'often'"); // of whatever table
    await ask(2);
    expect(asked.parts).toBe(before + 1);
  });

  test("of a table without rows is kept, until there is one", async () => {
    const { asked, source } = scene();
    const read = createPageReader(source, READ_SETTINGS, () => 0);
    const total = async () => Number((await read(SOLANA_TRANSACTIONS, [], { limit: 2, offset: 0, counted: true })).total ?? 0); // biome-ignore format: one line
    expect([await total(), await total()]).toEqual([0, 0]);
    const before = { ...asked };
    expect([await total(), await total(), asked]).toEqual([0, 0, before]);
    await server.store.command("INSERT INTO solana_transactions (source) SELECT 'often'");
    expect(await total()).toBe(1);
  });

  test("is answered while others write, and has what they wrote once they are told that it is stored", async () => {
    const { asked, ask, source } = scene();
    await withoutMerges(async () => {
      await ask(2);
      await ask(2);
      expect(await ask(2)).toBe("7c 6p of 8");
      const before = { ...asked };
      // a row a statement's block, seen at once, and nobody is told
      const endless = server.store.command(`
        INSERT INTO alerts (source, offset, event_time, alert_id, severity, chain_id, ordinal)
        SELECT 'often', number, toDateTime64('2023-07-01', 6, 'UTC') + number, '', 'low', 779, 50 + number + sleepEachRow(0.01) FROM numbers(1000000)
        SETTINGS max_block_size = 1, min_insert_block_size_rows = 1`);
      const failing = expect(endless).rejects.toThrow(/cancelled/i);
      const stored = async () =>
        Number((await server.store.rows<{ n: string }>("SELECT count() AS n FROM alerts WHERE chain_id = 779"))[0]!.n);
      try {
        while ((await stored()) < 10);
        expect(source.stillness!(["alerts"])?.isStill).toBe(false);
        expect(await ask(2)).toBe("7c 6p of 8");
        expect(asked).toEqual(before);
        await ask(5); // read now, and what came meanwhile is not counted once more
        await ask(5);
      } finally {
        await server.store.command("KILL QUERY WHERE query LIKE '%50 + number%' AND query NOT LIKE 'KILL%' SYNC");
        await failing;
      }
      const rows = await stored();
      expect(await ask(2)).toBe(`${rows + 41}p ${rows + 40}p of ${rows}`);
      expect(await ask(5)).toMatch(`${rows + 41}p ${rows + 40}p ${rows + 39}p`);
    });
    await removeAdded();
  });

  test("has a row for everybody who asks after it was stored, however many ask meanwhile", async () => {
    const { asked, ask } = scene({ isServer: true });
    await ask(1);
    await ask(1);
    await ask(1);
    const before = asked.parts;
    await Promise.all(Array.from({ length: 10 }, () => ask(1)));
    expect(asked.parts - before).toBe(1); // for all who wait
    let isDone = false;
    const others = Array.from({ length: 8 }, async () => {
      while (!isDone) await ask(1);
    });
    try {
      for (let n = 30; n < 36; n++) {
        await insert(n, 1);
        expect(await ask(1)).toBe(`${n}${n % 2 === 0 ? "p" : "c"} of ${n - 21}`);
      }
    } finally {
      isDone = true;
      await Promise.all(others);
    }
  });

  test("is read again after it could not be", async () => {
    let isAway = false;
    const store: ReadableStore = {
      rows: (sql, ...rest) =>
        isAway && !sql.includes("system.parts") ? Promise.reject(new Error("away")) : server.store.rows(sql, ...rest),
    };
    const read = createPageReader(store, READ_SETTINGS, () => 0);
    const ask = () => read<AlertRow>(ALERTS, conditions(), { limit: 1, offset: 0 });
    await ask();
    isAway = true;
    await expect(ask()).rejects.toThrow("away");
    isAway = false;
    expect((await ask()).rows).toHaveLength(1);
  });

  test("is made of the tables that its statement names", async () => {
    const lists = { ALERTS, TRANSACTIONS, SWAPS, ARBITRAGES, SANDWICHES, LIQUIDATIONS, OPPORTUNITIES, captured: opportunityList({ captured: true }), ARBITRAGE_TRANSACTIONS, DEAD_LETTERS, SOLANA_TRANSACTIONS, TRANSFERS }; // biome-ignore format: one line
    for (const [name, list] of Object.entries(lists)) {
      const { sql, params } = listQuery(list, [], { limit: 1, offset: 0, counted: true });
      const tree = await server.store.rows<{ explain: string }>(`EXPLAIN QUERY TREE ${sql}`, params);
      const read = tree.flatMap(({ explain }) => /table_name: \w+\.(\w+)/.exec(explain)?.[1] ?? []);
      expect(tablesOf(sql).sort(), name).toEqual([...new Set(read)].sort());
      const tables = await server.store.rows<{ name: string; engine: string; isViewed: number }>(
        `SELECT name AS name, engine, name IN (
           SELECT extract(create_table_query, ' TO \\w+\\.(\\w+)') FROM system.tables WHERE database = currentDatabase() AND engine = 'MaterializedView'
         ) AS isViewed
         FROM system.tables WHERE database = currentDatabase() AND name IN {read:Array(String)}`,
        { read },
      );
      for (const { name: table, engine, isViewed } of tables) {
        expect(engine, name).toMatch(/MergeTree$/);
        expect(isViewed, `${name}: a view inserts into ${table}`).toBe(0);
        // or merges would change what it says
        if (engine !== "MergeTree") expect(sql, name).toMatch(new RegExp(`${table}( AS t)? FINAL`));
      }
    }
  });
});
