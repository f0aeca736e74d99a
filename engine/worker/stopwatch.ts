import { openSync, readSync } from "node:fs";
import type { Stage } from "./process.ts";

/** Seconds of a thread's CPU that a batch took in each stage. */
export type StageSeconds = Partial<Record<Stage, number>>;

export interface Stopwatch {
  start(): void;
  lap(stage: Stage): void;
  take(): StageSeconds;
}

/** Measures the stages of one batch after the other. @param clock seconds, ascending */
export function createStopwatch(clock: () => number = createThreadClock()): Stopwatch {
  let seconds: StageSeconds = {};
  let last = 0;
  return {
    start() {
      seconds = {};
      last = clock();
    },
    lap(stage) {
      const now = clock();
      seconds[stage] = (seconds[stage] ?? 0) + now - last;
      last = now;
    },
    take: () => seconds,
  };
}

/**
 * CPU that the calling thread has used, in seconds; where the kernel does not tell (other systems than Linux), time gone by.
 * With more threads than cores the two differ much. Linux counts at each tick (4 ms) and switch, so a single batch is off by
 * up to a tick, and the sum of many is right. Node has process.threadCpuUsage() from 23.9 on only.
 */
export function createThreadClock(): () => number {
  let file: number;
  try {
    file = openSync("/proc/thread-self/schedstat", "r"); // "<ns on a CPU> <ns waiting for one> <slices>"
  } catch {
    return () => performance.now() / 1000;
  }
  const bytes = Buffer.alloc(64);
  return () => Number.parseInt(bytes.toString("latin1", 0, readSync(file, bytes, 0, bytes.length, 0)), 10) / 1e9;
}
