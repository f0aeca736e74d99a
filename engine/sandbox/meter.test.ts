import { beforeAll, describe, expect, it } from "vitest";
import { readmit } from "./admit.ts";
import { RUN_LIMITS } from "./limits.ts";
import { createRule } from "./rule.ts";
import { compileGuest } from "./testGuest.ts";
import {
  all,
  appendRecord,
  COUNTER,
  EMPTY,
  END,
  F64,
  FUNCTION,
  I32,
  INPUT,
  MANIFEST,
  NONCE,
  OUT,
  op,
  type TestModule,
  testFrames,
  testModule,
} from "./testModule.ts";
import { COST } from "./wasm/opcodes.ts";

function compile(bytes: Uint8Array): WebAssembly.Module {
  const admitted = readmit(bytes);
  if (!admitted.ok) throw new Error(JSON.stringify(admitted.findings));
  return new WebAssembly.Module(admitted.module);
}
const rule = (options: TestModule) => createRule(compile(testModule(options)));
const fuelOf = (options: TestModule) => rule(options).run(testFrames(1), all(1), 1).fuel;

describe("fuel is charged for what is executed, exactly", () => {
  const [nop, zero, one] = [[0x01], op.i32(0), op.i32(1)];
  const times = (count: number) => new Array(count).fill(nop).flat();
  const cases: [string, number[], number][] = [
    ["nothing", [], 0],
    ["ten instructions", times(10), 10],
    ["an arm not taken", [...zero, ...op.when(times(100))], 2],
    ["an arm taken, and what follows", [...one, ...op.when(times(100)), ...times(5)], 107],
    ["then", [...one, 0x04, EMPTY, ...times(3), 0x05, ...times(50), END, ...nop], 6],
    ["else", [...zero, 0x04, EMPTY, ...times(3), 0x05, ...times(50), END, ...nop], 53],
    ["arms within an arm", [...one, 0x04, EMPTY, ...zero, 0x04, EMPTY, ...times(3), 0x05, ...times(9), END, ...times(2), 0x05, ...times(40), END, ...nop], 16],
    ["an arm that leaves a block, past what follows", [...op.block(one, [0x04, EMPTY], times(5), [0x0c, 1, 0x05], times(7), [END], times(100)), ...nop], 9],
    ["the other one, which does not", [...op.block(zero, [0x04, EMPTY], times(5), [0x0c, 1, 0x05], times(7), [END], times(100)), ...nop], 110],
    ["what a branch skips", [...op.block(one, [0x0d, 0], times(100)), ...times(7)], 9],
    ["what a branch does not skip", [...op.block(zero, [0x0d, 0], times(100)), ...times(7)], 109],
    ["a branch over two blocks", [...op.block(op.block(one, [0x0d, 1], times(20)), times(40)), ...nop], 3],
    ["a return", [...one, ...op.when(times(3), [0x0f]), ...times(60)], 6],
    ["a br_table", [...op.block(op.block(one, [0x0e, 1, 0, 1], times(9)), times(30)), ...nop], 3],
    // 10 rounds of: get, 1, sub, tee, br_if
    ["a loop of ten rounds", [...op.i32(10), ...op.setLocal(1), ...op.loop(op.local(1), one, [0x6b], [0x22, 1], [0x0d, 0])], 2 + 50],
    ["a call", [...op.call(FUNCTION.more), ...nop], COST.call + 4 + 1],
    ["an indirect call's surcharge is in its run", [...zero, ...op.when(zero, [0x11, 4, 0])], 2],
    ["a division", [...one, ...one, 0x6d, ...op.drop], 3 + COST.division],
    ["filling 800 bytes", [...zero, ...zero, ...op.i32(800), 0xfc, 11, 0], 3 + COST.bulk + 100],
    ["copying 80 bytes", [...op.i32(OUT), ...zero, ...op.i32(80), 0xfc, 10, 0, 0], 3 + COST.bulk + 10],
    ["two pages", [...op.i32(2), 0x40, 0, ...op.drop], 2 + COST.grow + 2 * COST.growPage],
    ["pages that cannot be had", [...op.i32(1000), 0x40, 0, ...op.drop], 2 + COST.grow],
  ]; // biome-ignore format: a table
  it.each(cases)("%s", (_, onTx, expected) => {
    expect(fuelOf({ onTx, locals: [[1, I32]], more: [times(4)] })).toBe(expected);
  });

  it("up to the last unit of the budget, and not one beyond", () => {
    const module = compile(testModule({ onTx: times(100) }));
    const run = (fuel: number) => createRule(module, { ...RUN_LIMITS, fuel }).run(testFrames(1), all(1), 1);
    expect(run(100).failures).toEqual([]);
    expect(run(99).failures.map(({ code }) => code)).toEqual(["fuel"]);
  });

  it("for each transaction anew", () => {
    const fuel = RUN_LIMITS.fuel - 1_000;
    const onTx = [
      ...op.i32(fuel / 5),
      ...op.setLocal(1),
      ...op.loop(op.local(1), op.i32(1), [0x6b], [0x22, 1], [0x0d, 0]),
    ];
    const { failures, fuel: used } = rule({ onTx, locals: [[1, I32]] }).run(testFrames(3), all(3), 3);
    expect(failures).toEqual([]);
    expect(used).toBe(3 * (fuel + 2));
  });

  it("4 GiB of memory.fill cannot wrap the counter", () => {
    const { failures } = rule({ onTx: [...op.i32(0), ...op.i32(0), ...op.i32(-1), 0xfc, 11, 0] }).run(
      testFrames(1),
      all(1),
      1,
    );
    expect(failures.map(({ code }) => code)).toEqual(["fuel"]);
  });
});

