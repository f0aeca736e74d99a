/**
 * What the pools hold that a pending router swap would trade through: the member `market` of its record (chain/opportunity/market.ts).
 *
 *     first time a pair is seen   getPair of each factory that is known, then getReserves, at the last block that was handed on
 *     from then on                Sync logs of the blocks that pass here anyway; PairCreated for what was not there yet
 *
 * So all that is known is as of the end of one block, and most swaps cost the nodes nothing. Addresses, tokens and decimals of pools never change
 * and are read once. Calls of one step go out together.
 */
import { type Abi, decodeFunctionResult, encodeFunctionData, type Hex, parseAbi } from "viem";
import type { MarketMember, PoolMember } from "../../chain/opportunity/market.ts";
import { MAX_MARKET_POOLS } from "../../chain/opportunity/market.ts";
import { routerSwapOf } from "../../chain/opportunity/routerSwap.ts";
import type { Chain } from "../../chain/registry/registry.ts";
import type { Address } from "../../chain/swap.ts";
import { ServiceUnavailable } from "../../ops/errors.ts";
import type { RpcObject } from "../recordingLine.ts";
import { RpcError } from "./connection.ts";
import type { Endpoint, Endpoints } from "./endpoints.ts";
import { type ReadBlock, tagOf } from "./readBlock.ts";

