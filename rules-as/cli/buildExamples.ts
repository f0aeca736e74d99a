/** `npm run rules:build`: rules-as/examples/*.ts into examples/build/*.wasm, what has changed only. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ruleSources, sdkSources } from "./sources.ts";

const CLI = fileURLToPath(new URL("./", import.meta.url));
export const EXAMPLES = fileURLToPath(new URL("../examples/", import.meta.url));

export interface BuildSummary {
  /** names of the rules that were compiled now */
  readonly built: readonly string[];
  /** names of those whose sources have not changed */
  readonly unchanged: readonly string[];
}

/**
 * Builds every rule of `folder` into `folder/build`, and removes modules whose rule is gone. A module carries the hash of
 * its sources beside it (`name.hash`), so a second call reads files and compiles nothing.
 * @throws {Error} with all mistakes of all rules, formatted for a terminal
 */
export async function buildExamples(folder: string = EXAMPLES): Promise<BuildSummary> {
  const out = join(folder, "build");
  mkdirSync(out, { recursive: true });
  const tools = hashOfTools();
  const built: string[] = [];
  const unchanged: string[] = [];
  const mistakes: string[] = [];
  const rules = readdirSync(folder).filter((file) => file.endsWith(".ts") && !/\.(test|d)\.ts$/.test(file));
  for (const file of rules.sort()) {
    const name = basename(file, ".ts");
    const hash = hashOf([tools, ...Object.entries(ruleSources(join(folder, file))).flat()]);
    const hashFile = join(out, `${name}.hash`);
    if (existsSync(join(out, `${name}.wasm`)) && existsSync(hashFile) && readFileSync(hashFile, "utf8") === hash) {
      unchanged.push(name);
      continue;
    }
    // Loaded here: a call that finds nothing to do should not wait for it.
    const [{ buildRule }, { formatDiagnostic }] = await Promise.all([import("./build.ts"), import("./diagnostics.ts")]);
    const { wasm, diagnostics } = await buildRule(join(folder, file));
    if (!wasm) {
      mistakes.push(...diagnostics.map(formatDiagnostic));
      continue;
    }
    rmSync(hashFile, { force: true }); // a crash between the two writes must not leave a hash that lies
    replace(join(out, `${name}.wasm`), wasm);
    replace(hashFile, hash);
    built.push(name);
  }
  if (mistakes.length > 0) throw new Error(`Cannot build the rules in "${folder}":\n\n${mistakes.join("\n\n")}`);
  const names = new Set([...built, ...unchanged]);
  for (const file of readdirSync(out)) {
    if (!names.has(file.replace(/\.(wasm|hash)$/, ""))) rmSync(join(out, file));
  }
  return { built, unchanged };
}

/** Several engines may start at once: a reader sees the old file or the new one, never half of it. */
function replace(path: string, content: string | Uint8Array): void {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, content);
  renameSync(draft, path);
}

/** Everything beside the rule that decides its bytes: the SDK, this builder, the compiler's version. */
function hashOfTools(): string {
  const cli = readdirSync(CLI)
    .filter((file) => /\.m?ts$|\.mjs$/.test(file) && !file.endsWith(".test.ts"))
    .sort()
    .map((file) => readFileSync(join(CLI, file), "utf8"));
  const compiler = readFileSync(new URL("./package.json", import.meta.resolve("assemblyscript/package.json")), "utf8");
  return hashOf([...cli, compiler, ...Object.entries(sdkSources()).flat()]);
}

function hashOf(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex");
}

if (argv[1] && import.meta.url === pathToFileURL(argv[1]).href) {
  try {
    const { built, unchanged } = await buildExamples();
    console.log(`rules: ${built.length} built, ${unchanged.length} unchanged`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
