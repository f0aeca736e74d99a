import { Piscina } from "piscina";
import type { LiveRule } from "../rules/liveRule.ts";
import { ruleKey } from "../rules/ruleKey.ts";
import { changeOf } from "../rules/ruleSetChange.ts";
import type { Batch } from "../source/batch.ts";
import type { BatchAnswer, Context, WorkerAnswer, WorkerSettings, WorkerTask } from "../worker/entry.ts";
import type { StateTables } from "../worker/orderedStage.ts";
import type { Handover, Outcome } from "../worker/outcome.ts";
import type { OrderedOutcome } from "../worker/process.ts";
import type { StageSeconds } from "../worker/stopwatch.ts";
import type { World } from "../world/world.ts";

export interface PoolOptions {
  readonly threads: number;
  /** Instances of rules that all of them together keep. */
  readonly instances: number;
  /** The rules and the world with these ids: asked for when a thread meets them for the first time. */
  readonly rules: (id: string) => Promise<readonly LiveRule[]>;
  readonly world: (id: string) => Promise<World>;
  /** A thread that has not answered for so long is ended. */
  readonly hungMs?: number;
  /** A thread died or hung; its batch runs again. */
  readonly onDeath?: (error: Error) => void;
  /** A rule ends threads. The batch at hand runs without it, the next one needs it to be out of the rule set. */
  readonly onGuilty?: (guilty: GuiltyRule) => void;
  /** What a batch took in each stage of its worker. */
  readonly onStages?: (seconds: StageSeconds) => void;
}

export interface GuiltyRule {
  readonly rule: string;
  readonly version: number;
  /** what became of the thread */
  readonly reason: string;
}

export interface Pool {
  run(task: { batch: Batch; catalogue: string; world: string }): Promise<Outcome>;
  /** The second stage of a batch, for what the first one handed over. */
  runSecond(
    task: { batch: Batch; catalogue: string; world: string },
    second: { handover: Handover; tables: StateTables },
  ): Promise<OrderedOutcome>;
  close(): Promise<void>;
}

/**
 * Fuel bounds what rules may cost: a batch takes 10 to 100 ms, and each rule that uses up its budget 0.25 s more. What takes this
 * long has got behind fuel: V8's compiler, or a bug of ours.
 */
const HUNG_MS = 30_000;
/** A batch that has ended so many threads will end the next, too: some rule in it is sought. */
const DEATHS = 2;
/** Batches that are asked for together are handed to a thread together, until they have so many bytes: 770 records of 650 B, or 12 of 64 frames. */
export const HANDOVER_BYTES = 512 << 10;
/** In how many parts the search for a guilty rule divides: up to so many rules run one at a time, of 10,000 it is found in 4 steps. */
const PARTS = 16;

/** Rule sets that threads may go on from: what they keep, and while one is being given another. */
const GIVEN = 4;

type Task = Parameters<Pool["run"]>[0] & Pick<WorkerTask, "second">;
/** A batch, or several with the same rules and world. */
type HandedOver = Pick<WorkerTask, "batches" | "catalogue" | "world" | "second">;
type Selection = Pick<WorkerTask, "only" | "without">;

/** A thread's end. */
class Death extends Error {}

/**
 * Worker threads. A batch travels in shared memory and stays here until its outcome is back: should the thread die, another
 * runs it again and gives the same outcome. Should that one die as well, the batch is run one rule at a time, and then without
 * those that end a thread all by themselves: to them its transactions are failures.
 */
