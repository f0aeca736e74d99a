import fc from "fast-check";
import { expect, test } from "vitest";
import { OUTPUT_TOPICS } from "./outcome.ts";
import { packRecords, unpackRecords } from "./topicRecords.ts";

const record = fc.record({
  topic: fc.constantFrom(...OUTPUT_TOPICS),
  key: fc.string({ unit: "binary" }),
  headers: fc.dictionary(
    fc.string().filter((name) => name !== "__proto__"),
    fc.string({ unit: "binary" }),
    {
      noNullPrototype: true,
    },
  ),
  value: fc.uint8Array({ maxLength: 300 }),
});

test("records come out as they went in", () => {
  fc.assert(
    fc.property(fc.array(record), (records) => {
      const packed = packRecords(records);
      expect(packed.count).toBe(records.length);
      const back = [...unpackRecords(packed)].map(({ value, ...rest }) => ({ ...rest, value: new Uint8Array(value) }));
      expect(back).toEqual(records);
    }),
  );
});

test("the packed bytes own their buffer, however few they are: it is transferred between threads", () => {
  const { bytes } = packRecords([{ topic: "alerts", key: "k", headers: {}, value: Uint8Array.of(1) }]);
  expect(bytes.byteOffset).toBe(0);
  expect(bytes.buffer.byteLength).toBe(bytes.length);
  expect(packRecords([]).bytes.length).toBe(0);
});

test("a large value among small ones", () => {
  const value = new Uint8Array(5_000_000).fill(7);
  const small = { topic: "dead_letters" as const, key: "", headers: { a: "ü" }, value: new Uint8Array(0) };
  const [before, large, after] = [...unpackRecords(packRecords([small, { ...small, value }, small]))];
  expect(large!.value.equals(value)).toBe(true);
  expect([before!.headers, after!.headers]).toEqual([{ a: "ü" }, { a: "ü" }]);
});
