import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CONTENT } from "../frame/content.ts";
import { recordsOf, type SourceRecord } from "../source/records.ts";
import { type BlockEdges, createBlockEdges, MAX_BLOCK_RECORDS } from "./blockEdges.ts";

/** What a record holds: `p` is pending, `a1/3` the second of three transactions of block a; several with blanks between. */
function record(offset: number, text: string): SourceRecord {
  const lines = text.split(" ").map((one) => {
    const found = /^([a-f])(\d+)\/(\d+)$/.exec(one);
    if (!found) return "{}";
    const [, block, index, count] = found;
    return JSON.stringify({
      blockHash: `0x${block!.repeat(64)}`,
      transactionIndex: `0x${Number(index).toString(16)}`,
      block: { transactionCount: Number(count) },
    });
  });
  return { offset, time: 0, content: CONTENT.ndjson, value: Buffer.from(lines.join("\n")) };
}

function edgesOf(texts: readonly string[], now = 0): BlockEdges {
  const edges = createBlockEdges();
  for (const [offset, text] of texts.entries()) edges.add(recordsOf([record(offset, text)]), now);
  return edges;
}

/** Where batches end that would have so many records: all that can be taken. */
function cuts(edges: BlockEdges, records: number, total: number): number[] {
  const ends: number[] = [];
  for (let first = 0; first < total; ) {
    const end = edges.end(first, Math.min(first + records, total));
    if (end === undefined) break;
    ends.push(end);
    first = end;
  }
  return ends;
}

describe("cuts", () => {
  const drawn = ["p", "p", "a0/3", "a1/3", "p", "a2/3", "b0/2", "b1/2", "c0/2", "p", "c1/2", "d0/2"];
  test.each([
    [1, [1, 2, 6, 8, 11]],
    [2, [2, 6, 8, 11]],
    [3, [2, 6, 8, 11]],
    [5, [2, 6, 11]],
    [9, [8, 11]],
    [99, [11]],
  ])("batches of up to %d records end where no block is open", (records, expected) => {
    expect(cuts(edgesOf(drawn), records, drawn.length)).toEqual(expected);
  });

  test.each([
    ["pending transactions only", ["p", "p", "p"], [1, 2, 3]],
    ["blocks of one transaction", ["a0/1", "b0/1", "p"], [1, 2, 3]],
    ["a record with a whole block", ["a0/2 a1/2", "b0/1", "p"], [1, 2, 3]],
    ["two chains across each other", ["a0/2", "b0/2", "a1/2", "b1/2", "c0/1"], [4, 5]],
    [
      "records with the end of one block and the beginning of the next",
      ["a0/2", "a1/2 b0/2", "b1/2 c0/2", "c1/2"],
      [4],
    ],
    ["transactions in any order", ["a2/3", "a0/3", "a1/3", "p"], [3, 4]],
    ["one delivered twice within its block", ["a0/2", "a0/2", "a1/2", "p"], [3, 4]],
    ["one delivered again later", ["a0/2", "a1/2", "a0/2", "p"], [2, 3, 4]],
  ])("%s", (_name, records, expected) => {
    expect(cuts(edgesOf(records), 1, records.length)).toEqual(expected);
  });

  test("whatever the blocks, their order and the batches: every record once, every block in one batch", () => {
    const block = fc.record({ name: fc.constantFrom(..."abcdef"), count: fc.integer({ min: 1, max: 5 }) });
    const stream = fc
      .uniqueArray(block, { selector: ({ name }) => name, maxLength: 6 })
      .map((blocks) =>
        blocks.flatMap(({ name, count }) => Array.from({ length: count }, (_, i) => `${name}${i}/${count}`)),
      )
      .chain((members) => fc.tuple(fc.shuffledSubarray(members, { minLength: members.length }), fc.nat(6)))
      .map(([members, pending]) => [...members, ...Array<string>(pending).fill("p")])
      .chain((all) => fc.shuffledSubarray(all, { minLength: all.length }));
    fc.assert(
      fc.property(stream, fc.integer({ min: 1, max: 9 }), (records, size) => {
        const ends = cuts(edgesOf(records), size, records.length);
        expect(ends.at(-1) ?? 0).toBe(records.length);
        const batchOf = (offset: number): number => ends.findIndex((end) => offset < end);
        const batches = new Map<string, number>();
        records.forEach((text, offset) => {
          if (text === "p") return;
          expect(batches.get(text[0]!) ?? batchOf(offset)).toBe(batchOf(offset));
          batches.set(text[0]!, batchOf(offset));
        });
      }),
    );
  });
});

