import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { createSynthetic } from "../bench/load/synthetic.ts";
import { CONTENT } from "../engine/frame/content.ts";
import { packBatch } from "../engine/source/batch.ts";
import { readLines } from "../engine/source/recording.ts";
import { createProcessor } from "../engine/worker/process.ts";
import { createWorld } from "../engine/world/world.ts";
import { encodeRows } from "./encodeRows.ts";
import { mergeBlocks } from "./mergeBlocks.ts";
import { joinRows } from "./tables/framedRows.ts";

const RECORDING = fileURLToPath(new URL("../test/recordings/dex.ndjson.gz", import.meta.url));
const process = createProcessor([], createWorld({ chains: [1, 56, 137, 31_337, 42_161] }));

/** Mined transactions with logs, pending ones, and every tenth line broken: a dead letter. */
const lines: Buffer[] = [];
beforeAll(async () => {
  for await (const line of readLines(RECORDING)) {
    if (lines.length === 800) break;
    lines.push(Buffer.from(line));
  }
  const synthetic = createSynthetic({ seed: 5 });
  while (lines.length < 1_000) lines.push(Buffer.from(synthetic.next()));
  for (let i = 0; i < lines.length; i += 10) lines[i] = Buffer.from("{");
});

const blocksOf = (from: number, to: number) => {
  const records = lines
    .slice(from, to)
    .map((value, i) => ({ offset: from + i, time: 1_700_000_000_000, content: CONTENT.json, value }));
  return process(packBatch("topic", 3, from, to, records)).tables;
};

test("blocks of pieces, joined, are the block of the whole, byte for byte", async () => {
  const whole = blocksOf(0, lines.length);
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: lines.length - 1 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(cuts, async (at) => {
      const ends = [...at.sort((a, b) => a - b), lines.length];
      const pieces = ends.map((end, i) => blocksOf(ends[i - 1] ?? 0, end));
      for (const table of ["transactions", "dead_letters"] as const) {
        const { bodies } = await joinRows(pieces.flatMap((tables) => tables[table] ?? []));
        expect(Buffer.compare(Buffer.concat(bodies), Buffer.concat((await joinRows(whole[table]!)).bodies))).toBe(0);
      }
    }),
    { numRuns: 30 },
  );
});

test("more than 127 rows need a longer number than each of the blocks", async () => {
  const columns = [["a", "UInt32"]] as const;
  const rows = Array.from({ length: 200 }, (_, a) => ({ a }));
  const pieces = [rows.slice(0, 100), rows.slice(100)].map((part) => encodeRows(columns, part));
  expect(Buffer.compare(Buffer.concat(await mergeBlocks(pieces)), encodeRows(columns, rows).bytes)).toBe(0);
});

test("many blocks are joined in slices, between which the event loop goes on", async () => {
  const columns = [["a", "UInt32"], ["b", "Array(UInt32)"]] as const; // biome-ignore format: one line
  const rows = Array.from({ length: 3_000 }, (_, a) => ({ a, b: [a, 2 * a] }));
  let turns = 0;
  let counting = true;
  const count = (): void => {
    turns++;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  const merged = await mergeBlocks(rows.map((row) => encodeRows(columns, [row])));
  counting = false;
  expect(turns).toBeGreaterThan(2);
  expect(Buffer.compare(Buffer.concat(merged), encodeRows(columns, rows).bytes)).toBe(0);
  expect(merged.length).toBeLessThan(5); // what is short is copied together
});

test("what is long is not copied: ends of arrays are, which differ from the blocks'", async () => {
  const columns = [["a", "UInt64"], ["b", "Array(UInt32)"]] as const; // biome-ignore format: one line
  const rows = Array.from({ length: 3_000 }, (_, a) => ({ a, b: [a] }));
  const blocks = [rows.slice(0, 1_500), rows.slice(1_500)].map((part) => encodeRows(columns, part));
  const before = blocks.map(({ bytes }) => Buffer.from(bytes));
  const merged = await mergeBlocks(blocks);
  expect(Buffer.compare(Buffer.concat(merged), encodeRows(columns, rows).bytes)).toBe(0);
  const own = new Set<ArrayBufferLike>(blocks.map(({ bytes }) => bytes.buffer));
  expect(merged.filter(({ buffer }) => own.has(buffer)).map(({ length }) => length)).toEqual([
    12_000, 12_000, 6_000, 6_000,
  ]);
  for (const [i, { bytes }] of blocks.entries()) expect(Buffer.compare(bytes, before[i]!)).toBe(0);
});
