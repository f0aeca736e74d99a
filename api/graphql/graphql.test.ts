/** `/graphql` over HTTP and WebSocket, on a real store: what it answers, what it costs, what it refuses. */
import { readFile } from "node:fs/promises";
import { printSchema } from "graphql";
import { createClient } from "graphql-ws";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { OpenApiDocument } from "../docs.ts";
import { createEvent } from "../live/event.ts";
import { startTestServer, type TestServer, TOKEN } from "../testServer.ts";
import { createSchema } from "./schema.ts";

let server: TestServer;
const hash = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;

/** 40 mined transactions a second apart, three alerts for each even one; the newest is a swap and an arbitrage, and was seen pending, too. */
beforeAll(async () => {
  server = await startTestServer({ anonymous: null });
  const { store } = server;
  const place = "'tx_raw', 0, number, 0, toDateTime64('2024-01-01 00:00:00', 6, 'UTC') + number";
  const id = "unhex(leftPad(lower(hex(number)), 64, '0'))";
  await store.command(`
    INSERT INTO transactions (source, partition, offset, n, event_time, chain_id, hash, from_address, nonce, value, gas, block_number, block_hash, status)
    SELECT ${place}, 1, ${id}, unhex(repeat('AA', 20)), number, number, 21000, 100 + number, unhex(repeat('0B', 32)), 1 FROM numbers(40)`);
  await store.command(`
    INSERT INTO transactions (source, partition, offset, n, event_time, chain_id, hash, from_address, nonce, value, gas)
    SELECT 'tx_raw', 1, 0, 0, toDateTime64('2024-01-01 00:00:38.5', 6, 'UTC'), 1, unhex('${hash(39).slice(2)}'), unhex(repeat('AA', 20)), 39, 39, 21000`);
  await store.command(`
    INSERT INTO gas_blocks (source, partition, offset, n, event_time, chain_id, block_number, block_hash)
    SELECT ${place}, 1, 100 + number, unhex(repeat('0B', 32)) FROM numbers(40)`);
  await store.command(`
    INSERT INTO alerts (source, partition, offset, n, event_time, alert_id, rule, rule_version, severity, ordinal, chain_id, tx_hash, block_number, block_hash, from_address, message)
    SELECT 'tx_raw', 0, intDiv(number, 3) * 2, 0, toDateTime64('2024-01-01 00:00:00', 6, 'UTC') + intDiv(number, 3) * 2, unhex(leftPad(lower(hex(number)), 32, '0')), 'whale', 1, 'high', number % 3,
      1, unhex(leftPad(lower(hex(intDiv(number, 3) * 2)), 64, '0')), 100 + intDiv(number, 3) * 2, unhex(repeat('0B', 32)), unhex(repeat('AA', 20)), 'large' FROM numbers(60)`);
  const finding = `'tx_raw', 0, 39, 0, toDateTime64('2024-01-01 00:00:39', 6, 'UTC'), 1, 139, unhex(repeat('0B', 32)), unhex('${hash(39).slice(2)}'), unhex(repeat('AA', 20)), 4`;
  const columns =
    "source, partition, offset, n, event_time, chain_id, block_number, block_hash, tx_hash, tx_from, log_index";
  await store.command(`INSERT INTO swaps (${columns}, protocol, pool, amount_in, amount_out, status, confidence, evidence)
    SELECT ${finding}, 'uniswap_v2', unhex(repeat('0C', 20)), 5, 7, 'confirmed', 'high', [4]`);
  await store.command(`INSERT INTO arbitrages (${columns}, definition, route_logs, route_protocols, route_pools, route_tokens, profit_amount, status, confidence, evidence, net_usd)
    SELECT ${finding}, 'cycle', [4, 5], ['uniswap_v2', 'uniswap_v2'], [unhex(repeat('0C', 20)), unhex(repeat('0D', 20))], [unhex(repeat('01', 20)), unhex(repeat('02', 20))], 2, 'confirmed', 'high', [4, 5], 1.5`);
  await store.command(`INSERT INTO arbitrages (${columns}, definition, tx_hops, status, confidence)
    SELECT 'tx_raw', 0, 38, 0, toDateTime64('2024-01-01 00:00:38', 6, 'UTC'), 1, 138, unhex(repeat('0B', 32)), unhex('${hash(38).slice(2)}'), unhex(repeat('AB', 20)), 4, 'cycle', 2, 'confirmed', 'high'`);
  await store.command(`INSERT INTO sandwiches (${columns}, protocol, pool, frontrun_txs, victim_txs, backrun_txs, loss_txs, loss_tokens, loss_amounts, status, confidence)
    SELECT ${finding}, 'uniswap_v2', unhex(repeat('0C', 20)), [unhex('${hash(39).slice(2)}')], [unhex('${hash(38).slice(2)}')], [unhex('${hash(37).slice(2)}')],
      [unhex('${hash(38).slice(2)}')], [unhex(repeat('01', 20))], [3], 'confirmed', 'high'`);
});
afterAll(() => server?.close());

