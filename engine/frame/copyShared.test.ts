import { describe, expect, test } from "vitest";
import { copyShared } from "./copyShared.ts";

describe("copyShared", () => {
  const source = new Uint8Array(new SharedArrayBuffer(300_000));
  for (let i = 0; i < source.length; i++) source[i] = (i * 31) % 251;

  test.each([
    [0, 0, 0],
    [5, 5, 3],
    [3, 4, 1],
    [1, 17, 8],
    [7, 65_543, 6],
    [9, 65_546, 0],
    [13, 299_999, 11],
  ])("bytes %i to %i stand at %i, and nothing else is touched", (start, end, at) => {
    const target = new Uint8Array(at + end - start + 9).fill(0xaa);
    copyShared(source, start, end, target, at);
    const expected = new Uint8Array(target.length).fill(0xaa);
    for (let i = start; i < end; i++) expected[at + i - start] = source[i]!;
    expect(Buffer.compare(target, expected)).toBe(0);
  });
});
