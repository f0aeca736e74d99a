import { CELL, CELL_SIZE, KNOWN, SIGNED } from "./column";

/** Integers as decimal text. */
export const QUOTE: u8 = 0x22;
export const MINUS: u8 = 0x2d;
export const ZERO: u8 = 0x30;

/** "00" to "99". */
const PAIRS = memory.data(200);
for (let i: u32 = 0; i < 100; i++) store<u16>(PAIRS + 2 * i, (((i % 10) << 8) | (i / 10)) + 0x3030);

/** Of an integer that is divided again and again, and its groups of nine digits, the last first. */
const LIMBS = memory.data(32);
const GROUPS = memory.data(40);
const BILLION: u64 = 1_000_000_000;

/** Of 64 bits at most. Rows are in the order of their blocks: chain, height and more are most often those of the row before. */
// @ts-ignore: decorator
@inline
export function integer(at: usize, column: usize, from: usize, width: usize): usize {
  const value: u64 = width == 8 ? load<u64>(from) : <u64>unsigned(from, width);
  const size: usize = load<u32>(column, CELL_SIZE);
  if (size > 0 && value == load<u64>(column, KNOWN)) {
    const cell: usize = load<u32>(column, CELL);
    v128.store(at, v128.load(cell));
    store<u64>(at, load<u64>(cell, 16), 16);
    return at + size;
  }
  const end = fresh(at, from, value, width, load<u32>(column, SIGNED) != 0);
  store<u64>(column, value, KNOWN);
  store<u32>(column, <u32>at, CELL);
  store<u32>(column, <u32>(end - at), CELL_SIZE);
  return end;
}

// @ts-ignore: decorator
@inline
function fresh(at: usize, from: usize, natural: u64, width: usize, isSigned: bool): usize {
  if (!isSigned) return decimal(at, natural);
  const value: i64 =
    width == 8 ? load<i64>(from) : width == 4 ? load<i32>(from) : width == 2 ? load<i16>(from) : load<i8>(from);
  if (value >= 0) return decimal(at, value);
  store<u8>(at, MINUS);
  return decimal(at + 1, -value);
}

/** Of 32 bits at most. */
// @ts-ignore: decorator
@inline
export function unsigned(from: usize, width: usize): u32 {
  return width == 4 ? load<u32>(from) : width == 2 ? <u32>load<u16>(from) : <u32>load<u8>(from);
}

export function decimal(at: usize, value: u64): usize {
  if (value < BILLION) return upToNine(at, <u32>value);
  const billions = value / BILLION;
  const group = <u32>(value - billions * BILLION);
  if (billions < BILLION) at = upToNine(at, <u32>billions);
  else {
    const front = billions / BILLION;
    at = nine(upToNine(at, <u32>front), <u32>(billions - front * BILLION));
  }
  return nine(at, group);
}

/*
 * Below a billion a number becomes a fraction: its first digit or two above the point, 32 bits below it, and each multiplication by 100 brings the next two
 * above (James Anhalt, https://jk-jeon.github.io/posts/2022/02/jeaiii-algorithm). The factors are 2^32 and more by 100, 10,000 and so on, rounded up: each
 * number below a billion was tried.
 */

/** @param value below a billion */
function upToNine(at: usize, value: u32): usize {
  if (value < 100) return first(at, value);
  if (value < 10_000) {
    const fraction = <u64>value * 42_949_673;
    at = first(at, <u32>(fraction >> 32));
    two(at, fraction);
    return at + 2;
  }
  if (value < 1_000_000) {
    const fraction = <u64>value * 429_497;
    at = first(at, <u32>(fraction >> 32));
    two(at + 2, two(at, fraction));
    return at + 4;
  }
  if (value >= 100_000_000) return nine(at, value);
  const fraction = (<u64>value * 281_474_978) >> 16;
  at = first(at, <u32>(fraction >> 32));
  two(at + 4, two(at + 2, two(at, fraction)));
  return at + 6;
}

/** With the zeros in front. */
function nine(at: usize, value: u32): usize {
  const fraction = ((<u64>value * 1_441_151_881) >> 25) + 1;
  store<u8>(at, ZERO + <u8>(fraction >> 32));
  two(at + 7, two(at + 5, two(at + 3, two(at + 1, fraction))));
  return at + 9;
}

/** One digit or two. */
// @ts-ignore: decorator
@inline
function first(at: usize, value: u32): usize {
  if (value > 9) {
    pair(at, value);
    return at + 2;
  }
  store<u8>(at, ZERO + <u8>value);
  return at + 1;
}

/** The next two. @returns what is left */
// @ts-ignore: decorator
@inline
function two(at: usize, fraction: u64): u64 {
  const next = (fraction & 0xffffffff) * 100;
  pair(at, <u32>(next >> 32));
  return next;
}

// @ts-ignore: decorator
@inline
export function pair(at: usize, value: u32): void {
  store<u16>(at, load<u16>(PAIRS + 2 * value));
}

/** Of 128 or 256 bits, as a text. */
export function wide(at: usize, from: usize, width: usize, isSigned: bool): usize {
  store<u8>(at++, QUOTE);
  const isNegative = isSigned && load<i8>(from + width - 1) < 0;
  at =
    !isNegative && (width == 16 || (load<u64>(from, 16) | load<u64>(from, 24)) == 0)
      ? upTo128(at, load<u64>(from, 8), load<u64>(from))
      : byLimbs(at, from, width, isNegative);
  store<u8>(at, QUOTE);
  return at + 1;
}

function byLimbs(at: usize, from: usize, width: usize, isNegative: bool): usize {
  if (isNegative) store<u8>(at++, MINUS);
  let carry: u64 = isNegative ? 1 : 0;
  const flip: u32 = isNegative ? 0xffffffff : 0;
  for (let i: usize = 0; i < width; i += 4) {
    carry += <u64>(load<u32>(from + i) ^ flip);
    store<u32>(LIMBS + i, <u32>carry);
    carry >>= 32;
  }
  let top = withoutZeros(LIMBS + width);
  let group = GROUPS;
  for (; top > LIMBS + 8; group += 4) {
    let rest: u64 = 0;
    for (let limb = top - 4; limb >= LIMBS; limb -= 4) {
      const value = (rest << 32) | <u64>load<u32>(limb);
      const quotient = value / BILLION;
      store<u32>(limb, <u32>quotient);
      rest = value - quotient * BILLION;
    }
    store<u32>(group, <u32>rest);
    top = withoutZeros(top);
  }
  at = decimal(at, load<u64>(LIMBS));
  while (group > GROUPS) at = nine(at, load<u32>((group -= 4)));
  return at;
}

/** As most are. */
function upTo128(at: usize, high: u64, low: u64): usize {
  if (high == 0) return decimal(at, low);
  const a = high / BILLION;
  const middle = ((high - a * BILLION) << 32) | (low >> 32);
  const b = middle / BILLION;
  const last = ((middle - b * BILLION) << 32) | (low & 0xffffffff);
  const c = last / BILLION;
  return nine(upTo128(at, a, (b << 32) | c), <u32>(last - c * BILLION));
}

/** Where the limbs that are not 0 end: behind the second at least. */
// @ts-ignore: decorator
@inline
function withoutZeros(top: usize): usize {
  while (top > LIMBS + 8 && load<u32>(top - 4) == 0) top -= 4;
  return top;
}
