/** Rules with state in a whole pipeline on this thread, with a real ledger and store: whatever breaks and however it is cut, each sees what was before it once. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRandom } from "../../bench/load/random.ts";
import { createSynthetic } from "../../bench/load/synthetic.ts";
import { buildRule } from "../../rules-as/cli/build.ts";
import { type TemporaryStore, temporaryStore } from "../../test/support/embeddedStore.ts";
import { parseCondition } from "../condition/parseCondition.ts";
import type { LiveRule } from "../rules/liveRule.ts";
import { readmit } from "../sandbox/admit.ts";
import { createFileLedger } from "../sink/fileLedger.ts";
import type { Ledger } from "../sink/ledger.ts";
import { createStateCompactor, loadState } from "../sink/stateLog.ts";
import { storeRound } from "../sink/storeRound.ts";
import { packBatch } from "../source/batch.ts";
import { createRecordingSource, inspectRecording } from "../source/recording.ts";
import type { StateDeclaration } from "../state/declaration.ts";
import { createOrderedStage } from "../worker/orderedStage.ts";
import { createOrderedProcessor, createProcessor } from "../worker/process.ts";
import { createSandboxes } from "../worker/sandboxes.ts";
import { createWorld } from "../world/world.ts";
import { openLane, type Task } from "./lane.ts";
import { createOrderedWork } from "./orderedWork.ts";
import { runPipeline } from "./pipeline.ts";
import { createStateMemory, type StateMemoryOptions } from "./stateMemory.ts";

const LINES = 2_000;
const SENDERS = 60;
const VERSIONS = { catalogue: "0123456789abcdef", world: "fedcba9876543210" };
const WORLD = createWorld({ chains: [1, 56, 137, 42161] });

let place: TemporaryStore;
let folder: string;
let path: string;
let sequence: LiveRule;
/** By line: what the rule must say of it, if anything. */
const expected: string[] = [];

beforeAll(async () => {
  place = await temporaryStore();
  folder = await mkdtemp(join(tmpdir(), "weir-ordered-"));
  path = join(folder, "r.ndjson");
  const { wasm } = await buildRule(fileURLToPath(new URL("../../rules-as/test/guests/sequence.ts", import.meta.url)));
  const admitted = readmit(wasm!);
  if (!admitted.ok) throw new Error(JSON.stringify(admitted.findings));
  sequence = {
    name: "sequence",
    version: 1,
    manifest: admitted.manifest,
    module: new WebAssembly.Module(admitted.module),
  };
  const random = createRandom(5);
  const synthetic = createSynthetic({ seed: 5 });
  const seen = new Map<string, number[]>();
  const lines = Array.from({ length: LINES }, (_, i) => {
    const from = `0x${String(random.u32() % SENDERS).padStart(40, "a")}`;
    const seconds = i * 2;
    const minutes = [...(seen.get(from) ?? []), seconds];
    seen.set(from, minutes);
    const recent = minutes.filter((second) => second > seconds - 60).length;
    if (minutes.length % 5 === 0) expected.push(`${i} ${from} ${minutes.length} ${recent}`);
    return JSON.stringify({
      ...(JSON.parse(synthetic.next()) as object),
      from,
      seenAt: 1_700_000_000_000 + seconds * 1_000,
    });
  });
  await writeFile(path, lines.join("\n"));
});
afterAll(async () => {
  await place?.remove();
  await rm(folder, { recursive: true, force: true });
});

let runs = 0;

interface Scene {
  readonly source: string;
  readonly ledger: Ledger;
  /** Rules of the batches from each offset on; default: the one. */
  readonly rules?: LiveRule[];
  /** Of a change of the rule set on the way. */
  readonly rulesOf?: (catalogue: string) => LiveRule[];
  readonly current?: () => typeof VERSIONS;
  readonly memory?: Partial<StateMemoryOptions>;
  /** Before the first stage of a batch. */
  readonly hold?: (batch: Pick<Task, "catalogue" | "batch">) => Promise<void>;
  readonly onStored?: (to: number) => void;
  readonly batch?: number;
  readonly breaks?: (where: "before" | "after") => void;
  /** The log of state is compacted when it has so many rows too many. To delete takes the store 0.4 s of CPU. */
  readonly superfluous?: number;
}

