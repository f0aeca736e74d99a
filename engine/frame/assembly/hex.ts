/** Hex digits, sixteen at once. */

/** Of each character its value; where it is no hex digit the highest bit is set. */
// @ts-ignore: decorator
@inline
export function hexDigits(characters: v128): v128 {
  const number = i8x16.sub(characters, i8x16.splat(0x30));
  const letter = i8x16.sub(v128.or(characters, i8x16.splat(0x20)), i8x16.splat(0x61));
  const isNumber = i8x16.lt_u(number, i8x16.splat(10));
  const isLetter = i8x16.lt_u(letter, i8x16.splat(6));
  const value = v128.bitselect(number, i8x16.add(letter, i8x16.splat(10)), isNumber);
  return v128.or(value, v128.andnot(i8x16.splat(-128), v128.or(isNumber, isLetter)));
}

/** 16 bytes of the values of 32 digits. */
// @ts-ignore: decorator
@inline
export function packed(a: v128, b: v128): v128 {
  return i8x16.narrow_i16x8_u(pairs(a), pairs(b));
}

/** A byte's first digit comes first, in the lower half of a lane of 16 bits. */
// @ts-ignore: decorator
@inline
function pairs(digits: v128): v128 {
  return v128.and(v128.or(i16x8.shl(digits, 4), i16x8.shr_u(digits, 8)), i16x8.splat(0xff));
}

/** 16 bytes of zeros, then 16 of ones: from n on a mask of the last n of 16. */
const lastBytes: usize = memory.data<u64>([0, 0, -1, -1]);

/** The number that the digits before `end` are, at most the last 16 of them. */
// @ts-ignore: decorator
@inline
export function rightmost(end: usize, digits: i32): u64 {
  const values = v128.and(hexDigits(v128.load(end - 16)), v128.load(lastBytes + <usize>min(digits, 16)));
  return bswap(i64x2.extract_lane(packed(values, values), 0));
}
