/**
 * What analysts and models get of replayed recordings. Example queries: their sums are those of brute force. Features: equal to brute force, the same however the period is cut, and unchanged by what comes later, which is tried by replaying
 * a recording that ends in the middle of a block.
 */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { featureRoutes } from "../api/routes/features.ts";
import type { Store } from "../clickhouse/client.ts";
import { CATALOGUE, COLUMNS } from "../clickhouse/features/catalogue.ts";
import { type FeatureRequest, planFeatures } from "../clickhouse/features/chunks.ts";
import { exampleQueries } from "../clickhouse/queries/examples.ts";
import { BUNDLED_RECORDING } from "../engine/cli/bundled.ts";
import { createMetrics } from "../engine/ops/metrics.ts";
import { readLines } from "../engine/source/recording.ts";
import { type Databases, openDatabases, type Run } from "./support/databases.ts";
import { startWeir } from "./support/engineProcess.ts";
import { groupBy, type History, readHistory } from "./support/features/history.ts";
import { referenceFeatures } from "./support/features/reference.ts";

const MAINNET = fileURLToPath(new URL("../../shared/data/mainnet.ndjson.gz", import.meta.url));
const there = existsSync(MAINNET);
if (!there) console.warn(`Features of mainnet transactions are not tested: "${MAINNET}" is not there`);
const BUNDLED_CHAIN = 31337;
const WETH = "c02aaa39b223fe8d0a0e5c4f27ead9083c756cc2";

type Row = Record<string, number | string | null> & { block_number: string; transaction_index: number };

let databases: Databases;
let whole: Run;
let bundled: Row[];
let history: History;
beforeAll(async () => {
  databases = await openDatabases();
  whole = await databases.newRun();
  await replay(BUNDLED_RECORDING, whole);
  if (there) await replay(MAINNET, whole);
  history = await readHistory(whole.store, BUNDLED_CHAIN, "");
  bundled = await features(whole.store, { chainId: BUNDLED_CHAIN });
});
afterAll(() => databases?.close());

async function replay(path: string, { env }: Run): Promise<void> {
  const run = startWeir(["replay", path, "--json"], env);
  expect((await run.exited).code, run.log().slice(-3_000)).toBe(0);
}

async function features(store: Store, request: FeatureRequest): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { sql, params } of await planFeatures(store, request)) rows.push(...(await store.rows<Row>(sql, params)));
  return rows;
}

/** Prices are known to a billionth, so what is made of differences of them is close, not equal. */
const close = (got: number, expected: number): boolean =>
  Math.abs(got - expected) <= 5e-9 + 1e-6 * Math.max(Math.abs(got), Math.abs(expected));

/** Holds every so-manieth transaction against brute force. @returns how often each column was neither unknown nor 0 */
async function compare(rows: Row[], chainId: number, wrapped: string, every: number): Promise<Map<string, number>> {
  const history = await readHistory(whole.store, chainId, wrapped);
  expect(rows.map((row) => [Number(row.block_number), row.transaction_index])).toEqual(
    history.transactions.map(({ block, index }) => [block, index]),
  );
  const places = rows.map((_, i) => i).filter((i) => i % every === 0);
  const met = new Map<string, number>();
  let i = 0;
  for (const [tx, values] of referenceFeatures(history, places)) {
    const row = rows[places[i++]!]!;
    for (const [name, expected] of Object.entries(values)) {
      const got = row[name] as number | null;
      const equal = expected === null || got === null ? expected === got : close(got, expected);
      if (!equal) expect(got, `${name} of transaction ${tx.index} of block ${tx.block}`).toBe(expected);
      if (expected !== null && expected !== 0) met.set(name, (met.get(name) ?? 0) + 1);
    }
    // Where the transaction swaps nothing, nothing is known of its pool.
    if (tx.swaps.length === 0)
      for (const { name, feature } of COLUMNS)
        if (["pool", "pair", "token", "poolHours"].includes(feature.series)) expect(row[name], name).toBe(null);
  }
  return met;
}

