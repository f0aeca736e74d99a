import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { recordsOf, type SourceRecord } from "../source/records.ts";
import { CONTENT } from "./content.ts";
import { createFlatDecoder } from "./decodeFlat.ts";
import { decodeJson } from "./decodeJson.ts";
import { createFrameWriter } from "./frameWriter.ts";
import { mainnetLines } from "./testing/mainnet.ts";
import { mutate, mutations } from "./testing/mutate.ts";
import { shuffled, transaction } from "./testing/records.ts";

// In CI, 100,000 runs: FUZZ_RUNS=100000 FUZZ_SEED=7 npx vitest run engine/frame/decodeFlat.test.ts
const runs = Number(process.env.FUZZ_RUNS ?? 20_000);
const seed = Number(process.env.FUZZ_SEED ?? 20_240_901);

const flat = createFlatDecoder();
const writer = createFrameWriter();
const single = createFrameWriter();

const partOf = (values: readonly (Buffer | string | null)[], content: SourceRecord["content"] = CONTENT.json) => {
  const records = values.map((value, offset) => ({
    ...{ offset, time: 0, content },
    value: value === null ? null : Buffer.from(value),
  }));
  const { bytes, u32, count } = recordsOf(records);
  return { bytes: new Uint8Array(bytes), u32, count };
};

/** Offers each record once, as a batch does. @returns numbers of those that were taken, whose frames are in the writer */
function takenOf(part: ReturnType<typeof partOf>): number[] {
  const taken: number[] = [];
  writer.reset();
  flat.begin(part);
  for (let record = 0; record < part.count; ) {
    const count = flat.take(record, writer);
    for (let i = 0; i < count; i++) taken.push(record + i);
    record += Math.max(1, count);
  }
  expect(writer.count).toBe(taken.length);
  return taken;
}

const frameAt = (i: number): Buffer => {
  const [from, to] = [writer.offsets[i]!, i + 1 < writer.count ? writer.offsets[i + 1]! : writer.end];
  return Buffer.from(writer.bytes.subarray(from, to));
};

/** "" if decodeJson accepts it and makes the same frame. */
function difference(source: Buffer, frame: Buffer): string {
  single.reset();
  const code = decodeJson(source, 0, source.length, single);
  if (code !== 0) return `taken, but decodeJson refuses it: ${code}`;
  return frame.equals(single.bytes.subarray(0, single.end)) ? "" : "the frames differ";
}

const HASH = `0x${"0123456789abcdef".repeat(4)}`;
const PENDING = {
  ...{ chainId: 1, hash: HASH, from: `0x${"ab".repeat(20)}`, to: `0x${"Cd".repeat(20)}`, nonce: "0x0", value: "0xde0b6b3a7640000" },
  ...{ gas: "0x5208", gasPrice: "0x1", maxFeePerGas: `0x${"f".repeat(32)}`, type: "0x2", input: "0xa9059cbb", seenAt: 1_763_700_000_000.125 },
}; // biome-ignore format: as a recording has it
const json = (...more: object[]): string => JSON.stringify(Object.assign({}, PENDING, ...more));

describe("is taken, with the frame that decodeJson makes of it:", () => {
  test.each<[string, string]>([
    ["a pending transaction", json()],
    ["as a node gives it", json({ blockHash: null, blockNumber: null, transactionIndex: null, accessList: [], v: "0x1", r: HASH, s: HASH, yParity: "0x1" })], // biome-ignore format: one case
    ["mined, without block or receipt", json({ blockHash: HASH, blockNumber: "0x1fffffffffffff", transactionIndex: "0xff", block: null, receipt: null })], // biome-ignore format: one case
    ["the largest numbers", json({ value: `0x${"f".repeat(64)}`, nonce: `0x${"F".repeat(16)}`, gas: "0x00000000", chainId: "0x1fffffffffffff", seenAt: 9007199254740.99 })], // biome-ignore format: one case
    ["a contract creation", json({ to: null })],
    ["no input", json({ input: "0x" })],
    ["a member that is null and has no field", json({ blobVersionedHashes: null })],
    ["an input first, of sixteen bytes", `{"input":"0x${"9a".repeat(16)}",${json({ input: undefined }).slice(1)}`],
    ...Array.from({ length: 40 }, (_, i): [string, string] => [`an input of ${i} bytes`, json({ input: `0x${"7f".repeat(i)}` })]), // biome-ignore format: one case
    ...Array.from({ length: 64 }, (_, i): [string, string] => [`a value of ${i + 1} digits`, json({ value: `0x${"123456789abcdef0".repeat(4).slice(0, i + 1)}` })]), // biome-ignore format: one case
  ])("%s", (_, text) => {
    expect(takenOf(partOf([text]))).toEqual([0]);
    expect(difference(Buffer.from(text), frameAt(0))).toBe("");
  });
});

