/** `npm run csv:build`: assembly/rows.ts, and what it imports, into rows.wasm. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { compileOnce } from "../../../rules-as/cli/keptAnswers.ts";

const SOURCES = new URL("./assembly/", import.meta.url);
export const MODULE = new URL("./rows.wasm", import.meta.url);

const FLAGS = "--runtime stub --optimizeLevel 3 --shrinkLevel 0 --noAssert --enable simd --initialMemory 1 --noColors --outFile rule.wasm"; // biome-ignore format: one line

/** @throws Error with what the compiler says */
export async function buildRows(): Promise<Uint8Array> {
  const { wasm, found, failure } = await compileOnce({
    files: Object.fromEntries(readdirSync(SOURCES).map((name) => [name, readFileSync(new URL(name, SOURCES), "utf8")])),
    library: {},
    argv: ["rows.ts", ...FLAGS.split(" ")],
  });
  if (wasm && found.length === 0) return wasm;
  throw new Error(
    `Cannot build "${fileURLToPath(SOURCES)}": ${failure ?? found.map(({ message }) => message).join("\n")}`,
  );
}

if (argv[1] && import.meta.url === pathToFileURL(argv[1]).href) writeFileSync(MODULE, await buildRows());
