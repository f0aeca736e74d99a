/** A file of what somebody writes into a FIFO, made in a thread of its own (fileThread.ts): this one stays free for others. */
import { closeSync, constants, openSync } from "node:fs";
import type { FileThreadAnswer, FileThreadOptions, WrittenFile } from "./fileThread.ts";
import type { Lane, Lanes } from "./lanes.ts";

interface Writer {
  readonly lanes: Lanes;
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
 * @param path absolute
 * @throws what the file system says, with its `code`; what `write` rejects with; NoFifo before that is called; an AbortError
 */
export function writeAside(path: string, { lanes, write, stop, signal, made }: Writer): Promise<WrittenFile> {
  signal?.throwIfAborted();
  return lanes.use(async (lane) => {
    signal?.throwIfAborted();
    const end = (): void => void stop(lane.fifo).catch(() => {}); // the store is away, and with it who writes
    signal?.addEventListener("abort", end, { once: true });
    try {
      // Keeps the FIFO from ending before who writes has come, and has gone.
      const keeper = openSync(lane.fifo, constants.O_WRONLY);
      const file = inThread(lane, { path, made });
      const rows = write(lane.fifo).finally(() => closeSync(keeper));
      file.catch(() => {
        lane.hangUp();
        end();
      });
      // The first that fails says why: the file's end is seen only once `write` is settled, and a file that is cut off there fails, too.
      const [written] = await Promise.all([file, rows]).finally(() => Promise.allSettled([file, rows]));
      return written;
    } finally {
      signal?.removeEventListener("abort", end);
    }
  });
}

async function inThread({ worker, fd }: Lane, options: Omit<FileThreadOptions, "fd">): Promise<WrittenFile> {
  const answer = await answerOf(worker, { fd, ...options });
  if ("sha256" in answer) return answer;
  throw Object.assign(new Error(answer.message), { code: answer.code });
}

/** @throws what the thread ended with */
function answerOf(worker: Lane["worker"], options: FileThreadOptions): Promise<FileThreadAnswer> {
  let ended: (error: Error) => void;
  let exited: (code: number) => void;
  return new Promise<FileThreadAnswer>((resolve, reject) => {
    ended = reject;
    exited = (code) => reject(new Error(`Cannot write "${options.path}": its thread ended with ${code}`));
    worker.once("message", resolve).once("error", ended).once("exit", exited);
    worker.postMessage(options);
  }).finally(() => worker.off("error", ended).off("exit", exited)); // removeAllListeners takes those of Node, too
}
