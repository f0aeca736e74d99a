/**
 * Byte values as they lie in the frame. An `Address` or `Bytes32` is a view: a pointer, no copy, good as long as its
 * transaction. Constants made at the top level of a rule last.
 */
import { parseHex, toHex } from "./hex";
import { U256 } from "./u256";

function equal32(a: usize, b: usize): bool {
  return load<u64>(a) == load<u64>(b) && load<u64>(a, 8) == load<u64>(b, 8)
    && load<u64>(a, 16) == load<u64>(b, 16) && load<u64>(a, 24) == load<u64>(b, 24);
}

/** 20 bytes. */
@unmanaged
export class Address {
  /** The same bytes. */
  @operator("==")
  equals(other: Address): bool {
    const a = changetype<usize>(this), b = changetype<usize>(other);
    return load<u64>(a) == load<u64>(b) && load<u64>(a, 8) == load<u64>(b, 8) && load<u32>(a, 16) == load<u32>(b, 16);
  }

  /** Not the same bytes. */
  @operator("!=")
  differs(other: Address): bool {
    return !this.equals(other);
  }

  /** Is every byte 0? */
  get isZero(): bool {
    const a = changetype<usize>(this);
    return (load<u64>(a) | load<u64>(a, 8) | load<u32>(a, 16)) == 0;
  }

  /** `0x` and 40 lower-case digits. */
  toString(): string {
    return toHex(changetype<usize>(this), 20);
  }
}

/** 32 bytes: a hash, a topic, or one word of ABI-encoded data (big-endian, as the EVM has it). */
@unmanaged
export class Bytes32 {
  /** The same bytes. */
  @operator("==")
  equals(other: Bytes32): bool {
    return equal32(changetype<usize>(this), changetype<usize>(other));
  }

  /** Not the same bytes. */
  @operator("!=")
  differs(other: Bytes32): bool {
    return !this.equals(other);
  }

  /** Is every byte 0? */
  get isZero(): bool {
    const a = changetype<usize>(this);
    return (load<u64>(a) | load<u64>(a, 8) | load<u64>(a, 16) | load<u64>(a, 24)) == 0;
  }

  /** As an amount. */
  asU256(): U256 {
    const a = changetype<usize>(this);
    return new U256(bswap(load<u64>(a, 24)), bswap(load<u64>(a, 16)), bswap(load<u64>(a, 8)), bswap(load<u64>(a)));
  }

  /** The low 8 bytes, 2^64 − 1 if it is more than that. */
  asU64(): u64 {
    const a = changetype<usize>(this);
    if ((load<u64>(a) | load<u64>(a, 8) | load<u64>(a, 16)) != 0) return u64.MAX_VALUE;
    return bswap(load<u64>(a, 24));
  }

  /** As a signed number of at most 64 bits, the nearest one if it is outside. */
  asI64(): i64 {
    const size = this.magnitude();
    if (this.isNegative) return size.toU64() > <u64>i64.MAX_VALUE ? i64.MIN_VALUE : -<i64>size.toU64();
    return <i64>min<u64>(size.toU64(), <u64>i64.MAX_VALUE);
  }

  /** As a signed number: is it below zero? */
  get isNegative(): bool {
    return load<u8>(changetype<usize>(this)) >= 128;
  }

  /** As a signed number: how far from zero. */
  magnitude(): U256 {
    const value = this.asU256();
    // two's complement: −x is ¬x + 1, and the sum cannot overflow, since ¬x is at most 2^255 − 1
    return this.isNegative ? new U256(~value.w0, ~value.w1, ~value.w2, ~value.w3) + new U256(1) : value;
  }

  /** Anything but zero. */
  asBool(): bool {
    return !this.isZero;
  }

  /** The low 20 bytes, as the EVM reads an address argument. */
  asAddress(): Address {
    return changetype<Address>(changetype<usize>(this) + 12);
  }

  /** `0x` and 64 lower-case digits. */
  toString(): string {
    return toHex(changetype<usize>(this), 32);
  }
}

const zero = memory.data(32, 8);

/** What is read beyond the end of data. */
export function zeroBytes32(): Bytes32 {
  return changetype<Bytes32>(zero);
}

/** Bytes of any length. Reading past the end gives zeros, never a trap: data is a stranger's. */
@unmanaged
export class Bytes {
  constructor(
    readonly pointer: usize,
    readonly length: u32,
  ) {}

  /** Byte `i`, 0 past the end. */
  @operator("[]")
  at(i: u32): u8 {
    return i < this.length ? load<u8>(this.pointer + i) : 0;
  }

  /** Is the whole 32-byte word that begins at byte `offset` there? */
  hasWord(offset: u32): bool {
    return this.length >= 32 && offset <= this.length - 32;
  }

  /** The 32-byte word that begins at byte `offset`; zero unless all of it is there. */
  word(offset: u32): Bytes32 {
    return this.hasWord(offset) ? changetype<Bytes32>(this.pointer + offset) : zeroBytes32();
  }

  /** From byte `start` to before `end`, both cut to what is there. */
  slice(start: u32, end: u32 = u32.MAX_VALUE): Bytes {
    const to = min(end, this.length), from = min(start, to);
    return new Bytes(this.pointer + from, to - from);
  }

  /** Are its first bytes these? */
  startsWith(other: Bytes): bool {
    return other.length <= this.length && memory.compare(this.pointer, other.pointer, other.length) == 0;
  }

  /** The same bytes. */
  @operator("==")
  equals(other: Bytes): bool {
    return other.length == this.length && memory.compare(this.pointer, other.pointer, other.length) == 0;
  }

  /** Not the same bytes. */
  @operator("!=")
  differs(other: Bytes): bool {
    return !this.equals(other);
  }

  /** `0x` and two digits a byte. Long input makes a long string: slice first. */
  toString(): string {
    return toHex(this.pointer, this.length);
  }
}

/** An address constant: `address("0x7a250d5630b4cf539739df2c5dacb4c659f2488d")`, either case. */
export function address(text: string): Address {
  const pointer = __alloc(20);
  parseHex(text, pointer, 20, "an address");
  return changetype<Address>(pointer);
}

/** A 32-byte constant. */
export function bytes32(text: string): Bytes32 {
  const pointer = __alloc(32);
  parseHex(text, pointer, 32, "32 bytes");
  return changetype<Bytes32>(pointer);
}

/** A constant of any length. */
export function bytes(text: string): Bytes {
  const length = max((text.length - 2) >> 1, 0);
  const pointer = __alloc(length);
  parseHex(text, pointer, length, "bytes");
  return new Bytes(pointer, length);
}
