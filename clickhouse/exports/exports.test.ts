import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { CompressionType, compressionRegistry, tableFromIPC } from "apache-arrow";
import { type Dataset, File, ready } from "h5wasm/node";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Exporter } from "../../engine/extensions/extension.ts";
import { loadExtensions } from "../../engine/extensions/load.ts";
import { UserError } from "../../engine/ops/errors.ts";
import { type TemporaryStore, temporaryStore } from "../../test/support/embeddedStore.ts";
import { customFormat } from "./customFormat.ts";
import { openFolder } from "./folder.ts";
import { addFormat } from "./formats.ts";
import { type Manifest, partName } from "./manifest.ts";
import { type ExportOptions, exportSpec } from "./request.ts";
import { type ExportResult, runExport } from "./runExport.ts";
import { readLz4Frame } from "./testing/lz4Frame.ts";
import { readExamples } from "./testing/readExamples.ts";
import { addSwaps, SWAP_VALUES, type SwapRows, type SwapValues, swapsOf } from "./testing/swapRows.ts";

let home: TemporaryStore;
let out: string;
beforeAll(async () => {
  home = await temporaryStore();
}); // a store's child, on a busy machine
afterAll(() => home.remove());
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), "weir-export-"));
  for (const table of ["swaps", "replaced_blocks", "chain_heads"]) await home.store.command(`TRUNCATE TABLE ${table}`);
});
afterEach(() => rm(out, { recursive: true, force: true }));

const ROWS: SwapRows = { partition: 0, offset: 100, count: 500, block: 20 };

async function exportSwaps(
  options: Partial<ExportOptions> = {},
  more: { signal?: AbortSignal } = {},
): Promise<ExportResult> {
  const spec = exportSpec({ dataset: "swaps", format: "ndjson", ...options });
  return runExport({ store: home.store, place: await openFolder(out), spec, ...more });
}

const files = async (): Promise<string[]> => (await readdir(out, { recursive: true })).sort();

/** The rows of NDJSON parts. */
async function rowsOf({ parts }: Manifest): Promise<Record<string, unknown>[]> {
  const texts = await Promise.all(parts.map(({ file }) => readFile(join(out, file), "utf8")));
  return texts.flatMap((text) =>
    text
      .trim()
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  );
}
const offsetsOf = async (manifest: Manifest): Promise<number[]> =>
  (await rowsOf(manifest)).map((row) => row.offset as number);

const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** What a reader gave, in the form of `swapsOf`. */
function normal(row: Record<string, unknown>): SwapValues {
  const time = row.event_time instanceof Date ? row.event_time.getTime() : row.event_time;
  const number = (value: unknown) => (value === null || value === "" ? null : Number(value));
  const list =
    typeof row.evidence === "string" ? (JSON.parse(row.evidence) as number[]) : [...(row.evidence as Iterable<number>)];
  return {
    ...(Object.fromEntries(SWAP_VALUES.map((name) => [name, row[name]])) as unknown as SwapValues),
    ...{ offset: Number(row.offset), block_number: Number(row.block_number), tick: number(row.tick), evidence: list },
    event_time: typeof time === "string" ? Date.parse(time) : Number(time),
    tx_to: row.tx_to === "" ? null : (row.tx_to as string | null),
  };
}