describe("features", () => {
  test("of the bundled recording are what brute force finds", async () => {
    const met = await compare(bundled, BUNDLED_CHAIN, "", 149);
    const names = new Set([...met].filter(([, times]) => times >= 2).map(([name]) => name));
    const compared = CATALOGUE.filter(({ name, windows = [undefined] }) =>
      windows.some((window) => names.has(window === undefined ? name : `${name}_${window}`)),
    );
    expect(compared.length).toBeGreaterThanOrEqual(50);
  });

  test.skipIf(!there)("of mainnet transactions are what brute force finds", async () => {
    await compare(await features(whole.store, { chainId: 1 }), 1, WETH, 97);
  });

  test("are the same however the period is cut", async () => {
    const since = new Date("2024-06-01T00:30:00Z");
    const until = new Date("2024-06-01T00:40:00Z");
    const part = await features(whole.store, { chainId: BUNDLED_CHAIN, since, until, chunkRows: 1_000 });
    const time = (row: Row): number => Date.parse(`${row.block_timestamp as string}Z`);
    expect(part.map((row) => JSON.stringify(row))).toEqual(
      bundled
        .filter((row) => time(row) >= since.getTime() && time(row) < until.getTime())
        .map((row) => JSON.stringify(row)),
    );
    expect(part.length).toBeGreaterThan(1_000);
  });

  test("do not know what comes later: a recording that ends within a block gives the same bytes", async () => {
    const cut = await databases.newRun();
    const lines: string[] = [];
    for await (const line of readLines(BUNDLED_RECORDING)) lines.push(Buffer.from(line).toString());
    const end = endWithinBlock(lines, 0.6);
    const path = `${cut.data}-cut.ndjson`;
    await writeFile(path, lines.slice(0, end).join("\n"));
    await replay(path, cut);
    const kept = await features(cut.store, { chainId: BUNDLED_CHAIN });
    expect(kept.length).toBeGreaterThan(5_000);
    expect(kept.map((row) => JSON.stringify(row))).toEqual(
      bundled.slice(0, kept.length).map((row) => JSON.stringify(row)),
    );
  });
});

describe("features for programs", () => {
  test("GET /api/v1/features/data goes through a period by whole blocks", async () => {
    const routes = featureRoutes({ metrics: createMetrics({ defaults: false }), store: whole.store });
    const rows: Row[] = [];
    const period = "since=2024-06-01T00:30:00Z&until=2024-06-01T00:33:00Z";
    let next: string | undefined =
      `/api/v1/features/data?chain_id=${BUNDLED_CHAIN}&${period}&features=rsi,gas_price&limit=150`;
    let pages = 0;
    for (; next !== undefined; pages++) {
      const answer: Response = await routes.request(next);
      expect(answer.status).toBe(200);
      rows.push(...((await answer.json()) as Row[]));
      next = /<([^>]+)>; rel="next"/.exec(answer.headers.get("link") ?? "")?.[1];
    }
    const expected = bundled.filter(
      ({ block_timestamp: time }) => `${time}` >= "2024-06-01 00:30:00" && `${time}` < "2024-06-01 00:33:00",
    );
    expect(rows.map(({ tx_hash, rsi, gas_price }) => [tx_hash, rsi, gas_price])).toEqual(
      expected.map(({ tx_hash, rsi, gas_price }) => [tx_hash, rsi, gas_price]),
    );
    expect(pages).toBeGreaterThan(1);
  });

  test("weir features prepare writes three parts and what they were prepared with, and never over them", async () => {
    const out = `${whole.data}-prepared`;
    const args = [
      "features",
      "prepare",
      "--chain",
      String(BUNDLED_CHAIN),
      "--features",
      "gas_price,protocol",
      "--embargo",
      "60",
      "--out",
      out,
    ];
    const run = startWeir(args, whole.env);
    expect((await run.exited).code, run.log()).toBe(0);
    const { rows } = JSON.parse(run.stdout()) as { rows: Record<string, number> };
    for (const [part, count] of Object.entries(rows)) {
      const lines = (await readFile(`${out}/${part}.csv`, "utf8")).trim().split("\n");
      expect(lines[0]).toBe("tx_hash,protocol,gas_price");
      expect(lines.length - 1).toBe(count);
    }
    expect(rows.train! / bundled.length).toBeCloseTo(0.7, 1);
    const { numbers, categories } = JSON.parse(await readFile(`${out}/preparation.json`, "utf8"));
    expect([numbers.gas_price.known, categories.protocol.values]).toEqual([rows.train, ["uniswap_v2", "uniswap_v3"]]);
    const again = startWeir(args, whole.env);
    expect((await again.exited).code).toBe(1);
    expect(again.log()).toContain("it has a train.csv, expected a folder without one");
  });
});

