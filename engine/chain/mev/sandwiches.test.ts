import { describe, expect, it } from "vitest";
import type { Address, Swap } from "../swap.ts";
import { type Log, transactionOf } from "../testing/fixtures.ts";
import { viewsOf } from "../testing/views.ts";
import { TRANSFER_EVENTS } from "../transfers.ts";
import { findSandwiches, MAX_VICTIMS, type SandwichOptions } from "./sandwiches.ts";
import { swap, USDC, WETH } from "./testing/swaps.ts";

const address = (n: number): Address => `0x${n.toString(16).padStart(40, "0")}`;
const [BOT, EVE, ALICE, BOB, CAROL] = [0xb0, 0xe0, 0xa1, 0xa2, 0xa3].map(address) as [Address, Address, Address, Address, Address]; // biome-ignore format: names
const ROUTER = address(0x7a);
const [TRANSFER, , WITHDRAWAL] = TRANSFER_EVENTS.map(({ topic0 }) => topic0) as [string, string, string];

/** Uniswap V2's, with its fee of 0.3 %. */
function createPool(name = "pool", [weth, usdc] = [10_000_000n, 10_000_000_000n]) {
  const out = (amount: bigint, rIn: bigint, rOut: bigint): bigint =>
    (amount * 997n * rOut) / (rIn * 1_000n + amount * 997n);
  return {
    buy(transaction: number, account: Address, amount: bigint, more: Partial<Swap> = {}): Swap {
      const got = out(amount, weth, usdc);
      [weth, usdc] = [weth + amount, usdc - got];
      return swap(`${WETH} ${amount} -> ${USDC} ${got}`, name, account, { transaction, ...this.state(), ...more });
    },
    sell(transaction: number, account: Address, amount: bigint, more: Partial<Swap> = {}): Swap {
      const got = out(amount, usdc, weth);
      [weth, usdc] = [weth - got, usdc + amount];
      return swap(`${USDC} ${amount} -> ${WETH} ${got}`, name, account, { transaction, ...this.state(), ...more });
    },
    /** USDC is token 0: 0xusdc < 0xweth. */
    state: () => ({ after: { reserve0: usdc, reserve1: weth } }),
  };
}

/** The senders of a block's transactions, and whom they call: each its own contract unless said. */
function found(
  swaps: readonly Swap[],
  senders: readonly Address[],
  options: SandwichOptions & { to?: Address; logs?: readonly Log[] } = {},
) {
  const [view] = viewsOf(
    senders.map((from, i) =>
      transactionOf(i === 0 ? (options.logs ?? []) : [], {
        from,
        to: options.to ?? address(0xc000 + i),
        hash: `0x${(i + 1).toString(16).padStart(64, "0")}`,
        transactionIndex: `0x${i.toString(16)}`,
      }),
    ),
  );
  return findSandwiches(view!, swaps, options);
}
const shape = ({ frontruns, victims, backruns, sandwicher, confidence }: ReturnType<typeof found>[number]) =>
  `${frontruns} | ${victims} | ${backruns} by ${sandwicher} ${confidence}`;