describe("every format is read back equal to the store's rows", () => {
  beforeEach(() => addSwaps(home.store, ROWS));

  async function whole(options: Partial<ExportOptions>): Promise<Buffer> {
    const { manifest } = await exportSwaps(options);
    const [part, ...others] = manifest!.parts;
    expect(others).toEqual([]);
    const bytes = await readFile(join(out, part!.file));
    expect({ bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex"), rows: ROWS.count }).toEqual(
      {
        ...{ bytes: part!.bytes, sha256: part!.sha256, rows: part!.rows },
      },
    );
    return bytes;
  }

  test.each(["none", "gzip"])("CSV, %s", async (compression) => {
    const bytes = await whole({ format: "csv", compression });
    const [head, ...rows] = parseCsv((compression === "gzip" ? gunzipSync(bytes) : bytes).toString("utf8"));
    const objects = rows.map((row) => Object.fromEntries(head!.map((name, i) => [name, row[i]])));
    expect(objects.map(normal)).toEqual(swapsOf(ROWS));
  });

  test.each(["none", "gzip"])("JSON, %s", async (compression) => {
    const bytes = await whole({ format: "json", compression });
    const text = (compression === "gzip" ? gunzipSync(bytes) : bytes).toString("utf8");
    expect((JSON.parse(text) as Record<string, unknown>[]).map(normal)).toEqual(swapsOf(ROWS));
  });

  test("NDJSON", async () => {
    const lines = (await whole({ format: "ndjson" })).toString("utf8").trim().split("\n");
    expect(lines.map((line) => normal(JSON.parse(line)))).toEqual(swapsOf(ROWS));
  });

  test.each(["zstd", "snappy", "gzip", "none"])("Parquet, %s", async (compression) => {
    const { manifest } = await exportSwaps({ format: "parquet", compression });
    const file = await asyncBufferFromFile(join(out, manifest!.parts[0]!.file));
    expect((await parquetReadObjects({ file, compressors })).map(normal)).toEqual(swapsOf(ROWS));
  });

  test.each(["lz4", "zstd", "none"])("Arrow, %s", async (compression) => {
    compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: readLz4Frame }); // the reader comes without
    compressionRegistry.set(CompressionType.ZSTD, { decode: (bytes) => compressors.ZSTD!(bytes, 0).slice() }); // aligned
    const table = tableFromIPC(await whole({ format: "arrow", compression }));
    expect(table.toArray().map((row) => normal({ ...row.toJSON() }))).toEqual(swapsOf(ROWS));
  });

  test.each(["none", "gzip"])("TFRecord, %s", async (compression) => {
    const bytes = await whole({ format: "tfrecord", compression });
    const examples = readExamples(compression === "gzip" ? gunzipSync(bytes) : bytes);
    expect(
      examples.map(({ event_time, ...row }) =>
        normal({ ...empty, ...row, evidence: [row.evidence ?? []].flat(), event_time: Number(event_time) / 1000 }),
      ),
    ).toEqual(swapsOf(ROWS));
  });
  const empty = { tx_to: null, tick: null }; // an Example knows no null

  test.each(["none", "gzip"])("HDF5, %s", async (compression) => {
    const { manifest } = await exportSwaps({ format: "hdf5", compression });
    await ready;
    const file = new File(join(out, manifest!.parts[0]!.file), "r");
    const read = (name: string) => (file.get(name) as Dataset).value as ArrayLike<unknown>;
    const columns = SWAP_VALUES.map((name) => [name, read(name)] as const);
    const nulls = { tx_to: read("null/tx_to"), tick: read("null/tick") };
    const rows = Array.from({ length: ROWS.count }, (_, i) =>
      Object.fromEntries(columns.map(([name, all]) => [name, all[i]])),
    );
    const orNull = (row: Record<string, unknown>, i: number) =>
      Object.fromEntries(Object.entries(nulls).map(([name, flags]) => [name, flags[i] ? null : row[name]]));
    const values = rows.map((row, i) =>
      normal({ ...row, ...orNull(row, i), event_time: Number(row.event_time) / 1000 }),
    );
    expect(values).toEqual(swapsOf(ROWS));
    expect((file.get("tick") as Dataset).attrs.description!.value).toBe("of the pool after the swap");
    file.close();
  });

  test.each(["csv", "tfrecord", "hdf5"])("%s where no FIFO can be made is the same", async (format) => {
    const columns = ["offset", "tx_hash", "tick", "evidence"]; // HDF5 has the time of its making in it
    const size = (await whole({ format, columns })).length;
    await rm(out, { recursive: true });
    const { PATH } = process.env;
    process.env.PATH = "";
    try {
      expect(await whole({ format, columns })).toHaveLength(size);
    } finally {
      process.env.PATH = PATH;
    }
  });

  test("columns stand in the order that is asked for, all of them in the table's", async () => {
    const columns = ["amount_in", "tx_hash", "block_status"];
    const [head] = parseCsv((await whole({ format: "csv", columns })).toString("utf8"));
    expect(head).toEqual(columns);
    const stored = await home.store.rows<{ name: string }>(
      "SELECT name FROM system.columns WHERE table = 'swaps' ORDER BY position",
    );
    await rm(out, { recursive: true });
    const [all] = parseCsv((await whole({ format: "csv" })).toString("utf8"));
    expect(all).toEqual([...stored.map(({ name }) => name), "block_status"]);
  });
});

