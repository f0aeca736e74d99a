import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { Zstd } from "@hpcc-js/wasm-zstd";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MAX_RECORD_BYTES } from "../frame/schema.ts";
import { createRecordingSource, inspectRecording, readLines } from "./recording.ts";
import type { SourceRecord } from "./records.ts";
import { listOf } from "./testing/records.ts";

const zstd = await Zstd.load();
const PACKED = { "": Buffer.from, ".gz": gzipSync, ".zst": (text: Buffer) => zstd.compress(text) } as Record<
  string,
  (text: Buffer) => Uint8Array
>;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-recording-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function file(content: string | Uint8Array, name = "r.ndjson"): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function lines(path: string): Promise<string[]> {
  const all: string[] = [];
  for await (const line of readLines(path)) all.push(line.toString());
  return all;
}

interface Reading {
  readonly records: SourceRecord[];
  readonly done: Promise<void>;
  readonly source: ReturnType<typeof createRecordingSource>;
  stop(): void;
}

/** Runs the source as the pipeline does. */
async function read(
  path: string,
  { from = 0, onRecords = () => {} }: { from?: number; onRecords?: (all: Reading) => void } = {},
) {
  const controller = new AbortController();
  const records: SourceRecord[] = [];
  const source = createRecordingSource(await inspectRecording(path), "recording:x");
  const reading: Reading = {
    records,
    source,
    stop: () => controller.abort(),
    done: source.run(
      {
        assign: async () => new Map([[0, from]]),
        revoke: async () => {},
        lose: () => {},
        records(partition, more) {
          expect(partition).toBe(0);
          records.push(...listOf(more));
          onRecords(reading);
        },
      },
      controller.signal,
    ),
  };
  return reading;
}

const texts = (records: readonly SourceRecord[]): [number, string][] =>
  records.map(({ offset, value }) => [offset, Buffer.from(value!).toString()]);

describe("readLines()", () => {
  test.each([
    { what: "a final newline", text: "a\nb\n", expected: ["a", "b"] },
    { what: "none", text: "a\nb", expected: ["a", "b"] },
    { what: "blank lines", text: "\na\n\n \nb\n\n", expected: ["", "a", "", " ", "b", ""] },
    { what: "CRLF", text: "a\r\nb\r\n", expected: ["a\r", "b\r"] },
    { what: "nothing in it", text: "", expected: [] },
    { what: "only a newline", text: "\n", expected: [""] },
  ])("a file with $what, plain, .gz and .zst", async ({ text, expected }) => {
    for (const [ending, pack] of Object.entries(PACKED))
      expect(await lines(await file(pack(Buffer.from(text)), `r.ndjson${ending}`)), ending).toEqual(expected);
  });

  test("lines that lie across chunks of the file are whole", async () => {
    const all = Array.from({ length: 3_000 }, (_, i) => `${i}:`.padEnd(i % 211, "x"));
    for (const [ending, pack] of Object.entries(PACKED))
      expect(await lines(await file(pack(Buffer.from(all.join("\n"))), `r.ndjson${ending}`)), ending).toEqual(all);
  });

  test("of a line that is far over the limit only twice the limit is kept, and the next line is whole", async () => {
    const path = await file(`a\n${"x".repeat(3 * MAX_RECORD_BYTES)}\nb`);
    expect((await lines(path)).map((line) => line.length)).toEqual([1, 2 * MAX_RECORD_BYTES, 1]);
  });

  test.each([
    { what: "a .gz that is none", name: "r.gz", content: Buffer.from("plain text") },
    { what: "a .gz cut short", name: "r.gz", content: gzipSync(Buffer.from("line\n".repeat(1_000))).subarray(0, -12) },
    { what: "a .zst that is none", name: "r.zst", content: Buffer.from("plain text that is no zstd frame") },
    {
      what: "a .zst cut short",
      name: "r.zst",
      content: zstd.compress(Buffer.from("line\n".repeat(1_000))).subarray(0, -3),
    },
  ])("$what is refused, and nothing passes for the end", async ({ name, content }) => {
    const path = await file(content, name);
    await expect(lines(path)).rejects.toThrow(`Cannot read the recording "${path}"`);
    await expect(inspectRecording(path)).rejects.toThrow(`Cannot read the recording "${path}"`);
  });
});

describe("inspectRecording()", () => {
  test("knows the hash of the file as it is, and where its last line ends", async () => {
    for (const [ending, pack] of Object.entries(PACKED)) {
      const path = await file(pack(Buffer.from("a\n\nb\n \n\n")), `r.ndjson${ending}`);
      const sha256 = createHash("sha256")
        .update(await readFile(path))
        .digest("hex");
      expect(await inspectRecording(path)).toEqual({ path, sha256, lines: 3 });
    }
  });

  test("the hash of a file of many chunks is that of all of them", async () => {
    const content = Buffer.alloc(1_000_000, "0123456789abcde\n");
    const sha256 = createHash("sha256").update(content).digest("hex");
    expect(await inspectRecording(await file(content))).toMatchObject({ sha256, lines: 62_500 });
  });

  test("a missing file and a folder are refused", async () => {
    await expect(inspectRecording(join(folder, "no"))).rejects.toThrow("there is no such file");
    await expect(inspectRecording(folder)).rejects.toThrow("it is not a file");
  });
});

describe("the source", () => {
  test("delivers lines with their numbers, blank ones counted and left out", async () => {
    const { done, records } = await read(await file("a\n\n \t\r\nb\r\nc"));
    await done;
    expect(texts(records)).toEqual([
      [0, "a"],
      [3, "b\r"],
      [4, "c"],
    ]);
  });

  test.each([0, 1, 1_023, 1_024, 1_025, 2_999, 3_000, 4_000])("goes on at line %i", async (from) => {
    const path = await file(Array.from({ length: 3_000 }, (_, i) => `line ${i}`).join("\n"));
    const { done, records } = await read(path, { from });
    await done;
    expect(records.map(({ offset }) => offset)).toEqual(
      Array.from({ length: Math.max(0, 3_000 - from) }, (_, i) => from + i),
    );
    expect(texts(records.slice(0, 1))).toEqual(from < 3_000 ? [[from, `line ${from}`]] : []);
  });

  const long = async () => file(Array.from({ length: 10_000 }, (_, i) => `line ${i}`).join("\n"));

  test("delivers nothing while paused, and everything in the end", async () => {
    let calls = 0;
    const { done, records, source } = await read(await long(), {
      onRecords: ({ source }) => {
        if (++calls === 2) source.pause(0);
      },
    });
    while (calls < 2) await turn();
    for (let i = 0; i < 50; i++) await turn();
    expect(calls).toBe(2);
    source.resume(0);
    await done;
    expect(records.length).toBe(10_000);
  });

  test("ends when it is stopped, also while it is paused", async () => {
    for (const pause of [true, false]) {
      const { done, records, stop } = await read(await long(), {
        onRecords: ({ source }) => {
          if (pause) source.pause(0);
          else stop();
        },
      });
      while (records.length === 0) await turn();
      stop();
      await done;
      expect(records.length).toBeLessThan(10_000);
    }
  });
});
