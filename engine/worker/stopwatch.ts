import { openSync, readSync } from "node:fs";
import type { Stage } from "./process.ts";

/** Seconds of a thread's CPU that a batch took in each stage. */
export type StageSeconds = Partial<Record<Stage, number>>;

export interface Stopwatch {
  /** @param bytes of the batch  Default: it is measured. */
  start(bytes?: number): void;
  lap(stage: Stage): void;
  take(): StageSeconds;
}

/** Of batches of less than so many bytes one in sixteen is measured, and counts sixteenfold: asking the kernel seven times took 40 of 90 µs. */
const SMALL = 64 << 10;
const ONE_IN = 16;

/** Measures the stages of one batch after the other. @param clock seconds, ascending */
export function createStopwatch(clock: () => number = createThreadClock()): Stopwatch {
  let seconds: StageSeconds = {};
  let last = 0;
  let small = 0;
  /** How often the batch counts. */
  let times = 1;
  return {
    start(bytes = SMALL) {
      seconds = {};
      times = bytes >= SMALL ? 1 : small++ % ONE_IN === 0 ? ONE_IN : 0;
      if (times > 0) last = clock();
    },
    lap(stage) {
      if (times === 0) return;
      const now = clock();
      seconds[stage] = (seconds[stage] ?? 0) + times * (now - last);
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
