/** Processes of ours that end with ours. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { runnable } from "../../engine/bundle.mjs";
import { NODE_FLAGS, nodeEnvironment } from "../../engine/nodeFlags.mjs";

export interface Forked {
  readonly child: ChildProcess;
  /** What it sends next; undefined when it ends before. */
  heard(): Promise<unknown>;
  close(): Promise<void>;
}

/** @param entry one of the bundle's that ends when it is disconnected */
export async function forkEntry(entry: string): Promise<Forked> {
  const script = await runnable(entry);
  const child = fork(script.at(-1)!, {
    env: nodeEnvironment(process.env),
    execArgv: [...NODE_FLAGS, ...script.slice(0, -1)],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const exited = once(child, "exit");
  return {
    child,
    heard: () => Promise.race([once(child, "message"), exited.then(() => [undefined])]).then(([first]) => first as unknown), // biome-ignore format: one line
    async close() {
      child.disconnect();
      await exited;
    },
  };
}

/** @param entry that sends its port */
export async function forkServer(entry: string): Promise<Forked & { readonly port: number }> {
  const forked = await forkEntry(entry);
  const port = (await forked.heard()) as number | undefined;
  if (port === undefined) throw new Error(`Cannot measure: "${entry}" ended before it listened, expected its port`);
  return { ...forked, port };
}
