import { expect, test } from "vitest";
import { decodeJson } from "../../frame/decodeJson.ts";
import { createFrameWriter } from "../../frame/frameWriter.ts";
import { transactionOf } from "../testing/fixtures.ts";
import { networkFees, totalFee } from "./networkFees.ts";

function frameOf(receipt: object) {
  const record = transactionOf([]);
  const text = {
    ...record,
    receipt: { status: "0x1", gasUsed: "0x5208", effectiveGasPrice: "0x64", logs: [], ...receipt },
  };
  const json = Buffer.from(JSON.stringify(text));
  const writer = createFrameWriter();
  expect(decodeJson(json, 0, json.length, writer, 0)).toBe(0);
  return writer;
}

test("Optimism's receipt: the fee on L1 is paid on top of the gas", () => {
  const frame = frameOf({
    l1Fee: "0x3e8",
    l1GasUsed: "0x640",
    l1GasPrice: "0x7",
    l1FeeScalar: "0.684",
    l1BlobBaseFee: "0x1",
  });
  expect(networkFees(frame, 0)).toEqual({
    ...{ l1Fee: 1_000n, l1GasUsed: 1_600n, l1GasPrice: 7n, l1BlobBaseFee: 1n },
    ...{ gasUsedForL1: null, blobGasUsed: null, blobGasPrice: null },
  });
  expect(totalFee(frame, 0)).toBe(2_101_000n);
});

test("Arbitrum's is a part of the gas, blobs are paid on top", () => {
  const arbitrum = frameOf({ gasUsedForL1: "0x100" });
  expect([networkFees(arbitrum, 0).gasUsedForL1, totalFee(arbitrum, 0)]).toEqual([256n, 2_100_000n]);
  expect(totalFee(frameOf({ blobGasUsed: "0x20000", blobGasPrice: "0x2" }), 0)).toBe(2_100_000n + 262_144n);
});

test("what is no quantity is unknown, and so is all without the gas used", () => {
  for (const l1Fee of [
    5,
    "5",
    "0x",
    `0x${"f".repeat(65)}`,
    "0xg",
    null,
    ["0x1"],
    { a: "0x1" },
    '","receipt.l1Fee":"0x5',
  ])
    expect(networkFees(frameOf({ l1Fee }), 0).l1Fee).toBeNull();
  expect(networkFees(frameOf({ other: { "receipt.l1Fee": "0x5" } }), 0).l1Fee).toBeNull();
  expect(totalFee(frameOf({ gasUsed: null, l1Fee: "0x5" }), 0)).toBeNull();
  expect(totalFee(frameOf({}), 0)).toBe(2_100_000n);
});
