import { describe, expect, test } from "vitest";
import { mainnetLines } from "../frame/testing/mainnet.ts";
import { createPacker, refresh } from "./produce.ts";

const hash = (digit: string): string => `0x${digit.repeat(64)}`;
const line = JSON.stringify({
  hash: hash("a"),
  blockHash: hash("b"),
  blockNumber: "0x10",
  transactionIndex: "0x1",
  block: { number: "0x10", hash: hash("b"), parentHash: hash("c") },
  receipt: { logs: [{ topics: [hash("a")], data: hash("b") }] },
});

test("packed records hold frames of one block each, and of pending transactions whatever comes", async () => {
  const sent: [key: string, count: number][] = [];
  const packer = createPacker(async (key, _value, _type, count) => void sent.push([key, count]));
  const transaction = {
    chainId: 1,
    hash: hash("d"),
    from: `0x${"1".repeat(40)}`,
    nonce: "0x0",
    gas: "0x1",
    value: "0x0",
  };
  const text = JSON.stringify({ ...transaction, to: null, input: "0x" });
  const places = ["1 b", "1 b", "1 c", "1:0x1 ", "1:0x2 ", "1 c", ...Array<string>(65).fill("1 d")];
  for (const place of places) {
    const [key, block] = place.split(" ") as [string, string];
    await packer.add({ key, block }, text, "file", 1);
  }
  await packer.flush();
  expect(sent).toEqual([
    ["1", 2],
    ["1", 1],
    ["1:", 2],
    ["1", 1],
    ["1", 64],
    ["1", 1],
  ]);
});

describe("refresh()", () => {
  test("gives a round hashes and heights of its own, the same ones each time, and leaves the rest", () => {
    const rounds = [1, 2, 300].map((round) => refresh(line, round));
    expect(new Set(rounds.map((text) => JSON.parse(text).hash)).size).toBe(3);
    expect(refresh(line, 2)).toBe(rounds[1]);
    const second = JSON.parse(rounds[1]!);
    expect(second).toMatchObject({
      hash: `0xaaaaaaa8${"a".repeat(56)}`,
      blockNumber: `0x${(16 + 2_000_000).toString(16)}`,
      transactionIndex: "0x1",
      receipt: JSON.parse(line).receipt,
    });
    expect(second.block.hash).toBe(second.blockHash);
    expect(second.block.number).toBe(second.blockNumber);
    expect(second.block.parentHash).not.toBe(hash("c"));
  });

  test("finds them in JSON with spaces and in upper case, too", () => {
    const spaced = JSON.stringify({ hash: `0x${"A".repeat(64)}`, blockNumber: "0xF" }, null, 1).replaceAll("\n", "");
    expect(JSON.parse(refresh(spaced, 1))).toEqual({ hash: `0xaaaaaaab${"A".repeat(56)}`, blockNumber: "0xf424f" });
  });

  test("a pending transaction has no height before and after", () => {
    expect(JSON.parse(refresh(JSON.stringify({ hash: hash("0"), blockNumber: null }), 7))).toEqual({
      hash: `0x00000007${"0".repeat(56)}`,
      blockNumber: null,
    });
  });

  test("of mainnet transactions no two rounds share a hash, and blocks stay chained", (context) => {
    const lines = mainnetLines();
    if (lines.length === 0) context.skip("no mainnet data beside the checkout");
    const hashes = new Set<string>();
    for (const round of [1, 2, 3])
      for (const text of lines.slice(0, 500)) hashes.add(JSON.parse(refresh(text.toString(), round)).hash);
    expect(hashes.size).toBe(1_500);
  });
});
