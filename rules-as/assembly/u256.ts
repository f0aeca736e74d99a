/**
 * Amounts. U256 is four 64-bit words, lowest first, as the frame has it: `tx.value` is a view without a copy.
 * Sums that overflow stop at the border (2^256 − 1, or 0) and do not trap: amounts in input and logs are a stranger's
 * choice, and a trap would let them switch a rule off. `addExact`, `subExact` abort instead.
 */
import { digit } from "./hex";

/** An amount: 0 to 2^256 − 1. */
@unmanaged
export class U256 {
  constructor(
    readonly w0: u64 = 0,
    readonly w1: u64 = 0,
    readonly w2: u64 = 0,
    readonly w3: u64 = 0,
  ) {}

  /** 2^256 − 1. */
  static max(): U256 {
    return new U256(u64.MAX_VALUE, u64.MAX_VALUE, u64.MAX_VALUE, u64.MAX_VALUE);
  }

  /** Is it 0? */
  get isZero(): bool {
    return (this.w0 | this.w1 | this.w2 | this.w3) == 0;
  }

  /** 2^256 − 1: "unlimited" in approvals. */
  isMax(): bool {
    return (this.w0 & this.w1 & this.w2 & this.w3) == u64.MAX_VALUE;
  }

  /** -1, 0 or 1 */
  compare(other: U256): i32 {
    if (this.w3 != other.w3) return this.w3 < other.w3 ? -1 : 1;
    if (this.w2 != other.w2) return this.w2 < other.w2 ? -1 : 1;
    if (this.w1 != other.w1) return this.w1 < other.w1 ? -1 : 1;
    if (this.w0 != other.w0) return this.w0 < other.w0 ? -1 : 1;
    return 0;
  }

  /** The same number. */
  @operator("==") equals(other: U256): bool { return this.compare(other) == 0; }
  /** Another number. */
  @operator("!=") differs(other: U256): bool { return this.compare(other) != 0; }
  /** Less than. */
  @operator("<") less(other: U256): bool { return this.compare(other) < 0; }
  /** At most. */
  @operator("<=") atMost(other: U256): bool { return this.compare(other) <= 0; }
  /** More than. */
  @operator(">") more(other: U256): bool { return this.compare(other) > 0; }
  /** At least. */
  @operator(">=") atLeast(other: U256): bool { return this.compare(other) >= 0; }

  /** Modulo 2^256; it overflowed if the result is less than either side. */
  private wrappingAdd(other: U256): U256 {
    const s0 = this.w0 + other.w0;
    const c0 = <u64>(s0 < other.w0);
    const t1 = this.w1 + other.w1, s1 = t1 + c0;
    const c1 = <u64>(t1 < other.w1) | <u64>(s1 < t1);
    const t2 = this.w2 + other.w2, s2 = t2 + c1;
    const c2 = <u64>(t2 < other.w2) | <u64>(s2 < t2);
    return new U256(s0, s1, s2, this.w3 + other.w3 + c2);
  }

  /** Sum, at most 2^256 − 1. */
  @operator("+") add(other: U256): U256 {
    const sum = this.wrappingAdd(other);
    return sum < other ? U256.max() : sum;
  }

  /** Sum; aborts if it exceeds 2^256 − 1. */
  addExact(other: U256): U256 {
    const sum = this.wrappingAdd(other);
    if (sum < other) throw new Error("Cannot add: the sum exceeds 2^256 - 1");
    return sum;
  }

  /** Difference, at least 0. */
  @operator("-") sub(other: U256): U256 {
    return this < other ? new U256() : this.wrappingSub(other);
  }

  /** Difference; aborts if it is negative. */
  subExact(other: U256): U256 {
    if (this < other) throw new Error("Cannot subtract: the difference is negative");
    return this.wrappingSub(other);
  }

  private wrappingSub(other: U256): U256 {
    const b0 = <u64>(this.w0 < other.w0);
    const t1 = this.w1 - other.w1;
    const b1 = <u64>(this.w1 < other.w1) | <u64>(t1 < b0);
    const t2 = this.w2 - other.w2;
    const b2 = <u64>(this.w2 < other.w2) | <u64>(t2 < b1);
    return new U256(this.w0 - other.w0, t1 - b0, t2 - b1, this.w3 - other.w3 - b2);
  }

