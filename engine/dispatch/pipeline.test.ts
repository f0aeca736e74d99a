/** The pipeline over a real recording, ledger and worker function, on this thread. Kills and brokers: test/. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSynthetic } from "../../bench/load/synthetic.ts";
import { CONTENT } from "../frame/content.ts";
import { createFileLedger } from "../sink/fileLedger.ts";
import type { Ledger, PartitionState } from "../sink/ledger.ts";
import type { Batch } from "../source/batch.ts";
import { createRecordingSource, inspectRecording } from "../source/recording.ts";
import { recordsOf } from "../source/records.ts";
import type { Source } from "../source/source.ts";
import { textOf } from "../source/testing/records.ts";
import type { Outcome } from "../worker/outcome.ts";
import { createProcessor } from "../worker/process.ts";
import { createWorld } from "../world/world.ts";
import type { Range } from "./lane.ts";
import { type PipelineLimits, type PipelineObserver, runPipeline } from "./pipeline.ts";

const LINES = 4_000;
const ROUND = "00ff00ff00ff00ff";
const VERSIONS = { catalogue: "0123456789abcdef", world: "fedcba9876543210" };
const SOURCE = "recording:x";
const LIMITS: PipelineLimits = {
  batch: { records: 500, bytes: 1 << 20, blockWait: 30_000 },
  tasks: 2,
  rangeAge: 50,
  rangeRows: 1_000,
  rangeBytes: 1 << 20,
  bytesInFlight: 1 << 20,
  drain: 1_000,
};

let folder: string;
let path: string;
let ledger: Ledger;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-pipeline-"));
  path = join(folder, "r.ndjson");
  const synthetic = createSynthetic({ seed: 1 });
  await writeFile(path, Array.from({ length: LINES }, () => synthetic.next()).join("\n"));
  ledger = createFileLedger(join(folder, "ledger.json"), SOURCE);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Ran {
  /** Ends of the batches that ran, and the offsets and rows of what was stored, in order. */
  readonly batches: number[];
  readonly stored: { from: number; to: number; rows: number }[];
  readonly state: PartitionState;
}

async function run({
  limits = LIMITS,
  signal = new AbortController().signal,
  store = async () => {},
  onBatch = () => {},
  observe = {},
}: {
  limits?: PipelineLimits;
  signal?: AbortSignal;
  store?: (range: Range) => Promise<void>;
  onBatch?: (batch: Batch) => void;
  observe?: PipelineObserver;
} = {}): Promise<Ran> {
  const process = createProcessor([], createWorld({ chains: [1, 56, 137, 42161] }));
  const batches: number[] = [];
  const stored: Ran["stored"] = [];
  await runPipeline(
    {
      source: createRecordingSource(await inspectRecording(path), SOURCE),
      ledger,
      limits,
      observe,
      current: () => VERSIONS,
      work: async ({ batch }) => {
        batches.push(batch.to);
        onBatch(batch);
        return process(batch);
      },
      store: async (round) => {
        for (const { range } of round) {
          await store(range);
          stored.push({ from: range.from, to: range.cuts.at(-1)!, rows: range.rows });
        }
      },
    },
    signal,
  );
  return { batches, stored, state: (await ledger.read([0])).get(0)! };
}

/** Stored ranges follow one another without a gap, and hold a row a line. */
function expectWhole({ stored, state }: Ran, from = 0): void {
  let at = from;
  for (const range of stored) {
    expect(range.from).toBe(at);
    expect(range.rows).toBe(range.to - range.from);
    at = range.to;
  }
  expect(at).toBe(LINES);
  expect(state).toEqual({ stored: LINES, published: LINES, ranges: [] });
}

test("a recording goes through whole, in ranges within their limits", async () => {
  const ran = await run();
  expectWhole(ran);
  for (const { rows } of ran.stored) expect(rows).toBeLessThan(1_000 + 500);
});

test("who observes has each new outcome before it is published, and none again that was published before a restart", async () => {
  const ranges = [{ cuts: [300], round: ROUND, ...VERSIONS }];
  await ledger.commit([{ partition: 0, state: { stored: 0, published: 300, ranges } }], []);
  const early: Outcome[] = [];
  let published = 0;
  await run({
    observe: {
      worked: (outcome) => void early.push(outcome),
      published(outcomes) {
        for (const { outcome } of outcomes) expect(early[published++]).toBe(outcome);
      },
    },
  });
  expect(published).toBeGreaterThan(5);
  expect(early).toHaveLength(published);
});

test("what was published before a restart runs again in the same batches, then it goes on", async () => {
  const ranges = [
    { cuts: [7, 300], round: ROUND, ...VERSIONS },
    { cuts: [301, 1_500], round: undefined, ...VERSIONS },
  ];
  await ledger.commit([{ partition: 0, state: { stored: 5, published: 1_500, ranges } }], []);
  const ran = await run();
  expect(ran.batches.slice(0, 4)).toEqual([7, 300, 301, 1_500]);
  expect(ran.stored[0]).toEqual({ from: 5, to: 300, rows: 295 });
  expect(ran.stored[1]!.from).toBe(300);
  expectWhole(ran, 5);
});