describe("which rows", () => {
  test("chains, a period from its beginning on and before its end, a limit", async () => {
    await addSwaps(home.store, ROWS);
    await addSwaps(home.store, { ...ROWS, partition: 1, chain: 10 });
    const time = (block: number) => new Date(Date.UTC(2024, 0, 1) + 12_000 * block);
    const { manifest } = await exportSwaps({ chains: [10], from: time(30), to: time(40), limit: 42, partRows: 20 });
    expect(await offsetsOf(manifest!)).toEqual(upTo(200, 242));
    expect((await rowsOf(manifest!)).every((row) => row.chain_id === 10)).toBe(true);
  });

  test("rows with the same key have an order, too, whichever came first", async () => {
    await addSwaps(home.store, { ...ROWS, partition: 1 });
    const sent = vi.spyOn(home.store, "command");
    const columns = ["chain_id", "block_number", "log_index", "partition", "offset"];
    const statements = async (): Promise<number> => {
      sent.mockClear();
      const { manifest } = await exportSwaps({ format: "csv", columns, partRows: 100 });
      order = await Promise.all(manifest!.parts.map(({ file }) => readFile(join(out, file), "utf8")));
      await rm(out, { recursive: true });
      return sent.mock.calls.filter(([sql]) => sql.startsWith("INSERT")).length / manifest!.parts.length;
    };
    let order: string[] = [];
    expect(await statements()).toBe(1);
    await addSwaps(home.store, ROWS);
    expect(await statements()).toBeGreaterThan(1); // those of a file that has such rows are asked for twice
    const keys = order.flatMap((text) => text.trim().split("\n").slice(1)).map((line) => line.split(",").map(Number));
    expect(keys).toHaveLength(1_000);
    expect(keys).toEqual(
      keys.toSorted((a, b) => a.map((key, i) => key - b[i]!).find((difference) => difference !== 0)!),
    );
    sent.mockRestore();
  });

  test("files have as many rows as asked for, in the order of the table, over several chains", async () => {
    await addSwaps(home.store, ROWS);
    await addSwaps(home.store, { ...ROWS, partition: 1, chain: 10 });
    const { manifest } = await exportSwaps({ partRows: 150 });
    expect(manifest!.parts.map(({ rows }) => rows)).toEqual([150, 150, 150, 150, 150, 150, 100]);
    expect(await offsetsOf(manifest!)).toEqual([...upTo(100, 600), ...upTo(100, 600)]);
  });

  test.each([
    ["chain_id", ["chain_id=1", "chain_id=10"]],
    ["date", ["date=2024-01-01", "date=2024-01-02"]],
    ["hour", ["hour=2024-01-01T23", "hour=2024-01-02T00"]],
    ["month", ["month=2024-01"]],
  ])("a folder for each %s, together all rows", async (partitionBy, folders) => {
    await addSwaps(home.store, { ...ROWS, block: 7_190 }); // 12 s each: ten blocks before midnight
    await addSwaps(home.store, { ...ROWS, block: 7_190, partition: 1, chain: 10 });
    const { manifest } = await exportSwaps({ partitionBy });
    expect([...new Set(manifest!.parts.map(({ file }) => file.split("/")[0]))]).toEqual(folders);
    expect((await offsetsOf(manifest!)).sort((a, b) => a - b)).toEqual(upTo(200, 1200).map((i) => Math.floor(i / 2)));
  });

  test("blocks that were replaced have not happened", async () => {
    await addSwaps(home.store, ROWS);
    await home.store.command(
      `INSERT INTO replaced_blocks SELECT 1, 21, block_hash, 1, 5 FROM swaps WHERE block_number = 21 LIMIT 1`,
    );
    const { manifest } = await exportSwaps();
    expect(await offsetsOf(manifest!)).toEqual([...upTo(100, 110), ...upTo(120, 600)]);
  });

  test("no rows are a manifest without parts", async () => {
    expect((await exportSwaps()).manifest).toMatchObject({ rows: 0, parts: [] });
    expect(await files()).toEqual(["swaps-000001.manifest.json"]);
  });
});

