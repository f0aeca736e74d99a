import type { StoredRows } from "../../clickhouse/tables/framedRows.ts";
import { UserError } from "../ops/errors.ts";
import type { PartitionState, RangeState } from "../sink/ledger.ts";
import { type Batch, batchOf } from "../source/batch.ts";
import { offsetAt, type Records } from "../source/records.ts";
import type { Outcome, TableName } from "../worker/outcome.ts";
import { type BlockEdges, createBlockEdges, MAX_BLOCK_RECORDS } from "./blockEdges.ts";
import { createRecordQueue, type RecordQueue } from "./recordQueue.ts";

/**
 * A lane is one partition on its way through the engine, everything in order:
 *
 *     queue ──take──▶ tasks (in worker threads) ──publish──▶ ranges (rows that wait) ──store──▶ storedTo
 *
 * After a restart the ledger says which batches were published but not stored. They are cut again at the same offsets, in the
 * same catalogue and world, and fill the same ranges; nothing of them is published twice.
 */
export interface Lane {
  readonly partition: number;
  /** Where it began: everything below was in the store by then, and all from there on passes through here. */
  readonly began: number;
  readonly queue: RecordQueue;
  /** Where the queue may be cut. */
  readonly edges: BlockEdges;
  paused: boolean;
  /** The source has come to its end: no more of a block will come. */
  ended: boolean;
  /** First offset that is not in a batch yet. */
  next: number;
  /** Everything below is published: as the ledger was when the lane opened, then as committed. */
  published: number;
  /** Batches to be run again, oldest first. */
  replay: { readonly cut: number; readonly range: Range }[];
  tasks: Task[];
  /** Oldest first; only the last may be open. */
  ranges: Range[];
  /** Everything below is in the store; the ledger hears of it with the next commit. */
  storedTo: number;
  storedCommitted: number;
  storing: boolean;
  /** Given up soon: takes nothing new, closes and stores what it has. */
  draining: boolean;
  /** Given up: whatever still comes back for it is dropped. */
  gone: boolean;
  /** Aborted when it is given up, for what is under way at the store. */
  readonly given: AbortController;
}

export interface Task {
  readonly batch: Batch;
  /** The range it fills again, for a batch that was published before a restart. */
  readonly range: Range | undefined;
  readonly catalogue: string;
  readonly world: string;
  outcome: Outcome | undefined;
}

/** A batch that is to be run. */
export interface Taken extends Pick<Task, "batch" | "range"> {
  /** Its records: to be let go of once its outcome is there. */
  readonly held: readonly Records[];
}

export interface Range {
  readonly from: number;
  readonly catalogue: string;
  readonly world: string;
  readonly cuts: number[];
  /** Name of the round it is stored in, once it is closed; it may be inserted when that is committed. */
  round: string | undefined;
  roundCommitted: boolean;
  /** How many of its cuts have delivered their rows. */
  filled: number;
  /** Opened before a restart: the store may have it already, or a part of it. */
  readonly recovered: boolean;
  readonly openedAt: number;
  rows: number;
  bytes: number;
  readonly blocks: Partial<Record<TableName, StoredRows[]>>;
}

/** What a batch may hold at most. */
export interface BatchLimits {
  readonly records: number;
  readonly bytes: number;
  /** If it is more, because of a block that is larger: bytes, besides MAX_BLOCK_RECORDS. */
  readonly blockBytes: number;
  /** How long a block is waited for that is not whole, in ms. */
  readonly blockWait: number;
}

export function openLane(partition: number, state: PartitionState, now: number): Lane {
  let from = state.stored;
  const ranges = state.ranges.map((range): Range => {
    const opened = openRange(from, range, now, true);
    from = opened.cuts.at(-1) ?? from;
    return opened;
  });
  return {
    partition,
    began: state.stored,
    queue: createRecordQueue(),
    edges: createBlockEdges(),
    paused: false,
    ended: false,
    next: state.stored,
    published: state.published,
    replay: ranges.flatMap((range) => range.cuts.map((cut) => ({ cut, range }))),
    tasks: [],
    ranges,
    storedTo: state.stored,
    storedCommitted: state.stored,
    storing: false,
    draining: false,
    gone: false,
    given: new AbortController(),
  };
}

