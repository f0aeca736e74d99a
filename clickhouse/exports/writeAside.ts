/** A file of what somebody writes into a FIFO, made in a thread of its own (fileThread.ts): this one stays free for others. */
import { closeSync, constants, openSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import { makeFifo, widenFifo } from "../embedded/fifo.ts";
import type { FileThreadAnswer, FileThreadOptions, WrittenFile } from "./fileThread.ts";

interface Writer {
  /** Writes into the file of this path, and rejects with what went wrong. */
  write(fifo: string): Promise<void>;
  /** Ends the writing of this path: nobody reads on. */
  stop(fifo: string): Promise<void>;
  /** Stops it, too. */
  readonly signal?: AbortSignal | undefined;
  readonly made?: FileThreadOptions["made"];
}

/**
 * The file is on the disk when it resolves.
 * @param path absolute; the FIFO is beside it meanwhile
 * @throws what the file system says, with its `code`; what `write` rejects with; NoFifo before that is called; an AbortError
 */
export async function writeAside(path: string, { write, stop, signal, made }: Writer): Promise<WrittenFile> {
  signal?.throwIfAborted();
  const fifo = await makeFifo(dirname(path));
  const end = (): void => void stop(fifo).catch(() => {}); // the store is away, and with it who writes
  try {
    signal?.throwIfAborted();
    signal?.addEventListener("abort", end, { once: true });
    const [fd, keeper] = openBoth(fifo);
    await widenFifo(fd);
    const file = inThread({ fd, path, made }).finally(() => closeSync(fd));
    const rows = write(fifo).finally(() => closeSync(keeper));
    file.catch(end);
    // The first that fails says why: the file's end is seen only once `write` is settled, and a file that is cut off there fails, too.
    const [written] = await Promise.all([file, rows]).finally(() => Promise.allSettled([file, rows]));
    return written;
  } finally {
    signal?.removeEventListener("abort", end);
    await rm(fifo, { force: true });
  }
}

/**
 * One end to read from, which waits for bytes, and one that keeps it from ending before who writes has come, and has gone. Neither is opened
 * without the other, which would wait for it: hence a third, for a moment.
 */
function openBoth(fifo: string): [fd: number, keeper: number] {
  const first = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const keeper = openSync(fifo, constants.O_WRONLY);
  const fd = openSync(fifo, constants.O_RDONLY);
  closeSync(first);
  return [fd, keeper];
}

/** Threads without a file. To start one takes 0.1 s of CPU, a twentieth of what the million rows of a file do. */
const idle = new Set<Worker>();
/** After which such a thread ends: an export's next file comes at once. */
const IDLE_MS = 5_000;

async function inThread(options: FileThreadOptions): Promise<WrittenFile> {
  const [kept] = idle;
  if (kept) idle.delete(kept);
  const worker = kept ?? new Worker(new URL("./fileThread.mjs", import.meta.url), { execArgv: [] });
  const answer = await answerOf(worker, options);
  rest(worker);
  if ("sha256" in answer) return answer;
  throw Object.assign(new Error(answer.message), { code: answer.code });
}

/** @throws what the thread ended with */
function answerOf(worker: Worker, options: FileThreadOptions): Promise<FileThreadAnswer> {
  let ended: (error: Error) => void;
  let exited: (code: number) => void;
  return new Promise<FileThreadAnswer>((resolve, reject) => {
    ended = reject;
    exited = (code) => reject(new Error(`Cannot write "${options.path}": its thread ended with ${code}`));
    worker.once("message", resolve).once("error", ended).once("exit", exited);
    worker.ref();
    worker.postMessage(options);
  }).finally(() => worker.off("error", ended).off("exit", exited)); // removeAllListeners takes those of Node, too
}

/** It holds no process back, and takes the next file unless that is long in coming. */
function rest(worker: Worker): void {
  worker.unref();
  idle.add(worker);
  setTimeout(() => {
    if (idle.delete(worker)) void worker.terminate();
  }, IDLE_MS).unref();
}
