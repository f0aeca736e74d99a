import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NULL_VALUE } from "../frame/content.ts";
import type { PartitionState } from "../sink/ledger.ts";
import { tableOf } from "../source/batch.ts";
import { recordsOf, type SourceRecord } from "../source/records.ts";
import type { Outcome } from "../worker/outcome.ts";
import {
  acceptRecords,
  fillRange,
  isHeld,
  isIdle,
  isStarved,
  isStorable,
  type Lane,
  laneState,
  openLane,
  openRange,
  takeBatch,
} from "./lane.ts";

const ROUND = "00ff00ff00ff00ff";
const VERSIONS = { catalogue: "0123456789abcdef", world: "fedcba9876543210" };
const NO_LIMITS = { records: 1_000, bytes: 1 << 20, blockBytes: 4 << 20, blockWait: 30_000 };
const record = (offset: number, size = 10): SourceRecord => ({
  offset,
  time: 0,
  content: 0,
  value: new Uint8Array(size).fill(offset),
});
const records = (from: number, to: number, size?: number): SourceRecord[] =>
  Array.from({ length: to - from }, (_, i) => record(from + i, size));
const fresh = (state: Partial<PartitionState> = {}): Lane =>
  openLane(3, { stored: 0, published: 0, ranges: [], ...state }, 0);
/** A lane as it opens after a restart, with these batches to run again in one range. */
const restarted = (stored: number, ...cuts: number[]): Lane =>
  fresh({ stored, published: cuts.at(-1)!, ranges: [{ cuts, round: undefined, ...VERSIONS }] });
const outcome = (tables: Outcome["tables"]): Outcome => ({
  minutes: new Map(),
  transactions: 0,
  deadLetters: 0,
  deadLetterReasons: {},
  alerts: 0,
  findings: [],
  tables,
  records: { count: 0, bytes: new Uint8Array(0) },
  rules: [],
});

/** Offsets in a batch's table. */
const offsets = (taken: ReturnType<typeof takeBatch>): number[] => {
  const tables = taken!.batch.parts.map(tableOf);
  return tables.flatMap(({ count, f64 }) => Array.from({ length: count }, (_, i) => f64[i * 4]!));
};

