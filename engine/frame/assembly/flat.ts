/**
 * Flat transactions, as mempools give them, from JSON to frames: members that are hex, numbers or null, without a space between them. It takes
 * what it is sure of, and of that it makes what ../decodeJson.ts makes, bit for bit; what it does not take is that one's to read, or to refuse.
 * AssemblyScript with SIMD: compiled by `npm run assembly:build` into ../flat.wasm, which ../decodeFlat.ts runs.
 *
 * Up to 32 bytes behind a text are read, and up to 31 behind a frame written, which the next one writes over. Nothing behind a record's end makes
 * it one that is taken: a token that crosses the end leaves the brace that closes the record somewhere else than at the end.
 */
import { hexDigits, packed, rightmost } from "./hex";

/** Of an entry in the table of members: see ../decodeFlat.ts, which writes it. */
const KEY: usize = 0;
const MASK: usize = 32;
const KEY_LENGTH: usize = 64;
const KIND: usize = 68;
const OFFSET: usize = 72;
const WIDTH: usize = 76;
const PRESENT: usize = 80;
/** Number of the member that followed it last: compared first. Of the one behind all, that last began a record. */
const NEXT: usize = 84;
const MEMBER: usize = 96;

/** Kinds of members, by their places in KINDS of ../members.ts; those of other kinds are not flat. */
const QUANTITY: u32 = 0;
const SAFE: u32 = 1;
const NUMBER: u32 = 2;
const SEEN_AT: u32 = 3;
const BYTES: u32 = 4;
const INPUT: u32 = 5;
const ACCESS_LIST: u32 = 10;

const QUOTE: u32 = 0x22;
const COMMA: u32 = 0x2c;
const BRACE: u32 = 0x7d;
const NULL: u32 = 0x6c6c_756e;
/** `"0x`, of the four bytes of a word. */
const HEX_START: u32 = 0x0078_3022;
const MAX_SAFE: u64 = (1 << 53) - 1;

/** Members of the table, one entry more; what is required of them, and the bits of the header's first word. Set by the host. */
export let memberCount: usize = 0;
export let required: u32 = 0;
export let version: u32 = 0;
export let headerSize: usize = 0;
/** Offsets in the header. */
export let chainIdAt: usize = 0;
export let sizeAt: usize = 0;
export let inputLengthAt: usize = 0;
export let extraLengthAt: usize = 0;
export let presentAt: usize = 0;

/** Members without a field, whose text goes to the end of the frame: where each begins and ends. */
const MOST_EXTRA: usize = 8;
const extra: usize = memory.data(8 * 8, 16);
const members: usize = memory.data(96 * 32, 16);

/** Where the table of members is, of at most 31 and the entry behind them. */
export const MEMBERS: usize = members;
/** From here on the memory is the caller's. */
export const FREE: usize = __heap_base;

/** Of `decode`: behind the last frame. */
export let end: usize = 0;

/**
 * @param entries of 32 bytes, where a text begins at 16 and its length at 20  @param shift from there to where it lies in this memory
 * @param out where frames go, up to limit  @param starts filled with where each begins, from out
 * @returns how many records were taken, one after the other
 */
export function decode(entries: usize, count: u32, shift: usize, out: usize, limit: usize, starts: usize): u32 {
  let frame = out;
  let done: u32 = 0;
  for (; done < count; done++) {
    const entry = entries + 32 * <usize>done;
    const text = <usize>load<u32>(entry, 16) + shift;
    const length: usize = load<u32>(entry, 20);
    if (frame + headerSize + length + 64 > limit) break;
    const size = record(text, text + length, frame);
    if (size == 0) break;
    store<u32>(starts + 4 * <usize>done, <u32>(frame - out));
    frame += size;
  }
  end = frame;
  return done;
}