describe("since the last export", () => {
  const incremental = { incremental: true };

  test("each row is exported once: new ones, those that come late, those of new partitions", async () => {
    await addSwaps(home.store, ROWS);
    expect(await offsetsOf((await exportSwaps(incremental)).manifest!)).toEqual(upTo(100, 600));
    expect(await exportSwaps(incremental)).toEqual({ manifest: undefined, resumed: 0 });
    await addSwaps(home.store, { partition: 0, offset: 600, count: 10, block: 1 }); // late: of a block long ago
    await addSwaps(home.store, { partition: 1, offset: 0, count: 10, block: 500 });
    const second = (await exportSwaps(incremental)).manifest!;
    expect(await offsetsOf(second)).toEqual([...upTo(600, 610), ...upTo(0, 10)]);
    expect(second.number).toBe(2);
    expect((await exportSwaps(incremental)).manifest).toBeUndefined();
    expect((await files()).filter((name) => name.startsWith("."))).toEqual([]);
  });

  test("each source has offsets of its own, in partitions of the same number", async () => {
    await addSwaps(home.store, ROWS);
    await addSwaps(home.store, { partition: 0, offset: 0, count: 10, block: 500, source: "another" });
    expect(await offsetsOf((await exportSwaps(incremental)).manifest!)).toEqual([...upTo(100, 600), ...upTo(0, 10)]);
    await addSwaps(home.store, { partition: 0, offset: 10, count: 10, block: 600, source: "another" });
    expect(await offsetsOf((await exportSwaps(incremental)).manifest!)).toEqual(upTo(10, 20));
  });

  test("it ends before what a chain could still replace, and goes on there once that is final", async () => {
    await addSwaps(home.store, ROWS); // blocks 20 to 69
    await home.store.command("INSERT INTO chain_heads VALUES (1, 69, '', 49, 1)");
    expect(await offsetsOf((await exportSwaps(incremental)).manifest!)).toEqual(upTo(100, 400));
    await home.store.command("INSERT INTO chain_heads VALUES (1, 80, '', 60, 2)");
    await home.store.command(
      `INSERT INTO replaced_blocks SELECT 1, 52, block_hash, 1, 5 FROM swaps WHERE block_number = 52 LIMIT 1`,
    );
    expect(await offsetsOf((await exportSwaps(incremental)).manifest!)).toEqual([...upTo(400, 420), ...upTo(430, 510)]);
  });

  test("the place must be one that was exported to with the same options, and only incrementally", async () => {
    await addSwaps(home.store, ROWS);
    await exportSwaps(incremental);
    await expect(exportSwaps({ incremental: true, chains: [1] })).rejects.toThrow("were made with other options");
    await expect(exportSwaps()).rejects.toThrow("export 1 of it is there already");
  });
});

