import { expect, test } from "vitest";
import { checkOffsets } from "./offsets.ts";

const at = (offset: number, metadata = "") => [{ topic: "tx_raw", partition: 3, offset, metadata }];

test("checkOffsets() accepts an offset with 4,095 bytes of metadata and names the partition with one more", () => {
  checkOffsets(at(0, "x".repeat(4_095)));
  expect(() => checkOffsets(at(0, "x".repeat(4_096)))).toThrow(
    'Cannot commit "tx_raw/3": metadata has 4096 characters, expected at most 4095',
  );
});

test("checkOffsets() refuses what is not printable ASCII, and offsets below 0 or not whole", () => {
  expect(() => checkOffsets(at(0, "é"))).toThrow("outside ASCII");
  expect(() => checkOffsets(at(0, "\0"))).toThrow("outside ASCII");
  expect(() => checkOffsets(at(-1))).toThrow("offset is -1");
  expect(() => checkOffsets(at(1.5))).toThrow("offset is 1.5");
});
