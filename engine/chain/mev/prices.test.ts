import { describe, expect, it } from "vitest";
import { createRegistry } from "../registry/registry.ts";
import { NATIVE, type Swap } from "../swap.ts";
import { FLOOR_USD, pricesOf } from "./prices.ts";
import { swap } from "./testing/swaps.ts";

const [USDC, TOKEN, WETH] = ["11", "77", "ed"].map((byte) => `0x${byte.repeat(20)}`) as [string, string, string];
const registryOf = (more: object = {}) =>
  createRegistry({ chains: [{ id: 99, wrapped: WETH, stableCoins: { [USDC]: 6 }, ...more }] }).chains.get(99);
const chain = registryOf();

const ether = (amount: number): bigint => BigInt(Math.round(amount * 1e6)) * 10n ** 12n;
const usdc = (amount: number): bigint => BigInt(Math.round(amount * 1e6));
/** A swap after which a pool of two tokens holds so much. */
const left = (pool: string, [a, heldA]: [string, bigint], [b, heldB]: [string, bigint]): Swap =>
  swap(`${a} 1 -> ${b} 1`, pool, "0xa", {
    after: a < b ? { reserve0: heldA, reserve1: heldB } : { reserve0: heldB, reserve1: heldA },
  });
const etherAt = (pool: string, price: number, size = 1_000_000) =>
  left(pool, [USDC, usdc(size)], [WETH, ether(size / price)]);

describe("pricesOf()", () => {
  it("takes the median over pools, so that one that was moved does not count", () => {
    const prices = pricesOf([etherAt("a", 2000), etherAt("b", 2010), etherAt("c", 9000)], chain);
    expect(prices(WETH)! * 1e18).toBeCloseTo(2010, 3);
    expect(prices(NATIVE)).toBe(prices(WETH));
  });

  it("takes the median of where one pool stood: a sandwich moves it and puts it back", () => {
    const moved = [etherAt("a", 2000), etherAt("a", 4000), etherAt("a", 2001), etherAt("a", 2002), etherAt("a", 2003)];
    expect(pricesOf(moved, chain)(WETH)! * 1e18).toBeCloseTo(2002, 3);
  });

  it("does not listen to pools below the floor", () => {
    const small = etherAt("a", 9000, FLOOR_USD - 1);
    expect(pricesOf([small, etherAt("b", 2000, FLOOR_USD)], chain)(WETH)! * 1e18).toBeCloseTo(2000, 3);
    expect(pricesOf([small], chain)(WETH)).toBeUndefined();
  });

  it("prices another token by pools with the native coin and with stable coins", () => {
    const swaps = [etherAt("a", 2000), left("b", [TOKEN, 5_000_000n], [WETH, ether(50)])];
    expect(pricesOf(swaps, chain)(TOKEN)).toBeCloseTo(100_000 / 5_000_000, 9);
    expect(pricesOf([left("c", [TOKEN, 5_000_000n], [USDC, usdc(60_000)])], chain)(TOKEN)).toBeCloseTo(0.012, 9);
  });

  it("reads concentrated liquidity by price and depth", () => {
    // 1 USDC unit is 5 · 10^8 wei at 2,000 USD an ETH; √(5 · 10^8) · 2^96, and 10^6 USDC deep: L = 10^12 · √price.
    const sqrt = Math.sqrt(5e8);
    const after = {
      sqrtPriceX96: BigInt(Math.round(sqrt * 2 ** 96)),
      liquidity: BigInt(Math.round(1e12 * sqrt)),
      tick: 0,
    };
    expect(pricesOf([swap(`${USDC} 1 -> ${WETH} 1`, "v3", "0xa", { after })], chain)(WETH)! * 1e18).toBeCloseTo(
      2000,
      3,
    );
  });

  it("falls back on the configured price of the native coin, and knows none where there is neither", () => {
    expect(pricesOf([], registryOf({ nativeUsd: 300 }))(NATIVE)! * 1e18).toBeCloseTo(300, 9);
    expect(pricesOf([], chain)(NATIVE)).toBeUndefined();
    expect(pricesOf([], chain)(TOKEN)).toBeUndefined();
    expect(pricesOf([], chain)(USDC)).toBe(1e-6);
    expect(pricesOf([etherAt("a", 2000)], undefined)(WETH)).toBeUndefined();
  });
});
