import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bestCycle } from "./backrun.ts";
import { type ConcentratedPool, rangeSide, swapThrough } from "./concentratedPool.ts";
import { amountOut, type Pair } from "./constantProduct.ts";
import { exposureIn } from "./exposure.ts";
import { tradeOf } from "./pool.ts";
import { MAX_SQRT_PRICE, MAX_TICK, MIN_SQRT_PRICE, sqrtPriceAt, tickAt } from "./tickMath.ts";

const ETHER = 10n ** 18n;
const [A, B] = ["0xaa", "0xbb"];

/** A position from one tick to another adds its liquidity to what is everywhere. */
type Position = readonly [lower: number, upper: number, liquidity: bigint];
function poolOf(tick: number, positions: readonly Position[], more: Partial<ConcentratedPool> = {}): ConcentratedPool {
  const net = new Map<number, bigint>();
  for (const [lower, upper, amount] of positions) {
    net.set(lower, (net.get(lower) ?? 0n) + amount);
    net.set(upper, (net.get(upper) ?? 0n) - amount);
  }
  const inside = positions.filter(([lower, upper]) => lower <= tick && tick < upper);
  return {
    ...{
      address: "0x3",
      token0: A!,
      token1: B!,
      fee: 500,
      tickSpacing: 10,
      tick,
      sqrtPriceX96: sqrtPriceAt(tick) + 1n,
    },
    ...{ from: -20_480, to: 20_470, liquidity: inside.reduce((sum, [, , amount]) => sum + amount, 1_000n * ETHER) },
    ...{ ticks: [...net].filter(([, value]) => value !== 0n).sort(([a], [b]) => a - b), ...more },
  };
}
const place = fc.integer({ min: -1_500, max: 1_500 }).map((n) => n * 10);
const position: fc.Arbitrary<Position> = fc
  .tuple(place, fc.integer({ min: 1, max: 400 }), fc.bigInt(1n, 10n ** 22n))
  .map(([lower, width, amount]) => [lower, lower + width * 10, amount]);
const pools = fc
  .tuple(fc.integer({ min: -9_000, max: 9_000 }), fc.array(position, { maxLength: 12 }))
  .map(([tick, positions]) => poolOf(tick, positions));

describe("ticks and prices", () => {
  test("are those of the contract at the ends", () => {
    expect(sqrtPriceAt(-MAX_TICK)).toBe(MIN_SQRT_PRICE);
    expect(sqrtPriceAt(MAX_TICK)).toBe(MAX_SQRT_PRICE);
    expect(sqrtPriceAt(0)).toBe(2n ** 96n);
  });

  test("a price lies from its tick to the next", () => {
    fc.assert(
      fc.property(fc.bigInt(MIN_SQRT_PRICE, MAX_SQRT_PRICE - 1n), fc.integer({ min: 1, max: 128 }), (price, shift) => {
        const lower = price >> BigInt(shift);
        for (const each of [price, lower < MIN_SQRT_PRICE ? MIN_SQRT_PRICE : lower]) {
          const tick = tickAt(each);
          expect(sqrtPriceAt(tick) <= each && each < sqrtPriceAt(tick + 1)).toBe(true);
        }
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: -MAX_TICK, max: MAX_TICK - 1 }), (tick) => {
        expect(tickAt(sqrtPriceAt(tick))).toBe(tick);
        expect(tickAt(sqrtPriceAt(tick + 1) - 1n)).toBe(tick);
      }),
    );
  });
});

