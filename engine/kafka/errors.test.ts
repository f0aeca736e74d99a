import { expect, test } from "vitest";
import { classify, kafkaError } from "./errors.ts";

const of = (code: number, flags = {}) => classify({ message: "", code, ...flags });

test("classify() tells who must act, by code", () => {
  expect([22, 25, 27].map((code) => of(code))).toEqual(["rebalance", "rebalance", "rebalance"]);
  expect([90, 82, -144, 47].map((code) => of(code))).toEqual(["fenced", "fenced", "fenced", "fenced"]);
  expect([-195, -185, 16].map((code) => of(code))).toEqual(["retry", "retry", "retry"]);
  expect([10, 12, 1].map((code) => of(code))).toEqual(["record", "record", "record"]);
  expect([3, 29, -186].map((code) => of(code))).toEqual(["configuration", "configuration", "configuration"]);
});

test("classify() is total: an unknown code is fatal", () => {
  expect(of(9999)).toBe("fatal");
  expect(of(-150)).toBe("fatal");
});

test("classify() lets the flags of a transactional call win over the code, but never hides a fence", () => {
  expect(of(-195, { isTxnRequiresAbort: true })).toBe("abort");
  expect(of(-185, { isFatal: true })).toBe("fatal");
  expect(of(90, { isFatal: true })).toBe("fenced");
  expect(of(3, { isRetriable: true })).toBe("retry");
});

test("kafkaError() names the action, the reason and the code, and keeps an error that is one already", () => {
  const error = kafkaError('commit the transaction "t"', { message: "Broker: Producer fenced", code: 90 });
  expect(error.message).toBe('Cannot commit the transaction "t": Broker: Producer fenced (90)');
  expect(error).toMatchObject({ kind: "fenced", code: 90 });
  expect(kafkaError("again", error)).toBe(error);
  expect(kafkaError("connect", new Error("Client is disconnected")).kind).toBe("fatal");
});
