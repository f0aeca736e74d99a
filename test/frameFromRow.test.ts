/**
 * A row loses nothing: from the rows that a replay left, each frame is made again, bit for bit. And the columns say what the
 * rules said: SQL counts what the example rules alerted on.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Store } from "../clickhouse/client.ts";
import { FRAME_COLUMNS, type FrameRow, frameOfRow } from "../clickhouse/frameOfRow.ts";
import { countFindings } from "../clickhouse/queries/findings.ts";
import { createDetector } from "../engine/chain/detect.ts";
import { findingRecord } from "../engine/chain/findingJson.ts";
import { builtInRegistry } from "../engine/chain/registry/registry.ts";
import { BUNDLED_RECORDING } from "../engine/cli/bundled.ts";
import { recordingBlocks } from "../engine/cli/detect/recordingBlocks.ts";
import { CONTENT } from "../engine/frame/content.ts";
import { decodeRecord } from "../engine/frame/decodeRecord.ts";
import { lastError } from "../engine/frame/describeError.ts";
import { createFrameWriter } from "../engine/frame/frameWriter.ts";
import { transaction } from "../engine/frame/testing/records.ts";
import { readLines } from "../engine/source/recording.ts";
import { kindOf } from "../engine/worker/findings.ts";
import { type Counts, countRecording } from "./support/countRecording.ts";
import { type Databases, openDatabases } from "./support/databases.ts";
import { startWeir } from "./support/engineProcess.ts";

const MAINNET = fileURLToPath(new URL("../../shared/data/mainnet.ndjson.gz", import.meta.url));
const there = existsSync(MAINNET);
if (!there) console.warn(`Rows of mainnet transactions are not tested: "${MAINNET}" is not there`);

let databases: Databases;
beforeAll(async () => {
  databases = await openDatabases();
});
afterAll(() => databases?.close());

async function replayed(path: string): Promise<Store> {
  const { env, store } = await databases.newRun();
  const run = startWeir(["replay", path, "--json"], env);
  expect((await run.exited).code, run.log().slice(-3_000)).toBe(0);
  return store;
}

/** The frames of a recording's lines, without the engine, by line. */
async function framesOf(path: string): Promise<Map<number, Buffer>> {
  const frames = new Map<number, Buffer>();
  const writer = createFrameWriter();
  let line = 0;
  for await (const bytes of readLines(path)) {
    writer.reset();
    decodeRecord(bytes, 0, bytes.length, CONTENT.json, writer, () => {
      throw new Error(`line ${line}: ${lastError().message}`);
    });
    frames.set(line++, Buffer.from(writer.bytes.slice(0, writer.end)));
  }
  return frames;
}

/** Reads rows piece by piece and holds each frame against its line. @returns how many there were */
async function compare(store: Store, frames: ReadonlyMap<number, Buffer>): Promise<number> {
  const PIECE = 2_000;
  const writer = createFrameWriter();
  let rows = 0;
  for (let from = 0; from < frames.size; from += PIECE) {
    const piece = await store.rows<FrameRow & { place: string }>(
      `SELECT ${FRAME_COLUMNS}, toString(t.offset) AS place FROM transactions AS t
       WHERE t.offset >= {from:UInt64} AND t.offset < {to:UInt64}`,
      { from, to: from + PIECE },
    );
    for (const row of piece) {
      writer.reset();
      frameOfRow(writer, row);
      const made = Buffer.from(writer.bytes.buffer, 0, writer.end);
      const expected = frames.get(Number(row.place))!;
      if (!made.equals(expected))
        expect(made.toString("hex"), `frame of line ${row.place}`).toBe(expected.toString("hex"));
      rows++;
    }
  }
  return rows;
}

