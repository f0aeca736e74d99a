/**
 * Which test files need not run, as `go test` has it: a file that has passed passes again while all that its outcome depends on
 * is the same. Only files of the unit project: each run of the system's says something new, with brokers and kills. Those that
 * draw random cases draw others each day, so they run again the next day.
 *
 *     file ──esbuild──▶ all modules it imports ─┐
 *     packages, configuration, what is no code ─┼─sha256──▶ key   kept with the counts when the file has passed
 *     all sources, if it starts processes ──────┤
 *     the day, if it draws random cases ────────┘
 *
 * Kept under node_modules: a fresh clone runs everything.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { build } from "esbuild";

/** Which tests of a file ran when it passed last, and what it was then. */
export interface Passed {
  readonly key: string;
  readonly passed: number;
  readonly skipped: number;
}

export type PassedFiles = Readonly<Record<string, Passed>>;

const KEPT = "node_modules/.cache/weir-tests.json";
const UNIT = /^(engine|api|clickhouse|bench|rules-as)\/.*\.test\.ts$/;
const CODE = /\.m?ts$/;
/** Imported by those that draw random cases. */
const RANDOM = "fast-check";
/** Imported by what runs sources that nobody imports: processes and threads. */
const STARTERS = new Set(["node:child_process", "node:worker_threads", "piscina"]);
/** What tests are told by the environment. */
const VARIABLES = ["FUZZ_RUNS", "FUZZ_SEED", "WEIR_FUZZ", "WEIR_FUZZ_SEED", "TZ", "LANG"];

/**
 * The key of each unit test file that may be left out when its key is one that it passed with.
 * @param root folder of the checkout
 * @param files all files of the checkout that are not ignored, relative to it
 * @param day on which it is asked
 */
export async function testKeys(
  root: string,
  files: readonly string[],
  day = new Date().toISOString().slice(0, 10),
): Promise<ReadonlyMap<string, string>> {
  const read = remembered((file: string) =>
    createHash("sha256")
      .update(readFileSync(join(root, file)))
      .digest("hex"),
  );
  const hashOf = (names: Iterable<string>, ...more: string[]) => {
    const hash = createHash("sha256");
    for (const name of [...names].sort()) hash.update(`${name} ${read(name)}\n`);
    return hash.update(more.join("\n")).digest("hex");
  };
  const tests = files.filter((file) => UNIT.test(file));
  const sources = files.filter((file) => CODE.test(file) && !file.endsWith(".test.ts"));
  const always = hashOf(
    // The sources of rules are compiled, not imported.
    files.filter(
      (file) => !CODE.test(file) || file === "vitest.config.ts" || /^rules-as\/(assembly|examples)\//.test(file),
    ),
    process.version,
    process.platform,
    process.arch,
    ...VARIABLES.map((name) => `${name}=${process.env[name] ?? ""}`),
    sharedData(root),
  );
  const withSources = hashOf(sources, always);
  const imports = await importsOf(root, tests);
  const keys = new Map<string, string>();
  for (const test of tests) {
    const reached = reachableFrom(test, imports);
    const modules = [...reached].filter((name) => imports.has(name));
    const starts = modules.some((name) => name.endsWith(".mjs")) || [...STARTERS].some((name) => reached.has(name));
    keys.set(test, hashOf(modules, starts ? withSources : always, reached.has(RANDOM) ? day : ""));
  }
  return keys;
}

/** What each module of ours imports: modules by their path, packages by their name. */
async function importsOf(root: string, entryPoints: string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints,
    outdir: "none",
    bundle: true,
    splitting: true, // else each test's whole closure is printed: ten times the work
    write: false,
    metafile: true,
    treeShaking: false, // a module whose exports nobody uses runs all the same
    packages: "external",
    platform: "node",
    format: "esm",
    logLevel: "silent",
  });
  return new Map(Object.entries(metafile.inputs).map(([name, { imports }]) => [name, imports.map(({ path }) => path)]));
}

function reachableFrom(name: string, imports: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const reached = new Set([name]);
  for (const each of reached) for (const imported of imports.get(each) ?? []) reached.add(imported); // a Set yields what is added
  return reached;
}

/** Real blocks that lie beside the checkout are hundreds of megabytes: size and time stand for them. */
function sharedData(root: string): string {
  const folder = join(root, "../shared/data");
  if (!existsSync(folder)) return "";
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return names
    .map((name) => {
      const { size, mtimeMs } = statSync(join(folder, name));
      return `${name} ${size} ${mtimeMs}`;
    })
    .join("\n");
}

/** What has passed; nothing where that cannot be read. */
export async function passedFiles(root: string): Promise<PassedFiles> {
  const text = await readFile(join(root, KEPT), "utf8").catch(() => "{}");
  return JSON.parse(text) as PassedFiles;
}

export async function keepPassed(root: string, files: PassedFiles): Promise<void> {
  const path = join(root, KEPT);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, `${JSON.stringify(files, undefined, 1)}\n`);
  await rename(`${path}.new`, path);
}

function remembered<K, V>(of: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    if (!known.has(key)) known.set(key, of(key));
    return known.get(key)!;
  };
}
