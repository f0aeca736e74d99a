/**
 * One step of a swap through a pool of Uniswap V3's kind, within which its liquidity stays the same: the contract's own integers and rounding.
 * Source: SwapMath.computeSwapStep, SqrtPriceMath.
 *
 *     token0 between two prices = L · 2⁹⁶ · (1/√a − 1/√b)      token1 = L · (√b − √a) / 2⁹⁶
 */
const Q96 = 96n;
/** Of a fee. */
export const PIPS = 1_000_000n;

export interface Step {
  readonly sqrtPrice: bigint;
  /** Without the fee. */
  readonly amountIn: bigint;
  readonly fee: bigint;
  readonly amountOut: bigint;
}

/**
 * @param target price where the step ends at the latest; where it lies says which way the swap goes
 * @param exact which of the two amounts `left` is: what is still to be paid with the fee, or to be bought
 * @param fee hundredths of a bip, of PIPS
 */
export function swapStep(
  sqrtPrice: bigint,
  target: bigint,
  liquidity: bigint,
  exact: "in" | "out",
  left: bigint,
  fee: bigint,
): Step {
  const zeroForOne = sqrtPrice >= target;
  const paid = zeroForOne ? amount0 : amount1;
  const bought = zeroForOne ? amount1 : amount0;
  const next =
    exact === "in"
      ? afterInput(sqrtPrice, target, liquidity, (left * (PIPS - fee)) / PIPS, zeroForOne)
      : afterOutput(sqrtPrice, target, liquidity, left, zeroForOne);
  const amountIn = paid(sqrtPrice, next, liquidity, true);
  const out = bought(sqrtPrice, next, liquidity, false);
  const amountOut = exact === "out" && out > left ? left : out;
  // What is left of an input behind the last step is fee, too: nothing is paid back.
  const taken = exact === "in" && next !== target ? left - amountIn : divideUp(amountIn * fee, PIPS - fee);
  return { sqrtPrice: next, amountIn, fee: taken, amountOut };
}

function afterInput(price: bigint, target: bigint, liquidity: bigint, left: bigint, zeroForOne: boolean): bigint {
  if (left >= (zeroForOne ? amount0 : amount1)(price, target, liquidity, true)) return target;
  if (left === 0n) return price;
  if (!zeroForOne) return price + (left << Q96) / liquidity;
  const value = liquidity << Q96;
  const denominator = value + left * price;
  // The contract computes in 256 bits, and in another way where these are too few.
  return denominator < 2n ** 256n ? divideUp(value * price, denominator) : divideUp(value, value / price + left);
}

function afterOutput(price: bigint, target: bigint, liquidity: bigint, left: bigint, zeroForOne: boolean): bigint {
  if (left >= (zeroForOne ? amount1 : amount0)(price, target, liquidity, false)) return target;
  if (zeroForOne) return price - divideUp(left << Q96, liquidity);
  const value = liquidity << Q96;
  return divideUp(value * price, value - left * price);
}

function amount0(one: bigint, other: bigint, liquidity: bigint, up: boolean): bigint {
  const [low, high] = one < other ? [one, other] : [other, one];
  const value = (liquidity << Q96) * (high - low);
  return up ? divideUp(divideUp(value, high), low) : value / high / low;
}

function amount1(one: bigint, other: bigint, liquidity: bigint, up: boolean): bigint {
  const value = liquidity * (one < other ? other - one : one - other);
  return up ? divideUp(value, 1n << Q96) : value >> Q96;
}

const divideUp = (value: bigint, by: bigint): bigint => (value + by - 1n) / by;
