import { describe, expect, it } from "vitest";
import { createChainWindow } from "./chainWindow.ts";

const refs = (from: number, hashes: string) => [...hashes].map((hash, index) => ({ number: from + index, hash }));
/** The chain as a node has it. */
const chainOf = (from: number, hashes: string) => async (number: number) => hashes[number - from];

describe("createChainWindow()", () => {
  it("tells which of its blocks the chain has not", async () => {
    const window = createChainWindow(refs(5, "abcd"), 10);
    expect(await window.findReplaced(chainOf(5, "abcd"))).toEqual([]);
    expect(await window.findReplaced(chainOf(5, "abXYZ"))).toEqual(refs(7, "cd"));
    expect(await window.findReplaced(chainOf(5, "ab"))).toEqual(refs(7, "cd")); // a shorter chain has none there
    expect(await window.findReplaced(chainOf(5, "WXYZ"))).toEqual(refs(5, "abcd"));
  });

  it("goes on at the fork when they are taken out", async () => {
    const window = createChainWindow(refs(5, "abcd"), 10);
    window.remove(refs(7, "cd"));
    expect(window.tip()).toEqual({ number: 6, hash: "b" });
    window.append({ number: 7, hash: "X" });
    expect(window.blocks()).toEqual(refs(5, "abX"));
  });

  it("remembers the last ones only, and says so when those are replaced", async () => {
    const window = createChainWindow(refs(1, "abcd"), 3);
    expect(window.blocks()).toEqual(refs(2, "bcd"));
    window.append({ number: 5, hash: "e" });
    expect(window.blocks()).toEqual(refs(3, "cde"));
    expect(await window.findReplaced(chainOf(1, "abcXY"))).toEqual(refs(4, "de"));
    await expect(window.findReplaced(chainOf(1, "abXYZ"))).rejects.toThrow(
      'Cannot follow the chain past block "5": the blocks 3 to 5 were replaced, expected fewer than 3 at once',
    );
  });

  it("refuses a gap", () => {
    expect(() => createChainWindow([...refs(1, "a"), ...refs(3, "c")], 3)).toThrow('Cannot go on at block "3"');
    expect(() => createChainWindow(refs(1, "a"), 3).append({ number: 3, hash: "c" })).toThrow("expected no gap");
  });
});
