/**
 * Prices out of a block's own swaps: what a pool stands at after each, by its reserves (V2's Sync) or its √price (V3, V4). Hard to move,
 * since a sandwich leaves a pool where it found it and one pool is one voice:
 *
 *     of a pool      the median of where it stood after each of its swaps
 *     of a token     the median over pools that hold at least FLOOR_USD of the side that is known
 *
 * A stable coin is a dollar. The native coin's price comes from its pools with stable coins, else it is the configured one; another
 * token's from its pools with stable coins and with the native coin. What no such pool tells is unknown, never zero.
 */
import type { Chain } from "../registry/registry.ts";
import { type Address, NATIVE, type Swap } from "../swap.ts";
import { isZeroForOne } from "./victimLoss.ts";

/** Of the side whose price is known. To hold a median, half of the pools of this size would have to be moved within the block. */
export const FLOOR_USD = 50_000;

/** USD of a token's smallest unit; undefined: unknown. */
export type Prices = (token: Address) => number | undefined;

/** An amount of a token in wei of the chain's coin, rounded; null where a price is not known, or is a liar's. */
export function weiOf(amount: bigint, token: Address, prices: Prices, wrapped: Address | undefined): bigint | null {
  if (token === NATIVE || token === wrapped) return amount;
  const [price, native] = [prices(token), prices(NATIVE)];
  if (price === undefined || native === undefined) return null;
  const wei = (Number(amount) * price) / native;
  return Number.isFinite(wei) ? BigInt(Math.round(wei)) : null;
}

/** What a pool says of its two tokens: how much of each it holds (V3: at its price, as if the range were endless). */
interface Standing {
  readonly tokens: readonly [Address, Address];
  readonly holdings: readonly [number, number];
}

/** What a swap says of where its pool stands. */
export type Traded = Pick<Swap, "pool" | "tokenIn" | "tokenOut" | "after">;

/** @param swaps of one block @param chain undefined: nothing is known of it, no price either */
export function pricesOf(swaps: readonly Traded[], chain: Chain | undefined): Prices {
  const { wrapped, nativeUsd } = chain ?? {};
  const stable = (token: Address): number | undefined => {
    const decimals = chain?.stableCoins.get(token);
    return decimals === undefined ? undefined : 10 ** -decimals;
  };
  const isNative = (token: Address): boolean => token === NATIVE || token === wrapped;
  const standings = standingsByPool(swaps);
  const configured = nativeUsd === undefined ? undefined : nativeUsd * 1e-18;
  const native = medianOver(standings, isNative, stable) ?? configured;
  const known = new Map<Address, number | undefined>();

  return (token) => {
    if (isNative(token)) return native;
    const fixed = stable(token);
    if (fixed !== undefined) return fixed;
    if (!known.has(token)) {
      const other = (address: Address) => stable(address) ?? (isNative(address) ? native : undefined);
      known.set(
        token,
        medianOver(standings, (address) => address === token, other),
      );
    }
    return known.get(token);
  };
}

/** The price of what `isWanted`, by all pools that hold enough of something that `other` has a price for. */
function medianOver(
  pools: Iterable<readonly Standing[]>,
  isWanted: (token: Address) => boolean,
  other: (token: Address) => number | undefined,
): number | undefined {
  const prices: number[] = [];
  for (const standings of pools) {
    const [a, b] = standings[0]!.tokens;
    if (!isWanted(a) && !isWanted(b)) continue;
    const wanted = isWanted(a) ? 0 : 1;
    const held = 1 - wanted;
    const price = other(held === 0 ? a : b);
    if (price === undefined) continue;
    const said = standings.flatMap(({ holdings }) => {
      const worth = holdings[held]! * price;
      return worth >= FLOOR_USD && holdings[wanted]! > 0 ? [worth / holdings[wanted]!] : [];
    });
    if (said.length > 0) prices.push(median(said));
  }
  return prices.length === 0 ? undefined : median(prices);
}

function median(numbers: number[]): number {
  const sorted = numbers.sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

function standingsByPool(swaps: readonly Traded[]): Standing[][] {
  const pools = new Map<string, Standing[]>();
  for (const swap of swaps) {
    const { after, pool, tokenIn, tokenOut } = swap;
    if (!after) continue;
    const tokens = isZeroForOne(swap) ? ([tokenIn, tokenOut] as const) : ([tokenOut, tokenIn] as const);
    const standing = { tokens, holdings: holdingsOf(after) };
    const key = `${pool}${tokens[0]}`;
    const list = pools.get(key);
    if (list) list.push(standing);
    else pools.set(key, [standing]);
  }
  return [...pools.values()];
}

const Q96 = 2 ** 96;

/** x = L / √P and y = L · √P: what a pool of constant product at this price and depth would hold. */
function holdingsOf(after: NonNullable<Swap["after"]>): readonly [number, number] {
  if ("reserve0" in after) return [Number(after.reserve0), Number(after.reserve1)];
  const [liquidity, sqrtPrice] = [Number(after.liquidity), Number(after.sqrtPriceX96) / Q96];
  return sqrtPrice === 0 ? [0, 0] : [liquidity / sqrtPrice, liquidity * sqrtPrice];
}
