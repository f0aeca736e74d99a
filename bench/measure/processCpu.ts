import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** CPU seconds of a process since its start, by name of its threads. */
export type ThreadCpu = Readonly<Record<string, number>>;

/** Reads /proc; undefined where there is none. The thread whose id is the process's is called `main`. */
export function threadCpu(pid: number): ThreadCpu | undefined {
  const seconds: Record<string, number> = {};
  let ids: string[];
  try {
    ids = readdirSync(`/proc/${pid}/task`);
  } catch {
    return undefined;
  }
  for (const id of ids) {
    const thread = readThread(pid, id);
    if (thread) seconds[thread.name] = (seconds[thread.name] ?? 0) + thread.seconds;
  }
  return seconds;
}

/** CPU seconds of all its threads; NaN where the kernel does not tell, or the process is none of ours. */
export function processCpu(pid: number | undefined): number {
  const threads = pid === undefined ? undefined : threadCpu(pid);
  return threads === undefined ? Number.NaN : Object.values(threads).reduce((sum, seconds) => sum + seconds, 0);
}

/** undefined for a thread that has just ended */
function readThread(pid: number, id: string): { name: string; seconds: number } | undefined {
  try {
    const name = id === String(pid) ? "main" : readFileSync(`/proc/${pid}/task/${id}/comm`, "utf8").trim();
    // "<ns on a CPU> <ns waiting for one> <slices>"
    return { name, seconds: Number.parseInt(readFileSync(`/proc/${pid}/task/${id}/schedstat`, "utf8"), 10) / 1e9 };
  } catch {
    return undefined;
  }
}

/** The most memory that the process has had resident so far, in bytes; undefined where the kernel does not tell. */
export const peakMemory = (pid: number): number | undefined => readStatus(pid, "VmHWM");

/** From now on `peakMemory` of this process is of what comes. Without effect where the kernel does not take it. */
export function forgetPeak(): void {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    return;
  }
}

/** What it has resident now. */
export const residentMemory = (pid: number): number | undefined => readStatus(pid, "VmRSS");

function readStatus(pid: number, name: string): number | undefined {
  try {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}
