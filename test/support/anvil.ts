import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";

export type Anvil = { url: string; wsUrl: string; stop(): Promise<void> };

const START_MS = 300_000;

/**
 * Starts anvil, a real EVM node, on a free port of the loopback address.
 * It ends with `stop()`, or with this process however that dies.
 */
export async function startAnvil({ args = [] }: { args?: string[] } = {}): Promise<Anvil> {
  // A shell between us and the node waits for our end of its input to close, which even SIGKILL brings about.
  const guard =
    'exec 3<&0; "$0" "$@" </dev/null & node=$!; (read _ <&3; kill $node) & wait $node; code=$?; kill $! 2>/dev/null; exit $code';
  const child = spawn("sh", ["-c", guard, anvilBinary(), "--host", "127.0.0.1", "--port", "0", ...args], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  let output = "";
  child.stderr.on("data", (chunk) => (output += chunk));

  const port = await new Promise<string>((resolve, reject) => {
    const fail = (state: string) =>
      reject(
        new Error(
          `Cannot start "anvil ${args.join(" ")}": ${state}, expected "Listening on …"; it said: ${output.slice(-2000)}`,
        ),
      );
    const timer = setTimeout(() => {
      child.stdin.end();
      fail(`silent for ${START_MS} ms`);
    }, START_MS);
    void exited.then(([code]) => {
      clearTimeout(timer);
      fail(`it exited with code ${code}`);
    });
    child.stdout.on("data", (chunk) => {
      if (output.length > 1e6) return; // it listens and logs every call: read on, keep nothing
      output += chunk;
      const listening = /Listening on 127\.0\.0\.1:(\d+)/.exec(output);
      if (!listening) return;
      clearTimeout(timer);
      resolve(listening[1]!);
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    wsUrl: `ws://127.0.0.1:${port}`,
    async stop() {
      child.stdin.end();
      await exited;
    },
  };
}

/** The binary itself: npm's `anvil` command is a Node script in front of it, which would leave it behind when killed. */
function anvilBinary(): string {
  const fromAnvil = createRequire(createRequire(import.meta.url).resolve("@foundry-rs/anvil/package.json"));
  const machine = `${platform()}-${arch() === "x64" ? "amd64" : arch()}`;
  return fromAnvil.resolve(`@foundry-rs/anvil-${machine}/bin/anvil`);
}
