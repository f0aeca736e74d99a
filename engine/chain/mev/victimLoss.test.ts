import { describe, expect, it } from "vitest";
import type { Swap } from "../swap.ts";
import { swap, USDC, WETH } from "./testing/swaps.ts";
import { lossesOf } from "./victimLoss.ts";

const Q96 = 2n ** 96n;

/** Concentrated liquidity without a fee, in one range. USDC is token 0, WETH token 1. */
function createRange(liquidity = 10n ** 24n, sqrtPrice = 2n * Q96) {
  return {
    /** Until the price is `to`: upwards it takes token 1, downwards token 0. */
    move(to: bigint, account: string, more: Partial<Swap> = {}): Swap {
      const inverse = (price: bigint): bigint => (liquidity * Q96) / price;
      const [amount0, amount1] = [inverse(sqrtPrice) - inverse(to), (liquidity * (to - sqrtPrice)) / Q96];
      sqrtPrice = to;
      const after = { sqrtPriceX96: to, liquidity, tick: 0 };
      const trade =
        amount1 > 0n ? `${WETH} ${amount1} -> ${USDC} ${amount0}` : `${USDC} ${-amount0} -> ${WETH} ${-amount1}`;
      return swap(trade, "range", account, { after, ...more });
    },
  };
}

const near = (a: bigint, b: bigint): boolean => (a > b ? a - b : b - a) * 10n ** 9n < b;

describe("lossesOf() where liquidity is concentrated", () => {
  it.each([
    ["down: token 0 in", [190n, 180n]],
    ["up: token 1 in", [210n, 220n]],
  ])("gives back what the frontrun took, price %s", (_, [front, victim]) => {
    const price = (percent: bigint): bigint => (2n * Q96 * percent) / 200n;
    const range = createRange();
    const swaps = [range.move(price(front!), "bot"), range.move(price(victim!), "alice")];
    const losses = lossesOf(swaps, ({ from }) => from === "bot", undefined);

    // The same amount in, from where the frontrun began: Δ√P or Δ(1/√P) is the same.
    const alone = createRange();
    const start = price(200n);
    const end =
      front! < 200n
        ? (Q96 * Q96) / ((Q96 * Q96) / start + (Q96 * Q96) / price(victim!) - (Q96 * Q96) / price(front!))
        : start + price(victim!) - price(front!);
    const lost = alone.move(end, "alice").amountOut - swaps[1]!.amountOut;
    expect([...losses.keys()]).toEqual([swaps[1]]);
    expect(near(losses.get(swaps[1]!)!, lost)).toBe(true);
    expect(lost).toBeGreaterThan(0n);
  });

  it("computes none where the range was left", () => {
    const range = createRange();
    const [front, victim] = [range.move((19n * Q96) / 10n, "bot"), range.move((18n * Q96) / 10n, "alice")];
    const left = { ...victim, after: { sqrtPriceX96: (18n * Q96) / 10n, liquidity: 10n ** 23n, tick: 0 } };
    const isOwn = ({ from }: Swap): boolean => from === "bot";
    expect(lossesOf([front, victim], isOwn, undefined).size).toBe(1);
    expect(lossesOf([front, left], isOwn, undefined).size).toBe(0);
  });
});

describe("lossesOf() where the product is constant", () => {
  it("is exact to the unit with a fee it knows", () => {
    const out = (amount: bigint, rIn: bigint, rOut: bigint): bigint =>
      (amount * 997n * rOut) / (rIn * 1000n + amount * 997n);
    const [usdc, weth] = [10n ** 12n, 5n * 10n ** 20n];
    const [front, amount] = [10n ** 19n, 3n * 10n ** 18n];
    const gotFront = out(front, weth, usdc);
    const got = out(amount, weth + front, usdc - gotFront);
    const reserves = (reserve0: bigint, reserve1: bigint) => ({ after: { reserve0, reserve1 } });
    const swaps = [
      swap(`${WETH} ${front} -> ${USDC} ${gotFront}`, "p", "bot", reserves(usdc - gotFront, weth + front)),
      swap(`${WETH} ${amount} -> ${USDC} ${got}`, "p", "alice", reserves(usdc - gotFront - got, weth + front + amount)),
    ];
    const losses = lossesOf(swaps, ({ from }) => from === "bot", undefined);
    expect(losses.get(swaps[1]!)).toBe(out(amount, weth, usdc) - got);
  });

  it("computes none for a pool that does not keep the product, as of stable coins", () => {
    const swaps = [
      swap(`${WETH} 100000 -> ${USDC} 99999`, "p", "bot", { after: { reserve0: 900_001n, reserve1: 1_100_000n } }),
      swap(`${WETH} 100000 -> ${USDC} 99998`, "p", "alice", { after: { reserve0: 800_003n, reserve1: 1_200_000n } }),
    ];
    expect(lossesOf(swaps, ({ from }) => from === "bot", undefined).size).toBe(0);
  });
});
