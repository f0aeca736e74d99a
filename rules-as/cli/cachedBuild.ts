/** Builds that are kept: a module with the hash of its sources beside it, so that what has not changed costs no compilation. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuildResult } from "./build.ts";
import { ruleSources, sdkSources } from "./sources.ts";

const CLI = fileURLToPath(new URL("./", import.meta.url));

export interface CachedBuild extends Omit<BuildResult, "map"> {
  readonly unchanged: boolean;
}

/**
 * The module of the rule in `file`, kept as `out/name.wasm` and `out/name.hash`.
 * @throws {Error} if the file can not be read or `out` not written
 */
export async function cachedBuild(file: string, out: string): Promise<CachedBuild> {
  const name = basename(file, ".ts");
  const wasmFile = join(out, `${name}.wasm`);
  const hashFile = join(out, `${name}.hash`);
  const hash = hashOf([hashOfTools(), ...Object.entries(ruleSources(file)).flat()]);
  if (existsSync(wasmFile) && existsSync(hashFile) && readFileSync(hashFile, "utf8") === hash) {
    return { wasm: readFileSync(wasmFile), diagnostics: [], unchanged: true };
  }
  const { buildRule } = await import("./build.ts"); // here: a call that finds nothing to do should not wait for it
  const { wasm, diagnostics } = await buildRule(file);
  mkdirSync(out, { recursive: true });
  rmSync(hashFile, { force: true }); // a crash between the two writes must not leave a hash that lies
  if (wasm) {
    replace(wasmFile, wasm);
    replace(hashFile, hash);
  }
  return { wasm, diagnostics, unchanged: false };
}

/** Several builds may run at once: a reader sees the old file or the new one, never half of it. */
function replace(path: string, content: string | Uint8Array): void {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, content);
  renameSync(draft, path);
}

let tools = "";

/** Everything beside the rule that decides its bytes: the SDK, this builder, the compiler's version. */
function hashOfTools(): string {
  if (tools) return tools;
  const builder = readdirSync(CLI)
    .filter((file) => /\.(ts|mjs)$/.test(file) && !file.endsWith(".test.ts"))
    .sort()
    .map((file) => readFileSync(join(CLI, file), "utf8"));
  const asc = new URL("../../node_modules/assemblyscript/package.json", import.meta.url);
  tools = hashOf([...builder, readFileSync(asc, "utf8"), ...Object.entries(sdkSources()).flat()]);
  return tools;
}

function hashOf(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex");
}
