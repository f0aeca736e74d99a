import { type Hex, maxUint256, parseEther, stringToHex } from "viem";
import type { Planned } from "./chain.ts";
import { call, creation } from "./contracts.ts";
import type { createLedger } from "./ledger.ts";
import { otherToken, type Pair, quote, reservesFrom, swapThrough, type Victim } from "./market.ts";
import type { Random } from "./random.ts";
import type { Scene } from "./scene.ts";

/** What a block's planning shares: each account sends at most once a block, so that nobody sandwiches by accident. */
export type BlockPlan = { plans: Planned[]; last: Planned[]; busy: Set<Hex>; seconds: number };
export type Trade = { plan: Planned; pair: Pair; tokenIn: Hex; victim: Victim };

const PAST_DEADLINE_SECONDS = 300;

/** Everyday users: transfers, approvals, swaps good and bad. */
export function createTraders(options: {
  random: Random;
  scene: Scene;
  ledger: ReturnType<typeof createLedger>;
  users: Hex[];
  whales: Hex[];
}) {
  const { random, scene, ledger, users, whales } = options;
  const { weth, mainRouter, forkRouter, v3Router, pairs, pools, taxed } = scene;
  const tradedPairs = pairs.filter(({ token0, token1 }) => token0 !== taxed.address && token1 !== taxed.address);
  const allowances = new Map<string, bigint>();
  const ether = (from: number, to: number) => parseEther(random.logUniform(from, to).toFixed(9));
  const routerOf = (pair: Pair) => (pair.venue === "main" ? mainRouter : forkRouter);
  const deadline = (block: BlockPlan) => BigInt(block.seconds + random.int(60, 1800));

  const makers = {
    ethTransfer,
    whaleTransfer,
    calldata,
    tokenTransfer,
    tokenTransferFailing,
    approval,
    wrap,
    buy,
    sell,
    multi,
    swapV3,
    swapV3Multi,
    swapV3Failing,
    taxedSwap,
    tooLittle,
    expired,
    liquidity,
    creation: newToken,
    ownership,
  };
  const weights: Record<keyof typeof makers, number> = {
    ethTransfer: 22,
    whaleTransfer: 0.7,
    calldata: 1.2,
    tokenTransfer: 11,
    tokenTransferFailing: 0.5,
    approval: 5,
    wrap: 2,
    buy: 20,
    sell: 17,
    multi: 7,
    swapV3: 8,
    swapV3Multi: 3,
    swapV3Failing: 1,
    taxedSwap: 1.2,
    tooLittle: 2.5,
    expired: 1.2,
    liquidity: 0.8,
    creation: 0.4,
    ownership: 0.25,
  };

  return {
    /** Adds one more user's transaction to the block; a large plain swap comes back, for others to make use of. */
    add(block: BlockPlan): Trade | null {
      return makers[random.weighted(weights)](block) || null;
    },
    /** Another user who buys the same, as careless as the first: sandwiches with several victims. */
    follow(block: BlockPlan, { pair, tokenIn, victim }: Trade): Trade | null {
      const from = user(block);
      const value = (victim.amountIn * BigInt(random.int(200, 900))) / 1000n;
      const after = { ...pair };
      swapThrough([after], tokenIn, victim.amountIn);
      return from && swap(block, { pair, tokenIn, amountIn: value, from, value, careless: true, after });
    },
  };

  /** A few accounts do most of the trading, as everywhere. */
  function user(block: BlockPlan, accept: (account: Hex) => boolean = () => true): Hex | null {
    for (let attempt = 0; attempt < 40; attempt++) {
      const account = users[Math.floor(users.length * random.next() ** 1.8)]!;
      if (block.busy.has(account) || !accept(account)) continue;
      block.busy.add(account);
      return account;
    }
    return null;
  }

  function push(block: BlockPlan, from: Hex | null, plan: Omit<Planned, "from">): Planned | null {
    if (!from) return null;
    const full = { from, ...plan };
    block.plans.push(full);
    return full;
  }

  function ethTransfer(block: BlockPlan): void {
    push(block, user(block), { kind: "ethTransfer", to: random.pick(users), value: ether(0.0005, 60), gas: 21_000n });
  }

  function whaleTransfer(block: BlockPlan): void {
    const from = random.pick(whales);
    if (block.busy.has(from)) return;
    block.busy.add(from);
    push(block, from, { kind: "ethTransfer", to: random.pick(whales), value: ether(100, 4000), gas: 21_000n });
  }

  /** Inscriptions and rollup data: no value, kilobytes of input. */
  function calldata(block: BlockPlan): void {
    const items = Array.from(
      { length: random.int(1, 60) },
      (_, index) => `{"p":"erc-20","op":"mint","tick":"weir","id":"${index}","amt":"1000"}`,
    );
    const from = user(block);
    if (from)
      push(block, from, {
        kind: "calldata",
        to: from,
        data: stringToHex(`data:application/json,[${items}]`),
        gas: 400_000n,
      });
  }

  function tokenTransfer(block: BlockPlan): void {
    const token = random.pick(scene.tokens).address;
    const from = user(block, (account) => ledger.held(token, account) > 10n ** 15n);
    if (!from) return;
    const amount = (ledger.held(token, from) * BigInt(random.int(1, 400))) / 1000n;
    push(block, from, {
      kind: "tokenTransfer",
      to: token,
      data: call("token", "transfer", [random.pick(users), amount]),
      gas: 90_000n,
    });
  }

  function tokenTransferFailing(block: BlockPlan): void {
    const token = random.pick(scene.tokens).address;
    const from = user(block);
    if (!from) return;
    const amount = ledger.held(token, from) + parseEther("1000");
    push(block, from, {
      kind: "tokenTransferFailing",
      to: token,
      data: call("token", "transfer", [random.pick(users), amount]),
      gas: 90_000n,
      fails: true,
    });
  }

  function approve(block: BlockPlan, from: Hex, token: Hex, spender: Hex, amount: bigint): void {
    allowances.set(`${from} ${token} ${spender}`, amount);
    push(block, from, { kind: "approval", to: token, data: call("token", "approve", [spender, amount]), gas: 60_000n });
  }

  function approval(block: BlockPlan): void {
    const from = user(block);
    if (!from) return;
    const unlimited = random.chance(0.6);
    approve(
      block,
      from,
      random.pick(scene.tokens).address,
      random.pick([mainRouter, forkRouter, v3Router]),
      unlimited ? maxUint256 : ether(10, 1e6),
    );
  }

  function wrap(block: BlockPlan): void {
    const from = user(block);
    if (!from) return;
    const held = ledger.held(weth, from);
    if (held > 10n ** 15n && random.chance(0.5))
      push(block, from, { kind: "wrap", to: weth, data: call("weth", "withdraw", [held / 2n]), gas: 60_000n });
    else
      push(block, from, {
        kind: "wrap",
        to: weth,
        value: ether(0.01, 40),
        data: call("weth", "deposit"),
        gas: 60_000n,
      });
  }

  /** Ether for a token on a pair with WETH. */
  function buy(block: BlockPlan): Trade | null {
    const pair = random.pick(tradedPairs.filter(({ token0, token1 }) => token0 === weth || token1 === weth));
    const from = user(block);
    if (!from) return null;
    const [reserve] = reservesFrom(pair, weth);
    const amountIn = random.chance(0.12) ? share(reserve, 0.008, 0.04) : ether(0.01, 4);
    return swap(block, { pair, tokenIn: weth, amountIn, from, value: amountIn });
  }

  /** A token that the user holds for ether or another token, after an approval in an earlier block. */
  function sell(block: BlockPlan): Trade | null {
    const pair = random.pick(tradedPairs);
    const tokenIn = random.pick([pair.token0, pair.token1].filter((token) => token !== weth));
    const from = user(block, (account) => ledger.held(tokenIn, account) > 10n ** 14n);
    if (!from) return null;
    const [reserve] = reservesFrom(pair, tokenIn);
    const most = min(ledger.held(tokenIn, from), share(reserve, 0.02, 0.03));
    const amountIn = (most * BigInt(random.int(200, 1000))) / 1000n;
    if (!allowed(block, from, tokenIn, routerOf(pair), amountIn)) return null;
    return swap(block, { pair, tokenIn, amountIn, from });
  }

  /** True where the allowance is there; else asks for it now, and the sale can wait for a later block. */
  function allowed(block: BlockPlan, from: Hex, token: Hex, spender: Hex, amount: bigint): boolean {
    const key = `${from} ${token} ${spender}`;
    const allowance = allowances.get(key) ?? 0n;
    if (allowance < amount) {
      approve(block, from, token, spender, random.chance(0.65) ? maxUint256 : amount * 3n);
      return false;
    }
    allowances.set(key, allowance - amount);
    return true;
  }

  function swap(
    block: BlockPlan,
    trade: { pair: Pair; tokenIn: Hex; amountIn: bigint; from: Hex; value?: bigint; careless?: boolean; after?: Pair },
  ): Trade {
    const { pair, tokenIn, amountIn, from, value, careless = random.chance(0.5), after = pair } = trade;
    // Careless users allow 2 to 8 %: what sandwiches live on.
    const slippage = careless ? random.int(20, 80) : random.int(1, 10);
    const minOut = (quote([after], tokenIn, amountIn) * BigInt(1000 - slippage)) / 1000n;
    const out = otherToken(pair, tokenIn);
    const tail = [[tokenIn, out], from, deadline(block)];
    const data =
      value !== undefined
        ? call("v2Router", "swapExactETHForTokens", [minOut, ...tail])
        : out === weth && random.chance(0.8)
          ? call("v2Router", "swapExactTokensForETH", [amountIn, minOut, ...tail])
          : call("v2Router", "swapExactTokensForTokens", [amountIn, minOut, ...tail]);
    const plan = push(block, from, {
      kind: "swapV2",
      to: routerOf(pair),
      data,
      value,
      gas: 260_000n,
      touches: [pair.address],
    })!;
    return { plan, pair, tokenIn, victim: { amountIn, minOut } };
  }

  function multi(block: BlockPlan): void {
    const [first, second] = random.pick(routesFrom(weth));
    const from = user(block);
    if (!from) return;
    const value = ether(0.05, 3);
    const middle = otherToken(first, weth);
    const path = [weth, middle, otherToken(second, middle)];
    const minOut = (quote([first, second], weth, value) * 950n) / 1000n;
    swapThrough([first, second], weth, value);
    push(block, from, {
      kind: "swapV2Multi",
      to: mainRouter,
      value,
      data: call("v2Router", "swapExactETHForTokens", [minOut, path, from, deadline(block)]),
      gas: 400_000n,
      touches: [first.address, second.address],
    });
  }

  /** Two pairs of the main factory, one after the other, that do not lead back. */
  function routesFrom(token: Hex): [Pair, Pair][] {
    const main = tradedPairs.filter(({ venue }) => venue === "main");
    const touching = (wanted: Hex) => main.filter(({ token0, token1 }) => token0 === wanted || token1 === wanted);
    return touching(token).flatMap((first) => {
      const middle = otherToken(first, token);
      return touching(middle)
        .filter((second) => otherToken(second, middle) !== token)
        .map((second): [Pair, Pair] => [first, second]);
    });
  }

  function swapV3(block: BlockPlan): void {
    const pool = random.pick(pools.filter(({ token0, token1 }) => token0 === weth || token1 === weth));
    const out = pool.token0 === weth ? pool.token1 : pool.token0;
    const seller = random.chance(0.45) ? user(block, (account) => ledger.held(out, account) > 10n ** 14n) : null;
    if (seller) {
      const amountIn = ledger.held(out, seller) / 4n;
      if (!allowed(block, seller, out, v3Router, amountIn)) return;
      push(
        block,
        seller,
        v3Single(block, {
          from: seller,
          tokenIn: out,
          tokenOut: weth,
          fee: pool.fee,
          amountIn,
          minOut: 1n,
          pool: pool.address,
        }),
      );
      return;
    }
    const from = user(block);
    const value = ether(0.02, 6);
    if (from)
      push(block, from, {
        ...v3Single(block, {
          from,
          tokenIn: weth,
          tokenOut: out,
          fee: pool.fee,
          amountIn: value,
          minOut: 1n,
          pool: pool.address,
        }),
        value,
      });
  }

  type V3Single = { from: Hex; tokenIn: Hex; tokenOut: Hex; fee: number; amountIn: bigint; minOut: bigint; pool: Hex };
  function v3Single(block: BlockPlan, { from, minOut, pool, ...route }: V3Single): Omit<Planned, "from"> {
    const params = {
      ...route,
      recipient: from,
      deadline: deadline(block),
      amountOutMinimum: minOut,
      sqrtPriceLimitX96: 0n,
    };
    return {
      kind: "swapV3",
      to: v3Router,
      data: call("v3Router", "exactInputSingle", [params]),
      gas: 320_000n,
      touches: [pool],
    };
  }

  function swapV3Multi(block: BlockPlan): void {
    const from = user(block);
    if (!from) return;
    const [dollar, euro] = [scene.tokens[0]!.address, scene.tokens[1]!.address];
    const path = `${weth}${hex24(500)}${dollar.slice(2)}${hex24(500)}${euro.slice(2)}`;
    const value = ether(0.05, 3);
    const params = { path, recipient: from, deadline: deadline(block), amountIn: value, amountOutMinimum: 1n };
    push(block, from, {
      kind: "swapV3Multi",
      to: v3Router,
      value,
      data: call("v3Router", "exactInput", [params]),
      gas: 450_000n,
    });
  }

  function swapV3Failing(block: BlockPlan): void {
    const from = user(block);
    if (!from) return;
    const pool = pools[0]!;
    const tokenOut = pool.token0 === weth ? pool.token1 : pool.token0;
    const value = ether(0.05, 2);
    const late = random.chance(0.4);
    const params = {
      tokenIn: weth,
      tokenOut,
      fee: pool.fee,
      recipient: from,
      deadline: late ? BigInt(block.seconds - PAST_DEADLINE_SECONDS) : deadline(block),
      amountIn: value,
      amountOutMinimum: late ? 1n : value * 10n ** 6n,
      sqrtPriceLimitX96: 0n,
    };
    push(block, from, {
      kind: "swapV3Failing",
      to: v3Router,
      value,
      data: call("v3Router", "exactInputSingle", [params]),
      gas: 320_000n,
      fails: true,
    });
  }

  /** The token keeps 1 % of every transfer: the pool receives less than was sent. */
  function taxedSwap(block: BlockPlan): void {
    const from = user(block);
    if (!from) return;
    const data = call("v2Router", "swapExactETHForTokensSupportingFeeOnTransferTokens", [
      1n,
      [weth, taxed.address],
      from,
      deadline(block),
    ]);
    const held = ledger.held(taxed.address, from);
    if (held < 10n ** 15n)
      return void push(block, from, {
        kind: "swapV2Taxed",
        to: mainRouter,
        value: ether(0.01, 0.5),
        data,
        gas: 350_000n,
      });
    if (!allowed(block, from, taxed.address, mainRouter, held / 2n)) return;
    const back = call("v2Router", "swapExactTokensForETHSupportingFeeOnTransferTokens", [
      held / 2n,
      1n,
      [taxed.address, weth],
      from,
      deadline(block),
    ]);
    push(block, from, { kind: "swapV2Taxed", to: mainRouter, data: back, gas: 350_000n });
  }

  /** Wants more than the pool gives: the price moved away, or a bot was faster. */
  function tooLittle(block: BlockPlan): void {
    const pair = random.pick(tradedPairs.filter(({ token0, token1 }) => token0 === weth || token1 === weth));
    const from = user(block);
    if (!from) return;
    const value = ether(0.05, 5);
    const minOut = (quote([pair], weth, value) * BigInt(random.int(1150, 1600))) / 1000n;
    const data = call("v2Router", "swapExactETHForTokens", [
      minOut,
      [weth, otherToken(pair, weth)],
      from,
      deadline(block),
    ]);
    push(block, from, { kind: "swapTooLittle", to: routerOf(pair), value, data, gas: 260_000n, fails: true });
  }

  function expired(block: BlockPlan): void {
    const from = user(block);
    if (!from) return;
    const data = call("v2Router", "swapExactETHForTokens", [
      1n,
      [weth, scene.tokens[0]!.address],
      from,
      BigInt(block.seconds - PAST_DEADLINE_SECONDS),
    ]);
    push(block, from, {
      kind: "swapExpired",
      to: random.pick([mainRouter, forkRouter]),
      value: ether(0.05, 5),
      data,
      gas: 260_000n,
      fails: true,
    });
  }

  /** Goes to the end of the block: the model of the pools does not follow it within one. */
  function liquidity(block: BlockPlan): void {
    if (block.busy.has(scene.deployer)) return;
    block.busy.add(scene.deployer);
    const pair = random.pick(
      tradedPairs.filter(({ token0, token1, venue }) => venue === "main" && token0 !== weth && token1 !== weth),
    );
    const amounts = [pair.reserve0 / 200n, pair.reserve1 / 200n];
    const data = call("v2Router", "addLiquidity", [
      pair.token0,
      pair.token1,
      ...amounts,
      0n,
      0n,
      scene.deployer,
      deadline(block),
    ]);
    block.last.push({ kind: "liquidity", from: scene.deployer, to: mainRouter, data, gas: 400_000n });
  }

  function newToken(block: BlockPlan): void {
    const from = user(block);
    const number = random.int(1, 9999);
    if (from)
      push(block, from, {
        kind: "deployment",
        to: null,
        data: creation("token", [`Sapling ${number}`, `SAP${number}`, parseEther("1000000"), from]),
        gas: 2_000_000n,
      });
  }

  function ownership(block: BlockPlan): void {
    if (block.busy.has(scene.deployer)) return;
    block.busy.add(scene.deployer);
    const which = random.int(0, 2);
    const [admin, proxy] = [scene.admins[which]!, scene.proxies[which]!];
    const data = random.chance(0.5)
      ? call("proxyAdmin", "transferOwnership", [scene.deployer])
      : call("proxyAdmin", "upgrade", [proxy, random.pick(scene.tokens).address]);
    push(block, scene.deployer, { kind: "ownership", to: admin, data, gas: 120_000n });
  }

  function share(reserve: bigint, from: number, to: number): bigint {
    return (reserve * BigInt(Math.round(random.logUniform(from, to) * 1e6))) / 1_000_000n;
  }
}

const min = (one: bigint, other: bigint) => (one < other ? one : other);
const hex24 = (fee: number): string => fee.toString(16).padStart(6, "0");
