/**
 * The walk of a batch: source → lane → worker thread → ledger (and topics) → store, with back-pressure all the way.
 * It is built to be thrown away: on any error it rejects, everything in memory is dropped, and a new one begins from the
 * ledger. So there is one way to recover, and every start takes it.
 */

import { UserError } from "../ops/errors.ts";
import type { Ledger, LedgerEntry } from "../sink/ledger.ts";
import { letGo } from "../source/records.ts";
import type { Source, SourceEvents } from "../source/source.ts";
import type { Outcome } from "../worker/outcome.ts";
import { createCommitPace } from "./commitPace.ts";
import {
  acceptRecords,
  type BatchLimits,
  fillRange,
  isHeld,
  isIdle,
  isStarved,
  type Lane,
  laneState,
  openLane,
  type Range,
  type Taken,
  type Task,
  takeBatch,
} from "./lane.ts";
import { HANDOVER_BYTES } from "./pool.ts";
import { createRounds, isOpen, MAX_STORING, type RoundLimits } from "./rounds.ts";

export interface PipelineOptions {
  readonly source: Source;
  readonly ledger: Ledger;
  /** Runs a batch in a worker thread, in the catalogue and world with these ids. Called for a lane's batches in their order. */
  readonly work: (task: Pick<Task, "batch" | "catalogue" | "world">, lane: Lane) => Promise<Outcome>;
  /** Inserts the closed ranges of a round; resolves once they are in the store, however long that takes. */
  readonly store: (round: readonly Stored[], signal: AbortSignal) => Promise<void>;
  /** Ids that new ranges are opened with: asked for each batch, so that a rule change takes effect within one. */
  readonly current: () => { catalogue: string; world: string };
  readonly limits: PipelineLimits;
  readonly observe?: PipelineObserver;
}

/** A range on its way to the store; the ledger says that everything below `stored` is there. */
export interface Stored {
  readonly partition: number;
  readonly range: Range;
  readonly stored: number;
}

export interface PipelineLimits extends RoundLimits {
  readonly batch: Omit<BatchLimits, "blockBytes">;
  /** Hand-overs under way at once, all lanes together: one more than threads, so that none waits for work. */
  readonly tasks: number;
  /** Bytes of records and rows in memory: above, the source is paused. */
  readonly bytesInFlight: number;
  /** How long a partition that is taken away may take to finish what is begun, in ms. */
  readonly drain: number;
}

export interface PipelineObserver {
  /** A batch has its outcome and is not published yet: it may still be dropped, and run again. Not told of one that was published before a restart. */
  worked?(outcome: Outcome): void;
  published?(outcomes: readonly { batch: Task["batch"]; outcome: Outcome }[]): void;
  stored?(partition: number, range: Range): void;
  bytesInFlight?(bytes: number): void;
  /** `drained`: given up in peace; `lost`: taken away. */
  assignment?(change: "assigned" | "drained" | "lost", partitions: readonly number[]): void;
}

/** Batches of one lane under way or waiting to be published. A lane that has so many is not kept waiting for a commit. */
const MAX_TASKS_A_LANE = 16;
/** Outcomes published in one transaction. */
const MAX_RECORD_BYTES_A_COMMIT = 16 << 20;
/** A block is taken whole up to this, or its lane's share of memory. */
const MAX_BLOCK_BYTES = 64 << 20;
/** How often ages are looked at, in ms. */
const TICK = 50;

