import { toEventSelector } from "viem";
import { describe, expect, it } from "vitest";
import type { Address, Swap } from "../swap.ts";
import { type Log, transactionOf } from "../testing/fixtures.ts";
import { viewsOf } from "../testing/views.ts";
import { findJit, LIQUIDITY_EVENTS } from "./jit.ts";
import { swap, USDC, WETH } from "./testing/swaps.ts";

const address = (byte: string): Address => `0x${byte.repeat(20)}`;
const [POOL, BOT, ALICE, EVE] = ["70", "b0", "a1", "e0"].map(address) as [Address, Address, Address, Address];
const MANAGER = "0xc36442b4a4522e871399cd717abdd847ab11fe88";
const [MINT, BURN, MODIFY] = LIQUIDITY_EVENTS.map(({ topic0 }) => topic0) as [string, string, string];

const word = (value: bigint | string): string =>
  typeof value === "bigint"
    ? BigInt.asUintN(256, value).toString(16).padStart(64, "0")
    : value.slice(2).padStart(64, "0");
const log = (topics: (bigint | string)[], data: bigint[], contract = POOL): Omit<Log, "logIndex"> => ({
  address: contract,
  topics: topics.map((topic) => `0x${word(topic)}`),
  data: `0x${data.map(word).join("")}`,
});
const added = (liquidity: bigint, owner = BOT) => log([MINT, owner, -100n, 100n], [1n, liquidity, 5n, 6n]);
const removed = (liquidity: bigint, owner = BOT) => log([BURN, owner, -100n, 100n], [liquidity, 7n, 8n]);
const traded = (transaction: number, tick = 0): Swap =>
  swap(`${WETH} 1 -> ${USDC} 2`, POOL, ALICE, {
    transaction,
    protocol: "uniswap_v3",
    after: { sqrtPriceX96: 1n, liquidity: 1n, tick },
  });

function found(
  logs: readonly (readonly Omit<Log, "logIndex">[])[],
  swaps: readonly Swap[],
  senders = [BOT, ALICE, BOT],
) {
  const [view] = viewsOf(
    logs.map((each, i) =>
      transactionOf(
        each.map((one, k) => ({ ...one, logIndex: `0x${(10 * i + k).toString(16)}` })),
        { from: senders[i]!, hash: `0x${String(i + 1).repeat(64)}` },
      ),
    ),
  );
  return findJit(view!, swaps);
}

describe("findJit()", () => {
  it("knows the events by their signatures", () => {
    for (const { event, topic0 } of LIQUIDITY_EVENTS) expect(toEventSelector(event.signature)).toBe(topic0);
  });

  it("finds liquidity that was there for others' swaps only", () => {
    expect(found([[added(9n)], [], [removed(9n)]], [traded(1)])).toMatchObject([
      {
        pool: POOL,
        provider: BOT,
        mintTransaction: 0,
        swapTransactions: [1],
        burnTransaction: 2,
        liquidity: 9n,
        confidence: "high",
      },
    ]);
  });

  it("is less sure where the price stood outside of the range", () => {
    expect(found([[added(9n)], [], [removed(9n)]], [traded(1, 100)])).toMatchObject([{ confidence: "medium" }]);
  });

  it("tells positions of a manager apart by who sent them", () => {
    const logs = [[added(9n, MANAGER)], [], [removed(9n, MANAGER)]];
    expect(found(logs, [traded(1)])).toMatchObject([{ provider: BOT }]);
    expect(found(logs, [traded(1)], [BOT, ALICE, EVE])).toEqual([]);
  });

  it("finds V4's by the pool's id and the salt", () => {
    const id = `0x${"1d".repeat(32)}`;
    const change = (liquidity: bigint, salt: bigint) =>
      log([MODIFY, id, BOT], [-100n, 100n, liquidity, salt], address("44"));
    const swaps = [{ ...traded(1), pool: id }];
    expect(found([[change(9n, 1n)], [], [change(-9n, 1n)]], swaps)).toMatchObject([
      { pool: id, provider: BOT, liquidity: 9n },
    ]);
    expect(found([[change(9n, 1n)], [], [change(-9n, 2n)]], swaps)).toEqual([]);
  });

  it.each([
    ["nobody swapped in between", [[added(9n)], [], [removed(9n)]], []],
    ["only part of it was taken out", [[added(9n)], [], [removed(8n)]], [traded(1)]],
    ["it was taken out first", [[removed(9n)], [], [added(9n)]], [traded(1)]],
    ["another's was taken out", [[added(9n)], [], [removed(9n, EVE)]], [traded(1)]],
    ["the swap was in another pool", [[added(9n)], [], [removed(9n)]], [{ ...traded(1), pool: address("71") }]],
    ["the swap was in its own transaction", [[added(9n)], [], [removed(9n)]], [traded(0)]],
  ])("finds none where %s", (_, logs, swaps) => {
    expect(found(logs, swaps)).toEqual([]);
  });

  it("finds none where the provider's own swap is the only one", () => {
    expect(found([[added(9n)], [], [removed(9n)]], [traded(1)], [BOT, BOT, BOT])).toEqual([]);
  });
});
