/** Amounts and windows as words: little-endian u32, an amount of two (u64, i64, f64) or eight (u256). */
import type { StateDeclaration, StateValue } from "./declaration.ts";

/** words[at …] += amount[from …]. Whole numbers stop at their borders. */
export function addAmount(type: StateValue, words: Uint32Array, at: number, amount: Uint32Array, from: number): void {
  if (type === "f64") {
    writeF64(words, at, readF64(words, at) + readF64(amount, from));
    return;
  }
  const size = type === "u256" ? 8 : 2;
  const [a, b] = [words[at + size - 1]! >>> 31, amount[from + size - 1]! >>> 31];
  let carry = 0;
  for (let i = 0; i < size; i++) {
    const sum = words[at + i]! + amount[from + i]! + carry;
    words[at + i] = sum;
    carry = sum > 0xffff_ffff ? 1 : 0;
  }
  if (type !== "i64") {
    if (carry === 1) words.fill(0xffff_ffff, at, at + size);
  } else if (a === b && words[at + 1]! >>> 31 !== a) {
    words[at] = a === 1 ? 0 : 0xffff_ffff;
    words[at + 1] = a === 1 ? 0x8000_0000 : 0x7fff_ffff;
  }
}

const scratch = new DataView(new ArrayBuffer(8));

function readF64(words: Uint32Array, at: number): number {
  scratch.setUint32(0, words[at]!, true);
  scratch.setUint32(4, words[at + 1]!, true);
  return scratch.getFloat64(0, true);
}

/** Any NaN is the one: what a machine makes of it must not be kept. */
function writeF64(words: Uint32Array, at: number, value: number): void {
  scratch.setFloat64(0, value, true);
  words[at] = Number.isNaN(value) ? 0 : scratch.getUint32(0, true);
  words[at + 1] = Number.isNaN(value) ? 0x7ff8_0000 : scratch.getUint32(4, true);
}

/** words[at …] = amount[from …] */
export function copyAmount(type: StateValue, words: Uint32Array, at: number, amount: Uint32Array, from: number): void {
  const size = type === "u256" ? 8 : 2;
  if (type === "f64") writeF64(words, at, readF64(amount, from));
  else for (let i = 0; i < size; i++) words[at + i] = amount[from + i]!;
}

/** In decimal. */
export function amountText(type: StateValue, words: Uint32Array): string {
  if (type === "f64") return String(readF64(words, 0));
  let value = 0n;
  for (let i = type === "u256" ? 7 : 1; i >= 0; i--) value = (value << 32n) | BigInt(words[i]!);
  return String(type === "i64" ? BigInt.asIntN(64, value) : value);
}

type Window = Extract<StateDeclaration, { kind: "window" }>;

const amountAt = ({ value, buckets }: Window, at: number, bucket: number): number =>
  at + 1 + (bucket % buckets) * (value === "u256" ? 8 : 2);

/** Number of the bucket that a moment belongs to. @param event µs since 1970, below 2^32 seconds */
export const bucketOf = ({ seconds, buckets }: Window, event: number): number =>
  Math.floor(event / (1e6 * (seconds / buckets)));

/** Adds to the bucket. What comes so late that the window has left it behind counts no more. */
export function addToWindow(
  window: Window,
  words: Uint32Array,
  at: number,
  bucket: number,
  amount: Uint32Array,
  from: number,
): void {
  const { value, buckets } = window;
  const size = value === "u256" ? 8 : 2;
  const newest = words[at]!;
  if (bucket + buckets <= newest) return;
  for (let next = Math.max(newest + 1, bucket - buckets + 1); next <= bucket; next++) {
    const cell = amountAt(window, at, next);
    words.fill(0, cell, cell + size);
  }
  words[at] = Math.max(newest, bucket);
  addAmount(value, words, amountAt(window, at, bucket), amount, from);
}

/** sum[0 …] = what the window that ends with this bucket holds; what was counted as later is not in it. */
export function sumOfWindow(window: Window, words: Uint32Array, at: number, bucket: number, sum: Uint32Array): void {
  const newest = words[at]!;
  const first = Math.max(0, bucket - window.buckets + 1, newest - window.buckets + 1);
  sum.fill(0);
  for (let next = first; next <= Math.min(bucket, newest); next++)
    addAmount(window.value, sum, 0, words, amountAt(window, at, next));
}
