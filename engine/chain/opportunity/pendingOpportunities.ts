/** What a router swap that waits would leave behind for others, and what others could take from it: by what its record says of the pools. */
import { bigAt, extraText, type FrameBytes, has, hexAt, u32At } from "../../frame/readFrame.ts";
import { FIELD_WIDTH, OFFSET, PRESENT } from "../../frame/schema.ts";
import type { Chain } from "../registry/registry.ts";
import { BACKRUN_GAS } from "./backrun.ts";
import { amountIn, type Pair, sideOf } from "./constantProduct.ts";
import { sandwichExposure } from "./exposure.ts";
import { imbalanceOf } from "./imbalance.ts";
import { type KnownMarket, readMarket } from "./market.ts";
import { bestTrade, type Opportunity } from "./opportunity.ts";
import { type Prediction, predictSwap } from "./predictSwap.ts";
import { type RouterSwap, readRouterSwap } from "./routerSwap.ts";

/** An opportunity behind a swap that waits, with what is known of its tokens. */
export interface PendingOpportunity extends Opportunity {
  readonly decimals: KnownMarket["decimalsOf"];
}

/**
 * One for each pool on the swap's path that it would leave with something to earn after gas, or in which a sandwich would pay its gas. Gas is
 * reckoned at the price that the swap itself offers, which who goes right behind it must offer, too.
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
  const swap = readRouterSwap(frames, frame);
  if (swap === undefined || chain === undefined) return [];
  const router = hexAt(frames, frame + OFFSET.to, 20);
  if (!chain.v2Routers.has(router)) return [];
  const market = readMarket(extraText(frames, frame), chain);
  const prediction = market && predictSwap(market, router, swap);
  if (!market || !prediction || prediction.reverts) return [];
  const gasPrice = offeredGasPrice(frames, frame);
  const valuation = { chain, prices: market.prices, gasPrice };
  const moved = new Map(prediction.after.map((pair) => [pair.address, pair]));
  return prediction.after.flatMap((pair, hop): PendingOpportunity[] => {
    const others = market
      .othersOf(pair)
      .map((venue) => ({ ...venue, pair: moved.get(venue.pair.address) ?? venue.pair }));
    const found = bestTrade(pair, others, valuation);
    const trade = found !== null && (found.net === null || found.net > 0n) ? found : null;
    const exposure = exposureOf(swap, prediction, hop);
    if (trade === null && !pays(exposure, chain, gasPrice)) return [];
    const common = { kind: "pending_backrun", logIndex: null, stateBlock: market.stateBlock } as const;
    return [
      {
        ...common,
        ...{ dex: market.dexOf(pair), pair, trade, exposure, evidence: [], decimals: market.decimalsOf },
        imbalance: gapBetween(pair, trade?.other ?? others[0]?.pair),
        ...(swap.mayBeTaxed
          ? { confidence: "medium", reason: "the sender allows for a taxed token: less may reach the pool" }
          : { confidence: "high", reason: "the contracts' own integers over the reserves at the end of state_block" }),
      },
    ];
  });
}

/** A pool's imbalance where its tokens are priced by another pool; without one by nothing. */
function gapBetween(pair: Pair, other: Pair | undefined) {
  const price = other && other.reserve0 > 0n ? Number(other.reserve1) / Number(other.reserve0) : null;
  const amounts = [Number(pair.reserve0), Number(pair.reserve1)] as const;
  // Both sides hold something: the pool has just paid out less than it had.
  return imbalanceOf({ amount: amounts[0], price }, { amount: amounts[1], price: price === null ? null : 1 })!;
}

/**
 * What a sandwich around one hop could take. The least that this hop must give is what the hops behind it need so that the last one gives
 * what the sender asks for. Of a swap for a fixed output it is not reckoned: there, its limit is what it pays.
 *
 * An attacker is taken to bring no more than the pool holds.
 */
function exposureOf(swap: RouterSwap, { hops }: Prediction, hop: number): Opportunity["exposure"] {
  if (swap.exact === "out") return null;
  let least: bigint | undefined = swap.limit;
  for (let i = hops.length - 1; i > hop && least !== undefined && least > 0n; i--)
    least = amountIn(sideOf(hops[i]!.pair, hops[i]!.tokenIn)!, least);
  const { pair, tokenIn, amountIn: paid } = hops[hop]!;
  const side = sideOf(pair, tokenIn)!;
  const exposure = least === undefined ? undefined : sandwichExposure(side, paid, least, side.reserveIn);
  return exposure && exposure.front > 0n ? { ...exposure, token: tokenIn } : null;
}

/** Would a sandwich in the chain's coin pay for its two swaps? In another token it is not said. */
function pays(exposure: Opportunity["exposure"], chain: Chain, gasPrice: bigint | null): boolean {
  if (exposure === null || gasPrice === null || exposure.token !== chain.wrapped) return false;
  return exposure.profit > BACKRUN_GAS * gasPrice;
}

function offeredGasPrice(frames: FrameBytes, frame: number): bigint | null {
  for (const name of ["gasPrice", "maxFeePerGas"] as const)
    if (has(frames, frame, PRESENT[name])) return bigAt(frames, frame + OFFSET[name], FIELD_WIDTH.u128);
  return null;
}
