/**
 * What the pools hold that a pending router swap would trade through: the member `market` of its record (chain/opportunity/market.ts).
 *
 *     first time a pair of tokens is seen   the pools of each factory that is known, then what they hold, at the last block that was handed on
 *     from then on                          logs of the blocks that pass here anyway (poolStates.ts), and of factories for what was not there yet
 *
 * So all that is known is as of the end of one block, and most swaps cost the nodes nothing. Addresses, tokens and decimals of pools never change
 * and are read once.
 */
import { type Abi, parseAbi } from "viem";
import type { MarketMember } from "../../chain/opportunity/market.ts";
import { MAX_MARKET_POOLS } from "../../chain/opportunity/market.ts";
import { type RouterSwap, routerSwapsOf } from "../../chain/opportunity/routerSwap.ts";
import type { Chain } from "../../chain/registry/registry.ts";
import type { Address } from "../../chain/swap.ts";
import type { RpcObject } from "../recordingLine.ts";
import { type ContractCall, createCaller } from "./contractCalls.ts";
import type { Endpoints } from "./endpoints.ts";
import { createKnown } from "./known.ts";
import { type ContractLog, type KnownPool, memberOf, type PairState, stateAfter, wordOf } from "./poolStates.ts";
import { type ReadBlock, tagOf } from "./readBlock.ts";
import { within } from "./within.ts";

export interface MarketReader {
  /**
   * In the order of the transactions; undefined for what is no swap of a known router, and where nothing could be read in time.
   * @param stateBlock the last block that was handed on
   */
  marketsOf(transactions: readonly RpcObject[], stateBlock: number): Promise<(MarketMember | undefined)[]>;
  /** What these pairs hold, with the pair that prices the coin; those that could not be read in time are left out. */
  marketOfPairs(pairs: readonly Wanted[], stateBlock: number): Promise<MarketMember>;
  /** Every block that is handed on, in order. */
  follow(block: Pick<ReadBlock, "receipts">): void;
  /** Blocks were replaced: what pools held is not known any more. */
  forget(): void;
  /** Router swaps whose pools could not be read, or not in time. */
  missed(): number;
}

export interface MarketReaderOptions {
  readonly endpoints: Pick<Endpoints, "use">;
  readonly chain: Chain;
  /** How long pending transactions wait for it, and the blocks behind them; default 1,000 ms. */
  readonly withinMs?: number;
  /** Pairs, and as many pools and tokens, that are known at most; default 20,000, some 15 MB. */
  readonly most?: number;
}

/** A pool that a factory may have; without a fee a pair. */
export interface Wanted {
  readonly factory: Address;
  readonly token0: Address;
  readonly token1: Address;
  readonly fee: number | undefined;
}

const ABI = parseAbi([
  "function getPair(address, address) view returns (address)",
  "function getPool(address, address, uint24) view returns (address)",
  "function getReserves() view returns (uint112 reserve0, uint112 reserve1, uint32)",
  "function slot0() view returns (uint160 sqrtPriceX96, int24 tick)", // what follows differs from fork to fork
  "function liquidity() view returns (uint128)",
  "function tickBitmap(int16) view returns (uint256)",
  "function ticks(int24) view returns (uint128 gross, int128 net)",
  "function decimals() view returns (uint8)",
]) as Abi;
/** PairCreated(address indexed token0, address indexed token1, address pair, uint256) of a factory */
const PAIR_CREATED = "0x0d3648bd0f6ba80134a33ba9275ac585d9d315f0ad8355cddefde31afa28d0e9";
/** PoolCreated(address indexed token0, address indexed token1, uint24 indexed fee, int24 tickSpacing, address pool) */
const POOL_CREATED = "0x783cca1c0412dd0d695e784568c96da2e9c22ff989357a2e8b1d9b2b4e6b7118";
const NOBODY: Address = `0x${"0".repeat(40)}`;

