/**
 * What the compiler answered is kept in the user's cache folder, by the hash of all that decides it: every source, the flags, the
 * compiler. The same program compiled again, wherever it lies, costs a file read and not 2 s of CPU. Mistakes are kept as well:
 * they are an answer, and formatted anew each time. An entry, named by its key:
 *
 *     $XDG_CACHE_HOME or ~/.cache     weir/rules/6b86b273…     sha256(key + body) in hex, a line feed, the body
 *
 * body: JSON of the answer, its module in base64.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder, UNUSABLE } from "../../engine/ops/cacheFolder.ts";
import { type Answer, compile, type Request } from "./compiler.ts";

/** About 20 KB each, 200 KB with a source map. Beyond it the ones that were not used for longest go, a quarter of them. */
const MOST_ENTRIES = 400;

/** `compile()`, unless it has been asked the same before. A failure of the compiler itself is not kept. */
export async function compileOnce(request: Request, cache = join(cacheFolder(), "rules")): Promise<Answer> {
  const key = keyOf(request);
  const kept = usable(() => read(cache, key));
  if (kept) return kept;
  const answer = await compile(request);
  if (answer.failure === null) usable(() => keep(cache, key, answer));
  return answer;
}

function keyOf({ files, library, argv }: Request): string {
  const parts = [compilerOf(), ...argv, "", ...Object.entries(files).flat(), "", ...Object.entries(library).flat()];
  return sha256(JSON.stringify(parts)); // as JSON: no two lists of texts give the same one
}

let compiler = "";

/** The versions of what compiles, and the file of ours that calls it. */
function compilerOf(): string {
  if (compiler) return compiler;
  const require = createRequire(import.meta.url);
  const asc = require.resolve("assemblyscript/package.json");
  const binaryen = join(dirname(createRequire(asc).resolve("binaryen")), "package.json");
  const worker = fileURLToPath(new URL("compiler.worker.mjs", import.meta.url));
  const texts = [asc, binaryen, worker].map((file) => readFileSync(file, "utf8"));
  compiler = JSON.stringify([process.version, ...texts]);
  return compiler;
}

/** @returns null when there is none, or one that was damaged, or that somebody else could have written */
function read(cache: string, key: string): Answer | null {
  const file = join(cache, key);
  const { uid, mode } = statSync(cache);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) return null;
  const text = readFileSync(file, "utf8");
  const body = text.slice(text.indexOf("\n") + 1);
  if (text !== `${sha256(key + body)}\n${body}`) return null;
  const now = new Date();
  utimesSync(file, now, now);
  const { wasm, map, found } = JSON.parse(body) as Omit<Answer, "wasm" | "failure"> & { wasm: string | null };
  return { wasm: wasm === null ? null : new Uint8Array(Buffer.from(wasm, "base64")), map, found, failure: null };
}

/** Builds run at the same time: an entry is there whole or not at all. */
function keep(cache: string, key: string, { wasm, map, found }: Answer): void {
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  const body = JSON.stringify({ wasm: wasm && Buffer.from(wasm).toString("base64"), map, found });
  const draft = join(cache, `${key}.${randomUUID()}`);
  writeFileSync(draft, `${sha256(key + body)}\n${body}`);
  renameSync(draft, join(cache, key));
  const names = readdirSync(cache);
  if (names.length <= MOST_ENTRIES) return;
  const used = (name: string): number => statSync(join(cache, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const oldest = names.map((name) => ({ name, at: used(name) })).sort((a, b) => a.at - b.at);
  for (const { name } of oldest.slice(0, MOST_ENTRIES / 4)) rmSync(join(cache, name), { force: true });
}

/** A cache that is not there, or cannot be written, is no reason not to compile. */
function usable<T>(use: () => T): T | null {
  try {
    return use();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && !UNUSABLE.has(code)) throw error;
    return null;
  }
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
