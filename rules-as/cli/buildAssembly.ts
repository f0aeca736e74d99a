/** `npm run assembly:build`: what of ours is AssemblyScript and no rule, each folder of sources into its module. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { compileOnce } from "./keptAnswers.ts";

export interface Assembly {
  readonly sources: URL;
  readonly entry: string;
  readonly module: URL;
}

const at = (path: string): URL => new URL(`../../${path}`, import.meta.url);

export const ASSEMBLIES: readonly Assembly[] = [
  {
    sources: at("clickhouse/exports/csv/assembly/"),
    entry: "rows.ts",
    module: at("clickhouse/exports/csv/rows.wasm"),
  },
  { sources: at("engine/frame/assembly/"), entry: "flat.ts", module: at("engine/frame/flat.wasm") },
];

const FLAGS = "--runtime stub --optimizeLevel 3 --shrinkLevel 0 --noAssert --enable simd --initialMemory 1 --noColors --outFile rule.wasm"; // biome-ignore format: one line

/** @throws Error with what the compiler says */
export async function build({ sources, entry }: Assembly): Promise<Uint8Array> {
  const { wasm, found, failure } = await compileOnce({
    files: Object.fromEntries(readdirSync(sources).map((name) => [name, readFileSync(new URL(name, sources), "utf8")])),
    library: {},
    argv: [entry, ...FLAGS.split(" ")],
  });
  if (wasm && found.length === 0) return wasm;
  throw new Error(
    `Cannot build "${fileURLToPath(sources)}": ${failure ?? found.map(({ file, start, message }) => `${file}, at ${start}: ${message}`).join("\n")}`,
  );
}

if (argv[1] && import.meta.url === pathToFileURL(argv[1]).href)
  for (const assembly of ASSEMBLIES) writeFileSync(assembly.module, await build(assembly));
