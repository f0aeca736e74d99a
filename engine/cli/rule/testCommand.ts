/** For tests: `weir rule …` as a user runs it, the same within this process, and a folder with rules that goes away. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runnable } from "../../bundle.mjs";
import { runProgram } from "../program.ts";

const CLI = await runnable("engine/cli");

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Lines of stdout as JSON. */
  lines<T = Record<string, unknown>>(): T[];
}

export interface Surroundings {
  readonly cwd?: string;
  /** Variables, and none of the tests' own but PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
}

const variablesOf = (env: Surroundings["env"]) => ({ PATH: process.env.PATH, HOME: process.env.HOME, ...env });

/** In a process of its own: real streams, a real exit code, and 1 s of CPU. One test of each command at least. */
export function weirRuleProcess(
  args: readonly string[],
  { cwd = process.cwd(), env }: Surroundings = {},
): Promise<Ended> {
  return new Promise((resolve) =>
    execFile(
      process.execPath,
      [...CLI, "rule", ...args],
      { cwd, env: variablesOf(env), maxBuffer: 1 << 28 },
      (error, stdout, stderr) => resolve(ended(error ? Number(error.code) : 0, stdout, stderr)),
    ),
  );
}

const ended = (code: number, stdout: string, stderr: string): Ended => ({
  code,
  stdout,
  stderr,
  lines: <T>() => stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as T),
}); // biome-ignore format: one expression a line

let last: Promise<unknown> = Promise.resolve();

/** The same program within this process, one after the other: a command sees its arguments, folder, variables and streams. */
export const weirRule = (args: readonly string[], surroundings: Surroundings = {}): Promise<Ended> =>
  weir(["rule", ...args], surroundings);

/** Any command. */
export function weir(args: readonly string[], surroundings: Surroundings = {}): Promise<Ended> {
  const turn = last.then(() => runHere(args, surroundings));
  last = turn.catch(() => {});
  return turn;
}

async function runHere(args: readonly string[], { cwd = process.cwd(), env }: Surroundings): Promise<Ended> {
  const { argv, env: variables, exitCode } = process;
  const folder = process.cwd();
  const [stdout, stderr] = [collect(process.stdout), collect(process.stderr)];
  try {
    process.argv = [process.execPath, CLI.at(-1)!, ...args];
    process.env = variablesOf(env);
    process.exitCode = undefined;
    process.chdir(cwd);
    await runProgram();
    return ended(Number(process.exitCode ?? 0), stdout.text(), stderr.text());
  } finally {
    process.chdir(folder);
    Object.assign(process, { argv, env: variables, exitCode });
    stdout.end();
    stderr.end();
  }
}

/** What is written to the stream from now until `end()`, in its place. */
function collect(stream: NodeJS.WriteStream): { text(): string; end(): void } {
  const { write } = stream;
  let text = "";
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    const written = rest.find((one) => typeof one === "function");
    if (written) queueMicrotask(() => written());
    return true;
  };
  return {
    text: () => text,
    end: () => {
      stream.write = write;
    },
  };
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
