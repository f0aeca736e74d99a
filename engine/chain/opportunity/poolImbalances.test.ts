import fc from "fast-check";
import { expect, test } from "vitest";
import { builtInRegistry } from "../registry/registry.ts";
import type { Swap } from "../swap.ts";
import { transactionOf } from "../testing/fixtures.ts";
import { named, WETH } from "../testing/logs.ts";
import { viewsOf } from "../testing/views.ts";
import { bestCycle } from "./backrun.ts";
import { afterSwap, amountOut, type Pair, sideOf } from "./constantProduct.ts";
import { findPoolImbalances } from "./poolImbalances.ts";

const chain = builtInRegistry.chains.get(1)!;
const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
const TOK = named("tok");
const ETHER = 10n ** 18n;
const GAS_PRICE = 10n ** 10n;

const [view] = viewsOf(
  [0, 1, 2].map((i) =>
    transactionOf([], {
      ...{ transactionIndex: `0x${i}`, hash: `0x${String(i).repeat(64)}`, blockHash: `0x${"b".repeat(64)}` },
      receipt: { status: "0x1", effectiveGasPrice: `0x${GAS_PRICE.toString(16)}`, logs: [] },
    }),
  ),
);

const pool = (name: string, other: string, ether: bigint, amount: bigint, keep = 9_970n): Pair => {
  const [token0, token1] = WETH < other ? [WETH, other] : [other, WETH];
  const [reserve0, reserve1] = WETH < other ? [ether, amount] : [amount, ether];
  return { address: named(name), token0, token1, reserve0, reserve1, keep };
};

let log = 0;
/** What a pool that is then as given was sold for, by its own formula. */
function sold(before: Pair, ether: bigint, more: Partial<Swap> = {}): [Swap, Pair] {
  const other = before.token0 === WETH ? before.token1 : before.token0;
  const out = amountOut(sideOf(before, WETH)!, ether);
  const after = afterSwap(before, WETH, ether, out);
  const logIndex = log++;
  const swap: Swap = {
    ...{ transaction: 1, logIndex, protocol: "uniswap_v2", pool: before.address, from: named("a"), to: named("a") },
    ...{ tokenIn: WETH, amountIn: ether, tokenOut: other, amountOut: out, provenance: "log", confidence: "high" },
    ...{ reason: "", evidence: [logIndex], after: { reserve0: after.reserve0, reserve1: after.reserve1 }, ...more },
  };
  return [swap, after];
}

const [coin] = sold(pool("coin", USDC, 1_000n * ETHER, 3_000_000n * 10n ** 6n), ETHER);
const one = pool("one", TOK, 100n * ETHER, 100_000n * ETHER);
const other = pool("other", TOK, 80n * ETHER, 64_000n * ETHER, 9_975n);

test("two pools whose prices differ are out of balance by each other's, and what can be earned is the closed form's", () => {
  const [first, before] = sold(one, ETHER);
  const [second, after] = sold(before, ETHER, { transaction: 2 });
  const [third, beside] = sold(other, ETHER);
  const found = findPoolImbalances(view!, [coin, first, second, third], chain);
  expect(found.map(({ pool }) => pool)).toEqual([beside, after]); // the fee is read off the swaps; transaction 1, then 2
  const [, imbalance] = found;
  expect(imbalance).toMatchObject({ kind: "pool_imbalance", transaction: 2, logIndex: second.logIndex, stateBlock: 1 });
  const value = (pair: Pair): number => {
    const { reserveIn, reserveOut } = sideOf(pair, WETH)!;
    return Number(reserveIn) / Number(reserveOut);
  };
  const gap = value(beside) / value(after);
  expect(imbalance!.imbalance.pct).toBeCloseTo((Math.sqrt(gap) - 1) * 100, 6);
  expect(imbalance!.imbalance.rawPct).toBeGreaterThan(3_000); // as if a token were worth an ether
  const { trade } = imbalance!;
  expect(trade!.cycle).toEqual(bestCycle(after, beside, WETH) ?? bestCycle(beside, after, WETH));
  expect(trade!.cycle.profit).toBeGreaterThan(ETHER / 10n);
  expect([trade!.gasCost, trade!.net]).toEqual([200_000n * GAS_PRICE, trade!.cycle.profit - 200_000n * GAS_PRICE]);
  expect(trade!.netUsd).toBeCloseTo((Number(trade!.net) / 1e18) * (3_003_000 / 1_003), -1);
});

test("a pool that is alone with its token, of another curve, or in balance with the others, is not flagged", () => {
  const [alone] = sold(one, 30n * ETHER);
  expect(findPoolImbalances(view!, [coin, alone], chain)).toEqual([]);
  const [first] = sold(one, ETHER);
  const [third] = sold(other, ETHER);
  const bent = { ...third, amountOut: third.amountOut + 1n }; // more than x · y gives
  expect(findPoolImbalances(view!, [coin, first, bent], chain).map(({ trade }) => trade)).toEqual([null]);
  const [even] = sold(pool("even", TOK, 80n * ETHER, 80_000n * ETHER), ETHER);
  expect(findPoolImbalances(view!, [coin, first, even], chain)).toEqual([]);
  expect(findPoolImbalances({ ...view!, blockNumber: undefined }, [coin, first, third], chain)).toEqual([]);
});

test("whatever logs say, it ends soon, and amounts fit their columns", () => {
  const amount = fc.oneof(fc.bigInt(0n, 2n ** 256n - 1n), fc.bigInt(0n, 2n ** 112n), fc.constantFrom(0n, 1n));
  const strange = fc.record({
    ...{ pool: fc.constantFrom("p", "q", "r"), tokenIn: fc.constantFrom(WETH, TOK, USDC), tokenOut: fc.constantFrom(WETH, TOK, USDC) },
    ...{ amountIn: amount, amountOut: amount, reserve0: amount, reserve1: amount },
  }); // biome-ignore format: parts of a swap
  fc.assert(
    fc.property(fc.array(strange, { maxLength: 12 }), (drawn) => {
      const swaps = drawn.map(({ reserve0, reserve1, ...given }) => ({
        ...coin,
        ...given,
        after: { reserve0, reserve1 },
      }));
      for (const { pool: pair, trade, imbalance } of findPoolImbalances(view!, [coin, ...swaps], chain)) {
        expect(pair.reserve0 < 2n ** 112n && pair.reserve1 < 2n ** 112n).toBe(true);
        expect(Number.isFinite(imbalance.pct) && Number.isFinite(imbalance.rawPct)).toBe(true);
        if (trade) expect(trade.cycle.profit).toBeGreaterThan(0n);
      }
    }),
  );
  const flood = Array.from({ length: 20_000 }, (_, i) => sold(pool(`p${i}`, TOK, ETHER, BigInt(i + 1) * ETHER), 9n)[0]);
  expect(findPoolImbalances(view!, flood, chain)).toEqual([]);
});
