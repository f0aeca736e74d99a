/** Sends sources to the compiler's thread; one thread is kept for many rules, since loading asc takes longer than a rule. */
import { Worker } from "node:worker_threads";

export interface Request {
  /** what may be read, by path */
  readonly files: Readonly<Record<string, string>>;
  /** what is added to asc's library, by path without extension */
  readonly library: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
}

export interface RawDiagnostic {
  readonly code: number;
  readonly error: boolean;
  readonly message: string;
  readonly file: string | null;
  /** offsets in the file, in UTF-16 code units */
  readonly start: number;
  readonly end: number;
}

export interface Answer {
  readonly wasm: Uint8Array | null;
  /** JSON of the source map, if it was asked for */
  readonly map: string | null;
  readonly found: readonly RawDiagnostic[];
  /** the compiler's own failure, when it is not the source's */
  readonly failure: string | null;
}

interface Waiting {
  readonly id: number;
  readonly request: Request;
  readonly done: (answer: Answer) => void;
}

/** A large rule takes 2 s; one that takes this long is an endless loop of the compiler's. */
const LIMIT_MS = 60_000;

let worker: Worker | null = null;
let lastId = 0;
const queue: Waiting[] = [];

/** Compiles one program. Never rejects: a crash or a timeout of the compiler is an answer with `failure`. */
export function compile(request: Request): Promise<Answer> {
  return new Promise((done) => {
    queue.push({ id: ++lastId, request, done });
    if (queue.length === 1) next();
  });
}

function next(): void {
  const waiting = queue[0];
  if (!waiting) {
    worker?.unref();
    return;
  }
  const thread = (worker ??= start());
  thread.ref();
  const timer = setTimeout(() => {
    finish({ wasm: null, map: null, found: [], failure: `The compiler did not finish within ${LIMIT_MS / 1000} s` });
    void thread.terminate();
  }, LIMIT_MS);
  const finish = (answer: Answer) => {
    clearTimeout(timer);
    thread.off("message", onMessage).off("exit", onExit).off("error", onError);
    if (answer.failure !== null) {
      worker = null; // never reuse a compiler that failed
      void thread.terminate();
    }
    queue.shift();
    waiting.done(answer);
    next();
  };
  const onMessage = ({ wasm, map, found, failure }: Answer) => finish({ wasm, map, found, failure });
  const onExit = () => finish({ wasm: null, map: null, found: [], failure: "The compiler's thread ended" });
  const onError = (error: Error) =>
    finish({ wasm: null, map: null, found: [], failure: `The compiler crashed: ${error.message}` });
  thread.on("message", onMessage).on("exit", onExit).on("error", onError);
  thread.postMessage({ id: waiting.id, ...waiting.request });
}

function start(): Worker {
  return new Worker(new URL("./compiler.worker.mjs", import.meta.url), { execArgv: [] });
}