export interface MarketReader {
  /**
   * In the order of the transactions; undefined for what is no swap of a known router, and where nothing could be read in time.
   * @param stateBlock the last block that was handed on
   */
  marketsOf(transactions: readonly RpcObject[], stateBlock: number): Promise<(MarketMember | undefined)[]>;
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

interface Pool extends Omit<PoolMember, "reserve0" | "reserve1"> {
  /** In hex; undefined: not known any more. */
  reserves: readonly [Hex, Hex] | undefined;
}

type Pair = readonly [factory: Address, token0: Address, token1: Address];

const ABI = parseAbi([
  "function getPair(address, address) view returns (address)",
  "function getReserves() view returns (uint112, uint112, uint32)",
  "function decimals() view returns (uint8)",
]);
/** Sync(uint112 reserve0, uint112 reserve1) of a pool */
const SYNC = "0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1";
/** PairCreated(address indexed token0, address indexed token1, address pair, uint256) of a factory */
const PAIR_CREATED = "0x0d3648bd0f6ba80134a33ba9275ac585d9d315f0ad8355cddefde31afa28d0e9";
const NOBODY: Address = `0x${"0".repeat(40)}`;

export function createMarketReader(options: MarketReaderOptions): MarketReader {
  const { endpoints, chain, withinMs = 1_000, most = 20_000 } = options;
  const factories = [...chain.v2Factories.keys()];
  /** Address of a pair's pool; null: the factory has none. */
  const pools = createKnown<Address | null>(most);
  const contents = createKnown<Pool>(most);
  /** null: the token does not say. */
  const decimals = createKnown<number | null>(most);
  const references =
    chain.wrapped === undefined ? [] : [...chain.stableCoins.keys()].map((coin) => [coin, chain.wrapped!]);
  /** Counts what is handed on: an answer that comes later is of an older block. */
  let turn = 0;
  let missed = 0;

  const pairsOf = (one: Address, other: Address): Pair[] =>
    factories.map((factory) => (one < other ? [factory, one, other] : [factory, other, one]));

  /** Reads what is not known of these pairs. @throws ServiceUnavailable */
  async function read(pairs: readonly Pair[], stateBlock: number): Promise<void> {
    const began = turn;
    const tokens = new Set(pairs.flatMap(([, token0, token1]) => [token0, token1]));
    await endpoints.use(async (endpoint) => {
      const ask = asking(endpoint, tagOf(stateBlock));
      const askNow = asking(endpoint, "latest");
      await Promise.all([
        ...pairs
          .filter((pair) => pools.get(keyOf(pair)) !== null && poolOf(pair) === undefined)
          .map(async (pair) => {
            const found = await ask<Address>(pair[0], "getPair", [pair[1], pair[2]]);
            // Where there is none yet a block that passed meanwhile may have made it.
            if (found !== null && (found !== NOBODY || began === turn)) learn(pair, found.toLowerCase());
          }),
        ...[...tokens]
          .filter((token) => decimals.get(token) === undefined)
          .map(async (token) => decimals.set(token, await askNow<number>(token, "decimals"))),
      ]);
      await Promise.all(
        pairs.flatMap((pair) => {
          const pool = poolOf(pair);
          return pool && pool.reserves === undefined ? [readReserves(pool)] : [];
        }),
      );
      async function readReserves(pool: Pool): Promise<void> {
        const found = await ask<readonly [bigint, bigint, number]>(pool.address, "getReserves");
        if (found !== null && began === turn)
          pool.reserves = [`0x${found[0].toString(16)}`, `0x${found[1].toString(16)}`];
      }
    });
  }

  function learn(pair: Pair, address: Address): void {
    pools.set(keyOf(pair), address === NOBODY ? null : address);
    if (address === NOBODY || contents.get(address)) return;
    const [factory, token0, token1] = pair;
    contents.set(address, { address, factory, token0, token1, reserves: undefined });
  }

  const poolOf = (pair: Pair): Pool | undefined => contents.get(pools.get(keyOf(pair)) ?? "");
  /** Known, or known not to be there. */
  const isKnown = (pair: Pair): boolean => pools.get(keyOf(pair)) === null || poolOf(pair)?.reserves !== undefined;

  function memberOf(pairs: readonly Pair[], stateBlock: number): MarketMember | undefined {
    if (!pairs.every(isKnown)) return undefined;
    const coin = deepest(references.flatMap(([stable, wrapped]) => pairsOf(stable!, wrapped!)).map(poolOf));
    const found = new Set([...pairs.map(poolOf), coin].filter((pool) => pool !== undefined));
    const tokens = new Set([...found].flatMap(({ token0, token1 }) => [token0, token1]));
    return {
      blockNumber: tagOf(stateBlock),
      pools: [...found].slice(0, MAX_MARKET_POOLS).map(({ reserves, ...pool }) => ({ ...pool, reserve0: reserves![0], reserve1: reserves![1] })), // biome-ignore format: a line a member
      decimals: Object.fromEntries([...tokens].flatMap((token) => (decimals.get(token) == null ? [] : [[token, decimals.get(token)!]]))), // biome-ignore format: a line a member
    };
  }

  /** The pool with most of the chain's coin beside a stable one: it says what the coin is worth. */
  function deepest(candidates: readonly (Pool | undefined)[]): Pool | undefined {
    const depth = ({ token0, reserves }: Pool): bigint => BigInt(reserves![token0 === chain.wrapped ? 0 : 1]);
    return candidates.reduce((best, pool) => {
      if (!pool?.reserves) return best;
      return best && depth(best) >= depth(pool) ? best : pool;
    }, undefined);
  }

  return {
    async marketsOf(transactions, stateBlock) {
      const asked = transactions.map((transaction) => {
        const path = pathOf(transaction, chain);
        return path?.slice(1).flatMap((token, i) => pairsOf(path[i]!, token));
      });
      const all = asked.flatMap((pairs) => pairs ?? []);
      const wanted =
        all.length === 0 ? [] : [...all, ...references.flatMap(([stable, wrapped]) => pairsOf(stable!, wrapped!))];
      const unknown = new Map(wanted.filter((pair) => !isKnown(pair)).map((pair) => [keyOf(pair), pair]));
      if (unknown.size > 0) await within(withinMs, read([...unknown.values()], stateBlock));
      const markets = asked.map((pairs) => pairs && memberOf(pairs, stateBlock));
      missed += asked.filter((pairs, i) => pairs !== undefined && markets[i] === undefined).length;
      return markets;
    },
    follow({ receipts }) {
      turn++;
      for (const { logs } of receipts as { logs?: { address: string; topics: string[]; data: string }[] }[])
        for (const { address, topics, data } of logs ?? []) {
          const emitter = address.toLowerCase();
          if (topics[0] === SYNC && data.length === 130) {
            const pool = contents.get(emitter);
            if (pool) pool.reserves = [quantity(data.slice(2, 66)), quantity(data.slice(66))];
          } else if (
            topics[0] === PAIR_CREATED &&
            topics.length === 3 &&
            data.length >= 66 &&
            chain.v2Factories.has(emitter)
          )
            learn([emitter, addressIn(topics[1]!), addressIn(topics[2]!)], addressIn(data.slice(0, 66)));
        }
    },
    forget() {
      turn++;
      for (const pool of contents.values()) pool.reserves = undefined;
    },
    missed: () => missed,
  };
}

/** Tokens that a transaction trades through, one after the other, if it is a swap of a router whose venue is known. */
function pathOf({ to, input, value }: RpcObject, chain: Chain): readonly Address[] | undefined {
  if (typeof to !== "string" || typeof input !== "string" || !chain.v2Routers.has(to.toLowerCase())) return undefined;
  return routerSwapOf(Buffer.from(input.slice(2), "hex"), BigInt((value as string | undefined) ?? 0))?.path;
}

/** Calls of a contract's view at a block; null: the contract refuses, or is none. @throws ServiceUnavailable: the node does not answer */
function asking(endpoint: Endpoint, block: string) {
  return async <T>(
    to: Address,
    functionName: "getPair" | "getReserves" | "decimals",
    args: readonly Address[] = [],
  ) => {
    const data = encodeFunctionData({ abi: ABI as Abi, functionName, args });
    try {
      const answer = await endpoint.request<Hex>("eth_call", [{ to, data }, block]);
      return decodeFunctionResult({ abi: ABI as Abi, functionName, data: answer }) as T;
    } catch (error) {
      if (error instanceof ServiceUnavailable && !(error instanceof RpcError && error.kind === "refused")) throw error;
      return null; // it reverts, or answers something else: no contract of this kind
    }
  };
}

/** Waits for work so long, and no longer: what is late is there the next time. Nodes that are away are others' to report. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const done = work.catch((error: unknown) => {
    if (!(error instanceof ServiceUnavailable)) throw error;
  });
  await Promise.race([done, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}

/** A map that forgets what was put in first once it is full. */
function createKnown<V>(most: number) {
  const map = new Map<string, V>();
  return {
    get: (key: string): V | undefined => map.get(key),
    values: () => map.values(),
    set(key: string, value: V): void {
      map.set(key, value);
      if (map.size > most) map.delete(map.keys().next().value!);
    },
  };
}

const keyOf = (pair: Pair): string => pair.join(" ");
const quantity = (word: string): Hex => `0x${BigInt(`0x${word}`).toString(16)}`;
const addressIn = (word: string): Address => `0x${word.slice(-40).toLowerCase()}`;
