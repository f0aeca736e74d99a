/** `npm run rules:build`: rules-as/examples/*.ts into examples/build/*.wasm, what has changed only. */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { cachedBuild } from "./cachedBuild.ts";

export const EXAMPLES = fileURLToPath(new URL("../examples/", import.meta.url));

export interface BuildSummary {
  /** names of the rules that were compiled now */
  readonly built: readonly string[];
  /** names of those whose sources have not changed */
  readonly unchanged: readonly string[];
}

/**
 * Builds every rule of `folder` into `folder/build`, and removes modules whose rule is gone.
 * @throws {Error} with all mistakes of all rules, formatted for a terminal
 */
export async function buildExamples(folder: string = EXAMPLES): Promise<BuildSummary> {
  const out = join(folder, "build");
  mkdirSync(out, { recursive: true });
  const built: string[] = [];
  const unchanged: string[] = [];
  const mistakes: string[] = [];
  const rules = readdirSync(folder).filter((file) => file.endsWith(".ts") && !/\.(test|d)\.ts$/.test(file));
  for (const file of rules.sort()) {
    const build = await cachedBuild(join(folder, file), out);
    if (!build.wasm) {
      const { formatDiagnostic } = await import("./diagnostics.ts");
      mistakes.push(...build.diagnostics.map(formatDiagnostic));
    } else (build.unchanged ? unchanged : built).push(basename(file, ".ts"));
  }
  if (mistakes.length > 0) throw new Error(`Cannot build the rules in "${folder}":\n\n${mistakes.join("\n\n")}`);
  const names = new Set([...built, ...unchanged]);
  for (const file of readdirSync(out)) {
    if (/\.(wasm|hash)$/.test(file) && !names.has(file.replace(/\.\w+$/, ""))) rmSync(join(out, file));
  }
  return { built, unchanged };
}

if (argv[1] && import.meta.url === pathToFileURL(argv[1]).href) {
  const [file] = argv.slice(2);
  if (file !== undefined) {
    console.error(
      `Cannot build "${file}": this builds the examples, expected no file. Run: npx weir rule build ${file}`,
    );
    process.exit(2);
  }
  try {
    const { built, unchanged } = await buildExamples();
    console.error(`rules: ${built.length} built, ${unchanged.length} unchanged`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
