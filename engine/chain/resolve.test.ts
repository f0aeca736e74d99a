import { describe, expect, test } from "vitest";
import { builtInRegistry } from "./registry/registry.ts";
import { NATIVE, type Swap } from "./swap.ts";
import { createSwapFinder, type SwapFinderOptions } from "./swaps.ts";
import {
  blockOf,
  deposit,
  exchangeCurve,
  log,
  named,
  placed,
  swapBalancerV2,
  swapBin,
  swapV2,
  swapV3,
  swapV4,
  sync,
  transfer,
  WETH,
  withdrawal,
} from "./testing/logs.ts";

const [ALPHA, BETA, GAMMA] = [named("alpha"), named("beta"), named("gamma")]; // in the order of their addresses
const [POOL, OTHER, USER, ROUTER, TAXES] = [
  named("pool"),
  named("other"),
  named("user"),
  named("router"),
  named("tax"),
];
const MANAGER = "0x000000000004444c5dc75cb358380d2e3de08a90";
const VAULT = "0xba12222222228d8ba445958a75a0704d566bf2c8";

function swapsOf(
  logs: readonly ReturnType<typeof transfer>[],
  given?: Parameters<typeof blockOf>[1],
  options: Partial<SwapFinderOptions> = {},
): Swap[] {
  return createSwapFinder({ registry: builtInRegistry, ...options })(blockOf(logs, given));
}

