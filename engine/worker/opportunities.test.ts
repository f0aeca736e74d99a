/** A router's swap that waits, with what its record says of the pools: from the record to rows and topic. */
import { describe, expect, test } from "vitest";
import type { ArbitrageFinding } from "../chain/finding.ts";
import { bestCycle } from "../chain/opportunity/backrun.ts";
import { afterSwap } from "../chain/opportunity/constantProduct.ts";
import * as waiting from "../chain/opportunity/testing/waitingSwap.ts";
import { builtInRegistry } from "../chain/registry/registry.ts";
import { CONTENT } from "../frame/content.ts";
import { packBatch } from "../source/batch.ts";
import { createWorld } from "../world/world.ts";
import type { Decoded } from "./decode.ts";
import type { BlockFindings } from "./findings.ts";
import { createOpportunityStage } from "./opportunities.ts";
import type { Outcome } from "./outcome.ts";
import { createProcessor } from "./process.ts";
import { unpackRecords } from "./topicRecords.ts";

const {
  ETHER,
  here,
  market,
  member,
  TOK,
  WETH,
  TRADER,
  PAID,
  bought,
  hex,
  there,
  priced,
  waitingSwap: pending,
} = waiting;
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
    const counted = { chainId: 1, kind: "pending_backrun", findings: 1, transactions: 1 };
    expect(outcome.findings).toEqual([{ ...counted, valued: { known: 1, small: 0 } }]);
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
  const v3Factory = "0x1f98431c8ad98523631ae4a59f267346ea31f984";
  const { reserve0, reserve1, ...identity } = member(there);
  const range = {
    ...{ ...identity, factory: v3Factory, fee: 3000, sqrtPriceX96: `0x${(2n ** 96n / 31n).toString(16)}`, tick: -68_684 },
    ...{ liquidity: hex(4_000n * ETHER), from: -84_480, to: -53_820, ticks: [[-84_060, "0x1"], [-60_000, "-0x1"]] },
  }; // biome-ignore format: parts of a pool

  test("may be made good in a pool of V3's kind", () => {
    const [found] = published(run(pending(bought, { market: { ...market, pools: [first, range] } })));
    expect(found).toMatchObject({ dex: "Uniswap V2", other_dex: "Uniswap V3", other_pool: there.address, profit_token: WETH }); // biome-ignore format: a line
    expect(found).toMatchObject({ gas_cost_raw: String(250_000n * 20n * 10n ** 9n), sqrt_price_x96: null });
    expect(BigInt(found!.profit_raw as string)).toBeGreaterThan(ETHER / 10n);
  });

  test.each([
    ["no object", []],
    ["no block", { ...market, blockNumber: 100 }],
    ["no list", { ...market, pools: {} }],
    ["too many pools", { ...market, pools: Array(129).fill(first) }],
    ["no pool", { ...market, pools: [null] }],
    ["an address of another case", { ...market, pools: [{ ...first, address: "0xA" }] }],
    ["reserves that no pool can have", { ...market, pools: [{ ...first, reserve0: `0x1${"0".repeat(28)}` }] }],
    ["a price that is not its tick's", { ...market, pools: [first, { ...range, tick: -68_680 }] }],
    ["more liquidity than a pool can have", { ...market, pools: [first, { ...range, liquidity: `0x1${"0".repeat(41)}` }] }], // biome-ignore format: a line each
    ["known up to a tick below its own", { ...market, pools: [first, { ...range, to: -69_000 }] }],
    ["ticks in another order", { ...market, pools: [first, { ...range, ticks: [...range.ticks].reverse() }] }],
    ["too many ticks", { ...market, pools: [first, { ...range, ticks: Array(65).fill(range.ticks[0]) }] }],
  ])("whose market is %s is a transaction like others", (_, wrong) => {
    const { transactions, deadLetters, records } = run(pending(1n, { market: wrong }));
    expect([transactions, deadLetters, records.count]).toEqual([1, 0, 0]);
  });
});

test("an arbitrage that paid captures what is open in pools with reserves or a price, each with a contract of its own", () => {
  const block = { chainId: 1, blockNumber: undefined, frames: [0], numbers: [3] };
  const step = (digit: string, after?: object, bytes = 20) => ({ pool: `0x${digit.repeat(2 * bytes)}`, after });
  const range = { sqrtPriceX96: 2n ** 96n, liquidity: 5n, tick: 0 };
  const pair = { reserve0: 1n, reserve1: 2n };
  const arbitrage = (route: object[], profitAmount: bigint) =>
    ({ kind: "arbitrage", definition: "cycle", transaction: 0, logIndex: 4, account: TRADER, profitAmount, route }) as unknown as ArbitrageFinding; // biome-ignore format: one call
  const findings = [
    arbitrage([step("a", pair), step("b", range), step("c"), step("d", range, 32), step("a", pair)], 1n),
    arbitrage([step("e", pair)], 0n),
  ];
  const nothing = { count: 0, frames: [], bytes: new Uint8Array(), words: new Uint32Array() } as unknown as Decoded;
  const found = [{ block, findings }] as unknown as BlockFindings[];
  const { captures } = createOpportunityStage(builtInRegistry)(nothing, [], found);
  expect(captures.map(({ pool, number }) => [pool[2], number])).toEqual([["a", 3], ["b", 3]]); // biome-ignore format: a line
});
