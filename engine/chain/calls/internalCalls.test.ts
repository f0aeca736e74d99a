import { expect, test } from "vitest";
import { decodeJson } from "../../frame/decodeJson.ts";
import { createFrameWriter } from "../../frame/frameWriter.ts";
import { extraText } from "../../frame/readFrame.ts";
import { transactionOf } from "../testing/fixtures.ts";
import { INTERNAL_CALL_LIMITS, internalCallsOf } from "./internalCalls.ts";

const [a, b] = ["0a", "0b"].map((byte) => `0x${byte.repeat(20)}`);

/** As it comes out of a record. */
function callsIn(trace: unknown) {
  const json = Buffer.from(JSON.stringify({ ...transactionOf([]), v: "0x1", trace }));
  const writer = createFrameWriter();
  expect(decodeJson(json, 0, json.length, writer, 0)).toBe(0);
  return internalCallsOf(extraText(writer, 0));
}

test("a callTracer's answer, in the order of the calls", () => {
  const leaf = { type: "STATICCALL", from: b, to: a, input: "0x70a08231", gasUsed: "0x10" };
  const failed = { type: "CALL", from: b, to: a, value: "0x5", input: "0x", gasUsed: "0x1", error: "out of gas" };
  const root = {
    type: "CALL",
    from: a!.toUpperCase().replace("X", "x"),
    to: b,
    value: "0x1",
    input: "0xA9059CBB00",
    gasUsed: "0x99",
  };
  const nothing = { parent: 0, depth: 1, from: b, to: a, error: null };
  expect(callsIn({ ...root, calls: [{ ...leaf, calls: [leaf] }, failed] })).toEqual({
    truncated: false,
    calls: [
      { ...nothing, parent: -1, depth: 0, type: "CALL", from: a, to: b, selector: "0xa9059cbb", value: 1n, gasUsed: 153n },
      { ...nothing, type: "STATICCALL", selector: "0x70a08231", value: 0n, gasUsed: 16n },
      { ...nothing, parent: 1, depth: 2, type: "STATICCALL", selector: "0x70a08231", value: 0n, gasUsed: 16n },
      { ...nothing, type: "CALL", selector: null, value: 5n, gasUsed: 1n, error: "out of gas" },
    ],
  }); // biome-ignore format: a call a line
});

test("without a trace of that shape there are none", () => {
  for (const trace of [undefined, null, [], {}, "CALL", { type: 5 }, [{ type: "CALL" }]]) expect(callsIn(trace)).toBeUndefined(); // biome-ignore format: one line
  expect(internalCallsOf('"note":"\\"trace\\":{","other":{"trace":{"type":"CALL"}}')).toBeUndefined();
});

test("fields that are none are null; calls that are none are left out", () => {
  const odd = {
    type: "CALL",
    from: 5,
    to: "0x1",
    input: {},
    value: "-1",
    gasUsed: "0x",
    error: ["x"],
    calls: [null, 5, { type: "CREATE" }],
  };
  expect(callsIn(odd)!.calls).toMatchObject([
    { from: null, to: null, selector: null, value: 0n, gasUsed: null, error: null },
    { type: "CREATE", parent: 0 },
  ]);
});

test("more calls than the limits are cut off", () => {
  const wide = callsIn({ type: "CALL", calls: Array(INTERNAL_CALL_LIMITS.calls).fill({ type: "CALL" }) })!;
  expect([wide.calls.length, wide.truncated]).toEqual([INTERNAL_CALL_LIMITS.calls, true]);
  const levels = INTERNAL_CALL_LIMITS.depth + 5;
  const deep = internalCallsOf(`"trace":${'{"type":"CALL","calls":['.repeat(levels)}${"]}".repeat(levels)}`)!;
  expect([deep.calls.length, deep.truncated]).toEqual([INTERNAL_CALL_LIMITS.depth + 1, true]);
});
