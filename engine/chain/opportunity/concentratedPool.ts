/**
 * A pool of Uniswap V3's kind at one moment, and what a swap through it pays, to the unit. Its liquidity changes at the ticks where somebody's
 * range begins or ends; a swap walks from one to the next. We know those between `from` and `to`: beyond, nothing is said.
 *
 *        from ───┬─────────┬── price ──┬────────────── to
 *               tick: net           tick: net        the net is added to the liquidity on the way up, taken from it on the way down
 */
import type { Address } from "../swap.ts";
import type { Side } from "./constantProduct.ts";
import { PIPS, swapStep } from "./sqrtPriceMath.ts";
import { MAX_SQRT_PRICE, MAX_TICK, MIN_SQRT_PRICE, sqrtPriceAt, tickAt } from "./tickMath.ts";

export interface ConcentratedPool {
  readonly address: Address;
  readonly token0: Address;
  readonly token1: Address;
  /** Hundredths of a bip. */
  readonly fee: number;
  readonly tickSpacing: number;
  readonly sqrtPriceX96: bigint;
  /** As the contract has it: at a tick that was crossed downwards it is one below that of the price. */
  readonly tick: number;
  readonly liquidity: bigint;
  /** All ticks from here to there at which liquidity changes are known. */
  readonly from: number;
  readonly to: number;
  /** Ascending: [tick, liquidity net of it]. */
  readonly ticks: readonly (readonly [tick: number, net: bigint])[];
}

export interface PoolTrade<P> {
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  readonly after: P;
}

/** Real swaps cross a few ticks, made-up ones as many as a record may name, and the edges of words in between. */
const MAX_STEPS = 512;

/**
 * @param exact which of the two amounts `amount` is
 * @returns undefined: the pool does not have the token, or the swap would leave what is known of the pool
 */
export function swapThrough(
  pool: ConcentratedPool,
  tokenIn: Address,
  exact: "in" | "out",
  amount: bigint,
): PoolTrade<ConcentratedPool> | undefined {
  if (amount <= 0n || (tokenIn !== pool.token0 && tokenIn !== pool.token1)) return undefined;
  const zeroForOne = tokenIn === pool.token0;
  let { sqrtPriceX96: price, tick, liquidity } = pool;
  let [left, amountIn, amountOut] = [amount, 0n, 0n];
  for (let step = 0; left > 0n; step++) {
    const next = nextTick(pool, tick, zeroForOne);
    if (next === undefined || step === MAX_STEPS) return undefined;
    const target = sqrtPriceAt(next.tick);
    const done = swapStep(price, target, liquidity, exact, left, BigInt(pool.fee));
    amountIn += done.amountIn + done.fee;
    amountOut += done.amountOut;
    left -= exact === "in" ? done.amountIn + done.fee : done.amountOut;
    if (done.sqrtPrice === target) {
      if (!next.isKnown) return undefined;
      liquidity += zeroForOne ? -next.net : next.net;
      if (liquidity < 0n) return undefined; // no pool is like this
      tick = zeroForOne ? next.tick - 1 : next.tick;
    } else if (done.sqrtPrice !== price) tick = tickAt(done.sqrtPrice);
    price = done.sqrtPrice;
  }
  if (price <= MIN_SQRT_PRICE || price >= MAX_SQRT_PRICE - 1n) return undefined; // all that the pool has
  return { amountIn, amountOut, after: { ...pool, sqrtPriceX96: price, tick, liquidity } };
}

/**
 * The pool at its price as a trade meets it: as if it held so much of both tokens, x · y, with the fee left out of it, until `most` of an input is paid.
 * @returns undefined where what is known of it ends, or where nobody has liquidity
 */
export function rangeSide(pool: ConcentratedPool, tokenIn: Address): (Side & { readonly most: bigint }) | undefined {
  const { sqrtPriceX96: price, liquidity, tick } = pool;
  const zeroForOne = tokenIn === pool.token0;
  const next = nextTick(pool, tick, zeroForOne);
  if (next === undefined || liquidity === 0n || (!zeroForOne && tokenIn !== pool.token1)) return undefined;
  const target = sqrtPriceAt(next.tick);
  // It stands where a range begins: downwards that is the end of the one above.
  if (target === price && next.isKnown)
    return rangeSide({ ...pool, tick: next.tick - 1, liquidity: liquidity - next.net }, tokenIn);
  const [reserve0, reserve1] = virtualReserves(pool);
  const step = swapStep(price, target, liquidity, "in", 2n ** 255n, BigInt(pool.fee));
  const whole = step.amountIn + step.fee;
  // Where known ticks end no trade may arrive: a little before.
  const most = next.isKnown ? whole : whole - whole / 1_000_000n - 1n;
  const [reserveIn, reserveOut] = zeroForOne ? [reserve0, reserve1] : [reserve1, reserve0];
  return { reserveIn, reserveOut, keep: (PIPS - BigInt(pool.fee)) / 100n, most };
}

/** What a pool of x · y of the same price and depth holds: L / √P and L · √P. */
export const virtualReserves = ({ sqrtPriceX96, liquidity }: Pick<ConcentratedPool, "sqrtPriceX96" | "liquidity">) =>
  [(liquidity << 96n) / sqrtPriceX96, (liquidity * sqrtPriceX96) >> 96n] as const;

interface NextTick {
  readonly tick: number;
  readonly net: bigint;
  /** false: known ticks end here, and what this one does is not known. */
  readonly isKnown: boolean;
}

/**
 * Where the contract's next step ends: at the next tick that has liquidity, or at the end of the word of its bitmap, 256 ticks of the pool's spacing
 * (TickBitmap.nextInitializedTickWithinOneWord). Steps are rounded, so that each of them counts.
 */
function nextTick(
  { ticks, tickSpacing, from, to }: ConcentratedPool,
  tick: number,
  down: boolean,
): NextTick | undefined {
  const place = Math.floor(tick / tickSpacing) + (down ? 0 : 1);
  const word = Math.floor(place / 256) * 256;
  const edge = (down ? word : word + 255) * tickSpacing;
  const start = place * tickSpacing;
  const found = down
    ? ticks.findLast(([each]) => each <= start && each >= edge)
    : ticks.find(([each]) => each >= start && each <= edge);
  const next = Math.min(Math.max(found?.[0] ?? edge, -MAX_TICK), MAX_TICK);
  if (next >= from && next <= to) return { tick: next, net: found?.[1] ?? 0n, isKnown: true };
  const end = down ? from : to;
  return (down ? end <= tick : end > tick) ? { tick: end, net: 0n, isKnown: false } : undefined;
}
