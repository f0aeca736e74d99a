import { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeFindings, type FindingRow, type FindingTable } from "../../clickhouse/tables/findings.ts";
import { COLUMNS } from "../../clickhouse/tables.ts";
import { createPoolStore } from "../../engine/source/rpc/poolStore.ts";
import { startTestServer, type TestServer } from "../testServer.ts";
import { poolSchema } from "./pools.ts";

let server: TestServer;
const START = Date.UTC(2024, 4, 5, 20) / 1000;
const WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2";
const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"; // lower than WETH
const NATIVE = `0x${"e".repeat(40)}`;
const [PAIR, RANGE, VAULT, FORK] = [`0x${"1".repeat(40)}`, `0x${"2".repeat(40)}`, `0x${"3".repeat(64)}`, `0x${"4".repeat(64)}`]; // biome-ignore format: a line
const ETHER = 10n ** 18n;

let offset = 0;
const at = (block: number, hash = "b") => ({
  ...{ source: "s", partition: 0, offset: offset++, n: 0, event_time: (START + block) * 1e6, chain_id: 1 },
  ...{ block_number: block, block_hash: `0x${hash.repeat(64)}`, block_timestamp: START + block, transaction_index: 0 },
  ...{ tx_hash: `0x${String(block).padStart(64, "0")}`, tx_from: `0x${"5".repeat(40)}`, tx_to: null },
});
const judged = { status: "confirmed", confidence: "high", reason: "because", evidence: [] };
const traded = (pool: string, token_in: string, amount_in: bigint, token_out: string, amount_out: bigint, more = {}) => ({
  ...{ log_index: offset, protocol: "uniswap_v2", pool: new Uint8Array(Buffer.from(pool.slice(2), "hex")), sender: NATIVE, recipient: NATIVE, token_in, amount_in, token_out },
  ...{ amount_out, provenance: "transfers", reserve0: null, reserve1: null, sqrt_price_x96: null, liquidity: null },
  ...{ tick: null, ...more },
}); // biome-ignore format: parts of a row
const imbalance = (state: number, pct: number) => ({
  ...{ opportunity_id: `0x${String(state).padStart(32, "0")}`, kind: "pool_imbalance", log_index: 1, state_block: state },
  ...{ dex: "Uniswap V2", pool: PAIR, token0: USDC, token1: WETH, reserve0: null, reserve1: null, reserve0_raw: 1n },
  ...{ reserve1_raw: 1n, sqrt_price_x96: null, liquidity: null, imbalance_pct: pct, imbalance_pct_raw: 1, other_dex: "" },
  ...{ other_pool: null, profit_token: null, amount_in_raw: null, amount_out_raw: null, profit_raw: null, gas_cost_raw: null },
  ...{ profit_native: null, profit_native_raw: null, profit_usd: null, is_small_opportunity: null, exposure_token: null },
  ...{ exposure_front_raw: null, exposure_loss_raw: null, exposure_profit_raw: null },
}); // biome-ignore format: parts of a row

async function insert<T extends FindingTable>(table: T, rows: readonly FindingRow<T>[]): Promise<void> {
  const block = encodeFindings(table, rows);
  const columns = COLUMNS[table].map(([name]) => name);
  await server.store.insertBlock({ table, columns, format: "Native", bodies: [block.bytes], rows: rows.length });
}