describe("an export that is interrupted", () => {
  const partRows = 100;

  test("has nothing under a final name, and the same call goes on with the first part that is missing", async () => {
    await addSwaps(home.store, ROWS);
    const stop = new AbortController();
    const spec = exportSpec({ dataset: "swaps", format: "csv", partRows });
    const place = await openFolder(out);
    const stopping = runExport({
      ...{ store: home.store, place, spec, signal: stop.signal },
      onProgress: ({ parts, bytes }) => void (parts === 2 && bytes > 0 && stop.abort()),
    });
    await expect(stopping).rejects.toThrow(/abort/i);
    expect((await readdir(out)).filter((name) => !name.startsWith("."))).toEqual([]);
    await addSwaps(home.store, { partition: 0, offset: 600, count: 10, block: 30 }); // is not of this export
    await expect(exportSwaps({ partRows })).rejects.toThrow("another export of it is unfinished there");
    const { manifest, resumed } = await runExport({ store: home.store, place, spec });
    expect({ resumed, rows: manifest!.rows, parts: manifest!.parts.length }).toEqual({
      resumed: 2,
      rows: 500,
      parts: 5,
    });
    const texts = await Promise.all(manifest!.parts.map(({ file }) => readFile(join(out, file), "utf8")));
    expect(
      texts.flatMap((text) =>
        parseCsv(text)
          .slice(1)
          .map((row) => Number(row[2])),
      ),
    ).toEqual(upTo(100, 600));
    expect(existsSync(place.staging("swaps"))).toBe(false);
  });

  test("by a disk that is full says so, and goes on once there is room", async () => {
    await addSwaps(home.store, ROWS);
    const place = await openFolder(out);
    const spec = exportSpec({ dataset: "swaps", format: "parquet", partRows });
    await mkdir(place.staging("swaps"));
    await symlink("/dev/full", join(place.staging("swaps"), `${partName("swaps", 1, 4, "", "parquet")}.new`));
    await expect(runExport({ store: home.store, place, spec })).rejects.toThrow("the disk is full, expected room");
    expect((await readdir(out)).filter((name) => !name.startsWith("."))).toEqual([]);
    const { manifest, resumed } = await runExport({ store: home.store, place, spec });
    expect(manifest!.rows).toBe(500);
    expect([1, 2, 3, 4]).toContain(resumed); // the last of five begins once the first is done
  });

  test("while its files were given their names is finished by the same call", async () => {
    await addSwaps(home.store, ROWS);
    const folder = await openFolder(out);
    const spec = exportSpec({ dataset: "swaps", format: "ndjson", partRows });
    const place: typeof folder = {
      ...folder,
      async publish(parts, staging, manifest) {
        await folder.publish(parts.slice(0, 2), staging, { ...manifest, name: "unfinished" });
        throw new Error("killed");
      },
    };
    await expect(runExport({ store: home.store, place, spec })).rejects.toThrow("killed");
    const { manifest } = await runExport({ store: home.store, place: folder, spec });
    expect(await offsetsOf(manifest!)).toEqual(upTo(100, 600));
  });
});

describe("what cannot be exported is refused with a remedy", () => {
  test.each([
    [{ dataset: "swap" }, 'Cannot export "swap": there is no such dataset'],
    [{ format: "xlsx" }, 'Cannot export the format "xlsx": it is not known, expected one of csv, parquet'],
    [{ format: "csv", compression: "zstd" }, 'Cannot export csv compressed with "zstd"'],
    [{ partitionBy: "year" }, 'Cannot export files partitioned by "year"'],
    [{ limit: 1e13 }, 'Cannot export with limit "10000000000000": it is out of range'],
    [{ limit: 0 }, 'Cannot export with limit "0"'],
    [{ partRows: 0.5 }, 'Cannot export with part_rows "0.5"'],
    [{ columns: [] }, 'Cannot export "0" columns'],
    [{ from: new Date(2), to: new Date(1) }, "the range is empty"],
    [{ incremental: true, limit: 5 }, "Cannot export a limit of what is new"],
  ])("%j", (options, message) => {
    expect(() => exportSpec({ dataset: "swaps", format: "ndjson", ...options })).toThrow(message);
  });

  test.each([
    [{ columns: ["tx_hsah"] }, 'Cannot export column "tx_hsah" of swaps: there is no such column'],
    [{ columns: ["tick", "tick"] }, 'Cannot export column "tick" of swaps: it is asked for twice'],
  ])("%j", async (options, message) => {
    await expect(exportSwaps(options)).rejects.toThrow(message);
    expect(await files()).not.toContain("swaps-000001.manifest.json");
  });

  test("a folder that is a file", async () => {
    await writeFile(join(out, "taken"), "");
    await expect(openFolder(join(out, "taken"))).rejects.toThrow("it is a file, expected a folder");
    await expect(openFolder(join(out, "taken", "below"))).rejects.toThrow("a part of the path is a file");
  });
});