export function openRange(from: number, state: RangeState, now: number, recovered = false): Range {
  return {
    from,
    catalogue: state.catalogue,
    world: state.world,
    cuts: [...state.cuts],
    round: state.round,
    roundCommitted: state.round !== undefined,
    filled: 0,
    recovered,
    openedAt: now,
    rows: 0,
    bytes: 0,
    blocks: {},
  };
}

/** What the ledger is to hold for the lane as it stands. */
export function laneState(lane: Lane): PartitionState {
  return { stored: lane.storedTo, published: lane.published, ranges: lane.ranges };
}

/**
 * @param now ms, monotonic
 * @throws UserError for a record from before our position: then the offsets are not those that the ledger knows
 */
export function acceptRecords(lane: Lane, records: Records, now: number): void {
  if (records.count === 0) return;
  const first = offsetAt(records, 0);
  if (first < lane.next) {
    throw new UserError(
      `Cannot go on with partition ${lane.partition} at offset ${lane.next}: the source gives offset ${first}, so the topic was made again or ends before our position`,
      { next: "Use another KAFKA_GROUP_ID, or another topic name, to begin anew" },
    );
  }
  lane.queue.add(records);
  lane.edges.add(records, now);
}

/**
 * The batch that is to run again is not whole yet. The last of its records stood right before its cut; should it be gone since
 * (retention), a later one shows that it will not come. Such a lane must go on reading, or what it holds is never let go.
 */
export function isStarved(lane: Lane): boolean {
  const again = lane.replay[0];
  return again !== undefined && (lane.queue.last() ?? -1) < again.cut - 1;
}

/** All that is queued is a block that is not whole yet. Such a lane must go on reading, too. */
export const isHeld = (lane: Lane): boolean =>
  lane.replay.length === 0 && lane.queue.count > 0 && lane.edges.isHeld(lane.queue.first()!);

/**
 * The next batch, or undefined when there is nothing to do yet. New batches take what is there up to the limits: small when
 * idle, large under load; they end where no block is open. A replayed batch takes exactly what it had.
 * @param now ms, monotonic. What it decides is where batches are cut, which is replayed, and nothing else.
 */
export function takeBatch(lane: Lane, source: string, limits: BatchLimits, now: number): Taken | undefined {
  const again = lane.replay[0];
  if (again ? isStarved(lane) : lane.draining || lane.queue.count === 0) return undefined;
  const to = again?.cut ?? endOfNext(lane, limits, now);
  if (to === undefined) return undefined;
  if (again) lane.replay.shift();
  const parts = lane.queue.take(lane.queue.below(to));
  const taken = batchOf(source, lane.partition, lane.next, to, parts);
  lane.next = to;
  return { ...taken, range: again?.range };
}

/** Offset where a new batch ends; undefined while it must wait for the rest of a block. */
function endOfNext(lane: Lane, limits: BatchLimits, now: number): number | undefined {
  const { queue, edges } = lane;
  const isFull = queue.count >= MAX_BLOCK_RECORDS || queue.bytes >= limits.blockBytes;
  if (lane.ended || (isHeld(lane) && (isFull || edges.isOverdue(now, limits.blockWait)))) edges.giveUp();
  const most = queue.within(limits.records, limits.bytes);
  const end = edges.end(queue.first()!, queue.offset(most - 1) + 1);
  if (end === undefined) return undefined;
  return queue.offset(queue.below(end) - 1) + 1; // the next one may stand further on
}

/** Adds a batch's rows to its range. */
export function fillRange(range: Range, outcome: Outcome): void {
  range.filled++;
  for (const [table, blocks] of Object.entries(outcome.tables) as [TableName, readonly StoredRows[]][]) {
    (range.blocks[table] ??= []).push(...blocks);
    for (const { rows, bytes } of blocks) {
      range.rows += rows;
      range.bytes += bytes.length;
    }
  }
}

/** Ready to be inserted: it will never grow again, and all of it is here. */
export const isStorable = (range: Range): boolean => range.roundCommitted && range.filled === range.cuts.length;

/** Nothing is under way: the partition can be given up without anything to be redone. */
export const isIdle = (lane: Lane): boolean =>
  lane.tasks.length === 0 && lane.ranges.length === 0 && lane.storedCommitted === lane.storedTo;
