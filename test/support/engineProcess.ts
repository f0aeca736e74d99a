/** The engine as its users run it: a process of its own, with real signals. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { runnable } from "../../engine/bundle.mjs";
import { NODE_FLAGS, nodeEnvironment } from "../../engine/nodeFlags.mjs";

const CLI = await runnable("engine/cli");
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface EngineProcess {
  readonly child: ChildProcess;
  /** All of stderr so far: the log. */
  log(): string;
  stdout(): string;
  /** How it ended: an exit code, or the signal that killed it. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** SIGTERM, and waits for the graceful end. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** `weir …args` with these variables and none of the tests' own. */
export const startWeir = (
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  through: readonly string[] = [],
): EngineProcess => startNode([...CLI, ...args], env, through);

/**
 * Another entry in the same way.
 * @param args of Node
 * @param through a command that ends by becoming the one behind it
 */
export function startNode(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  through: readonly string[] = [],
): EngineProcess {
  const [command, ...rest] = [...through, process.execPath, ...NODE_FLAGS, ...args];
  const child = spawn(command!, rest, {
    cwd: ROOT,
    env: nodeEnvironment({ PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: "info", ...env }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  let log = "";
  let stdout = "";
  child.stderr!.on("data", (chunk: Buffer) => {
    log = (log + chunk).slice(-200_000);
  });
  child.stdout!.on("data", (chunk: Buffer) => {
    stdout += chunk;
  });
  const exited = once(child, "close").then(([code, signal]) => {
    running.delete(child);
    return { code: code as number | null, signal: signal as NodeJS.Signals | null };
  });
  return {
    child,
    exited,
    log: () => log,
    stdout: () => stdout,
    async stop() {
      child.kill("SIGTERM");
      const { code, signal } = await exited;
      if (code !== 0)
        throw new Error(`The engine did not stop cleanly: code ${code}, signal ${signal}\n${log.slice(-4_000)}`);
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Long enough that something hangs, on whatever machine. */
const HUNG_MS = 600_000;

/** Waits until the check holds, asking ten times a second. @throws with what `describe` says when something hangs */
export async function until(check: () => Promise<boolean> | boolean, describe: () => string): Promise<void> {
  for (const deadline = Date.now() + HUNG_MS; ; ) {
    if (await check()) return;
    if (Date.now() > deadline) throw new Error(`Waited ${HUNG_MS} ms in vain: ${describe()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * Waits until engines have done what Kafka is asked about. An answer that does not come, of a transaction under way or of a broker that stands
 * still, is asked for again. @throws at once when none of the engines runs any more
 */
export function untilDone(engines: readonly EngineProcess[], isDone: () => Promise<boolean>): Promise<void> {
  let failure: unknown;
  const logs = () => engines.map((engine) => engine.log().slice(-4_000)).join("\n\n");
  return until(
    () => {
      const ends = engines.map(({ child }) => child.exitCode ?? child.signalCode);
      if (!ends.includes(null)) throw new Error(`The engine ended: ${ends}\n${logs()}`);
      return isDone().catch((error: unknown) => {
        failure = error;
        return false;
      });
    },
    () => `not everything is stored; the last failure to ask: ${failure}\n${logs()}`,
  );
}