describe("NaN is canonical where its bits can be seen", () => {
  const nan64 = [0x44, 1, 2, 3, 0, 0, 0, 0xf8, 0xff]; // −NaN with a payload
  const nan32 = [0x43, 1, 2, 0xc0, 0xff];
  const tag = appendRecord(2, 1, 0x61, 0);
  /** tags the transaction if two i32 on the stack are equal */
  const same = (a: number[], b: number[]) => [...a, ...b, ...op.equal, ...op.when(tag)];
  const at = op.i32(0);
  const cases: [string, number[]][] = [
    ["f64.store", [...at, ...nan64, 0x39, 3, 0, ...same([...at, ...op.load(4)], op.i32(0x7ff80000)), ...same([...at, ...op.load(0)], op.i32(0))]],
    ["f32.store", [...at, ...nan32, 0x38, 2, 0, ...same([...at, ...op.load(0)], op.i32(0x7fc00000)), ...tag]],
    ["i32.reinterpret_f32", [...same([...nan32, 0xbc], op.i32(0x7fc00000)), ...tag]],
    ["i64.reinterpret_f64", [...same([...nan64, 0xbd, 0xa7], op.i32(0)), ...same([...nan64, 0xbd, 0x42, 32, 0x88, 0xa7], op.i32(0x7ff80000))]],
    ["f64.copysign", [...same([0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, ...nan64, 0xa6, 0xaa], op.i32(1)), ...tag]],
    ["f32.copysign", [...same([0x43, 0, 0, 0x80, 0x3f, ...nan32, 0x98, 0xa8], op.i32(1)), ...tag]],
    ["and other values stay: f64", [...at, 0x44, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x39, 3, 0, ...same([...at, ...op.load(4)], op.i32(-(2 ** 31))), ...tag]],
    ["and other values stay: both widths in one function", [...at, 0x43, 0, 0, 0x80, 0xff, 0x38, 2, 0, ...at, 0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f, 0x39, 3, 8, ...same([...at, ...op.load(0)], op.i32(-0x800000)), ...same([...at, ...op.load(12)], op.i32(0x7ff00000))]],
  ]; // biome-ignore format: a table
  it.each(cases)("%s", (_, onTx) => {
    const { matches, failures } = rule({ onTx, locals: [[1, F64]] }).run(testFrames(1), all(1), 1);
    expect(failures).toEqual([]);
    expect(matches).toHaveLength(2);
  });
});

