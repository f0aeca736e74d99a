import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSynthetic } from "../../bench/load/synthetic.ts";
import { CONTENT } from "../../engine/frame/content.ts";
import { packBatch } from "../../engine/source/batch.ts";
import { readLines } from "../../engine/source/recording.ts";
import { createDecoder } from "../../engine/worker/decode.ts";
import { type TemporaryStore, temporaryStore } from "../../test/support/embeddedStore.ts";
import { mergeBlocks } from "../mergeBlocks.ts";
import type { TransactionRows } from "./frameColumns.ts";
import { joinRows, marked, type StoredRows, transactionRows } from "./framedRows.ts";
import { encodeTransactions, TRANSACTION_COLUMNS, type TransactionMarks } from "./transactions.ts";

const RECORDING = fileURLToPath(new URL("../../test/recordings/dex.ndjson.gz", import.meta.url));
const decode = createDecoder({ chains: [1, 56, 137, 31_337, 42_161] });

/** Mined transactions with logs, then pending ones. */
const lines: Buffer[] = [];
let temporary: TemporaryStore;
afterAll(() => temporary.remove());
beforeAll(async () => {
  temporary = await temporaryStore();
  for await (const line of readLines(RECORDING)) if (lines.push(Buffer.from(line)) === 300) break;
  const synthetic = createSynthetic({ seed: 5 });
  while (lines.length < 600) lines.push(Buffer.from(synthetic.next()));
});

const NONE: TransactionMarks = { tags: new Map(), scores: new Map() };

/** Valid until the next call. Every seventh line of the whole has a tag, every eleventh a score. */
function batch(from: number, to: number, partition = 3, isMarked = true): TransactionRows {
  const records = lines.slice(from, to).map((value, i) => ({ offset: from + i, time: 1_700_000_000_000 + i, content: CONTENT.json, value })); // biome-ignore format: one line
  const decoded = decode(packBatch("topic", partition, from, to, records));
  const risks = Uint32Array.from({ length: decoded.count }, (_, i) => from + i);
  const every = <T>(n: number, of: (line: number) => T): Map<number, T> =>
    new Map(records.flatMap(({ offset }, i) => (offset % n === 0 ? [[i, of(offset)] as const] : [])));
  const marks = isMarked ? { tags: every(7, (line) => [`tag ${line}`, "other"]), scores: every(11, (line) => line / 4) } : NONE; // biome-ignore format: one line
  return { ...decoded, risks, ...marks };
}

const isFew = (rows: readonly StoredRows[]): boolean => rows.length === 1 && "partition" in rows[0]!;

const joined = async (rows: readonly StoredRows[]): Promise<Buffer> => Buffer.concat((await joinRows(rows)).bodies);

test("frames of batches, joined, are the columns of the whole, byte for byte", async () => {
  const ends = [1, 13, 76, 140, 205, 290, 300, 310, 311, 360, 424, 489, 550, 600]; // of 1 to 85 rows
  const pieces = ends.map((end, i) => transactionRows(batch(ends[i - 1] ?? 0, end)));
  expect(new Set(pieces.slice(0, 7).map(isFew))).toEqual(new Set([true, false])); // some of the mined ones have much input
  expect(pieces.slice(7).map(isFew)).toEqual([true, true, true, true, false, true, true]);
  const whole = Buffer.concat(await mergeBlocks(encodeTransactions({ ...batch(0, 600), times: timesOf(ends) })));
  expect(Buffer.compare(await joined(pieces.flat()), whole)).toBe(0);
});

/** Times of records begin anew with each batch. */
const timesOf = (ends: readonly number[]): Float64Array =>
  Float64Array.from(ends.flatMap((end, i) => Array.from({ length: end - (ends[i - 1] ?? 0) }, (_, k) => 1_700_000_000_000 + k))); // biome-ignore format: one line

test("of several partitions each has its own, in the order they came", async () => {
  const parts = [1, 2, 1].map((partition, i) => [i * 20, i * 20 + 20, partition] as const);
  const columns = Buffer.concat(await mergeBlocks(parts.flatMap((part) => encodeTransactions(batch(...part)))));
  expect(Buffer.compare(await joined(parts.flatMap((part) => transactionRows(batch(...part)))), columns)).toBe(0);
});

test("a few that are large are columns at once, and none are nothing", () => {
  lines[0] = Buffer.from(
    lines
      .at(-1)!
      .toString()
      .replace(/"input":"0x/, `"input":"0x${"00".repeat(70_000)}`),
  );
  expect(isFew(transactionRows(batch(0, 2)))).toBe(false);
  expect(isFew(transactionRows(batch(1, 2)))).toBe(true);
  expect(transactionRows(batch(0, 0))).toEqual([]);
});

test("more tags and scores are those that columns would get", async () => {
  const more = { tags: new Map([[3, ["late"]], [7, ["tag 307", "late"]]]), scores: new Map([[8, 1], [9, 2]]) }; // biome-ignore format: one line
  for (const isMarked of [true, false]) {
    const rows = batch(301, 340, 3, isMarked);
    const had = { tags: rows.tags, scores: rows.scores };
    const columns = marked(encodeTransactions(rows), had, more);
    expect(Buffer.compare(await joined(marked(transactionRows(rows), had, more)), await joined(columns))).toBe(0);
    expect(Buffer.compare(await joined(columns), await joined(transactionRows(rows)))).not.toBe(0);
  }
});

test("what it was given can be joined again: an insert may fail", async () => {
  const rows = [batch(0, 10), batch(310, 320)].map((each) => transactionRows(each)[0]!);
  const once = await joined(rows);
  (await joinRows(rows)).free(); // what was made of them, not they
  expect(Buffer.compare(await joined(rows), once)).toBe(0);
});

test("columns in which no row has anything are not sent: the store has NULL there, or an empty array", async () => {
  const { store } = temporary;
  const columns = TRANSACTION_COLUMNS.map(({ name }) => name);
  const pending = encodeTransactions(batch(300, 600));
  const lacking = pending.map(({ without }) => without!.map((i) => columns[i]));
  expect(new Set(lacking.flat())).toEqual(new Set(lacking[0]));
  expect(lacking[0]).toEqual(expect.arrayContaining(["block_number", "block_miner", "status", "log_index", "log_topics"])); // biome-ignore format: one line
  const types = TRANSACTION_COLUMNS.map(({ type }) => type);
  const stored = async (rows: readonly StoredRows[], more: object) => {
    const { bodies } = await joinRows(rows);
    await store.command("TRUNCATE TABLE transactions");
    await store.insertBlock({ table: "transactions", columns, format: "Native", bodies, rows: 600, ...more });
    return store.rows<Record<string, unknown>>(`SELECT * REPLACE (hex(hash) AS hash, hex(from_address) AS from_address, hex(to_address) AS to_address, hex(input) AS input)
       FROM transactions WHERE offset >= 300 ORDER BY offset`); // biome-ignore format: one call
  };
  const mined = encodeTransactions(batch(0, 300));
  expect(mined.every(({ without }) => !without!.includes(columns.indexOf("block_number")))).toBe(true);
  const whole = await stored([...mined, ...pending], { types });
  expect(whole.length).toBe(300);
  expect(whole[0]).toMatchObject({ block_number: null, status: null, log_index: [], log_topics: [], access_keys: [] });
  expect(await stored(pending, { types })).toEqual(whole); // as a file
  expect(await stored(pending, {})).toEqual(whole); // as a request's body, as another server gets it
});