describe("a frame is made again from its row, bit for bit", () => {
  test("of the bundled recording", async () => {
    const frames = await framesOf(BUNDLED_RECORDING);
    expect(await compare(await replayed(BUNDLED_RECORDING), frames)).toBe(frames.size);
  });

  test("of any transaction: access lists, unknown members, creations, pending ones, largest numbers", async () => {
    const seed = Number(process.env.SEED ?? 2026);
    const lines = fc
      .sample(transaction, { numRuns: 3_000, seed })
      .map((record, i) => JSON.stringify({ ...record, chainId: [1, 10, 56][i % 3] }));
    const { data } = await databases.newRun();
    const path = `${data}-synthetic.ndjson`;
    await writeFile(path, `${lines.join("\n")}\n`);
    const frames = await framesOf(path);
    const store = await replayed(path);
    expect(await compare(store, frames)).toBe(frames.size);
    const [kinds] = await store.rows<Record<string, number>>(
      `SELECT toFloat64(countIf(length(access_address) > 1)) AS access, toFloat64(countIf(extra != '')) AS extra,
         toFloat64(countIf(to_address IS NULL)) AS creations, toFloat64(countIf(block_number IS NULL)) AS pending,
         toFloat64(countIf(length(log_index) > 1)) AS logs FROM transactions`,
    );
    for (const [kind, count] of Object.entries(kinds!)) expect(count, kind).toBeGreaterThan(100);
  });
});

describe.skipIf(!there)("mainnet transactions", () => {
  let store: Store;
  let expected: Counts;
  beforeAll(async () => {
    store = await replayed(MAINNET);
    expected = countRecording(MAINNET);
  });

  test("all of them are stored, and each frame is made again from its row", async () => {
    const frames = await framesOf(MAINNET);
    expect(frames.size).toBe(11_850);
    expect(await compare(store, frames)).toBe(frames.size);
  });

  test("what was found in them is what weir detect finds", async () => {
    const detect = createDetector({ registry: builtInRegistry });
    const kinds: Record<string, number> = {};
    const swaps: string[] = [];
    const onBroken = (line: number, reason: string) => expect.fail(`line ${line}: ${reason}`);
    for await (const view of recordingBlocks(MAINNET, { onBroken })) {
      for (const finding of detect(view)) {
        kinds[kindOf(finding)] = (kinds[kindOf(finding)] ?? 0) + 1;
        if (finding.kind !== "swap") continue;
        const { tx_hash, log_index, pool, token_in, amount_in, token_out, amount_out } = findingRecord(view, finding);
        swaps.push([tx_hash, log_index, pool, token_in, amount_in, token_out, amount_out].join(" "));
      }
    }
    const [{ source }] = (await store.rows<{ source: string }>("SELECT any(source) AS source FROM transactions")) as [
      { source: string },
    ];
    // opportunities are what nobody has done yet: test/opportunity.test.ts
    const { pool_imbalance: _, pending_backrun: __, ...done } = await countFindings(store, [source]);
    expect(done).toEqual(kinds);
    const hex = (column: string): string => `'0x' || lower(hex(${column}))`;
    const stored = await store.rows<{ swap: string }>(
      `SELECT concatWithSeparator(' ', ${hex("tx_hash")}, log_index, ${hex("pool")}, ${hex("token_in")}, toString(amount_in),
         ${hex("token_out")}, toString(amount_out)) AS swap FROM swaps`,
    );
    expect(stored.map(({ swap }) => swap).sort()).toEqual(swaps.sort());
  });

  const queries = new URL("../clickhouse/queries/examples/", import.meta.url);
  test.each(readdirSync(queries).map((file) => file.replace(".sql", "")))(
    "%s: SQL counts what the rule alerted on",
    async (rule) => {
      const sql = readFileSync(new URL(`${rule}.sql`, queries), "utf8");
      const [counted] = await store.rows<{ alerts: string }>(sql);
      const [raised] = await store.rows<{ alerts: string }>(
        "SELECT count() AS alerts FROM alerts WHERE rule = {rule:String}",
        { rule },
      );
      expect(Number(raised!.alerts)).toBeGreaterThan(0);
      expect(raised).toEqual(counted);
      expect(Number(raised!.alerts)).toBe(expected.alerts[rule]);
    },
  );
});
