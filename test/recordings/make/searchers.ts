import { decodeFunctionResult, type Hex, parseEther } from "viem";
import type { Planned } from "./chain.ts";
import { abiOf, call } from "./contracts.ts";
import { executorInput } from "./executor.ts";
import { amountOut, bestCycle, largestFront, otherToken, type Pair, quote, swapThrough } from "./market.ts";
import type { TestNode } from "./node.ts";
import type { Random } from "./random.ts";
import type { Scene } from "./scene.ts";
import type { BlockPlan, Trade } from "./traders.ts";

/** What a searcher set out to do; the receipts will say whether it came out so. */
export type Sandwich = { pair: Hex; tokenIn: Hex; front: Planned; victims: Planned[]; back: Planned; profit: bigint };
export type Arbitrage = {
  plan: Planned;
  shape: "twoPools" | "threePools" | "v2v3";
  account: Hex;
  token: Hex;
  profit: bigint;
};

const MIN_PROFIT = parseEther("0.02");
const CAPITAL = parseEther("400");
const DEADLINE = 10n ** 12n;

/** Bots: two- and three-pool arbitrage, V2 against V3, sandwiches, and those that come too late. */
export function createSearchers(options: {
  random: Random;
  scene: Scene;
  node: TestNode;
  searchers: Hex[];
  sandwichers: Hex[];
}) {
  const { random, scene, node, searchers, sandwichers } = options;
  const { weth, pairs, pools, executors, mainRouter, v3Router, v3Quoter } = scene;
  const cycles = findCycles(pairs, weth);
  return { arbitrage, arbitrageV3, sandwich };

  function free(block: BlockPlan, bots: Hex[]): Hex | null {
    const bot = random.shuffle(bots).find((account) => !block.busy.has(account));
    if (bot) block.busy.add(bot);
    return bot ?? null;
  }

  /** Takes the best cycle there is now, if it is worth it; now and then a second bot sends the same and fails. */
  function arbitrage(block: BlockPlan): Arbitrage | null {
    const best = cycles
      .map((route) => ({ route, ...bestCycle(route, weth, CAPITAL) }))
      .reduce((one, other) => (other.profit > one.profit ? other : one));
    if (best.profit < MIN_PROFIT) return null;
    const bot = free(block, searchers);
    if (!bot) return null;
    // A cycle within the main factory can go through its router, from the searcher's own account.
    const router = best.route.length === 3 && best.route.every(({ venue }) => venue === "main") && random.chance(0.5);
    const plan = router ? throughRouter(bot, best.route, best.amountIn) : throughPools(bot, best.route, best.amountIn);
    const late = random.chance(0.12) ? free(block, searchers) : null;
    const lateData =
      late && (router ? throughRouter(late, best.route, best.amountIn) : throughPools(late, best.route, best.amountIn));
    swapThrough(best.route, weth, best.amountIn);
    block.plans.push(plan);
    if (lateData) block.plans.push({ ...lateData, kind: "arbitrageFailing", fails: true });
    return {
      plan,
      shape: best.route.length === 2 ? "twoPools" : "threePools",
      account: router ? bot : executors.get(bot)!,
      token: weth,
      profit: best.profit,
    };
  }

  function throughRouter(bot: Hex, route: Pair[], amountIn: bigint): Planned {
    const path = [weth];
    for (const pair of route) path.push(otherToken(pair, path.at(-1)!));
    const data = call("v2Router", "swapExactTokensForTokens", [amountIn, amountIn, path, bot, DEADLINE]);
    return {
      kind: "arbitrage",
      from: bot,
      to: mainRouter,
      data,
      gas: 500_000n,
      hidden: true,
      touches: route.map(({ address }) => address),
    };
  }

  /** WETH to the first pair, then from pair to pair and back: no router, no approvals, as bots do. */
  function throughPools(bot: Hex, route: Pair[], amountIn: bigint): Planned {
    const executor = executors.get(bot)!;
    const calls = poolCalls(route, weth, amountIn, executor);
    return {
      kind: "arbitrage",
      from: bot,
      to: executor,
      data: executorInput(calls),
      gas: 500_000n,
      hidden: true,
      touches: route.map(({ address }) => address),
    };
  }

  function poolCalls(route: Pair[], tokenIn: Hex, amountIn: bigint, recipient: Hex) {
    const calls = [{ to: tokenIn, data: call("weth", "transfer", [route[0]!.address, amountIn]) }];
    let [token, amount] = [tokenIn, amountIn];
    for (const [index, pair] of route.entries()) {
      amount = amountOut(pair, token, amount);
      calls.push(pairSwap(pair, token, amount, route[index + 1]?.address ?? recipient));
      token = otherToken(pair, token);
    }
    return calls;
  }

  /** A V2 pair against a V3 pool of the same tokens, at the top of the block, where the node's quote still holds. */
  async function arbitrageV3(block: BlockPlan): Promise<Arbitrage | null> {
    const sizes = ["0.5", "1", "2", "4", "8", "16", "32"].map((size) => parseEther(size));
    const options = pools
      .filter(({ token0, token1 }) => token0 === weth || token1 === weth)
      .flatMap((pool) =>
        pairs
          .filter(({ token0, token1 }) => token0 === pool.token0 && token1 === pool.token1)
          .map((pair) => ({ pool, pair })),
      )
      .flatMap(({ pool, pair }) =>
        sizes.flatMap((size) => [
          { pool, pair, size, v3First: true },
          { pool, pair, size, v3First: false },
        ]),
      );
    const quotes = await node.read(
      options.map(({ pool, pair, size, v3First }) => {
        const token = otherToken(pair, weth);
        const leg = v3First
          ? { tokenIn: weth, tokenOut: token, amountIn: size }
          : { tokenIn: token, tokenOut: weth, amountIn: quote([pair], weth, size) };
        return {
          to: v3Quoter,
          data: call("v3Quoter", "quoteExactInputSingle", [{ ...leg, fee: pool.fee, sqrtPriceLimitX96: 0n }]),
        };
      }),
    );
    const best = options
      .map((option, index) => {
        const [v3Out] = decodeFunctionResult({
          abi: abiOf("v3Quoter"),
          functionName: "quoteExactInputSingle",
          data: quotes[index]!,
        }) as [bigint];
        const end = option.v3First ? quote([option.pair], otherToken(option.pair, weth), v3Out) : v3Out;
        return { ...option, v3Out, profit: end - option.size };
      })
      .reduce((one, other) => (other.profit > one.profit ? other : one));
    if (best.profit < MIN_PROFIT) return null;
    const bot = free(block, searchers);
    if (!bot) return null;
    const executor = executors.get(bot)!;
    const { pair, pool, size, v3First, v3Out } = best;
    const token = otherToken(pair, weth);
    const v3Leg = (tokenIn: Hex, tokenOut: Hex, amountIn: bigint, least: bigint, recipient: Hex) => ({
      to: v3Router,
      data: call("v3Router", "exactInputSingle", [
        {
          tokenIn,
          tokenOut,
          fee: pool.fee,
          recipient,
          deadline: DEADLINE,
          amountIn,
          amountOutMinimum: least,
          sqrtPriceLimitX96: 0n,
        },
      ]),
    });
    const calls = [];
    if (v3First) {
      calls.push(v3Leg(weth, token, size, v3Out, pair.address));
      calls.push(pairSwap(pair, token, swapThrough([pair], token, v3Out)[0]!, executor));
    } else {
      calls.push(...poolCalls([pair], weth, size, executor));
      const amount = swapThrough([pair], weth, size)[0]!;
      calls.push(
        { to: token, data: call("token", "approve", [v3Router, amount]) },
        v3Leg(token, weth, amount, size, executor),
      );
    }
    const plan: Planned = {
      kind: "arbitrage",
      from: bot,
      to: executor,
      data: executorInput(calls),
      gas: 700_000n,
      hidden: true,
    };
    block.plans.push(plan);
    return { plan, shape: "v2v3", account: executor, token: weth, profit: best.profit };
  }

  /**
   * Puts a trade between two of the bot's own, if its slippage leaves something to take. The trade is the last of the block's
   * plans and not yet in the model; more victims follow it, already planned by `more`.
   */
  function sandwich(block: BlockPlan, trades: Trade[]): Sandwich | null {
    const { pair, tokenIn } = trades[0]!;
    if (tokenIn !== weth) return null;
    const front = largestFront(
      pair,
      weth,
      trades.map(({ victim }) => victim),
      CAPITAL,
    );
    if (front < parseEther("0.3")) return null;
    const trial = { ...pair };
    const bought = swapThrough([trial], weth, front)[0]!;
    for (const { victim } of trades) swapThrough([trial], weth, victim.amountIn);
    const token = otherToken(pair, weth);
    const profit = quote([trial], token, bought) - front;
    if (profit < MIN_PROFIT / 4n) return null;
    const bot = free(block, sandwichers);
    if (!bot) return null;
    const executor = executors.get(bot);
    if (!executor && pair.venue !== "main") return null; // without an executor the bot trades through the main router
    const legs = executor
      ? [poolLeg(executor, pair, weth, front, bought), poolLeg(executor, { ...trial }, token, bought, front + profit)]
      : [routerLeg(bot, weth, token, front, bought), routerLeg(bot, token, weth, bought, front + profit)];
    const [first, last] = legs.map(
      (leg, index): Planned => ({
        ...leg,
        kind: index === 0 ? "sandwichFront" : "sandwichBack",
        from: bot,
        gas: 300_000n,
        hidden: true,
      }),
    );
    const victims = trades.map(({ plan }) => plan);
    for (const plan of victims) plan.kind = "sandwichVictim";
    const rest = block.plans.filter((plan) => !victims.includes(plan));
    block.plans.splice(0, Infinity, ...rest, first!, ...victims, last!);
    Object.assign(pair, trial);
    swapThrough([pair], token, bought);
    return { pair: pair.address, tokenIn, front: first!, victims, back: last!, profit };
  }

  function poolLeg(executor: Hex, pair: Pair, tokenIn: Hex, amountIn: bigint, out: bigint) {
    const calls = [
      { to: tokenIn, data: call("token", "transfer", [pair.address, amountIn]) },
      pairSwap(pair, tokenIn, out, executor),
    ];
    return { to: executor, data: executorInput(calls) };
  }

  function routerLeg(bot: Hex, tokenIn: Hex, tokenOut: Hex, amountIn: bigint, least: bigint) {
    return {
      to: mainRouter,
      data: call("v2Router", "swapExactTokensForTokens", [amountIn, least, [tokenIn, tokenOut], bot, DEADLINE]),
    };
  }
}

function pairSwap(pair: Pair, tokenIn: Hex, out: bigint, recipient: Hex) {
  const outs = tokenIn === pair.token0 ? [0n, out] : [out, 0n];
  return { to: pair.address, data: call("v2Pair", "swap", [...outs, recipient, "0x"]) };
}

/** All ways from the token through two or three different pairs and back to it. */
function findCycles(pairs: Pair[], token: Hex): Pair[][] {
  const cycles: Pair[][] = [];
  const walk = (route: Pair[], at: Hex) => {
    if (route.length >= 2 && at === token) cycles.push(route);
    if (route.length >= 3 || (route.length > 0 && at === token)) return;
    for (const pair of pairs) {
      if (!route.includes(pair) && (pair.token0 === at || pair.token1 === at))
        walk([...route, pair], otherToken(pair, at));
    }
  };
  walk([], token);
  return cycles;
}