describe("a block that does not become whole", () => {
  test("holds back itself and what comes after it, until it is given up; then it is taken in one piece", () => {
    const edges = edgesOf(["p", "a0/3", "a1/3", "p"]);
    expect(edges.isHeld(0)).toBe(false);
    expect(cuts(edges, 9, 4)).toEqual([1]);
    expect(edges.isHeld(1)).toBe(true);
    edges.giveUp();
    expect(edges.isHeld(1)).toBe(false);
    edges.add(recordsOf([record(4, "a2/3")]), 0); // too late: its block is over
    edges.add(recordsOf([record(5, "b0/1")]), 0);
    expect(cuts(edges, 1, 6)).toEqual([1, 4, 5, 6]);
  });

  test("is overdue after the wait, which begins anew when a paused lane goes on", () => {
    const edges = edgesOf(["a0/2"], 1_000);
    expect([edges.isOverdue(1_099, 100), edges.isOverdue(1_100, 100)]).toEqual([false, true]);
    edges.resume(5_000);
    expect([edges.isOverdue(5_099, 100), edges.isOverdue(5_100, 100)]).toEqual([false, true]);
    edges.add(recordsOf([record(1, "a1/2")]), 5_100);
    expect(edges.isOverdue(9_999, 100)).toBe(false);
  });

  test("is waited for half as long each time, and longer again once spans become whole", () => {
    const edges = createBlockEdges();
    let offset = 0;
    const waits = (): number => {
      edges.add(recordsOf([record(offset++, `${"abcdef"[offset % 6]}0/2`)]), 0);
      const wait = [1_024, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1].filter((ms) => edges.isOverdue(ms, 1_024)).at(-1)!;
      edges.giveUp();
      return wait;
    };
    expect([waits(), waits(), waits()]).toEqual([1_024, 512, 256]);
    for (const text of ["e0/2", "e1/2"]) edges.add(recordsOf([record(offset++, text)]), 0);
    expect(waits()).toBe(256);
  });

  test("has so many records at most", () => {
    const edges = createBlockEdges();
    edges.add(recordsOf([record(0, "a0/2")]), 0);
    const pending = record(1, "p");
    for (let offset = 1; offset < MAX_BLOCK_RECORDS - 1; offset++) edges.add(recordsOf([{ ...pending, offset }]), 0);
    expect(edges.end(0, 4_096)).toBeUndefined();
    edges.add(recordsOf([{ ...pending, offset: MAX_BLOCK_RECORDS - 1 }]), 0);
    expect(edges.end(0, 4_096)).toBe(MAX_BLOCK_RECORDS);
  });

  test("how many are remembered is bounded", () => {
    const edges = createBlockEdges();
    const small = (hash: number): SourceRecord => ({
      ...record(hash, "p"),
      value: Buffer.from(
        `{"blockHash":"0x${hash.toString(16).padStart(12, "0")}${"0".repeat(52)}","transactionIndex":"0x0","transactionCount":1}`,
      ),
    });
    for (let hash = 0; hash <= 1_024; hash++) edges.add(recordsOf([small(hash)]), 0);
    const again = (hash: number): SourceRecord => ({
      ...small(hash),
      value: Buffer.from(small(hash).value!.toString().replace(":1}", ":2}")),
    });
    edges.add(recordsOf([{ ...again(1), offset: 2_000 }]), 0);
    expect(edges.end(2_000, 2_001)).toBe(2_001);
    edges.add(recordsOf([{ ...again(0), offset: 2_001 }]), 0);
    expect(edges.end(2_001, 2_002)).toBeUndefined();
  });
});
