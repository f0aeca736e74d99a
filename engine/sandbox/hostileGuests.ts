/**
 * Rules that nobody should write, one a limit, and what becomes of each: refused when it is uploaded, or contained when it runs.
 * Most are a whole rule (testModule.ts) with one part swapped; what needs an allocator is AssemblyScript.
 */
import type { FindingCode } from "./finding.ts";
import { compileGuest } from "./testGuest.ts";
import {
  appendRecord,
  COUNTER,
  EMPTY,
  END,
  FUNCTION,
  I32,
  INPUT,
  NONCE,
  OUT,
  OUT_LENGTH,
  op,
  type TestModule,
  TYPE,
  testModule,
} from "./testModule.ts";
import type { FailureCode } from "./trap.ts";
import { leb } from "./wasm/writer.ts";

interface Guest {
  readonly name: string;
  readonly module: TestModule | (() => Promise<Uint8Array>);
}

/** Admission's first finding. */
export interface RefusedGuest extends Guest {
  readonly code: FindingCode;
  readonly message: string | RegExp;
}

/** What it makes of transactions 0 to 7. */
export interface ContainedGuest extends Guest {
  /** code and message of each failure, by transaction */
  readonly failures: Readonly<Record<number, readonly [FailureCode, string | RegExp]>>;
  /** transactions that it has alerted on */
  readonly alerts: readonly number[];
}

export const TRANSACTIONS = 8;
const BUT_2 = [0, 1, 3, 4, 5, 6, 7];

export const bytesOf = async ({ module }: Guest): Promise<Uint8Array> =>
  typeof module === "function" ? module() : testModule(module);

const name = (text: string) => [...leb(text.length), ...Buffer.from(text)];
const vector = (items: number[][]) => [...leb(items.length), ...items.flat()];
const repeat = (times: number, code: number[]) => new Array<number[]>(times).fill(code).flat();

const alert = appendRecord(1 | (3 << 8), 8, 0x64636261, 0x68676665);
const spin = op.loop(op.br(0));
const nonce = [...op.local(0), ...op.load(NONCE)];
/** if the transaction's number is n: code */
const whenTx = (n: number, ...code: number[][]) => [...nonce, ...op.i32(n), ...op.equal, ...op.when(...code)];
/** alerts, and does something to transaction 2 */
const on2 = (...code: number[][]): TestModule => ({ onTx: [...alert, ...whenTx(2, ...code)] });
const fill = (at: number, value: number, bytes: number) => [
  ...op.i32(at),
  ...op.i32(value),
  ...op.i32(bytes),
  0xfc,
  11,
  0,
];
const grow = (pages: number) => [...op.i32(pages), 0x40, 0, ...op.drop];
const unknownImport = (module: string, field: string) => vector([[...name(module), ...name(field), 0, TYPE.abort]]);
const MEMORY = 20 * 65_536;

/** Without the SDK, with AssemblyScript's own allocator. */
const script =
  (onTx: string): (() => Promise<Uint8Array>) =>
  () =>
    compileGuest(`
      export const weir_abi: i32 = 1;
      export let weir_out_length: i32 = 0;
      export function weir_manifest(): usize { return changetype<usize>("{\\"name\\":\\"hostile\\"}"); }
      export function weir_reserve(bytes: i32): usize { return (heap.alloc(bytes + 16) + 15) & ~15; }
      export function weir_out(): usize { return 4096; }
      export function weir_on_tx(frame: usize): void { ${onTx} }`);

/** 250 blocks within each other, in them 100 tables that branch to each: at every target V8's compiler puts 2,000 locals in order. 130 ms if it were let in, and 20 such functions fit. */
function slowCompile(): number[] {
  const live = Array.from({ length: 2_000 }, (_, i) => [...op.i32(i), ...op.setLocal(i + 1)]).flat();
  const labels = Array.from({ length: 251 }, (_, i) => leb(i % 250)).flat();
  const table = op.block([...op.local(1), 0x0e, ...leb(250), ...labels]);
  return [...live, ...repeat(250, [0x02, EMPTY]), ...repeat(100, table), ...repeat(250, [END])];
}