beforeAll(async () => {
  server = await startTestServer();
  const reserves = { reserve0: 3_600_000_000_000n, reserve1: 1_000n * ETHER };
  await insert("swaps", [
    [at(1), traded(PAIR, WETH, ETHER, USDC, 2_990_000_000n, { reserve0: 1n, reserve1: 2n }), judged],
    [at(2), traded(PAIR, USDC, 3_010_000_000n, WETH, ETHER, reserves), judged],
    [at(3), traded(RANGE, WETH, 5n, USDC, 4n, { protocol: "uniswap_v3", sqrt_price_x96: 2n ** 100n, liquidity: 77n, tick: -5 }), judged], // biome-ignore format: a row
    [at(4), traded(VAULT, NATIVE, 7n, USDC, 6n, { protocol: "uniswap_v4" }), judged],
    [at(5), traded(FORK, WETH, 1n, USDC, 1n, { protocol: "balancer_v2" }), judged],
    [at(6), traded(FORK, NATIVE, 1n, `0x${"9".repeat(40)}`, 1n, { protocol: "balancer_v2" }), judged],
    [at(7, "c"), traded(PAIR, WETH, 9n * ETHER, USDC, 1n, { reserve0: 9n, reserve1: 9n }), judged], // replaced
  ]);
  await insert("opportunities", [
    [at(1), imbalance(1, 9), judged],
    [at(2), imbalance(2, 7.5), judged],
    [at(7, "c"), imbalance(7, 50), judged],
  ]);
  const [uniswapV2, unknown] = ["0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f", `0x${"7".repeat(40)}`];
  const pools = createPoolStore(server.control, 1);
  const tokens = { token0: USDC, token1: WETH };
  await pools.add([
    { ...tokens, address: PAIR, factory: uniswapV2, fee: null },
    { ...tokens, address: RANGE, factory: unknown, fee: 500 },
  ]);
  await pools.add([{ ...tokens, address: PAIR, factory: unknown, fee: 1 }]); // what is there stays
  await server.store.command(`INSERT INTO replaced_blocks VALUES (1, 7, unhex('${"c".repeat(64)}'), 1, 1)`);
});
afterAll(() => server?.close());

const list = z.array(poolSchema);

test("pools as their last swaps left them, the latest first; blocks that were replaced have not happened", async () => {
  const pools = await server.read("/api/v1/pools", list);
  expect(pools.map(({ address, swaps }) => [address, swaps])).toEqual([[FORK, 2], [VAULT, 1], [RANGE, 1], [PAIR, 2]]); // biome-ignore format: a line
  const [fork, vault, range, pair] = pools;
  expect(pair).toMatchObject({
    ...{
      chain_id: 1,
      pool_name: "USDC-WETH",
      protocol: "uniswap_v2",
      tokens: [USDC, WETH],
      token0: USDC,
      token1: WETH,
    },
    ...{ last_swap_at: "2024-05-05T20:00:02.000000Z", last_tx: `0x${"2".padStart(64, "0")}`, block_number: 2 },
    ...{ reserve0: 3_600_000, reserve0_raw: "3600000000000", reserve1: 1_000, reserve1_raw: String(1_000n * ETHER) },
    ...{ volume0: 6_000, volume0_raw: "6000000000", volume1: 2, volume1_raw: String(2n * ETHER), tick: null },
    imbalance_pct: 7.5,
  });
  expect(pair!.imbalance_pct_raw).toBeCloseTo((Math.sqrt(1e21 / 3.6e12) - 1) * 100, 3);
  expect(range).toMatchObject({ sqrt_price_x96: String(2n ** 100n), liquidity_raw: "77", tick: -5, reserve0_raw: null, imbalance_pct: null, imbalance_pct_raw: null }); // biome-ignore format: a line
  expect([pair, range, vault].map((pool) => [pool!.factory, pool!.dex, pool!.fee])).toEqual([
    ["0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f", "Uniswap V2", 3_000], // its factory's fee
    [`0x${"7".repeat(40)}`, null, 500], // its own
    [null, null, null], // nobody asked it
  ]);
  // V4 has the chain's coin first; of more than two tokens none is the first.
  expect(vault).toMatchObject({ tokens: [NATIVE, USDC], token0: NATIVE, volume0_raw: "7", volume1_raw: "6" });
  expect(fork).toMatchObject({ token0: null, volume0_raw: null });
  expect(fork!.tokens).toHaveLength(4);
});