/** RFC 4180, by hand: another reader than the writer. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (let at = 0; at < text.length; ) {
    let value = "";
    if (text[at] === '"') {
      for (at++; text[at] !== '"' || text[at + 1] === '"'; at++) {
        value += text[at];
        if (text[at] === '"') at++;
      }
      at++;
    } else {
      while (at < text.length && text[at] !== "," && text[at] !== "\n") value += text[at++];
    }
    rows.at(-1)!.push(value);
    if (text[at] === "\n" && at + 1 < text.length) rows.push([]);
    at++;
  }
  return rows;
}

describe("an exporter of one's own", () => {
  const exporter = (name: string, write: Exporter["write"]): Exporter => ({ kind: "exporter", name, extension: "txt", write }); // biome-ignore format: one line
  const exportWith = (each: Exporter, options: Partial<ExportOptions> = {}) => {
    addFormat(customFormat(each));
    return exportSwaps({ format: each.name, ...options });
  };

  test("makes the files of all rows; they are whole, named and listed as others are", async () => {
    await addSwaps(home.store, ROWS);
    const options = { columns: ["offset", "protocol", "amount_in"], partRows: 300, compression: "gzip" };
    const example = fileURLToPath(new URL("../../engine/extensions/examples/markdown.mjs", import.meta.url));
    const [markdown] = (await loadExtensions({ extensions: [example] })).exporters;
    const { manifest } = await exportWith(markdown!, options);
    expect(manifest).toMatchObject({ rows: 500, parts: [{ file: "swaps-000001-00001.md.gz" }, {}] });
    const texts = await Promise.all(manifest!.parts.map(async ({ file }) => gunzipSync(await readFile(join(out, file))).toString())); // biome-ignore format: one line
    const rows = texts.flatMap((text) => text.trimEnd().split("\n").slice(2));
    expect(texts[0]!.startsWith("| offset | protocol | amount_in |\n| --- | --- | --- |\n| 100 | ")).toBe(true);
    expect(rows.map((row) => Number(row.split(" | ")[0]!.slice(2)))).toEqual(upTo(100, 600));
  });

  test("is given pages of rows with whole numbers as text, and the columns of a file without rows", async () => {
    await addSwaps(home.store, { ...ROWS, count: 1_200 });
    const seen: unknown[] = [];
    await exportWith(
      exporter("pages", async function* (pages, { columns }) {
        for await (const page of pages) seen.push(page.length);
        yield columns.map(({ name, type }) => `${name} ${type}`).join();
      }),
      { columns: ["offset"] },
    );
    expect(seen).toEqual([1_000, 200]);
    expect(await readFile(join(out, "swaps-000001-00001.txt"), "utf8")).toBe("offset UInt64");
  });

  test.each<[string, Exporter["write"], string]>([
    ["throws", async function* () { yield "a"; throw new Error("no more"); }, "no more"],
    ["gives what is no bytes", async function* (pages) { for await (const page of pages) yield page as never; }, "it gave a object, expected text or bytes"],
    ["ends before the last page", async function* () { yield "a"; }, "it ended before it had taken all pages"],
    ["is no generator", (() => undefined) as never, "not"],
  ])("that %s is an error that names it, and leaves no file", async (what, write, message) => {
    await addSwaps(home.store, ROWS);
    const name = `that-${what.replaceAll(" ", "-")}`;
    const error = await exportWith(exporter(name, write)).catch((error: Error) => error);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(new RegExp(`^Cannot export with "${name}": .*${message}`));
    expect((await files()).filter((file) => !file.startsWith(".weir-swaps"))).toEqual([]);
    expect((await files()).filter((file) => file.endsWith(".txt"))).toEqual([]);
  }); // biome-ignore format: a line each

  test("of a name that is taken is refused", () => {
    expect(() => addFormat(customFormat(exporter("csv", async function* () {})))).toThrow('Cannot add the format "csv": there is one of this name'); // biome-ignore format: one line
  });
});
