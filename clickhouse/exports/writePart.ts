import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Failpoint } from "../../engine/ops/failpoint.ts";
import type { Store } from "../client.ts";
import { quoteName } from "../quote.ts";
import type { StoredColumn } from "./columns.ts";
import { type Compression, type Format, isWrapped } from "./formats.ts";
import type { Hdf5Column } from "./hdf5.ts";
import { IN_ORDER, type PartQuery } from "./partQuery.ts";
import { UNHURRIED } from "./plan.ts";
import { storeWritten } from "./storeWritten.ts";

export interface PartWriting {
  readonly store: Store;
  readonly query: PartQuery;
  readonly columns: readonly StoredColumn[];
  /** That the query gives. */
  readonly rows: number;
  readonly format: Format;
  readonly compression: Compression;
  /** That the store may use for it, where it writes the file itself. */
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
  readonly failpoint?: Failpoint | undefined;
  /** Bytes of the file so far. */
  onBytes?(bytes: number): void;
}

/** The result of a query as the bytes of a file, as they come; memory stays flat. */
export async function partStreams({
  store,
  query,
  columns,
  format,
  compression,
  failpoint,
}: Pick<PartWriting, "store" | "query" | "columns" | "format" | "compression" | "failpoint">): Promise<
  [Readable, ...Transform[]]
> {
  const settings = { ...IN_ORDER, ...format.settings(compression) };
  const source = await store.stream(query.sql, query.params, format.from, settings);
  if (format.encode) return [format.encode(source, columns), ...gzipOf(format, compression)];
  return [format.name === "tfrecord" ? await examplesOf(source, failpoint) : source, ...gzipOf(format, compression)];
}

const gzipOf = (format: Format, compression: Compression): Transform[] =>
  isWrapped(format, compression) ? [createGzip()] : [];

async function examplesOf(source: Readable, failpoint?: Failpoint): Promise<Readable> {
  const { encodeExamples } = await import("./tfrecord.ts");
  async function* records() {
    for await (const batch of batchesOf(source, failpoint)) yield* encodeExamples(batch);
  }
  return Readable.from(records(), { objectMode: false });
}

async function* batchesOf(source: Readable, failpoint?: Failpoint) {
  const { arrowBatches } = await import("./arrowColumns.ts");
  for await (const batch of arrowBatches(source)) {
    yield batch;
    failpoint?.("export batch written");
  }
}

/**
 * Writes the file under a temporary name, makes sure that it is on the disk, and renames it.
 * @throws what the store says; what the file system says, with its `code`; an AbortError
 */
export async function writePart(path: string, writing: PartWriting): Promise<{ bytes: number; sha256: string }> {
  const draft = resolve(`${path}.new`);
  const watch = setInterval(() => {
    stat(draft).then(
      ({ size }) => writing.onBytes?.(size),
      () => {}, // it is not there yet
    );
  }, 500);
  try {
    await makerOf(draft, writing)(draft, writing);
    writing.failpoint?.("export file written");
    const written = await settle(draft);
    await rename(draft, path);
    return written;
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    clearInterval(watch);
  }
}

type Maker = (path: string, writing: PartWriting) => Promise<void>;

function makerOf(path: string, { store, format }: PartWriting): Maker {
  if (format.name === "hdf5") return makeHdf5;
  const isPattern = /[*?{}]|::/.test(path); // to file()
  return store.kind === "embedded" && !isMadeHere(format) && !isPattern ? storeWritten : pour;
}

/** Files of an export that are made at a time: while one is brought to the disk and hashed, the store makes another. We have one thread. */
export const partsTogether = (format: Format): number => (isMadeHere(format) ? 1 : 2);

const isMadeHere = ({ from, encode }: Format): boolean => from === "ArrowStream" || encode !== undefined;

const pour: Maker = async (path, writing) =>
  pipeline([...(await partStreams(writing)), createWriteStream(path)], signalOf(writing));

/** Not written from its beginning to its end. */
const makeHdf5: Maker = async (path, writing) => {
  const { store, query, compression, signal, failpoint } = writing;
  const { writeHdf5 } = await import("./hdf5.ts");
  const columns = await readWidths(store, query, writing.columns);
  const [source] = await partStreams(writing);
  signal?.addEventListener("abort", () => source.destroy(signal.reason), { once: true });
  await writeHdf5({ path, columns, rows: writing.rows, gzip: compression === "gzip" }, batchesOf(source, failpoint));
};

const signalOf = ({ signal }: PartWriting) => (signal ? { signal } : {});

/** Makes sure that a file is on the disk, and reads it back: nobody counts what it should have become, but everybody what it is. */
async function settle(path: string): Promise<{ bytes: number; sha256: string }> {
  const file = await open(path, "r+");
  try {
    await file.sync();
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 1 << 20 })) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
    return { bytes, sha256: hash.digest("hex") };
  } finally {
    await file.close();
  }
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
