/** Prometheus's own checker: installed, or out of Debian's package, which is unpacked into the cache and installs nothing. */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../engine/ops/cacheFolder.ts";

/** @returns a path, or why there is none, with the remedy */
export function findPromtool(): { path: string } | { missing: string } {
  if (run("promtool", ["--version"]).status === 0) return { path: "promtool" };
  const cached = join(cacheFolder(), "promtool");
  if (existsSync(cached)) return { path: cached };
  const failed = existsSync("/etc/debian_version") ? unpack(cached) : "this is not Debian";
  return failed === undefined
    ? { path: cached }
    : { missing: `there is no promtool: ${failed} (apt-get install prometheus)` };
}

/** @returns why it did not work */
function unpack(to: string): string | undefined {
  mkdirSync(cacheFolder(), { recursive: true });
  const folder = mkdtempSync(`${to}-`);
  try {
    const download = (): boolean => run("apt-get", ["download", "prometheus"], folder).status === 0;
    if (!download() && !(process.getuid?.() === 0 && run("apt-get", ["update"]).status === 0 && download()))
      return "the package prometheus cannot be downloaded";
    const [file] = readdirSync(folder);
    if (run("dpkg-deb", ["--extract", file!, "."], folder).status !== 0) return `${file} cannot be unpacked`;
    renameSync(join(folder, "usr/bin/promtool"), to); // whole, or not there
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const run = (program: string, args: readonly string[], cwd?: string): SpawnSyncReturns<string> =>
  spawnSync(program, args, { cwd, encoding: "utf8" });
