/**
 * What the embedded store writes itself: it is on this machine, so no row passes a socket or two event loops. A part of 750 MB of CSV
 * takes 5.6 s of CPU so, hashed, and 10 as a stream.
 */
import { dirname } from "node:path";
import type { Settings, Store } from "../client.ts";
import { throughFifo } from "../embedded/fifo.ts";
import { wholeWrites } from "../embedded/wholeWrites.ts";
import { quoteText } from "../quote.ts";
import { type Compression, type Format, isWrapped } from "./formats.ts";
import { IN_ORDER, type PartQuery } from "./partQuery.ts";

/** Rows, and how they are to be written. */
export interface StoreWriting {
  readonly store: Store;
  readonly query: PartQuery;
  readonly format: Format;
  readonly compression: Compression;
  /** That the store may use for it. */
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * @param path absolute, without what `file()` takes for a pattern; what is there is replaced
 * @throws Error with code ENOSPC when the disk is full, EIO when it took not all for another reason; StoreUnavailable, StoreRefused; an AbortError
 */
export async function storeWritten(path: string, writing: StoreWriting): Promise<void> {
  const { store, format, compression, signal } = writing;
  signal?.throwIfAborted();
  const kill = () => void stopWriting(store, path).catch(() => {}); // then it goes on to its end
  signal?.addEventListener("abort", kill, { once: true });
  try {
    await wholeWrites(store, path, () => write(path, writing, isWrapped(format, compression) ? compression : "none"));
  } catch (error) {
    signal?.throwIfAborted(); // what the store says then is that it was killed
    throw error;
  } finally {
    signal?.removeEventListener("abort", kill);
  }
  signal?.throwIfAborted(); // it had not begun when it was to be killed
}

/**
 * The bytes that it would write, as they come, through a FIFO beside the path: half the CPU of a stream by HTTP. Who leaves the loop ends the writing.
 * @param path as that of storeWritten
 * @throws StoreUnavailable, StoreRefused, be it after some bytes; NoFifo before the first
 */
export const storeStreamed = (path: string, writing: StoreWriting): AsyncGenerator<Uint8Array, void, void> =>
  throughFifo({
    folder: dirname(path),
    write: (fifo) => write(fifo, writing, "none"),
    stop: (fifo) => stopWriting(writing.store, fifo),
  });

/** @param around compression of the file as a whole */
function write(
  path: string,
  { store, query, format, compression, threads }: StoreWriting,
  around: Compression,
): Promise<void> {
  const into = `${intoFile(path)}, ${[format.from, "auto", around].map(quoteText).join(", ")})`;
  const settings = { ...IN_ORDER, ...WRITTEN_AS_READ, ...format.settings(compression), max_threads: threads };
  return store.command(`${into} ${query.sql} SETTINGS ${listed(settings)}`, query.params, { patient: true });
}

/** Whether `file()` takes it for more than a path. */
export const isPattern = (path: string): boolean => /[*?{}]|::/.test(path);

const intoFile = (path: string): string => `INSERT INTO FUNCTION file(${quoteText(path)}`;

/** Blocks stay as they were read: gathered to an insert's million rows, they would need a gigabyte. */
const WRITTEN_AS_READ: Settings = {
  ...{ min_insert_block_size_rows: 0, min_insert_block_size_bytes: 0 },
  engine_file_truncate_on_insert: 1,
};

const listed = (settings: Settings): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} = ${quoteText(`${value}`)}`)
    .join(", ");

/** Ends what the embedded store still writes into files whose path begins so, be it for a process that was killed, and waits until it has. */
export const stopWriting = (store: Store, path: string): Promise<void> =>
  store.command(`KILL QUERY WHERE startsWith(query, ${quoteText(intoFile(path).slice(0, -1))}) SYNC`);
