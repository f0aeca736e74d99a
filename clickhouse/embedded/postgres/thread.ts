/**
 * The thread in which PostgreSQL runs: PGlite computes in the thread that calls it, and the store's own must answer meanwhile.
 * Says `ready` once its socket is there; told `close`, it makes a checkpoint, so that the next start has nothing to recover.
 */
import { once } from "node:events";
import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import { createPostgresServer } from "./server.ts";
import { ensureDatabase } from "./template.ts";

export interface ThreadOptions {
  /** Of the database. Whoever starts us has it alone: two that write to it would destroy it. */
  readonly folder: string;
  /** Path of the socket. */
  readonly socket: string;
}

const { folder, socket } = workerData as ThreadOptions;

await ensureDatabase(folder);
const db = await PGlite.create({
  dataDir: folder,
  startParams: [
    // fsync is off in these, and on it would do nothing: PGlite's files write at once, so that a commit survives SIGKILL, and
    // never sync, so that it may not survive a loss of power.
    ...PGlite.defaultStartParams,
    // Not 128 MB: rules and users are few, and that saves 130 MB of our memory.
    ...["-c", "shared_buffers=16MB"],
  ],
});
const server = createPostgresServer(db);
server.net.listen(socket);
await once(server.net, "listening");

parentPort!.once("message", async () => {
  await server.close();
  await db.close();
  parentPort!.close();
});
parentPort!.postMessage("ready");
