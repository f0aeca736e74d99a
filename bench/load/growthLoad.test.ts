import { expect, test } from "vitest";
import { blocksOf } from "../../engine/chain/blocks.ts";
import { decodeBatches } from "./frames.ts";
import { cutIntoBlocks, sizedTransactions } from "./growthLoad.ts";

test("transactions have the size that is asked for, and are transactions", () => {
  for (const bytes of [230, 400, 8_000]) {
    const lines = sizedTransactions(bytes, 20);
    for (const { length } of lines) expect(Math.abs(length - bytes)).toBeLessThan(2);
    expect(decodeBatches(lines, 20)[0]).toMatchObject({ count: 20, failures: [] });
  }
});

test("blocks are cut anew, each whole, with its transactions and logs in order", () => {
  const [line] = sizedTransactions(300, 1) as [string];
  const logs = [0, 1].map(() => ({ address: `0x${"1".repeat(40)}`, topics: [], data: "0x", logIndex: "0x7" }));
  const receipt = { status: "0x1", gasUsed: "0x1", cumulativeGasUsed: "0x1", logs };
  const block = { number: "0x9", hash: `0x${"9".repeat(64)}`, timestamp: "0x1", transactionCount: 1 };
  const lines = cutIntoBlocks([JSON.stringify({ ...JSON.parse(line), block, receipt })], 3, 7);
  expect(lines).toHaveLength(9);
  const [decoded] = decodeBatches(lines, 9);
  expect(decoded).toMatchObject({ count: 9, failures: [] });
  const found = blocksOf(decoded!);
  expect(found.map(({ frames }) => frames.length)).toEqual([3, 3, 3]);
  expect(found.every(({ complete }) => complete)).toBe(true);
  expect(JSON.parse(lines[4]!).receipt.logs.map(({ logIndex }: { logIndex: string }) => logIndex)).toEqual([
    "0x2",
    "0x3",
  ]);
});