describe("findSandwiches()", () => {
  it("finds frontrun, victim and backrun, and what was earned", () => {
    const pool = createPool();
    const front = pool.buy(0, BOT, 100_000n);
    const swaps = [front, pool.buy(1, ALICE, 200_000n), pool.sell(2, BOT, front.amountOut)];
    const [sandwich, ...others] = found(swaps, [BOT, ALICE, BOT]);
    expect(others).toEqual([]);
    expect(shape(sandwich!)).toBe(`0 | 1 | 2 by ${BOT} high`);
    expect(sandwich).toMatchObject({
      pool: "pool",
      profitToken: WETH,
      profitAmount: swaps[2]!.amountOut - 100_000n,
      frontrunIn: 100_000n,
      evidence: swaps.map(({ logIndex }) => logIndex),
    });
    expect(sandwich!.profitAmount).toBeGreaterThan(0n);
  });

  it("computes what each victim lost by the pool's own formula", () => {
    const pool = createPool();
    const front = pool.buy(0, BOT, 100_000n);
    const victims = [pool.buy(1, ALICE, 200_000n), pool.sell(2, CAROL, 1_000_000n), pool.buy(3, BOB, 300_000n)];
    const [sandwich] = found([front, ...victims, pool.sell(4, BOT, front.amountOut)], [BOT, ALICE, CAROL, BOB, BOT]);
    const alone = createPool();
    const [alice, , bob] = [
      alone.buy(1, ALICE, 200_000n),
      alone.sell(2, CAROL, 1_000_000n),
      alone.buy(3, BOB, 300_000n),
    ];
    expect(sandwich!.victimLosses).toEqual([
      { transaction: 1, token: USDC, amount: alice.amountOut - victims[0]!.amountOut },
      { transaction: 3, token: USDC, amount: bob.amountOut - victims[2]!.amountOut },
    ]);
    expect(alice.amountOut - victims[0]!.amountOut).toBeGreaterThan(1_000_000n);
  });

  it("says null where a loss cannot be computed: no reserves, or liquidity that changed in between", () => {
    const losses = (change: (swaps: Swap[]) => Swap[]) => {
      const pool = createPool();
      const front = pool.buy(0, BOT, 100_000n);
      const swaps = [front, pool.buy(1, ALICE, 200_000n), pool.sell(2, BOT, front.amountOut)];
      return found(change(swaps), [BOT, ALICE, BOT])[0]!.victimLosses.map(({ amount }) => amount);
    };
    expect(losses((swaps) => swaps.map(({ after: _, ...rest }) => rest))).toEqual([null]);
    const { reserve0, reserve1 } = { reserve0: 9_000_000_000n, reserve1: 12_000_000n };
    expect(losses(([a, b, c]) => [a!, { ...b!, after: { reserve0, reserve1 } }, c!])).toEqual([null]);
  });

  it("takes layers around victims for one sandwich, however many", () => {
    const pool = createPool();
    const fronts = [pool.buy(0, BOT, 100_000n)];
    const swaps = [fronts[0]!, pool.buy(1, ALICE, 200_000n)];
    fronts.push(pool.buy(2, BOT, 50_000n));
    swaps.push(fronts[1]!, pool.buy(3, BOB, 10_000n), pool.sell(4, BOT, fronts[0]!.amountOut));
    swaps.push(pool.buy(5, CAROL, 10_000n), pool.sell(6, BOT, fronts[1]!.amountOut));
    const sandwiches = found(swaps, [BOT, ALICE, BOT, BOB, BOT, CAROL, BOT]);
    expect(sandwiches.map(shape)).toEqual([`0,2 | 1,3,5 | 4,6 by ${BOT} high`]);

    const many = createPool();
    const front = many.buy(0, BOT, 100_000n);
    const victims = Array.from({ length: 100 }, (_, i) => many.buy(i + 1, address(1_000 + i), 1_000n));
    const all = [front, ...victims, many.sell(101, BOT, front.amountOut)];
    const senders = [BOT, ...victims.map(({ from }) => from), BOT];
    expect(found(all, senders)[0]!.victims).toHaveLength(100);
  });

  it("tells two sandwiches of one account on one pool apart, the first one's backrun is no frontrun", () => {
    const pool = createPool();
    const swaps: Swap[] = [];
    for (const at of [0, 3]) {
      const front = pool.buy(at, BOT, 100_000n);
      swaps.push(front, pool.buy(at + 1, ALICE, 1_000n), pool.sell(at + 2, BOT, front.amountOut));
      if (at === 0) swaps.push(pool.sell(2, CAROL, 1_000n, { transaction: 2 }));
    }
    expect(found(swaps, [BOT, ALICE, BOT, BOT, BOB, BOT]).map(shape)).toEqual([
      `0 | 1 | 2 by ${BOT} high`,
      `3 | 4 | 5 by ${BOT} high`,
    ]);
  });

  it("finds inventory sandwiches: sold first, bought back, with the profit in the other token", () => {
    const pool = createPool();
    const front = pool.sell(0, BOT, 100_000_000n);
    const victim = pool.sell(1, ALICE, 200_000_000n);
    const back = pool.buy(2, BOT, 90_000n);
    const exact = { ...back, amountOut: front.amountIn };
    const [sandwich] = found([front, victim, exact], [BOT, ALICE, BOT]);
    expect(sandwich).toMatchObject({ profitToken: WETH, profitAmount: front.amountOut - 90_000n, confidence: "high" });
  });

  it("counts of an unbalanced sandwich what both sides match", () => {
    const swaps = [
      swap(`${WETH} 100 -> ${USDC} 1000`, "p", BOT, { transaction: 0 }),
      swap(`${WETH} 100 -> ${USDC} 900`, "p", ALICE, { transaction: 1 }),
      swap(`${USDC} 2000 -> ${WETH} 240`, "p", BOT, { transaction: 2 }),
    ];
    expect(found(swaps, [BOT, ALICE, BOT])).toMatchObject([{ profitAmount: 20n, confidence: "medium" }]);
  });

  it("knows the searcher by the account, through further pools, by the sender, or by the contract and the exact amount", () => {
    const legs = (front: Partial<Swap>, back: Partial<Swap>) => {
      const pool = createPool();
      const bought = pool.buy(0, BOT, 100_000n, front);
      return [bought, pool.buy(1, ALICE, 1_000n), pool.sell(2, BOT, bought.amountOut, back)];
    };
    expect(found(legs({}, {}), [EVE, ALICE, BOT])[0]).toMatchObject({ confidence: "high" });
    const direct = [
      swap(`${USDC} 1 -> 0xdai 1`, "next", "pool", { transaction: 0, to: BOT }),
      swap(`0xdai 1 -> ${USDC} 1`, "next", BOT, { transaction: 2, to: "pool" }),
    ];
    const through = [...legs({ to: "next" }, { from: "next" }), ...direct];
    expect(found(through, [EVE, ALICE, BOB])).toMatchObject([{ sandwicher: BOT, confidence: "high" }]);
    expect(found(legs({ to: EVE }, {}), [BOB, ALICE, BOB])).toMatchObject([{ sandwicher: EVE, confidence: "medium" }]);
    expect(found(legs({ to: EVE }, {}), [BOB, ALICE, CAROL], { to: ROUTER })).toMatchObject([{ confidence: "medium" }]);
    expect(found(legs({ to: EVE }, {}), [BOB, ALICE, CAROL])).toEqual([]);
  });

  it("takes routers and pools for nobody", () => {
    const pool = createPool();
    const front = pool.buy(0, ROUTER, 100_000n);
    const swaps = [front, pool.buy(1, ALICE, 1_000n), pool.sell(2, ROUTER, front.amountOut)];
    expect(found(swaps, [EVE, ALICE, BOB])).toHaveLength(1);
    expect(found(swaps, [EVE, ALICE, BOB], { isRouter: (who) => who === ROUTER })).toEqual([]);
    const shared = [
      { ...front, to: "next" },
      pool.buy(1, ALICE, 1_000n),
      pool.sell(2, "next", front.amountOut / 2n),
      swap(`0xa 1 -> 0xb 1`, "next", ALICE, { transaction: 3 }),
    ];
    expect(found(shared, [EVE, ALICE, BOB, CAROL])).toEqual([]);
  });

  it("takes a contract that strangers swap different amounts through for a searcher only if it keeps what it gets", () => {
    const token = address(0x70);
    const swaps = [
      swap(`${WETH} 100 -> ${token} 1000`, "p", ROUTER, { transaction: 0 }),
      swap(`${WETH} 100 -> ${token} 900`, "p", ALICE, { transaction: 1 }),
      swap(`${token} 2000 -> ${WETH} 240`, "p", ROUTER, { transaction: 2 }),
    ];
    const word = (hex: string): string => hex.slice(2).padStart(64, "0");
    const moved = (from: Address, to: Address): Log => ({
      address: token,
      topics: [TRANSFER, `0x${word(from)}`, `0x${word(to)}`],
      data: `0x${word("0x3e8")}`, // 1000
      logIndex: "0x0",
    });
    const got = moved(address(0x9001), ROUTER);
    expect(found(swaps, [EVE, ALICE, BOB], { logs: [got] })).toMatchObject([
      { sandwicher: ROUTER, confidence: "medium" },
    ]);
    expect(found(swaps, [EVE, ALICE, BOB], { logs: [got, moved(ROUTER, EVE)] })).toEqual([]);
    const unwrapped = { ...got, topics: [WITHDRAWAL, `0x${word(ROUTER)}`] };
    expect(found(swaps, [EVE, ALICE, BOB], { logs: [got, unwrapped] })).toEqual([]);
    expect(found(swaps, [EVE, ALICE, EVE], { logs: [got, unwrapped] })).toHaveLength(1);
  });

  it.each([
    ["without a victim", [0, 2]],
    ["where all is one transaction", [0, 0, 0]],
    ["where the victim is in the frontrun's transaction", [0, 0, 1]],
  ])("finds none %s", (_, transactions) => {
    const pool = createPool();
    const front = pool.buy(0, BOT, 100_000n);
    const all = [front, pool.buy(1, ALICE, 1_000n), pool.sell(2, BOT, front.amountOut)];
    const swaps =
      transactions.length === 2 ? [all[0]!, all[2]!] : all.map((s, i) => ({ ...s, transaction: transactions[i]! }));
    expect(found(swaps, [BOT, ALICE, BOT])).toEqual([]);
  });

  it("says nothing of a block that is not complete", () => {
    const pool = createPool();
    const front = pool.buy(0, BOT, 100_000n);
    const swaps = [front, pool.buy(1, ALICE, 1_000n), pool.sell(2, BOT, front.amountOut)];
    const [view] = viewsOf(
      [BOT, ALICE, BOT].map((from, i) => transactionOf([], { from, hash: `0x${String(i).repeat(64)}` })),
    );
    expect(findSandwiches(view!, swaps)).toHaveLength(1);
    expect(findSandwiches({ ...view!, complete: false }, swaps)).toEqual([]);
  });

  it("looks at 20,000 swaps of 5,000 transactions in time that grows with their number", () => {
    const swaps: Swap[] = [];
    for (let i = 0; i < 5_000; i++) {
      const account = address(i % 3 === 1 ? 0x10_000 + i : 0x20_000 + (i - (i % 3)));
      for (let n = 0; n < 4; n++) {
        const trade = i % 3 === 2 ? `${USDC} 1000 -> ${WETH} 1001` : `${WETH} 1000 -> ${USDC} 1000`;
        swaps.push(swap(trade, `pool ${n} ${Math.floor(i / 300)}`, account, { transaction: i }));
      }
    }
    const senders = Array.from({ length: 5_000 }, (_, i) => address(0x30_000 + i));
    const sandwiches = found(swaps, senders);
    expect(sandwiches.length).toBe(4 * 1_666);
  });

  it("gives up a flood of searchers around each other's victims, in bounded time and memory", () => {
    const people = Array.from({ length: 6_000 }, (_, i) => address(0x40_000 + i));
    const swaps = [
      ...people.map((account, i) => swap(`${WETH} 1000 -> ${USDC} 1000`, "p", account, { transaction: i })),
      ...people.map((account, i) => swap(`${USDC} 1000 -> ${WETH} 1001`, "p", account, { transaction: 6_000 + i })),
    ];
    const sandwiches = found(swaps, [...people, ...people]);
    const victims = sandwiches.reduce((sum, sandwich) => sum + sandwich.victims.length, 0);
    expect(sandwiches.length).toBeGreaterThan(100);
    expect(victims).toBeLessThan(MAX_VICTIMS + 6_000);
  });
});
