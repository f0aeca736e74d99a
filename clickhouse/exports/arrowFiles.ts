/** Files that we write ourselves, of what the store gives as an Arrow stream: TFRecord and HDF5. */
import { createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Failpoint } from "../../engine/ops/failpoint.ts";
import type { Store } from "../client.ts";
import { NoFifo } from "../embedded/fifo.ts";
import { quoteName } from "../quote.ts";
import type { ArrowBatch } from "./arrowColumns.ts";
import { isWrapped } from "./formats.ts";
import type { Hdf5Column } from "./hdf5.ts";
import { IN_ORDER, type PartQuery } from "./partQuery.ts";
import { UNHURRIED } from "./plan.ts";
import type { StoredColumn } from "./storedTable.ts";
import { isPattern, type StoreWriting, storeStreamed } from "./storeWritten.ts";

export interface ArrowWriting extends StoreWriting {
  readonly columns: readonly StoredColumn[];
  readonly failpoint?: Failpoint | undefined;
}

/** @throws as storeStreamed; Error when other than `rows` rows come; what the file system says; an AbortError */
export async function makeExamples(path: string, writing: ArrowWriting): Promise<void> {
  const { examplesOf, reused } = await import("./tfrecord.ts");
  const batches = batchesOf(path, writing);
  if (isWrapped(writing.format, writing.compression)) {
    const records = Readable.from(examplesOf(batches, Buffer.allocUnsafe), { objectMode: false });
    return pipeline(records, createGzip(), createWriteStream(path));
  }
  const file = await open(path, "w");
  try {
    for await (const piece of examplesOf(batches, reused())) await file.appendFile(piece);
  } finally {
    await file.close();
  }
}

/** Not written from its beginning to its end. */
export async function makeHdf5(path: string, writing: ArrowWriting): Promise<void> {
  const { writeHdf5 } = await import("./hdf5.ts");
  const { store, query, rows, compression } = writing;
  const columns = await readWidths(store, query, writing.columns);
  await writeHdf5({ path, columns, rows, gzip: compression === "gzip" }, batchesOf(path, writing));
}

/** The records of an Arrow stream. */
export async function exampleStream(source: Readable): Promise<Readable> {
  const { arrowBatches } = await import("./arrowColumns.ts");
  const { examplesOf } = await import("./tfrecord.ts");
  return Readable.from(examplesOf(arrowBatches(source), Buffer.allocUnsafe), { objectMode: false });
}

async function* batchesOf(path: string, writing: ArrowWriting): AsyncGenerator<ArrowBatch, void, void> {
  const { arrowBatches, counted } = await import("./arrowColumns.ts");
  const { rows, signal, failpoint } = writing;
  for await (const batch of counted(path, rows, arrowBatches(arrowOf(path, writing)))) {
    signal?.throwIfAborted();
    yield batch;
    failpoint?.("export batch written");
  }
}

async function* arrowOf(path: string, writing: StoreWriting): AsyncGenerator<Uint8Array, void, void> {
  const { store, query, format, compression } = writing;
  if (store.kind === "embedded" && !isPattern(path))
    try {
      return yield* storeStreamed(path, writing);
    } catch (error) {
      if (!(error instanceof NoFifo)) throw error; // as on a disk that knows only files
    }
  yield* await store.stream(query.sql, query.params, format.from, { ...IN_ORDER, ...format.settings(compression) });
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
