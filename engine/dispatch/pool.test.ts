/** Worker threads that hang, die, or run hostile rules. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { CONTENT } from "../frame/content.ts";
import type { LiveRule } from "../rules/liveRule.ts";
import { readmit } from "../sandbox/admit.ts";
import { bytesOf, CONTAINED, TRANSACTIONS } from "../sandbox/hostileGuests.ts";
import { manifestSchema } from "../sandbox/parseManifest.ts";
import { appendRecord, COUNTER, FUNCTION, name, op, TYPE, testModule, vector } from "../sandbox/testModule.ts";
import { packBatch } from "../source/batch.ts";
import { createWorld } from "../world/world.ts";
import { createPool, type GuiltyRule, type PoolOptions } from "./pool.ts";

const transaction = (nonce: number) => ({
  chainId: 1,
  hash: `0x${String(nonce).padStart(64, "0")}`,
  from: `0x${"aa".repeat(20)}`,
  to: `0x${"bb".repeat(20)}`,
  nonce: `0x${nonce.toString(16)}`,
  value: "0x1",
  gas: "0x5208",
  input: "0x",
});
const batch = packBatch("case", 0, 0, TRANSACTIONS, Array.from({ length: TRANSACTIONS }, (_, n) => ({
  offset: n,
  time: 1_700_000_000_000,
  content: CONTENT.json,
  value: Buffer.from(JSON.stringify(transaction(n))),
}))); // biome-ignore format: an argument a line

function compiled(bytes: Uint8Array): WebAssembly.Module {
  const admitted = readmit(bytes);
  if (!admitted.ok) throw new Error(JSON.stringify(admitted.findings));
  return new WebAssembly.Module(admitted.module);
}
const rule = (name: string, module: WebAssembly.Module, onError: "dlq" | "halt" = "dlq", version = 1): LiveRule => ({
  name,
  version,
  module,
  manifest: manifestSchema.parse({ name, onError }),
});
const honest = compiled(testModule({ onTx: appendRecord(1, 8, 0x64636261, 0x68676665) }));
/** As if admitted, but without fuel: it never comes back from its first call. */
const hanging = new WebAssembly.Module(
  testModule({
    reserve: [...op.loop(op.br(0)), ...op.i32(0)],
    sections: {
      2: vector([
        [...name("env"), ...name("abort"), 0, TYPE.abort],
        [...name("weir_memory"), ...name("20 64"), 2, 1, 20, 64],
      ]),
      5: null,
      7: vector([
        [...name("memory"), 2, 0],
        [...name("weir_host_fuel"), 3, COUNTER],
        [...name("weir_reserve"), 0, FUNCTION.reserve],
      ]),
    },
  }),
);

const world = createWorld({ chains: [1] });
const deaths: string[] = [];
const guilty: GuiltyRule[] = [];
/** Ten times what a batch takes here, and now, with all that a new thread has to compile for it. */
let hung = 0;
const NEVER_MS = 3_600_000;
const poolOf = (rules: PoolOptions["rules"], of = world, hungMs = hung) =>
  createPool({
    threads: 1,
    instances: 100,
    hungMs,
    rules,
    world: async () => of,
    onDeath: ({ message }) => deaths.push(message),
    onGuilty: (one) => guilty.push(one),
  });

async function runWith(rules: PoolOptions["rules"], of = world): Promise<object> {
  const pool = poolOf(rules, of);
  try {
    const {
      transactions,
      alerts,
      rules: counts,
      deadLetterReasons,
      halt,
    } = await pool.run({ batch, catalogue: "1", world: world.id });
    return { transactions, alerts, counts, deadLetterReasons, halt };
  } catch (error) {
    return { error: (error as Error).message };
  } finally {
    await pool.close();
  }
}

const innocent = (n: number) => Array.from({ length: n }, (_, i) => rule(`honest-${i}`, honest));
async function measure(): Promise<number> {
  const pool = poolOf(async (catalogue) => (catalogue === "none" ? [] : innocent(17)), world, NEVER_MS);
  await pool.run({ batch, catalogue: "none", world: world.id }); // the thread starts
  const began = performance.now();
  await pool.run({ batch, catalogue: "1", world: world.id });
  const took = performance.now() - began;
  await pool.close();
  return took;
}

