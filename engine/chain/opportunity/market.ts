/**
 * What a pending transaction's record says of the pools that it would trade through, in its member `market`, and the record of a block's last
 * transaction of the pools that the registry lists: whoever saw it wait, or mined, has a node
 * and follows its blocks (source/rpc/marketReader.ts), a worker has neither. So what pools held is part of the record: a batch that runs again finds
 * the same, today or in a year.
 *
 *     "market":{"blockNumber":"0x12d687",
 *               "pools":[{"address":"0x…","factory":"0x…","token0":"0x…","token1":"0x…","reserve0":"0x…","reserve1":"0x…"},
 *                        {"address":"0x…","factory":"0x…","token0":"0x…","token1":"0x…","fee":500,"sqrtPriceX96":"0x…","tick":-7,
 *                         "liquidity":"0x…","from":-2560,"to":5110,"ticks":[[-20,"0x…"],[40,"-0x…"]]}],
 *               "decimals":{"0x…":18}}
 *
 * The second kind is Uniswap V3's: `ticks` are all between `from` and `to` at which liquidity changes, with how much on the way up. The venue's name,
 * a pair's fee and which fees a venue has are the registry's: pools of a factory that it does not have are left out.
 */
import { extraMember } from "../../frame/extra.ts";
import { extraText, u32At } from "../../frame/readFrame.ts";
import { OFFSET } from "../../frame/schema.ts";
import type { BlockView } from "../blockView.ts";
import type { Prices } from "../mev/prices.ts";
import type { Chain } from "../registry/registry.ts";
import { type Address, NATIVE } from "../swap.ts";
import type { ConcentratedPool } from "./concentratedPool.ts";
import { decimalsOf, type Venue } from "./opportunity.ts";
import { isPair, type Pool, reservesOf } from "./pool.ts";
import type { Market } from "./predictSwap.ts";
import { MAX_SQRT_PRICE, MAX_TICK, MIN_SQRT_PRICE, sqrtPriceAt } from "./tickMath.ts";

/** As it stands in the record: quantities in hex. */
export interface MarketMember {
  /** The reserves are those at the end of this block. */
  readonly blockNumber: string;
  readonly pools: readonly PoolMember[];
  /** Of tokens, where they are known. */
  readonly decimals: Readonly<Record<Address, number>>;
}

export type PoolMember = PairMember | ConcentratedMember;

interface PoolIdentity {
  readonly address: Address;
  readonly factory: Address;
  readonly token0: Address;
  readonly token1: Address;
}

export interface PairMember extends PoolIdentity {
  readonly reserve0: string;
  readonly reserve1: string;
}

export interface ConcentratedMember extends PoolIdentity {
  readonly fee: number;
  readonly sqrtPriceX96: string;
  readonly tick: number;
  readonly liquidity: string;
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly (readonly [tick: number, net: string])[];
}

/** Eight hops over eight venues, and the pools that price the coin. */
export const MAX_MARKET_POOLS = 128;
/** Of a concentrated pool, on both sides of its price together: 2 kB of a record. */
export const MAX_TICKS = 64;

export interface KnownMarket extends Market {
  readonly stateBlock: number;
  /** All pools that are known. */
  readonly venues: readonly Venue[];
  /** Other pools of a pool's tokens. */
  othersOf(pool: Pool): Venue[];
  /** What the venue of a pool is called. */
  dexOf(pool: Pool): string;
  /** A stable coin is a dollar, the coin is priced by the deepest pair with one, else as configured. */
  readonly prices: Prices;
  decimalsOf(token: Address): number | undefined;
}

/** What the record of a block's last transaction says of pools at the block's end. */
export function readBlockMarket(view: BlockView, chain: Chain): KnownMarket | undefined {
  const last = view.frames.at(-1);
  if (last === undefined || u32At(view, last + OFFSET.extraLength) === 0) return undefined;
  const market = readMarket(extraText(view, last), chain);
  return market?.stateBlock === view.blockNumber ? market : undefined;
}

/**
 * @param extra the part `extra` of a frame
 * @returns undefined: there is no such member, or it is not of this shape
 */
export function readMarket(extra: string, chain: Chain): KnownMarket | undefined {
  const told = extraMember(extra, "market");
  if (!isObject(told)) return undefined;
  const value: Partial<MarketMember> = told;
  const stateBlock = numberOf(value.blockNumber);
  if (stateBlock === undefined || !Array.isArray(value.pools) || value.pools.length > MAX_MARKET_POOLS)
    return undefined;
  const venues: (Venue & { factory: Address })[] = [];
  for (const pool of value.pools as unknown[]) {
    const venue = venueOf(pool, chain);
    if (venue === undefined) return undefined;
    if (venue !== null) venues.push(venue);
  }
  const alike = (pool: Pick<Pool, "token0" | "token1">, one: Address, other: Address): boolean =>
    (pool.token0 === one && pool.token1 === other) || (pool.token0 === other && pool.token1 === one);
  const given = isObject(value.decimals) ? value.decimals : {};
  return {
    ...{ stateBlock, venues },
    poolOf(router, one, other, fee) {
      const factory = (fee === undefined ? chain.v2Routers : chain.v3Routers).get(router)?.address;
      const found = venues.find(
        (venue) =>
          venue.factory === factory &&
          (isPair(venue.pool) ? undefined : venue.pool.fee) === fee &&
          alike(venue.pool, one, other),
      );
      return found?.pool;
    },
    poolsOf: (one, other) => venues.filter(({ pool }) => alike(pool, one, other)).map(({ pool }) => pool),
    othersOf: ({ address, token0, token1 }) =>
      venues.filter(({ pool }) => pool.address !== address && alike(pool, token0, token1)),
    dexOf: ({ address }) => venues.find(({ pool }) => pool.address === address)!.dex,
    prices: pricesBy(venues, chain),
    decimalsOf(token) {
      const decimals = decimalsOf(chain, token) ?? (Object.hasOwn(given, token) ? given[token] : undefined);
      return Number.isInteger(decimals) && decimals! >= 0 && decimals! <= 255 ? decimals : undefined;
    },
  };
}

