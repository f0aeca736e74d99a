/**
 * Ticks and prices of Uniswap V3's kind, as its contracts compute them: at tick t a pool's price is 1.0001^t, and what it keeps is
 * √price · 2⁹⁶. Source: TickMath.getSqrtRatioAtTick and getTickAtSqrtRatio.
 */

export const MAX_TICK = 887_272;
/** √price at the lowest tick, which a pool may have, and at the highest, which it may not. */
export const MIN_SQRT_PRICE = 4_295_128_739n;
export const MAX_SQRT_PRICE = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342n;

/** 2¹²⁸ / √1.0001^(2^i), rounded as in the contract. */
const POWERS = [
  0xfffcb933bd6fad37aa2d162d1a594001n,
  0xfff97272373d413259a46990580e213an,
  0xfff2e50f5f656932ef12357cf3c7fdccn,
  0xffe5caca7e10e4e61c3624eaa0941cd0n,
  0xffcb9843d60f6159c9db58835c926644n,
  0xff973b41fa98c081472e6896dfb254c0n,
  0xff2ea16466c96a3843ec78b326b52861n,
  0xfe5dee046a99a2a811c461f1969c3053n,
  0xfcbe86c7900a88aedcffc83b479aa3a4n,
  0xf987a7253ac413176f2b074cf7815e54n,
  0xf3392b0822b70005940c7a398e4b70f3n,
  0xe7159475a2c29b7443b29c7fa6e889d9n,
  0xd097f3bdfd2022b8845ad8f792aa5825n,
  0xa9f746462d870fdf8a65dc1f90e061e5n,
  0x70d869a156d2a1b890bb3df62baf32f7n,
  0x31be135f97d08fd981231505542fcfa6n,
  0x9aa508b5b7a84e1c677de54f3e99bc9n,
  0x5d6af8dedb81196699c329225ee604n,
  0x2216e584f5fa1ea926041bedfe98n,
  0x48a170391f7dc42444e8fa2n,
] as const;

/** √price · 2⁹⁶ at a tick, rounded up. @param tick from -MAX_TICK to MAX_TICK */
export function sqrtPriceAt(tick: number): bigint {
  const steps = Math.abs(tick);
  let ratio = 1n << 128n;
  for (let i = 0; i < POWERS.length; i++) if (steps & (1 << i)) ratio = (ratio * POWERS[i]!) >> 128n;
  if (tick > 0) ratio = (2n ** 256n - 1n) / ratio;
  return (ratio >> 32n) + (ratio % 2n ** 32n === 0n ? 0n : 1n);
}

/** The highest tick whose price is not above this one. @param sqrtPrice from MIN_SQRT_PRICE, below MAX_SQRT_PRICE */
export function tickAt(sqrtPrice: bigint): number {
  // A double is right to 10⁻¹⁵, a tick is 10⁻⁴: the guess is off by one at most.
  const guess = Math.floor((2 * Math.log(Number(sqrtPrice) / 2 ** 96)) / Math.log(1.0001));
  let tick = Math.min(Math.max(guess, -MAX_TICK), MAX_TICK - 1);
  if (sqrtPriceAt(tick) > sqrtPrice) tick--;
  else if (sqrtPriceAt(tick + 1) <= sqrtPrice) tick++;
  return tick;
}