export function createMarketReader(options: MarketReaderOptions): MarketReader {
  const { endpoints, chain, withinMs = 1_000, most = 20_000 } = options;
  /** Address of a pool; null: the factory has none. */
  const addresses = createKnown<Address | null>(most);
  const pools = createKnown<KnownPool>(most);
  /** null: the token does not say. */
  const decimals = createKnown<number | null>(most);
  /** Counts what is handed on: an answer that comes later is of an older block. */
  let turn = 0;
  let missed = 0;

  function pairsOf(one: Address, other: Address): Wanted[] {
    const [token0, token1] = one < other ? [one, other] : [other, one];
    return [...chain.v2Factories.keys()].map((factory) => ({ factory, token0, token1, fee: undefined }));
  }
  const poolsOf = (one: Address, other: Address): Wanted[] => [
    ...pairsOf(one, other),
    ...[...chain.v3Factories.values()].flatMap(({ address: factory, tickSpacings }) => {
      const [token0, token1] = one < other ? [one, other] : [other, one];
      return Object.keys(tickSpacings).map((fee) => ({ factory, token0, token1, fee: Number(fee) }));
    }),
  ];
  /** They say what the chain's coin is worth. */
  const references = [...chain.stableCoins.keys()].flatMap((coin) =>
    chain.wrapped === undefined ? [] : pairsOf(coin, chain.wrapped),
  );

  /** Reads what is not known of these. @throws ServiceUnavailable */
  async function read(wanted: readonly Wanted[], stateBlock: number): Promise<void> {
    const began = turn;
    await endpoints.use(async (endpoint) => {
      const call = createCaller(endpoint, tagOf(stateBlock), ABI, chain.multicall);
      const callNow = createCaller(endpoint, "latest", ABI, chain.multicall);
      const unknown = wanted.filter((each) => addresses.get(keyOf(each)) !== null && poolOf(each) === undefined);
      const tokens = [...new Set(wanted.flatMap(({ token0, token1 }) => [token0, token1]))].filter(
        (token) => decimals.get(token) === undefined,
      );
      const [found, places] = await Promise.all([
        call(unknown.map(addressCall)),
        callNow(tokens.map((to) => ({ to, functionName: "decimals" }))),
      ]);
      for (const [i, token] of tokens.entries()) decimals.set(token, places[i] as number | null);
      // Where there is none yet a block that passed meanwhile may have made it.
      for (const [i, address] of (found as (Address | null)[]).entries())
        if (address !== null && (address !== NOBODY || began === turn)) learn(unknown[i]!, address.toLowerCase());
      const asked = wanted.flatMap((each) => poolOf(each) ?? []).filter(({ state }) => state === undefined);
      const states = await readStates(asked, call);
      if (began !== turn) return;
      for (const [i, pool] of asked.entries()) pool.state = states[i];
    });
  }

  function learn(wanted: Wanted, address: Address): void {
    addresses.set(keyOf(wanted), address === NOBODY ? null : address);
    if (address === NOBODY || pools.get(address)) return;
    const tickSpacing = chain.v3Factories.get(wanted.factory)?.tickSpacings[wanted.fee ?? ""];
    pools.set(address, { ...wanted, address, tickSpacing, state: undefined });
  }

  const poolOf = (wanted: Wanted): KnownPool | undefined => pools.get(addresses.get(keyOf(wanted)) ?? "");
  /** Known, or known not to be there. */
  const isKnown = (wanted: Wanted): boolean =>
    addresses.get(keyOf(wanted)) === null || poolOf(wanted)?.state !== undefined;

  /** Waits for what is not known of these, and no longer than may be. */
  async function know(all: readonly Wanted[], stateBlock: number): Promise<void> {
    const unknown = new Map(all.filter((wanted) => !isKnown(wanted)).map((wanted) => [keyOf(wanted), wanted]));
    if (unknown.size > 0) await within(withinMs, read([...unknown.values()], stateBlock));
  }

  function marketOf(wanted: readonly Wanted[], stateBlock: number): MarketMember {
    const found = new Set(
      [...wanted.map(poolOf), deepest(references.map(poolOf))].filter((pool) => pool !== undefined),
    );
    const members = [...found].flatMap((pool) => memberOf(pool) ?? []).slice(0, MAX_MARKET_POOLS);
    const tokens = new Set(members.flatMap(({ token0, token1 }) => [token0, token1]));
    return {
      blockNumber: tagOf(stateBlock),
      pools: members,
      decimals: Object.fromEntries([...tokens].flatMap((token) => (decimals.get(token) == null ? [] : [[token, decimals.get(token)!]]))), // biome-ignore format: a line a member
    };
  }

  /** The pair with most of the chain's coin beside a stable one. */
  function deepest(candidates: readonly (KnownPool | undefined)[]): KnownPool | undefined {
    const depth = ({ token0, state }: KnownPool): bigint =>
      (state as PairState)[token0 === chain.wrapped ? "reserve0" : "reserve1"];
    return candidates.reduce((best, pool) => {
      if (!pool?.state) return best;
      return best && depth(best) >= depth(pool) ? best : pool;
    }, undefined);
  }

  return {
    async marketsOf(transactions, stateBlock) {
      const asked = transactions.map((transaction) => {
        const swaps = swapsOf(transaction, chain);
        if (swaps.length === 0) return undefined;
        return swaps.flatMap(({ path }) => path.slice(1).flatMap((token, i) => poolsOf(path[i]!, token)));
      });
      const all = asked.flatMap((wanted) => wanted ?? []);
      if (all.length > 0) await know([...all, ...references], stateBlock);
      const markets = asked.map((wanted) => (wanted?.every(isKnown) ? marketOf(wanted, stateBlock) : undefined));
      missed += asked.filter((wanted, i) => wanted !== undefined && markets[i] === undefined).length;
      return markets;
    },
    async marketOfPairs(pairs, stateBlock) {
      await know([...pairs, ...references], stateBlock);
      return marketOf(pairs.filter(isKnown), stateBlock);
    },
    follow({ receipts }) {
      turn++;
      for (const { logs = [] } of receipts as { logs?: ContractLog[] }[])
        for (const log of logs) {
          const emitter = log.address.toLowerCase();
          const pool = pools.get(emitter);
          if (pool) pool.state = stateAfter(pool, log);
          else if (chain.v2Factories.has(emitter) || chain.v3Factories.has(emitter)) noteCreated(emitter, log);
        }
    },
    forget() {
      turn++;
      for (const pool of pools.values()) pool.state = undefined;
    },
    missed: () => missed,
  };

  function noteCreated(factory: Address, { topics, data }: ContractLog): void {
    const [topic, one, other, fee] = topics;
    const made = { factory, token0: addressIn(one ?? ""), token1: addressIn(other ?? "") };
    if (topic === PAIR_CREATED && topics.length === 3 && data.length >= 66)
      learn({ ...made, fee: undefined }, addressIn(data.slice(0, 66)));
    else if (topic === POOL_CREATED && topics.length === 4 && data.length >= 130)
      if (chain.v3Factories.get(factory)?.tickSpacings[Number(fee)])
        learn({ ...made, fee: Number(fee) }, addressIn(data.slice(0, 130)));
  }
}

