import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import type { Machine } from "./scenario.ts";

/** The machine as it is now, with the versions of what is measured on it. */
export function describeThisMachine(): Machine {
  const all = cpus();
  return {
    cpu: (all[0]?.model ?? "unknown").trim(),
    cores: all.length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release()}`,
    load: Number((loadavg()[0] ?? 0).toFixed(1)),
    versions: {
      node: process.versions.node,
      v8: process.versions.v8,
      ...packages("chdb", "@confluentinc/kafka-javascript", "piscina"),
      kafka: process.env.KAFKA_BROKERS ? "of KAFKA_BROKERS" : "4.1.0",
      commit: git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "-uno") ? " and changes" : ""),
    },
    date: new Date().toISOString(),
  };
}

function packages(...names: string[]): Record<string, string> {
  const version = (name: string): string =>
    (
      JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), "utf8")) as {
        version: string;
      }
    ).version;
  return Object.fromEntries(names.map((name) => [name, version(name)]));
}

/** Empty where there is no git, or no repository. */
function git(...args: string[]): string {
  const { status, stdout } = spawnSync("git", args, { cwd: new URL("..", import.meta.url), encoding: "utf8" });
  return status === 0 ? stdout.trim() : "";
}