describe("a metered module computes what it did before", () => {
  /** loops, switch, recursion, early return, floats, i64, bulk memory, indirect calls; a checksum in an alert's place */
  const source = `
    export const weir_abi: i32 = 1;
    export let weir_out_length: i32 = 0;
    let out: usize = 0;
    let area: usize = 0;
    const table: ((x: i32) => i32)[] = [(x) => x + 1, (x) => x * 3, (x) => x ^ 0x55];
    export function weir_manifest(): usize { return changetype<usize>("{\\"name\\":\\"sum\\"}"); }
    export function weir_reserve(bytes: i32): usize { area = heap.alloc(bytes + 32); out = heap.alloc(1 << 16); return (area + 15) & ~15; }
    export function weir_out(): usize { return (out + 15) & ~15; }
    function fib(n: i32): i32 { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
    function early(n: i32): i64 { for (let i: i32 = 0; ; i++) { if (i * i > n) return i; if (i == 77) break; } return -1; }
    function choose(n: i32): i32 { switch (n % 6) { case 0: return 5; case 1: n += 9; case 2: n <<= 2; break; case 4: return n; default: n = -n; } return n + 1; }
    function float(n: f64): f64 { let x: f64 = n; for (let i = 0; i < 9; i++) x = Math.sqrt(x * x + i) / (x + 1) + copysign<f64>(0.5, -x); return x; }
    export function weir_on_tx(frame: usize): void {
      const n = load<i32>(frame, ${NONCE});
      let h: i64 = n;
      h = h * 31 + fib(n % 12); h = h * 31 + early(n * 7); h = h * 31 + choose(n);
      h = h * 31 + reinterpret<i64>(float(<f64>n)); h = h * 31 + reinterpret<i32>(<f32>float(<f64>n * 0.5));
      h = h * 31 + table[n % 3](n); h = h * 31 + reinterpret<i64>(NaN * n);
      const copy = heap.alloc(416); memory.copy(copy, frame, 416);
      for (let i = 0; i < 416; i += 8) h = h * 31 + load<i64>(copy + i);
      const at = weir_out() + weir_out_length;
      store<u32>(at, 2); store<u32>(at, 16, 4);
      for (let i = 0; i < 16; i++) store<u8>(at + 8 + i, <u8>(0x41 + ((h >> (i * 4)) & 15)));
      weir_out_length += 24;
    }`;
  const count = 200;
  let original: Uint8Array;
  beforeAll(async () => {
    original = await compileGuest(source);
  });

  it("by checksums over loops, switches, recursion, floats and calls", () => {
    const frames = testFrames(count);
    const run = createRule(compile(original)).run(frames, all(count), count);
    expect(run.failures).toEqual([]);
    const metered = run.matches.map(({ text }) => text);

    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(original), { env: { abort() {} } });
    const guest = exports as unknown as {
      memory: WebAssembly.Memory;
      weir_reserve(n: number): number;
      weir_on_tx(p: number): void;
      weir_out(): number;
    };
    const input = guest.weir_reserve(count * 416);
    new Uint32Array(guest.memory.buffer).set(frames.words, input >> 2);
    for (let i = 0; i < count; i++) guest.weir_on_tx(input + i * 416);
    const bytes = Buffer.from(guest.memory.buffer);
    const expected = Array.from({ length: count }, (_, i) =>
      bytes.toString("latin1", guest.weir_out() + i * 24 + 8, guest.weir_out() + i * 24 + 24),
    );
    expect(new Set(expected).size).toBe(count);
    expect(metered).toEqual(expected);
  });

  it("for the same fuel on every run: pinned, so that a change of cost is a diff to explain", () => {
    const rule = createRule(compile(original));
    const fuel = [0, 1, 2].map(() => rule.run(testFrames(count), all(count), count).fuel);
    expect(new Set(fuel).size).toBe(1);
    expect(fuel[0]).toBe(758_767);
  });
});

