import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFrameWriter } from "../frame/frameWriter.ts";
import { hexAt } from "../frame/readFrame.ts";
import { OFFSET } from "../frame/schema.ts";
import { mainnetLines } from "../frame/testing/mainnet.ts";
import { type TransactionRecord, writeFrame } from "../frame/writeFrame.ts";
import { blocksOf } from "./blocks.ts";
import { transactionOf } from "./testing/fixtures.ts";

const hash = (digits: string): string => `0x${digits.padStart(64, "0")}`;
/** `a1/3`: the second of three transactions of block a; `a1/3b` another one that claims its place; `p` is pending. */
function transaction(text: string): TransactionRecord {
  const [, block, index, count, other] = /^([a-f])(\d+)\/(\d+)([a-f]?)$/.exec(text) ?? [];
  if (block === undefined) return transactionOf([], { blockNumber: null, blockHash: null, transactionIndex: null });
  return transactionOf([], {
    hash: hash(`${block}${index}${other}`),
    blockHash: hash(block),
    blockNumber: "0x7",
    transactionIndex: `0x${Number(index).toString(16)}`,
    block: { number: "0x7", hash: hash(block), transactionCount: Number(count) },
  });
}

function batchOf(records: readonly TransactionRecord[]) {
  const writer = createFrameWriter();
  for (const record of records) writeFrame(writer, record);
  const { bytes, u32: words, count, offsets: frames } = writer;
  return { bytes, words, count, frames };
}

/** Numbers in the batch of each block's transactions, with a `!` before those of a whole one. */
const blocks = (...texts: string[]): string[] =>
  blocksOf(batchOf(texts.map(transaction))).map(
    ({ numbers, complete }) => `${complete ? "!" : ""}${numbers.join(" ")}`,
  );

describe("blocksOf()", () => {
  test.each([
    ["pending transactions are in none", ["p", "p"], []],
    ["blocks in the order in which they begin", ["a0/2", "p", "a1/2", "b0/1"], ["!0 2", "!3"]],
    ["transactions in chain order", ["a2/3", "a0/3", "a1/3"], ["!1 2 0"]],
    ["blocks across each other; two of one height", ["a0/2", "b0/2", "a1/2", "b1/2"], ["!0 2", "!1 3"]],
    ["a part of a block", ["a0/3", "a2/3"], ["0 1"]],
    ["one that came twice", ["a0/2", "a1/2", "a0/2", "a1/2"], ["!0 1"]],
    ["one that came twice does not stand for another", ["a0/2", "a0/2"], ["0"]],
    ["two that claim one place", ["a0/3", "a1/3", "a1/3b"], ["0 1 2"]],
    ["more than there should be", ["a0/3", "a1/3", "a2/3", "a3/4"], ["0 1 2 3"]],
  ])("%s", (_name, texts, expected) => {
    expect(blocks(...texts)).toEqual(expected);
  });

  test("what lacks a member of its block's is alone and not complete; without a count a block is not complete", () => {
    const whole = transaction("a0/1");
    const { block: _block, ...uncounted } = whole;
    const records = [
      whole,
      { ...whole, hash: hash("1"), transactionIndex: null },
      { ...whole, hash: hash("2"), blockHash: null, block: null },
      { ...uncounted, hash: hash("3"), blockHash: hash("b") },
      { ...whole, hash: hash("4"), chainId: 10 },
    ];
    const found = blocksOf(batchOf(records)).map(({ numbers, complete, chainId }) => [...numbers, complete, chainId]);
    expect(found).toEqual([
      [0, true, 1],
      [1, false, 1],
      [2, false, 1],
      [3, false, 1],
      [4, true, 10],
    ]);
  });

  test("a view reads the frames of its transactions", () => {
    const batch = batchOf(["p", "b0/1", "a1/2", "a0/2"].map(transaction));
    const views = blocksOf(batch);
    const hashes = views.map((view) => view.frames.map((frame) => hexAt(view, frame + OFFSET.hash, 32)));
    expect(hashes).toEqual([[hash("b0")], [hash("a0"), hash("a1")]]);
    expect(views.map(({ blockNumber }) => blockNumber)).toEqual([7, 7]);
  });

  test("whatever the order, and whatever comes twice: the same blocks", () => {
    const names = ["a0/3", "a1/3", "a2/3", "b0/1", "c0/4", "c2/4", "p", "p"];
    const stream = fc
      .subarray(names)
      .chain((again) => fc.shuffledSubarray([...names, ...again], { minLength: names.length + again.length }));
    fc.assert(
      fc.property(stream, (texts) => {
        const found = blocksOf(batchOf(texts.map(transaction)));
        const named = found.map(({ numbers, complete }) => `${complete} ${numbers.map((i) => texts[i]).join(" ")}`);
        expect(named.sort()).toEqual(["false c0/4 c2/4", "true a0/3 a1/3 a2/3", "true b0/1"]);
      }),
    );
  });
});

test.skipIf(mainnetLines().length === 0)("real blocks are whole, and one without a transaction is not", () => {
  const records = mainnetLines().map((line) => JSON.parse(line.toString()) as TransactionRecord);
  const writer = createFrameWriter();
  for (const record of records.toSpliced(5, 1)) writeFrame(writer, record);
  const { bytes, u32: words, count, offsets: frames } = writer;
  const found = blocksOf({ bytes, words, count, frames });
  expect(found.map(({ frames }) => frames.length).reduce((sum, length) => sum + length)).toBe(records.length - 1);
  expect([found.length, found.filter(({ complete }) => complete).length]).toEqual([28, 27]);
});
