import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { builtInRegistry } from "../registry/registry.ts";
import { bestCycle, bestInput } from "./backrun.ts";
import {
  afterSwap,
  amountIn,
  amountOut,
  type Pair,
  type Side,
  sideOf,
  squareRoot,
  UNISWAP_KEEP,
} from "./constantProduct.ts";
import { largestFront, sandwichExposure } from "./exposure.ts";
import { imbalanceOf, isSmallOpportunity } from "./imbalance.ts";
import { bestTrade } from "./opportunity.ts";
import { type Market, predictSwaps } from "./predictSwap.ts";
import type { RouterSwap } from "./routerSwap.ts";

const ETHER = 10n ** 18n;
const [WETH, USD, OAK] = ["0xaa", "0xbb", "0xcc"];
const pair = (address: string, token0: string, token1: string, reserve0: bigint, reserve1: bigint): Pair => ({
  ...{ address, token0, token1, reserve0, reserve1, keep: UNISWAP_KEEP },
});

const reserve = fc.bigInt(10n ** 6n, 10n ** 27n);
const keep = fc.bigInt(9_900n, 10_000n);
const side: fc.Arbitrary<Side> = fc.record({ reserveIn: reserve, reserveOut: reserve, keep });

describe("the pair's integers", () => {
  test("are those of UniswapV2Library", () => {
    const library = (amount: bigint, reserveIn: bigint, reserveOut: bigint): bigint =>
      (amount * 997n * reserveOut) / (reserveIn * 1000n + amount * 997n);
    fc.assert(
      fc.property(reserve, reserve, fc.bigInt(1n, 10n ** 27n), (reserveIn, reserveOut, amount) => {
        const pool = { reserveIn, reserveOut, keep: UNISWAP_KEEP };
        expect(amountOut(pool, amount)).toBe(library(amount, reserveIn, reserveOut));
      }),
    );
    // getAmountIn of the same library: 1 ether out of 100 : 100
    const pool = { reserveIn: 100n * ETHER, reserveOut: 100n * ETHER, keep: UNISWAP_KEEP };
    expect(amountIn(pool, ETHER)).toBe((100n * ETHER * ETHER * 1000n) / (99n * ETHER * 997n) + 1n);
  });

  test("an input found for an output buys it, and one unit less does not, but for rounding that the library has too", () => {
    fc.assert(
      fc.property(side, fc.bigInt(1n, 10n ** 27n), (pool, out) => {
        const paid = amountIn(pool, out);
        if (paid === undefined) return out >= pool.reserveOut;
        expect(amountOut(pool, paid)).toBeGreaterThanOrEqual(out);
        expect(amountOut(pool, paid - 2n)).toBeLessThan(out);
        return true;
      }),
    );
  });

  test("an empty pool sells nothing", () => {
    expect(amountOut({ reserveIn: 0n, reserveOut: 5n, keep: 9_970n }, 1n)).toBe(0n);
    expect(amountIn({ reserveIn: 5n, reserveOut: 5n, keep: 9_970n }, 5n)).toBeUndefined();
  });

  test("square roots are exact", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 400n), (value) => {
        const root = squareRoot(value);
        expect(root * root <= value && (root + 1n) * (root + 1n) > value).toBe(true);
      }),
    );
  });
});

