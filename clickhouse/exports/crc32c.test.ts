import { expect, test } from "vitest";
import { crc32c, maskedCrc32c } from "./crc32c.ts";

test.each([
  ["123456789", 0xe3069283], // the check value of its catalogue
  ["", 0],
  ["a", 0xc1d04330],
])("crc32c(%j)", (text, crc) => {
  expect(crc32c(Buffer.from(text))).toBe(crc);
});

test("crc32c() of RFC 3720's examples: 32 bytes of zeros, of ones, counting up", () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
});

test("maskedCrc32c() is rotated and moved on, within 32 bits", () => {
  expect(maskedCrc32c(Buffer.from("123456789"))).toBe(
    ((((0xe3069283 >>> 15) | (0xe3069283 << 17)) >>> 0) + 0xa282ead8) % 2 ** 32,
  );
});
