/** For tests: `weir rule …` as a user runs it, and a folder with rules that goes away. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const CLI = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const LOADER = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Lines of stdout as JSON. */
  lines<T = Record<string, unknown>>(): T[];
}

export function weirRule(
  args: readonly string[],
  { cwd = process.cwd(), env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  const variables = { PATH: process.env.PATH, HOME: process.env.HOME, ...env };
  return new Promise((resolve) =>
    execFile(
      process.execPath,
      ["--import", LOADER, CLI, "rule", ...args],
      { cwd, env: variables, maxBuffer: 1 << 28 },
      (error, stdout, stderr) => {
        const code = error ? Number(error.code) : 0;
        const lines = <T>() => stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as T); // biome-ignore format: one expression
        resolve({ code, stdout, stderr, lines });
      },
    ),
  );
}

export interface Workbench {
  readonly folder: string;
  /** @returns its path */
  write(name: string, content: string | Uint8Array): string;
  remove(): void;
}

export function createWorkbench(): Workbench {
  const folder = mkdtempSync(join(tmpdir(), "weir-rule-"));
  return {
    folder,
    write(name, content) {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