/** Resolves when the source has ended, or the signal has aborted, and all that was begun is published and stored. */
export async function runPipeline(options: PipelineOptions, signal: AbortSignal): Promise<void> {
  const { source, ledger, work, store, current, limits, observe } = options;
  const lanes = new Map<number, Lane>();
  const failure = new AbortController();
  const stopSource = AbortSignal.any([signal, failure.signal]);
  let running = 0;
  /** Since when nothing is under way, while that is so. */
  let quietSince = 0;
  const quiet = (): number | undefined => (running === 0 ? quietSince : undefined);
  let storing = 0;
  let turn = 0;
  let wake: () => void = () => {};
  let finished = false;
  let dispatching = false;
  const pace = createCommitPace();
  const rounds = createRounds(limits);

  const fail = (error: unknown): void => {
    if (!failure.signal.aborted) failure.abort(error);
    wake();
  };

  const bytesInFlight = (): number => {
    let bytes = 0;
    for (const lane of lanes.values()) {
      bytes += lane.queue.bytes;
      for (const task of lane.tasks) bytes += task.batch.size;
      for (const range of lane.ranges) bytes += range.bytes;
    }
    return bytes;
  };

  /** Of the memory for records, what one lane's queue may have. */
  const shareOfLane = (): number => limits.bytesInFlight / Math.max(4, lanes.size);

  /** Pauses lanes that are ahead of the rest of the engine, and lets them go on at half of that. */
  function balance(): void {
    const total = bytesInFlight();
    observe?.bytesInFlight?.(total);
    const share = shareOfLane();
    for (const lane of lanes.values()) {
      const starved = isStarved(lane) || isHeld(lane); // what it holds is free again once it has read on, however much that is
      const ahead = lane.queue.bytes > 0 && (total > limits.bytesInFlight || lane.queue.bytes > share);
      if (!lane.paused && ahead && !starved) {
        lane.paused = true;
        source.pause(lane.partition);
      } else if (lane.paused && (starved || (total < limits.bytesInFlight / 2 && lane.queue.bytes < share / 2))) {
        lane.paused = false;
        lane.edges.resume(performance.now());
        source.resume(lane.partition);
      }
    }
  }

  /** Gives batches to worker threads, lane after lane, so that none starves; small ones together. */
  function dispatch(): void {
    const order = [...lanes.values()];
    const blockBytes = Math.max(limits.batch.bytes, Math.min(MAX_BLOCK_BYTES, shareOfLane()));
    const batch = { ...limits.batch, blockBytes };
    const now = performance.now();
    while (running < limits.tasks && handOver(order, batch, now));
    balance();
  }

  /** Starts a batch of each lane in turn, until they are large enough together. @returns whether there was one */
  function handOver(order: readonly Lane[], batch: BatchLimits, now: number): boolean {
    let bytes = 0;
    let left = 0;
    const end = (): void => {
      if (--left === 0 && --running === 0) quietSince = performance.now();
    };
    for (let tried = 0; tried < order.length && bytes < HANDOVER_BYTES; tried++) {
      const lane = order[turn++ % order.length]!;
      const taken = lane.tasks.length < MAX_TASKS_A_LANE ? takeBatch(lane, source.name, batch, now) : undefined;
      if (!taken) continue;
      if (left++ === 0) running++;
      bytes += taken.batch.size;
      start(lane, taken, end);
    }
    return left > 0;
  }

  /** Once for all that happens in this turn. Not left to the loop, which waits for a commit most of its time. */
  function dispatchSoon(): void {
    if (dispatching) return;
    dispatching = true;
    queueMicrotask(() => {
      dispatching = false;
      if (failure.signal.aborted) return;
      try {
        dispatch();
      } catch (error) {
        fail(error);
      }
    });
  }

  /** @param end called when the outcome is there */
  function start(lane: Lane, taken: Taken, end: () => void): void {
    const { batch, range, held } = taken;
    const { catalogue, world } = range ?? current();
    const task: Task = { batch, range, catalogue, world, outcome: undefined };
    lane.tasks.push(task);
    work(task, lane).then(
      (outcome) => {
        end();
        task.outcome = outcome;
        held.forEach(letGo);
        if (task.range === undefined && outcome.halt === undefined && !lane.gone) observe?.worked?.(outcome);
        dispatchSoon();
        wake();
      },
      (error) => {
        end();
        if (!lane.gone) fail(error);
      },
    );
  }

  /** Moves finished batches of a lane into ranges, in order; the ones that are new have yet to be committed. */
  function publishable(lane: Lane, now: number, room: number): Task[] {
    const fresh: Task[] = [];
    while (lane.tasks[0]?.outcome && room > 0) {
      const task = lane.tasks[0];
      const outcome = task.outcome!;
      if (outcome.halt !== undefined) {
        if (fresh.length > 0) break; // what comes before is published first
        throw new UserError(outcome.halt);
      }
      if (task.range) {
        fillRange(task.range, outcome);
      } else {
        const range = rounds.rangeFor(lane, task, now);
        if (range === undefined) break;
        range.cuts.push(task.batch.to);
        fillRange(range, outcome);
        lane.published = task.batch.to;
        fresh.push(task);
        room -= outcome.records.bytes.length;
      }
      lane.tasks.shift();
    }
    return fresh;
  }

  /** One turn of the publisher: everything that is ready, of all lanes, in one commit. */
  async function publish(): Promise<boolean> {
    const now = performance.now();
    const entries: LedgerEntry[] = [];
    const outcomes: { batch: Task["batch"]; outcome: Outcome }[] = [];
    const committed: { lane: Lane; closed: Range[]; storedTo: number }[] = [];
    let room = MAX_RECORD_BYTES_A_COMMIT;
    let filled = false;
    const moved: { lane: Lane; fresh: Task[] }[] = [];
    for (const lane of lanes.values()) {
      const before = lane.tasks.length;
      const fresh = publishable(lane, now, room);
      filled ||= lane.tasks.length < before;
      for (const task of fresh) room -= task.outcome!.records.bytes.length;
      moved.push({ lane, fresh });
    }
    rounds.close([...lanes.values()], now, quiet());
    for (const { lane, fresh } of moved) {
      const closed = lane.ranges.filter((range) => !isOpen(range) && !range.roundCommitted);
      const storedMoved =
        lane.storedTo > lane.storedCommitted && (lane.draining || lane.ranges.length === 0 || fresh.length > 0);
      if (fresh.length === 0 && closed.length === 0 && !storedMoved) continue;
      for (const { batch, outcome } of fresh) outcomes.push({ batch, outcome: outcome! });
      entries.push({ partition: lane.partition, state: toState(lane) });
      committed.push({ lane, closed, storedTo: lane.storedTo });
    }
    if (entries.length > 0) {
      await ledger.commit(
        entries,
        outcomes.map(({ outcome }) => outcome.records),
      );
      pace.committed(
        now,
        outcomes.reduce((sum, { outcome }) => sum + outcome.transactions, 0),
      );
      for (const { lane, closed, storedTo } of committed) {
        for (const range of closed) range.roundCommitted = true;
        lane.storedCommitted = storedTo;
      }
      observe?.published?.(outcomes);
    }
    return entries.length > 0 || filled;
  }

  /** As it is now: the lane goes on while that is committed. */
  const toState = (lane: Lane) => {
    const { stored, published, ranges } = laneState(lane);
    return {
      stored,
      published,
      ranges: ranges.map(({ cuts, round, catalogue, world }) => ({ cuts: [...cuts], round, catalogue, world })),
    };
  };

  const nextRound = () => rounds.next([...lanes.values()]);

  /** Hands closed rounds to the store. Should one lose a lane on the way, what became of it is asked of ledger and store. */
  function storeRounds(): void {
    for (let members = nextRound(); storing < MAX_STORING && members.length > 0; members = nextRound()) {
      storing++;
      for (const { lane } of members) lane.storing = true;
      const signal = AbortSignal.any(members.map(({ lane }) => lane.given.signal));
      const round = members.map(({ lane, range }) => ({
        partition: lane.partition,
        range,
        stored: lane.storedCommitted,
      }));
      store(round, signal)
        .then(() => {
          signal.throwIfAborted();
          for (const { lane, range } of members) {
            lane.storedTo = range.cuts.at(-1)!;
            lane.ranges.shift();
            observe?.stored?.(lane.partition, range);
          }
        })
        .catch((error: unknown) => members.every(({ lane }) => lane.gone) || fail(error))
        .finally(() => {
          storing--;
          for (const { lane } of members) lane.storing = false;
          wake();
        });
    }
  }

  /** Something is to end, or a lane stands still until its batches are published. */
  const cannotWait = (): boolean =>
    finished ||
    [...lanes.values()].some(
      ({ draining, tasks }) => draining || (tasks.length >= MAX_TASKS_A_LANE && tasks[0]!.outcome !== undefined),
    );

  /** Works off all lanes until `finished` and nothing is left. */
  async function loop(): Promise<void> {
    let stopBy: number | undefined;
    for (;;) {
      failure.signal.throwIfAborted();
      let woken = false;
      const sleep = new Promise<void>((resolve) => {
        wake = () => {
          woken = true;
          resolve();
        };
      });
      dispatch();
      const wait = cannotWait() ? 0 : pace.wait(performance.now(), quiet());
      const busy = wait <= 0 && (await publish());
      failure.signal.throwIfAborted();
      storeRounds();
      if (busy) dispatch(); // lanes have room again
      if (finished) for (const lane of lanes.values()) if (signal.aborted || lane.queue.count === 0) leave(lane);
      if (signal.aborted && performance.now() > (stopBy ??= performance.now() + limits.drain))
        [...lanes.values()].forEach(giveUp);
      if (finished && [...lanes.values()].every((lane) => lane.draining && isIdle(lane))) return;
      if (busy || woken) {
        await new Promise(setImmediate); // sources and workers have their say between two turns
        continue;
      }
      const timer = setTimeout(wake, wait > 0 ? Math.min(wait, TICK) : TICK);
      await sleep;
      clearTimeout(timer);
    }
  }

  /** The lane takes nothing new. A replay that has not come to its end has changed nothing: whoever is next begins where we did. */
  function leave(lane: Lane): void {
    // A pause outlives the assignment: whoever gets the partition back must not find it standing still.
    if (lane.paused) source.resume(lane.partition);
    lane.paused = false;
    lane.queue.clear();
    lane.draining = true;
    if (lane.replay.length > 0) giveUp(lane);
  }

  /** Whatever is still under way for the lane ends at its next step: from here on the partition may be another's. */
  function giveUp(lane: Lane): void {
    lane.gone = true;
    lane.given.abort(new Error(`partition ${lane.partition} was given up`));
    if (lanes.get(lane.partition) === lane) lanes.delete(lane.partition);
  }

  /** Finishes what is begun in these lanes, within the limit, and gives them up. */
  async function drain(partitions: readonly number[], within: number): Promise<void> {
    const leaving = partitions.map((partition) => lanes.get(partition)).filter((lane) => lane !== undefined);
    leaving.forEach(leave);
    const deadline = performance.now() + within;
    while (
      leaving.some((lane) => !lane.gone && !isIdle(lane)) &&
      performance.now() < deadline &&
      !failure.signal.aborted
    ) {
      wake();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    leaving.forEach(giveUp);
  }

  const events: SourceEvents = {
    async assign(partitions) {
      const states = await ledger.read(partitions);
      const starts = new Map<number, number>();
      for (const partition of partitions) {
        const state = states.get(partition) ?? { stored: 0, published: 0, ranges: [] };
        lanes.set(partition, openLane(partition, state, performance.now()));
        starts.set(partition, state.stored);
      }
      observe?.assignment?.("assigned", partitions);
      return starts;
    },
    async revoke(partitions) {
      await drain(partitions, limits.drain);
      observe?.assignment?.("drained", partitions);
    },
    lose(partitions) {
      observe?.assignment?.("lost", partitions);
      for (const partition of partitions) {
        const lane = lanes.get(partition);
        if (lane) giveUp(lane);
      }
    },
    records(partition, records) {
      const lane = lanes.get(partition);
      if (!lane || lane.draining) return;
      acceptRecords(lane, records, performance.now());
      dispatchSoon();
    },
  };

  const sourceDone = source.run(events, stopSource).then(
    () => {
      finished = true;
      for (const lane of lanes.values()) lane.ended = true;
      wake();
    },
    (error) => fail(error),
  );
  try {
    await loop();
  } catch (error) {
    fail(error);
    throw failure.signal.reason;
  } finally {
    await sourceDone;
    [...lanes.values()].forEach(giveUp);
  }
}
