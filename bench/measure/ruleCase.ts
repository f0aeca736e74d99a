/** One set of rules through the engine's rule stage, alone in a process: what it finds, how long it takes, what memory it has. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { runnable } from "../../engine/bundle.mjs";
import { NODE_FLAGS } from "../../engine/nodeFlags.mjs";
import type { MixName } from "../load/ruleMix.ts";
import type { Pairs } from "../load/ruleTruth.ts";

export interface RuleCase {
  readonly mix: MixName;
  readonly rules: number;
  /** JSON rules, or a WebAssembly module each behind the same condition: as they are written out, or as if each had a source of its own. */
  readonly as: "json" | "modules" | "own code";
  /** Write alerts, or count matches only. */
  readonly alerts: boolean;
  readonly transactions: number;
  /** Transactions at the beginning whose pairs are looked at one by one. */
  readonly checked: number;
  readonly runs: number;
}

export interface RuleCaseResult {
  /** Of the first `checked` transactions, by the index. */
  readonly pairs: Pairs;
  /** Of all, by the index and by the stage's counts, and alerts written. */
  readonly selected: number;
  readonly matches: number;
  readonly failures: number;
  readonly alerts: number;
  /** From rules as JSON, or modules compiled, to a stage that can run. */
  readonly buildSeconds: number;
  /** CPU of the thread a transaction, by run. */
  readonly microseconds: readonly number[];
  /** Of all batches of all runs, by the clock on the wall. */
  readonly p99Milliseconds: number;
  /** Resident in the end, transactions and rules included. */
  readonly rssBytes: number;
  /** Resident before the rules were there. */
  readonly rssBefore: number;
}

/** @throws Error when the process fails */
export async function runRuleCase(each: RuleCase): Promise<RuleCaseResult> {
  const script = await runnable("bench/measure/ruleCaseProcess");
  const child = fork(script.at(-1)!, [JSON.stringify(each)], {
    execArgv: [...NODE_FLAGS, ...script.slice(0, -1), ...(process.env.BENCH_NODE_FLAGS?.split(" ") ?? [])],
  });
  let result: RuleCaseResult | undefined;
  child.once("message", (message) => {
    result = message as RuleCaseResult;
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (result === undefined || code !== 0)
    throw new Error(`Cannot measure ${each.rules} rules of the mix "${each.mix}": the process ended with ${code}`);
  return result;
}
