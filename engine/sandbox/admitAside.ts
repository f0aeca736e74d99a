/**
 * Admission beside the event loop: in a thread that is kept warm, and thrown away once a module takes too long in it or brings
 * it down. Whatever is uploaded, the API's thread does no more than copy its bytes.
 */
import { Worker } from "node:worker_threads";
import type { Admission } from "./admit.ts";
import type { AdmissionAnswer } from "./admitThread.ts";
import type { Finding, FindingCode } from "./finding.ts";
import { MODULE_LIMITS } from "./limits.ts";
import { SandboxExhausted } from "./trap.ts";

/** A rule takes 2 to 5 ms, the worst that the limits let through about a second; on a busy machine several times that. */
export const ADMISSION_TIMEOUT_MS = 10_000;
/** MiB of JavaScript's heap: the worst module of 1 MiB takes 20 */
const HEAP_MB = 128;
/** So many modules are on their way at once: the thread never waits for the next, and what a dead one takes with it is little. */
const UNDER_WAY = 8;

export interface AdmissionThread {
  /**
   * `admit` in the thread, modules in the order in which they were given.
   *
   * @param bytes what an author uploads; copied
   * @param options.timeoutMs after which the module is refused with the code `timeout`; counts from when its turn comes
   * @returns the admission; rejects with SandboxExhausted when the process is out of memories: try again later
   */
  admit(bytes: Uint8Array, options?: { timeoutMs?: number }): Promise<Admission>;
}

interface Job {
  readonly bytes: Uint8Array;
  readonly timeoutMs: number;
  done(admission: Admission): void;
  failed(error: Error): void;
}

/** The thread starts with the first module (0.3 s) and keeps nobody's process alive. */
export function createAdmissionThread({ heapMb = HEAP_MB } = {}): AdmissionThread {
  /** In order; the thread has the first `sent` of them and is at work on the first. */
  const jobs: Job[] = [];
  let sent = 0;
  let thread: Worker | null = null;
  let timer: NodeJS.Timeout | undefined;

  /** Keeps the thread supplied, making one if there is none. */
  function send(): void {
    if (jobs.length === 0) {
      thread?.unref();
      return;
    }
    thread ??= start();
    thread.ref();
    for (; sent < Math.min(jobs.length, UNDER_WAY); sent++) thread.postMessage(jobs[sent]!.bytes);
  }

  function start(): Worker {
    const worker = new Worker(new URL("./admitThread.mjs", import.meta.url), {
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    worker.on("message", (answer: AdmissionAnswer) => {
      if (worker !== thread) return;
      if (answer.kind !== "ready") finish(answer);
      watch(worker);
      send();
    });
    worker.on("error", ({ message }) => giveUp(worker, "crash", `its admission broke off: ${message}`));
    worker.on("exit", (code) => giveUp(worker, "crash", `its admission ended with exit code ${code}`));
    return worker;
  }

  function finish(answer: Exclude<AdmissionAnswer, { kind: "ready" }>): void {
    const { done, failed } = jobs.shift()!;
    sent--;
    if (answer.kind === "admission") done(answer.admission);
    else failed(answer.kind === "exhausted" ? new SandboxExhausted(answer.message) : new Error(answer.message));
  }

  /** Measures the first job's time, from now on. */
  function watch(worker: Worker): void {
    clearTimeout(timer);
    const job = jobs[0];
    if (job === undefined) return;
    const late = () => {
      if (worker !== thread || jobs[0] !== job) return;
      giveUp(worker, "timeout", `it took more than ${job.timeoutMs} ms to check and compile, expected a few`);
    };
    // If it was this thread that stood still, the answer may be here already: it is read before the immediate.
    timer = setTimeout(() => setImmediate(late), job.timeoutMs);
  }

  /** The first job is refused, the others go to a new thread. */
  function giveUp(worker: Worker, code: FindingCode, why: string): void {
    if (worker !== thread) return;
    thread = null;
    sent = 0;
    clearTimeout(timer);
    void worker.terminate();
    jobs.shift()?.done(refused(code, `Cannot admit the module: ${why}. Make it smaller`));
    send();
  }

  return {
    admit(bytes, { timeoutMs = ADMISSION_TIMEOUT_MS } = {}) {
      const [actual, limit] = [bytes.length, MODULE_LIMITS.moduleBytes];
      if (actual > limit) {
        // not even copied; in the words that admit has for it
        const message = `Cannot admit a module (bytes): ${actual}, expected at most ${limit}`;
        return Promise.resolve(refused("module_too_large", message, { limit, actual }));
      }
      return new Promise((done, failed) => {
        jobs.push({ bytes, timeoutMs, done, failed });
        send();
      });
    },
  };
}

function refused(code: FindingCode, message: string, place: Partial<Finding> = {}): Admission {
  const nowhere = { section: null, function: null, offset: null, limit: null, actual: null };
  return { ok: false, findings: [{ code, message, ...nowhere, ...place }] };
}

/** The process's own: for uploads. */
export const admitAside: AdmissionThread["admit"] = createAdmissionThread().admit;
