/**
 * Our TypeScript as the few JavaScript files that Node runs: made by esbuild when a source has changed, kept under node_modules.
 * Without it every process and thread passes several hundred modules, ours and those of packages, through a TypeScript loader.
 * Measured, CPU of `weir replay` of 300 transactions with 2 threads: 4.8 s, bundled 1.8 s.
 *
 *     sources ──sha256──▶ node_modules/.cache/weir/<hash>/   engine/cli.mjs   engine/worker/entry.mjs   …   chunk-….mjs
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { readFile, rename, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CACHE = join(ROOT, "node_modules/.cache/weir");
const ROOMS = ["engine", "api", "clickhouse", "rules-as/cli", "bench", "test/support"];
/** What a process or a thread begins with. What is measured or disturbed runs as users run it. */
const ENTRIES = [
  "engine/cli",
  "engine/worker/entry",
  "engine/sandbox/admitThread",
  "clickhouse/embedded/child",
  "clickhouse/embedded/postgres/thread",
  "clickhouse/exports/fileThread",
  "bench/load/httpLoadProcess",
  "bench/measure/engineProcess",
  "bench/measure/liveProcess",
  "bench/peers/bareHono",
  "bench/measure/ruleCaseProcess",
  "bench/measure/countingProcess",
  "bench/measure/countThread",
  "bench/measure/workerCaseProcess",
  "bench/peers/nodePeerProcess",
  "test/support/tracedReplay",
];
/** Native, or they look for files beside their own. */
const EXTERNAL = [
  ...["@confluentinc/kafka-javascript", "chdb", "@electric-sql/pglite", "pg-native", "@node-rs/argon2"],
  ...["assemblyscript", "esbuild", "pino", "piscina", "viem"],
  "@opentelemetry/*", // few want it
];
/** Of sources that have changed since: whoever still runs it may have parts to load. */
const KEPT_MS = 24 * 3_600_000;
/** No place to keep it, as where node_modules belongs to somebody else. */
const UNUSABLE = new Set(["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT"]);

/**
 * @param {string} entry one of ENTRIES
 * @returns {Promise<string[]>} Node's arguments that run it: its bundle, or the TypeScript loader and its source where a bundle
 * cannot be kept
 */
export async function runnable(entry) {
  const folder = join(CACHE, hashOfSources());
  try {
    if (!existsSync(folder)) await make(folder);
    return [join(folder, `${entry}.mjs`)];
  } catch (error) {
    if (!UNUSABLE.has(error.code)) throw error;
    return ["--import", import.meta.resolve("tsx"), join(ROOT, `${entry}.ts`)];
  }
}

/** 20 ms. */
function hashOfSources() {
  const hash = createHash("sha256").update(ROOT);
  for (const file of ["engine/bundle.mjs", "package-lock.json", ...ROOMS.flatMap(sourcesOf)])
    hash.update(file).update(readFileSync(join(ROOT, file)));
  return hash.digest("hex").slice(0, 16);
}

const sourcesOf = (room) =>
  readdirSync(join(ROOT, room), { recursive: true })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .sort()
    .map((name) => `${room}/${name}`);

/** Safe for several processes at once: each fills a folder of its own, and the first rename wins. */
async function make(folder) {
  const { build } = await import("esbuild");
  const draft = `${folder}.${randomBytes(4).toString("hex")}`;
  try {
    await build({
      absWorkingDir: ROOT,
      entryPoints: ENTRIES.map((entry) => `${entry}.ts`),
      outbase: ROOT,
      outdir: draft,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: true, // for `node --enable-source-maps`
      external: EXTERNAL,
      plugins: [urls(folder)],
      banner: { js: `import { createRequire as $r } from "node:module"; const require = $r(import.meta.url);` }, // for CommonJS
      logLevel: "silent",
    });
    await rename(draft, folder);
    await dropOld();
  } catch (error) {
    if (!existsSync(folder)) throw error; // else another was faster: its bundle is as good
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** A source keeps its own URL, wherever its code ends up, so that it finds what lies beside it; an entry's URL is its bundle's. */
const urls = (folder) => ({
  name: "urls",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.m?[jt]s$/ }, async ({ path }) => {
      if (path.includes("/node_modules/")) return undefined;
      const own = pathToFileURL(path).href;
      const contents = (await readFile(path, "utf8"))
        .replace(/new URL\("([^"]+)", import\.meta\.url\)/g, (whole, to) => {
          const entry = relative(ROOT, fileURLToPath(new URL(to, own))).replace(/\.m?[jt]s$/, "");
          return ENTRIES.includes(entry) ? `new URL("${pathToFileURL(join(folder, `${entry}.mjs`))}")` : whole;
        })
        .replace(/import\.meta\.url/g, JSON.stringify(own));
      return { contents, loader: "ts" };
    }),
});

async function dropOld() {
  for (const name of readdirSync(CACHE)) {
    const folder = join(CACHE, name);
    if (Date.now() - statSync(folder).mtimeMs > KEPT_MS) await rm(folder, { recursive: true, force: true });
  }
}
