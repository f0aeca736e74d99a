import fc from "fast-check";
import type { TransactionRecord } from "../writeFrame.ts";

/** Records for tests: any transaction the format allows. */

const digit = fc.constantFrom(..."0123456789abcdef");
const hex = (bytes: number) =>
  fc.string({ unit: digit, minLength: 2 * bytes, maxLength: 2 * bytes }).map((s) => `0x${s}`);
const data = fc.oneof(fc.constant(0), fc.nat(70)).chain(hex);
/** Half small, half up to the full width. */
const quantity = (bits: number) =>
  fc.oneof(fc.bigInt(0n, 255n), fc.bigInt(0n, 2n ** BigInt(bits) - 1n)).map((value) => `0x${value.toString(16)}`);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 });
/** What `unit: "binary"` is, without its table of all of them, which takes a second and a half. */
const codePoint = fc.nat(0x10ffff).map(
  (point) => String.fromCodePoint(point),
  (text) => {
    const point = typeof text === "string" ? text.codePointAt(0) : undefined;
    if (point === undefined || String.fromCodePoint(point) !== text) throw new Error("not one code point");
    return point;
  },
);
/** Members that the frame has no field for; some with text that needs escapes. */
const extra = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  fc.constant({ v: "0x1", r: "0x0b", s: "0x7", yParity: "0x1" }),
  fc.dictionary(
    fc
      .string({ unit: codePoint, maxLength: 6 })
      .filter((key) => key !== "__proto__" && !/^(block|receipt)\./.test(key)),
    fc.jsonValue({ maxDepth: 3 }),
    { maxKeys: 4, noNullPrototype: true },
  ),
);
const log = fc.record({
  address: hex(20),
  topics: fc.array(hex(32), { maxLength: 4 }),
  data,
  logIndex: quantity(32),
});

const SAFE = 53;
export const transaction: fc.Arbitrary<TransactionRecord> = fc
  .record({
    extra,
    blockExtra: extra,
    receiptExtra: extra,
    block: maybe(
      fc.record({
        parentHash: maybe(hex(32)),
        timestamp: maybe(quantity(64)),
        miner: maybe(hex(20)),
        gasUsed: maybe(quantity(64)),
        gasLimit: maybe(quantity(64)),
        baseFeePerGas: maybe(quantity(128)),
        transactionCount: maybe(fc.integer({ min: 1000, max: 2 ** 32 - 1 })),
      }),
    ),
    receipt: maybe(
      fc.record({
        status: maybe(fc.constantFrom("0x0", "0x1")),
        gasUsed: maybe(quantity(64)),
        cumulativeGasUsed: maybe(quantity(64)),
        effectiveGasPrice: maybe(quantity(128)),
        contractAddress: fc.option(hex(20)),
        logs: maybe(fc.array(log, { maxLength: 5 })),
      }),
    ),
    rest: fc.record({
      chainId: fc.integer({ min: 1, max: 2 ** 48 }),
      hash: hex(32),
      from: hex(20),
      to: fc.option(hex(20)),
      nonce: quantity(64),
      value: quantity(256),
      gas: quantity(64),
      gasPrice: maybe(quantity(128)),
      maxFeePerGas: maybe(quantity(128)),
      maxPriorityFeePerGas: maybe(quantity(128)),
      type: maybe(quantity(8)),
      input: data,
      accessList: maybe(
        fc.array(fc.record({ address: hex(20), storageKeys: fc.array(hex(32), { maxLength: 3 }) }), { maxLength: 3 }),
      ),
      blockNumber: maybe(quantity(SAFE)),
      blockHash: maybe(hex(32)),
      transactionIndex: maybe(fc.nat(999).map((index) => `0x${index.toString(16)}`)),
      seenAt: maybe(fc.integer({ min: 0, max: 2 ** 51 }).map((micros) => micros / 1000)),
    }),
  })
  .map(({ extra, blockExtra, receiptExtra, block, receipt, rest }) => ({
    ...extra,
    ...rest,
    block: block && { ...blockExtra, number: rest.blockNumber, hash: rest.blockHash, ...block },
    receipt: receipt && { ...receiptExtra, ...receipt },
  }));

/** The record with its members, and those of its objects, in another order. */
export function shuffled(value: unknown, seed: number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, seed));
  if (value === null || typeof value !== "object") return value;
  let state = seed | 1;
  const key = () => (state = Math.imul(state, 0x9e3779b1) ^ (state >>> 15));
  const members = Object.entries(value).map(([name, member]) => ({ at: key(), name, member }));
  members.sort((a, b) => a.at - b.at);
  return Object.fromEntries(members.map(({ name, member }) => [name, shuffled(member, seed)]));
}