export function createPool(options: PoolOptions): Pool {
  const { threads, instances, rules, world, hungMs = HUNG_MS, onDeath, onGuilty, onStages } = options;
  const piscina = new Piscina<WorkerTask, WorkerAnswer>({
    filename: new URL("../worker/entry.mjs", import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    idleTimeout: Number.POSITIVE_INFINITY,
    workerData: { instances: Math.max(1, Math.floor(instances / threads)) } satisfies WorkerSettings,
  });
  let closed = false;

  /** @throws Death when the thread ended; its own errors a worker answers */
  async function send(task: Omit<WorkerTask, "taken">): Promise<WorkerAnswer> {
    const { taken, signal, stop } = watch(hungMs);
    try {
      return await piscina.run({ ...task, taken }, { signal });
    } catch (error) {
      if (closed) throw error;
      const { message } = error as Error;
      const why = signal.aborted ? `its thread did not answer within ${hungMs} ms` : `its thread ended: ${message}`;
      const death = new Death(why, { cause: error });
      onDeath?.(death);
      throw death;
    } finally {
      stop();
    }
  }

  /** What threads were given last. */
  const given = new Map<string, readonly LiveRule[]>();

  /** @param has ids of sets that the thread has: where it can be told what is new, it is not told the rest */
  async function rulesFor(catalogue: string, has: readonly string[]): Promise<Context["rules"]> {
    const now = await rules(catalogue);
    given.set(catalogue, now);
    for (const old of [...given.keys()].slice(0, -GIVEN)) given.delete(old);
    const after = has.findLast((id) => given.has(id));
    return after === undefined ? now : changeOf(after, given.get(after)!, now);
  }

  async function attempt(task: HandedOver, selection: Selection = {}): Promise<readonly BatchAnswer[]> {
    const context = async (wanted: readonly (keyof Context)[], has: readonly string[] = []): Promise<Context> => ({
      ...(wanted.includes("rules") && { rules: await rulesFor(task.catalogue, has) }),
      ...(wanted.includes("world") && { world: await world(task.world) }),
    });
    const whole = selection.only === undefined && selection.without === undefined;
    let answer = await send({ ...task, ...selection, context: await context(whole ? [] : ["rules", "world"]) });
    if (answer.kind === "unknown context")
      answer = await send({ ...task, context: await context(answer.lacks, answer.has) });
    // another thread may have got it, which lacks more
    if (answer.kind === "unknown context") answer = await send({ ...task, context: await context(["rules", "world"]) });
    if (answer.kind === "unknown context") throw new Error("A thread does not know what it was just told");
    return answer.answers;
  }

  // no more of the task than that: what is posted is cloned, and the lane's has its range's rows
  const alone = async ({ batch, catalogue, world, second }: Task, selection?: Selection): Promise<BatchAnswer> =>
    (await attempt({ batches: [batch], catalogue, world, second }, selection))[0]!;

  interface Asked {
    readonly task: Task;
    resolve(answer: BatchAnswer): void;
    reject(error: unknown): void;
  }
  /** In this turn of the event loop. */
  let asked: Asked[] = [];

  /** With what else is asked for in this turn. */
  const together = (task: Task): Promise<BatchAnswer> =>
    new Promise((resolve, reject) => {
      if (asked.length === 0) queueMicrotask(handOver);
      asked.push({ task, resolve, reject });
    });

  function handOver(): void {
    const all = asked;
    asked = [];
    while (all.length > 0) {
      const { catalogue, world } = all[0]!.task;
      const group: Asked[] = [];
      for (let bytes = 0; bytes < HANDOVER_BYTES; ) {
        const next = all[0]?.task;
        if (next?.catalogue !== catalogue || next.world !== world) break;
        bytes += next.batch.size;
        group.push(all.shift()!);
      }
      attempt({ catalogue, world, batches: group.map(({ task }) => task.batch) }).then(
        (answers) => {
          for (const [i, { resolve }] of group.entries()) resolve(answers[i]!);
        },
        (error) => {
          for (const { reject } of group) reject(error);
        },
      );
    }
  }

  /** Why the batch ends a thread with these rules only; null if it does not. */
  async function deathOf(task: Task, part: readonly LiveRule[]): Promise<string | null> {
    try {
      await alone(task, { only: part.map(ruleKey) });
      return null;
    } catch (error) {
      if (!(error instanceof Death)) throw error;
      return error.message;
    }
  }

  async function guiltyOf(task: Task, part: readonly LiveRule[]): Promise<GuiltyRule[]> {
    const guilty: GuiltyRule[] = [];
    const size = Math.ceil(part.length / PARTS);
    for (let from = 0; from < part.length; from += size) {
      const some = part.slice(from, from + size);
      const reason = await deathOf(task, some);
      if (reason === null) continue;
      if (some.length > 1) guilty.push(...(await guiltyOf(task, some)));
      else guilty.push({ rule: some[0]!.name, version: some[0]!.version, reason });
    }
    return guilty;
  }

  /** After the batch has ended some threads. */
  async function attemptWithoutGuilty(task: Task): Promise<BatchAnswer> {
    if ((await deathOf(task, [])) !== null) return alone(task); // no rule's fault
    const guilty = await guiltyOf(task, await rules(task.catalogue));
    for (const one of guilty) onGuilty?.(one);
    if (guilty.length === 0) return alone(task);
    const without = guilty.map(({ rule, version, reason }) => [ruleKey({ name: rule, version }), reason] as const);
    return alone(task, { without: Object.fromEntries(without) });
  }

  async function answerOf(task: Task): Promise<BatchAnswer> {
    for (let death = 1; death <= DEATHS; death++) {
      try {
        // Once a thread has died, each by itself: one of them may be why.
        return await (death === 1 && !task.second ? together(task) : alone(task));
      } catch (error) {
        if (!(error instanceof Death)) throw error;
      }
    }
    return attemptWithoutGuilty(task);
  }

  type Answer<Kind> = Extract<BatchAnswer, { kind: Kind }>;
  async function expectAnswer<Kind extends "outcome" | "ordered">(task: Task, kind: Kind): Promise<Answer<Kind>> {
    const { source, partition, from, to } = task.batch;
    const failed = (why: string, cause?: unknown) =>
      new Error(`Cannot process the batch ${source}/${partition} from ${from} to ${to}: ${why}`, { cause });
    let answer: BatchAnswer;
    try {
      answer = await answerOf(task);
    } catch (error) {
      throw error instanceof Death ? failed(error.message, error) : error;
    }
    if (answer.kind !== kind) throw failed(answer.kind === "error" ? answer.message : answer.kind);
    return answer as Answer<Kind>;
  }

  return {
    async run(task) {
      const { outcome, seconds } = await expectAnswer(task, "outcome");
      onStages?.(seconds);
      return outcome;
    },
    async runSecond(task, second) {
      const { ordered, seconds } = await expectAnswer({ ...task, second }, "ordered");
      onStages?.(seconds);
      return ordered;
    },
    async close() {
      closed = true;
      await piscina.destroy();
    },
  };
}

/** Aborts when a thread takes too long: from when it takes the task up, not while the task waits for one, or for one to start. */
function watch(hungMs: number) {
  const taken = new Int32Array(new SharedArrayBuffer(4));
  const hung = new AbortController();
  let quarters = 0;
  const timer = setInterval(() => {
    if (Atomics.load(taken, 0) === 1 && quarters++ === 4) hung.abort();
  }, hungMs / 4);
  return { taken, signal: hung.signal, stop: () => clearInterval(timer) };
}