const scene = (): Pick<Scene, "source" | "ledger"> => {
  const source = `recording:ordered-${runs++}`;
  return { source, ledger: createFileLedger(join(folder, `${runs}.json`), source) };
};

/** Stages take turns as threads would let them: at random. */
async function run(
  { source, ledger, rules = [sequence], batch = 90, breaks = () => {}, superfluous = 1e6, ...more }: Scene,
  seed = 1,
): Promise<void> {
  const { rulesOf = () => rules, current = () => VERSIONS, memory, hold, onStored } = more;
  const random = createRandom(seed);
  const someTime = () => new Promise((resolve) => setTimeout(resolve, random.u32() % 8));
  const stages = new Map<string, ReturnType<typeof makeStages>>();
  const makeStages = (rules: LiveRule[]) => ({
    first: createProcessor(rules, WORLD),
    second: createOrderedProcessor(rules, createOrderedStage(rules, createSandboxes(10))),
  });
  const stagesOf = (catalogue: string) => {
    const made = stages.get(catalogue) ?? makeStages(rulesOf(catalogue));
    stages.set(catalogue, made);
    return made;
  };
  const compact = createStateCompactor(place.store, superfluous);
  const work = createOrderedWork({
    pool: {
      run: async ({ batch, catalogue }) => {
        await hold?.({ batch, catalogue });
        await someTime();
        return stagesOf(catalogue).first(batch);
      },
      runSecond: async ({ batch, catalogue }, { handover, tables }) => {
        await someTime();
        return stagesOf(catalogue).second(batch, structuredClone(handover), structuredClone(tables));
      },
    },
    rules: async (catalogue) => rulesOf(catalogue),
    memory: createStateMemory({
      load: (from, lane, before, only) => loadState(place.store, from, lane.partition, before, only),
      most: Number.POSITIVE_INFINITY,
      onOver: () => {},
      ...memory,
    }),
  });
  await runPipeline(
    {
      source: createRecordingSource(await inspectRecording(path), source),
      ledger,
      work,
      current,
      limits: {
        batch: { records: batch, bytes: 1 << 20, blockWait: 1_000 },
        tasks: 3,
        rangeAge: 50,
        rangeRows: 400,
        rangeBytes: 1 << 20,
        bytesInFlight: 1 << 22,
        drain: 1_000,
      },
      store: async (members, signal) => {
        breaks("before");
        await storeRound({
          ...{ store: place.store, source, members, signal, failpoint: () => {} },
          retry: async (error) => {
            throw error;
          },
        });
        breaks("after");
        onStored?.(members.at(-1)!.range.cuts.at(-1)!);
        for (const { partition, range, stored } of members) await compact(source, partition, range, stored);
      },
    },
    new AbortController().signal,
  );
}

const alerts = async (source: string): Promise<string[]> =>
  (
    await place.store.rows<{ line: string }>(
      "SELECT concat(toString(offset), ' ', message) AS line FROM alerts WHERE source = {source:String} ORDER BY offset",
      { source },
    )
  ).map(({ line }) => line);

const log = async (source: string): Promise<{ rows: number; keys: number; counted: number }> =>
  (
    await place.store.rows<{ rows: number; keys: number; counted: number }>(
      `SELECT toFloat64(count()) AS rows, toFloat64(uniqExact(name, key)) AS keys,
         toFloat64((SELECT sum(last) FROM (SELECT argMax(reinterpretAsUInt64(value), offset) AS last FROM rule_state
           WHERE source = {source:String} AND name = 'sent' GROUP BY key))) AS counted
       FROM rule_state WHERE source = {source:String}`,
      { source },
    )
  )[0]!;

