import { keccak256 as reference } from "viem";
import { expect, test } from "vitest";
import { keccak256 } from "./keccak.ts";

test("keccak256() is viem's, for every length around one and two blocks", () => {
  const messages = [...Array(10).keys(), ...Array.from({ length: 150 }, (_, i) => 128 + i)].map((length) =>
    Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255),
  );
  expect(messages.map(keccak256)).toEqual(messages.map((message) => reference(message)));
});