describe("example queries", () => {
  type Answer = Record<string, unknown>[];
  const sum = (rows: Answer, column: string, chain = BUNDLED_CHAIN): number =>
    rows.filter(({ chain_id }) => Number(chain_id) === chain).reduce((total, row) => total + Number(row[column]), 0);
  const answers = new Map<string, Answer>();
  const of = (name: string): Answer => answers.get(name)!;

  test("run, each with a comment that says what it asks, and have rows", async () => {
    const queries = await exampleQueries();
    for (const { name, about, sql } of queries) {
      expect(about.length, name).toBeGreaterThan(30);
      answers.set(name, await whole.store.rows(sql));
      // Nobody in the recordings adds liquidity just in time, or is known to have tried in vain.
      if (!["jit-providers", "failed-attempts"].includes(name) && (there || name !== "liquidations-by-protocol"))
        expect(of(name).length, name).toBeGreaterThan(0);
    }
    expect(queries.length).toBeGreaterThanOrEqual(25);
  });

  test("count what brute force counts", () => {
    const { transactions, swaps, sandwiches, arbitrages } = history;
    expect(sum(of("arbitrage-by-hops"), "arbitrages")).toBe(arbitrages.length);
    expect(sum(of("arbitrage-by-token"), "arbitrages")).toBe(arbitrages.length);
    expect(sum(of("sandwichers"), "victims")).toBe(sandwiches.reduce((total, { victims }) => total + victims, 0));
    expect(sum(of("sandwichers"), "attacks")).toBe(sandwiches.length);
    expect(sum(of("private-flow-share"), "mined")).toBe(transactions.length);
    expect(sum(of("private-flow-share"), "never_seen")).toBe(transactions.filter(({ seen }) => seen === null).length);
    for (const [protocol, some] of groupBy(swaps, (swap) => swap.protocol))
      expect(of("swaps-by-protocol")).toContainEqual(
        expect.objectContaining({
          chain_id: String(BUNDLED_CHAIN),
          protocol,
          swaps: String(some.length),
          pools: String(new Set(some.map(({ pool }) => pool)).size),
          traders: String(new Set(some.map(({ from }) => from)).size),
        }),
      );
    const byPool = [...groupBy(swaps, ({ pool }) => pool).values()].sort((a, b) => b.length - a.length);
    expect(sum(of("pool-candles"), "swaps")).toBe(byPool[0]!.length);
    const [candle] = of("pool-candles").filter(({ chain_id }) => chain_id === String(BUNDLED_CHAIN));
    expect(Math.log(Number(candle!.open))).toBeCloseTo(byPool[0]![0]!.paid / 1e9, 7);
    const waits = transactions.filter(({ seen, t }) => seen !== null && seen <= t).map(({ seen, t }) => t - seen!);
    expect(sum(of("mempool-wait"), "transactions")).toBe(waits.length);
    expect(sum(of("mempool-wait"), "longest")).toBeCloseTo(Math.max(...waits), 0);
    const blocks = new Set(transactions.map(({ block }) => block)).size;
    expect(sum(of("fee-recipients"), "blocks")).toBe(blocks);
    expect(sum(of("base-fee-by-hour"), "blocks")).toBe(blocks);
  });

  test("transfers are what the stored receipts say, read in SQL alone", async () => {
    const place = ["source", "partition", "offset", "n", "event_time", "chain_id", "block_number", "block_hash", "block_timestamp", "transaction_index"]; // biome-ignore format: one line
    const own = ["kind", "token", "from_address", "to_address", "amount"];
    const happened = "block_number IS NOT NULL AND ifNull(status, 1) = 1";
    const party = (topic: number): string => `toFixedString(substring(topics[${topic}], 13), 20)`;
    const isParty = (topic: number): string => `startsWith(topics[${topic}], repeat('\\0', 12))`;
    const nobody = "toFixedString('', 20)";
    const ofLogs = (kind: string, topic0: string, parties: number, from: string, to: string, token = "1"): string =>
      `SELECT ${place}, hash AS tx_hash, toInt64(log), '${kind}', address, ${from}, ${to}, reinterpretAsUInt256(reverse(data))
       FROM transactions ARRAY JOIN log_index AS log, log_address AS address, log_topics AS topics, log_data AS data
       WHERE ${happened} AND startsWith(lower(hex(topics[1])), '${topic0}') AND length(topics) = 1 + ${parties} AND length(data) = 32
         AND ${isParty(2)} AND (${parties} = 1 OR ${isParty(3)}) AND ${token}`;
    const isWrapped = `chain_id = 1 AND lower(hex(address)) = '${WETH}'`;
    const expected = [
      ofLogs("erc20", "ddf252ad1be2c89b", 2, party(2), party(3)),
      ofLogs("deposit", "e1fffcc4923d04b5", 1, nobody, party(2), isWrapped),
      ofLogs("withdrawal", "7fcf532c15f0a6db", 1, party(2), nobody, isWrapped),
      `SELECT ${place}, hash, -1, 'native', unhex('${"ee".repeat(20)}'), from_address, ifNull(to_address, contract_address), value
       FROM transactions WHERE ${happened} AND value > 0`,
    ].join(" UNION ALL ");
    const digest = (rows: string): string => {
      const all = [...place, "tx_hash", "log_index", ...own].map((_, i) => `toString(tupleElement(row, ${i + 1}))`);
      return `SELECT tupleElement(row, 13) AS kind, toString(count()) AS rows, toString(sum(sipHash64(${all}))) AS sum FROM (${rows}) GROUP BY kind ORDER BY kind`;
    };
    const asRows = (sql: string): string => `SELECT tuple(*) AS row FROM (${sql})`;
    const found = await whole.store.rows(digest(asRows(`SELECT ${[...place, "tx_hash", "log_index", ...own]} FROM transfers`))); // biome-ignore format: one line
    expect(found).toEqual(await whole.store.rows(digest(asRows(expected))));
    expect(found.length).toBe(there ? 4 : 2);
  });

  test.skipIf(!there)("of mainnet say what another inspector found", () => {
    expect(sum(of("sandwichers"), "attacks", 1)).toBe(10);
    expect(sum(of("liquidations-by-protocol"), "liquidations", 1)).toBe(8);
    expect(sum(of("arbitrage-by-hops"), "arbitrages", 1)).toBeGreaterThanOrEqual(21);
    expect(sum(of("swaps-by-protocol"), "swaps", 1)).toBeGreaterThanOrEqual(511);
  });

  test("weir sql --example prints one as CSV; one that is not there is refused", async () => {
    const run = startWeir(["sql", "--example", "swaps-by-protocol", "--format", "csv"], whole.env);
    expect((await run.exited).code, run.log()).toBe(0);
    const [head, ...lines] = run.stdout().trim().split("\n");
    expect(head).toBe('"chain_id","protocol","swaps","pools","traders","arbitrage_share"');
    expect(lines).toHaveLength(of("swaps-by-protocol").length);
    const wrong = startWeir(["sql", "--example", "swaps-by-weather"], whole.env);
    expect((await wrong.exited).code).toBe(2);
    expect(wrong.log()).toContain('Cannot run example "swaps-by-weather": there is none of that name');
  });
});

/** A line after this share of all, before which and behind which there are transactions of the same block. */
function endWithinBlock(lines: readonly string[], share: number): number {
  const block = (line: string): string | undefined =>
    (JSON.parse(line) as { blockHash?: string }).blockHash ?? undefined;
  const start = lines.findIndex(
    (line, i) => i > share * lines.length && block(line) !== undefined && block(line) === block(lines[i + 8]!),
  );
  return start + 4;
}