describe("a rule with state", () => {
  test("sees each transaction after all before it, whatever the stages take and however batches are cut", async () => {
    for (const batch of [90, 333]) {
      const at = scene();
      await run({ ...at, batch }, batch);
      expect(await alerts(at.source)).toEqual(expected);
      expect(await log(at.source)).toMatchObject({ keys: 2 * SENDERS, counted: LINES });
    }
  });

  test("goes on where the ledger is after any break, and says each thing once; the log stays short", async () => {
    const at = scene();
    let broken = 0;
    /** In its second round: before anything of it is stored, or when all of it is and the ledger does not say so yet. */
    const attempt = (): Promise<void> => {
      let rounds = 0;
      const breaks = (where: "before" | "after"): void => {
        if (where === "before") rounds++;
        if (broken === 4 || rounds < 2 || where !== (broken % 2 === 0 ? "before" : "after")) return;
        broken++;
        throw new Error(`broken ${where} a round`);
      };
      return run({ ...at, breaks, superfluous: 500 }, broken);
    };
    for (let done = false; !done; )
      done = await attempt().then(
        () => true,
        (error: Error) => {
          if (!error.message.startsWith("broken")) throw error;
          return false;
        },
      );
    expect(broken).toBe(4);
    expect(await alerts(at.source)).toEqual(expected);
    const { rows, keys, counted } = await log(at.source);
    expect({ keys, counted }).toEqual({ keys: 2 * SENDERS, counted: LINES });
    // 2,000 transactions in 23 batches wrote some 2,300 rows; removed are those before the last of each key that the ledger had passed
    expect(rows).toBeLessThan(1_400);
    const marks = await place.store.rows<{ line: string; score: number }>(
      "SELECT toString(offset) AS line, score FROM transactions WHERE source = {source:String} AND tags = ['fifth'] ORDER BY offset",
      { source: at.source },
    );
    expect(marks.map(({ line }) => line)).toEqual(expected.map((line) => line.split(" ")[0]));
    expect(marks.every(({ score }) => score === 0.5)).toBe(true);
  });

  test("a version on trial has state of its own, beside the live one's", async () => {
    const at = scene();
    const trial = { ...sequence, version: 2, trial: true, silent: true };
    await run({ ...at, rules: [sequence, trial] });
    expect(await alerts(at.source)).toEqual(expected);
    const [stats] = await place.store.rows(
      `SELECT toFloat64(sumIf(matches, rule_version = 2)) AS trial, toFloat64(sumIf(matches, rule_version = 1)) AS live,
         toFloat64(sum(added + dropped)) AS changed FROM rule_stats WHERE source = {source:String}`,
      { source: at.source },
    );
    expect(stats).toEqual({ trial: expected.length, live: expected.length, changed: 0 });
    const owners = await place.store.rows(
      "SELECT DISTINCT rule, trial FROM rule_state WHERE source = {source:String} ORDER BY trial",
      {
        source: at.source,
      },
    );
    expect(owners).toEqual([{ rule: "sequence", trial: 0 }, { rule: "sequence", trial: 2 }]); // biome-ignore format: two rows
  });
});

