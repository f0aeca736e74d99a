import { Piscina } from "piscina";
import type { LiveRule } from "../rules/catalogue.ts";
import type { Batch } from "../source/batch.ts";
import type { WorkerAnswer, WorkerTask } from "../worker/entry.ts";
import type { Outcome } from "../worker/outcome.ts";
import type { StageSeconds } from "../worker/stopwatch.ts";
import type { World } from "../world/world.ts";

export interface PoolOptions {
  readonly threads: number;
  /** The rules and the world with these ids: asked for when a thread meets them for the first time. */
  readonly rules: (id: string) => Promise<readonly LiveRule[]>;
  readonly world: (id: string) => Promise<World>;
  /** A thread died or hung; its batch runs again. */
  readonly onDeath?: (error: Error) => void;
  /** What a batch took in each stage of its worker. */
  readonly onStages?: (seconds: StageSeconds) => void;
}

export interface Pool {
  run(task: { batch: Batch; catalogue: string; world: string }): Promise<Outcome>;
  close(): Promise<void>;
}

/** Fuel bounds what a rule may cost; a thread that takes longer than this for a batch has met a bug of ours. */
const HUNG_MS = 300_000;
/** A batch that kills this many threads in a row will kill the next, too. */
const MAX_DEATHS = 3;

/**
 * Worker threads. A batch travels in shared memory and stays here until its outcome is back: should the thread die, another
 * runs it again and gives the same outcome.
 */
export function createPool({ threads, rules, world, onDeath, onStages }: PoolOptions): Pool {
  const piscina = new Piscina<WorkerTask, WorkerAnswer>({
    filename: new URL("../worker/entry.ts", import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    idleTimeout: Number.POSITIVE_INFINITY,
  });

  let closed = false;

  async function attempt(task: WorkerTask): Promise<WorkerAnswer> {
    for (let death = 1; ; death++) {
      try {
        return await piscina.run(task, { signal: AbortSignal.timeout(HUNG_MS) });
      } catch (error) {
        // The worker answers its own errors; what is thrown here is the end of a thread.
        if (closed || death === MAX_DEATHS) throw error;
        onDeath?.(error as Error);
      }
    }
  }

  return {
    async run(task) {
      let answer = await attempt({ ...task, context: undefined });
      if (answer.kind === "unknown context") {
        const context = { rules: await rules(task.catalogue), world: await world(task.world) };
        answer = await attempt({ ...task, context });
      }
      if (answer.kind === "outcome") {
        onStages?.(answer.seconds);
        return answer.outcome;
      }
      const where = `${task.batch.source}/${task.batch.partition} from ${task.batch.from} to ${task.batch.to}`;
      throw new Error(`Cannot process the batch ${where}: ${answer.kind === "error" ? answer.message : answer.kind}`);
    },
    async close() {
      closed = true;
      await piscina.destroy();
    },
  };
}
