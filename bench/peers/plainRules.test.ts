import { expect, test } from "vitest";
import { RUN_LIMITS } from "../../engine/sandbox/limits.ts";
import { createSynthetic } from "../load/synthetic.ts";
import { countPlain, runPlain } from "./plainRules.ts";

const BASE = {
  chainId: 1,
  hash: `0x${"1".repeat(64)}`,
  from: `0x${"2".repeat(40)}`,
  to: `0x${"3".repeat(40)}`,
  nonce: "0x0",
  gas: "0x0",
  value: "0x0",
  input: "0x",
};
const count = (tx: object) => countPlain([JSON.stringify({ ...BASE, ...tx })]);
const MAX = "f".repeat(64);

test("a generated load is counted as it was made", () => {
  const synthetic = createSynthetic();
  const lines = Array.from({ length: 5_000 }, () => synthetic.next());
  const { whales, approvals } = synthetic.expected;
  expect(whales).toBeGreaterThan(20);
  expect(countPlain(lines)).toEqual({
    seen: { "whale-transfer": whales, "unlimited-approval": approvals, "watched-address": 5_000 },
    alerted: { "whale-transfer": whales, "unlimited-approval": approvals },
    failed: {},
  });
  expect(runPlain(lines.map((line) => JSON.parse(line)))).toBe(whales + approvals);
});

test("each rule at its edge", () => {
  expect(count({ value: "0x56bc75e2d63100000" }).alerted).toEqual({ "whale-transfer": 1 });
  expect(count({ value: "0x56bc75e2d630fffff" }).alerted).toEqual({});
  expect(count({ value: "0x56bc75e2d63100000", receipt: { status: "0x0", logs: [] } }).alerted).toEqual({});
  expect(count({ input: `0x095ea7b3${"0".repeat(64)}${MAX}` }).alerted).toEqual({ "unlimited-approval": 1 });
  expect(count({ input: `0x095ea7b3${"0".repeat(64)}${MAX.slice(1)}e` }).alerted).toEqual({});
  expect(count({ from: "0x28c6c06298d514db089934071355e5743bf21d60" }).alerted).toEqual({ "watched-address": 1 });
  expect(
    count({ to: "0x7a250d5630b4cf539739df2c5dacb4c659f2488d", receipt: { status: "0x0", logs: [] } }).alerted,
  ).toEqual({ "failed-router-call": 1 });
  expect(
    count({ to: "0x7a250d5630b4cf539739df2c5dacb4c659f2488d", receipt: { status: "0x1", logs: [] } }).alerted,
  ).toEqual({});
});

test("a frame that is too large for a rule's input is a failure, not an alert", () => {
  const input = `0x${"00".repeat(RUN_LIMITS.inputBytes - 300)}`; // with the header of 416 B it does not fit
  expect(count({ input, from: "0x28c6c06298d514db089934071355e5743bf21d60" })).toEqual({
    seen: { "watched-address": 1 },
    alerted: {},
    failed: { "watched-address": 1 },
  });
});