describe("Uniswap V2", () => {
  test("tokens, payer and payee come from the transfers around the log", () => {
    expect(
      swapsOf([
        transfer(ALPHA, USER, POOL, 100),
        transfer(BETA, POOL, OTHER, 90),
        sync(POOL, 1100, 910),
        swapV2(POOL, [100, 0], [0, 90], OTHER),
      ]),
    ).toEqual([
      {
        transaction: 0,
        logIndex: 3,
        protocol: "uniswap_v2",
        pool: POOL,
        from: USER,
        to: OTHER,
        tokenIn: ALPHA,
        amountIn: 100n,
        tokenOut: BETA,
        amountOut: 90n,
        provenance: "transfers",
        confidence: "high",
        reason: "transfers of exactly these amounts",
        evidence: [3, 0, 1],
        after: { reserve0: 1100n, reserve1: 910n },
      },
    ]);
  });

  test("a flash swap pays after it was paid, and gives back what it does not need", () => {
    const [swap] = swapsOf([
      transfer(ALPHA, POOL, USER, 50),
      transfer(BETA, POOL, USER, 90),
      transfer(ALPHA, USER, POOL, 150),
      swapV2(POOL, [150, 0], [50, 90], USER),
    ]);
    expect(swap).toMatchObject({
      tokenIn: ALPHA,
      amountIn: 100n,
      tokenOut: BETA,
      amountOut: 90n,
      from: USER,
      to: USER,
    });
  });

  test("a flash loan that comes back in its own token, and a gift of both tokens, are no swaps", () => {
    expect(
      swapsOf([transfer(ALPHA, POOL, USER, 50), transfer(ALPHA, USER, POOL, 51), swapV2(POOL, [51, 0], [50, 0], USER)]),
    ).toEqual([]);
    expect(
      swapsOf([transfer(ALPHA, USER, POOL, 50), transfer(BETA, USER, POOL, 51), swapV2(POOL, [50, 51], [0, 0], USER)]),
    ).toEqual([]);
  });

  test("of a taxed token the pool's side counts, and who is paid is whom the log names, not who takes the tax", () => {
    const logs = [
      transfer(ALPHA, USER, TAXES, 5),
      transfer(ALPHA, USER, POOL, 100), // what was sent, tax and all
      transfer(BETA, POOL, USER, 80),
      transfer(BETA, POOL, TAXES, 10),
      swapV2(POOL, [95, 0], [0, 90], USER),
    ];
    expect(swapsOf(logs)[0]).toMatchObject({
      tokenIn: ALPHA,
      amountIn: 95n,
      amountOut: 90n,
      to: USER,
      confidence: "medium",
      evidence: [4, 1, 2],
    });
  });

  test("several swaps on one pool each take the transfers since the one before", () => {
    const logs = [
      ...[transfer(ALPHA, USER, POOL, 100), transfer(BETA, POOL, USER, 90), swapV2(POOL, [100, 0], [0, 90], USER)],
      ...[transfer(BETA, OTHER, POOL, 90), transfer(ALPHA, POOL, OTHER, 100), swapV2(POOL, [0, 90], [100, 0], OTHER)],
    ];
    expect(swapsOf(logs).map(({ tokenIn, tokenOut, from, evidence }) => [tokenIn, tokenOut, from, evidence])).toEqual([
      [ALPHA, BETA, USER, [2, 0, 1]],
      [BETA, ALPHA, OTHER, [5, 3, 4]],
    ]);
  });

  test("what lay in the pool before is not what a swap was paid with", () => {
    const first = [
      transfer(ALPHA, USER, POOL, 100),
      transfer(BETA, POOL, USER, 90),
      swapV2(POOL, [100, 0], [0, 90], USER),
    ];
    expect(swapsOf([...first, swapV2(POOL, [99, 0], [0, 89], USER)])).toHaveLength(1);
    // a little that was there counts as received in the log, and as nothing here
    const [swap] = swapsOf([...first.slice(0, 2), swapV2(POOL, [100, 3], [0, 90], USER)]);
    expect(swap).toMatchObject({ amountIn: 100n, amountOut: 90n, confidence: "high" });
  });

  test("where one side shows no transfer, the log says who was paid", () => {
    const pools = new Map([[POOL, { token0: ALPHA, token1: BETA }]]);
    const [swap] = swapsOf([transfer(ALPHA, USER, POOL, 100), swapV2(POOL, [100, 0], [0, 90], OTHER)], {}, { pools });
    expect(swap).toMatchObject({ from: USER, to: OTHER, confidence: "medium", evidence: [1, 0] });
  });

  test("token0 is the lower address: a transfer of the amount in a token that cannot be it does not count", () => {
    // GAMMA is the liar: it says that it moved, too, in the pool's token0, and is above BETA
    const logs = [
      transfer(ALPHA, USER, POOL, 100),
      transfer(GAMMA, USER, POOL, 100),
      transfer(BETA, POOL, USER, 90),
      swapV2(POOL, [100, 0], [0, 90], USER),
    ];
    expect(swapsOf(logs)[0]).toMatchObject({ tokenIn: ALPHA, confidence: "high" });
  });

  test("where a lie cannot be told from the truth, confidence is low, unless the pool's tokens are known", () => {
    const liar = named("aaa");
    const logs = [
      transfer(ALPHA, USER, POOL, 100),
      transfer(liar, USER, POOL, 100),
      transfer(BETA, POOL, USER, 90),
      swapV2(POOL, [100, 0], [0, 90], USER),
    ];
    expect(swapsOf(logs)[0]).toMatchObject({ confidence: "low" });
    const pools = new Map([[POOL, { token0: ALPHA, token1: BETA }]]);
    expect(swapsOf(logs, {}, { pools })[0]).toMatchObject({ tokenIn: ALPHA, provenance: "pool", confidence: "high" });
  });

  test("a log that no transfer backs is no swap, whatever is known of the pool, and its owner is told", () => {
    const unresolved: unknown[] = [];
    const pools = new Map([[POOL, { token0: ALPHA, token1: BETA }]]);
    const options = { onUnresolved: (swap: unknown) => unresolved.push(swap) };
    expect(swapsOf([swapV2(POOL, [100, 0], [0, 90], USER)], {}, options)).toEqual([]);
    expect(swapsOf([swapV2(POOL, [100, 0], [0, 90], USER)], {}, { ...options, pools })).toEqual([]);
    // dust moved, a fortune is claimed
    const dust = [
      transfer(ALPHA, USER, POOL, 1),
      transfer(BETA, POOL, USER, 1),
      swapV2(POOL, [10n ** 30n, 0], [0, 10n ** 30n], USER),
    ];
    expect(swapsOf(dust, {}, { ...options, pools })).toEqual([]);
    expect(unresolved).toHaveLength(3);
    expect(unresolved[0]).toEqual({ transaction: 0, logIndex: 0, protocol: "uniswap_v2", pool: POOL });
  });
});

