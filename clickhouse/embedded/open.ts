import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runnable } from "../../engine/bundle.mjs";
import type { ChildOptions } from "./child.ts";
import { isRunning } from "./isRunning.ts";
import { answers, readAddress, type StoreAddress } from "./lockFile.ts";
import { giveWay } from "./priority.ts";

export interface EmbeddedOptions {
  /** Made if missing, mode 0700. */
  readonly folder: string;
  /** The child goes when it had no request for so long. Default 60 s. */
  readonly idleMs?: number;
  /** Memory for all its statements together, bytes. Default 2 GiB. */
  readonly memory?: number;
  /** Longest body of an insert, bytes. Default 256 MiB. */
  readonly maxBody?: number;
  /** How long to wait for the child. Default 60 s. */
  readonly timeoutMs?: number;
}

export interface EmbeddedStore {
  /** http://127.0.0.1:<port> */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly pid: number;
  /** A folder that the child can read, in memory where there is room. It ends with the child. */
  readonly spool: string;
  /**
   * Folder of the socket at which the child's PostgreSQL listens, as `host` for its clients; it is started if it does not run.
   * @throws Error saying why it cannot start, or that the child is gone
   */
  postgres(): Promise<string>;
  /** Lets the child go: it ends when nobody else has used it for `idleMs`. */
  close(): Promise<void>;
  /** Ends the child, whoever uses it, and waits until its folder is free. For tests, and before the folder is moved. */
  stop(): Promise<void>;
}

/** What chDB says when another process holds the folder. */
const LOCKED = /Another server instance in same directory is already running/;

/**
 * V8 compiles PostgreSQL's WebAssembly once, fast: its start takes 430 ms of CPU instead of 780, the next 300 statements 400
 * instead of 1,500, which would be the optimizing compiler's.
 */
const NODE_FLAGS = ["--liftoff-only"];

/** A child that neither serves nor ends in this time hangs: a folder of a thousand million rows is opened in seconds. */
const START_MS = 300_000;

/** Shorter than the idle time by so much that a busy machine does not lose the child. */
const PINGS_PER_IDLE_TIME = 4;

/**
 * Opens the store of a folder: finds the child that serves it, or starts one. It outlives us, so a killed engine finds it
 * again. Of several processes that open a folder at once one starts the child that gets chDB's lock; the others' children end.
 *
 * @throws Error saying why the child cannot start, with the end of its log; or that a process holds the folder and is silent
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedStore> {
  const { idleMs = 60_000, memory = 2 * 2 ** 30, maxBody = 256 * 2 ** 20, timeoutMs = 60_000 } = options;
  const folder = resolve(options.folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const deadline = performance.now() + timeoutMs;
  for (let wait = 100; ; wait = Math.min(2 * wait, 2_000)) {
    const address = await readAddress(folder);
    if (address && (await answers(address))) return connect(folder, address, idleMs);
    if (performance.now() > deadline)
      throw new Error(
        `Cannot open store "${folder}": ${address ? `process ${address.pid}` : "another process"} holds it and does not answer, expected an answer within ${timeoutMs} ms. Stop that process, or wait until it has ended`,
      );
    // A child that finds the folder locked: another is just starting or ending, or hangs. Look again, each time later: a child
    // that ends again at once is half a second of CPU.
    if (
      !(await start({
        folder,
        idleMs,
        memory,
        maxBody,
        log: join(folder, `store.log.${randomBytes(4).toString("hex")}`),
      }))
    )
      await sleep(wait);
  }
}

/**
 * Starts a child and waits until it serves: true; false when another one has the folder.
 * @throws Error with the end of its log when it ends, or serves nothing for so long: then it is ended, so that another can be started
 */
async function start(child: ChildOptions): Promise<boolean> {
  const log = await open(child.log, "w", 0o600);
  const script = await runnable("clickhouse/embedded/child");
  const running = spawn(process.execPath, [...NODE_FLAGS, ...script, JSON.stringify(child)], {
    detached: true,
    // A relative path in SQL must not depend on where somebody happened to start us.
    cwd: child.folder,
    stdio: ["ignore", log.fd, log.fd],
    // Reads, writes and files are served by libuv's threads, of which there are 4 by default. NODE_OPTIONS are not for the child.
    env: { ...process.env, UV_THREADPOOL_SIZE: "16", NODE_OPTIONS: "" },
  });
  if (running.pid !== undefined) giveWay(running.pid);
  const ended = new Promise<number | NodeJS.Signals | Error>((resolve) => {
    running.on("error", resolve);
    running.on("exit", (code, signal) => resolve(code ?? signal!));
  });
  await log.close();
  let end: number | NodeJS.Signals | Error | undefined;
  void ended.then((value) => {
    end = value;
  });
  const deadline = performance.now() + START_MS;
  while (end === undefined) {
    if (performance.now() > deadline) {
      running.kill("SIGKILL");
      await ended;
      end = new Error(`SIGKILL from us: it did not serve within ${START_MS} ms`);
      break;
    }
    const address = await readAddress(child.folder);
    if (address?.pid === running.pid && (await answers(address!))) {
      running.unref();
      return true;
    }
    await Promise.race([ended, sleep(20)]);
  }
  // Its log becomes store.log once it has the folder.
  const said = await readFile(child.log, "utf8").catch(() => readFile(join(child.folder, "store.log"), "utf8"));
  await rm(child.log, { force: true });
  if (LOCKED.test(said)) return false;
  throw new Error(
    `Cannot start the store of "${child.folder}": its process ended with ${end instanceof Error ? end.message : end}. It said:\n${said.trim().split("\n").slice(-12).join("\n")}`,
  );
}

function connect(folder: string, address: StoreAddress, idleMs: number): EmbeddedStore {
  const pinging = setInterval(() => void answers(address), idleMs / PINGS_PER_IDLE_TIME);
  pinging.unref();
  return {
    url: `http://127.0.0.1:${address.port}`,
    username: "weir",
    password: address.secret,
    pid: address.pid,
    spool: address.spool,
    async postgres() {
      const response = await fetch(`http://127.0.0.1:${address.port}/postgres`, {
        headers: { "x-clickhouse-key": address.secret },
      });
      const text = await response.text();
      if (!response.ok) throw new Error(text);
      return (JSON.parse(text) as { socketFolder: string }).socketFolder;
    },
    async close() {
      clearInterval(pinging);
    },
    async stop() {
      clearInterval(pinging);
      await stopEmbedded(folder);
    },
  };
}

/** A busy child answers late, a dead one's port refuses at once. */
const STOP_MS = 60_000;

/** Ends the child of a folder, if one serves it, after the statements that run. Resolves when the folder is free. */
export async function stopEmbedded(folder: string): Promise<void> {
  const address = await readAddress(folder);
  if (address === undefined || !(await answers(address, STOP_MS))) return;
  process.kill(address.pid, "SIGTERM");
  while (isRunning(address.pid)) await sleep(20);
}