const cases: Record<string, () => Promise<object>> = {
  /** it hangs once, and the thread that comes after it gets rules that do not */
  once: () => {
    let asked = 0;
    return runWith(async () => (asked++ === 0 ? [rule("hangs", hanging)] : innocent(2)));
  },
  /** one hangs among many, and would rather halt the stream than fail */
  guilty: () => {
    const onTrial = innocent(3).map((one) => ({ ...one, version: 2 }));
    return runWith(async () => [...innocent(14), rule("hangs", hanging, "halt"), ...onTrial]);
  },
  /** a world that no thread survives, whatever the rules */
  broken: () => runWith(async () => innocent(3), { ...world, chains: 5 } as never),
  /** every hostile guest between two honest ones: what the main thread feels of it, beside an idle control of the same length */
  lag: async () => {
    const hostile = await Promise.all(
      CONTAINED.map(async (guest, n) => rule(`hostile-${n}`, compiled(await bytesOf(guest)))),
    );
    const pool = poolOf(async () => [rule("before", honest), ...hostile, rule("behind", honest)], world, NEVER_MS);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    const task = { batch, catalogue: "1", world: world.id };
    const first = await pool.run(task); // the thread starts
    delay.enable();
    const began = performance.now();
    for (let n = 0; n < 20; n++) await pool.run(task);
    const took = performance.now() - began;
    const busy = { p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 };
    delay.reset();
    await sleep(took);
    const idle = { p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 };
    await pool.close();
    return { counts: first.rules, alerts: first.alerts, took, busy, idle, ratio: busy.p99 / idle.p99 };
  },
};

// biome-ignore lint/suspicious/noExplicitAny: what came of the cases
const came: Record<string, any> = {};
beforeAll(async () => {
  hung = Math.max(500, Math.ceil(10 * (await measure())));
  for (const [name, run] of Object.entries(cases))
    came[name] = { ...(await run()), deaths: deaths.splice(0), guilty: guilty.splice(0) };
});

const countOf = (rule: string, matches: number, version = 1) => ({
  rule,
  version,
  evaluations: TRANSACTIONS,
  matches,
  traps: 0,
  fuel: expect.any(Number),
  skipped: 0,
  added: 0,
  dropped: 0,
});
const HUNG = expect.stringMatching(/^its thread did not answer within \d+ ms$/);

describe("a thread that hangs is ended, and its batch", () => {
  it("runs again", () => {
    const { alerts, counts, deaths, guilty } = came.once;
    expect(counts).toEqual([countOf("honest-0", TRANSACTIONS), countOf("honest-1", TRANSACTIONS)]);
    expect(alerts).toBe(2 * TRANSACTIONS);
    expect(deaths).toEqual([HUNG]);
    expect(guilty).toEqual([]);
  });

  it("runs without the rule that is found guilty among the innocent: by its policy, its transactions are failures", () => {
    const { transactions, alerts, counts, deaths, guilty, deadLetterReasons, halt } = came.guilty;
    const innocent = (n: number, version = 1) =>
      Array.from({ length: n }, (_, i) => countOf(`honest-${i}`, TRANSACTIONS, version));
    expect(guilty).toEqual([{ rule: "hangs", version: 1, reason: HUNG }]);
    const found = { ...countOf("hangs", 0), traps: TRANSACTIONS, fuel: 0 };
    expect(counts).toEqual([...innocent(14), found, ...innocent(3, 2)]);
    expect(transactions).toBe(TRANSACTIONS);
    expect(alerts).toBe(17 * TRANSACTIONS);
    expect(deadLetterReasons).toEqual({ rule_thread_lost: TRANSACTIONS });
    expect(halt).toMatch(
      /^Cannot go on at case\/0 at offset 0: the rule "hangs" failed and its policy is halt: Cannot run the rule: its thread did not answer/,
    );
    expect(deaths).toEqual([HUNG, HUNG, HUNG, HUNG]); // twice whole, once among 2 of 18, once alone
  });

  it("ends in an error when no rule is to blame", () => {
    const { error, guilty } = came.broken;
    expect(error).toMatch(/^Cannot process the batch case\/0 from 0 to 8: its thread ended: /);
    expect(guilty).toEqual([]);
  });
});

