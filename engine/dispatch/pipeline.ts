/**
 * The walk of a batch: source → lane → worker thread → ledger (and topics) → store, with back-pressure all the way.
 * It is built to be thrown away: on any error it rejects, everything in memory is dropped, and a new one begins from the
 * ledger. So there is one way to recover, and every start takes it.
 */

import { UserError } from "../ops/errors.ts";
import { type Ledger, type LedgerEntry, MAX_CUTS } from "../sink/ledger.ts";
import type { Source, SourceEvents } from "../source/source.ts";
import type { Outcome } from "../worker/outcome.ts";
import {
  acceptRecords,
  type BatchLimits,
  fillRange,
  isIdle,
  isStarved,
  isStorable,
  type Lane,
  laneState,
  openLane,
  openRange,
  type Range,
  type Task,
  takeBatch,
} from "./lane.ts";

export interface PipelineOptions {
  readonly source: Source;
  readonly ledger: Ledger;
  /** Runs a batch in a worker thread, in the catalogue and world with these ids. */
  readonly work: (task: Pick<Task, "batch" | "catalogue" | "world">) => Promise<Outcome>;
  /** Inserts a closed range; resolves once it is in the store, however long that takes. */
  readonly store: (partition: number, range: Range, signal: AbortSignal) => Promise<void>;
  /** Ids that new ranges are opened with: asked for each batch, so that a rule change takes effect within one. */
  readonly current: () => { catalogue: string; world: string };
  readonly limits: PipelineLimits;
  readonly observe?: PipelineObserver;
}

export interface PipelineLimits {
  readonly batch: BatchLimits;
  /** Batches under way at once, all lanes together: one more than threads, so that none waits for work. */
  readonly tasks: number;
  /** A range closes when it is so old (ms), or has so many rows or bytes. */
  readonly rangeAge: number;
  readonly rangeRows: number;
  readonly rangeBytes: number;
  /** Bytes of records and rows in memory: above, the source is paused. */
  readonly bytesInFlight: number;
  /** How long a partition that is taken away may take to finish what is begun, in ms. */
  readonly drain: number;
}

export interface PipelineObserver {
  published?(outcomes: readonly { batch: Task["batch"]; outcome: Outcome }[]): void;
  stored?(partition: number, range: Range): void;
  bytesInFlight?(bytes: number): void;
  /** `drained`: given up in peace; `lost`: taken away. */
  assignment?(change: "assigned" | "drained" | "lost", partitions: readonly number[]): void;
}

/** Closed ranges of a lane that may wait for the store before it stops publishing: the ledger's text must hold them. */
const MAX_CLOSED = 2;
/** Inserts at once: the store is one process, a second insert hides the first one's waiting. */
const MAX_STORING = 2;
/** Closed ranges that wait for the store or are on their way to it: one more, so that it never waits for the next. */
const MAX_WAITING = MAX_STORING + 1;
/** Under load a range may become this many times as old as it should. */
const MAX_AGE_FACTOR = 5;
/**
 * Bytes of records that a lane takes before it is another's turn, and of rows that are worth an insert however young they are:
 * 25,000 pending transactions or 9,000 mined ones. An insert of 2,000 rows costs the store 32 µs a row, of 16,000 10, of 30,000 8.
 */
const TURN_BYTES = 16 << 20;
/** Batches of one lane under way or waiting to be published. */
const MAX_TASKS_A_LANE = 4;
/** Outcomes published in one transaction. */
const MAX_RECORD_BYTES_A_COMMIT = 16 << 20;
/** How often ages are looked at, in ms. */
const TICK = 50;

const hasTurn = ({ turnBytes }: Lane): boolean => turnBytes > 0 && turnBytes < TURN_BYTES;