test("a batch to be run again that is larger than a lane's share of memory is read whole", async () => {
  const ranges = [{ cuts: [3_500], round: undefined, ...VERSIONS }]; // 2.3 MB; a lane may have 256 KiB
  await ledger.commit([{ partition: 0, state: { stored: 0, published: 3_500, ranges } }], []);
  const ran = await run();
  expect(ran.batches[0]).toBe(3_500);
  expectWhole(ran);
});

test("stopped anywhere, what was begun is stored, and the next run goes on behind it", async () => {
  const stop = new AbortController();
  const first = await run({ signal: stop.signal, onBatch: ({ to }) => to > 1_200 && stop.abort() });
  const { stored } = first.state;
  expect(stored).toBeGreaterThan(1_200);
  expect(stored).toBeLessThan(LINES);
  expect(first.state).toEqual({ stored, published: stored, ranges: [] });
  expect(first.stored.at(-1)!.to).toBe(stored);
  expectWhole(await run(), stored);
});

test("a store that fails breaks the stream with its error; a new one stores exactly the ranges that were closed", async () => {
  const seen: number[] = [];
  const failing = run({
    store: async (range) => {
      seen.push(range.cuts.at(-1)!);
      throw new Error("no room");
    },
  });
  await expect(failing).rejects.toThrow("no room");
  const closed = (await ledger.read([0])).get(0)!.ranges[0]!;
  expect(closed).toMatchObject({ round: expect.any(String) });
  expect(closed.cuts.at(-1)).toBe(seen[0]);
  const ran = await run();
  expect(ran.stored[0]!.to).toBe(seen[0]);
  expectWhole(ran);
});

test("a store that is slow holds the source back: memory stays bounded", async () => {
  let most = 0;
  let published = 0;
  let stored = 0;
  const ran = await run({
    onBatch: ({ to }) => {
      published = to;
      most = Math.max(most, published - stored);
    },
    store: async (range) => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      stored = range.cuts.at(-1)!;
    },
  });
  expectWhole(ran);
  // 1 MiB of rows and records at about 1.3 KB a transaction, a chunk of 1,024 lines and the batches under way.
  expect(most).toBeLessThan(3_500);
});