const refused: (readonly [string, RefusedGuest["module"], FindingCode, string | RegExp])[] = [
  ["spins in its start function", { more: [spin], start: FUNCTION.more }, "initialization", "Cannot go on in function 5: the call's 10000000 fuel is used up"],
  ["recurses in its start function", { more: [op.call(FUNCTION.more)], start: FUNCTION.more }, "initialization", "Cannot call any deeper in function 5: the stack is used up"],
  ["spins instead of telling its manifest", { getManifest: [...spin, ...op.i32(0)] }, "initialization", "Cannot go on in function 1: the call's 10000000 fuel is used up"],
  ["lies about where its manifest is", { getManifest: op.i32(MEMORY + 2) }, "initialization", `Cannot read the manifest at ${MEMORY + 2}: expected a string of at most 131072 characters`],
  ["many tables", { sections: { 4: vector(repeat(9, [0]).map(() => [0x70, 0, 1])) } }, "table", "Cannot admit several tables"],
  ["a table of ten million", { sections: { 4: vector([[0x70, 0, ...leb(10_000_000)]]) } }, "table", "Cannot admit a table: 10000000, expected at most 8192"],
  ["a memory of 4 GiB", { sections: { 5: [1, 0, ...leb(65_536)] } }, "memory", "Cannot admit a memory (pages of 64 KiB): 65536, expected at most 64"],
  ["a shared memory", { sections: { 5: [1, 3, 20, 20] } }, "memory", "Cannot admit a shared memory"],
  ["a giant data segment", { sections: { 11: vector([[0, ...op.i32(0), END, ...leb(600_000), ...repeat(600_000, [1])]]) } }, "data", "Cannot admit data segments (bytes): 600000, expected at most 524288"],
  ["deep nesting", { onTx: [...repeat(300, [0x02, EMPTY]), ...repeat(300, [END])] }, "nested_too_deep", "Cannot admit function 3: blocks nested deeper than 256"],
  ["a huge br_table", { onTx: [...op.i32(0), 0x0e, ...leb(50_000), ...repeat(50_001, [0])] }, "br_table_too_large", "Cannot admit a br_table in function 3 (labels): 50000, expected at most 1024"],
  ["50,000 locals", { locals: [[50_000, I32]] }, "too_many_locals", "Cannot admit the locals of function 3: 50001, expected at most 2048"],
  ["lies about its input area", { reserve: op.i32(MEMORY - 16) }, "initialization", `Cannot use the input area at ${MEMORY - 16}: 65536 bytes at a multiple of 16 within the memory were expected`],
  ["lies about its results' place", { out: op.i32(-8) }, "initialization", "Cannot read results at 4294967288: expected a multiple of 8 within the memory"],
  ["spins when an input area is asked for", { reserve: [...spin, ...op.i32(INPUT)] }, "initialization", "Cannot go on in function 2: the call's 10000000 fuel is used up"],
  ["carries word in memory from one transaction to the next", { onTx: [...op.i32(65_536), ...op.load(), ...op.when(alert), ...op.i32(65_536), ...op.i32(1), ...op.store()] }, "carries_state", 'Cannot admit a rule that carries state across transactions: on a mined token transfer with logs it reports nothing alone, and alert "abcdefgh" of severity 3 when all samples are one batch. Keep what a transaction needs within weir_on_tx'],
  ["counts in memory, and alerts at the thirtieth", { onTx: [...op.i32(65_536), ...op.i32(65_536), ...op.load(), ...op.i32(1), ...op.add, ...op.store(), ...op.i32(65_536), ...op.load(), ...op.i32(30), ...op.equal, ...op.when(alert)] }, "carries_state", /^Cannot admit a rule that carries state across transactions: on a transaction of another chain it reports nothing alone, and alert "abcdefgh" of severity 3 when the batch has them 10 times over/],
  ["tells transactions by where their frames lie", { onTx: [...op.local(0), ...op.i32(INPUT + 512), 0x49, ...op.when(alert)] }, "carries_state", /reports alert "abcdefgh" of severity 3 alone, and nothing when all samples are one batch/],
  ["tells transactions by how much was reported before", { onTx: [...op.get(OUT_LENGTH), 0x45, ...op.when(alert)] }, "carries_state", /reports alert "abcdefgh" of severity 3 alone, and nothing when all samples are one batch/],
  ["what V8 compiles for long: 25,000 branches over 2,000 locals", { locals: [[2_000, I32]], onTx: slowCompile() }, "too_complex", /^Cannot admit the branches, each times the locals of its function: \d+, expected at most 5000000$/],
  ["imports of wasi", { sections: { 2: unknownImport("wasi_snapshot_preview1", "clock_time_get") } }, "unknown_import", /^Cannot .*wasi_snapshot_preview1.*clock_time_get/],
  ["an unknown import", { sections: { 2: unknownImport("env", "random") } }, "unknown_import", /^Cannot .*env.*random/],
  ["forges its progress", { onTx: [...op.i32(7), ...op.set(5)] }, "index", "Global 5 is not there"],
  ["refills its fuel", { onTx: [...op.i32(1e9), ...op.set(3)] }, "index", "Global 3 is not there"],
  ["calls the host's loop itself", { onTx: [...op.i32(0), ...op.i32(0), ...op.call(8)] }, "index", "Function 8 is not there"],
  ["a function in the host's name", { sections: { 7: vector([[...name("weir_host_run"), 0, FUNCTION.onTx]]) } }, "reserved_name", /weir_host_run/],
  ["table.set", { onTx: [0x26, 0] }, "unsupported", "Cannot admit opcode 0x26: table.get and table.set, as tables must not change"],
  ["data.drop", { onTx: [0xfc, 9, 0] }, "unsupported", "Cannot admit opcode 0xfc 9: data.drop and elem.drop outlive a batch"],
  ["an atomic wait", { onTx: [0xfe, 1, 2, 0] }, "unsupported", "Cannot admit opcode 0xfe: threads and atomics are not deterministic"],
  ["a module of 2 MiB", { tail: [0, ...leb(2 ** 21), 0, ...repeat(2 ** 21 - 1, [0])] }, "module_too_large", /^Cannot admit a module \(bytes\): \d+, expected at most 1048576$/],
]; // biome-ignore format: a table
export const REFUSED: readonly RefusedGuest[] = refused.map(([name, module, code, message]) => ({
  name,
  module,
  code,
  message,
}));

