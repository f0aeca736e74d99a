/**
 * The store's process: `node --import tsx child.ts '<JSON of ChildOptions>'`. It opens chDB on its folder, listens on a free
 * port of 127.0.0.1, writes the address beside the data, and goes when nobody has asked for a while or on SIGTERM.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rename, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openEngine } from "./engine.ts";
import { readAddress, removeAddress, writeAddress } from "./lockFile.ts";
import { createEmbeddedPostgres } from "./postgres/start.ts";
import { createReadOnlyGuard } from "./readOnly.ts";
import { createStoreServer } from "./server.ts";
import { openSpool } from "./spool.ts";
import { keepStillness } from "./stillness.ts";

export interface ChildOptions {
  readonly folder: string;
  readonly idleMs: number;
  /** bytes */
  readonly memory: number;
  /** Longest body of an insert, in bytes. */
  readonly maxBody: number;
  /** Where our output goes; it becomes store.log once the folder is ours. */
  readonly log: string;
}

const options = JSON.parse(process.argv[2]!) as ChildOptions;
const { folder, idleMs } = options;

const engine = await openEngine({ folder: join(folder, "data"), memory: options.memory });
await rename(options.log, join(folder, "store.log"));

const before = await readAddress(folder);
// What a child that was killed has left.
for (const left of [before?.spool, before?.postgres]) if (left) await rm(left, { recursive: true, force: true });
const spool = await openSpool({ storeFolder: folder, maxBytes: options.maxBody });
const stillness = keepStillness(spool.folder);
const text = async (sql: string) =>
  new TextDecoder().decode((await engine.run({ sql, format: "TSVRaw" })).bytes).trim();
const version = await text("SELECT version()");
const tableFunctions = (await text("SELECT name FROM system.table_functions")).split("\n");

const secret = randomBytes(24).toString("base64url");
const identity = randomUUID();
// Mode 0700. Not in our folder, whose path is the user's choice: that of a socket may have 107 bytes.
const socketFolder = await mkdtemp(join(tmpdir(), "weir-"));
const postgres = createEmbeddedPostgres(join(folder, "postgres"), socketFolder);
const server = createStoreServer({
  engine,
  spool,
  stillness,
  postgres,
  guard: createReadOnlyGuard(tableFunctions),
  secret,
  version,
  identity,
});
server.http.listen(0, "127.0.0.1");
await once(server.http, "listening");
const { port } = server.http.address() as AddressInfo;
await writeAddress(folder, { pid: process.pid, port, secret, identity, spool: spool.folder, postgres: socketFolder });

let closing = false;
async function close(reason: string): Promise<void> {
  if (closing) return;
  closing = true;
  console.error(`${new Date().toISOString()} closing: ${reason}`);
  stillness.disturb(undefined); // before the address goes, by which the next child would find our spool
  await removeAddress(folder);
  server.http.close();
  // Statements cannot be interrupted; closing chDB under one would abort the process.
  while (server.active() > 0) await sleep(20);
  server.http.closeAllConnections();
  await postgres.close();
  await rm(socketFolder, { recursive: true, force: true });
  await spool.close();
  engine.close();
  process.exit(0);
}
process.on("SIGTERM", () => void close("SIGTERM"));
process.on("SIGINT", () => {}); // Ctrl-C in a terminal is meant for the one who started us
setInterval(
  () => {
    if (server.active() === 0 && performance.now() - server.lastUsed() >= idleMs) void close(`idle for ${idleMs} ms`);
  },
  Math.min(1_000, idleMs / 4),
);