describe("other kinds of pools", () => {
  test("a V3 pool pays before it is paid, with other pools' swaps in between", () => {
    const logs = [
      transfer(BETA, POOL, ROUTER, 90),
      ...[transfer(ALPHA, OTHER, ROUTER, 100), transfer(GAMMA, ROUTER, OTHER, 7), swapV3(OTHER, -100, 7, ROUTER)],
      transfer(ALPHA, ROUTER, POOL, 100),
      swapV3(POOL, 100, -90, ROUTER),
    ];
    expect(swapsOf(logs).map(({ pool, tokenIn, tokenOut }) => [pool, tokenIn, tokenOut])).toEqual([
      [OTHER, GAMMA, ALPHA],
      [POOL, ALPHA, BETA],
    ]);
  });

  test("amounts of the same sign, or of zero, are no exchange", () => {
    for (const [amount0, amount1] of [
      [5, 5],
      [-5, -5],
      [5, 0],
      [0, 0],
      [0, -5],
    ] as const)
      expect(
        swapsOf([transfer(ALPHA, USER, POOL, 5), transfer(BETA, POOL, USER, 5), swapV3(POOL, amount0, amount1, USER)]),
      ).toEqual([]);
  });

  test("Uniswap V4 names the pool's id; the coin is the lowest token, and shows where it is wrapped", () => {
    const id = `0x${"ab".repeat(32)}`;
    const logs = [swapV4(MANAGER, id, 90, -100), transfer(BETA, ROUTER, MANAGER, 100), deposit(WETH, ROUTER, 90)];
    expect(swapsOf(logs)[0]).toMatchObject({
      ...{ protocol: "uniswap_v4", pool: id, tokenIn: BETA, tokenOut: NATIVE, amountOut: 90n, confidence: "medium" },
    });
    // it cannot be token1
    expect(
      swapsOf([swapV4(MANAGER, id, -100, 90), transfer(BETA, ROUTER, MANAGER, 100), deposit(WETH, ROUTER, 90)]),
    ).toEqual([]);
    // of a route over two pools the token in the middle moves nowhere: neither pool's tokens are known
    const route = [
      swapV4(MANAGER, id, -100, 50),
      swapV4(MANAGER, `0x${"cd".repeat(32)}`, 90, -50),
      transfer(ALPHA, ROUTER, MANAGER, 100),
      transfer(GAMMA, MANAGER, USER, 90),
    ];
    expect(swapsOf(route)).toEqual([]);
    const pools = new Map([[id, { token0: ALPHA, token1: BETA }]]);
    expect(swapsOf(route, {}, { pools })[0]).toMatchObject({
      tokenIn: ALPHA,
      tokenOut: BETA,
      provenance: "pool",
      confidence: "high",
    });
  });

  test("Balancer's vault settles a batch at its end; a stranger that logs as it does needs transfers", () => {
    const batch = (vault: string) => [
      swapBalancerV2(vault, 1, ALPHA, BETA, 100, 50),
      swapBalancerV2(vault, 2, BETA, GAMMA, 50, 90),
      transfer(ALPHA, USER, vault, 100),
      transfer(GAMMA, vault, USER, 90),
    ];
    expect(swapsOf(batch(VAULT)).map(({ confidence, from, to }) => [confidence, from, to])).toEqual([
      ["high", USER, VAULT],
      ["high", VAULT, USER],
    ]);
    expect(swapsOf(batch(OTHER)).map(({ confidence }) => confidence)).toEqual(["medium", "medium"]);
    expect(swapsOf([swapBalancerV2(OTHER, 1, ALPHA, BETA, 100, 50)])).toEqual([]);
  });

  test("Trader Joe logs each bin: together they are one swap, whichever token has the lower address", () => {
    const bins = [1, 2, 3].map((bin) => swapBin(POOL, bin, [0n, 10n], [9n, 0n], USER));
    const logs = [transfer(ALPHA, USER, POOL, 30), ...bins, transfer(BETA, POOL, USER, 27)];
    const onUnresolved = (swap: unknown) => expect(swap).toBeUndefined();
    expect(swapsOf(logs, {}, { onUnresolved })).toMatchObject([
      { logIndex: 1, tokenIn: ALPHA, amountIn: 30n, tokenOut: BETA, amountOut: 27n, from: USER, to: USER },
    ]);
    // the last log of a receipt has no next one to look at
    expect(swapsOf([transfer(ALPHA, USER, POOL, 30), transfer(BETA, POOL, USER, 27), ...bins])).toHaveLength(1);
  });

  test("Curve's coin moves without a log: by what was unwrapped, by the value, or since nothing else moved", () => {
    const bought = [transfer(BETA, POOL, USER, 90), exchangeCurve(POOL, USER, 0, 100, 1, 90)];
    expect(swapsOf([withdrawal(WETH, USER, 100), ...bought])[0]).toMatchObject({
      tokenIn: NATIVE,
      tokenOut: BETA,
      from: USER,
    });
    expect(swapsOf(bought, { value: "0x64", from: OTHER })[0]).toMatchObject({ tokenIn: NATIVE, from: OTHER });
    expect(swapsOf(bought)[0]).toMatchObject({ tokenIn: NATIVE, from: USER, confidence: "medium" });
    // but not on both sides
    expect(swapsOf([exchangeCurve(POOL, USER, 0, 100, 1, 90)])).toEqual([]);
    // what the pool wraps itself is wrapped coin to it
    expect(swapsOf([deposit(WETH, POOL, 100), ...bought])[0]).toMatchObject({
      tokenIn: WETH,
      from: USER,
      confidence: "high",
    });
  });

  test("an aggregator's own sum is a swap only where none of its parts is", () => {
    const proxy = "0xdef1c0ded9bec7f1a1670819833240f027b25eff";
    const sum = log(
      proxy,
      ["0x0f6672f78a59ba8e5e5b5d38df3ebc67f3c792e2c9259b8d97d7f00dd78ba1b3", USER],
      [ALPHA, BETA, 100, 90],
    );
    const part = [
      transfer(ALPHA, USER, POOL, 100),
      transfer(BETA, POOL, USER, 90),
      swapV2(POOL, [100, 0], [0, 90], USER),
    ];
    expect(swapsOf([...part, sum])).toMatchObject([{ protocol: "uniswap_v2" }]);
    expect(swapsOf([sum])).toMatchObject([{ protocol: "0x", pool: proxy, confidence: "medium" }]);
  });
});

