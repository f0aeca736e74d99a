import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { weir } from "./cli/rule/testCommand.ts";

const SOURCE = fileURLToPath(new URL("./cli.ts", import.meta.url));
const WEIR = fileURLToPath(new URL("./weir.mjs", import.meta.url));
const run = promisify(execFile);

/** A module that notes the URL of every module that is loaded, in the file $LOADED. */
const HOOK = `import { appendFileSync } from "node:fs";
  export async function load(url, context, next) { appendFileSync(process.env.LOADED, url + "\\n"); return next(url, context); }`;
const SPY = `import { register } from "node:module"; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(HOOK)}`)})`;

test("a command loads what it needs: --help no package but commander (beside the TypeScript loader), sql no Kafka and no rules", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weir-cli-"));
  const loadedBy = async (name: string, ...args: string[]): Promise<string[]> => {
    const file = join(folder, name);
    const spy = `data:text/javascript,${encodeURIComponent(SPY)}`;
    await run("node", ["--import", "tsx", "--import", spy, SOURCE, ...args], {
      env: { ...process.env, LOADED: file },
    });
    return (await readFile(file, "utf8")).split("\n");
  };
  try {
    const help = await loadedBy("help", "--help");
    expect(help.filter((url) => /node_modules\/(?!commander\/|tsx\/|esbuild\/)/.test(url))).toEqual([]);
    const sql = await loadedBy("sql", "help", "sql");
    expect(sql.filter((url) => url.includes("/engine/cli/sql.ts"))).toHaveLength(1);
    expect(sql.filter((url) => /\/engine\/(kafka|rules|sandbox)\//.test(url))).toEqual([]);
    const list = await loadedBy("list", "rule", "list", "--help");
    expect(list.filter((url) => url.includes("/engine/cli/rule/list.ts"))).toHaveLength(1);
    expect(
      list.filter((url) => /\/(assemblyscript|viem)\/|\/engine\/cli\/rule\/(run|test|codegen)\.ts/.test(url)),
    ).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a usage error is exit 2 with a suggestion, also in a command's command", async () => {
  const strat = await run("node", [WEIR, "strat"]).catch((error) => error); // a real exit code
  expect(strat).toMatchObject({ code: 2, stderr: expect.stringContaining("Did you mean start?") });
  expect(await weir(["config", "shw"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Did you mean show?"),
  });
  expect(await weir(["replay", "x", "--agian"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Did you mean --again?"),
  });
});

test("the version is that of package.json", async () => {
  const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
  expect((await run("node", [WEIR, "--version"])).stdout.trim()).toBe(version);
});
