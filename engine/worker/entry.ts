/** What Piscina runs in each worker thread: finds the task's rules and world, and lets `processBatch` do the work. */
import { move, transferableSymbol, valueSymbol } from "piscina";
import type { LiveRule } from "../rules/catalogue.ts";
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

export default function run({ batch, catalogue, world, context }: WorkerTask): WorkerAnswer {
  const key = `${catalogue} ${world}`;
  let processor = processors.get(key);
  if (!processor) {
    if (!context) return { kind: "unknown context" };
    processor = createProcessor(context.rules, context.world, stopwatch.lap);
    processors.set(key, processor);
    for (const old of [...processors.keys()].slice(0, -KEPT)) processors.delete(old);
  }
  try {
    stopwatch.start();
    const outcome = processor(batch);
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
