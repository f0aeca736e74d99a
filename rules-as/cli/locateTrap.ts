/**
 * Where in the author's source a rule failed. A failure in the sandbox names a function at best; here the same transaction runs
 * through the same code once more, built with a source map: metered where the budget ended, else as the compiler made it.
 */
import { basename, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { buildRule } from "./build.ts";
import { codeFrameOf } from "./diagnostics.ts";
import { functionBodies, type Mapping, parseSourceMap } from "./sourceMap.ts";
import { ENTRY, ruleSources } from "./sources.ts";
import { type CallSite, traceMetered } from "./traceMetered.ts";

export interface TrapPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The line with the place underlined. */
  readonly codeFrame: string;
}

export interface RuleFailure {
  /** What the sandbox said. */
  readonly message: string;
  /** The transaction's frame. */
  readonly frame: Uint8Array;
}

/** A transaction that failed in the sandbox ends here as well; without its state and lists it may not. */
const LIMIT_MS = 5_000;

/** @param file the rule's source  @returns null when no place can be told, such as for a source that has changed since */
export async function locateTrap(file: string, { message, frame }: RuleFailure): Promise<TrapPlace | null> {
  const files = ruleSources(resolve(file));
  const inFile = (name: string, line: number, column: number): TrapPlace => ({
    file: name,
    line,
    column,
    codeFrame: codeFrameOf(files[name]!, line, column, tokenLength(files[name]!, line, column)),
  });
  const abort = /at ([\w./-]+\.ts):(\d+):(\d+)$/.exec(message);
  if (abort && files[abort[1]!] !== undefined) return inFile(abort[1]!, Number(abort[2]), Number(abort[3]));

  const { wasm, map } = await buildRule(file, { sourceMap: true });
  if (wasm === null || map === null) return null;
  const mappings = parseSourceMap(map);
  const isAuthors = ({ source }: Mapping): boolean => source !== ENTRY && files[source] !== undefined;
  const bodies = functionBodies(wasm);
  const exhausted = /used up/.test(message) && /function (\d+)/.exec(message);
  const calls = exhausted
    ? traceMetered(wasm, frame)
    : (await trace(wasm, frame)).map((offset) => ({ offset, before: false }));
  // With other state, or in a library's function that nothing of the author's calls, the function that the message names is all there is.
  const place =
    innermost(mappings, isAuthors, bodies, calls) ??
    (exhausted && firstIn(mappings.filter(isAuthors), bodies[Number(exhausted[1]) - importsOf(wasm)]));
  return place ? inFile(place.source, place.line, place.column) : null;
}

/** `big.ts:6:18` and the line below it. */
export const formatPlace = ({ file, line, column, codeFrame }: TrapPlace): string =>
  `${basename(file)}:${line}:${column}\n${codeFrame}`;

/** Of the stack, innermost first, the first place in the author's files: a library's code may be inlined into them. */
function innermost(
  mappings: readonly Mapping[],
  isAuthors: (mapping: Mapping) => boolean,
  bodies: ReturnType<typeof functionBodies>,
  stack: readonly CallSite[],
): Mapping | undefined {
  for (const { offset, before } of stack) {
    const body = bodies.find(({ from, to }) => from <= offset && offset < to);
    if (!body) continue;
    const next = before ? mappings.find((one) => one.offset >= offset && one.offset < body.to) : undefined;
    if (next && isAuthors(next)) return next;
    const place = mappings.findLast((one) => one.offset <= offset && one.offset >= body.from && isAuthors(one));
    if (place) return place;
  }
  return undefined;
}

const firstIn = (mappings: readonly Mapping[], body: { from: number; to: number } | undefined): Mapping | undefined =>
  body && mappings.find(({ offset }) => body.from <= offset && offset < body.to);

/** Offsets of the calls that led to the trap; none if it did not come in time. */
function trace(wasm: Uint8Array, frame: Uint8Array): Promise<number[]> {
  return new Promise((done) => {
    const worker = new Worker(new URL("./trace.worker.mjs", import.meta.url), {
      workerData: { wasm, frame },
      execArgv: [],
    });
    const timer = setTimeout(() => finish([]), LIMIT_MS);
    const finish = (stack: number[]) => {
      clearTimeout(timer);
      void worker.terminate();
      done(stack);
    };
    worker.on("message", finish);
    worker.on("error", () => finish([]));
  });
}

function tokenLength(text: string, line: number, column: number): number {
  const rest = (text.split("\n")[line - 1] ?? "").slice(column - 1);
  return /^\w+|^./.exec(rest)?.[0].length ?? 1;
}

const importsOf = (wasm: Uint8Array): number =>
  (WebAssembly.Module as unknown as { imports(module: WebAssembly.Module): { kind: string }[] })
    .imports(new WebAssembly.Module(wasm))
    .filter(({ kind }) => kind === "function").length;