const OUT_OF_FUEL = "Cannot go on in function 3: the transaction's 4000000 fuel is used up";
const LOST = "Cannot read results up to 4294967295: expected a multiple of 8 within the memory, at least 0";
const everyTx = (code: FailureCode, message: string | RegExp): ContainedGuest["failures"] =>
  Object.fromEntries(Array.from({ length: TRANSACTIONS }, (_, n) => [n, [code, message]]));

// "on2" and "whenTx" also keep them from being found out by the samples of admission.
// What writes over the input area reaches the table of its own earlier results: those it may lose or move, in the same way on every run.
const contained: (readonly [string, Guest["module"], ContainedGuest["failures"], readonly number[]])[] = [
  ["spins", on2(spin), { 2: ["fuel", OUT_OF_FUEL] }, BUT_2],
  ["fills its whole memory in a loop", on2(op.loop(fill(0, 0, MEMORY), op.br(0))), { 2: ["fuel", /^Cannot go on in function \d+: the transaction's 4000000 fuel is used up$/] }, [3, 4, 5, 6, 7]],
  ["recurses", { ...on2(op.call(FUNCTION.more)), more: [op.call(FUNCTION.more)] }, { 2: ["stack", "Cannot call any deeper in function 5: the stack is used up"] }, BUT_2],
  ["grows its memory without end", on2(op.loop(grow(1), op.br(0))), { 2: ["fuel", OUT_OF_FUEL] }, BUT_2],
  ["allocates without end", script(`if (load<i32>(frame, ${NONCE}) == 2) while (true) heap.alloc(4096);`), { 2: ["unreachable", /^Cannot go on in function \d+: unreachable$/] }, []],
  ["traps on its third transaction", on2(op.unreachable), { 2: ["unreachable", "Cannot go on in function 3: unreachable"] }, BUT_2],
  ["traps on every transaction", { onTx: [...alert, ...op.unreachable] }, everyTx("unreachable", "Cannot go on in function 3: unreachable"), []],
  ["lies about its results' length", on2(op.i32(2 ** 30), op.set(OUT_LENGTH)), { 2: ["bad_result", /^Cannot read results up to 1073741824: expected a multiple of 8 within the memory, at least \d+$/] }, BUT_2],
  ["lies about a record's length", on2(appendRecord(1, -1, 0, 0)), { 2: ["bad_result", "Cannot read result 2: 4294967295 bytes of content, 8 are there"] }, BUT_2],
  ["takes back what it reported", on2(op.i32(0), op.set(OUT_LENGTH)), { 2: ["bad_result", /^Cannot read results up to 0: .* at least 32$/], 3: ["bad_result", /^Cannot read results up to 16: .* at least 32$/] }, [0, 1, 5, 6, 7]],
  ["returns garbage", on2([...op.i32(OUT), ...op.get(OUT_LENGTH), ...op.add, ...op.i32(0xa5), ...op.i32(64), 0xfc, 11, 0], [...op.get(OUT_LENGTH), ...op.i32(64), ...op.add, ...op.set(OUT_LENGTH)]), { 2: ["bad_result", /^Cannot read result 2: /] }, BUT_2],
  ["reports 257 results", on2(repeat(256, appendRecord(2, 1, 0x61, 0))), { 2: ["too_many_results", "Cannot keep the results: more than 256 for one transaction"] }, BUT_2],
  ["writes past its buffer, over the frames to come", on2(fill(INPUT, 0xff, MEMORY - INPUT)), { 0: ["bad_result", LOST], 1: ["bad_result", LOST] }, [2, 2, 2, 3, 4, 5, 6, 7]],
  ["writes past its memory", on2(op.i32(64 * 65_536), op.i32(1), op.store()), { 2: ["out_of_bounds", /^Cannot go on in function 3: memory access out of bounds$/] }, BUT_2],
  ["forges its table and traps", on2(fill(INPUT, 0, 64), op.unreachable), { 2: ["unreachable", "Cannot go on in function 3: unreachable"] }, [3, 4, 5, 6, 7]],
  ["looks at the bits of a NaN", { onTx: [0x44, 1, 2, 3, 0, 0, 0, 0xf8, 0xff, 0xbd, 0x42, 0xff, 0xff, 0xff, 0x07, 0x83, 0xa7, ...op.when(alert)] }, {}, []],
  ["counts transactions in a global", { onTx: [...op.get(COUNTER), ...op.i32(7), 0x47, ...op.when(alert), ...op.i32(8), ...op.set(COUNTER)] }, {}, []],
  ["leaves word in memory for the next batch", { onTx: whenTx(0, [...op.i32(65_536), ...op.load(), ...op.when(alert), ...op.i32(65_536), ...op.i32(1), ...op.store()]) }, {}, []],
  ["leaves word in its memory's size", { onTx: whenTx(0, [0x3f, 0, ...op.i32(21), 0x47, ...op.when(alert), ...grow(1)]) }, {}, []],
]; // biome-ignore format: a table
export const CONTAINED: readonly ContainedGuest[] = contained.map(([name, module, failures, alerts]) => ({
  name,
  module,
  failures,
  alerts,
}));
