import { expect, test } from "vitest";
import { parseCondition } from "../condition/parseCondition.ts";
import { createFrameWriter } from "../frame/frameWriter.ts";
import { type TransactionRecord, writeFrame } from "../frame/writeFrame.ts";
import { describeFailure, explain, firstFailure } from "./explain.ts";

const topic = (digit: string): string => `0x${digit.repeat(64)}`;
const record: TransactionRecord = {
  chainId: 1,
  hash: topic("a"),
  from: `0x${"1".repeat(40)}`,
  to: null,
  nonce: "0x7",
  gas: "0x5208",
  value: "0x64",
  input: `0xdeadbeef${"00".repeat(100)}`,
  seenAt: 1_700_000_000_123,
  receipt: {
    status: "0x1",
    logs: [
      { address: `0x${"2".repeat(40)}`, topics: [topic("3"), topic("4")], data: "0x", logIndex: "0x0" },
      { address: `0x${"2".repeat(40)}`, topics: [], data: "0x", logIndex: "0x1" },
    ],
  },
};

function explained(input: unknown) {
  const parsed = parseCondition(input);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const writer = createFrameWriter();
  writeFrame(writer, record);
  return explain(parsed.condition, { bytes: writer.bytes, u32: writer.u32 }, writer.offsets[0]!);
}
const why = (input: unknown): string | undefined => {
  const failure = firstFailure(explained(input));
  return failure && describeFailure(failure);
};

test("every comparison with what it met", () => {
  expect(
    explained({ and: [{ value_gte: 100 }, { or: [{ chain_id: 5 }, { nonce_lt: 8 }] }, { not: { pending: false } }] }),
  ).toEqual({
    holds: true,
    and: [
      { holds: true, field: "value", operator: "gte", value: "100", actual: "100" },
      {
        holds: true,
        or: [
          { holds: false, field: "chainId", operator: "eq", value: "5", actual: "1" },
          { holds: true, field: "nonce", operator: "lt", value: "8", actual: "7" },
        ],
      },
      { holds: true, not: { holds: false, field: "pending", operator: "eq", value: false, actual: true } },
    ],
  });
});

test("values of every kind", () => {
  const actual = (field: string, value: unknown) => explained({ field, operator: "ne", value }).actual;
  expect(actual("to", `0x${"0".repeat(40)}`)).toBeNull();
  expect(actual("gasUsed", 1)).toBeNull();
  expect(actual("status", 0)).toBe("1");
  expect(actual("selector", "0x00000000")).toBe("0xdeadbeef");
  expect(actual("input", "0x")).toBe(`0xdeadbeef${"00".repeat(64)}… (104 bytes)`);
  expect(actual("topic1", topic("0"))).toEqual([topic("4")]);
  expect(actual("logAddress", `0x${"0".repeat(40)}`)).toEqual([`0x${"2".repeat(40)}`]);
  expect(actual("seenAt", 1)).toBe("1700000000123");
  expect(actual("created", false)).toBe(true);
});

test.each([
  [{ value_gte: 100 }, undefined],
  [{ value_gte: 101, nonce: 3 }, "value gte 101: it is 100"],
  [{ nonce: 7, to_in: [`0x${"5".repeat(40)}`] }, `to in [0x${"5".repeat(40)}]: there is none`],
  [{ not: { nonce: 7 } }, "not (nonce eq 7): it is 7"],
  [{ or: [{ nonce: 1 }, { nonce: 2 }] }, "nonce eq 1: it is 7"],
  [{ not: { or: [{ nonce: 1 }, { nonce: 7 }] } }, "not (nonce eq 7): it is 7"],
  [{ topic2: topic("1") }, `topic2 eq ${topic("1")}: it is of none`],
  [{ nonce_in: [1, 2, 3, 4] }, "nonce in one of 4 values: it is 7"],
])("why not: %j", (input, expected) => {
  expect(why(input)).toBe(expected);
});
