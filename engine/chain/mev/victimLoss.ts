/**
 * What a sandwich's victims lost: their swaps over again, from where the pool stood before the frontrun, without the sandwicher's own.
 * Everybody's amounts in stay as they were. Only where the receipts tell the pool's curve:
 *
 * - constant product (V2 and forks): reserves from Sync. Who asks for less than the pool would give has that ratio again.
 * - concentrated liquidity (V3, V4): price from the Swap logs, as long as one liquidity holds from the frontrun to the victim.
 *
 * All else is null, as is a pool whose liquidity changed in between.
 */
import { amountOut as amountOf, KEEPS } from "../opportunity/constantProduct.ts";
import { type Address, NATIVE, type Swap } from "../swap.ts";

/** @param swaps all of one pool's, in order, from the first frontrun to the last victim @param before the one before them, if any */
export function lossesOf(
  swaps: readonly Swap[],
  isOwn: (swap: Swap) => boolean,
  before: Swap | undefined,
): Map<Swap, bigint> {
  if (swaps.every(hasReserves)) return productLosses(swaps, isOwn);
  if (swaps.every(hasPrice)) return rangeLosses(swaps, isOwn, before && hasPrice(before) ? before : undefined);
  return new Map();
}

type Reserves = { readonly reserve0: bigint; readonly reserve1: bigint };
type Price = { readonly sqrtPriceX96: bigint; readonly liquidity: bigint; readonly tick: number };
const hasReserves = (swap: Swap): swap is Swap & { after: Reserves } => "reserve0" in (swap.after ?? {});
const hasPrice = (swap: Swap): swap is Swap & { after: Price } => "sqrtPriceX96" in (swap.after ?? {});

/** Pools order their tokens by address; V4 writes the native coin as the zero address. */
const order = (token: Address): string => (token === NATIVE ? "" : token);
export const isZeroForOne = ({ tokenIn, tokenOut }: Pick<Swap, "tokenIn" | "tokenOut">): boolean =>
  order(tokenIn) < order(tokenOut);

/** What the pool holds of the token in and the token out. */
type Sides = readonly [rIn: bigint, rOut: bigint];
const flip = ([a, b]: Sides): Sides => [b, a];

function productLosses(swaps: readonly (Swap & { after: Reserves })[], isOwn: (swap: Swap) => boolean) {
  const losses = new Map<Swap, bigint>();
  /** [reserve0, reserve1], as they were and as they would be. */
  let real: Sides | undefined;
  let without: Sides | undefined;
  for (const swap of swaps) {
    const { amountIn, amountOut, after } = swap;
    const sided = isZeroForOne(swap) ? (sides: Sides) => sides : flip;
    const [rIn, rOut] = sided([after.reserve0, after.reserve1]);
    const start: Sides = [rIn - amountIn, rOut + amountOut];
    if (start[0] <= 0n || rOut <= 0n) return losses;
    if (real && (sided(real)[0] !== start[0] || sided(real)[1] !== start[1])) return losses;
    real = [after.reserve0, after.reserve1];
    without ??= sided(start);
    if (isOwn(swap)) continue;
    const out = sameSwap(amountIn, amountOut, start, sided(without));
    if (out === undefined) return losses;
    losses.set(swap, out - amountOut);
    const [wIn, wOut] = sided(without);
    without = sided([wIn + amountIn, wOut - out]);
  }
  return losses;
}

/** What the same amount in gets at other reserves; undefined where the pool does not keep rIn · rOut. */
function sameSwap(amountIn: bigint, amountOut: bigint, [rIn, rOut]: Sides, [wIn, wOut]: Sides): bigint | undefined {
  for (const keep of KEEPS)
    if (amountOf({ reserveIn: rIn, reserveOut: rOut, keep }, amountIn) === amountOut)
      return amountOf({ reserveIn: wIn, reserveOut: wOut, keep }, amountIn);
  // What counted of the amount in: effective / (rOut − amountOut), of a swap that asked for less or a fee we do not know.
  const [effective, per] = [amountOut * rIn, rOut - amountOut];
  if (effective > amountIn * per || effective * 10n < amountIn * per * 9n) return undefined;
  return (wOut * effective) / (wIn * per + effective);
}

const Q96 = 2n ** 96n;
/** 1/√P, to 256 bits. */
const inverse = (sqrtPrice: bigint): bigint => 2n ** 256n / sqrtPrice;

function rangeLosses(
  swaps: readonly (Swap & { after: Price })[],
  isOwn: (swap: Swap) => boolean,
  before: (Swap & { after: Price }) | undefined,
) {
  const losses = new Map<Swap, bigint>();
  const { liquidity } = swaps[0]!.after;
  if (liquidity === 0n || (before && before.after.liquidity !== liquidity)) return losses;
  let real = before?.after.sqrtPriceX96 ?? priceBefore(swaps[0]!);
  let without = real;
  for (const swap of swaps) {
    const { after } = swap;
    if (after.liquidity !== liquidity || after.sqrtPriceX96 === 0n) return losses;
    const zeroForOne = isZeroForOne(swap);
    if (!isNear(outOf(zeroForOne, liquidity, real, after.sqrtPriceX96), swap.amountOut)) return losses;
    if (!isOwn(swap)) {
      const to = zeroForOne
        ? 2n ** 256n / (inverse(without) + inverse(after.sqrtPriceX96) - inverse(real))
        : without + after.sqrtPriceX96 - real;
      losses.set(swap, outOf(zeroForOne, liquidity, without, to) - swap.amountOut);
      without = to;
    }
    real = after.sqrtPriceX96;
  }
  return losses;
}

/** Token out between two prices: L · Δ√P of token 1, L · Δ(1/√P) of token 0. */
const outOf = (zeroForOne: boolean, liquidity: bigint, from: bigint, to: bigint): bigint =>
  zeroForOne ? (liquidity * (from - to)) / Q96 : (liquidity * (inverse(from) - inverse(to))) >> 160n;

/** √P before a swap, from what it gave out: what went in has the fee in it. */
function priceBefore(swap: Swap & { after: Price }): bigint {
  const { sqrtPriceX96, liquidity } = swap.after;
  if (isZeroForOne(swap)) return sqrtPriceX96 + (swap.amountOut * Q96) / liquidity;
  return (liquidity * Q96 * sqrtPriceX96) / (liquidity * Q96 + swap.amountOut * sqrtPriceX96);
}

/** Within 1/10,000, or a unit: rounding, but no tick crossed and come back from. */
const isNear = (a: bigint, b: bigint): boolean => (a > b ? a - b : b - a) * 10_000n <= b + 10_000n;
