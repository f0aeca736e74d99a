/** The README is true: its shell blocks run on what `npm start` left behind, its rules build, what it names is there. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stopEmbedded } from "../clickhouse/embedded/open.ts";
import { admit } from "../engine/sandbox/admit.ts";
import { buildRule } from "../rules-as/cli/build.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);
const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map(([, code]) => code!);

describe("README", async () => {
  const readme = await readFile(join(ROOT, "README.md"), "utf8");
  let folder: string;
  const env = (): NodeJS.ProcessEnv => ({ PATH: process.env.PATH, HOME: process.env.HOME, WEIR_DATA: folder });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "weir-readme-"));
  });
  afterAll(async () => {
    await stopEmbedded(join(folder, "clickhouse"));
    await rm(folder, { recursive: true, force: true });
  });

  test("npm start -- --exit ends with the contract's summary, and the numbers in the text are its numbers", async () => {
    const { stdout } = await run("npm", ["start", "--silent", "--", "--exit"], { cwd: ROOT, env: env() });
    const summary = JSON.parse(stdout.trim().split("\n").at(-1)!) as Record<string, unknown>;
    expect(Object.keys(summary)).toEqual([
      "transactions",
      "blocks",
      "alerts",
      "findings",
      "dead_letters",
      "seconds",
      "tx_per_s",
    ]);
    const alerts = Object.values(summary.alerts as Record<string, number>).reduce((sum, count) => sum + count, 0);
    const shown = (count: unknown): string => (count as number).toLocaleString("en-US");
    expect(readme).toContain(
      `${shown(summary.transactions)} transactions in ${shown(summary.blocks)} blocks, ${shown(summary.dead_letters)} dead letters, ${shown(alerts)} alerts`,
    );
  });

  test.each(blocks(readme, "sh"))("%s", async (code) => {
    const { stdout } = await run("bash", ["-euo", "pipefail", "-c", code], { cwd: ROOT, env: env() });
    expect(stdout.trim().split("\n").length).toBeGreaterThan(1);
  });

  test.each(blocks(readme, "ts"))("this rule builds and is admitted: %s", async (code) => {
    const file = join(folder, "big-approval.ts");
    await writeFile(file, code);
    const { wasm, diagnostics } = await buildRule(file);
    expect(diagnostics).toEqual([]);
    expect(admit(wasm!)).toMatchObject({ ok: true, manifest: { name: "big-approval" } });
  });

  test("every link, npm script and command that the documents name is there", async () => {
    const documents = readme + (await readFile(join(ROOT, "ARCHITECTURE.md"), "utf8"));
    for (const [, target] of documents.matchAll(/\]\((?!http)([^)#]+)\)/g))
      expect(existsSync(join(ROOT, target!)), target).toBe(true);
    for (const [, path] of documents.matchAll(/`((?:engine|test|clickhouse|rules-as|api|bench)\/[\w./-]*)`/g))
      expect(existsSync(join(ROOT, path!)), path).toBe(true);
    const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    for (const [, script] of documents.matchAll(/npm run (?:--silent )?([\w:]+)/g))
      expect(Object.keys(scripts)).toContain(script);
    const { stdout: help } = await run("node", ["engine/weir.mjs", "--help"], { cwd: ROOT, env: env() });
    for (const [, command] of documents.matchAll(/npx weir (\w+)/g))
      expect(help).toMatch(new RegExp(`^  ${command}\\b`, "m"));
  });
});
