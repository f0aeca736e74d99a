/** What Piscina runs in each worker thread: finds the task's rules and world, and lets `processBatch` do the work. */
import { move, transferableSymbol, valueSymbol, workerData } from "piscina";
import type { LiveRule } from "../rules/liveRule.ts";
import { ruleKey } from "../rules/ruleKey.ts";
import { type RuleSetChange, rulesAfter } from "../rules/ruleSetChange.ts";
import type { Batch } from "../source/batch.ts";
import { listsOf, type World } from "../world/world.ts";
import { createOrderedStage, type StateTables } from "./orderedStage.ts";
import type { Handover, Outcome } from "./outcome.ts";
import {
  createOrderedProcessor,
  createProcessor,
  type OrderedOutcome,
  type OrderedProcessor,
  type Processor,
} from "./process.ts";
import { createRuleStage, type RuleStage, type RuleStageOptions } from "./ruleStage.ts";
import { createSandboxes } from "./sandboxes.ts";
import { createStopwatch, type StageSeconds } from "./stopwatch.ts";

/** Of a thread. */
export interface WorkerSettings {
  /** Instances of rules to keep. */
  readonly instances: number;
}

export interface WorkerTask {
  /** One after the other; small ones of several lanes come together, since handing over costs the same for all. */
  readonly batches: readonly Batch[];
  /** Ids of the rule snapshot and the world to run in. */
  readonly catalogue: string;
  readonly world: string;
  /** What is behind the ids, sent to a thread that asked for it. */
  readonly context: Context;
  /** The second stage of the only batch: what the first one left, and the state that rules have by then. */
  readonly second?: { readonly handover: Handover; readonly tables: StateTables };
  /** Shared: set to 1 when a thread takes the task up. */
  readonly taken: Int32Array;
  /** By `ruleKey`, for the search of a rule that ends threads: nothing but these run, or these do not, and why. With a context. */
  readonly only?: readonly string[];
  readonly without?: Readonly<Record<string, string>>;
}

/** A change of rules makes one of them new, an edit of a list the other. */
export interface Context {
  /** All of them, or what is new beside those of a set that the thread has. */
  readonly rules?: readonly LiveRule[] | RuleSetChange;
  readonly world?: World;
}

export type WorkerAnswer =
  | { readonly kind: "answers"; readonly answers: readonly BatchAnswer[] }
  | { readonly kind: "unknown context"; readonly lacks: readonly (keyof Context)[]; readonly has: readonly string[] };

/** Errors are answered, not thrown: what the pool sees thrown is the end of a thread. */
export type BatchAnswer =
  | { readonly kind: "outcome"; readonly outcome: Outcome; readonly seconds: StageSeconds }
  | { readonly kind: "ordered"; readonly ordered: OrderedOutcome; readonly seconds: StageSeconds }
  | { readonly kind: "error"; readonly message: string };

const KEPT = 2;
/** By catalogue, by world, and by both: the last two, since a change overlaps with batches of the range before. */
const stages = createShelf<Stages>();
const worlds = createShelf<World>();
const processors = createShelf<Processors>();
const stopwatch = createStopwatch();
/** Of all stages: what V8 gives a process does not grow with them. */
const sandboxes = createSandboxes((workerData as WorkerSettings).instances);

interface Stages {
  readonly rules: readonly LiveRule[];
  readonly first: RuleStage;
  readonly second: OrderedProcessor;
}

const stagesOf = (rules: readonly LiveRule[], after?: RuleStageOptions["after"]): Stages => ({
  rules,
  first: createRuleStage(rules, { leavesOrdered: true, sandboxes, ...(after && { after }) }),
  second: createOrderedProcessor(rules, createOrderedStage(rules, sandboxes), stopwatch.lap),
});

/** undefined: they are said by a set that this thread does not have. */
function stagesFrom(given: NonNullable<Context["rules"]>): Stages | undefined {
  if (!("after" in given)) return stagesOf(given);
  const before = stages.of(given.after);
  return before && stagesOf(rulesAfter(before.rules, given), { stage: before.first, places: given.places });
}

interface Processors {
  readonly first: Processor;
  readonly second: OrderedProcessor;
}

/** Or what is missing of its context. */
function processorsOf({ catalogue, world: id, context, only, without }: WorkerTask): Processors | (keyof Context)[] {
  const bothOf = ({ first, second }: Stages, world: World): Processors => {
    const lists = listsOf(world);
    return {
      first: createProcessor(first, world, stopwatch.lap),
      second: (batch, handover, tables) => second(batch, handover, tables, lists),
    };
  };
  if (only || without) {
    const rules = (context.rules as readonly LiveRule[])
      .filter((rule) => only?.includes(ruleKey(rule)) ?? true)
      .map((rule) => ({ ...rule, banned: without?.[ruleKey(rule)] }));
    return bothOf(stagesOf(rules), context.world!); // for once
  }
  const stage = stages.of(catalogue, () => context.rules && stagesFrom(context.rules));
  const world = worlds.of(id, () => context.world);
  if (stage && world) return processors.of(`${catalogue} ${id}`, () => bothOf(stage, world))!;
  return [...(stage ? [] : (["rules"] as const)), ...(world ? [] : (["world"] as const))];
}

/** Keeps the last few that were made. */
function createShelf<T>() {
  const kept = new Map<string, T>();
  return {
    names: (): string[] => [...kept.keys()],
    /** What has this name, or what `make` makes of it, if it does. */
    of(name: string, make: () => T | undefined = () => undefined): T | undefined {
      const found = kept.get(name);
      if (found !== undefined) return found;
      const made = make();
      if (made === undefined) return undefined;
      kept.set(name, made);
      for (const old of [...kept.keys()].slice(0, -KEPT)) kept.delete(old);
      return made;
    },
  };
}

export default function run(task: WorkerTask): WorkerAnswer {
  Atomics.store(task.taken, 0, 1);
  const processors = processorsOf(task);
  if (Array.isArray(processors)) return { kind: "unknown context", lacks: processors, has: stages.names() };
  const answers = task.batches.map((batch) => answerOf(processors, batch, task.second));
  return move(transferable({ kind: "answers", answers }, answers.flatMap(buffersOf))) as never;
}

function answerOf({ first, second }: Processors, batch: Batch, handed: WorkerTask["second"]): BatchAnswer {
  try {
    stopwatch.start(batch.size);
    if (!handed) return { kind: "outcome", outcome: first(batch), seconds: stopwatch.take() };
    return { kind: "ordered", ordered: second(batch, handed.handover, handed.tables), seconds: stopwatch.take() };
  } catch (error) {
    return { kind: "error", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** To be moved, not copied: every block is a buffer of its own. */
function buffersOf(answer: BatchAnswer): ArrayBuffer[] {
  if (answer.kind === "error") return [];
  const { tables, records } = answer.kind === "outcome" ? answer.outcome : answer.ordered.outcome;
  const blocks = Object.values(tables).flat();
  return [...blocks.map(({ bytes }) => bytes.buffer), records.bytes.buffer] as ArrayBuffer[];
}

/** Piscina's protocol for a value whose parts are to be transferred. */
function transferable(value: WorkerAnswer, buffers: ArrayBuffer[]) {
  return { [transferableSymbol]: [...new Set(buffers)], [valueSymbol]: value };
}
