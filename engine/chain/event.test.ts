import fc from "fast-check";
import { expect, test } from "vitest";
import { logsAt } from "../frame/readFrame.ts";
import { createEvent } from "./event.ts";
import { blockOf, log, named, word } from "./testing/logs.ts";

const EMITTER = named("emitter");
const TOPIC0 = 1n;

/** @param data hex without 0x, or words */
function read(
  event: { read: ReturnType<typeof createEvent>["read"] },
  topics: Parameters<typeof log>[1],
  data: Parameters<typeof log>[2] | string,
): unknown {
  const one = log(EMITTER, [TOPIC0, ...topics], typeof data === "string" ? [] : data);
  const view = blockOf([typeof data === "string" ? { ...one, data: `0x${data}` } : one]);
  return event.read(view, logsAt(view, view.frames[0]!));
}

test("numbers of any width come out exactly, and nothing that does not fit", () => {
  const types = fc.tuple(fc.integer({ min: 1, max: 32 }), fc.bigInt(-(2n ** 255n), 2n ** 256n - 1n));
  fc.assert(
    fc.property(types, ([bytes, value]) => {
      const bits = BigInt(8 * bytes);
      const raw = BigInt.asUintN(256, value);
      const signed = BigInt.asIntN(256, value);
      const unsignedFits = raw < 2n ** bits;
      const signedFits = signed >= -(2n ** (bits - 1n)) && signed < 2n ** (bits - 1n);
      const unsigned = createEvent("E", [`uint${8 * bytes}`]);
      const both = createEvent("E", [`indexed int${8 * bytes}`]);
      expect(read(unsigned, [], [raw])).toEqual(unsignedFits ? [raw] : undefined);
      expect(read(both, [raw], [])).toEqual(signedFits ? [signed] : undefined);
    }),
    { numRuns: 300 },
  );
});

test("addresses, booleans and bytes", () => {
  const event = createEvent("E", ["indexed bytes32", "address", "bool", "bytes"]);
  expect(event.signature).toBe("E(bytes32,address,bool,bytes)");
  const id = `0x${"ab".repeat(32)}`;
  expect(read(event, [id], [EMITTER, 1, 96, 3, `0x010203${"00".repeat(29)}`])).toEqual([id, EMITTER, 1n, "0x010203"]);
  expect(read(event, [id], [EMITTER, 2, 96, 0])).toBeUndefined(); // no boolean
  expect(read(event, [id], [id, 1, 96, 0])).toBeUndefined(); // no address
  for (const offset of [97, 128, 160, 2n ** 255n, 2n ** 32n])
    expect(read(event, [id], [EMITTER, 1, offset, 0])).toBeUndefined();
  for (const size of [33, 2n ** 64n, 2n ** 256n - 1n])
    expect(read(event, [id], [EMITTER, 1, 96, size, 0])).toBeUndefined();
});

test("more or less topics or data than the event has", () => {
  const event = createEvent("E", ["indexed uint8", "uint8"]);
  expect(read(event, [1], [2])).toEqual([1n, 2n]);
  expect(read(event, [], [1, 2])).toBeUndefined();
  expect(read(event, [1, 2], [2])).toBeUndefined();
  for (const data of ["", word(2).slice(2), `${word(2)}00`, word(2) + word(3)])
    expect(read(event, [1], data)).toBeUndefined();
});