it("a thread that has a rule set is told what is new of another one, and of nothing else", async () => {
  const before = innocent(5);
  const after = [rule("a", honest), ...before.slice(0, 2), rule("honest-3", honest, "dlq", 2), before[4]!];
  const pool = poolOf(async (id) => (id === "1" ? before : after));
  const countsOf = async (catalogue: string) => (await pool.run({ batch, catalogue, world: world.id })).rules;
  expect(await countsOf("1")).toEqual(before.map(({ name }) => countOf(name, TRANSACTIONS)));
  for (const kept of before) Object.assign(kept, { cannotBeSent: () => {} });
  const second = after.map(({ name, version }) => countOf(name, TRANSACTIONS, version));
  expect(await countsOf("2").catch(String)).toEqual(second);
  await pool.close();
});

describe("batches that are asked for in one turn", () => {
  const part = (from: number, to: number, partition: number) =>
    packBatch(
      "case",
      partition,
      from,
      to,
      Array.from({ length: to - from }, (_, n) => ({
        offset: from + n,
        time: 1_700_000_000_000,
        content: CONTENT.json,
        value: Buffer.from(JSON.stringify(transaction(from + n))),
      })),
    );
  const parts = [part(0, 3, 0), part(5, 6, 1), part(7, 7, 2), part(10, 15, 3)];

  it("are told the rules once, and each has the outcome that it has alone, whatever rule set it is for", async () => {
    let told = 0;
    const pool = poolOf(async (id) => {
      told++;
      return innocent(id === "1" ? 2 : 1);
    });
    const catalogues = ["1", "1", "1", "2"];
    const together = await Promise.all(
      parts.map((batch, i) => pool.run({ batch, catalogue: catalogues[i]!, world: world.id })),
    );
    expect(told).toBe(2);
    const counts = together.map(({ transactions, rules }) => [transactions, rules.map(({ matches }) => matches)]);
    expect(counts).toEqual([[3, [3, 3]], [1, [1, 1]], [0, []], [5, [5]]]); // biome-ignore format: a batch each
    for (const [i, batch] of parts.entries())
      expect(await pool.run({ batch, catalogue: catalogues[i]!, world: world.id })).toEqual(together[i]);
    await pool.close();
  });

  it("run each by itself once their thread has died: each finds the guilty rule, and none is lost", async () => {
    const pool = poolOf(async () => [...innocent(1), rule("hangs", hanging)]);
    const some = [parts[0]!, parts[3]!];
    const outcomes = await Promise.all(some.map((batch) => pool.run({ batch, catalogue: "1", world: world.id })));
    expect(outcomes.map(({ transactions, alerts, deadLetters }) => [transactions, alerts, deadLetters])).toEqual([
      [3, 3, 3],
      [5, 5, 5],
    ]);
    expect(deaths.splice(0)).toEqual(Array(5).fill(HUNG)); // once together; of each once alone, once with the rule alone
    expect(guilty.splice(0).map(({ rule }) => rule)).toEqual(["hangs", "hangs"]);
    await pool.close();
  });
});

it("hostile rules in a worker change nothing for those beside them, nor for the main thread", () => {
  const { counts, alerts, busy, idle, ratio, took, deaths } = came.lag;
  expect(counts.at(0)).toEqual(countOf("before", TRANSACTIONS));
  expect(counts.at(-1)).toEqual(countOf("behind", TRANSACTIONS));
  const hostile = CONTAINED.map((guest, n) => ({
    ...countOf(`hostile-${n}`, guest.alerts.length),
    traps: Object.keys(guest.failures).length,
  }));
  expect(counts.slice(1, -1)).toEqual(hostile);
  expect(alerts).toBe(hostile.reduce((sum, { matches }) => sum + matches, 2 * TRANSACTIONS));
  expect(deaths).toEqual([]);
  const ms = (delay: { p99: number; max: number }) => `p99 ${delay.p99.toFixed(1)} ms, max ${delay.max.toFixed(1)} ms`;
  console.log(
    `Main thread's lag in ${took.toFixed(0)} ms of hostile batches: ${ms(busy)}; idle beside it: ${ms(idle)}; ratio of p99 ${ratio.toFixed(2)}`,
  );
});
