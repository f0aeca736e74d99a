import type { Address } from "../swap.ts";
import { otherToken } from "./constantProduct.ts";
import { type Pool, type Trade, tradeOf } from "./pool.ts";
import type { RouterSwap } from "./routerSwap.ts";

/** Pools as they were after the last block that is known. */
export interface Market {
  /** The pool through which a router trades two tokens. @param fee hundredths of a bip, of a concentrated pool; undefined: a pair */
  poolOf(router: Address, one: Address, other: Address, fee: number | undefined): Pool | undefined;
  /** All pools of two tokens, on any venue. */
  poolsOf(one: Address, other: Address): readonly Pool[];
}

export interface Hop extends Trade {
  /** Which of the call's swaps it belongs to, and where it stands on its path. */
  readonly swap: RouterSwap;
  readonly step: number;
  /** Before the trade. */
  readonly pool: Pool;
  readonly tokenIn: Address;
  readonly tokenOut: Address;
}

/** What a router's call would do if it were the next to be executed. */
export interface Prediction {
  readonly hops: readonly Hop[];
  /** Pools that it moves, as it leaves them. */
  readonly after: ReadonlyMap<Address, Pool>;
  /** A swap of it gets less, or has to pay more, than its sender agreed to: it will revert, and nothing of this happens. */
  readonly reverts: boolean;
}

/**
 * @param swaps of one call, in order: each meets what those before it left
 * @returns undefined where a pool of a path is not known, or has not what is asked of it as far as it is known
 */
export function predictSwaps(market: Market, router: Address, swaps: readonly RouterSwap[]): Prediction | undefined {
  const after = new Map<Address, Pool>();
  const all: Hop[] = [];
  let reverts = false;
  for (const swap of swaps) {
    const pools: Pool[] = [];
    for (let i = 0; i + 1 < swap.path.length; i++) {
      const found = market.poolOf(router, swap.path[i]!, swap.path[i + 1]!, swap.fees?.[i]);
      // Through one pool twice: the second trade meets what the first left, which a router's quote does not know of either.
      if (found === undefined || pools.some(({ address }) => address === found.address)) return undefined;
      pools.push(after.get(found.address) ?? found);
    }
    // What the swap before it bought, where that is what it pays with.
    const before = all.at(-1);
    if (swap.amount === null && before?.tokenOut !== swap.path[0]) return undefined;
    const hops = hopsOf(swap, pools, swap.amount ?? before!.amountOut);
    if (hops === undefined) return undefined;
    const { limit } = swap;
    if (limit !== null) reverts ||= swap.exact === "in" ? hops.at(-1)!.amountOut < limit : hops[0]!.amountIn > limit;
    for (const hop of hops) after.set(hop.pool.address, hop.after);
    all.push(...hops);
  }
  return { hops: all, after, reverts };
}

function hopsOf(swap: RouterSwap, pools: readonly Pool[], amount: bigint): Hop[] | undefined {
  const { path, exact } = swap;
  const hops: Hop[] = [];
  // An exact output is reckoned from its end.
  const steps = exact === "in" ? pools.keys() : [...pools.keys()].reverse();
  for (const step of steps) {
    const [pool, tokenIn] = [pools[step]!, path[step]!];
    const trade = tradeOf(pool, tokenIn, exact, amount);
    if (trade === undefined) return undefined;
    hops.push({ ...trade, swap, step, pool, tokenIn, tokenOut: otherToken(pool, tokenIn) });
    amount = exact === "in" ? trade.amountOut : trade.amountIn;
  }
  return exact === "in" ? hops : hops.reverse();
}
