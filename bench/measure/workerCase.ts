/** What a worker makes of batches in memory, alone in a process: CPU by stage, of the engine's own pure function. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { runnable } from "../../engine/bundle.mjs";
import { NODE_FLAGS } from "../../engine/nodeFlags.mjs";
import type { Stage } from "../../engine/worker/process.ts";
import type { GrowthLoad } from "../load/growthLoad.ts";

export interface WorkerCase {
  readonly load: GrowthLoad;
  /** At least so many transactions; blocks are not cut. */
  readonly transactions: number;
  /** The first so many rules of the dense mix, which count; or one that alerts on this share of the mix's transactions. */
  readonly rules: { readonly dense: number } | { readonly alertingOn: number };
  readonly runs: number;
}

export interface WorkerCaseResult {
  readonly transactions: number;
  /** Mean size of a record. */
  readonly bytes: number;
  readonly deadLetters: number;
  readonly alerts: number;
  /** Of counting rules. */
  readonly matches: number;
  /** The same by brute force over the JSON. */
  readonly expected: { readonly alerts: number; readonly matches: number };
  /** µs of CPU a transaction, by run. */
  readonly stages: Readonly<Record<Stage, readonly number[]>>;
}

/** @throws Error when the process fails */
export async function runWorkerCase(each: WorkerCase): Promise<WorkerCaseResult> {
  const script = await runnable("bench/measure/workerCaseProcess");
  const child = fork(script.at(-1)!, [JSON.stringify(each)], { execArgv: [...NODE_FLAGS, ...script.slice(0, -1)] });
  let result: WorkerCaseResult | undefined;
  child.once("message", (message) => {
    result = message as WorkerCaseResult;
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (result === undefined || code !== 0)
    throw new Error(`Cannot measure ${JSON.stringify(each)}: its process ended with ${code}`);
  return result;
}