test("what stands in no layout's log is no swap: truncated, with another topic's count, out of range", () => {
  const transfers = [transfer(ALPHA, USER, POOL, 100), transfer(BETA, POOL, USER, 90)];
  const good = swapV2(POOL, [100, 0], [0, 90], USER);
  const bad = [
    { ...good, data: good.data.slice(0, -2) },
    { ...good, data: `${good.data}00` },
    { ...good, data: "0x" },
    { ...good, topics: good.topics.slice(0, 2) },
    { ...good, topics: [...good.topics, good.topics[1]!] },
    { ...good, topics: [good.topics[0]!, good.topics[1]!, `0x${"ff".repeat(32)}`] }, // no address
    { ...good, topics: [] },
  ];
  for (const one of bad) expect(swapsOf([...transfers, one])).toEqual([]);
  expect(swapsOf([...transfers, good])).toHaveLength(1);
  // amounts over 2^255, of tokens that lie
  const huge = 2n ** 255n;
  for (const [paid, bought] of [
    [huge, 9n],
    [9n, huge],
    [huge, huge],
  ] as const) {
    const lies = [transfer(ALPHA, USER, POOL, paid), transfer(BETA, POOL, USER, bought)];
    expect(swapsOf([...lies, swapV2(POOL, [paid, 0], [0, bought], USER)])).toEqual([]);
  }
});

test("log indexes are the receipt's, wherever its block begins", () => {
  const logs = placed([
    transfer(ALPHA, USER, POOL, 100),
    transfer(BETA, POOL, USER, 90),
    swapV2(POOL, [100, 0], [0, 90], USER),
  ]);
  const later = logs.map((one) => ({ ...one, logIndex: `0x${(Number(one.logIndex) + 700).toString(16)}` }));
  expect(swapsOf([], { receipt: { status: "0x1", logs: later } })[0]).toMatchObject({
    logIndex: 702,
    evidence: [702, 700, 701],
  });
});
