/** A server of ours in a process of its own, which tells its port and ends with ours. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { runnable } from "../../engine/bundle.mjs";
import { NODE_FLAGS, nodeEnvironment } from "../../engine/nodeFlags.mjs";

export interface Forked {
  readonly child: ChildProcess;
  readonly port: number;
  close(): Promise<void>;
}

/** @param entry one of the bundle's that sends its port and ends when it is disconnected */
export async function forkServer(entry: string): Promise<Forked> {
  const script = await runnable(entry);
  const child = fork(script.at(-1)!, {
    env: nodeEnvironment(process.env),
    execArgv: [...NODE_FLAGS, ...script.slice(0, -1)],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const exited = once(child, "exit");
  const port = await Promise.race([once(child, "message"), exited.then(() => [undefined])]).then(([first]) => first as number | undefined); // biome-ignore format: one line
  if (port === undefined) throw new Error(`Cannot measure: "${entry}" ended before it listened, expected its port`);
  return {
    child,
    port,
    async close() {
      child.disconnect();
      await exited;
    },
  };
}
