/**
 * What admission adds to a module: globals that only the host's code can name, since a guest's indices were checked
 * against its own counts, and the functions that charge, snapshot and run. All is appended, so no index of the guest's moves.
 */
import type { ParsedModule } from "./wasm/module.ts";
import { F32, F64, I32, I64 } from "./wasm/module.ts";
import { COST } from "./wasm/opcodes.ts";
import { leb, signedLeb } from "./wasm/writer.ts";

/**
 * Bytes of stack that a transaction's calls may take together, each counted as 128 + 16 for every parameter, local and
 * operand. That is twice what V8's baseline compiler needs, so our count runs out long before V8's own stack (984 KiB in
 * the main thread) does, and at the same call on every machine and tier.
 */
export const STACK_BYTES = 512 * 1024;
export const FRAME_BYTES = 128;
export const SLOT_BYTES = 16;

/**
 * What the guest writes to is marked by blocks of 4 KiB, one bit for all whose numbers are the same modulo 64, so a mark puts back
 * a block in each 256 KiB of the memory. An alert is written to two or three blocks; pages of 64 KiB were two of those.
 */
export const BLOCK_SHIFT = 12;

/** Appended globals, in this order behind the guest's own. */
export interface HostGlobals {
  /** i32: left of the budget, below 0 after a trap for want of it */
  readonly fuel: number;
  /** i32: bytes of stack left, below 0 after a trap for want of it */
  readonly stack: number;
  /** i32: which transaction is being evaluated */
  readonly progress: number;
  /** i32: fuel for each transaction, set by the host */
  readonly budget: number;
  /** i64: left of the batch's budget, set by the host before each call; at or below 0 no further transaction begins */
  readonly left: number;
  /** i32: 1 after the engine refused memory below the cap: no fault of the guest's */
  readonly starved: number;
  /** i64: bit b is set once the guest wrote to a block whose number is b modulo 64, or to the first bytes of the one behind it */
  readonly dirty: number;
  /** the guest's mutable globals but weir_out_length, each with the shadow that it is set back from */
  readonly shadows: readonly { readonly global: number; readonly shadow: number; readonly type: number }[];
}

/** Appended functions, in this order behind the guest's own. */
export interface HostFunctions {
  readonly bulk: number;
  readonly grow: number;
  readonly snapshot: number;
  readonly run: number;
}

/** how many come before the shadows */
export const OWN_GLOBALS = 7;

export function hostGlobals(module: ParsedModule, outLength: number): HostGlobals {
  const first = module.globals.length;
  const shadows: { global: number; shadow: number; type: number }[] = [];
  module.globals.forEach(({ type, mutable }, global) => {
    if (mutable && global !== outLength) shadows.push({ global, shadow: first + OWN_GLOBALS + shadows.length, type });
  });
  return {
    fuel: first,
    stack: first + 1,
    progress: first + 2,
    budget: first + 3,
    left: first + 4,
    starved: first + 5,
    dirty: first + 6,
    shadows,
  };
}

export function hostFunctions(module: ParsedModule): HostFunctions {
  const first = module.functions.length;
  return { bulk: first, grow: first + 1, snapshot: first + 2, run: first + 3 };
}

// instructions by the bytes that they are made of
const END = 0x0b;
const EMPTY = 0x40;
const get = (global: number) => [0x23, ...leb(global)];
const set = (global: number) => [0x24, ...leb(global)];
const i32 = (value: number) => [0x41, ...signedLeb(value)];
const local = (index: number) => [0x20, ...leb(index)];
const setLocal = (index: number) => [0x21, ...leb(index)];
const call = (index: number) => [0x10, ...leb(index)];
const TRAP = [0x00];
const [ADD, SUB, LESS, LESS_UNSIGNED, EQUAL, SHIFT_RIGHT_UNSIGNED] = [0x6a, 0x6b, 0x48, 0x49, 0x46, 0x76];

/** The global's value into a local (its number as LEB128), where the next charge finds it without waiting for memory. */
export const read = (global: number, own: readonly number[]): number[] => [...get(global), 0x21, ...own];

/**
 * global = own −= amount; trap below 0. `own` is the local that has the global's value: reading back what was just stored would cost
 * each charge 5 cycles after the one before. Amounts stay under 2^30, so it cannot wrap: it was at least 0 before.
 */
export const take = (global: number, own: readonly number[], amount: number): number[] => [
  0x20, ...own, ...i32(amount), SUB, 0x22, ...own, ...set(global),
  0x20, ...own, ...i32(0), LESS, 0x04, EMPTY, ...TRAP, END,
]; // biome-ignore format: one instruction sequence

/** Marks the block of a store to `address` + offset. A store across two blocks marks the first: who restores it goes 8 bytes further. */
export const markBlock = (dirty: number, address: number, offset: number): number[] => [
  ...get(dirty),
  0x42, 1, ...local(address), ...i32(offset | 0), ADD, ...i32(BLOCK_SHIFT), SHIFT_RIGHT_UNSIGNED, 0xad, 0x86, // 1 << (address >>> 12), modulo 64
  0x84, ...set(dirty),
]; // biome-ignore format: one instruction sequence

/** global = own + amount */
export const giveBack = (global: number, own: readonly number[], amount: number): number[] => [
  0x20, ...own, ...i32(amount), ADD, ...set(global),
]; // biome-ignore format: one instruction sequence

