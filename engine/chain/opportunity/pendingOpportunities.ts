/** What a router's call that waits would leave behind for others, and what others could take from it: by what its record says of the pools. */
import { bigAt, extraText, type FrameBytes, has, hexAt, u32At } from "../../frame/readFrame.ts";
import { FIELD_WIDTH, OFFSET, PRESENT } from "../../frame/schema.ts";
import type { Chain } from "../registry/registry.ts";
import { exposureIn } from "./exposure.ts";
import { imbalanceOf } from "./imbalance.ts";
import { type KnownMarket, readMarket } from "./market.ts";
import { bestTrade, type Opportunity } from "./opportunity.ts";
import { type Pool, reservesOf, swapGas, tradeOf } from "./pool.ts";
import { type Hop, type Prediction, predictSwaps } from "./predictSwap.ts";
import { readRouterSwaps } from "./routerSwap.ts";

/** An opportunity behind a swap that waits, with what is known of its tokens. */
export interface PendingOpportunity extends Opportunity {
  readonly decimals: KnownMarket["decimalsOf"];
}

/**
 * One for each pool that the call moves and would leave with something to earn after gas, or in which a sandwich would pay its gas. Gas is
 * reckoned at the price that the call itself offers, which who goes right behind it must offer, too.
 *
 * Of a record that says nothing of pools it costs a look at a length, of any other transaction one at four bytes of its input.
 *
 * @param frame byte offset of a pending transaction
 */
export function findPendingOpportunities(
  frames: FrameBytes,
  frame: number,
  chain: Chain | undefined,
): PendingOpportunity[] {
  if (u32At(frames, frame + OFFSET.extraLength) === 0 || !has(frames, frame, PRESENT.to)) return [];
  const swaps = readRouterSwaps(frames, frame);
  if (swaps.length === 0 || chain === undefined) return [];
  const router = hexAt(frames, frame + OFFSET.to, 20);
  if (!chain.v2Routers.has(router) && !chain.v3Routers.has(router)) return [];
  const market = readMarket(extraText(frames, frame), chain);
  const prediction = market && predictSwaps(market, router, swaps);
  if (!market || !prediction || prediction.reverts) return [];
  const gasPrice = offeredGasPrice(frames, frame);
  const valuation = { chain, prices: market.prices, gasPrice };
  const mayBeTaxed = swaps.some((swap) => swap.mayBeTaxed);
  return [...prediction.after].flatMap(([address, pool]): PendingOpportunity[] => {
    const others = market
      .othersOf(pool)
      .map((venue) => ({ ...venue, pool: prediction.after.get(venue.pool.address) ?? venue.pool }));
    const found = bestTrade(pool, others, valuation);
    const trade = found !== null && (found.net === null || found.net > 0n) ? found : null;
    const through = prediction.hops.filter((hop) => hop.pool.address === address);
    const exposure = through.length === 1 ? exposureOf(prediction, through[0]!) : null;
    if (trade === null && !pays(exposure, pool, chain, gasPrice)) return [];
    const common = { kind: "pending_backrun", logIndex: null, stateBlock: market.stateBlock } as const;
    return [
      {
        ...common,
        ...{ dex: market.dexOf(pool), pool, trade, exposure, evidence: [], decimals: market.decimalsOf },
        imbalance: gapBetween(pool, trade?.other ?? others[0]?.pool),
        ...(mayBeTaxed
          ? { confidence: "medium", reason: "the sender allows for a taxed token: less may reach the pool" }
          : { confidence: "high", reason: "the contracts' own integers over the pools at the end of state_block" }),
      },
    ];
  });
}

/** A pool's imbalance where its tokens are priced by another pool; without one by nothing. */
function gapBetween(pool: Pool, other: Pool | undefined) {
  const [held, beside] = [reservesOf(pool), other && reservesOf(other)];
  const price = beside && beside[0] > 0n ? Number(beside[1]) / Number(beside[0]) : null;
  // Both sides hold something: the pool has just paid out less than it had.
  return imbalanceOf(
    { amount: Number(held[0]), price },
    { amount: Number(held[1]), price: price === null ? null : 1 },
  )!;
}

/**
 * What a sandwich around one hop could take. The least that this hop must give is what the hops behind it need so that the last one gives
 * what the sender asks for. Of a swap for a fixed output it is not reckoned: there, its limit is what it pays.
 */
function exposureOf({ hops }: Prediction, { swap, step, pool, tokenIn, amountIn }: Hop): Opportunity["exposure"] {
  if (swap.exact === "out" || swap.limit === null) return null;
  let least: bigint | undefined = swap.limit;
  for (const hop of hops.toReversed())
    if (hop.swap === swap && hop.step > step && least !== undefined && least > 0n)
      least = tradeOf(hop.pool, hop.tokenIn, "out", least)?.amountIn;
  const exposure = least === undefined ? undefined : exposureIn(pool, tokenIn, amountIn, least);
  return exposure && exposure.front > 0n ? { ...exposure, token: tokenIn } : null;
}

/** Would a sandwich in the chain's coin pay for its two swaps? In another token it is not said. */
function pays(exposure: Opportunity["exposure"], pool: Pool, chain: Chain, gasPrice: bigint | null): boolean {
  if (exposure === null || gasPrice === null || exposure.token !== chain.wrapped) return false;
  return exposure.profit > 2n * swapGas(pool) * gasPrice;
}

function offeredGasPrice(frames: FrameBytes, frame: number): bigint | null {
  for (const name of ["gasPrice", "maxFeePerGas"] as const)
    if (has(frames, frame, PRESENT[name])) return bigAt(frames, frame + OFFSET[name], FIELD_WIDTH.u128);
  return null;
}