interface Result {
  // biome-ignore lint/suspicious/noExplicitAny: what was asked for
  readonly data?: any;
  readonly errors?: readonly {
    message: string;
    path?: unknown[];
    extensions?: { code?: string; request_id?: string };
  }[];
}

async function post(operation: object, token: string | undefined = TOKEN) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const { status, text } = await server.get("/graphql", { method: "POST", headers, body: JSON.stringify(operation) });
  return { status, result: JSON.parse(text) as Result };
}
async function ask(query: string, variables = {}): Promise<Result> {
  const { status, result } = await post({ query, variables });
  expect(status).toBe(200);
  return result;
}

/** Queries of the store that an operation took; whether it asked for parts depends on when the same was asked before. */
async function queriesOf(query: string): Promise<{ queries: number; result: Result }> {
  const rows = server.store.rows;
  let queries = 0;
  server.store.rows = ((...args: Parameters<typeof rows>) => {
    if (!args[0].includes("system.parts")) queries++;
    return rows.apply(server.store, args);
  }) as typeof rows;
  const result = await ask(query).finally(() => {
    server.store.rows = rows;
  });
  return { queries, result };
}

test("the schema is the printed one: npx vitest run api/graphql -u writes it anew", async () => {
  const printed = printSchema(createSchema(server.document as unknown as OpenApiDocument));
  await expect(`${printed}\n`).toMatchFileSnapshot("schema.graphql");
});

test("the example of the README is answered", async () => {
  const readme = await readFile(new URL("README.md", import.meta.url), "utf8");
  const { data, errors } = await ask(/```graphql\n(.*?)```/s.exec(readme)![1]!);
  expect(errors).toBeUndefined();
  expect(data.alerts).toMatchObject({
    totalCount: 60,
    nodes: [{ rule: "whale", transaction: { tx_hash: hash(38), swaps: [] } }, {}],
  });
});

