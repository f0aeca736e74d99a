import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bestCycle, bestInput, findBackruns } from "./backrun.ts";
import { afterSwap, amountIn, amountOut, type Pair, type Side, squareRoot, UNISWAP_KEEP } from "./constantProduct.ts";
import { largestFront, sandwichExposure } from "./exposure.ts";
import { imbalanceOf, isSmallOpportunity } from "./imbalance.ts";
import { type Market, predictSwap } from "./predictSwap.ts";
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
    const pairsOf = (a: string, b: string) =>
      pairs.filter(({ token0, token1 }) => [a, b].includes(token0) && [a, b].includes(token1));
    return { pairsOf, pairOf: (_router, a, b) => pairsOf(a, b)[0] };
  };
  const sell: RouterSwap = { path: [WETH, USD], exact: "in", amount: 5n * ETHER, limit: 1n, mayBeTaxed: false };
  const pairs = [
    pair("0x1", WETH, USD, 100n * ETHER, 300_000n * ETHER),
    pair("0x2", WETH, USD, 50n * ETHER, 150_000n * ETHER),
  ];

  test("behind a swap that pushed one pool away from the other, gas is counted where it can be", () => {
    const prediction = predictSwap(market(pairs), "0xrouter", sell)!;
    expect(prediction.reverts).toBe(false);
    const [best, ...rest] = findBackruns(market(pairs), prediction, { wrapped: WETH, gasPrice: 10n ** 9n });
    expect(rest).toEqual([]);
    // Ether has become cheap in the first pool: dollars buy it there, so ether is sold in the second.
    expect([best!.buy.address, best!.sell.address, best!.token]).toEqual(["0x2", "0x1", WETH]);
    expect(best!.netProfit).toBe(best!.profit - 200_000n * 10n ** 9n);
    expect(best!.profit).toBe(amountOut({ reserveIn: best!.sell.reserve1, reserveOut: best!.sell.reserve0, keep: 9_970n }, best!.between) - best!.amountIn); // biome-ignore format: one expression
    const inOther = findBackruns(market(pairs), prediction, { wrapped: OAK, gasPrice: 1n });
    expect(inOther[0]!.netProfit).toBeNull();
  });

  test("behind a swap that will revert there is none", () => {
    const prediction = predictSwap(market(pairs), "0xrouter", { ...sell, limit: 20_000n * ETHER })!;
    expect(prediction.reverts).toBe(true);
    expect(findBackruns(market(pairs), prediction, { wrapped: WETH, gasPrice: 0n })).toEqual([]);
  });

  test("an exact output is predicted from its end; a path through an unknown pair, or one pair twice, is not predicted", () => {
    const all = [...pairs, pair("0x3", USD, OAK, 300_000n * ETHER, 9_000n * ETHER)];
    const buy: RouterSwap = {
      path: [WETH, USD, OAK],
      exact: "out",
      amount: 30n * ETHER,
      limit: ETHER,
      mayBeTaxed: false,
    };
    const { hops, after, reverts } = predictSwap(market(all), "0xrouter", buy)!;
    expect(hops.map(({ pair }) => pair.address)).toEqual(["0x1", "0x3"]);
    expect(hops[1]!.amountOut).toBe(30n * ETHER);
    expect(hops[0]!.amountOut).toBe(hops[1]!.amountIn);
    expect(after[1]).toEqual(afterSwap(all[2]!, USD, hops[1]!.amountIn, 30n * ETHER));
    expect(reverts).toBe(hops[0]!.amountIn > ETHER);
    expect(predictSwap(market(pairs), "0xrouter", buy)).toBeUndefined();
    expect(predictSwap(market(all), "0xrouter", { ...sell, path: [WETH, USD, WETH] })).toBeUndefined();
    expect(predictSwap(market(all), "0xrouter", { ...buy, amount: 9_000n * ETHER })).toBeUndefined();
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
