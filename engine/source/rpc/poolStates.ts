/** What pools hold, as their own logs keep it up to date: pairs by Sync, concentrated pools by Swap, Mint and Burn. */
import type { ConcentratedMember, PairMember, PoolMember } from "../../chain/opportunity/market.ts";
import { MAX_TICKS } from "../../chain/opportunity/market.ts";
import { MAX_TICK } from "../../chain/opportunity/tickMath.ts";
import type { Address } from "../../chain/swap.ts";

export interface KnownPool {
  readonly address: Address;
  readonly factory: Address;
  readonly token0: Address;
  readonly token1: Address;
  /** Of a concentrated pool; undefined: a pair. */
  readonly fee: number | undefined;
  readonly tickSpacing: number | undefined;
  /** undefined: not known (any more). */
  state: PairState | RangeState | undefined;
}

export interface PairState {
  readonly reserve0: bigint;
  readonly reserve1: bigint;
}

/** Ticks of three words of the pool's bitmap, the price in the middle one. */
export interface RangeState {
  readonly sqrtPriceX96: bigint;
  readonly tick: number;
  readonly liquidity: bigint;
  readonly word: number;
  readonly ticks: Map<number, TickState>;
}

interface TickState {
  readonly gross: bigint;
  readonly net: bigint;
}

export interface ContractLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}

/** Sync(uint112,uint112) */
const SYNC = "0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1";
/** Swap(address,address,int256,int256,uint160,uint128,int24); PancakeSwap's has two fees more */
const SWAPS = new Set([
  "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67",
  "0x19b47279256b2a23a1665c810c8d55a1758940ee09377d4f8d26497a3577dc83",
]);
/** Initialize(uint160,int24) */
const INITIALIZE = "0x98636036cb66a9c19a37435efc1e90142190214e8abeb821bdba3f2990dd4c95";
/** Mint(address,address,int24,int24,uint128,uint256,uint256) */
const MINT = "0x7a53080ba414158be7ec69b987b5fb7d07dee101fe85488f0853ae16239d0bde";
/** Burn(address,int24,int24,uint128,uint256,uint256) */
const BURN = "0x0c396cd989a39f4459b5fa1aed6a9a8dcdbc45908acfd67e028cd568da98982c";

export const wordOf = (tick: number, spacing: number): number => Math.floor(Math.floor(tick / spacing) / 256);

/** The pool's state behind one of its own logs. */
export function stateAfter(pool: KnownPool, { topics, data }: ContractLog): KnownPool["state"] {
  const { state, tickSpacing } = pool;
  const [topic] = topics;
  if (tickSpacing === undefined) {
    return topic === SYNC && data.length === 130 ? { reserve0: word(data, 0), reserve1: word(data, 1) } : state;
  }
  if (topic === INITIALIZE || state === undefined || !("ticks" in state)) return undefined;
  if (SWAPS.has(topic!)) {
    const tick = signed(word(data, 4));
    // Out of the middle word more ticks are to be read.
    if (wordOf(tick, tickSpacing) !== state.word) return undefined;
    return { ...state, sqrtPriceX96: word(data, 2), liquidity: word(data, 3), tick };
  }
  if ((topic === MINT || topic === BURN) && topics.length === 4) {
    const amount = topic === MINT ? word(data, 1) : -word(data, 0);
    const [lower, upper] = [signed(BigInt(topics[2]!)), signed(BigInt(topics[3]!))];
    change(state.ticks, lower, amount, amount);
    change(state.ticks, upper, amount, -amount);
    const inRange = lower <= state.tick && state.tick < upper;
    return inRange ? { ...state, liquidity: state.liquidity + amount } : state;
  }
  return state;
}

/** Ticks outside the three words are kept, too: they are not told of, and read anew with the rest. */
function change(ticks: Map<number, TickState>, at: number, gross: bigint, net: bigint): void {
  const known = ticks.get(at) ?? { gross: 0n, net: 0n };
  if (known.gross + gross === 0n) ticks.delete(at);
  else ticks.set(at, { gross: known.gross + gross, net: known.net + net });
}

/** As a record says it; undefined for one whose state is not known, or through which nobody can trade now. */
export function memberOf({
  state,
  address,
  factory,
  token0,
  token1,
  fee,
  tickSpacing,
}: KnownPool): PoolMember | undefined {
  const identity = { address, factory, token0, token1 };
  if (state === undefined) return undefined;
  if (!("ticks" in state))
    return { ...identity, reserve0: hex(state.reserve0), reserve1: hex(state.reserve1) } satisfies PairMember;
  if (state.liquidity === 0n) return undefined;
  const { sqrtPriceX96, tick, liquidity } = state;
  const span = 256 * tickSpacing!;
  const [lowest, highest] = [(state.word - 1) * span, (state.word + 2) * span - tickSpacing!];
  const known = [...state.ticks].filter(([at]) => at >= lowest && at <= highest).sort(([a], [b]) => a - b);
  const below = known.filter(([at]) => at <= tick);
  const above = known.filter(([at]) => at > tick);
  const half = MAX_TICKS / 2;
  const [near, far] = [below.slice(-half), above.slice(0, half)];
  return {
    ...{ ...identity, fee: fee!, sqrtPriceX96: hex(sqrtPriceX96), tick, liquidity: hex(liquidity) },
    from: near.length < below.length ? near[0]![0] : Math.max(lowest, -MAX_TICK),
    to: far.length < above.length ? far.at(-1)![0] : Math.min(highest, MAX_TICK),
    ticks: [...near, ...far].map(([at, { net }]) => [at, hex(net)] as const),
  } satisfies ConcentratedMember;
}

const hex = (value: bigint): string => (value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`);
/** 0 where the data are shorter, as of a log that is none of ours: such a pool has no liquidity. */
const word = (data: string, place: number): bigint => BigInt(`0x${data.slice(2 + 64 * place, 66 + 64 * place) || "0"}`);
const signed = (value: bigint): number => Number(BigInt.asIntN(24, value));