const isObject = (value: unknown): value is Record<string, never> => typeof value === "object" && value !== null;

/** @returns undefined for what is no pool, null for one of a venue that is not known */
function venueOf(pool: unknown, chain: Chain): (Venue & { factory: Address }) | null | undefined {
  if (!isObject(pool)) return undefined;
  const [address, factory, token0, token1] = [pool.address, pool.factory, pool.token0, pool.token1].map(addressOf);
  if (!address || !factory || !token0 || !token1) return undefined;
  const identity = { address, token0, token1 };
  if ("fee" in pool) {
    const known = chain.v3Factories.get(factory);
    const tickSpacing = known?.tickSpacings[pool.fee];
    const state = stateOf(pool);
    if (state === undefined) return undefined;
    if (known === undefined || tickSpacing === undefined) return null;
    return { pool: { ...identity, ...state, tickSpacing }, dex: known.name, factory };
  }
  const [reserve0, reserve1] = [reserveOf(pool.reserve0), reserveOf(pool.reserve1)];
  if (reserve0 === undefined || reserve1 === undefined) return undefined;
  const known = chain.v2Factories.get(factory);
  if (known === undefined) return null;
  return { pool: { ...identity, reserve0, reserve1, keep: BigInt(known.keep) }, dex: known.name, factory };
}

type State = Pick<ConcentratedPool, "fee" | "sqrtPriceX96" | "tick" | "liquidity" | "from" | "to" | "ticks">;

function stateOf({ fee, sqrtPriceX96, tick, liquidity, from, to, ticks }: Record<string, unknown>): State | undefined {
  const [price, depth] = [signedOf(sqrtPriceX96), signedOf(liquidity)];
  if (price === undefined || price < MIN_SQRT_PRICE || price >= MAX_SQRT_PRICE) return undefined;
  if (depth === undefined || depth < 0n || !Number.isInteger(fee)) return undefined;
  if (!isTick(tick) || !isTick(from) || !isTick(to) || from > tick || to <= tick) return undefined;
  // The tick is that of the price, or one below where the price stands at a tick's own and came from above.
  if (sqrtPriceAt(tick) > price || sqrtPriceAt(tick + 1) < price) return undefined;
  if (!Array.isArray(ticks) || ticks.length > MAX_TICKS) return undefined;
  const known: [number, bigint][] = [];
  for (const each of ticks as unknown[]) {
    const [at, net] = Array.isArray(each) ? [each[0] as unknown, signedOf(each[1])] : [];
    if (!isTick(at) || net === undefined || at < from || at > to || at <= (known.at(-1)?.[0] ?? -Infinity))
      return undefined;
    known.push([at, net]);
  }
  return { fee: fee as number, sqrtPriceX96: price, tick, liquidity: depth, from, to, ticks: known };
}

function pricesBy(venues: readonly Venue[], chain: Chain): Prices {
  const stable = (token: Address): number | undefined => {
    const decimals = chain.stableCoins.get(token);
    return decimals === undefined ? undefined : 10 ** -decimals;
  };
  let deepest = 0n;
  let native = chain.nativeUsd === undefined ? undefined : chain.nativeUsd * 1e-18;
  for (const { pool } of venues) {
    if (!isPair(pool)) continue; // its depth at its price is bought cheaply
    const [reserve0, reserve1] = reservesOf(pool);
    const [coin, other, token] =
      pool.token0 === chain.wrapped
        ? [reserve0, reserve1, pool.token1]
        : [reserve1, reserve0, pool.token1 === chain.wrapped ? pool.token0 : undefined];
    const usd = token === undefined ? undefined : stable(token);
    if (usd === undefined || coin <= deepest) continue;
    deepest = coin;
    native = (Number(other) * usd) / Number(coin);
  }
  return (token) => (token === NATIVE || token === chain.wrapped ? native : stable(token));
}

const addressOf = (value: unknown): Address | undefined =>
  typeof value === "string" && /^0x[0-9a-f]{40}$/.test(value) ? value : undefined;
/** Pairs of Uniswap's keep their reserves in 112 bits. */
const reserveOf = (value: unknown): bigint | undefined =>
  typeof value === "string" && /^0x[0-9a-f]{1,28}$/.test(value) ? BigInt(value) : undefined;
const numberOf = (value: unknown): number | undefined =>
  typeof value === "string" && /^0x[0-9a-f]{1,13}$/.test(value) ? Number(value) : undefined;
const isTick = (value: unknown): value is number => Number.isInteger(value) && Math.abs(value as number) <= MAX_TICK;
/** Prices have 160 bits, liquidity 128 and a sign. */
const signedOf = (value: unknown): bigint | undefined => {
  if (typeof value !== "string" || !/^-?0x[0-9a-f]{1,40}$/.test(value)) return undefined;
  return value.startsWith("-") ? -BigInt(value.slice(1)) : BigInt(value);
};