test("blocks reach the worker whole, however batches would fall, and what never came is not waited for at the end", async () => {
  const synthetic = createSynthetic({ seed: 3 });
  const lines: string[] = [];
  for (let block = 0; block < 60; block++) {
    const hash = `0x${(block + 1).toString(16).padStart(4, "0")}${"0".repeat(60)}`;
    const count = 1 + ((block * 7) % 40);
    for (let index = 0; index < count - Number(block === 59); index++) {
      const place = {
        blockHash: hash,
        transactionIndex: `0x${index.toString(16)}`,
        block: { transactionCount: count },
      };
      lines.push(JSON.stringify({ ...JSON.parse(synthetic.next()), ...place }));
      if (index % 5 === 0) lines.push(synthetic.next());
    }
  }
  await writeFile(path, lines.join("\n"));
  const blocks: string[][] = [];
  await run({
    limits: { ...LIMITS, batch: { records: 25, bytes: 1 << 20, blockWait: 30_000 } },
    onBatch: (batch) => blocks.push([...new Set(textOf(batch).match(/"blockHash":"0x.{4}/g))]),
  });
  expect(blocks.flat()).toHaveLength(60);
  expect(new Set(blocks.flat()).size).toBe(60);
  expect(blocks.length).toBeGreaterThan(30);
});

test("a block that never becomes whole is given up when its lane may hold no more, long before its time", async () => {
  const synthetic = createSynthetic({ seed: 4 });
  const place = { blockHash: `0x${"a".repeat(64)}`, transactionIndex: "0x0", block: { transactionCount: 2 } };
  const first = JSON.stringify({ ...JSON.parse(synthetic.next()), ...place });
  const lines = [first, ...Array.from({ length: LINES - 1 }, () => synthetic.next())];
  await writeFile(path, lines.join("\n"));
  const ran = await run({ limits: { ...LIMITS, batch: { records: 500, bytes: 1 << 20, blockWait: 600_000 } } });
  expectWhole(ran);
  const [largest, ...others] = ran.batches; // 1 MiB of 656 bytes each, and what came with the last of them
  expect(largest).toBeGreaterThan(1_500);
  expect(largest).toBeLessThan(1_700 + 1_024);
  expect(others.length).toBeGreaterThan(1);
});

describe("once nothing more comes", () => {
  /** How often rows were stored before a source ended that gives a record at a time. @param play until it ends: `give` resolves once it is stored */
  async function storesBeforeTheEnd(
    rows: number,
    play: (give: () => Promise<void>) => Promise<unknown>,
  ): Promise<number> {
    let ended = false;
    let before = 0;
    let tell = (): void => {};
    let offset = 0;
    const value = Buffer.from(createSynthetic({ seed: 5 }).next());
    const source: Source = {
      name: SOURCE,
      async run(events) {
        await events.assign([0]);
        await play(() => {
          events.records(0, recordsOf([{ offset: offset++, time: 0, content: CONTENT.json, value }]));
          return new Promise((resolve) => (tell = resolve));
        });
        ended = true;
      },
      pause() {},
      resume() {},
    };
    const process = createProcessor([], createWorld({ chains: [1, 56, 137, 42161] }));
    await runPipeline(
      {
        ...{ source, ledger, limits: { ...LIMITS, rangeAge: 600_000, rangeRows: 50_000 }, current: () => VERSIONS },
        work: async ({ batch }) => ({
          ...process(batch),
          tables: { transactions: [{ source: SOURCE, partition: 0, rows, bytes: new Uint8Array(8) }] },
        }),
        async store() {
          if (!ended) before++;
          tell();
        },
      },
      new AbortController().signal,
    );
    return before;
  }
  const aMoment = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 300));

  test("what is worth an insert is stored at once", async () => {
    expect(await storesBeforeTheEnd(2_000, (give) => give())).toBe(1);
  });

  test("a few rows wait until they are of age", async () => {
    const play = (give: () => Promise<void>) => Promise.race([give(), aMoment()]);
    expect(await storesBeforeTheEnd(1_999, play)).toBe(0);
  });

  test("what comes then waits until it is of age", async () => {
    const play = async (give: () => Promise<void>) => {
      await give();
      await Promise.race([give(), aMoment()]);
    };
    expect(await storesBeforeTheEnd(2_000, play)).toBe(1);
  });
});

describe("rounds of several partitions", () => {
  const PARTITIONS = [0, 1, 2];
  const RECORDS = 300;

  /** Gives each partition its records from where the pipeline begins, then ends. */
  const source: Source = {
    name: SOURCE,
    async run(events) {
      const synthetic = createSynthetic({ seed: 2 });
      const starts = await events.assign(PARTITIONS);
      for (const partition of PARTITIONS) {
        const records = Array.from({ length: RECORDS }, (_, offset) => {
          return { offset, time: 0, content: CONTENT.json, value: Buffer.from(synthetic.next()) };
        });
        events.records(partition, recordsOf(records.slice(starts.get(partition)!)));
      }
    },
    pause() {},
    resume() {},
  };

  async function rounds(): Promise<{ partitions: number[]; names: Set<string | undefined> }[]> {
    const process = createProcessor([], createWorld({ chains: [1, 56, 137, 42161] }));
    const seen: { partitions: number[]; names: Set<string | undefined> }[] = [];
    await runPipeline(
      {
        ...{ source, ledger, limits: LIMITS, current: () => VERSIONS, work: async ({ batch }) => process(batch) },
        store: async (round) => {
          const names = new Set(round.map(({ range }) => range.round));
          seen.push({ partitions: round.map(({ partition }) => partition), names });
        },
      },
      new AbortController().signal,
    );
    for (const state of (await ledger.read(PARTITIONS)).values())
      expect(state).toEqual({ stored: RECORDS, published: RECORDS, ranges: [] });
    return seen;
  }

  test("a buffer is let go of once, when there is an outcome of all that was read into it, replayed batches too", async () => {
    const process = createProcessor([], createWorld({ chains: [1, 56, 137, 42161] }));
    const ranges = [{ cuts: [50, 120], round: undefined, ...VERSIONS }];
    await ledger.commit([{ partition: 1, state: { stored: 0, published: 120, ranges } }], []);
    let worked = 0;
    const released: number[] = [];
    const held = { records: 3 * RECORDS, release: () => void released.push(worked) };
    const reading: Source = {
      ...source,
      run: (events, signal) =>
        source.run(
          { ...events, records: (partition, records) => events.records(partition, { ...records, held }) },
          signal,
        ),
    };
    await runPipeline(
      {
        ...{
          source: reading,
          ledger,
          limits: { ...LIMITS, batch: { ...LIMITS.batch, records: 70 } },
          current: () => VERSIONS,
        },
        async work({ batch }) {
          const outcome = process(batch);
          await new Promise(setImmediate);
          worked += batch.count;
          return outcome;
        },
        store: async () => {},
      },
      new AbortController().signal,
    );
    expect(released).toEqual([3 * RECORDS]);
    expect(held.records).toBe(0);
  });

  test("ranges that are open together are stored together, under one name", async () => {
    const seen = await rounds();
    expect(seen.some(({ partitions }) => partitions.length > 1)).toBe(true);
    for (const { names } of seen) expect(names.size).toBe(1);
  });

  test("ranges from before a restart go under a name that no later one has", async () => {
    const ranges = [{ cuts: [50], round: undefined, ...VERSIONS }];
    await ledger.commit([{ partition: 1, state: { stored: 0, published: 50, ranges } }], []);
    const seen = await rounds();
    const [first] = seen.filter(({ partitions }) => partitions.includes(1));
    expect(first!.partitions).toEqual([1]);
    const [name] = first!.names;
    expect(seen.filter(({ names }) => names.has(name))).toHaveLength(1);
  });
});