test("some of them, page by page, within a time, and one", async () => {
  const addresses = async (path: string) => (await server.read(path, list)).map(({ address }) => address);
  expect(await addresses("/api/v1/pools?protocol=uniswap_v3&chain_id=1")).toEqual([RANGE]);
  expect(await addresses(`/api/v1/pools?token=${WETH}`)).toEqual([FORK, RANGE, PAIR]);
  expect(await addresses("/api/v1/pools?chain_id=2")).toEqual([]);
  const [early] = await server.read("/api/v1/pools?until=2024-05-05T20:00:02Z", list);
  expect(early).toMatchObject({
    address: PAIR,
    swaps: 1,
    reserve0_raw: "1",
    volume1_raw: String(ETHER),
    imbalance_pct: 9,
  });
  const walked: unknown[] = [];
  for (let next: string | undefined = "/api/v1/pools?limit=1"; next; ) {
    const { headers, body } = await server.get(next);
    expect(headers.get("x-total-count")).toBe("4");
    walked.push(...(body() as { address: string }[]).map(({ address }) => address));
    next = /<([^>]+)>; rel="next"/.exec(headers.get("link") ?? "")?.[1];
  }
  expect(walked).toEqual([FORK, VAULT, RANGE, PAIR]);
  expect(await addresses(`/api/v1/pools/${PAIR.toUpperCase().replace("X", "x")}`)).toEqual([PAIR]);
  expect(await addresses(`/api/v1/pools/${VAULT}?chain_id=1`)).toEqual([VAULT]);
  await server.problem(`/api/v1/pools/${USDC}`, 404);
  for (const wrong of ["/0x12", "?token=0x12", "?cursor=bm8", "?protocol="])
    await server.problem(`/api/v1/pools${wrong}`, 400);
});

test("pool_states: what each block left of a pool, with its price in both directions", async () => {
  const price = { protocol: "uniswap_v4", sqrt_price_x96: 2n ** 97n, liquidity: 5n, tick: 13_863 };
  await insert("swaps", [
    [at(9), traded(PAIR, WETH, 1n, USDC, 1n, { reserve0: 8n, reserve1: 2n }), judged],
    [at(9), traded(PAIR, USDC, 1n, WETH, 1n, { reserve0: 4n, reserve1: 16n }), judged],
    [at(9), traded(VAULT, USDC, 1n, NATIVE, 1n, price), judged],
  ]);
  const rows = await server.store.rows(
    `SELECT block_number, concat('0x', lower(hex(pool))) AS pool, concat('0x', lower(hex(token0))) AS token0, swaps, toString(reserve1) AS reserve1, tick, price0, price1
     FROM pool_states WHERE chain_id = 1 ORDER BY block_number, pool`,
  );
  expect(rows).toEqual([
    { block_number: "1", pool: PAIR, token0: USDC, swaps: "1", reserve1: "2", tick: null, price0: 2, price1: 0.5 },
    { block_number: "2", pool: PAIR, token0: USDC, swaps: "1", reserve1: String(1_000n * ETHER), tick: null, price0: expect.closeTo(1e21 / 3.6e12, 0), price1: expect.closeTo(3.6e-9, 15) },
    { block_number: "3", pool: RANGE, token0: USDC, swaps: "1", reserve1: null, tick: -5, price0: 256, price1: 1 / 256 },
    { block_number: "9", pool: PAIR, token0: USDC, swaps: "2", reserve1: "16", tick: null, price0: 4, price1: 0.25 },
    { block_number: "9", pool: VAULT, token0: NATIVE, swaps: "1", reserve1: null, tick: 13_863, price0: 4, price1: 0.25 },
  ]); // biome-ignore format: a row a line
  const plan = await server.store.rows<{ explain: string }>(
    `EXPLAIN indexes = 1 SELECT * FROM pool_states WHERE chain_id = 1 AND block_number = 2 AND pool = unhex('${PAIR.slice(2)}')`,
  );
  const text = plan.map(({ explain }) => explain).join("\n");
  expect(text).toMatch(/block_number in \[2, 2\]/);
  expect(text).toMatch(/pool_index/);
});
