/**
 * Parts that the embedded store writes itself: it is on this machine, so no row passes a socket or two event loops. A part of 750 MB of CSV
 * takes 5.6 s of CPU so, hashed, and 10 as a stream.
 */
import type { Settings, Store } from "../client.ts";
import { wholeWrites } from "../embedded/wholeWrites.ts";
import { quoteText } from "../quote.ts";
import { isWrapped } from "./formats.ts";
import { IN_ORDER } from "./partQuery.ts";
import type { PartWriting } from "./writePart.ts";

/**
 * @param path absolute, without what `file()` takes for a pattern; what is there is replaced
 * @throws Error with code ENOSPC when the disk is full, EIO when it took not all for another reason; StoreUnavailable, StoreRefused; an AbortError
 */
export async function storeWritten(
  path: string,
  { store, query, format, compression, threads, signal }: PartWriting,
): Promise<void> {
  signal?.throwIfAborted();
  const around = isWrapped(format, compression) ? compression : "none";
  const into = `${intoFile(path)}, ${[format.from, "auto", around].map(quoteText).join(", ")})`;
  const settings = { ...IN_ORDER, ...WRITTEN_AS_READ, ...format.settings(compression), max_threads: threads };
  const kill = () => void stopWriting(store, path).catch(() => {}); // then it goes on to its end
  signal?.addEventListener("abort", kill, { once: true });
  const statement = `${into} ${query.sql} SETTINGS ${listed(settings)}`;
  try {
    await wholeWrites(store, path, () => store.command(statement, query.params, { patient: true }));
  } catch (error) {
    signal?.throwIfAborted(); // what the store says then is that it was killed
    throw error;
  } finally {
    signal?.removeEventListener("abort", kill);
  }
  signal?.throwIfAborted(); // it had not begun when it was to be killed
}

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