/** Types of the appended globals, with their initial values. */
export function globalEntries({ shadows }: HostGlobals): number[] {
  const mutable = 1;
  const zeros: Record<number, number[]> = {
    [I32]: [0x41, 0],
    [I64]: [0x42, 0],
    [F32]: [0x43, 0, 0, 0, 0],
    [F64]: [0x44, 0, 0, 0, 0, 0, 0, 0, 0],
  };
  const zero = (type: number) => [type, mutable, ...zeros[type]!, END];
  const stack = [I32, mutable, ...i32(STACK_BYTES), END];
  const own = [...zero(I32), ...stack, ...zero(I32), ...zero(I32), ...zero(I64), ...zero(I32), ...zero(I64)];
  return [...own, ...shadows.flatMap(({ type }) => zero(type))];
}

/** Signatures of the appended functions, as type entries: in the order of HostFunctions. */
export const HOST_TYPES: readonly (readonly number[])[] = [
  [0x60, 1, I32, 1, I32], // grow
  [0x60, 0, 0], // snapshot
  [0x60, 2, I32, I32, 0], // bulk
  [0x60, 2, I32, I32, 1, I32], // run
];
export const HOST_FUNCTION_TYPES = [2, 0, 1, 3] as const;

/** Bodies of the appended functions: locals and code, without their length in front. */
export function hostBodies(
  globals: HostGlobals,
  functions: HostFunctions,
  guest: { onTx: number; outLength: number },
  cap: number,
): number[][] {
  const noLocals = [0];
  const { fuel, stack, progress, budget, left, starved, dirty, shadows } = globals;

  // (address, bytes): fuel −= bytes >> 3, at most 2^29 − 1, no wrap. The blocks from address to address + bytes − 1 are dirty; a
  // range that wraps around or leaves the memory marks nonsense, and traps right after. local 2 is how many blocks.
  const block = (...address: number[]) => [...address, ...i32(BLOCK_SHIFT), SHIFT_RIGHT_UNSIGNED];
  const bulk = [
    1, 1, I32,
    ...get(fuel), ...local(1), ...i32(COST.bulkBytesShift), SHIFT_RIGHT_UNSIGNED, SUB, ...set(fuel),
    ...get(fuel), ...i32(0), LESS, 0x04, EMPTY, ...TRAP, END,
    ...block(...local(0), ...local(1), ADD, ...i32(1), SUB), ...block(...local(0)), SUB, ...i32(1), ADD, ...setLocal(2),
    ...get(dirty), // | rotl((1 << blocks) − 1, first), or all of them
    0x42, ...signedLeb(-1),
    0x42, 1, ...local(2), 0xad, 0x86, 0x42, 1, 0x7d, ...block(...local(0)), 0xad, 0x89,
    ...local(2), ...i32(64), 0x4f, 0x1b,
    0x84, ...set(dirty), END,
  ]; // biome-ignore format: one instruction sequence

  // (pages) → old size or −1. More pages than the cap can only fail: free of charge. If the engine refuses what the cap
  // allows, that is its own distress, and must not become an answer that another run would not get.
  const size = [0x3f, 0];
  const room = [...i32(cap), ...size, SUB];
  const grow = [
    1, 1, I32, // one local: the answer
    ...room, ...local(0), LESS_UNSIGNED, 0x04, EMPTY, ...i32(-1), 0x0f, END,
    ...get(fuel), ...local(0), ...i32(COST.growPage), 0x6c, SUB, ...set(fuel),
    ...get(fuel), ...i32(0), LESS, 0x04, EMPTY, ...TRAP, END,
    ...local(0), 0x40, 0, ...setLocal(1),
    ...local(1), ...i32(-1), EQUAL, 0x04, EMPTY, ...i32(1), ...set(starved), ...TRAP, END,
    ...local(1), END,
  ]; // biome-ignore format: one instruction sequence

  const snapshot = [
    ...noLocals,
    ...shadows.flatMap(({ global, shadow }) => [...get(global), ...set(shadow)]),
    0x42,
    0,
    ...set(dirty),
    END,
  ];

  // (table, count) → transactions finished: see README. local 2 is i, local 3 the entry's address
  const run = [
    1, 2, I32,
    0x02, EMPTY, 0x03, EMPTY,
    ...local(2), ...local(1), 0x4f, 0x0d, 1, // i ≥ count: leave
    ...get(left), 0x42, 0, 0x57, 0x0d, 1, // left ≤ 0: leave
    ...local(2), ...set(progress),
    ...get(budget), ...set(fuel),
    ...i32(STACK_BYTES), ...set(stack),
    ...shadows.flatMap(({ global, shadow }) => [...get(shadow), ...set(global)]),
    ...local(0), ...local(2), ...i32(2), 0x74, ADD, ...setLocal(3),
    ...local(3), 0x28, 2, 0, ...call(guest.onTx),
    ...get(left), ...get(budget), ...get(fuel), SUB, 0xac, 0x7d, ...set(left), // left −= i64(budget − fuel)
    ...local(3), ...get(guest.outLength), 0x36, 2, 0,
    ...local(2), ...i32(1), ADD, ...setLocal(2),
    0x0c, 0, END, END, ...local(2), END,
  ]; // biome-ignore format: one instruction sequence

  void functions;
  return [bulk, grow, snapshot, run];
}
