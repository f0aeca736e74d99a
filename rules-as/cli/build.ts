/** A rule's source in, a module for the sandbox or a list of mistakes out. */
import { basename, resolve } from "node:path";
import { type Diagnostic, explain } from "./diagnostics.ts";
import { compileOnce } from "./keptAnswers.ts";
import { ENTRY, entrySource, mentionsFacts, mentionsParameters, ruleSources, sdkSources } from "./sources.ts";

export interface BuildResult {
  /** the module; null if there is an error among the diagnostics */
  readonly wasm: Uint8Array | null;
  readonly diagnostics: readonly Diagnostic[];
  /** JSON of the source map, if it was asked for and there is a module */
  readonly map: string | null;
}

export interface BuildOptions {
  readonly sourceMap?: boolean;
  readonly cache?: string;
}

/** asc's flags. The output depends on them, the sources and asc's version, and on nothing else. */
export const FLAGS = [
  // ours in its place: no garbage collector, an arena a transaction
  ["--runtime", "stub"],
  // full optimisation: 0.3 s once, against every transaction
  ["--optimizeLevel", "3"],
  ["--shrinkLevel", "0"],
  // constants, values, results and about 150 transactions of 700 B; small, since the host restores it between batches
  ["--initialMemory", "2"],
  // one file as output, in memory
  ["--outFile", "rule.wasm"],
  ["--noColors"],
].flat();

/**
 * Compiles the rule in `file`, or takes what the same sources gave before. Mistakes in the source are diagnostics, never
 * exceptions; a crash of the compiler is one too.
 * @param options.sourceMap makes the map of the module's code beside it; the code is the same with and without
 * @param options.cache the folder of earlier answers, if not the user's
 * @throws {Error} if the file can not be read
 */
export async function buildRule(file: string, { sourceMap = false, cache }: BuildOptions = {}): Promise<BuildResult> {
  const path = resolve(file);
  const library = sdkSources();
  const files = ruleSources(path);
  const module = basename(path, ".ts");
  const entry = entrySource(module, module, { parameters: mentionsParameters(files), facts: mentionsFacts(files) });
  const { wasm, map, found, failure } = await compileOnce(
    {
      files: { ...files, [ENTRY]: entry },
      library,
      argv: [ENTRY, ...FLAGS, ...(sourceMap ? ["--sourceMap"] : [])],
    },
    cache,
  );
  const diagnostics = explain({ file: basename(path), files, library, found, failure, wasm });
  const failed = diagnostics.some(({ severity }) => severity === "error");
  return { wasm: failed ? null : wasm, diagnostics, map: failed ? null : map };
}