describe("a backrun", () => {
  test("no other input earns more than the closed form's, but for one unit of what is bought in between", () => {
    fc.assert(
      fc.property(side, side, (first, second) => {
        const profit = (x: bigint): bigint => amountOut(second, amountOut(first, x)) - x;
        const best = bestInput(first, second);
        let [low, high] = [0n, 10n ** 28n];
        while (high - low > 3n) {
          const third = (high - low) / 3n;
          if (profit(low + third) < profit(high - third)) low += third;
          else high -= third;
        }
        const unit = first.reserveIn / first.reserveOut + second.reserveOut / second.reserveIn + 2n;
        expect(profit(low) - (best > 0n ? profit(best) : 0n)).toBeLessThanOrEqual(2n * unit);
      }),
      { numRuns: 300 },
    );
  });

  test("pools of one price leave nothing to earn", () => {
    const one = pair("0x1", WETH, USD, 100n * ETHER, 300_000n * ETHER);
    const other = pair("0x2", WETH, USD, 10n * ETHER, 30_000n * ETHER);
    expect(bestCycle(one, other, WETH)).toBeUndefined();
    expect(bestCycle(other, one, WETH)).toBeUndefined();
  });

  const market = (pairs: readonly Pair[]): Market => {
    const poolsOf = (a: string, b: string) =>
      pairs.filter(({ token0, token1 }) => [a, b].includes(token0) && [a, b].includes(token1));
    return { poolsOf, poolOf: (_router, a, b) => poolsOf(a, b)[0] };
  };
  const predict = (pairs: readonly Pair[], ...swaps: RouterSwap[]) => predictSwaps(market(pairs), "0xrouter", swaps);
  const sell: RouterSwap = { path: [WETH, USD], exact: "in", amount: 5n * ETHER, limit: 1n, mayBeTaxed: false };
  const pairs = [
    pair("0x1", WETH, USD, 100n * ETHER, 300_000n * ETHER),
    pair("0x2", WETH, USD, 50n * ETHER, 150_000n * ETHER),
  ];
  const chain = { ...builtInRegistry.chains.get(1)!, wrapped: WETH };
  const valuation = { chain, prices: () => 3_000e-18, gasPrice: 10n ** 9n };

  test("behind a swap that pushed one pool away from the other, gas is counted where it can be", () => {
    const { reverts, after } = predict(pairs, sell)!;
    expect(reverts).toBe(false);
    const others = [{ pool: pairs[1]!, dex: "Other" }];
    const best = bestTrade(after.get("0x1")!, others, valuation)!;
    // Ether has become cheap in the first pool: dollars buy it there, so ether is sold in the second.
    const { buy, sell: to, token, amountIn: paid, between, profit } = best.cycle;
    expect([buy.address, to.address, token]).toEqual(["0x2", "0x1", WETH]);
    expect(best.net).toBe(profit - 200_000n * 10n ** 9n);
    expect(profit).toBe(amountOut(sideOf(to as Pair, USD)!, between) - paid);
    const unpriced = { ...valuation, chain: { ...chain, wrapped: OAK }, prices: () => undefined };
    expect(bestTrade(after.get("0x1")!, others, unpriced)!.net).toBeNull();
  });

  test("a swap that gets less than its least will revert", () => {
    expect(predict(pairs, { ...sell, limit: 20_000n * ETHER })!.reverts).toBe(true);
  });

  test("an exact output is predicted from its end; a path through an unknown pair, or one pair twice, is not predicted", () => {
    const all = [...pairs, pair("0x3", USD, OAK, 300_000n * ETHER, 9_000n * ETHER)];
    const path = [WETH, USD, OAK];
    const buy: RouterSwap = { path, exact: "out", amount: 30n * ETHER, limit: ETHER, mayBeTaxed: false };
    const { hops, after, reverts } = predict(all, buy)!;
    expect(hops.map(({ pool }) => pool.address)).toEqual(["0x1", "0x3"]);
    expect(hops[1]!.amountOut).toBe(30n * ETHER);
    expect(hops[0]!.amountOut).toBe(hops[1]!.amountIn);
    expect(after.get("0x3")).toEqual(afterSwap(all[2]!, USD, hops[1]!.amountIn, 30n * ETHER));
    expect(reverts).toBe(hops[0]!.amountIn > ETHER);
    expect(predict(pairs, buy)).toBeUndefined();
    expect(predict(all, { ...sell, path: [WETH, USD, WETH] })).toBeUndefined();
    expect(predict(all, { ...buy, amount: 9_000n * ETHER })).toBeUndefined();
  });

  test("swaps of one call meet what those before them left, and may pay with what the one before bought", () => {
    const all = [...pairs, pair("0x3", USD, OAK, 300_000n * ETHER, 9_000n * ETHER)];
    const [first, second] = predict(all, sell, sell)!.hops;
    expect(second!.pool).toEqual(first!.after);
    expect(second!.amountOut).toBeLessThan(first!.amountOut);
    const onwards: RouterSwap = { ...sell, path: [USD, OAK], amount: null };
    const { hops, after } = predict(all, sell, onwards)!;
    expect(hops[1]!.amountIn).toBe(hops[0]!.amountOut);
    expect([...after.keys()]).toEqual(["0x1", "0x3"]);
    expect(predict(all, onwards)).toBeUndefined();
    expect(predict(all, sell, { ...onwards, path: [WETH, USD] })).toBeUndefined();
  });
});

