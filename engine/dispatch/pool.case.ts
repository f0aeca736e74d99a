/**
 * What pool.test.ts runs in a process of its own, since worker threads need the engine's loader: prints what came of each case as one line of JSON.
 * The hanging module is what a rule would be if metering had failed: it has some of the host's exports, and a loop without fuel behind them.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { CONTENT } from "../frame/content.ts";
import type { LiveRule } from "../rules/liveRule.ts";
import { readmit } from "../sandbox/admit.ts";
import { bytesOf, CONTAINED, TRANSACTIONS } from "../sandbox/hostileGuests.ts";
import { manifestSchema } from "../sandbox/parseManifest.ts";
import { compileGuest } from "../sandbox/testGuest.ts";
import { appendRecord, testModule } from "../sandbox/testModule.ts";
import { packBatch } from "../source/batch.ts";
import { createWorld } from "../world/world.ts";
import { createPool, type GuiltyRule, type PoolOptions } from "./pool.ts";

const HANGING = `
  export let weir_host_fuel: i32 = 0; export let weir_host_stack: i32 = 0; export let weir_host_progress: i32 = 0;
  export let weir_host_starved: i32 = 0; export let weir_out_length: i32 = 0;
  export function weir_reserve(bytes: i32): usize { while (true) { if (weir_host_progress == 1) return 0; } }`;

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
const rule = (name: string, module: WebAssembly.Module, onError: "dlq" | "halt" = "dlq"): LiveRule => ({
  name,
  version: 1,
  module,
  manifest: manifestSchema.parse({ name, onError }),
});
const honest = compiled(testModule({ onTx: appendRecord(1, 8, 0x64636261, 0x68676665) }));
const hanging = new WebAssembly.Module(await compileGuest(HANGING));

const world = createWorld({ chains: [1] });
const deaths: string[] = [];
const guilty: GuiltyRule[] = [];
const poolOf = (rules: PoolOptions["rules"], of = world) =>
  createPool({
    threads: 1,
    instances: 100,
    hungMs: 2_500,
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
    const pool = poolOf(async () => [rule("before", honest), ...hostile, rule("behind", honest)]);
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

const results: Record<string, object> = {};
for (const [name, run] of Object.entries(cases)) {
  results[name] = { ...(await run()), deaths: deaths.splice(0), guilty: guilty.splice(0) };
}
console.log(JSON.stringify(results));
