import type { Hex } from "viem";

/** A Uniswap V2 pair as the script knows it: exact, so that amounts can be planned before their block is mined. */
export type Pair = {
  address: Hex;
  venue: "main" | "fork";
  token0: Hex;
  token1: Hex;
  reserve0: bigint;
  reserve1: bigint;
};

/** getAmountOut of UniswapV2Library: 0.3 % of the input stays with the pool. */
export function amountOut(pair: Pair, tokenIn: Hex, amountIn: bigint): bigint {
  const [reserveIn, reserveOut] = reservesFrom(pair, tokenIn);
  const afterFee = amountIn * 997n;
  return (afterFee * reserveOut) / (reserveIn * 1000n + afterFee);
}

export function reservesFrom(pair: Pair, tokenIn: Hex): [bigint, bigint] {
  return tokenIn === pair.token0 ? [pair.reserve0, pair.reserve1] : [pair.reserve1, pair.reserve0];
}

export const otherToken = (pair: Pair, token: Hex): Hex => (token === pair.token0 ? pair.token1 : pair.token0);

/** Swaps along pools in the model; gives what each pool paid. */
export function swapThrough(pairs: Pair[], tokenIn: Hex, amountIn: bigint): bigint[] {
  const amounts: bigint[] = [];
  let [token, amount] = [tokenIn, amountIn];
  for (const pair of pairs) {
    const out = amountOut(pair, token, amount);
    if (token === pair.token0) {
      pair.reserve0 += amount;
      pair.reserve1 -= out;
    } else {
      pair.reserve1 += amount;
      pair.reserve0 -= out;
    }
    amounts.push(out);
    token = otherToken(pair, token);
    amount = out;
  }
  return amounts;
}

/** What `swapThrough` would give in the end, leaving the pools as they are. */
export function quote(pairs: Pair[], tokenIn: Hex, amountIn: bigint): bigint {
  let [token, amount] = [tokenIn, amountIn];
  for (const pair of pairs) {
    amount = amountOut(pair, token, amount);
    token = otherToken(pair, token);
  }
  return amount;
}

/** The input of a cycle that leaves most: profit is concave in the input, so a ternary search finds it. */
export function bestCycle(pairs: Pair[], token: Hex, limit: bigint): { amountIn: bigint; profit: bigint } {
  const profit = (amountIn: bigint) => quote(pairs, token, amountIn) - amountIn;
  let [low, high] = [1n, limit];
  for (let round = 0; round < 60 && high - low > 1000n; round++) {
    const third = (high - low) / 3n;
    if (profit(low + third) < profit(high - third)) low += third;
    else high -= third;
  }
  return { amountIn: low, profit: profit(low) };
}

/** A trade that stands in the way of a sandwich: it reverts when it would get less than minOut. */
export type Victim = { amountIn: bigint; minOut: bigint };

/** The largest front-run after which every victim still gets its minimum; zero when there is none. */
export function largestFront(pair: Pair, tokenIn: Hex, victims: Victim[], limit: bigint): bigint {
  const holds = (front: bigint) => {
    const trial = { ...pair };
    swapThrough([trial], tokenIn, front);
    return victims.every(({ amountIn, minOut }) => swapThrough([trial], tokenIn, amountIn)[0]! >= minOut);
  };
  let [low, high] = [0n, limit];
  while (high - low > 1_000_000_000n) {
    const middle = (low + high) / 2n;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}
