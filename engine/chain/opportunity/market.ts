/**
 * What a pending transaction's record says of the pools that it would trade through, in its member `market`: whoever saw it wait has a node
 * and follows its blocks (source/rpc/marketReader.ts), a worker has neither. So what pools held is part of the record: a batch that runs again finds
 * the same, today or in a year.
 *
 *     "market":{"blockNumber":"0x12d687",
 *               "pools":[{"address":"0x…","factory":"0x…","token0":"0x…","token1":"0x…","reserve0":"0x…","reserve1":"0x…"}],
 *               "decimals":{"0x…":18}}
 *
 * The venue's name and fee are the registry's: pools of a factory that it does not have are left out.
 */
import { splitExtra } from "../../frame/extra.ts";
import type { Prices } from "../mev/prices.ts";
import type { Chain } from "../registry/registry.ts";
import { type Address, NATIVE } from "../swap.ts";
import type { Pair } from "./constantProduct.ts";
import { decimalsOf, type Venue } from "./opportunity.ts";
import type { Market } from "./predictSwap.ts";

/** As it stands in the record: quantities in hex. */
export interface MarketMember {
  /** The reserves are those at the end of this block. */
  readonly blockNumber: string;
  readonly pools: readonly PoolMember[];
  /** Of tokens, where they are known. */
  readonly decimals: Readonly<Record<Address, number>>;
}

export interface PoolMember {
  readonly address: Address;
  readonly factory: Address;
  readonly token0: Address;
  readonly token1: Address;
  readonly reserve0: string;
  readonly reserve1: string;
}

/** Eight hops over eight venues, and the pools that price the coin. */
export const MAX_MARKET_POOLS = 128;

export interface KnownMarket extends Market {
  readonly stateBlock: number;
  /** Other pools of a pool's tokens. */
  othersOf(pair: Pair): Venue[];
  /** What the venue of a pool is called. */
  dexOf(pair: Pair): string;
  /** A stable coin is a dollar, the coin is priced by the deepest pool with one, else as configured. */
  readonly prices: Prices;
  decimalsOf(token: Address): number | undefined;
}

/**
 * @param extra the part `extra` of a frame
 * @returns undefined: there is no such member, or it is not of this shape
 */
export function readMarket(extra: string, chain: Chain): KnownMarket | undefined {
  if (!extra.includes(MEMBER)) return undefined;
  const text = splitExtra(extra).find((one) => one.startsWith(MEMBER));
  if (text === undefined) return undefined;
  const value = JSON.parse(text.slice('"market":'.length)) as Partial<MarketMember>;
  const stateBlock = numberOf(value.blockNumber);
  if (stateBlock === undefined || !Array.isArray(value.pools) || value.pools.length > MAX_MARKET_POOLS)
    return undefined;
  const venues: (Venue & { factory: Address })[] = [];
  for (const pool of value.pools as unknown[]) {
    const venue = venueOf(pool, chain);
    if (venue === undefined) return undefined;
    if (venue !== null) venues.push(venue);
  }
  const alike = (pair: Pick<Pair, "token0" | "token1">, one: Address, other: Address): boolean =>
    (pair.token0 === one && pair.token1 === other) || (pair.token0 === other && pair.token1 === one);
  const given = isObject(value.decimals) ? value.decimals : {};
  return {
    stateBlock,
    pairOf(router, one, other) {
      const factory = chain.v2Routers.get(router)?.address;
      return venues.find((venue) => venue.factory === factory && alike(venue.pair, one, other))?.pair;
    },
    pairsOf: (one, other) => venues.filter(({ pair }) => alike(pair, one, other)).map(({ pair }) => pair),
    othersOf: ({ address, token0, token1 }) =>
      venues.filter(({ pair }) => pair.address !== address && alike(pair, token0, token1)),
    dexOf: ({ address }) => venues.find(({ pair }) => pair.address === address)!.dex,
    prices: pricesBy(venues, chain),
    decimalsOf(token) {
      const decimals = decimalsOf(chain, token) ?? (Object.hasOwn(given, token) ? given[token] : undefined);
      return Number.isInteger(decimals) && decimals! >= 0 && decimals! <= 255 ? decimals : undefined;
    },
  };
}

const MEMBER = '"market":{';
const isObject = (value: unknown): value is Record<string, never> => typeof value === "object" && value !== null;

/** @returns undefined for what is no pool, null for one of a venue that is not known */
function venueOf(pool: unknown, chain: Chain): (Venue & { factory: Address }) | null | undefined {
  if (!isObject(pool)) return undefined;
  const [address, factory, token0, token1] = [pool.address, pool.factory, pool.token0, pool.token1].map(addressOf);
  const [reserve0, reserve1] = [reserveOf(pool.reserve0), reserveOf(pool.reserve1)];
  if (!address || !factory || !token0 || !token1 || reserve0 === undefined || reserve1 === undefined) return undefined;
  const known = chain.v2Factories.get(factory);
  if (known === undefined) return null;
  const pair = { address, token0, token1, reserve0, reserve1, keep: BigInt(known.keep) };
  return { pair, dex: known.name, factory };
}

function pricesBy(venues: readonly Venue[], chain: Chain): Prices {
  const stable = (token: Address): number | undefined => {
    const decimals = chain.stableCoins.get(token);
    return decimals === undefined ? undefined : 10 ** -decimals;
  };
  let deepest = 0n;
  let native = chain.nativeUsd === undefined ? undefined : chain.nativeUsd * 1e-18;
  for (const { pair } of venues) {
    const [coin, other, token] =
      pair.token0 === chain.wrapped
        ? [pair.reserve0, pair.reserve1, pair.token1]
        : [pair.reserve1, pair.reserve0, pair.token1 === chain.wrapped ? pair.token0 : undefined];
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
