/** What one file of an export after another is written through: a FIFO, and a thread that reads it (fileThread.ts). */
import { closeSync, constants, openSync } from "node:fs";
import { rm } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { makeFifo, widenFifo } from "../embedded/fifo.ts";

export interface Lane {
  readonly fifo: string;
  /** The end to read from, which waits for bytes. */
  readonly fd: number;
  readonly worker: Worker;
  /** Nobody reads on: who writes sees that, and does not wait for ever. */
  hangUp(): void;
}

/**
 * Each is opened when it is needed, and kept for the next file: to start a thread takes 0.1 s of CPU, and a FIFO two processes, 30 ms each where ours
 * has a GiB, of the 1.8 s of a file of a million rows.
 */
export interface Lanes {
  /** One that fails is not used again. @throws what `write` rejects with; NoFifo before it is called */
  use<T>(write: (lane: Lane) => Promise<T>): Promise<T>;
  /** Of those that nobody uses. */
  close(): Promise<void>;
}

/** @param folder absolute; FIFOs are in it meanwhile */
export function openLanes(folder: string): Lanes {
  const idle: Lane[] = [];
  return {
    async use(write) {
      const lane = idle.pop() ?? (await openLane(folder));
      let isWhole = false;
      try {
        const written = await write(lane);
        isWhole = true;
        return written;
      } finally {
        if (isWhole) idle.push(lane);
        else await closeLane(lane);
      }
    },
    async close() {
      await Promise.all(idle.splice(0).map(closeLane));
    },
  };
}

async function openLane(folder: string): Promise<Lane> {
  const fifo = await makeFifo(folder);
  // Neither end is opened without the other, which would wait for it: hence a third, for a moment.
  const first = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(fifo, constants.O_WRONLY);
  const fd = openSync(fifo, constants.O_RDONLY);
  closeSync(first);
  closeSync(writer);
  await widenFifo(fd);
  let isOpen = true;
  return {
    ...{ fifo, fd, worker: new Worker(new URL("./fileThread.mjs", import.meta.url), { execArgv: [] }) },
    hangUp() {
      if (isOpen) closeSync(fd);
      isOpen = false;
    },
  };
}

async function closeLane({ fifo, worker, hangUp }: Lane): Promise<void> {
  hangUp();
  await worker.terminate();
  await rm(fifo, { force: true });
}
