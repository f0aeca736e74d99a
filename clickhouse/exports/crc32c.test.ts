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

test("crc32c() is the same wherever the bytes lie, and for any part of them", () => {
  const bytes = Uint8Array.from({ length: 80 }, (_, i) => (i * 151) ^ (i >> 3));
  for (let start = 0; start < 9; start++)
    for (let end = start; end <= 80; end++) {
      const alone = crc32c(bytes.slice(start, end));
      let crc = -1; // a bit at a time
      for (const byte of bytes.subarray(start, end))
        for (let bit = 0; bit < 8; bit++) crc = ((crc ^ (byte >> bit)) & 1 ? 0x82f63b78 : 0) ^ (crc >>> 1);
      expect({ start, end, crc: crc32c(bytes, start, end) }).toEqual({ start, end, crc: alone });
      expect({ start, end, crc: alone }).toEqual({ start, end, crc: ~crc >>> 0 });
    }
});

test("maskedCrc32c() is rotated and moved on, within 32 bits", () => {
  expect(maskedCrc32c(Buffer.from("123456789"))).toBe(
    ((((0xe3069283 >>> 15) | (0xe3069283 << 17)) >>> 0) + 0xa282ead8) % 2 ** 32,
  );
});
