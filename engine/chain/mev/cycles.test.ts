import { describe, expect, it } from "vitest";
import { NATIVE, type Swap } from "../swap.ts";
import { findCycles, MAX_SWAPS } from "./cycles.ts";
import { DAI, swap, USDC, WETH } from "./testing/swaps.ts";

const BOT = "0xbot";
const found = (swaps: readonly Swap[], options = {}) =>
  findCycles(swaps, { wrapped: WETH, ...options }).map(({ route, profitToken, profitAmount, confidence }) => ({
    pools: route.map(({ pool }) => pool),
    profit: `${profitAmount} ${profitToken}`,
    confidence,
  }));

describe("findCycles()", () => {
  it("finds a route from pool to pool, paid by its account and back to it", () => {
    const swaps = [
      swap(`${WETH} 1000 -> ${USDC} 2000`, "p1", BOT, { to: "p2" }),
      swap(`${USDC} 2000 -> ${DAI} 2100`, "p2", BOT, { from: "p1", to: "p3" }),
      swap(`${DAI} 2100 -> ${WETH} 1010`, "p3", BOT, { from: "p2" }),
    ];
    expect(found(swaps)).toEqual([{ pools: ["p1", "p2", "p3"], profit: `10 ${WETH}`, confidence: "high" }]);
    expect(findCycles(swaps, {})[0]).toMatchObject({ account: BOT, startAmount: 1000n, endAmount: 1010n });
  });

  it("starts where more comes back than went in, whatever the order of the logs: a flash swap's log comes last", () => {
    const borrowed = swap(`${WETH} 1000 -> ${USDC} 2000`, "p1", BOT);
    const sold = swap(`${USDC} 2000 -> ${WETH} 1005`, "p2", BOT);
    const profit = `5 ${WETH}`;
    expect(found([sold, borrowed])).toEqual([{ pools: ["p1", "p2"], profit, confidence: "high" }]);
    expect(found([borrowed, sold])).toEqual([{ pools: ["p1", "p2"], profit, confidence: "high" }]);
  });

  it("takes amounts that differ by less than 1 %, and is less sure of them", () => {
    const first = swap(`${WETH} 1000 -> ${USDC} 20000`, "p1", BOT);
    const taken = (amount: number) => [first, swap(`${USDC} ${amount} -> ${WETH} 1100`, "p2", BOT)];
    expect(found(taken(19_900))).toEqual([{ pools: ["p1", "p2"], profit: `100 ${WETH}`, confidence: "medium" }]);
    expect(found(taken(19_800))).toEqual([]);
  });

  it("takes the native coin and its wrapped form for one token", () => {
    const swaps = [swap(`${WETH} 100 -> ${USDC} 200`, "p1", BOT), swap(`${USDC} 200 -> ${NATIVE} 101`, "curve", BOT)];
    expect(found(swaps)).toHaveLength(1);
    expect(findCycles(swaps, {})).toEqual([]);
  });

  it("takes the shortest route, and each swap once", () => {
    const swaps = [
      swap(`${WETH} 1000 -> ${USDC} 2000`, "p1", BOT),
      swap(`${USDC} 2000 -> ${DAI} 2000`, "p2", BOT),
      swap(`${USDC} 2000 -> ${WETH} 1100`, "p3", BOT),
      swap(`${DAI} 2000 -> ${WETH} 1200`, "p4", BOT),
    ];
    expect(found(swaps).map(({ pools }) => pools)).toEqual([["p1", "p3"]]);
  });

  it("finds several in one transaction, and none across two", () => {
    const pair = (n: number, transaction: number) => [
      swap(`${WETH} 1000 -> ${USDC} ${n}`, `a${n}`, BOT, { transaction }),
      swap(`${USDC} ${n} -> ${WETH} 1001`, `b${n}`, BOT, { transaction }),
    ];
    const [two, far] = [[...pair(2_000, 0), ...pair(9_000, 0)], pair(5_000, 1)];
    expect(found(two).map(({ pools }) => pools)).toEqual([
      ["a2000", "b2000"],
      ["a9000", "b9000"],
    ]);
    expect(found([{ ...far[0]!, transaction: 0 }, far[1]!])).toEqual([]);
  });

  it.each([
    ["the account differs", { to: "0xother" }],
    ["the pool is the same", { pool: "p1" }],
    ["the token differs", { tokenOut: DAI }],
  ])("finds none where %s at the end", (_, change) => {
    const swaps = [swap(`${WETH} 10 -> ${USDC} 20`, "p1", BOT), swap(`${USDC} 20 -> ${WETH} 11`, "p2", BOT, change)];
    expect(found(swaps)).toEqual([]);
  });

  it("is not sure of a loss, nor of what a router did", () => {
    const swaps = (end: number) => [
      swap(`${WETH} 1000 -> ${USDC} 2000`, "p1", BOT),
      swap(`${USDC} 2000 -> ${WETH} ${end}`, "p2", BOT),
    ];
    expect(found(swaps(900))).toMatchObject([{ profit: `-100 ${WETH}`, confidence: "low" }]);
    expect(found(swaps(1100), { isRouter: (address: string) => address === BOT })).toMatchObject([
      { profit: `100 ${WETH}`, confidence: "low" },
    ]);
  });

  it("searches floods of swaps that all fit each other no further than a limit, and just below it in time", () => {
    const flood = (count: number) =>
      Array.from({ length: count }, (_, i) => swap(`t${i % 2} 1000 -> t${(i + 1) % 2} 1000`, `p${i}`, BOT));
    expect(findCycles(flood(MAX_SWAPS + 1))).toEqual([]);
    expect(findCycles(flood(MAX_SWAPS))).toHaveLength(MAX_SWAPS / 2);
  });
});
