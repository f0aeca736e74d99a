import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CONTENT, type Content } from "../frame/content.ts";
import { createFrameWriter } from "../frame/frameWriter.ts";
import { mainnetLines } from "../frame/testing/mainnet.ts";
import { shuffled } from "../frame/testing/records.ts";
import { type TransactionRecord, writeFrame } from "../frame/writeFrame.ts";
import { looksLikeBlock, peekBlocks } from "./peekBlock.ts";
import { NOISE } from "./testing/records.ts";

type Member = [block: number, index: number, count: number];

function peeked(value: Uint8Array | string | null, content: Content = CONTENT.unknown): Member[] {
  const members: Member[] = [];
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  peekBlocks({ content, value: bytes }, (...member) => members.push(member));
  return members;
}

const HASH = `0xC0ffee123456${"0".repeat(52)}`;
const mined = (index: number, count: number, blockHash = HASH): TransactionRecord => ({
  chainId: 1,
  hash: `0x${"ab".repeat(32)}`,
  from: `0x${"11".repeat(20)}`,
  to: null,
  nonce: "0x0",
  gas: "0x5208",
  value: "0x0",
  input: `0x${"cafe".repeat(index % 50)}`,
  blockNumber: "0x7",
  blockHash,
  transactionIndex: `0x${index.toString(16)}`,
  block: { number: "0x7", hash: blockHash, transactionCount: count },
  receipt: { status: "0x1", logs: [] },
});
const pending = { ...mined(0, 1), blockNumber: null, blockHash: null, transactionIndex: null, block: null };
const packed = (...records: TransactionRecord[]): Uint8Array => {
  const writer = createFrameWriter();
  for (const each of records) writeFrame(writer, each);
  return writer.bytes.slice(0, writer.end);
};
const BLOCK = 0xc0ffee123456;

describe("a record tells which blocks its transactions are in", () => {
  const records = [mined(3, 9), pending, mined(4, 9), mined(0, 1, `0x${"1".repeat(64)}`)];
  const members: Member[] = [
    [BLOCK, 3, 9],
    [BLOCK, 4, 9],
    [0x111111111111, 0, 1],
  ];

  test.each([CONTENT.json, CONTENT.unknown])("as JSON", (content) => {
    expect(records.flatMap((record) => peeked(JSON.stringify(record), content))).toEqual(members);
    expect(records.flatMap((record) => peeked(JSON.stringify(record, null, 1), CONTENT.json))).toEqual(members);
    const text = JSON.stringify(mined(3, 9)).replace('"transactionCount":9', '"transactionCount":"0x9"');
    expect(peeked(text, content)).toEqual(members.slice(0, 1));
  });

  test.each([CONTENT.ndjson, CONTENT.unknown])("as lines", (content) => {
    const lines = records.map((record) => JSON.stringify(record)).join("\n");
    expect(peeked(lines, content)).toEqual(members);
    expect(peeked(`${lines}\r\n\n`, content)).toEqual(members);
  });

  test.each([CONTENT.frames, CONTENT.unknown])("as frames", (content) => {
    expect(peeked(packed(...records), content)).toEqual(members);
    const unaligned = new Uint8Array(Buffer.concat([Buffer.alloc(3), packed(...records)])).subarray(3);
    expect(peeked(unaligned, content)).toEqual(members);
  });

  test("members may stand in any order, and others beside them", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(999),
        fc.dictionary(fc.string({ maxLength: 4 }), fc.string()),
        (seed, index, other) => {
          const record = { ...mined(index, 1_000), rest: { ...other, text: '"transactionCount":1,"blockHash":2' } };
          expect(peeked(JSON.stringify(shuffled(record, seed)))).toEqual([[BLOCK, index, 1_000]]);
        },
      ),
    );
  });
});

describe("no member of a block", () => {
  const { block: _block, ...without } = mined(0, 1);
  test.each([
    ["no value", null],
    ["nothing", ""],
    ["pending", JSON.stringify(pending)],
    ["a block without a count", JSON.stringify(without)],
    ["a count that is null", JSON.stringify({ ...without, block: { transactionCount: null } })],
    ["a count of nothing", JSON.stringify(mined(0, 0))],
    ["a count that is too large", JSON.stringify(mined(0, 2 ** 32))],
    ["an index beyond the count", JSON.stringify(mined(5, 5))],
    ["no index", JSON.stringify({ ...mined(0, 1), transactionIndex: null })],
    ["an index that ends nowhere", '{"transactionCount":5,"blockHash":"0x1","transactionIndex":"0x'],
    ["a hash that is too short", JSON.stringify(mined(0, 1, "0x1234"))],
    ["a hash that is none", JSON.stringify(mined(0, 1, `0x${"zz".repeat(32)}`))],
    ["a frame cut short", packed(mined(0, 1)).subarray(0, 300)],
    ["a frame that says it has no size", packed(mined(0, 1)).fill(0, 4, 8)],
  ])("%s", (_name, value) => {
    expect(peeked(value)).toEqual([]);
  });

  test("any bytes: an answer, and no error", () => {
    const pieces = fc.constantFrom(
      '"transactionCount"',
      '"blockHash"',
      '"transactionIndex"',
      ":",
      " ",
      "\n",
      '"0x',
      "12",
      "{",
      '"',
    );
    const text = fc
      .array(fc.oneof(pieces, fc.string({ maxLength: 3 })), { maxLength: 30 })
      .map((all) => Buffer.from(all.join("")));
    const content = fc.constantFrom(...Object.values(CONTENT));
    const frames = fc.uint8Array({ maxLength: 900 }).map((bytes) => Uint8Array.of(1, 0, ...bytes));
    fc.assert(fc.property(fc.oneof(text, frames), content, (bytes, kind) => void peeked(bytes, kind)));
  });
});

test.skipIf(mainnetLines().length === 0)("all transactions of real blocks", () => {
  const blocks = new Map<number, Set<number>>();
  for (const line of mainnetLines()) {
    const { transactionIndex, blockHash, block } = JSON.parse(line.toString()) as Required<TransactionRecord>;
    const [member] = peeked(line);
    expect(member).toEqual([Number(blockHash!.slice(0, 14)), Number(transactionIndex), block!.transactionCount]);
    const seen = blocks.get(member![0]) ?? new Set();
    blocks.set(member![0], seen.add(member![1]));
  }
  expect(blocks.size).toBe(28);
});

test("what does not look like a block's has no transaction of one", () => {
  const text = (record: TransactionRecord): Buffer => Buffer.from(JSON.stringify(record));
  const whole = text(mined(3, 9));
  const at = whole.indexOf("transactionCount");
  const pieces = [at, at + 7, at + 16, at + 17].flatMap((cut) => [whole.subarray(0, cut), whole.subarray(cut)]);
  for (const value of [...pieces, text(pending), ...NOISE]) {
    for (const content of Object.values(CONTENT))
      if (!looksLikeBlock(value)) expect(peeked(value, content)).toEqual([]);
  }
  expect(pieces.filter(looksLikeBlock)).toHaveLength(2); // the halves that have the whole name and its quote
  expect([whole, packed(mined(2, 5)), Buffer.concat([text(pending), Buffer.from("\n"), whole])].every(looksLikeBlock)).toBe(true); // biome-ignore format: one line
});
