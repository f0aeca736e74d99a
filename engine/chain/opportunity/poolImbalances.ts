/**
 * Pools of x · y that a block left out of balance (imbalance.ts): those that traded in it, and those of which it says what they hold. What a side is
 * worth is told by the other ones of these: by its own price a pool is always in balance. So only pools can be flagged both of whose tokens have
 * another price in the block.
 */
import { bigAt, has } from "../../frame/readFrame.ts";
import { FIELD_WIDTH, OFFSET, PRESENT } from "../../frame/schema.ts";
import type { BlockView } from "../blockView.ts";
import { pricesOf, type Traded } from "../mev/prices.ts";
import type { Chain } from "../registry/registry.ts";
import { type Address, NATIVE, type Swap } from "../swap.ts";
import { amountOut, KEEPS, type Pair, sideOf } from "./constantProduct.ts";
import { IMBALANCE_THRESHOLD_PCT, imbalanceOf } from "./imbalance.ts";
import { bestTrade, type Opportunity, type Venue } from "./opportunity.ts";
import { isPair } from "./pool.ts";

/** An opportunity of a block. */
export interface BlockOpportunity extends Opportunity {
  /** Number of the transaction in the block view that moved the pool last; of one that did not trade the block's last. */
  readonly transaction: number;
  readonly pool: Pair;
}

/** As a block left it. */
interface Standing extends Venue {
  readonly pool: Pair;
  /** undefined: the pool did not trade in the block. */
  readonly last: Swap | undefined;
}

/** Each pool is priced by all other swaps. Busy blocks have some 100 pools and 500 swaps; beyond this they are invented logs. */
const MAX_LOOKS = 200_000;
/** Pairs of Uniswap's keep their reserves in 112 bits. */
const MAX_RESERVE = 2n ** 112n;

/**
 * @param swaps of one block, in order
 * @param venues what is known of pools at the block's end, beside what swaps say
 */
export function findPoolImbalances(
  view: BlockView,
  swaps: readonly Swap[],
  chain: Chain | undefined,
  venues: readonly Venue[] = [],
): BlockOpportunity[] {
  if (view.blockNumber === undefined) return [];
  const swapsOf = new Map<Address, Swap[]>();
  for (const swap of swaps) {
    const list = swapsOf.get(swap.pool);
    if (list) list.push(swap);
    else swapsOf.set(swap.pool, [swap]);
  }
  const told = venues.flatMap(({ pool, dex }): Standing[] =>
    isPair(pool) && pool.reserve0 > 0n && pool.reserve1 > 0n
      ? [{ pool, dex, last: swapsOf.get(pool.address)?.at(-1) }]
      : [],
  );
  const isTold = new Set(told.map(({ pool }) => pool.address));
  const traded: Traded[] = [...swaps, ...told.flatMap(({ pool, last }) => (last ? [] : [tradedOf(pool)]))];
  const isPriced = pricedTokens(
    [...[...swapsOf.values()].map(([swap]) => swap!), ...traded.slice(swaps.length)],
    chain,
  );
  const standings = new Map<string, Standing[]>();
  let count = 0;
  function add(standing: Standing): void {
    const key = `${standing.pool.token0} ${standing.pool.token1}`;
    const alike = standings.get(key);
    if (alike) alike.push(standing);
    else standings.set(key, [standing]);
    count++;
  }
  for (const standing of told) if (isPriced(standing.pool.token0) && isPriced(standing.pool.token1)) add(standing);
  for (const [pool, own] of swapsOf) {
    const { tokenIn, tokenOut, after } = own.at(-1)!;
    if (isTold.has(pool) || !after || !("reserve0" in after) || !isPriced(tokenIn) || !isPriced(tokenOut)) continue;
    const standing = standingOf(pool, own);
    if (standing) add(standing);
    if (count * traded.length > MAX_LOOKS) return [];
  }
  const found: BlockOpportunity[] = [];
  for (const alike of standings.values()) {
    for (const { pool: pair, dex, last } of alike) {
      const prices = pricesOf(
        traded.filter(({ pool }) => pool !== pair.address),
        chain,
      );
      const side = (token: Address, reserve: bigint) => ({ amount: Number(reserve), price: prices(token) ?? null });
      const imbalance = imbalanceOf(side(pair.token0, pair.reserve0), side(pair.token1, pair.reserve1));
      if (imbalance === undefined || imbalance.pct === null || imbalance.pct < IMBALANCE_THRESHOLD_PCT) continue;
      const transaction = last?.transaction ?? view.frames.length - 1;
      const others = alike.filter((other) => other.pool !== pair);
      const trade = bestTrade(pair, others, { chain, prices, gasPrice: paidGasPrice(view, transaction) });
      found.push({
        ...{ kind: "pool_imbalance", transaction, logIndex: last?.logIndex ?? null },
        ...{ stateBlock: view.blockNumber, dex, pool: pair, imbalance, trade, exposure: null },
        ...(trade
          ? { confidence: "high", reason: "another pool of the two tokens leaves a profit" }
          : {
              confidence: "medium",
              reason: "by the prices of other pools of the block; no other of the two tokens traded",
            }),
        evidence: last ? [last.logIndex] : [],
      } as BlockOpportunity);
    }
  }
  return found.sort(
    (a, b) => a.transaction - b.transaction || (a.logIndex ?? Infinity) - (b.logIndex ?? Infinity) || 0,
  );
}

