/** For tests: real Redis servers on free ports of this machine, which keep nothing. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "./freePort.ts";

/** Says so where there is none. @param what the tests are about */
export function isRedisMissing(what: string): boolean {
  const missing = spawnSync("redis-server", ["--version"]).error !== undefined;
  if (missing) process.stderr.write(`skipped: ${what}: there is no redis-server (apt-get install redis-server)\n`);
  return missing;
}

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** SIGKILL, and gone. */
  kill(): Promise<void>;
  /** It takes connections and answers nothing. */
  hang(): void;
  close(): Promise<void>;
}

/** @param sentinelOf a Sentinel, which calls the server on this port `mymaster` */
export async function startRedis({ sentinelOf }: { sentinelOf?: number } = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "weir-redis-"));
  const port = await freePort();
  const config = join(folder, "redis.conf"); // a Sentinel writes into it
  const lines =
    sentinelOf === undefined
      ? ['save ""']
      : [`sentinel monitor mymaster 127.0.0.1 ${sentinelOf} 1`, "sentinel down-after-milliseconds mymaster 60000"];
  await writeFile(config, [`port ${port}`, "bind 127.0.0.1", `dir ${folder}`, ...lines, ""].join("\n"));
  const args = sentinelOf === undefined ? [config] : [config, "--sentinel"];
  const child: ChildProcess = spawn("redis-server", args, { stdio: "ignore" });
  const exited = once(child, "exit");
  const client = new Redis({ port, retryStrategy: () => 50 });
  client.on("error", () => {}); // until it listens
  await client.ping();
  client.disconnect();
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill,
    hang: () => void child.kill("SIGSTOP"),
    async close() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
