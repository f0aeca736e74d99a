/**
 * What metering costs: the same two rules with and without it, in turn, medians. `npx tsx engine/sandbox/metering.bench.ts`
 *
 * Unmetered is the module as compiled, driven by the same loop written in AssemblyScript, so that the two differ in fuel,
 * stack, marks and resets. Beside it what a whole call costs with copying, restored memory and results, and how much of
 * that metering is.
 */
import { admit } from "./admit.ts";
import { createRule } from "./rule.ts";
import { compileGuest } from "./testGuest.ts";
import { all, testFrames } from "./testModule.ts";

const FRAMES = 256;
const CALLS = 200;
const SAMPLES = 31;

const guest = (onTx: string) => `
  export const weir_abi: i32 = 1;
  export let weir_out_length: i32 = 0;
  let calls: i32 = 0; // two mutable globals to be put back
  let last: usize = 0;
  let area: usize = 0;
  let out: usize = 0;
  export function weir_manifest(): usize { return changetype<usize>("{\\"name\\":\\"bench\\"}"); }
  export function weir_reserve(bytes: i32): usize { area = heap.alloc(bytes + 16); out = heap.alloc(65536); return (area + 15) & ~15; }
  export function weir_out(): usize { return (out + 7) & ~7; }
  function tag(): void { const at = weir_out() + weir_out_length; store<u64>(at, 1 << 32 | 2); store<u64>(at, 0x61, 8); weir_out_length += 16; }
  export function weir_on_tx(frame: usize): void { ${onTx} }
  export function loop(table: usize, count: i32): void {
    for (let i = 0; i < count; i++) { weir_on_tx(load<u32>(table + i * 4)); store<u32>(table + i * 4, weir_out_length); }
  }`;

const RULES = {
  "field comparison":
    "if (load<u64>(frame, 48) == 1 && load<u64>(frame, 208) > 1000000 && load<u32>(frame, 336) == 0x12345678) tag();",
  "byte loop":
    "let sum: u32 = 0; for (let i: usize = 0; i < 416; i++) sum = sum * 31 + load<u8>(frame + i); if (sum == 0x12345678) tag();",
};

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** ns per transaction of one call's worth, for each of several ways, measured in turn so that noise hits all alike */
function measure(ways: (() => void)[]): number[] {
  const samples: number[][] = ways.map(() => []);
  for (let sample = 0; sample < SAMPLES + 5; sample++) {
    ways.forEach((way, w) => {
      const start = process.hrtime.bigint();
      for (let i = 0; i < CALLS; i++) way();
      const ns = Number(process.hrtime.bigint() - start) / (CALLS * FRAMES);
      if (sample >= 5) samples[w]!.push(ns); // the first few warm up the optimising compiler
    });
  }
  return samples.map(median);
}

interface Exports {
  memory: WebAssembly.Memory;
  weir_reserve(bytes: number): number;
  weir_out_length: WebAssembly.Global;
  weir_host_budget: WebAssembly.Global;
  weir_host_fuel: WebAssembly.Global;
  weir_host_snapshot(): void;
  weir_host_run(table: number, count: number, left: number): number;
  loop(table: number, count: number): void;
}

for (const [name, onTx] of Object.entries(RULES)) {
  const original = await compileGuest(guest(onTx));
  const admitted = admit(original);
  if (!admitted.ok) throw new Error(JSON.stringify(admitted.findings));
  const compiled = new WebAssembly.Module(admitted.module);
  const frames = testFrames(FRAMES);

  /** puts table and frames into an instance; returns its exports and the table's address */
  const load = (module: WebAssembly.Module) => {
    const exports = new WebAssembly.Instance(module, { env: { abort() {} } }).exports as unknown as Exports;
    if (exports.weir_host_fuel !== undefined) exports.weir_host_fuel.value = 1_000_000;
    const table = exports.weir_reserve(FRAMES * 420);
    const words = new Uint32Array(exports.memory.buffer);
    words.set(frames.words, (table >> 2) + FRAMES);
    for (let i = 0; i < FRAMES; i++) words[(table >> 2) + i] = table + FRAMES * 4 + i * 416;
    return { exports, table };
  };
  const plain = load(new WebAssembly.Module(original));
  const metered = load(compiled);
  metered.exports.weir_host_budget.value = 1_000_000;
  metered.exports.weir_host_snapshot();
  const rule = createRule(compiled);
  const indices = all(FRAMES);

  const [bare, counted, whole] = measure([
    () => plain.exports.loop(plain.table, FRAMES),
    () => metered.exports.weir_host_run(metered.table, FRAMES, 2 ** 50),
    () => rule.run(frames, indices, FRAMES),
  ]);
  const overhead = (counted! / bare! - 1) * 100;
  console.log(
    JSON.stringify({
      rule: name,
      batch: FRAMES,
      unmetered_ns: Number(bare!.toFixed(2)),
      metered_ns: Number(counted!.toFixed(2)),
      overhead_percent: Number(overhead.toFixed(1)),
      whole_call_ns: Number(whole!.toFixed(2)),
      overhead_of_whole_call_percent: Number(((whole! / (whole! - counted! + bare!) - 1) * 100).toFixed(1)),
    }),
  );
}