describe("lists", () => {
  test("a page with what belongs to its rows is a query for each kind, however many rows it has", async () => {
    const { queries, result } = await queriesOf("{ transactions(first: 30, pending: false) { nodes { tx_hash alerts { ordinal rule } } } }"); // biome-ignore format: one line
    expect(queries).toBe(2);
    const { nodes } = result.data.transactions;
    expect(nodes).toHaveLength(30);
    for (const { tx_hash, alerts } of nodes)
      expect(alerts.map(({ ordinal }: { ordinal: number }) => ordinal)).toEqual(
        Number(tx_hash) % 2 === 0 ? [2, 1, 0] : [],
      );

    const more =
      await queriesOf(`{ transactions(first: 30, pending: false) { totalCount nodes { tx_hash strategy swap_count
      swaps { amount_in } arbitrages { net_usd route { pool } } sandwiches { victim_txs } liquidations { user } } } }`);
    expect(more.queries).toBe(7);
    expect(more.result.data.transactions.totalCount).toBe(40);
    expect(more.result.data.transactions.nodes[0]).toEqual({
      ...{ tx_hash: hash(39), strategy: "2-hop", swap_count: 2 },
      swaps: [{ amount_in: "5" }],
      arbitrages: [{ net_usd: 1.5, route: [{ pool: `0x${"0c".repeat(20)}` }, { pool: `0x${"0d".repeat(20)}` }] }],
      sandwiches: [{ victim_txs: [hash(38)] }],
      liquidations: [],
    });
    // the victim's, and the backrun's; nobody else's
    const withSandwich = more.result.data.transactions.nodes.filter(
      ({ sandwiches }: { sandwiches: [] }) => sandwiches.length > 0,
    );
    expect(withSandwich.map(({ tx_hash }: { tx_hash: string }) => tx_hash)).toEqual([39, 38, 37].map(hash));
  });

  test("rows that name transactions get them in one query, mined where they are", async () => {
    const { queries, result } = await queriesOf("{ alerts(first: 60) { nodes { tx_hash transaction { tx_hash block_number } } } }"); // biome-ignore format: one line
    expect(queries).toBe(2);
    for (const { tx_hash, transaction } of result.data.alerts.nodes)
      expect(transaction).toEqual({ tx_hash, block_number: 100 + Number(tx_hash) });
    const { data } = await ask("{ swaps { nodes { transaction { block_number pending } } } }");
    expect(data.swaps.nodes).toEqual([{ transaction: { block_number: 139, pending: false } }]);
  });

  test("pools and arbitrageurs are REST's, page by page", async () => {
    const rest = async (path: string) =>
      (await server.get(path, { headers: { authorization: `Bearer ${TOKEN}` } })).body() as Record<string, unknown>[];
    const { data } = await ask(`{
      pools(protocol: "uniswap_v2") { totalCount nodes { address swaps last_transaction { block_number } } }
      arbitrageurs(sort_by: last_seen, first: 1) { totalCount nodes { address priced_transactions } pageInfo { hasNextPage endCursor } }
    }`);
    const [pool] = await rest("/api/v1/pools");
    const { address, swaps } = pool!;
    expect(data.pools).toEqual({
      totalCount: 1,
      nodes: [{ address, swaps, last_transaction: { block_number: 139 } }],
    });
    const [first, second] = await rest("/api/v1/arbitrageurs?sort_by=last_seen");
    const one = (arbitrageur: typeof first) => ({
      address: arbitrageur!.address,
      priced_transactions: arbitrageur!.priced_transactions,
    });
    expect(data.arbitrageurs).toMatchObject({ totalCount: 2, nodes: [one(first)], pageInfo: { hasNextPage: true } });
    const after = data.arbitrageurs.pageInfo.endCursor;
    const query = "query ($after: String) { arbitrageurs(sort_by: last_seen, after: $after) { nodes { address priced_transactions } pageInfo { hasNextPage } } }"; // biome-ignore format: one line
    const next = await ask(query, { after });
    expect(next.data.arbitrageurs).toEqual({ nodes: [one(second)], pageInfo: { hasNextPage: false } });
    const wrong = await ask('{ arbitrageurs(after: "nonsense") { totalCount } }');
    expect(wrong.errors![0]).toMatchObject({ extensions: { code: "BAD_USER_INPUT" } });
  });

  test("pages follow each other by their cursors, and have what REST has", async () => {
    const ids: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { data } = await ask("query ($after: String) { alerts(first: 7, after: $after) { nodes { id } edges { cursor } pageInfo { hasNextPage endCursor } } }", { after }); // biome-ignore format: one line
      ids.push(...data.alerts.nodes.map(({ id }: { id: string }) => id));
      ({ endCursor: after, hasNextPage: more } = data.alerts.pageInfo);
      expect(data.alerts.edges.at(-1).cursor).toBe(after);
    }
    const { text } = await server.get("/api/v1/alerts?limit=100", { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(ids).toEqual((JSON.parse(text) as { id: string }[]).map(({ id }) => id));
    expect(ids).toHaveLength(60);
  });

  test("single things, rules, chains and statistics", async () => {
    const { data, errors } = await ask(`{
      transaction(hash: "${hash(39)}") { input life { outcome: __typename } sightings { pending } swaps { pool } }
      nobody: transaction(hash: "${hash(999)}") { tx_hash }
      alert(id: "${"0".repeat(31)}1") { ordinal rule_info { name } }
      rules(first: 5) { name counts { matches } alerts { totalCount } } rule(name: "none") { name } chains { name }
      stats(since: "2024-01-01", until: "2024-01-02") { transactions transactions_detected } daily_stats(days: 1) { date }
      gas { block_number } gas_history(chain_id: 5) { block_number }
    }`);
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      transaction: { input: "0x", life: { outcome: "TransactionLife" }, sightings: [{ pending: false }, { pending: true }], swaps: [{ pool: `0x${"0c".repeat(20)}` }] },
      nobody: null,
      alert: { ordinal: 1, rule_info: null },
      rules: [], rule: null, chains: [],
      stats: [{ transactions: 41, transactions_detected: 2 }], daily_stats: [],
      gas: { block_number: 139 }, gas_history: [],
    }); // biome-ignore format: a field a line
  });
});

