import { expect, test } from "vitest";
import { failure } from "./decodeErrors.ts";
import { createFrameWriter } from "./frameWriter.ts";
import { accessListAt, extraAt, logsAt } from "./readFrame.ts";
import { ACCESS, type FieldName, LOG, MAX_RECORD_BYTES, OFFSET, PRESENT } from "./schema.ts";
import { validateFrame } from "./validateFrame.ts";
import { type TransactionRecord, writeFrame } from "./writeFrame.ts";

const address = `0x${"cd".repeat(20)}`;
const hash = `0x${"ab".repeat(32)}`;
const log = { address, topics: [hash], data: "0x010203", logIndex: "0x0" };
const RECORD = {
  chainId: 1,
  hash,
  from: address,
  nonce: "0x0",
  value: "0x1",
  gas: "0x5208",
  input: "0xabcd",
  accessList: [{ address, storageKeys: [hash] }],
  transactionIndex: "0x0",
  block: { transactionCount: 1, size: "0x1" },
  receipt: { status: "0x1", logs: [log, log], root: "0x2" },
};

/** Validates the record's frame after a change; the name of what is wrong, "" for nothing. */
function faultAfter(change: (words: Uint32Array, bytes: Uint8Array) => void, record: object = RECORD): string {
  const writer = createFrameWriter({ capacity: 64, frames: 1 });
  writeFrame(writer, record as TransactionRecord);
  change(writer.u32, writer.bytes);
  return validateFrame(writer, 0, writer.end) === writer.end ? "" : failure.field;
}

/** The same of a pending transaction with an empty block, whose extra is replaced by another text of its length. */
function faultWithExtra(extra: string): string {
  const writer = createFrameWriter();
  const x = "y".repeat(Buffer.byteLength(extra) - '"x":""'.length);
  writeFrame(writer, { ...RECORD, receipt: null, block: {}, x } as TransactionRecord);
  writer.bytes.set(Buffer.from(extra), extraAt(writer, 0));
  return validateFrame(writer, 0, writer.end) === writer.end ? "" : failure.field;
}

const word = (at: number, value: number) => (words: Uint32Array) => {
  words[at >> 2] = value;
};
const byte = (at: number, value: number) => (_: Uint32Array, bytes: Uint8Array) => {
  bytes[at] = value;
};
const field = (name: FieldName, value: number) => word(OFFSET[name], value);
const writer = createFrameWriter();
writeFrame(writer, RECORD);
const LOGS = logsAt(writer, 0);
const ACCESS_LIST = accessListAt(writer, 0);

test("a frame that the decoder made is valid", () => {
  expect(faultAfter(() => {})).toBe("");
});

test.each([
  ["another version", field("version", 2), "version"],
  ["another header", field("version", 1 | (424 << 16)), "version"],
  ["a size over the record", field("size", MAX_RECORD_BYTES), "size"],
  ["a size of nothing", field("size", 0), "size"],
  ["an input over the frame", field("inputLength", 0xffffffff), "size"],
  ["a bit of no field", field("present", 2 ** 31), "present"],
  ["a field of the receipt without a receipt", field("present", PRESENT.status), "present"],
  ["a field of the block without a block", field("present", PRESENT.miner), "present"],
  ["bytes of an absent field", field("to", 1), "to"],
  ["chain 0", field("chainId", 0), "chainId"],
  ["chain 2^53", word(OFFSET.chainId + 4, 2 ** 21), "chainId"],
  ["an index behind the block's end", field("transactionIndex", 1), "transactionIndex"],
  ["a status of 2", byte(OFFSET.status, 2), "status"],
  ["a reserved byte", byte(OFFSET.reserved, 1), "reserved"],
  ["padding of the input", byte(416 + 7, 1), "input"],
  ["more logs than there are", field("logCount", 3), "receipt.logs"],
  ["fewer logs than there are", field("logCount", 1), "receipt.logs"],
  ["five topics", word(LOGS + LOG.topicCount, 5), "receipt.logs"],
  ["data over the log", word(LOGS + LOG.dataLength, 9), "receipt.logs"],
  ["padding of a log's data", byte(LOGS + LOG.topics + 32 + 3, 1), "receipt.logs"],
  ["a log of size 0", word(LOGS, 0), "receipt.logs"],
  ["a key too many", word(ACCESS_LIST + ACCESS.keyCount, 2), "accessList"],
  ["2^32 − 1 keys", word(ACCESS_LIST + ACCESS.keyCount, 0xffffffff), "accessList"],
  ["more entries than there are", field("accessListCount", 0xffffffff), "accessList"],
] as const)("%s is refused", (_, change, fault) => {
  expect(faultAfter(change)).toBe(fault);
}); // biome-ignore format: a table

test.each([
  ['"a":1,"b":[2]', ""],
  ['"data":"0x12"', ""],
  ['"a":1,"block.b":2', ""],
  ['"\\n":1,"b":"é"', ""],
  ['"hash":"0x12"', "extra"],
  ['"block.miner":0', "extra"],
  ['"block.b":2,"a":1', "extra"],
  ['"receipt.b":22', "extra"],
  ['"a":1,"b":2,"a":3', "extra"],
  ['"a":{"b":1,"b":2}', "extra"],
  ['"\\u0068ash":"0x1"', "extra"],
  ['"\\n":1,"\\u000a":2', "extra"],
  ['"a":[1, 2]', "extra"],
  ['"a":1},{"b":2', "extra"],
  ['"a":1,"b":22,', "extra"],
  ['"a":"bcdefgh', "extra"],
  ["aaaaaaaaaaa", "extra"],
])("extra %s: %s", (extra, fault) => {
  expect(faultWithExtra(extra)).toBe(fault);
});

test("of every kind of frame what is absent must be empty, more kinds than are remembered, twice", () => {
  const optional = {
    ...{ to: address, type: "0x2", gasPrice: "0x1", maxFeePerGas: "0x1", maxPriorityFeePerGas: "0x1", seenAt: 1 },
    ...{ blockNumber: "0x1", blockHash: hash, transactionIndex: "0x0" },
  };
  const names = Object.keys(optional) as (keyof typeof optional)[];
  for (let kind = 0; kind < 2 * 2 ** names.length; kind++) {
    const present = names.filter((_, i) => (kind >> i) & 1);
    const record = { ...RECORD, block: null, receipt: null, transactionIndex: undefined };
    const some = { ...record, ...Object.fromEntries(present.map((name) => [name, optional[name]])) };
    expect(faultAfter(() => {}, some)).toBe("");
    const absent = names.find((name) => !present.includes(name) && name !== "type");
    if (absent !== undefined) expect(faultAfter(field(absent, 1), some)).toBe(absent);
  }
});