describe("a swap", () => {
  test("is what constant product gives within a range, and pays less than that would beyond it", () => {
    const pool = poolOf(505, [[400, 600, 10n ** 22n]]);
    const side = rangeSide(pool, A!)!;
    const within = swapThrough(pool, A!, "in", side.most / 2n)!;
    const out = amountOut(side, side.most / 2n);
    expect(within.amountOut - out >= -2n && within.amountOut - out <= 2n).toBe(true);
    expect(within.after.liquidity).toBe(pool.liquidity);
    const beyond = swapThrough(pool, A!, "in", side.most * 3n)!;
    expect(beyond.after.liquidity).toBe(1_000n * ETHER);
    expect(beyond.amountOut).toBeLessThan(amountOut(side, side.most * 3n));
  });

  test("there and back costs the fees, whichever ticks lie between; what an output needs buys it", () => {
    fc.assert(
      fc.property(pools, fc.boolean(), fc.bigInt(10n ** 6n, 400n * ETHER), (pool, zeroForOne, amount) => {
        const [tokenIn, tokenOut] = zeroForOne ? [A!, B!] : [B!, A!];
        const one = swapThrough(pool, tokenIn, "in", amount)!;
        const back = one.amountOut > 0n ? swapThrough(one.after, tokenOut, "in", one.amountOut) : undefined;
        if (back) expect(back.amountOut).toBeLessThan(amount);
        const same = one.amountOut > 0n ? swapThrough(pool, tokenIn, "out", one.amountOut) : undefined;
        if (same) expect(same.amountIn).toBeLessThanOrEqual(amount);
      }),
    );
  });

  test("leaves what is known: nothing is said", () => {
    const pool = poolOf(5, [], { from: -100, to: 100 });
    const most = rangeSide(pool, A!)!.most;
    expect(rangeSide(pool, "0xcc")).toBeUndefined();
    expect(swapThrough(pool, A!, "in", most)).toBeDefined();
    expect(swapThrough(pool, A!, "in", 100n * most)).toBeUndefined();
    expect(swapThrough(pool, "0xcc", "in", 1n)).toBeUndefined();
    expect(swapThrough({ ...pool, ticks: [[0, 10n ** 30n]] }, A!, "in", most)).toBeUndefined(); // no pool has less than none
  });
});

describe("between pools of any kind", () => {
  const pair = (ratio: number): Pair => {
    const reserve0 = 800n * ETHER;
    return { address: "0x2", token0: A!, token1: B!, reserve0, reserve1: (reserve0 * BigInt(Math.round(ratio * 1e6))) / 1_000_000n, keep: 9_970n }; // biome-ignore format: a pair
  };

  test("no other input earns more than the walk over ranges finds", () => {
    let ranges = 0;
    fc.assert(
      fc.property(
        pools,
        pools,
        fc.double({ min: 0.5, max: 2, noNaN: true }),
        fc.boolean(),
        (one, two, ratio, usesPair) => {
          const second = usesPair ? pair(ratio) : { ...two, address: "0x4", fee: 3_000 };
          const best = bestCycle(one, second, A!) ?? bestCycle(second, one, A!);
          const profit = (input: bigint): bigint => {
            const bought = best && tradeOf(best.buy, A!, "in", input);
            const sold = bought && tradeOf(best.sell, B!, "in", bought.amountOut);
            return sold ? sold.amountOut - input : -(10n ** 30n);
          };
          if (best === undefined) return;
          if (best.amountIn > (rangeSide(one, best.buy === one ? A! : B!)?.most ?? 0n)) ranges++;
          expect(profit(best.amountIn)).toBe(best.profit);
          for (const share of [1n, 100n, 10_000n])
            for (const other of [
              best.amountIn + best.amountIn / share / 7n,
              best.amountIn - best.amountIn / share / 7n,
            ])
              expect(profit(other) - best.profit).toBeLessThanOrEqual(best.profit / 50_000n + 10n ** 6n);
        },
      ),
      { numRuns: 150 },
    );
    expect(ranges).toBeGreaterThan(10);
  });

  test("the front-run of a sandwich leaves the victim its least, and a unit more does not", () => {
    fc.assert(
      fc.property(pools, fc.bigInt(ETHER, 50n * ETHER), fc.integer({ min: 900, max: 999 }), (pool, paid, share) => {
        const undisturbed = swapThrough(pool, A!, "in", paid)!.amountOut;
        const least = (undisturbed * BigInt(share)) / 1_000n;
        const exposure = exposureIn(pool, A!, paid, least);
        if (exposure === undefined) return;
        const left = (front: bigint) =>
          swapThrough(swapThrough(pool, A!, "in", front)!.after, A!, "in", paid)!.amountOut;
        expect(left(exposure.front)).toBe(undisturbed - exposure.loss);
        expect(left(exposure.front)).toBeGreaterThanOrEqual(least);
        expect(left(exposure.front + 1n)).toBeLessThan(least);
      }),
      { numRuns: 30 },
    );
    const pool = poolOf(5, [], { from: -100, to: 100 });
    expect(exposureIn(pool, A!, ETHER, 1n)).toBeUndefined(); // how far it could go is not known
    expect(exposureIn(pool, A!, ETHER, 2n * ETHER)).toEqual({ front: 0n, loss: 0n, profit: 0n });
  });
});
