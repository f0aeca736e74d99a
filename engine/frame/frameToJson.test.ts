import { expect, test } from "vitest";
import { frameToJson, frameToObject } from "./frameToJson.ts";
import { createFrameWriter } from "./frameWriter.ts";
import * as read from "./readFrame.ts";
import { ACCESS, LOG, OFFSET, PRESENT } from "./schema.ts";
import { writeFrame } from "./writeFrame.ts";

const hash = (digit: string) => `0x${digit.repeat(64)}`;
const address = (digit: string) => `0x${digit.repeat(40)}`;
const RECORD = {
  chainId: 8453,
  hash: hash("a"),
  from: address("b"),
  to: null,
  nonce: "0xffffffffffffffff",
  value: `0x${"f".repeat(64)}`,
  gas: "0x5208",
  gasPrice: `0x${"e".repeat(32)}`,
  type: "0x2",
  input: "0x0102030405060708090a",
  accessList: [
    { address: address("1"), storageKeys: [hash("2"), hash("3")] },
    { address: address("4"), storageKeys: [] },
  ],
  blockNumber: "0x1fffffffffffff",
  blockHash: hash("5"),
  transactionIndex: "0x0",
  seenAt: 1763700000000.007,
  v: "0x1",
  "odd \n key": { a: [1.50, null] },
  block: { number: "0x1fffffffffffff", hash: hash("5"), transactionCount: 1, size: "0x5a1" },
  receipt: {
    status: "0x0",
    contractAddress: address("6"),
    logs: [
      { address: address("7"), topics: [hash("8"), hash("9")], data: "0xabcdef", logIndex: "0x11" },
      { address: address("7"), topics: [], data: "0x", logIndex: "0x12" },
    ],
    root: hash("c"),
  },
}; // biome-ignore format: in the canonical order

const frames = createFrameWriter();
writeFrame(frames, { ...RECORD, chainId: 1 });
writeFrame(frames, RECORD);
const frame = frames.offsets[1]!;

test("frameToJson() gives the record in the recordings' order, extra's members in their places", () => {
  expect(frameToJson(frames, frame)).toBe(JSON.stringify(RECORD));
  expect(frameToObject(frames, frame)).toEqual(RECORD);
});

test("accessors read what the record says", () => {
  expect(frame).toBe(read.frameSize(frames, 0));
  expect(read.u64AsNumber(frames, frame + OFFSET.chainId)).toBe(8453);
  expect(read.u64AsNumber(frames, frame + OFFSET.blockNumber)).toBe(Number.MAX_SAFE_INTEGER);
  expect(read.u64AsNumber(frames, frame + OFFSET.seenAt)).toBe(1763700000000007);
  expect(read.bigAt(frames, frame + OFFSET.nonce, 8)).toBe(2n ** 64n - 1n);
  expect(read.bigAt(frames, frame + OFFSET.value, 32)).toBe(2n ** 256n - 1n);
  expect(read.quantityAt(frames, frame + OFFSET.type, 1)).toBe("0x2");
  expect(read.quantityAt(frames, frame + OFFSET.transactionIndex, 4)).toBe("0x0");
  expect(read.has(frames, frame, PRESENT.to)).toBe(false);
  expect(read.has(frames, frame, PRESENT.transactionIndex)).toBe(true);
  expect(read.isMined(frames, frame)).toBe(true);
  expect(read.hexAt(frames, read.inputAt(frames, frame), read.inputLength(frames, frame))).toBe(RECORD.input);
  expect(read.extraText(frames, frame)).toBe(
    `"v":"0x1","odd \\n key":{"a":[1.5,null]},"block.size":"0x5a1","receipt.root":"${hash("c")}"`,
  );
});

test("logs and access list entries are walked without allocation", () => {
  const logs: string[] = [];
  let log = read.logsAt(frames, frame);
  for (let i = read.logCount(frames, frame); i > 0; i--, log = read.nextEntry(frames, log)) {
    const topics = Array.from({ length: read.logTopicCount(frames, log) }, (_, t) => {
      return read.hexAt(frames, read.logTopicAt(log, t), 32);
    });
    expect(read.hexAt(frames, log + LOG.address, 20)).toBe(address("7"));
    const data = read.hexAt(frames, read.logDataAt(frames, log), read.logDataLength(frames, log));
    logs.push(`${read.logIndex(frames, log)} ${topics.join()} ${data}`);
  }
  expect(log).toBe(read.extraAt(frames, frame));
  expect(logs).toEqual([`17 ${hash("8")},${hash("9")} 0xabcdef`, "18  0x"]);

  const entry = read.accessListAt(frames, frame);
  expect(read.accessListCount(frames, frame)).toBe(2);
  expect(read.accessKeyCount(frames, entry)).toBe(2);
  expect(read.hexAt(frames, read.accessKeyAt(entry, 1), 32)).toBe(hash("3"));
  expect(read.hexAt(frames, read.nextEntry(frames, entry) + ACCESS.address, 20)).toBe(address("4"));
});

test("frameBytes() reads frames in plain bytes", () => {
  const copy = read.frameBytes(frames.bytes.slice(0, frames.end));
  expect(frameToJson(copy, frame)).toBe(JSON.stringify(RECORD));
});

test("writeFrame() throws what the decoder reports", () => {
  expect(() => writeFrame(frames, { ...RECORD, nonce: "1" })).toThrow(
    /^Cannot decode transaction: "nonce" at byte \d+ is "1"/,
  );
});
