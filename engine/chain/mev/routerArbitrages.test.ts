import { expect, it } from "vitest";
import type { Address, Swap } from "../swap.ts";
import { transactionOf } from "../testing/fixtures.ts";
import { viewsOf } from "../testing/views.ts";
import { findRouterArbitrages } from "./routerArbitrages.ts";
import { swap, USDC, WETH } from "./testing/swaps.ts";

const ROUTER: Address = `0x${"7a".repeat(20)}`;
const SENDER: Address = `0x${"5e".repeat(20)}`;
const options = { routers: new Map([[ROUTER, "Router"]]), methods: new Map([["0x38ed1739", "swap(uint256)"]]) };
const there = swap(`${WETH} 10 -> ${USDC} 20`, "p1", SENDER);
const back = swap(`${USDC} 20 -> ${WETH} 11`, "p2", SENDER);

function found(
  swaps: readonly Swap[],
  { to = ROUTER, input = "0x38ed173900" }: { to?: string | null; input?: string } = {},
) {
  const [view] = viewsOf([transactionOf([], { from: SENDER, to, input })]);
  return findRouterArbitrages(view!, swaps, options);
}

it("takes two swaps through a known router's known method, closed or not", () => {
  expect(found([there, back])).toMatchObject([
    { definition: "router", account: SENDER, profitToken: WETH, startAmount: 10n, endAmount: 11n, profitAmount: 1n },
  ]);
  expect(found([there, { ...back, tokenOut: "0xdai" }])).toMatchObject([
    { profitAmount: null, confidence: "low", reason: "2 swaps by swap of Router, which end in another token" },
  ]);
});

it("takes none with one swap, of another contract, by another method, or without one", () => {
  expect(found([there])).toEqual([]);
  expect(found([there, back], { to: SENDER })).toEqual([]);
  expect(found([there, back], { to: null })).toEqual([]);
  expect(found([there, back], { input: "0x12345678" })).toEqual([]);
  expect(found([there, back], { input: "0x38ed" })).toEqual([]);
});