describe("takeBatch() of new records", () => {
  test("takes what is there when that is less than the limits, and nothing when nothing is there", () => {
    const lane = fresh();
    expect(takeBatch(lane, "tx_raw", NO_LIMITS, 0)).toBeUndefined();
    acceptRecords(lane, recordsOf(records(0, 3)), 0);
    const taken = takeBatch(lane, "tx_raw", NO_LIMITS, 0)!;
    expect(taken.batch).toMatchObject({ source: "tx_raw", partition: 3, from: 0, to: 3, count: 3 });
    expect(taken.range).toBeUndefined();
    expect(lane).toMatchObject({ queue: { count: 0, bytes: 0 }, next: 3 });
    expect(takeBatch(lane, "tx_raw", NO_LIMITS, 0)).toBeUndefined();
  });

  test.each([
    { limit: "records", limits: { records: 2, bytes: 1_000 }, counts: [2, 2, 1] },
    { limit: "bytes", limits: { records: 9, bytes: 30 }, counts: [3, 2] },
    { limit: "bytes, exactly", limits: { records: 9, bytes: 50 }, counts: [5] },
    { limit: "bytes below a single record", limits: { records: 9, bytes: 5 }, counts: [1, 1, 1, 1, 1] },
  ])("is cut at the limit of $limit", ({ limits, counts }) => {
    const lane = fresh();
    acceptRecords(lane, recordsOf(records(0, 5)), 0);
    for (const count of counts) expect(takeBatch(lane, "s", { ...NO_LIMITS, ...limits }, 0)!.batch.count).toBe(count);
    expect(lane.queue.count).toBe(0);
  });

  test("ranges have no gaps where offsets have", () => {
    const lane = fresh({ stored: 5, published: 5 });
    acceptRecords(lane, recordsOf([record(9), record(12)]), 0);
    expect(takeBatch(lane, "s", { ...NO_LIMITS, records: 1, bytes: 99 }, 0)!.batch).toMatchObject({
      from: 5,
      to: 10,
      count: 1,
    });
    expect(takeBatch(lane, "s", { ...NO_LIMITS, records: 1, bytes: 99 }, 0)!.batch).toMatchObject({
      from: 10,
      to: 13,
      count: 1,
    });
  });

  test("records below the position are refused: the topic was made again, or ends before it", () => {
    const lane = fresh({ stored: 5, published: 5 });
    expect(() => acceptRecords(lane, recordsOf(records(2, 7)), 0)).toThrow(
      "Cannot go on with partition 3 at offset 5: the source gives offset 2",
    );
  });

  test("a record without a value counts as no bytes and is marked", () => {
    const lane = fresh();
    acceptRecords(lane, recordsOf([{ ...record(0), value: null }, record(1)]), 0);
    expect(lane.queue.bytes).toBe(10);
    const [part] = takeBatch(lane, "s", NO_LIMITS, 0)!.batch.parts;
    expect(tableOf(part!).u32[5]).toBe(NULL_VALUE);
    expect(lane.queue.bytes).toBe(0);
  });

  test("a lane that is given up takes nothing new", () => {
    const lane = fresh();
    acceptRecords(lane, recordsOf(records(0, 3)), 0);
    lane.draining = true;
    expect(takeBatch(lane, "s", NO_LIMITS, 0)).toBeUndefined();
  });

  test("every record goes into one batch, in order, whatever the limits and arrivals", () => {
    const piece = fc.record({ gap: fc.nat(3), size: fc.nat(40) });
    const limits = fc.record({ records: fc.integer({ min: 1, max: 7 }), bytes: fc.integer({ min: 1, max: 100 }) });
    fc.assert(
      fc.property(fc.array(fc.array(piece), { maxLength: 8 }), limits, (arrivals, limit) => {
        const lane = fresh();
        const sent: number[] = [];
        const got: number[] = [];
        let offset = 0;
        let end = 0;
        const take = (): boolean => {
          const taken = takeBatch(lane, "s", { ...NO_LIMITS, ...limit }, 0);
          if (!taken) return false;
          expect(taken.batch.from).toBe(end);
          end = taken.batch.to;
          expect(taken.batch.count).toBeLessThanOrEqual(limit.records);
          got.push(...offsets(taken));
          expect(end).toBe(got.at(-1)! + 1);
          return true;
        };
        for (const arrival of arrivals) {
          const batch = arrival.map(({ gap, size }) => record((offset += gap + 1), size));
          sent.push(...batch.map((each) => each.offset));
          acceptRecords(lane, recordsOf(batch), 0);
          take();
        }
        while (take());
        expect(got).toEqual(sent);
        expect(lane.queue.bytes).toBe(0);
      }),
    );
  });
});