describe("exposure to a sandwich", () => {
  test("the front-run leaves the victim its least, and one a little larger does not", () => {
    fc.assert(
      fc.property(
        side,
        fc.integer({ min: 1, max: 5_000 }),
        fc.integer({ min: 1, max: 9_999 }),
        (pool, share, slippage) => {
          const victimIn = (pool.reserveIn * BigInt(share)) / 10_000n + 1n;
          const undisturbed = amountOut(pool, victimIn);
          const least = (undisturbed * BigInt(slippage)) / 10_000n;
          fc.pre(least > 1_000_000n && undisturbed - least > 1_000_000n); // else rounding is all there is
          const after = (x: bigint): bigint =>
            amountOut(
              { ...pool, reserveIn: pool.reserveIn + x, reserveOut: pool.reserveOut - amountOut(pool, x) },
              victimIn,
            );
          const front = largestFront(pool, victimIn, least);
          expect(after(front)).toBeGreaterThanOrEqual(least);
          const more = (front + pool.reserveIn) / 10_000n + pool.reserveIn / pool.reserveOut + 2n;
          expect(after(front + more)).toBeLessThan(least);
        },
      ),
    );
  });

  const pool: Side = { reserveIn: 100n * ETHER, reserveOut: 300_000n * ETHER, keep: UNISWAP_KEEP };

  test("a tight limit leaves nothing, a loose one what it allows, none at all what the attacker has", () => {
    const undisturbed = amountOut(pool, 5n * ETHER);
    expect(sandwichExposure(pool, 5n * ETHER, undisturbed, 1_000n * ETHER)).toMatchObject({
      front: 0n,
      loss: 0n,
      profit: 0n,
    });
    expect(sandwichExposure(pool, 5n * ETHER, undisturbed + 1n, 1_000n * ETHER)).toMatchObject({ front: 0n, loss: 0n });
    const loose = sandwichExposure(pool, 5n * ETHER, (undisturbed * 95n) / 100n, 1_000n * ETHER);
    expect(loose.loss).toBeLessThanOrEqual(undisturbed - (undisturbed * 95n) / 100n);
    expect(loose.loss).toBeGreaterThan((undisturbed * 49n) / 1_000n);
    expect(loose.profit).toBeGreaterThan(0n);
    expect(sandwichExposure(pool, 5n * ETHER, 0n, 7n * ETHER).front).toBe(7n * ETHER);
  });

  test("a swap too small for the fees of a sandwich costs the attacker", () => {
    const out = amountOut(pool, ETHER / 1_000n);
    expect(sandwichExposure(pool, ETHER / 1_000n, (out * 99n) / 100n, 1_000n * ETHER).profit).toBeLessThan(0n);
  });
});

describe("imbalance", () => {
  test("counts what tokens are worth; the seed's figure counts tokens", () => {
    // 100 ether at 3,000 against 300,000 dollars is balance, whatever the seed's formula says: √(300,000 / 100) − 1
    expect(imbalanceOf({ amount: 100, price: 3_000 }, { amount: 300_000, price: 1 })).toEqual({
      pct: 0,
      rawPct: expect.closeTo(5377.2, 1),
    });
    expect(imbalanceOf({ amount: 121, price: 1 }, { amount: 100, price: 1 })!.pct).toBeCloseTo(10);
    expect(imbalanceOf({ amount: 100, price: null }, { amount: 100, price: 1 })).toEqual({ pct: null, rawPct: 0 });
    expect(imbalanceOf({ amount: 0, price: 1 }, { amount: 100, price: 1 })).toBeUndefined();
    expect([9_999, 10_000, 100_000, 100_001].map(isSmallOpportunity)).toEqual([false, true, true, false]);
  });
});
