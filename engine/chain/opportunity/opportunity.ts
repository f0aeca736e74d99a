import { type Prices, weiOf } from "../mev/prices.ts";
import type { Chain } from "../registry/registry.ts";
import { type Address, type Confidence, NATIVE } from "../swap.ts";
import { bestCycle, type Cycle } from "./backrun.ts";
import type { Exposure } from "./exposure.ts";
import type { Imbalance } from "./imbalance.ts";
import { type Pool, swapGas } from "./pool.ts";

/** What could be earned: a row of the table `opportunities`. Amounts are in a token's smallest unit. */
export interface Opportunity {
  /** `pool_imbalance`: a block left a pool so. `pending_backrun`: a swap that waits would. */
  readonly kind: "pool_imbalance" | "pending_backrun";
  /** Of the log of the swap that left the pool so; null while pending. */
  readonly logIndex: number | null;
  /** The reserves are those at the end of this block; of a pending swap with the swap behind them. */
  readonly stateBlock: number;
  /** Venue of the pool as the registry calls it, else the protocol. */
  readonly dex: string;
  readonly pool: Pool;
  readonly imbalance: Imbalance;
  /** The best trade between this pool and another one of its tokens; null: no other is known, or none leaves a profit. */
  readonly trade: ValuedTrade | null;
  /** What a sandwich could take from the swap that waits. */
  readonly exposure: (Exposure & { readonly token: Address }) | null;
  readonly confidence: Confidence;
  readonly reason: string;
  /** Indexes of the logs of the block that it was read from. */
  readonly evidence: readonly number[];
}

/** What is unknown is null, never zero. */
export interface ValuedTrade {
  readonly cycle: Cycle;
  readonly other: Pool;
  readonly otherDex: string;
  /** wei */
  readonly gasCost: bigint | null;
  /** Profit − gas, in wei of the chain's coin. */
  readonly net: bigint | null;
  /** The same in USD. */
  readonly netUsd: number | null;
}

/** Whose prices and gas a trade is valued by. */
export interface Valuation {
  readonly chain: Chain | undefined;
  readonly prices: Prices;
  /** wei for a unit of gas; null: not known */
  readonly gasPrice: bigint | null;
}

/** Another pool, and what its venue is called. */
export interface Venue {
  readonly pool: Pool;
  readonly dex: string;
}

/**
 * The trade that leaves most between a pool and one of the others. It begins with the chain's wrapped coin where that is one of the two,
 * since gas is paid in it, else with a stable coin.
 */
export function bestTrade(pool: Pool, others: readonly Venue[], valuation: Valuation): ValuedTrade | null {
  const { chain, prices } = valuation;
  const tokens = [pool.token0, pool.token1];
  const token =
    tokens.find((each) => each === chain?.wrapped) ??
    tokens.find((each) => chain?.stableCoins.has(each)) ??
    pool.token0;
  let best: { cycle: Cycle; venue: Venue } | undefined;
  for (const venue of others) {
    const cycle = bestCycle(pool, venue.pool, token) ?? bestCycle(venue.pool, pool, token);
    if (cycle !== undefined && (best === undefined || cycle.profit > best.cycle.profit)) best = { cycle, venue };
  }
  if (best === undefined) return null;
  const gasCost = valuation.gasPrice === null ? null : tradeGas(best.cycle) * valuation.gasPrice;
  const gross = weiOf(best.cycle.profit, token, prices, chain?.wrapped);
  const net = gross === null || gasCost === null ? null : believable(gross - gasCost);
  const coin = prices(NATIVE);
  return {
    ...{ cycle: best.cycle, other: best.venue.pool, otherDex: best.venue.dex, gasCost, net },
    netUsd: net === null || coin === undefined ? null : rounded(Number(net) * coin),
  };
}

const tradeGas = ({ buy, sell }: Cycle): bigint => swapGas(buy) + swapGas(sell);

/** More than there is of any coin is a liar's price. */
const believable = (wei: bigint): bigint | null => (wei < 2n ** 127n && wei > -(2n ** 127n) ? wei : null);

/** Six decimals, as the column has; beyond a quadrillion dollars it is a liar's price. */
function rounded(usd: number): number | null {
  const short = Math.round(usd * 1e6) / 1e6;
  return Math.abs(short) < 1e15 ? short : null;
}

/** What a token's smallest units are divided by, where that is known: coin and stable coins. */
export function decimalsOf(chain: Chain | undefined, token: Address): number | undefined {
  if (token === NATIVE || token === chain?.wrapped) return 18;
  return chain?.stableCoins.get(token);
}
