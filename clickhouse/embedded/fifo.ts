/**
 * What a statement writes into a file, as a stream: the file is a FIFO. chDB's own stream formats chunk by chunk, so formats with a
 * header or a footer (Parquet, Arrow, CSVWithNames) would have to be held whole; through a FIFO they pass, 64 KiB at a time.
 */
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync } from "node:fs";
import { rm } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

/** Nothing was written. */
export class NoFifo extends Error {
  override readonly name = "NoFifo";
}

interface Writer {
  /** Where the FIFO is made; it is removed at the end. */
  readonly folder: string;
  /** Writes into the file of this path, and rejects with what went wrong. */
  write(path: string): Promise<unknown>;
  /** Ends the writing of this path: nobody reads on. ClickHouse would go on for nobody: it takes no notice of EPIPE. */
  stop(path: string): Promise<unknown>;
}

/**
 * Yields the bytes that `write` puts into a file, while it does. Leaving the loop stops it; the generator ends when `write` has.
 * @throws what `write` rejects with, also after chunks; NoFifo when there is no `mkfifo`, or the file system has none
 */
export async function* throughFifo({ folder, write, stop }: Writer): AsyncGenerator<Uint8Array, void, void> {
  const path = await makeFifo(folder);
  // Without O_NONBLOCK opening waits for a writer, which a statement that fails early never becomes. The end of the file is seen
  // only after a writer was there; so whoever leaves the loop, after a chunk, leaves behind a writer that has opened the file.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  let failure: { readonly error: unknown } | undefined;
  let writing = true;
  const end = write(path)
    .then(() => endOf(path))
    .catch((error: unknown) => {
      failure = { error };
      socket.destroy();
    })
    .finally(() => {
      writing = false;
    });
  let read = false;
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) yield chunk;
    read = true;
  } catch (error) {
    if (failure === undefined) throw error; // else it says only that the socket was destroyed
  } finally {
    if (!read && writing) await stop(path);
    await end;
    await rm(path, { force: true });
  }
  if (failure) throw failure.error;
}

/** @returns its path. @throws NoFifo when there is no `mkfifo`, or the file system has none */
export async function makeFifo(folder: string): Promise<string> {
  const path = join(folder, `fifo-${randomBytes(8).toString("hex")}`);
  await promisify(execFile)("mkfifo", ["-m", "600", path]).catch((error: Error) => {
    throw new NoFifo(`Cannot make a FIFO: ${error.message}, expected the program mkfifo of coreutils`);
  });
  return path;
}

/** fcntl's, of Linux. */
const F_SETPIPE_SZ = 1031;

/**
 * Has a FIFO hold a MiB where Perl is there, as in every Debian, and the user's pipes are not too many; else it holds what the kernel chose, 64 KiB,
 * and writer and reader wake each other 16 times as often. Node has no call for it.
 * @param fd an end of it
 */
export async function widenFifo(fd: number): Promise<void> {
  const perl = spawn("perl", ["-e", `fcntl(STDIN, ${F_SETPIPE_SZ}, ${1 << 20})`], { stdio: [fd, "ignore", "ignore"] });
  await new Promise<void>((resolve) => perl.once("error", () => resolve()).once("exit", () => resolve()));
}

/** Whoever still reads sees the end, even if nobody else has ever written. */
function endOf(path: string): void {
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENXIO") throw error; // nobody reads any more
  }
}