/** The swaps that a transaction asks a router for whose venue is known. */
function swapsOf({ to, input, value }: RpcObject, chain: Chain): readonly RouterSwap[] {
  if (typeof to !== "string" || typeof input !== "string") return [];
  const router = to.toLowerCase();
  if (!chain.v2Routers.has(router) && !chain.v3Routers.has(router)) return [];
  return routerSwapsOf(Buffer.from(input.slice(2), "hex"), BigInt((value as string | undefined) ?? 0));
}

const addressCall = ({ factory, token0, token1, fee }: Wanted): ContractCall =>
  fee === undefined
    ? { to: factory, functionName: "getPair", args: [token0, token1] }
    : { to: factory, functionName: "getPool", args: [token0, token1, fee] };

type Call = ReturnType<typeof createCaller>;

/** What pools hold, in their order; undefined: a pool does not say. */
async function readStates(pools: readonly KnownPool[], call: Call): Promise<KnownPool["state"][]> {
  const pairs = pools.filter(({ fee }) => fee === undefined);
  const ranges = pools.filter(({ fee }) => fee !== undefined);
  const answers = await call([
    ...pairs.map(({ address: to }) => ({ to, functionName: "getReserves" })),
    ...ranges.flatMap(({ address: to }) => [
      { to, functionName: "slot0" },
      { to, functionName: "liquidity" },
    ]),
  ]);
  const reserves = answers.splice(0, pairs.length) as ([bigint, bigint, number] | null)[];
  const states = new Map<KnownPool, KnownPool["state"]>(
    pairs.map((pair, i) => [pair, reserves[i] ? { reserve0: reserves[i][0], reserve1: reserves[i][1] } : undefined]),
  );
  const standing = ranges.flatMap((pool, i) => {
    const [slot, liquidity] = answers.slice(2 * i, 2 * i + 2) as [[bigint, number] | null, bigint | null];
    if (slot === null || liquidity === null) return [];
    return [{ pool, sqrtPriceX96: slot[0], tick: slot[1], liquidity, word: wordOf(slot[1], pool.tickSpacing!) }];
  });
  const words = standing.flatMap(({ pool, word }) => [word - 1, word, word + 1].map((at) => ({ pool, at })));
  const bitmaps = await call(
    words.map(({ pool, at }) => ({ to: pool.address, functionName: "tickBitmap", args: [at] })),
  );
  const places = words.flatMap(({ pool, at }, i) =>
    bitsOf(bitmaps[i] as bigint | null).map((bit) => ({ pool, tick: (at * 256 + bit) * pool.tickSpacing! })),
  );
  const ticks = await call(places.map(({ pool, tick }) => ({ to: pool.address, functionName: "ticks", args: [tick] })));
  for (const { pool, ...state } of standing) {
    const known = places.flatMap(({ pool: of, tick }, i) => {
      const found = ticks[i] as [bigint, bigint] | null;
      return of === pool && found ? [[tick, { gross: found[0], net: found[1] }] as const] : [];
    });
    // A word or a tick that was not answered would be one without liquidity.
    const isWhole = words.every(({ pool: of }, i) => of !== pool || bitmaps[i] !== null) && places.every(({ pool: of }, i) => of !== pool || ticks[i] !== null); // biome-ignore format: one condition
    if (isWhole) states.set(pool, { ...state, ticks: new Map(known) });
  }
  return pools.map((pool) => states.get(pool));
}

/** Places of the ones, lowest first. */
function bitsOf(bitmap: bigint | null): number[] {
  const bits: number[] = [];
  for (let rest = bitmap ?? 0n, bit = 0; rest > 0n; rest >>= 1n, bit++) if (rest & 1n) bits.push(bit);
  return bits;
}

const keyOf = ({ factory, token0, token1, fee }: Wanted): string => [factory, token0, token1, fee].join(" ");
const addressIn = (word: string): Address => `0x${word.slice(-40).toLowerCase()}`;
