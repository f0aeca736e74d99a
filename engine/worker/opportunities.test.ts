/** A router's swap that waits, with what its record says of the pools: from the record to rows and topic. */
import { createRequire } from "node:module";
import { type Abi, encodeFunctionData, type Hex } from "viem";
import { describe, expect, test } from "vitest";
import { bestCycle } from "../chain/opportunity/backrun.ts";
import { afterSwap, amountOut, type Pair, sideOf } from "../chain/opportunity/constantProduct.ts";
import type { MarketMember } from "../chain/opportunity/market.ts";
import { builtInRegistry, type V2Factory } from "../chain/registry/registry.ts";
import { CONTENT } from "../frame/content.ts";
import { packBatch } from "../source/batch.ts";
import { createWorld } from "../world/world.ts";
import type { Outcome } from "./outcome.ts";
import { createProcessor } from "./process.ts";
import { unpackRecords } from "./topicRecords.ts";

const { abi } = createRequire(import.meta.url)("@uniswap/v2-periphery/build/UniswapV2Router02.json") as { abi: Abi };
const chain = builtInRegistry.chains.get(1)!;
const [uniswap, sushi] = [...chain.v2Factories.values()] as unknown as [V2Factory, V2Factory];
const WETH = chain.wrapped!;
const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
const TOK = `0x${"7".repeat(40)}`; // lower than WETH
const ETHER = 10n ** 18n;
const TRADER = `0x${"9".repeat(40)}` as Hex;
const hex = (value: bigint | number): Hex => `0x${value.toString(16)}`;

const pool = (address: string, token0: string, token1: string, reserve0: bigint, reserve1: bigint): Pair => ({
  ...{ address: `0x${address.repeat(40)}`, token0, token1, reserve0, reserve1, keep: 9_970n },
});
const here = pool("1", TOK, WETH, 300_000n * ETHER, 300n * ETHER);
const there = pool("2", TOK, WETH, 80_000n * ETHER, 80n * ETHER);
const priced = pool("3", USDC, WETH, 30_000_000n * 10n ** 6n, 10_000n * ETHER);
const member = ({ keep, reserve0, reserve1, ...pair }: Pair, factory = uniswap.address) => ({
  ...{ ...pair, factory, reserve0: hex(reserve0), reserve1: hex(reserve1) },
});
const market: MarketMember = {
  blockNumber: "0x64",
  pools: [member(here), member(there, sushi.address), member(priced), member(pool("4", TOK, WETH, 1n, 1n), TRADER)],
  decimals: { [TOK]: 9 },
};

const PAID = 30n * ETHER;
const bought = amountOut(sideOf(here, WETH)!, PAID);
const buy = (least: bigint): Hex =>
  encodeFunctionData({ abi, functionName: "swapExactETHForTokens", args: [least, [WETH, TOK], TRADER, 9n] });

function pending(least: bigint, more: Record<string, unknown> = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      ...{ chainId: 1, hash: `0x${"5".repeat(64)}`, from: TRADER, to: uniswap.routers[0], nonce: "0x0", value: hex(PAID) },
      ...{ gas: "0x30d40", gasPrice: hex(20n * 10n ** 9n), type: "0x0", input: buy(least), v: "0x25", r: "0x1", s: "0x2" },
      ...{ blockNumber: null, blockHash: null, transactionIndex: null, seenAt: 1_700_000_000_123, market, ...more },
    }),
  ); // biome-ignore format: parts of a record
}

const process = createProcessor([], createWorld({ chains: [1] }));
const run = (...values: Buffer[]): Outcome =>
  process(packBatch("s", 0, 7, 7 + values.length, values.map((value, i) => ({ offset: 7 + i, time: 0, content: CONTENT.json, value })))); // biome-ignore format: one call
const published = ({ records }: Outcome): Record<string, unknown>[] =>
  [...unpackRecords(records)]
    .filter(({ topic }) => topic !== "risk-metrics")
    .map(({ topic, key, value }) => {
      expect([topic, key]).toEqual(["arbitrage-opportunities", `1:0x${"5".repeat(64)}`]);
      return JSON.parse(value.toString()) as Record<string, unknown>;
    });

