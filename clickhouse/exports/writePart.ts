import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { NoFifo } from "../embedded/fifo.ts";
import { type ArrowWriting, exampleStream, makeExamples, makeHdf5 } from "./arrowFiles.ts";
import type { WrittenFile } from "./fileThread.ts";
import { type Compression, type Format, isWrapped } from "./formats.ts";
import { IN_ORDER } from "./partQuery.ts";
import { isPattern, storeWritten } from "./storeWritten.ts";

export interface PartWriting extends ArrowWriting {
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
}: Pick<PartWriting, "store" | "query" | "columns" | "format" | "compression">): Promise<[Readable, ...Transform[]]> {
  const settings = { ...IN_ORDER, ...format.settings(compression) };
  const source = await store.stream(query.sql, query.params, format.from, settings);
  if (format.encode) return [format.encode(source, columns), ...gzipOf(format, compression)];
  return [format.name === "tfrecord" ? await exampleStream(source) : source, ...gzipOf(format, compression)];
}

const gzipOf = (format: Format, compression: Compression): Transform[] =>
  isWrapped(format, compression) ? [createGzip()] : [];

/**
 * Writes the file under a temporary name, makes sure that it is on the disk, and renames it.
 * @throws what the store says; what the file system says, with its `code`; an AbortError
 */
export async function writePart(path: string, writing: PartWriting): Promise<WrittenFile> {
  const draft = resolve(`${path}.new`);
  const watch = setInterval(() => {
    stat(draft).then(
      ({ size }) => writing.onBytes?.(size),
      () => {}, // it is not there yet
    );
  }, 500);
  try {
    const written = await make(draft, writing);
    writing.failpoint?.("export file written");
    await rename(draft, path);
    return written;
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    clearInterval(watch);
  }
}

async function make(path: string, writing: PartWriting): Promise<WrittenFile> {
  const { store, format, compression } = writing;
  if (store.kind === "embedded" && isMadeAside(format, compression) && !isPattern(path))
    try {
      return await storeWritten(path, writing);
    } catch (error) {
      if (!(error instanceof NoFifo)) throw error; // as on a disk that knows only files
    }
  if (format.name === "hdf5") await makeHdf5(path, writing);
  else if (format.name === "tfrecord") await makeExamples(path, writing);
  else await pour(path, writing);
  return settle(path);
}

/** Files of an export that are made at a time: while one is brought to the disk and hashed, the store makes another. What this thread makes it makes alone. */
export const partsTogether = (format: Format, compression: Compression): number =>
  isMadeAside(format, compression) ? 2 : 1;

/** By the store, or a thread beside it, where that can be. */
const isMadeAside = (format: Format, compression: Compression): boolean =>
  format.name === "tfrecord"
    ? !isWrapped(format, compression)
    : format.from !== "ArrowStream" && format.encode === undefined;

async function pour(path: string, writing: PartWriting): Promise<void> {
  const { signal } = writing;
  await pipeline([...(await partStreams(writing)), createWriteStream(path)], signal ? { signal } : {});
}

/** Makes sure that a file is on the disk, and reads it back: nobody counts what it should have become, but everybody what it is. */
async function settle(path: string): Promise<WrittenFile> {
  const file = await open(path, "r+");
  try {
    await file.sync();
    const hash = createHash("sha256");
    const buffer = Buffer.allocUnsafe(1 << 20);
    for (let bytes = 0; ; ) {
      const { bytesRead } = await file.read(buffer);
      if (bytesRead === 0) return { bytes, sha256: hash.digest("hex") };
      hash.update(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
    }
  } finally {
    await file.close();
  }
}