/** A pool that nobody traded through, as a swap would have left it. */
const tradedOf = ({ address: pool, token0, token1, reserve0, reserve1 }: Pair): Traded => ({
  ...{ pool, tokenIn: token0, tokenOut: token1, after: { reserve0, reserve1 } },
});

/**
 * Tokens that have a price of their own, or are in two pools or more of the block: most are in one, and need no further look.
 * @param ofPools one of each pool
 */
function pricedTokens(ofPools: readonly Traded[], chain: Chain | undefined) {
  const pools = new Map<Address, number>();
  for (const { tokenIn, tokenOut } of ofPools)
    for (const token of [tokenIn, tokenOut]) pools.set(token, (pools.get(token) ?? 0) + 1);
  return (token: Address): boolean =>
    token === NATIVE || token === chain?.wrapped || (chain?.stableCoins.has(token) ?? false) || pools.get(token)! > 1;
}

/** @returns undefined for a pool of which no swap shows that it keeps x · y: pools of other curves log the same */
function standingOf(pool: Address, swaps: readonly Swap[]): Standing | undefined {
  const last = swaps.at(-1)!;
  const [token0, token1] = last.tokenIn < last.tokenOut ? [last.tokenIn, last.tokenOut] : [last.tokenOut, last.tokenIn];
  const pairs = swaps.flatMap(({ after, tokenIn }) => {
    if (!after || !("reserve0" in after) || (tokenIn !== token0 && tokenIn !== token1)) return [];
    const { reserve0, reserve1 } = after;
    if (reserve0 <= 0n || reserve1 <= 0n || reserve0 >= MAX_RESERVE || reserve1 >= MAX_RESERVE) return [];
    return [{ address: pool, token0, token1, reserve0, reserve1 }];
  });
  if (pairs.length < swaps.length) return undefined;
  const shows = (keep: bigint): number => swaps.filter((swap, i) => isExactly(swap, { ...pairs[i]!, keep })).length;
  const counts = KEEPS.map(shows);
  const most = Math.max(...counts);
  if (most === 0) return undefined;
  return { pool: { ...pairs.at(-1)!, keep: KEEPS[counts.indexOf(most)]! }, dex: last.protocol, last };
}

/** Did the swap pay what a pool of this fee pays at most? @param after as the swap left it */
function isExactly({ tokenIn, amountIn, amountOut: out }: Swap, after: Pair): boolean {
  const { reserveIn, reserveOut, keep } = sideOf(after, tokenIn)!;
  return amountOut({ reserveIn: reserveIn - amountIn, reserveOut: reserveOut + out, keep }, amountIn) === out;
}

function paidGasPrice(view: BlockView, transaction: number): bigint | null {
  const frame = view.frames[transaction]!;
  if (!has(view, frame, PRESENT.effectiveGasPrice)) return null;
  return bigAt(view, frame + OFFSET.effectiveGasPrice, FIELD_WIDTH.u128);
}
