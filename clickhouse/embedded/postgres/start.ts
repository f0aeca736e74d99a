import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { ThreadOptions } from "./thread.ts";

/** PostgreSQL beside chDB, for the control store: started when it is first asked for, since most uses of the store never need it. */
export interface EmbeddedPostgres {
  /** Folder of the socket, as `host` for PostgreSQL's clients. Starts it if it does not run. @throws Error saying why it cannot */
  start(): Promise<string>;
  close(): Promise<void>;
}

/** Clients look for the socket under this name. */
export const SOCKET_NAME = ".s.PGSQL.5432";
/** A checkpoint of some MB; who waits longer is killed, and recovers at the next start. */
const CLOSE_MS = 10_000;

/**
 * @param folder of the database; the caller holds the store's folder, and so this one, alone
 * @param socketFolder only its owner may enter it
 */
export function createEmbeddedPostgres(folder: string, socketFolder: string): EmbeddedPostgres {
  const socket = join(socketFolder, SOCKET_NAME);
  let starting: Promise<Worker> | undefined;

  async function startThread(): Promise<Worker> {
    await rm(socket, { force: true }); // of a thread that died
    const workerData: ThreadOptions = { folder, socket };
    const worker = new Worker(new URL("./thread.mjs", import.meta.url), { workerData, execArgv: [] });
    worker.on("error", (error) =>
      console.error(`${new Date().toISOString()} PostgreSQL's thread died: ${error.stack}`),
    );
    worker.on("exit", () => {
      starting = undefined;
    });
    await new Promise<void>((resolve, reject) => {
      worker.once("message", () => resolve());
      worker.once("error", reject);
      worker.once("exit", (code) => reject(new Error(`its thread ended with ${code}`)));
    });
    return worker;
  }

  return {
    async start() {
      try {
        await (starting ??= startThread());
      } catch (error) {
        starting = undefined;
        throw new Error(`Cannot start PostgreSQL in "${folder}": ${(error as Error).message}`);
      }
      return socketFolder;
    },
    async close() {
      const worker = await starting?.catch(() => undefined);
      if (!worker) return;
      const ended = new Promise((resolve) => worker.once("exit", resolve));
      worker.postMessage("close");
      const timer = setTimeout(() => void worker.terminate(), CLOSE_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