  /** Times a number, at most 2^256 − 1. */
  mul(factor: u64): U256 {
    const low = factor & 0xffff_ffff, high = factor >> 32;
    const product = this.mulSmall(low);
    if (high == 0) return product;
    const upper = this.mulSmall(high);
    if ((upper.w3 >> 32) != 0) return U256.max();
    return product + upper.shiftLeft32();
  }

  /** Times a factor below 2^32, saturating: eight steps of 32 × 32 bits and a carry. */
  private mulSmall(factor: u64): U256 {
    const result = new U256();
    let carry: u64 = 0;
    for (let i: usize = 0; i < 32; i += 4) {
      const part = <u64>load<u32>(changetype<usize>(this) + i) * factor + carry;
      store<u32>(changetype<usize>(result) + i, <u32>part);
      carry = part >> 32;
    }
    return carry != 0 ? U256.max() : result;
  }

  private shiftLeft32(): U256 {
    return new U256(
      this.w0 << 32,
      (this.w1 << 32) | (this.w0 >> 32),
      (this.w2 << 32) | (this.w1 >> 32),
      (this.w3 << 32) | (this.w2 >> 32),
    );
  }

  /** Divided by a number, rounded down; aborts for 0. */
  div(divisor: u64): U256 {
    if (divisor == 0) throw new Error("Cannot divide by 0");
    const result = new U256();
    let rest: u64 = 0;
    for (let i = 255; i >= 0; --i) {
      const word = (i >> 6) << 3, bit = <u64>1 << (i & 63);
      const top = rest >> 63; // what the shift pushes out
      rest = (rest << 1) | <u64>((load<u64>(changetype<usize>(this) + word) & bit) != 0);
      if (top == 0 && rest < divisor) continue;
      rest -= divisor;
      const at = changetype<usize>(result) + word;
      store<u64>(at, load<u64>(at) | bit);
    }
    return result;
  }

  /** 2^64 − 1 if it is more than that. */
  toU64(): u64 {
    return (this.w1 | this.w2 | this.w3) == 0 ? this.w0 : u64.MAX_VALUE;
  }

  /** Nearest floating-point number, for ratios and scores. */
  toF64(): f64 {
    const k: f64 = 18446744073709551616.0; // 2^64
    return ((<f64>this.w3 * k + <f64>this.w2) * k + <f64>this.w1) * k + <f64>this.w0;
  }

  /** Decimal digits. */
  toString(): string {
    return decimal(this, 0);
  }
}

/** Wei per gas: two words, lowest first, a view of the frame. */
@unmanaged
export class U128 {
  constructor(
    readonly lo: u64 = 0,
    readonly hi: u64 = 0,
  ) {}

  /** Is it 0? */
  get isZero(): bool {
    return (this.lo | this.hi) == 0;
  }

  /** -1, 0 or 1 */
  compare(other: U128): i32 {
    if (this.hi != other.hi) return this.hi < other.hi ? -1 : 1;
    if (this.lo != other.lo) return this.lo < other.lo ? -1 : 1;
    return 0;
  }

  /** The same number. */
  @operator("==") equals(other: U128): bool { return this.compare(other) == 0; }
  /** Another number. */
  @operator("!=") differs(other: U128): bool { return this.compare(other) != 0; }
  /** Less than. */
  @operator("<") less(other: U128): bool { return this.compare(other) < 0; }
  /** At most. */
  @operator("<=") atMost(other: U128): bool { return this.compare(other) <= 0; }
  /** More than. */
  @operator(">") more(other: U128): bool { return this.compare(other) > 0; }
  /** At least. */
  @operator(">=") atLeast(other: U128): bool { return this.compare(other) >= 0; }

  /** To compare with `gwei(50)`, to multiply by gas. */
  asU256(): U256 {
    return new U256(this.lo, this.hi);
  }

  /** 2^64 − 1 if it is more than that. */
  toU64(): u64 {
    return this.hi == 0 ? this.lo : u64.MAX_VALUE;
  }

  /** Decimal digits. */
  toString(): string {
    return decimal(this.asU256(), 0);
  }
}

/** A constant from decimal digits: `u256("115792089237316195423570985008687907853269984665640564039457584007913129639935")`. */
export function u256(text: string): U256 {
  return units(text, 0);
}