describe("whoever takes more than the budget fails, wherever it is found out", () => {
  const times = (count: number) => new Array(count).fill(0x01).flat();
  const tag = appendRecord(2, 1, 0x61, 0);
  const codes = (options: TestModule, fuel: number) =>
    createRule(compile(testModule(options)), { ...RUN_LIMITS, fuel })
      .run(testFrames(2), all(2), 2)
      .failures.map(({ transaction, code }) => [transaction, code]);
  const both = (code: string) => [
    [0, code],
    [1, code],
  ];

  it("in an arm without a loop or a call: at the transaction's end, with its results", () => {
    const onTx = [...op.i32(1), ...op.when(times(100), tag)];
    const cost = fuelOf({ onTx });
    const run = createRule(compile(testModule({ onTx })), { ...RUN_LIMITS, fuel: cost - 1 }).run(
      testFrames(1),
      all(1),
      1,
    );
    expect(run).toMatchObject({ matches: [], failures: [{ code: "fuel" }], fuel: cost - 1 });
    expect(codes({ onTx }, cost)).toEqual([]);
  });

  it("before a division by zero or unreachable that comes after it", () => {
    expect(codes({ onTx: [...op.i32(1), ...op.when(times(50), op.unreachable)] }, 40)).toEqual(both("fuel"));
    expect(codes({ onTx: [...op.i32(1), ...op.when(times(50), op.unreachable)] }, 60)).toEqual(both("unreachable"));
  });

  it("in a loop that begins with another, or with nothing that costs", () => {
    expect(codes({ onTx: op.loop(op.loop(op.block(), op.br(1))) }, 1_000)).toEqual(both("fuel"));
    expect(codes({ onTx: op.loop(op.loop(), op.br(0)) }, 1_000)).toEqual(both("fuel"));
    expect(codes({ onTx: op.loop(op.block(op.br(1))) }, 1_000)).toEqual(both("fuel"));
    expect(codes({ onTx: op.loop(op.block(op.block(op.br(0)), op.br(0)), op.br(0)) }, 1_000)).toEqual(both("fuel"));
  });

  it("on the way back from a recursion: a function that may call itself looks at its end, too", () => {
    // 200 deep; each then goes on for 5,000
    const more = [[...op.get(COUNTER), ...op.i32(1), 0x6b, ...op.set(COUNTER), ...op.get(COUNTER), ...op.when(op.call(FUNCTION.more)), ...op.i32(1), ...op.when(times(5_000))]]; // biome-ignore format: one function
    const onTx = [...op.i32(200), ...op.set(COUNTER), ...op.call(FUNCTION.more)];
    const module = compile(testModule({ onTx, more }));
    const memory = new WebAssembly.Memory({ initial: 20, maximum: 64 });
    const imports = { env: { abort() {} }, weir_memory: { "20 64": memory } };
    const guest = new WebAssembly.Instance(module, imports).exports as unknown as {
      readonly weir_host_fuel: WebAssembly.Global;
      readonly weir_host_budget: WebAssembly.Global;
      weir_host_snapshot(): void;
      weir_host_run(table: number, count: number, left: number): number;
    };
    guest.weir_host_budget.value = 500_000; // of 1,000,000 that it would take, nearly all on the way back
    guest.weir_host_snapshot();
    expect(() => guest.weir_host_run(INPUT, 1, 1e9)).toThrow(WebAssembly.RuntimeError);
    expect(guest.weir_host_fuel.value).toBeLessThan(0);
    expect(guest.weir_host_fuel.value).toBeGreaterThan(-6_000);
  });

  it("while it starts: at the end of what the host has called", () => {
    const bytes = testModule({ getManifest: [...op.i32(1), ...op.when(times(200)), ...op.i32(MANIFEST)] });
    const admitted = (initFuel: number) => readmit(bytes, undefined, { ...RUN_LIMITS, initFuel });
    expect(admitted(300).ok).toBe(true);
    expect(admitted(100)).toMatchObject({ ok: false, findings: [{ code: "initialization", actual: "fuel" }] });
  });
});