describe("is left to decodeJson:", () => {
  test.each<[string, string]>([
    ["spaces", JSON.stringify(PENDING, null, 1)],
    ["a line feed behind it", `${json()}\n`],
    ["a receipt", json({ receipt: { status: "0x1" } })],
    ["an access list", json({ accessList: [{ address: PENDING.from, storageKeys: [] }] })],
    ["what lacks a member", json({ hash: null })],
    ["data for input", json({ input: undefined, data: "0x" })],
    ["a key twice", `{"nonce":"0x1",${json().slice(1)}`],
    ["an unknown key twice", `{"v":"0x1","v":"0x1",${json().slice(1)}`],
    ["a number without a field", json({ v: 1 })],
    ["a text with an escape", json({ v: "\n" })],
    ["a name of a block's member", json({ "block.x": "0x1" })],
    ["nine members without a field", json(Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`x${i}`, ""])))],
    ["more digits than fit", json({ type: "0x100" })],
    ["an odd digit", json({ input: "0x123" })],
    ["no hex", json({ hash: `0x${"g".repeat(64)}` })],
    ["a chain of 2^64 + 1", json().replace('"chainId":1,', '"chainId":18446744073709551617,')],
    ["a chain 0", json({ chainId: 0 })],
    ["a time with four decimals", json().replace(".125", ".1253")],
    ["a time of no safe integer", json().replace("1763700000000.125", "9007199254740.992")],
    ["nothing", ""],
  ])("%s", (_, text) => expect(takenOf(partOf([text]))).toEqual([]));
});

test("whatever is taken of transactions in any order, and of mutations of them, among others, has the frame that decodeJson makes", () => {
  const whole = fc.sample(transaction, { seed, numRuns: 300 });
  const bases = whole.map((record, i) => {
    const { block, receipt, accessList, ...rest } = shuffled(record, i) as unknown as Record<string, unknown>;
    return JSON.stringify(i % 3 === 0 ? { ...rest, block, receipt, accessList } : rest);
  });
  const texts = [...bases, json(), json({ accessList: [], v: "0x1" })].map((text) =>
    Buffer.from(text).toString("latin1"),
  );
  const one = fc.tuple(fc.nat(texts.length - 1), fc.nat(texts.length - 1), fc.option(mutations, { freq: 2 }));
  let [taken, offered] = [0, 0];
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 12 }), (choices) => {
      const sources = choices.map(([base, other, changes]) =>
        Buffer.from(changes ? mutate(texts[base]!, texts[other]!, changes) : texts[base]!, "latin1"),
      );
      offered += sources.length;
      for (const [i, record] of takenOf(partOf(sources)).entries()) {
        taken++;
        const wrong = difference(sources[record]!, frameAt(i));
        if (wrong !== "") throw new Error(`${wrong}\n${sources[record]!.toString("latin1")}`);
      }
    }),
    { seed, numRuns: Math.ceil(runs / 8) },
  );
  expect(taken).toBeGreaterThan(offered * 0.1);
  expect(taken).toBeLessThan(offered * 0.9);
});

test("a record that is cut off is not taken with what stands behind it, nor with what was there before", () => {
  const text = json({ v: "0x1" });
  for (let length = 1; length < text.length; length++) {
    takenOf(partOf([text, text, text]));
    expect(takenOf(partOf([text, text.slice(0, length), text.slice(length)]))).toEqual([0]);
    expect(takenOf(partOf([text.slice(0, length)]))).toEqual([]);
  }
});

test("digits that go on through whatever stands behind their record do no harm", () => {
  const short = json({ ...{ to: undefined, gasPrice: undefined, maxFeePerGas: undefined, type: undefined, seenAt: undefined, value: "0x0", gas: "0x0", input: "0x" } }); // biome-ignore format: one statement
  const open = `${short.slice(0, -2)}00`;
  for (const digits of ["ab".repeat(30_000), "ab".repeat(1_000), "1".repeat(20_000)]) {
    const before = Array.from(
      { length: Math.floor((65_000 - open.length - digits.length) / short.length) },
      () => short,
    );
    takenOf(partOf(Array.from({ length: 600 }, () => short))); // so that many are tried together
    expect(takenOf(partOf([...before, open, digits, short]))).toEqual([...before.keys(), before.length + 2]);
    takenOf(partOf(Array.from({ length: 600 }, () => short)));
    expect(takenOf(partOf([...before, `{"chainId":1`, "1".repeat(20_000)]))).toEqual([...before.keys()]);
  }
});

test("thousands of records come in order; those that are not flat, have no value or another content are left out", () => {
  const texts = Array.from({ length: 5_000 }, (_, i) => {
    if (i % 97 === 5) return null;
    return json({ nonce: `0x${i.toString(16)}` }, i % 101 === 7 ? { block: {} } : {}, i % 103 === 9 ? { input: `0x${"00".repeat(40_000)}` } : {}); // biome-ignore format: one statement
  });
  const expected = texts.flatMap((text, i) =>
    text === null || text.includes("block") || text.length > 65_536 ? [] : [i],
  );
  const taken = takenOf(partOf(texts));
  expect(taken).toEqual(expected);
  for (const [i, record] of taken.entries()) expect(difference(Buffer.from(texts[record]!), frameAt(i))).toBe("");
  expect(takenOf(partOf(texts.slice(10, 20), CONTENT.frames))).toEqual([]);
  expect(takenOf(partOf(texts.slice(10, 20), CONTENT.unknown))).toHaveLength(10);
});

test("of a part that is not flat little is looked at", () => {
  const lines = mainnetLines();
  const block = lines.length > 0 ? lines.slice(0, 200).map((line) => Buffer.from(line)) : Array.from({ length: 200 }, () => json({ receipt: {} })); // biome-ignore format: one statement
  expect(takenOf(partOf([...block, json()]))).toEqual([]);
  expect(takenOf(partOf([json()]))).toEqual([0]);
});