/** @returns bytes of the frame, 0 if the record is not taken */
function record(from: usize, to: usize, frame: usize): usize {
  memory.fill(frame, 0, headerSize);
  if (load<u8>(from) != 0x7b) return 0;
  let p = from + 1;
  let previous = members + MEMBER * memberCount;
  let tail = frame + headerSize;
  let inputLength: usize = 0;
  let seen: u32 = 0;
  let given: u32 = 0;
  let present: u32 = 0;
  let unknown: usize = 0;
  for (;;) {
    let member = members + MEMBER * <usize>load<u32>(previous, NEXT);
    if (!isKey(member, p)) {
      member = find(p);
      if (member != 0) store<u32>(previous, <u32>((member - members) / MEMBER), NEXT);
    }
    if (member == 0) {
      if (unknown == MOST_EXTRA) return 0;
      const behind = unknownMember(p, to, unknown);
      if (behind == 0) return 0;
      store<u32>(extra + 8 * unknown, <u32>p);
      store<u32>(extra + 8 * unknown, <u32>behind, 4);
      unknown++;
      p = behind;
      previous = members + MEMBER * memberCount;
    } else {
      previous = member;
      p += load<u32>(member, KEY_LENGTH);
      const bit = (<u32>1) << (<u32>((member - members) / MEMBER));
      if (seen & bit) return 0;
      seen |= bit;
      if (load<u32>(p) == NULL) p += 4;
      else {
        given |= bit;
        present |= load<u32>(member, PRESENT);
        const kind = load<u32>(member, KIND);
        const at = frame + <usize>load<u32>(member, OFFSET);
        if (kind == QUANTITY) p = quantity(p, at, load<u32>(member, WIDTH));
        else if (kind == BYTES) p = bytes(p, at, load<u32>(member, WIDTH));
        else if (kind == INPUT) {
          const behind = data(p, tail);
          inputLength = dataLength;
          tail += (inputLength + 7) & ~7;
          p = behind;
        } else if (kind == NUMBER) p = load<u8>(p) == QUOTE ? safe(p, at) : decimal(p, at, 0);
        else if (kind == SEEN_AT) p = decimal(p, at, 3);
        else if (kind == SAFE) p = safe(p, at);
        else if (kind == ACCESS_LIST) p = load<u16>(p) == 0x5d5b ? p + 2 : 0; // empty
        else return 0;
        if (p == 0) return 0;
      }
    }
    const c: u32 = load<u8>(p);
    p++;
    if (c == BRACE) break;
    if (c != COMMA || p >= to) return 0;
  }
  if (p != to || (given & required) != required || load<u64>(frame + chainIdAt) == 0) return 0;
  let extraLength: usize = 0;
  for (let i: usize = 0; i < unknown; i++) {
    const begin: usize = load<u32>(extra + 8 * i);
    const size = <usize>load<u32>(extra + 8 * i, 4) - begin;
    if (i > 0) store<u8>(tail + extraLength++, COMMA);
    memory.copy(tail + extraLength, begin, size);
    extraLength += size;
  }
  store<u64>(tail + extraLength, 0);
  tail += (extraLength + 7) & ~7;
  store<u32>(frame, version);
  store<u32>(frame + sizeAt, <u32>(tail - frame));
  store<u32>(frame + inputLengthAt, <u32>inputLength);
  store<u32>(frame + extraLengthAt, <u32>extraLength);
  store<u32>(frame + presentAt, present);
  return tail - frame;
}

// @ts-ignore: decorator
@inline
function isKey(member: usize, p: usize): bool {
  const first = v128.and(v128.xor(v128.load(p), v128.load(member, KEY)), v128.load(member, MASK));
  const second = v128.and(v128.xor(v128.load(p, 16), v128.load(member, KEY + 16)), v128.load(member, MASK + 16));
  return !v128.any_true(v128.or(first, second));
}

/** The member whose key and colon begin at p, 0 if there is none. */
function find(p: usize): usize {
  const last = members + MEMBER * memberCount;
  for (let member = members; member < last; member += MEMBER) if (isKey(member, p)) return member;
  return 0;
}

/**
 * A member without a field: a string of ASCII without escapes, or null. Its name must be no other's, and not look like a block's or a receipt's.
 * @returns behind it, 0 if it is not one
 */
function unknownMember(p: usize, to: usize, before: usize): usize {
  const start = load<u32>(p, 1);
  if (start == 0x636f_6c62 || start == 0x6563_6572) return 0; // bloc, rece
  const colon = plainString(p, to);
  if (colon == 0 || load<u8>(colon) != 0x3a) return 0;
  const size = colon + 1 - p;
  for (let i: usize = 0; i < before; i++) if (memory.compare(<usize>load<u32>(extra + 8 * i), p, size) == 0) return 0;
  if (load<u32>(colon, 1) == NULL) return colon + 5;
  return plainString(colon + 1, to);
}

/** @returns behind the quote that ends it */
function plainString(p: usize, to: usize): usize {
  if (load<u8>(p) != QUOTE) return 0;
  for (p++; p < to; p++) {
    const c: u32 = load<u8>(p);
    if (c == QUOTE) return p + 1;
    if (c < 0x20 || c == 0x5c || c >= 0x80) return 0;
  }
  return 0;
}