describe("a swap that waits", () => {
  test("with what is left to earn behind it, after gas, and what its limit leaves a sandwich", () => {
    const outcome = run(pending((bought * 95n) / 100n));
    const [found, ...rest] = published(outcome);
    expect(rest).toEqual([]);
    const after = afterSwap(here, WETH, PAID, bought);
    const cycle = bestCycle(there, after, WETH)!;
    const gas = 200_000n * 20n * 10n ** 9n;
    const net = cycle.profit - gas;
    expect(net).toBeGreaterThan(ETHER / 10n);
    expect(found).toMatchObject({
      ...{ id: expect.stringMatching(/^[0-9a-f]{32}$/), kind: "pending_backrun", chain_id: 1, block_number: null },
      ...{ state_block: 100, dex: "Uniswap V2", pool: here.address, token0: TOK, token1: WETH, log_index: null },
      ...{ reserve0: Number(after.reserve0) / 1e9, reserve1: 330, reserve0_raw: String(after.reserve0) },
      ...{ other_dex: "SushiSwap", other_pool: there.address, profit_token: WETH, profit_raw: String(cycle.profit) },
      ...{ amount_in_raw: String(cycle.amountIn), amount_out_raw: String(cycle.amountOut), gas_cost_raw: String(gas) },
      ...{ profit_native_raw: String(net), profit_native: Number(net) / 1e18, is_small_opportunity: false },
      ...{ exposure_token: WETH, status: "pending", confidence: "high", detected_at: "2023-11-14T22:13:20.123Z" },
    });
    expect(found!.profit_usd).toBeCloseTo((Number(net) / 1e18) * 3_000, 3);
    // The pool's price for a token against the other's, 0.001 ether.
    expect(found!.imbalance_pct).toBeCloseTo((Math.sqrt(330e18 / (Number(after.reserve0) / 1_000)) - 1) * 100, 6);
    expect(BigInt(found!.exposure_loss_raw as string)).toBeLessThanOrEqual((bought * 5n) / 100n + 1n);
    expect(BigInt(found!.exposure_profit_raw as string)).toBeGreaterThan(0n);
    expect(outcome.findings).toEqual([{ chainId: 1, kind: "pending_backrun", findings: 1, transactions: 1 }]);
    expect(outcome.tables.opportunities?.[0]?.rows).toBe(1);
    expect(run(pending((bought * 95n) / 100n))).toEqual(outcome);
  });

  test("with nothing to earn after gas is none, but for one that a sandwich could take something from", () => {
    const alone = { market: { ...market, pools: [member(here), member(priced)] } };
    expect(published(run(pending(bought, alone)))).toEqual([]);
    const [exposed] = published(run(pending(1n, alone)));
    expect(exposed).toMatchObject({ other_pool: null, profit_raw: null, profit_usd: null, imbalance_pct: null });
    expect(BigInt(exposed!.exposure_loss_raw as string)).toBeGreaterThan(0n);
    const dear = { gasPrice: hex(10n ** 16n) };
    expect(published(run(pending(bought, dear)))).toEqual([]);
  });

  test("that will revert, that another contract is asked for, or of which nothing is known, leaves nothing", () => {
    expect(published(run(pending(bought + 1n)))).toEqual([]);
    expect(published(run(pending(1n, { to: TRADER })))).toEqual([]);
    expect(published(run(pending(1n, { market: undefined })))).toEqual([]);
    const mined = { blockNumber: "0x65", blockHash: `0x${"6".repeat(64)}`, transactionIndex: "0x0" };
    expect(published(run(pending(1n, mined)))).toEqual([]);
  });

  const [first] = market.pools;
  test.each([
    ["no object", []],
    ["no block", { ...market, blockNumber: 100 }],
    ["no list", { ...market, pools: {} }],
    ["too many pools", { ...market, pools: Array(129).fill(first) }],
    ["no pool", { ...market, pools: [null] }],
    ["an address of another case", { ...market, pools: [{ ...first, address: "0xA" }] }],
    ["reserves that no pool can have", { ...market, pools: [{ ...first, reserve0: `0x1${"0".repeat(28)}` }] }],
  ])("whose market is %s is a transaction like others", (_, wrong) => {
    const { transactions, deadLetters, records } = run(pending(1n, { market: wrong }));
    expect([transactions, deadLetters, records.count]).toEqual([1, 0, 0]);
  });
});
