import { expect, test } from "vitest";
import { isWithin, LOOPBACK, parseRange } from "./ranges.ts";

test.each([
  ["10.1.2.3", ["10.0.0.0/8"], true],
  ["11.1.2.3", ["10.0.0.0/8"], false],
  ["::ffff:10.1.2.3", ["10.0.0.0/8"], true],
  ["10.1.2.3", ["192.0.2.0/24", "10.1.2.3"], true],
  ["2001:db8::1", ["2001:db8::/32"], true],
  ["2001:db9::1", ["2001:db8::/32"], false],
  ["10.1.2.3", ["::/0"], false],
  ["::1", ["0.0.0.0/0"], false],
  ["10.1.2.3", [], false],
  ["", ["0.0.0.0/0"], false],
  ["evil", ["0.0.0.0/0"], false],
  [null, ["0.0.0.0/0"], false],
])("%s within %j: %s", (address, ranges, within) => {
  expect(isWithin(address, ranges.map((text) => parseRange(text)!))).toBe(within); // biome-ignore format: one line
});

test("loopback is all of 127/8 and ::1", () => {
  expect(["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"].every((each) => isWithin(each, LOOPBACK))).toBe(true);
  expect(["128.0.0.1", "10.0.0.1", "::2", "fe80::1"].some((each) => isWithin(each, LOOPBACK))).toBe(false);
});

test.each(["10.0.0.0/33", "10.0.0.0/-1", "localhost", "", "10.0.0.0/", "1.2.3.4.5", "::/129"])("%j is no range", (text) => {
  expect(parseRange(text)).toBeUndefined();
}); // biome-ignore format: one table