describe("takeBatch() of blocks", () => {
  /** A transaction of the block with this digit in its hash. */
  const mined = (offset: number, block: number, index: number, count: number): SourceRecord => ({
    ...record(offset),
    value: Buffer.from(
      `{"blockHash":"0x${String(block).repeat(64)}","transactionIndex":"0x${index.toString(16)}","block":{"transactionCount":${count}}}`,
    ),
  });
  const block = (from: number, number: number, count: number, here = count): SourceRecord[] =>
    Array.from({ length: here }, (_, i) => mined(from + i, number, i, count));
  const take = (lane: Lane, limits = {}, now = 0): [number, number] | undefined => {
    const taken = takeBatch(lane, "s", { ...NO_LIMITS, ...limits }, now);
    return taken && [taken.batch.from, taken.batch.to];
  };

  test("a batch ends before a block that would not fit, and takes one whole that is larger than a batch", () => {
    const lane = fresh();
    acceptRecords(lane, recordsOf([...block(0, 1, 3), ...block(3, 2, 3), ...block(6, 3, 9), record(15)]), 0);
    const limits = { records: 5 };
    expect([take(lane, limits), take(lane, limits), take(lane, limits), take(lane, limits)]).toEqual([
      [0, 3],
      [3, 6],
      [6, 15],
      [15, 16],
    ]);
  });

  test("one that is not whole yet waits with what comes after it, and what comes before does not", () => {
    const lane = fresh();
    acceptRecords(lane, recordsOf([record(0), ...block(1, 1, 4, 3), record(4)]), 0);
    expect(take(lane)).toEqual([0, 1]);
    expect([isHeld(lane), take(lane)]).toEqual([true, undefined]);
    acceptRecords(lane, recordsOf([mined(5, 1, 3, 4), record(6)]), 0);
    expect([isHeld(lane), take(lane)]).toEqual([false, [1, 7]]);
  });

  test.each([
    ["it has been open for too long", { now: 30_000 }],
    ["the queue is as large as it may be", { limits: { blockBytes: 300 } }],
    ["nothing more will come", { ended: true }],
  ])(
    "it is taken as it is when %s",
    (_why, { now = 29_999, limits = {}, ended = false }: { now?: number; limits?: object; ended?: boolean }) => {
      const lane = fresh();
      acceptRecords(lane, recordsOf([...block(0, 1, 4, 3), record(3)]), 0);
      expect(take(lane, {}, 29_999)).toBeUndefined();
      lane.ended = ended;
      expect(take(lane, { records: 2, ...limits }, now)).toEqual([0, 4]);
      acceptRecords(lane, recordsOf([mined(4, 1, 3, 4), ...block(5, 2, 2)]), 0);
      expect(take(lane, { records: 2 })).toEqual([4, 5]);
    },
  );

  test("a full queue with whole blocks before the open one gives those first", () => {
    const lane = fresh();
    acceptRecords(lane, recordsOf([...block(0, 1, 2), ...block(2, 2, 3, 2)]), 0);
    expect(take(lane, { blockBytes: 1 }, 99_999)).toEqual([0, 2]);
    expect(take(lane, { blockBytes: 1 }, 0)).toEqual([2, 4]);
  });

  test("offsets with gaps: a batch ends behind its last record", () => {
    const lane = fresh();
    acceptRecords(lane, recordsOf([record(3), ...block(9, 1, 2, 1), ...block(20, 2, 1)]), 0);
    expect(take(lane)).toEqual([0, 4]);
    acceptRecords(lane, recordsOf([mined(30, 1, 1, 2)]), 0);
    expect(take(lane)).toEqual([4, 31]);
  });

  test("after a restart batches are cut as they were, in the middle of a block if need be", () => {
    const lane = restarted(0, 2, 3);
    acceptRecords(lane, recordsOf([...block(0, 1, 4), ...block(4, 2, 2)]), 0);
    expect([take(lane), take(lane), take(lane, { records: 1 }), take(lane)]).toEqual([
      [0, 2],
      [2, 3],
      [3, 4],
      [4, 6],
    ]);
  });
});