test("what remembers too much is reported; without it memory is free again, and it comes back with what it knew", async () => {
  const at = scene();
  const [WITHOUT, WITH] = [{ ...VERSIONS, catalogue: "ffff" }, VERSIONS];
  const few = parseCondition({ from: `0x${"7".padStart(40, "a")}` });
  if (!few.ok) throw new Error(JSON.stringify(few.problems));
  const [sent, lately] = sequence.manifest.state!;
  const manifest = { ...sequence.manifest, state: [sent!, { ...lately!, buckets: 6 } as StateDeclaration] };
  const modest = { ...sequence, name: "modest", condition: few.condition, manifest };
  let current = WITH;
  /** Where the set without the rule began, and up to where all is stored. */
  let [without, stored] = [Number.POSITIVE_INFINITY, 0];
  const used = new Map<string, number>();
  const freed: number[] = [];
  const reported: { rule: string; reason: string }[] = [];
  await run({
    ...at,
    batch: 50,
    rulesOf: (catalogue) => (catalogue === WITHOUT.catalogue ? [modest] : [modest, sequence]),
    current: () => current,
    memory: {
      most: 40_000, // a window of 60 steps takes 32 KiB for the first keys, one of 6 steps 5
      onOver(greedy) {
        reported.push(greedy);
        if (freed.length === 0) current = WITHOUT;
      },
      onUse(rule, bytes, total) {
        used.set(rule, bytes);
        expect([...used.values()].reduce((sum, each) => sum + each, 0)).toBe(total);
        if (rule !== "sequence" || bytes > 0) return;
        freed.push(total);
        current = WITH;
      },
    },
    async hold({ catalogue, batch: { from } }) {
      if (catalogue !== WITHOUT.catalogue) return;
      without = Math.min(without, from);
      // the second batch without it waits until all that was written before is stored, so that it can go
      while (from > without && stored <= without) await new Promise((resolve) => setTimeout(resolve, 10));
    },
    onStored: (to) => {
      stored = to;
    },
  });
  expect(reported.map(({ rule }) => rule)).toContain("sequence");
  expect(reported[0]!.reason).toMatch(/^Its state takes \d+ bytes of memory, that of all rules \d+, expected at most WEIR_STATE_BYTES=40000$/); // biome-ignore format: one expression
  expect(freed.length).toBeGreaterThan(0);
  expect(freed[0]).toBeLessThan(10_000); // the modest rule's stays
  expect([...used.values()]).toEqual([0, 0]); // the lane has ended

  const [stats] = await place.store.rows<{ sequence: number; modest: number }>(
    `SELECT toFloat64(sumIf(evaluations, rule = 'sequence')) AS sequence, toFloat64(sumIf(evaluations, rule = 'modest')) AS modest
     FROM rule_stats WHERE source = {source:String}`,
    { source: at.source },
  );
  expect(stats!.sequence).toBeLessThan(LINES);
  expect(stats!.modest).toBeGreaterThan(0);
  const counted = await place.store.rows(
    `SELECT rule, toFloat64(sum(last)) AS n FROM (
       SELECT rule, argMax(reinterpretAsUInt64(value), offset) AS last FROM rule_state
       WHERE source = {source:String} AND name = 'sent' GROUP BY rule, key) GROUP BY rule ORDER BY rule`,
    { source: at.source },
  );
  // whatever it was shown, before and after, it has counted once
  expect(counted).toEqual([{ rule: "modest", n: stats!.modest }, { rule: "sequence", n: stats!.sequence }]); // biome-ignore format: two rows
});

test("a lane keeps no outcome once it has gone on", async () => {
  const outcome = {
    minutes: new Map(),
    transactions: 0,
    deadLetters: 0,
    deadLetterReasons: {},
    alerts: 0,
    findings: [],
    tables: {},
    rules: [],
  };
  const work = createOrderedWork({
    pool: {
      run: async () => ({ ...outcome, records: { count: 0, bytes: new Uint8Array(8) } }),
      runSecond: () => Promise.reject(new Error("there is nothing to hand over")),
    },
    rules: async () => [],
    memory: createStateMemory({
      load: () => Promise.reject(new Error("there is no state")),
      ...{ most: Number.POSITIVE_INFINITY, onOver: () => {} },
    }),
  });
  const lane = openLane(0, { stored: 0, published: 0, ranges: [] }, 0);
  const task = { batch: packBatch("s", 0, 0, 0, []), ...VERSIONS };
  const outcomes: WeakRef<object>[] = [];
  for (let n = 0; n < 20; n++) outcomes.push(new WeakRef(await work(task, lane)));
  await new Promise(setImmediate);
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  expect(outcomes.slice(0, -1).filter((each) => each.deref() !== undefined)).toEqual([]);
});
