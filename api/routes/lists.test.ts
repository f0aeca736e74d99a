import { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RISK } from "../../engine/chain/risk/factors.ts";
import { PRESENT } from "../../engine/frame/schema.ts";
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
