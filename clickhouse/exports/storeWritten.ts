/**
 * What the embedded store writes itself, into a FIFO: it is on this machine, so no row passes a socket or two event loops. A part of 750 MB of
 * CSV took 2.4 s of CPU so, hashed and on the disk, and 10 as a stream; now the store gives its columns, and a thread of ours makes the rows (csv/csvRows.ts).
 */
import { dirname } from "node:path";
import type { Settings, Store } from "../client.ts";
import { throughFifo } from "../embedded/fifo.ts";
import { quoteText } from "../quote.ts";
import { SAME_KEYS } from "./csv/csvRows.ts";
import type { Made, WrittenFile } from "./fileThread.ts";
import { type Compression, type Format, isWrapped } from "./formats.ts";
import type { Lanes } from "./lanes.ts";
import { IN_ORDER, type PartQuery } from "./partQuery.ts";
import { writeAside } from "./writeAside.ts";

/** Rows, and how they are to be written. */
export interface StoreWriting {
  readonly store: Store;
  readonly query: PartQuery;
  /** That the query gives. */
  readonly rows: number;
  readonly format: Format;
  readonly compression: Compression;
  /** That the store may use for it. */
  readonly threads: number;
  readonly lanes: Lanes;
  readonly signal?: AbortSignal | undefined;
}

/**
 * @param path absolute, without what `file()` takes for a pattern; what is there is replaced
 * @throws what the file system says, with its `code`; StoreUnavailable, StoreRefused; NoFifo before there is a byte; an AbortError
 */
export async function storeWritten(path: string, writing: StoreWriting): Promise<WrittenFile> {
  const { format, compression, query, rows } = writing;
  const isWhole = !isWrapped(format, compression);
  const written = { sql: query.sql, from: format.from, around: isWhole ? "none" : compression } as const;
  if (format.name === "tfrecord") return writtenOnce(path, writing, written, { into: "tfrecord", rows });
  if (format.name !== "csv" || !isWhole) return writtenOnce(path, writing, written);
  const { sql, byKey, columns } = query.raw;
  const asCsv = (sql: string, byKey: boolean) =>
    writtenOnce(path, writing, { ...written, sql, from: "Native" }, { into: "csv", rows, columns, byKey });
  if (byKey === undefined) return asCsv(sql, false);
  try {
    return await asCsv(byKey, true);
  } catch (error) {
    if ((error as { code?: string }).code !== SAME_KEYS) throw error;
    return asCsv(sql, false);
  }
}

/** @param made what the thread is to make, where the store does not write the file as it is */
async function writtenOnce(path: string, writing: StoreWriting, asked: Asked, made?: Made): Promise<WrittenFile> {
  const { store, lanes, signal } = writing;
  try {
    const written = await writeAside(path, {
      lanes,
      write: (fifo) => write(fifo, writing, asked),
      stop: (fifo) => stopWriting(store, fifo),
      ...{ signal, made },
    });
    signal?.throwIfAborted(); // the store had not begun when it was to be stopped
    return written;
  } catch (error) {
    signal?.throwIfAborted(); // what the store says then is that it was killed
    throw error;
  }
}

/**
 * The bytes that it would write, as they come, through a FIFO beside the path: half the CPU of a stream by HTTP. Who leaves the loop ends the writing.
 * @param path as that of storeWritten
 * @throws StoreUnavailable, StoreRefused, be it after some bytes; NoFifo before the first
 */
export const storeStreamed = (path: string, writing: StoreWriting): AsyncGenerator<Uint8Array, void, void> =>
  throughFifo({
    folder: dirname(path),
    write: (fifo) => write(fifo, writing, { sql: writing.query.sql, from: writing.format.from, around: "none" }),
    stop: (fifo) => stopWriting(writing.store, fifo),
  });

interface Asked {
  readonly sql: string;
  /** ClickHouse's format. */
  readonly from: string;
  /** Compression of the file as a whole. */
  readonly around: Compression;
}

function write(
  path: string,
  { store, query, format, compression, threads }: StoreWriting,
  { sql, from, around }: Asked,
): Promise<void> {
  const into = `${intoFile(path)}, ${[from, "auto", around].map(quoteText).join(", ")})`;
  const settings = {
    ...{ ...IN_ORDER, ...WRITTEN_AS_READ, ...format.settings(compression), max_threads: threads },
    output_format_parallel_formatting: threads > 1 ? 1 : 0, // costs a tenth, and another file takes the other core
  };
  return store.command(`${into} ${sql} SETTINGS ${listed(settings)}`, query.params, { patient: true });
}

/** Whether `file()` takes it for more than a path. */
export const isPattern = (path: string): boolean => /[*?{}]|::/.test(path);

const intoFile = (path: string): string => `INSERT INTO FUNCTION file(${quoteText(path)}`;

/** Blocks stay as they were read: gathered to an insert's million rows, they would need a gigabyte. */
const WRITTEN_AS_READ: Settings = {
  min_insert_block_size_rows: 0,
  min_insert_block_size_bytes: 0,
};

const listed = (settings: Settings): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} = ${quoteText(`${value}`)}`)
    .join(", ");

/** Ends what the embedded store still writes into files whose path begins so, be it for a process that was killed, and waits until it has. */
export const stopWriting = (store: Store, path: string): Promise<void> =>
  store.command(`KILL QUERY WHERE startsWith(query, ${quoteText(intoFile(path).slice(0, -1))}) SYNC`);