describe("takeBatch() after a restart", () => {
  test("takes the very batches that were published, then new ones", () => {
    const lane = restarted(10, 13, 14, 20);
    acceptRecords(lane, recordsOf(records(10, 25)), 0);
    const [first, second, third, next] = [1, 2, 3, 4].map(
      () => takeBatch(lane, "s", { ...NO_LIMITS, records: 2, bytes: 1 }, 0)!,
    );
    expect([first, second, third].map((taken) => [taken!.batch.from, taken!.batch.to, taken!.batch.count])).toEqual([
      [10, 13, 3],
      [13, 14, 1],
      [14, 20, 6],
    ]);
    expect([first, second, third].every((taken) => taken!.range === lane.ranges[0])).toBe(true);
    expect(next!.range).toBeUndefined();
    expect(next!.batch).toMatchObject({ from: 20, to: 21 });
  });

  test("waits until a batch is whole, and must not be paused until then", () => {
    const lane = restarted(0, 5);
    expect(isStarved(lane)).toBe(true);
    acceptRecords(lane, recordsOf(records(0, 4)), 0);
    expect(takeBatch(lane, "s", NO_LIMITS, 0)).toBeUndefined();
    expect(isStarved(lane)).toBe(true);
    acceptRecords(lane, recordsOf(records(4, 6)), 0);
    expect(isStarved(lane)).toBe(false);
    expect(offsets(takeBatch(lane, "s", NO_LIMITS, 0))).toEqual([0, 1, 2, 3, 4]);
    expect(isStarved(lane)).toBe(false);
  });

  test("batches whose records are gone since (retention) are run with what is left", () => {
    const lane = restarted(0, 3, 6, 9);
    acceptRecords(lane, recordsOf(records(7, 11)), 0);
    expect(takeBatch(lane, "s", NO_LIMITS, 0)!.batch).toMatchObject({ from: 0, to: 3, count: 0 });
    expect(takeBatch(lane, "s", NO_LIMITS, 0)!.batch).toMatchObject({ from: 3, to: 6, count: 0 });
    expect(offsets(takeBatch(lane, "s", NO_LIMITS, 0))).toEqual([7, 8]);
    expect(offsets(takeBatch(lane, "s", NO_LIMITS, 0))).toEqual([9, 10]);
  });

  test("gaps inside a batch are where they were", () => {
    const lane = restarted(0, 8, 9);
    acceptRecords(lane, recordsOf([record(2), record(7), record(8)]), 0);
    expect(offsets(takeBatch(lane, "s", NO_LIMITS, 0))).toEqual([2, 7]);
    expect(offsets(takeBatch(lane, "s", NO_LIMITS, 0))).toEqual([8]);
  });

  test("each range gets its own batches back", () => {
    const lane = fresh({
      stored: 0,
      published: 5,
      ranges: [
        { cuts: [2, 3], round: ROUND, ...VERSIONS },
        { cuts: [5], round: undefined, ...VERSIONS },
      ],
    });
    acceptRecords(lane, recordsOf(records(0, 5)), 0);
    const taken = [1, 2, 3].map(() => takeBatch(lane, "s", NO_LIMITS, 0)!);
    expect(taken.map(({ range }) => lane.ranges.indexOf(range!))).toEqual([0, 0, 1]);
    expect(lane.ranges.map(({ from, recovered }) => [from, recovered])).toEqual([
      [0, true],
      [3, true],
    ]);
  });
});

describe("ranges", () => {
  test("fillRange() joins blocks by table and counts rows and bytes", () => {
    const range = openRange(0, { cuts: [1, 2], round: ROUND, ...VERSIONS }, 0);
    const block = (rows: number, size: number) => [{ rows, bytes: new Uint8Array(size), parts: new Uint32Array() }];
    fillRange(range, outcome({ transactions: block(3, 30), alerts: block(1, 5) }));
    expect(isStorable(range)).toBe(false);
    fillRange(range, outcome({ transactions: block(2, 20) }));
    expect(range).toMatchObject({ rows: 6, bytes: 55, filled: 2 });
    expect(range.blocks.transactions!.map(({ rows, bytes }) => [rows, bytes.length])).toEqual([
      [3, 30],
      [2, 20],
    ]);
    expect(Object.keys(range.blocks)).toEqual(["transactions", "alerts"]);
    expect(isStorable(range)).toBe(true);
  });

  test("one that was closed but not committed as such is not stored", () => {
    const range = openRange(0, { cuts: [1], round: undefined, ...VERSIONS }, 0);
    fillRange(range, outcome({}));
    range.round = ROUND;
    expect(isStorable(range)).toBe(false);
    range.roundCommitted = true;
    expect(isStorable(range)).toBe(true);
  });
});

describe("isIdle()", () => {
  test("a lane is idle when nothing is under way, waits, or is yet to be told to the ledger", () => {
    const lane = fresh({ stored: 4, published: 4 });
    expect(isIdle(lane)).toBe(true);
    lane.storedTo = 9;
    expect(isIdle(lane)).toBe(false);
    lane.storedCommitted = 9;
    expect(isIdle(lane)).toBe(true);
    expect(isIdle(restarted(0, 5))).toBe(false);
  });

  test("laneState() is what a restart opens the lane from", () => {
    const lane = restarted(10, 13, 20);
    expect(laneState(lane)).toMatchObject({
      stored: 10,
      published: 20,
      ranges: [{ cuts: [13, 20], round: undefined }],
    });
  });
});