describe("what is refused", () => {
  const refusal = async (query: string) => (await ask(query)).errors?.[0];
  test("arguments that REST refuses, in its words", async () => {
    expect(await refusal("{ alerts(first: 0) { totalCount } }")).toMatchObject({ message: "Invalid first: Expected an integer from 1 to 1000", extensions: { code: "BAD_USER_INPUT" }, path: ["alerts"] }); // biome-ignore format: one line
    expect((await refusal('{ alerts(after: "x") { totalCount } }'))?.message).toMatch(/^Invalid after: /);
    expect((await refusal('{ swaps(pool: "\' OR 1=1 --") { totalCount } }'))?.message).toMatch(/^Invalid pool: /);
    expect((await refusal("{ transactions { nodes { alerts(first: 101) { id } } } }"))?.message).toMatch(
      /^Invalid first/,
    );
  });

  test("operations that cost too much, by rows, by aliases, by depth, by length", async () => {
    const code = { extensions: { code: "TOO_COMPLEX" } };
    expect(await refusal("{ transactions(first: 1000) { nodes { alerts(first: 100) { id rule } } } }")).toMatchObject(
      code,
    );
    const aliases = Array.from({ length: 51 }, (_, i) => `a${i}: alerts(first: 1) { nodes { id } }`).join(" ");
    const { queries, result } = await queriesOf(`{ ${aliases} }`);
    expect(result.errors?.[0]?.message).toContain("it takes 51 queries, expected at most 50");
    expect(queries).toBe(0);
    const deep =
      "{ transactions { nodes { alerts { transaction { alerts { transaction { alerts { transaction { tx_hash } } } } } } } } }";
    expect((await refusal(deep))?.message).toContain("it is 9 fields deep, expected at most 8");
    expect((await refusal(`{ ${"a ".repeat(4_001)} }`))?.message).toContain("Document contains more that 4000 tokens");
    const brackets = await refusal(`{ chains(x: ${"[".repeat(3_900)}`);
    expect(brackets).toMatchObject({ extensions: { code: "GRAPHQL_PARSE_FAILED" } });
    const variables = `{"a": ${"[".repeat(20_000)}${"]".repeat(20_000)}}`;
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
    const body = `{"query": "{ chains { name } }", "variables": ${variables}}`;
    const { detail } = await server.problem("/graphql", 400, { method: "POST", headers, body });
    expect(detail).toContain("nested deeper than 64 levels");
    const inAddress = variables.replace(/\[{20000}\]{20000}/, `${"[".repeat(5_000)}${"]".repeat(5_000)}`);
    await server.problem(`/graphql?query={chains{name}}&variables=${inAddress}`, 400, { headers });
  });

  test("several operations at once, no operation, strangers", async () => {
    expect((await post([{ query: "{ __typename }" }])).status).toBe(400);
    expect((await post({ query: "" })).status).toBe(400);
    expect((await post({ query: "{ __typename }", more: 1 })).status).toBe(400);
    expect((await post({ query: "{ __typename }" }, "")).status).toBe(401);
    expect((await post({ query: "{ nothing }" })).result.errors?.[0]?.message).toContain(
      'Cannot query field "nothing"',
    );
    const page = await server.get("/graphiql");
    expect([page.status, page.headers.get("content-security-policy")]).toEqual([200, expect.stringContaining("default-src 'none'")]); // biome-ignore format: one line
  });

  test("what breaks on our side is masked, with an id that the log has", async () => {
    const rows = server.store.rows;
    server.store.rows = () => Promise.reject(new Error("a password of ours"));
    const query = `{ alerts(rule: "not-asked-for-before") { nodes { id } } }`;
    const { result } = await post({ query }).finally(() => {
      server.store.rows = rows;
    });
    const [error] = result.errors!;
    expect(error).toMatchObject({ message: "An error on our side; the log has the details", extensions: { code: "INTERNAL_SERVER_ERROR" } }); // biome-ignore format: one line
    expect(JSON.stringify(result)).not.toContain("password");
    const line = server.log().split("\n").find((each) => each.includes(error!.extensions!.request_id!)); // biome-ignore format: one line
    expect(line).toContain("a password of ours");
  });
});

