/** What Piscina runs in each worker thread: finds the task's rules and world, and lets `processBatch` do the work. */
import { move, transferableSymbol, valueSymbol } from "piscina";
import type { LiveRule } from "../rules/liveRule.ts";
import { ruleKey } from "../rules/ruleKey.ts";
import type { Batch } from "../source/batch.ts";
import type { World } from "../world/world.ts";
import type { Outcome } from "./outcome.ts";
import { createProcessor, type Processor } from "./process.ts";
import { createStopwatch, type StageSeconds } from "./stopwatch.ts";

export interface WorkerTask {
  readonly batch: Batch;
  /** Ids of the rule snapshot and the world to run in. */
  readonly catalogue: string;
  readonly world: string;
  /** What is behind the ids, sent to a thread that asked for it. */
  readonly context: { readonly rules: readonly LiveRule[]; readonly world: World } | undefined;
  /** Shared: set to 1 when a thread takes the task up. */
  readonly taken: Int32Array;
  /** By `ruleKey`, for the search of a rule that ends threads: nothing but these run, or these do not, and why. With a context. */
  readonly only?: readonly string[];
  readonly without?: Readonly<Record<string, string>>;
}

/** Errors are answered, not thrown: what the pool sees thrown is the end of a thread. */
export type WorkerAnswer =
  | { readonly kind: "outcome"; readonly outcome: Outcome; readonly seconds: StageSeconds }
  | { readonly kind: "unknown context" }
  | { readonly kind: "error"; readonly message: string };

/** By catalogue and world: the last two, since a change of rules overlaps with batches of the range before. */
const processors = new Map<string, Processor>();
const KEPT = 2;
const stopwatch = createStopwatch();

function processorOf({ catalogue, world, context, only, without }: WorkerTask): Processor | undefined {
  const key = `${catalogue} ${world}`;
  if (only || without) {
    const rules = context!.rules
      .filter((rule) => only?.includes(ruleKey(rule)) ?? true)
      .map((rule) => ({ ...rule, banned: without?.[ruleKey(rule)] }));
    return createProcessor(rules, context!.world, stopwatch.lap); // for once
  }
  const kept = processors.get(key);
  if (kept || !context) return kept;
  const processor = createProcessor(context.rules, context.world, stopwatch.lap);
  processors.set(key, processor);
  for (const old of [...processors.keys()].slice(0, -KEPT)) processors.delete(old);
  return processor;
}

export default function run(task: WorkerTask): WorkerAnswer {
  Atomics.store(task.taken, 0, 1);
  const processor = processorOf(task);
  if (!processor) return { kind: "unknown context" };
  try {
    stopwatch.start();
    const outcome = processor(task.batch);
    // Moved, not copied: every block is a buffer of its own.
    const blocks = Object.values(outcome.tables).flat();
    const buffers = [...blocks.map(({ bytes }) => bytes.buffer), outcome.records.bytes.buffer];
    return move(
      transferable({ kind: "outcome", outcome, seconds: stopwatch.take() }, buffers as ArrayBuffer[]),
    ) as never;
  } catch (error) {
    return { kind: "error", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** Piscina's protocol for a value whose parts are to be transferred. */
function transferable(value: WorkerAnswer, buffers: ArrayBuffer[]) {
  return { [transferableSymbol]: [...new Set(buffers)], [valueSymbol]: value };
}