/** Resolves when the source has ended, or the signal has aborted, and all that was begun is published and stored. */
export async function runPipeline(options: PipelineOptions, signal: AbortSignal): Promise<void> {
  const { source, ledger, work, store, current, limits, observe } = options;
  const lanes = new Map<number, Lane>();
  const failure = new AbortController();
  const stopSource = AbortSignal.any([signal, failure.signal]);
  let running = 0;
  let storing = 0;
  let turns = 0;
  let wake: () => void = () => {};
  let finished = false;

  const fail = (error: unknown): void => {
    if (!failure.signal.aborted) failure.abort(error);
    wake();
  };

  const bytesInFlight = (): number => {
    let bytes = 0;
    for (const lane of lanes.values()) {
      bytes += lane.queuedBytes;
      for (const task of lane.tasks) bytes += task.batch.bytes.byteLength;
      for (const range of lane.ranges) bytes += range.bytes;
    }
    return bytes;
  };

  /** Pauses lanes that are ahead of the rest of the engine, and lets them go on at half of that. */
  function balance(): void {
    const total = bytesInFlight();
    observe?.bytesInFlight?.(total);
    const share = limits.bytesInFlight / Math.max(4, lanes.size);
    for (const lane of lanes.values()) {
      const starved = isStarved(lane); // what it holds is free again once it has read on, however much that is
      const ahead = lane.queuedBytes > 0 && (total > limits.bytesInFlight || lane.queuedBytes > share);
      if (!lane.paused && ahead && !starved) {
        lane.paused = true;
        source.pause(lane.partition);
      } else if (lane.paused && (starved || (total < limits.bytesInFlight / 2 && lane.queuedBytes < share / 2))) {
        lane.paused = false;
        source.resume(lane.partition);
      }
    }
  }

  /**
   * Gives batches to worker threads. Lanes take turns: whoever has begun one ends it before the next begins. So with work
   * waiting, ranges become large one after the other, instead of all at once, and the store always has one to insert.
   */
  function dispatch(): void {
    const waiting = [...lanes.values()].filter((lane) => lane.queue.length > 0);
    for (const lane of waiting.sort((a, b) => Number(hasTurn(b)) - Number(hasTurn(a)) || a.turn - b.turn)) {
      while (running < limits.tasks && lane.tasks.length < MAX_TASKS_A_LANE) {
        const taken = takeBatch(lane, source.name, limits.batch);
        if (taken === undefined) break;
        if (!hasTurn(lane)) {
          lane.turn = ++turns;
          lane.turnBytes = 0;
        }
        lane.turnBytes += taken.batch.bytes.byteLength;
        start(lane, taken);
        if (!hasTurn(lane)) break;
      }
    }
    balance();
  }

  function start(lane: Lane, taken: Pick<Task, "batch" | "range">): void {
    const versions = taken.range ?? current();
    const task: Task = { ...taken, catalogue: versions.catalogue, world: versions.world, outcome: undefined };
    lane.tasks.push(task);
    running++;
    work(task).then(
      (outcome) => {
        running--;
        task.outcome = outcome;
        wake();
      },
      (error) => {
        running--;
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
        const range = rangeFor(lane, task, now);
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

  /** The open range, or a new one where it is full or belongs to other versions; undefined while too many wait for the store. */
  function rangeFor(lane: Lane, task: Task, now: number): Range | undefined {
    const last = lane.ranges.at(-1);
    if (last && !last.closed) {
      if (last.catalogue === task.catalogue && last.world === task.world && !isFull(last)) return last;
      last.closed = true;
    }
    if (lane.ranges.length >= MAX_CLOSED) return undefined;
    const range = openRange(
      last?.cuts.at(-1) ?? lane.storedTo,
      { cuts: [], closed: false, catalogue: task.catalogue, world: task.world },
      now,
    );
    lane.ranges.push(range);
    return range;
  }

  /** Closed, and ready for the store or soon so. One that a replay has yet to fill does not keep others from closing. */
  const isWaiting = (range: Range): boolean => range.closed && range.filled === range.cuts.length;

  const isFull = (range: Range): boolean =>
    range.rows >= limits.rangeRows || range.bytes >= limits.rangeBytes || range.cuts.length >= MAX_CUTS;

  /** What the store needed for the last range of each lane, in ms. */
  const storeMs = new Map<number, number>();

  /**
   * The age at which a range closes: `rangeAge`, as long as we keep up. With work waiting, more, so that rounds of all lanes
   * keep the store busy for a third of the time at most: an insert of 2,000 rows costs it 40 µs a row, one of 16,000 rows 10.
   * What it saves is there for the rest of the engine.
   */
  function dueAge(): number {
    let round = 0;
    let waiting = 0;
    for (const lane of lanes.values()) {
      round += storeMs.get(lane.partition) ?? 0;
      waiting += lane.queuedBytes;
    }
    if (waiting === 0) return limits.rangeAge;
    return Math.max(limits.rangeAge, Math.min(MAX_AGE_FACTOR * limits.rangeAge, 3 * round));
  }

  /** Closes open ranges whose time has come, the oldest first. They must be whole: a replayed one first gets back what it had. */
  function closeDue(now: number): void {
    const all = [...lanes.values()];
    let room = MAX_WAITING - all.reduce((sum, lane) => sum + lane.ranges.filter(isWaiting).length, 0);
    const age = dueAge();
    const open = all.flatMap((lane) => {
      const range = lane.ranges.at(-1);
      const whole = range && !range.closed && range.cuts.length > 0 && range.filled === range.cuts.length;
      return whole ? [{ lane, range }] : [];
    });
    for (const { lane, range } of open.sort((a, b) => a.range.openedAt - b.range.openedAt)) {
      const good = range.bytes >= TURN_BYTES || (lane.turnBytes >= TURN_BYTES && lane.tasks.length === 0);
      const due = room > 0 && (good || now - range.openedAt >= age);
      if (lane.draining ? lane.tasks.length > 0 : !isFull(range) && !due) continue;
      range.closed = true;
      room--;
    }
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
    closeDue(now);
    for (const { lane, fresh } of moved) {
      const closed = lane.ranges.filter((range) => range.closed && !range.closedCommitted);
      const storedMoved =
        lane.storedTo > lane.storedCommitted && (lane.draining || lane.ranges.length === 0 || fresh.length > 0);
      if (fresh.length === 0 && closed.length === 0 && !storedMoved) continue;
      for (const task of fresh) outcomes.push({ batch: task.batch, outcome: task.outcome! });
      entries.push({ partition: lane.partition, state: structuredClone(toState(lane)) });
      committed.push({ lane, closed, storedTo: lane.storedTo });
    }
    if (entries.length > 0) {
      await ledger.commit(
        entries,
        outcomes.map(({ outcome }) => outcome.records),
      );
      for (const { lane, closed, storedTo } of committed) {
        for (const range of closed) range.closedCommitted = true;
        lane.storedCommitted = storedTo;
      }
      observe?.published?.(outcomes);
    }
    return entries.length > 0 || filled;
  }

  const toState = (lane: Lane) => {
    const { stored, published, ranges } = laneState(lane);
    return {
      stored,
      published,
      ranges: ranges.map(({ cuts, closed, catalogue, world }) => ({ cuts, closed, catalogue, world })),
    };
  };

  /** Hands closed ranges to the store: those of a lane one after the other. */
  function storeRanges(): void {
    for (const lane of lanes.values()) {
      const range = lane.ranges[0];
      if (storing >= MAX_STORING || lane.storing || !range || !isStorable(range)) continue;
      lane.storing = true;
      storing++;
      const began = performance.now();
      store(lane.partition, range, lane.given.signal)
        .then(
          () => {
            lane.storedTo = range.cuts.at(-1)!;
            lane.ranges.shift();
            storeMs.set(lane.partition, Math.min(limits.rangeAge, performance.now() - began)); // waiting for a store that was away is not its pace
            observe?.stored?.(lane.partition, range);
          },
          (error) => lane.gone || fail(error),
        )
        .finally(() => {
          lane.storing = false;
          storing--;
          wake();
        });
    }
  }

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
      const busy = await publish();
      failure.signal.throwIfAborted();
      storeRanges();
      dispatch();
      if (finished) for (const lane of lanes.values()) if (signal.aborted || lane.queue.length === 0) leave(lane);
      if (signal.aborted && performance.now() > (stopBy ??= performance.now() + limits.drain))
        [...lanes.values()].forEach(giveUp);
      if (finished && [...lanes.values()].every((lane) => lane.draining && isIdle(lane))) return;
      if (busy || woken) {
        await new Promise(setImmediate); // sources and workers have their say between two turns
        continue;
      }
      const timer = setTimeout(wake, TICK);
      await sleep;
      clearTimeout(timer);
    }
  }

  /** The lane takes nothing new. A replay that has not come to its end has changed nothing: whoever is next begins where we did. */
  function leave(lane: Lane): void {
    // A pause outlives the assignment: whoever gets the partition back must not find it standing still.
    if (lane.paused) source.resume(lane.partition);
    lane.paused = false;
    lane.queue = [];
    lane.queuedBytes = 0;
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
      acceptRecords(lane, records);
      dispatch();
    },
  };

  const sourceDone = source.run(events, stopSource).then(
    () => {
      finished = true;
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
