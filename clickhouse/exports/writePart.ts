import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { Readable, Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Store } from "../client.ts";
import { quoteName } from "../quote.ts";
import type { StoredColumn } from "./columns.ts";
import { type Compression, type Format, isWrapped } from "./formats.ts";
import type { Hdf5Column } from "./hdf5.ts";
import { jsonArray } from "./jsonArray.ts";
import type { PartQuery } from "./partQuery.ts";
import { UNHURRIED } from "./plan.ts";

interface PartWriting {
  readonly store: Store;
  readonly query: PartQuery;
  readonly columns: readonly StoredColumn[];
  /** That the query gives. */
  readonly rows: number;
  readonly format: Format;
  readonly compression: Compression;
  readonly signal?: AbortSignal | undefined;
  /** Bytes of the file so far. */
  onBytes?(bytes: number): void;
}

/** The result of a query as the bytes of a file, as they come; memory stays flat. */
export async function partStreams({
  store,
  query,
  format,
  compression,
}: Pick<PartWriting, "store" | "query" | "format" | "compression">): Promise<[Readable, ...Transform[]]> {
  const settings = { ...UNHURRIED, ...format.settings(compression) };
  const source = await store.stream(query.sql, query.params, format.from, settings);
  const streams: [Readable, ...Transform[]] = [source];
  if (format.name === "json") streams.push(jsonArray());
  if (format.name === "tfrecord") return [await examplesOf(source), ...gzipOf(format, compression)];
  return [...streams, ...gzipOf(format, compression)];
}

const gzipOf = (format: Format, compression: Compression): Transform[] =>
  isWrapped(format, compression) ? [createGzip()] : [];

async function examplesOf(source: Readable): Promise<Readable> {
  const [{ arrowBatches }, { encodeExamples }] = await Promise.all([
    import("./arrowColumns.ts"),
    import("./tfrecord.ts"),
  ]);
  async function* records() {
    for await (const batch of arrowBatches(source)) yield Buffer.concat(encodeExamples(batch));
  }
  return Readable.from(records(), { objectMode: false });
}

/**
 * Writes the file under a temporary name, makes sure that it is on the disk, and renames it.
 * @throws what the store says; what the file system says, with its `code`; an AbortError
 */
export async function writePart(path: string, writing: PartWriting): Promise<{ bytes: number; sha256: string }> {
  const draft = `${path}.new`;
  try {
    const written = await (writing.format.name === "hdf5" ? makeFile : pourFile)(draft, writing);
    await sync(draft);
    await rename(draft, path);
    return written;
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function pourFile(path: string, writing: PartWriting) {
  const meter = createMeter(writing.onBytes);
  const streams = await partStreams(writing);
  await pipeline([...streams, meter.through, createWriteStream(path)], signalOf(writing));
  return meter.read();
}

/** Of a format that is not written from its beginning to its end. */
async function makeFile(path: string, writing: PartWriting) {
  const { store, query, compression, signal } = writing;
  const [{ arrowBatches }, { writeHdf5 }] = await Promise.all([import("./arrowColumns.ts"), import("./hdf5.ts")]);
  const columns = await readWidths(store, query, writing.columns);
  const [source] = await partStreams(writing);
  signal?.addEventListener("abort", () => source.destroy(signal.reason), { once: true });
  await writeHdf5({ path, columns, rows: writing.rows, gzip: compression === "gzip" }, arrowBatches(source));
  const meter = createMeter(writing.onBytes);
  await pipeline(createReadStream(path), meter.through, new Writable({ write: (_chunk, _encoding, done) => done() }));
  return meter.read();
}

const signalOf = ({ signal }: PartWriting) => (signal ? { signal } : {});

/** Counts and hashes what passes. */
function createMeter(onBytes: PartWriting["onBytes"]) {
  const hash = createHash("sha256");
  let bytes = 0;
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      onBytes?.(bytes);
      done(null, chunk);
    },
  });
  return { through, read: () => ({ bytes, sha256: hash.digest("hex") }) };
}

/** How wide texts are: of bytes in hex it follows from the type, of others it is asked. */
async function readWidths(
  store: Store,
  { sql, params }: PartQuery,
  columns: readonly StoredColumn[],
): Promise<Hdf5Column[]> {
  const types = await store.rows<{ name: string; type: string }>(`DESCRIBE TABLE (${sql})`, params);
  const asked = types.filter(({ type }, i) => /String/.test(type) && hexWidth(columns[i]!) === undefined);
  const widths = asked.map(({ name }) => `max(length(${quoteName(name)})) AS ${quoteName(name)}`);
  const [found] =
    asked.length === 0
      ? []
      : await store.rows<Record<string, string>>(`SELECT ${widths.join(", ")} FROM (${sql})`, params, UNHURRIED);
  return types.map(({ name, type }, i) => ({
    ...{ name, comment: columns[i]!.comment, isNullable: type.includes("Nullable(") },
    width: /String/.test(type) ? (hexWidth(columns[i]!) ?? Number(found![name])) : 0,
  }));
}

const hexWidth = ({ name, type }: StoredColumn): number | undefined => {
  const bytes = /^(?:Nullable\()?FixedString\((\d+)\)/.exec(type)?.[1];
  return bytes === undefined ? undefined : 2 * Number(bytes) + (name === "alert_id" ? 0 : 2);
};

async function sync(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