describe("subscriptions", () => {
  const raised = (id: string, severity: string) => createEvent({ channel: "alerts", type: "alert", data: { id, severity, rule: "whale", chain_id: 1 }, now: 0 }); // biome-ignore format: one line
  const operation =
    'subscription { alerts(severity: "high") { type data { id severity message } block { block_hash status } } }';
  const expected = [
    { alerts: { type: "alert", data: { id: "a", severity: "high", message: null }, block: null } },
    { alerts: { type: "block", data: null, block: { block_hash: "0x0b", status: "retracted" } } },
  ];
  const publish = () =>
    server.hub.publish([
      ...[raised("b", "low"), raised("a", "high")],
      createEvent({ channel: "alerts", type: "block", data: { chain_id: 1, block_hash: "0x0b", status: "retracted" }, now: 0 }),
    ]); // biome-ignore format: one list
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  test("come by a WebSocket to who says who it is, and by server-sent events", async () => {
    const got: unknown[] = [];
    const client = createClient({
      url: `${server.url.replace("http", "ws")}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${TOKEN}` },
      retryAttempts: 0,
    });
    const stop = client.subscribe({ query: operation }, { next: ({ data }) => got.push(data), error: (error) => got.push(error), complete() {} }); // biome-ignore format: one line
    await until(() => server.hub.isWanted("alerts"));
    publish();
    await until(() => got.length >= 2);
    expect(got).toEqual(expected);
    stop();
    await until(() => !server.hub.isWanted("alerts"));
    await client.dispose();

    const leaving = new AbortController();
    const answer = await fetch(`${server.url}/graphql?query=${encodeURIComponent(operation)}`, {
      headers: { accept: "text/event-stream", authorization: `Bearer ${TOKEN}` },
      signal: leaving.signal,
    });
    expect(answer.headers.get("content-type")).toContain("text/event-stream");
    await until(() => server.hub.isWanted("alerts"));
    publish();
    let text = "";
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    while (text.split("event: next").length < 3 || !text.endsWith("\n\n")) text += (await reader.read()).value ?? "";
    expect([...text.matchAll(/^data: (.+)$/gm)].map(([, data]) => JSON.parse(data!).data)).toEqual(expected);
    leaving.abort();
    await until(() => !server.hub.isWanted("alerts"));
  });

  test("are refused to strangers, and for filters that there are not", async () => {
    const url = `${server.url.replace("http", "ws")}/graphql`;
    const refused = createClient({
      url,
      webSocketImpl: WebSocket,
      connectionParams: { token: "wrong" },
      retryAttempts: 0,
    });
    const failure = await new Promise((resolve) =>
      refused.subscribe({ query: operation }, { next() {}, error: resolve, complete() {} }),
    );
    expect(failure).toMatchObject({ code: 4403 });
    const { errors } = await ask('subscription { alerts(severity: "loud") { type } }');
    expect(errors?.[0]).toMatchObject({ message: expect.stringContaining("Invalid severity"), extensions: { code: "BAD_USER_INPUT" } }); // biome-ignore format: one line
  });
});
