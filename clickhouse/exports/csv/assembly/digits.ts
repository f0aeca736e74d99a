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

/** Of 64 bits at most. */
// @ts-ignore: decorator
@inline
export function integer(at: usize, from: usize, width: usize, isSigned: bool): usize {
  if (!isSigned) return decimal(at, width == 8 ? load<u64>(from) : <u64>unsigned(from, width));
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

/** @param value below a billion */
function upToNine(at: usize, value: u32): usize {
  let end = at + 1;
  for (let limit: u32 = 10; limit <= value; limit *= 10) end++;
  let to = end;
  for (; value > 99; ) {
    const hundreds = value / 100;
    to -= 2;
    pair(to, value - 100 * hundreds);
    value = hundreds;
  }
  if (value > 9) pair(at, value);
  else store<u8>(at, ZERO + <u8>value);
  return end;
}

/** With the zeros in front. */
function nine(at: usize, value: u32): usize {
  const first = value / 100_000_000;
  const eight = value - 100_000_000 * first;
  const high = eight / 10_000;
  const low = eight - 10_000 * high;
  const a = high / 100;
  const b = low / 100;
  store<u8>(at, ZERO + <u8>first);
  pair(at + 1, a);
  pair(at + 3, high - 100 * a);
  pair(at + 5, b);
  pair(at + 7, low - 100 * b);
  return at + 9;
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
  store<u8>(at, QUOTE);
  return at + 1;
}

/** Where the limbs that are not 0 end: behind the second at least. */
// @ts-ignore: decorator
@inline
function withoutZeros(top: usize): usize {
  while (top > LIMBS + 8 && load<u32>(top - 4) == 0) top -= 4;
  return top;
}