/** Whole ether in wei: `ether(100)`. For fractions: `units("0.5", 18)`. */
export function ether(amount: u64): U256 {
  return new U256(amount).mul(1_000_000_000_000_000_000);
}

/** Whole gwei in wei: `gwei(50)`. */
export function gwei(amount: u64): U256 {
  return new U256(amount).mul(1_000_000_000);
}

/** A decimal number in units of 10^decimals, exactly: `units("0.5", 18)`, `units("1000000", 6)` for USDC. */
export function units(text: string, decimals: i32): U256 {
  const value = new U256();
  let point = -1, digits = 0;
  for (let i = 0; i < text.length; ++i) {
    const code = text.charCodeAt(i);
    if (code == 46 && point < 0) {
      point = i;
      continue;
    }
    const one = digit(code);
    if (one < 0 || one > 9) throw new Error(`Cannot read "${text}" as a number: expected digits and at most one point`);
    append(value, one);
    digits += 1;
  }
  const fraction = point < 0 ? 0 : text.length - point - 1;
  if (digits == 0 || fraction > decimals)
    throw new Error(`Cannot read "${text}" as a number with ${decimals} decimals: expected 1 to 78 digits, at most ${decimals} of them after the point`);
  for (let i = fraction; i < decimals; ++i) append(value, 0);
  return value;
}

/** Makes the value ten times as much and the digit, at most 2^256 − 1: in place, since what a constant leaves behind stays in every instance. */
function append(value: U256, digit: u64): void {
  let carry = digit;
  for (let at = changetype<usize>(value), end = at + 32; at < end; at += 4) {
    const part = <u64>load<u32>(at) * 10 + carry;
    store<u32>(at, <u32>part);
    carry = part >> 32;
  }
  if (carry != 0) memory.fill(changetype<usize>(value), 0xff, 32);
}

/** `formatUnits(amount, 6)`: decimal digits with a point, without trailing zeros: "1234.5". `places` cuts the fraction. */
export function formatUnits(amount: U256, decimals: i32, places: i32 = 78): string {
  const text = decimal(amount, decimals + 1);
  const point = text.length - decimals;
  let end = point + min(places, decimals);
  while (end > point && text.charCodeAt(end - 1) == 48) end -= 1;
  const whole = text.substring(0, point);
  return end > point ? whole + "." + text.substring(point, end) : whole;
}

/** Wei as ether, at most four decimals: "1234.5". */
export function formatEther(wei: U256, places: i32 = 4): string {
  return formatUnits(wei, 18, places);
}

/** Wei per gas as gwei, at most two decimals: "35.12". */
export function formatGwei(wei: U128, places: i32 = 2): string {
  return formatUnits(wei.asU256(), 9, places);
}

/** Decimal digits, zeros in front up to `least` of them. 10^9 at a time: 2^256 has 78 digits, so nine steps at most. */
function decimal(value: U256, least: i32): string {
  const limbs = __alloc(32);
  memory.copy(limbs, changetype<usize>(value), 32);
  const digits = __alloc(2 * max(90, least)); // UTF-16, filled from its end
  const end = digits + 2 * max(90, least);
  let at = end;
  let left: u64 = 1;
  while (left != 0) {
    left = 0;
    let rest: u64 = 0;
    for (let i = 28; i >= 0; i -= 4) {
      const part = (rest << 32) | load<u32>(limbs + i);
      store<u32>(limbs + i, <u32>(part / 1_000_000_000));
      left |= part / 1_000_000_000;
      rest = part % 1_000_000_000;
    }
    // nine digits from the last one: four pairs, and the first
    let nine = <u32>rest;
    for (let i = 0; i < 4; ++i, nine /= 100) {
      const pair = nine % 100;
      at -= 4;
      store<u32>(at, 0x0030_0030 + pair / 10 + ((pair % 10) << 16));
    }
    at -= 2;
    store<u16>(at, <u16>(48 + nine));
  }
  const floor = end - 2 * max(least, 1);
  while (at < floor && load<u16>(at) == 48) at += 2;
  while (at > floor) store<u16>((at -= 2), 48);
  const text = changetype<string>(__new(end - at, idof<string>()));
  memory.copy(changetype<usize>(text), at, end - at);
  return text;
}
