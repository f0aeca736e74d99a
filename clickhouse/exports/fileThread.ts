/**
 * The thread that makes files of what comes through FIFOs, one after the other, hashed on the way. They go past the page cache where the file system can (O_DIRECT):
 * gigabytes that nobody reads soon would take the place of what others read there, and pages that a virtual machine must first ask its host for
 * cost as much as making the rows in them.
 */
import { createHash } from "node:crypto";
import { constants, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { parentPort } from "node:worker_threads";
import { type CsvColumn, csvRows } from "./csv/csvRows.ts";

export interface FileThreadOptions {
  /** To be read up to its end, which others see to. */
  readonly fd: number;
  /** Of the file; what is there is replaced. */
  readonly path: string;
  /** What the file is made of; without it what comes is the file. */
  readonly made?: Made | undefined;
}

/** So many rows come as an Arrow stream and become records of TFRecord, or in Native and become CSV. */
export type Made =
  | { readonly into: "tfrecord"; readonly rows: number }
  | { readonly into: "csv"; readonly rows: number; readonly columns: readonly CsvColumn[]; readonly byKey?: boolean };

export interface WrittenFile {
  readonly bytes: number;
  /** hex */
  readonly sha256: string;
}

/** Errors lose their code on the way between threads. */
export type FileThreadAnswer = WrittenFile | { readonly code: string | undefined; readonly message: string };

/** Bytes that are written at a time. */
const CHUNK = 1 << 20;
/** So many at once, while the next one is made: a disk that takes a moment longer for one of them holds nobody up. With two, a tenth of both cores had nothing to do. */
const CHUNKS = 4;
/** What O_DIRECT counts in, as the disk does or a multiple of that. */
const BLOCK = 4096;
const WASM_PAGE = 65_536;
/** Bytes of an Arrow stream that are taken at a time. */
const PIECE = 65_536;

async function writeFile(options: FileThreadOptions): Promise<WrittenFile> {
  const { fd, made } = options;
  const fill = made === undefined ? bytesFrom(fd) : piecesFrom(piecesOf(options, made));
  const file = await openDirect(options.path);
  try {
    const hash = createHash("sha256");
    // O_DIRECT takes whole pages of memory: a Buffer's begins anywhere.
    const { buffer } = new WebAssembly.Memory({ initial: (CHUNKS * CHUNK) / WASM_PAGE });
    const writing = Array.from({ length: CHUNKS }, () => Promise.resolve());
    let bytes = 0;
    for (let i = 0, length = CHUNK; length === CHUNK; i = (i + 1) % CHUNKS) {
      await writing[i];
      const chunk = Buffer.from(buffer, i * CHUNK, CHUNK);
      length = await fill(chunk);
      hash.update(chunk.subarray(0, length));
      writing[i] = writeAll(file, chunk.subarray(0, Math.ceil(length / BLOCK) * BLOCK), bytes);
      writing[i].catch(() => {}); // told when its turn comes
      bytes += length;
    }
    await Promise.all(writing);
    await file.truncate(bytes);
    await file.sync();
    return { bytes, sha256: hash.digest("hex") };
  } finally {
    await file.close();
  }
}

async function openDirect(path: string): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;
  try {
    return await open(path, flags | constants.O_DIRECT);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error; // a file system that knows no O_DIRECT
    return open(path, flags);
  }
}

/** Fills a chunk, and says how far: not to its end where there is no more. */
type Fill = (chunk: Buffer) => number | Promise<number>;

const bytesFrom =
  (fd: number): Fill =>
  (chunk) => {
    let length = 0;
    for (let read = 1; read > 0 && length < chunk.length; length += read)
      read = readSync(fd, chunk, length, chunk.length - length, null);
    return length;
  };

/** @param pieces each done with before the next is asked for */
function piecesFrom(pieces: AsyncIterator<Uint8Array> | Iterator<Uint8Array>): Fill {
  let rest: Uint8Array = new Uint8Array();
  return async (chunk) => {
    let length = 0;
    while (length < chunk.length) {
      if (rest.length === 0) {
        const { done, value } = await pieces.next();
        if (done) break;
        rest = value;
      }
      const part = rest.subarray(0, chunk.length - length);
      chunk.set(part, length);
      length += part.length;
      rest = rest.subarray(part.length);
    }
    return length;
  };
}

/** @throws Error when other than `rows` rows come */
const piecesOf = (options: FileThreadOptions, made: Made): AsyncIterator<Uint8Array> | Iterator<Uint8Array> =>
  made.into === "tfrecord"
    ? examplesFrom(options, made.rows)
    : csvRows(made.columns, made.rows, (room) => readSync(options.fd, room), made.byKey);

async function* examplesFrom({ fd, path }: FileThreadOptions, rows: number): AsyncGenerator<Uint8Array, void, void> {
  const { arrowBatches, counted } = await import("./arrowColumns.ts");
  const { examplesOf, reused } = await import("./tfrecord.ts");
  yield* examplesOf(counted(path, rows, arrowBatches(reads(fd))), reused());
}

/** What comes, as it comes. */
async function* reads(fd: number): AsyncGenerator<Uint8Array, void, void> {
  for (;;) {
    const chunk = Buffer.allocUnsafeSlow(PIECE); // another each time: columns are views of it
    const length = readSync(fd, chunk);
    if (length === 0) return;
    yield chunk.subarray(0, length);
  }
}

/** A disk that has room for some of it takes that, and says that it is full when it is asked again. */
async function writeAll(file: FileHandle, chunk: Buffer, at: number): Promise<void> {
  for (let from = 0; from < chunk.length; )
    from += (await file.write(chunk, from, chunk.length - from, at + from)).bytesWritten;
}

parentPort!.on("message", async (options: FileThreadOptions) => {
  const answer: FileThreadAnswer = await writeFile(options).catch(({ code, message }: NodeJS.ErrnoException) => ({
    ...{ code, message },
  }));
  parentPort!.postMessage(answer);
});
