/** How long something takes by the clock, and what the embedded store's process uses for it. */
import { readAddress } from "../../clickhouse/embedded/lockFile.ts";
import { threadCpu } from "../measure/processCpu.ts";

export async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** CPU seconds so far. */
export type CpuClock = () => number;

/** Of the child that serves the folder; where the kernel does not tell, it stands still. */
export async function storeCpu(folder: string): Promise<CpuClock> {
  const { pid } = (await readAddress(folder))!;
  return () => Object.values(threadCpu(pid) ?? {}).reduce((sum, seconds) => sum + seconds, 0);
}