/** `"0x…"` of 1 to 2 × width digits. @returns behind it */
function quantity(p: usize, at: usize, width: u32): usize {
  if ((load<u32>(p) & 0xff_ffff) != HEX_START) return 0;
  const first = p + 3;
  let digits = ctz(i8x16.bitmask(hexDigits(v128.load(first))) | 0x1_0000);
  if (digits == 16) {
    for (; digits < 2 * <i32>width; digits++) if (!isHexDigit(load<u8>(first + digits))) break;
  }
  if (digits == 0 || digits > 2 * <i32>width || load<u8>(first + digits) != QUOTE) return 0;
  const last = first + digits;
  const low = rightmost(last, digits);
  if (width == 1) store<u8>(at, <u8>low);
  else if (width == 4) store<u32>(at, <u32>low);
  else store<u64>(at, low);
  for (let left = digits - 16, to = last - 16; left > 0; left -= 16, to -= 16) {
    at += 8;
    store<u64>(at, rightmost(to, left));
  }
  return last + 1;
}

// @ts-ignore: decorator
@inline
function isHexDigit(c: u32): bool {
  return c - 0x30 < 10 || (c | 0x20) - 0x61 < 6;
}

/** A quantity of at most 2^53 − 1. */
function safe(p: usize, at: usize): usize {
  const behind = quantity(p, at, 8);
  return behind != 0 && load<u64>(at) <= MAX_SAFE ? behind : 0;
}

/** A JSON number of up to so many decimals, times 10^decimals at most 2^53 − 1. */
function decimal(p: usize, at: usize, decimals: u32): usize {
  const first = p;
  let value: u64 = 0;
  let c: u32 = load<u8>(p) - 0x30;
  for (; c < 10; c = load<u8>(++p) - 0x30) value = value * 10 + c;
  const digits = p - first;
  if (digits == 0 || digits > 16 || (digits > 1 && load<u8>(first) == 0x30)) return 0;
  if (decimals > 0 && load<u8>(p) == 0x2e) {
    const point = p;
    for (c = load<u8>(++p) - 0x30; c < 10 && decimals > 0; c = load<u8>(++p) - 0x30, decimals--) value = value * 10 + c;
    if (p == point + 1) return 0;
  }
  for (; decimals > 0; decimals--) value *= 10;
  if (value > MAX_SAFE) return 0;
  store<u64>(at, value);
  return p;
}

/** Exactly so many bytes, 20 or 32. */
function bytes(p: usize, at: usize, width: u32): usize {
  if ((load<u32>(p) & 0xff_ffff) != HEX_START) return 0;
  p += 3;
  const a = hexDigits(v128.load(p));
  const b = hexDigits(v128.load(p, 16));
  let c: v128;
  if (width == 32) {
    c = hexDigits(v128.load(p, 32));
    const d = hexDigits(v128.load(p, 48));
    v128.store(at, packed(a, b));
    v128.store(at, packed(c, d), 16);
    c = v128.or(c, d);
  } else {
    c = hexDigits(v128.load(p, 24)); // over the second half of b
    v128.store(at, packed(a, b));
    v128.store64_lane(at, packed(c, c), 0, 12);
  }
  if (i8x16.bitmask(v128.or(v128.or(a, b), c)) != 0) return 0;
  p += 2 * <usize>width;
  return load<u8>(p) == QUOTE ? p + 1 : 0;
}

/** Of `data`: bytes that it wrote. */
let dataLength: usize = 0;

/** Any number of bytes, to `at`; behind them zeros up to a multiple of 8. */
function data(p: usize, at: usize): usize {
  if ((load<u32>(p) & 0xff_ffff) != HEX_START) return 0;
  const start = at;
  for (p += 3; ; p += 32, at += 16) {
    const a = hexDigits(v128.load(p));
    const b = hexDigits(v128.load(p, 16));
    const others = i8x16.bitmask(a) | (i8x16.bitmask(b) << 16);
    if (others == 0) {
      v128.store(at, packed(a, b));
      continue;
    }
    const digits = ctz(others);
    if ((digits & 1) != 0 || load<u8>(p + digits) != QUOTE) return 0;
    v128.store(at, v128.and(packed(a, b), v128.load(firstBytes + 16 - <usize>(digits >> 1))));
    dataLength = at - start + (digits >> 1);
    return p + digits + 1;
  }
}

/** 16 bytes of ones, then 16 of zeros: from 16 − n on a mask of the first n bytes. */
const firstBytes: usize = memory.data<u64>([-1, -1, 0, 0]);
