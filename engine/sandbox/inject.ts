/**
 * What admission adds to a module: globals that only the host's code can name, since a guest's indices were checked
 * against its own counts, and the functions that charge, snapshot and run. All is appended, so no index of the guest's moves.
 */
import { F32, F64, type FunctionType, I32, I64, type ParsedModule } from "./wasm/module.ts";
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
 * What the guest writes to is marked by blocks of 8 KiB, one bit for all whose numbers are the same modulo 32, so a mark puts back
 * a block in each 256 KiB: one in most memories, whose alerts and texts lie in one or two. With blocks of 2 KiB, which come three times
 * in three pages, calls of 10,000 modules took 6 % more.
 */
export const BLOCK_SHIFT = 13;
export const MARKS = 32;
/** A mark covers so many bytes behind its block as well: what is written up to there from one address on needs no mark of its own. */
export const COVERED_BYTES = 128;

/** Appended globals, in this order behind the guest's own. */
export interface HostGlobals {
  /** i32: left of the budget when it was last noted: below 0 after a trap for want of it, true after all others but access out of bounds */
  readonly fuel: number;
  /** i32: bytes of stack left, below 0 after a trap for want of it */
  readonly stack: number;
  /** i32: which transaction is being evaluated */
  readonly progress: number;
  /** i32: fuel for each transaction, set by the host */
  readonly budget: number;
  /** f64, a whole number: left of the batch's budget after the last transaction that finished; at or below 0 no further one begins */
  readonly left: number;
  /** i32: 1 after the engine refused memory below the cap: no fault of the guest's */
  readonly starved: number;
  /** the globals that weir_on_tx can set, but weir_out_length, each with the shadow that it is set back from */
  readonly shadows: readonly { readonly global: number; readonly shadow: number; readonly type: number }[];
}

/** Appended functions, in this order behind the guest's own. */
export interface HostFunctions {
  readonly bulk: number;
  readonly grow: number;
  readonly snapshot: number;
  readonly run: number;
  readonly keep: number;
  readonly set: number;
  /** env.abort as the guest's table has it */
  readonly abort: number;
  /** the first of those that the host calls in place of the guest's own, which take and return fuel: see GuestEntry */
  readonly entries: number;
}

/** What the host may call: a function that makes a meter of the global's fuel, and puts back what is left. */
export interface GuestEntry {
  readonly name: string;
  readonly target: number;
  readonly type: FunctionType;
}

/** how many come before the shadows */
export const OWN_GLOBALS = 6;

/** Number of the global `fuel`. */
export const fuelGlobal = (module: ParsedModule): number => module.globals.length;

/** @param sets the globals that weir_on_tx can set: no other has to be put back */
export function hostGlobals(module: ParsedModule, sets: ReadonlySet<number>, outLength: number): HostGlobals {
  const first = fuelGlobal(module);
  const shadows: { global: number; shadow: number; type: number }[] = [];
  module.globals.forEach(({ type }, global) => {
    if (sets.has(global) && global !== outLength)
      shadows.push({ global, shadow: first + OWN_GLOBALS + shadows.length, type });
  });
  return {
    fuel: first,
    stack: first + 1,
    progress: first + 2,
    budget: first + 3,
    left: first + 4,
    starved: first + 5,
    shadows,
  };
}

export function hostFunctions(module: ParsedModule): HostFunctions {
  const first = module.functions.length;
  const [bulk, grow, snapshot, run, keep, set, abort, entries] = Array.from({ length: 8 }, (_, i) => first + i);
  return { bulk, grow, snapshot, run, keep, set, abort, entries } as HostFunctions;
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
const LOAD: Readonly<Record<number, number>> = { [I32]: 0x28, [I64]: 0x29, [F32]: 0x2a, [F64]: 0x2b };
/** A value's bits. */
const TO_I64: Readonly<Record<number, readonly number[]>> = {
  [I32]: [0xad],
  [I64]: [],
  [F32]: [0xbc, 0xad],
  [F64]: [0xbd],
};
const [ADD, SUB, OR, LESS, LESS_UNSIGNED, EQUAL, SHIFT_LEFT, SHIFT_RIGHT_UNSIGNED] = [
  0x6a, 0x6b, 0x72, 0x48, 0x49, 0x46, 0x74, 0x76,
];
const [WRAP, EXTEND, SUB_64, OR_64, SHIFT_LEFT_64] = [0xa7, 0xad, 0x7d, 0x84, 0x86];

/**
 * What each function gets as its last parameter and gives back as its last result, so that it stays in one register: the meter, an i64,
 *
 *     63 … 32  marks: of block n, or of the first bytes behind it, bit 32 + n modulo 32   │   31 … 0  fuel left, signed
 *
 * Fuel below 0 borrows from the marks, but nobody asks for them any more: the transaction fails. With marks in a local and a global of their own
 * metering cost the five examples 20 %, so it is 15; the other way round, with charges by constants of 64 bits, 24.
 */
const MARKED = [0x42, 32, 0x88, WRAP]; // >>> 32
const MARKS_ALONE = [0x42, 0x80, 0x80, 0x80, 0x80, 0x70, 0x83]; // & −2^32

/** What ends a transaction for want of fuel or stack. The global has what is left for whoever looks after a trap. */
const starve = (fuel: number, meter: readonly number[]): number[] => [...note(fuel, meter), ...TRAP];

/** fuel = what the meter has left (a local, its number as LEB128) */
export const note = (fuel: number, meter: readonly number[]): number[] => [0x20, ...meter, WRAP, ...set(fuel)];

/** The meter's fuel −= amount. Between two checks less than 2^30 is charged, so it cannot wrap. */
export const charge = (meter: readonly number[], amount: number): number[] => [
  0x20, ...meter, 0x42, ...signedLeb(amount), SUB_64, 0x21, ...meter,
]; // biome-ignore format: one instruction sequence

/** Trap if the fuel is below 0. */
export const check = (fuel: number, meter: readonly number[]): number[] => [
  0x20, ...meter, WRAP, ...i32(0), LESS, 0x04, EMPTY, ...starve(fuel, meter), END,
]; // biome-ignore format: one instruction sequence

/** stack −= amount; trap below 0 */
export const take = (stack: number, amount: number, fuel: number, meter: readonly number[]): number[] => [
  ...get(stack), ...i32(amount), SUB, ...set(stack),
  ...get(stack), ...i32(0), LESS, 0x04, EMPTY, ...starve(fuel, meter), END,
]; // biome-ignore format: one instruction sequence

/** global += amount */
export const giveBack = (global: number, amount: number): number[] => [
  ...get(global), ...i32(amount), ADD, ...set(global),
]; // biome-ignore format: one instruction sequence

/** The meter's marks |= the block of a store to `address` + offset, both locals by number as LEB128. A store across two blocks marks the first: see COVERED_BYTES. */
export const markBlock = (meter: readonly number[], address: readonly number[], offset: number): number[] => [
  0x20, ...meter,
  0x42, 1, 0x20, ...address, ...i32(offset | 0), ADD, ...i32(BLOCK_SHIFT), SHIFT_RIGHT_UNSIGNED, ...i32(32), OR, EXTEND, SHIFT_LEFT_64, // 1 << (address >>> 11 | 32), modulo 64
  OR_64, 0x21, ...meter,
]; // biome-ignore format: one instruction sequence

type Local = readonly number[];

/** Of a length on top: its fuel, as it is taken off a meter. */
const bulkFuel = [...i32(COST.bulkBytesShift), SHIFT_RIGHT_UNSIGNED, EXTEND];

/**
 * Charges for and marks what memory.fill, copy or init is about to write, of locals by number as LEB128: what one mark covers without more ado, as
 * most texts are; up to a block's length, which touches two blocks at most, still right here: a call for that was 5 to 10 % of the guest's time
 * where it builds texts.
 */
export const chargeBulk = (
  { address, length, last, meter }: Readonly<Record<"address" | "length" | "last" | "meter", Local>>,
  fuel: number,
  bulk: number,
): number[] => [
  0x20, ...length, ...i32(1 << BLOCK_SHIFT), 0x4b, 0x04, EMPTY, // length > a block's: the host's function
  0x20, ...address, 0x20, ...length, 0x20, ...meter, ...call(bulk), 0x21, ...meter,
  0x05,
  0x20, ...meter, 0x20, ...length, ...bulkFuel, SUB_64, 0x21, ...meter,
  ...markBlock(meter, address, 0),
  0x20, ...length, ...i32(COVERED_BYTES), 0x4b, 0x04, EMPTY,
  ...check(fuel, meter),
  0x20, ...address, 0x20, ...length, ADD, 0x21, ...last,
  ...markBlock(meter, last, -1),
  END, END,
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
  const own = [...zero(I32), ...stack, ...zero(I32), ...zero(I32), ...zero(F64), ...zero(I32)];
  return [...own, ...shadows.flatMap(({ type }) => zero(type))];
}

const signature = (parameters: readonly number[], results: readonly number[]): number[] => [
  0x60, ...leb(parameters.length), ...parameters, ...leb(results.length), ...results,
]; // biome-ignore format: one type

/** A type of the guest's as its metered functions have it: the meter comes in last and goes out last. */
export const meteredType = ({ parameters, results }: FunctionType): number[] =>
  signature([...parameters, I64], [...results, I64]);

const ABORT_TYPE: FunctionType = { parameters: [I32, I32, I32, I32], results: [] };

/** Types of the appended functions, in the order of HostFunctions; behind them those of the imported ones, which take no meter. */
export const hostTypes = (module: ParsedModule, entries: readonly GuestEntry[]): number[][] => [
  signature([I32, I32, I64], [I64]), // bulk: address, bytes, meter → meter
  signature([I32, I64], [I32, I64]), // grow: pages, meter → old size, meter
  signature([], []), // snapshot
  signature([I32, I32, F64], [F64]), // run: table, count, left → left
  signature([I32], [I32]), // keep: address → bytes
  signature([I32], []), // set: address
  meteredType(ABORT_TYPE),
  ...entries.map(({ type }) => signature(type.parameters, type.results)),
  ...module.imports
    .map((_, i) => module.types[module.functions[i]!]!)
    .map(({ parameters, results }) => signature(parameters, results)),
];

/** Of each appended function its type among them. */
export const hostFunctionTypes = (entries: readonly GuestEntry[]): number[] =>
  Array.from({ length: 7 + entries.length }, (_, i) => i);

/** Bodies of the appended functions: locals and code, without their length in front. */
export function hostBodies(
  module: ParsedModule,
  globals: HostGlobals,
  guest: { onTx: number; outLength: number },
  entries: readonly GuestEntry[],
): number[][] {
  const cap = module.memory!.maximum;
  const noLocals = [0];
  const { fuel, stack, progress, budget, starved, shadows } = globals;

  // (address, bytes, meter) → meter, bytes >> 3 of fuel less: at most 2^29 − 1, no wrap. The blocks from address to address + bytes − 1 are
  // marked; a range that wraps around or leaves the memory marks nonsense, and traps right after. local 3 is how many blocks.
  const block = (...address: number[]) => [...address, ...i32(BLOCK_SHIFT), SHIFT_RIGHT_UNSIGNED];
  const bulk = [
    1, 1, I32,
    ...local(2), ...local(1), ...bulkFuel, SUB_64, ...setLocal(2),
    ...check(fuel, leb(2)),
    ...block(...local(0), ...local(1), ADD, ...i32(1), SUB), ...block(...local(0)), SUB, ...i32(1), ADD, ...setLocal(3),
    ...local(2), // | rotl((1 << blocks) − 1, first), or all of them
    ...i32(-1),
    ...i32(1), ...local(3), SHIFT_LEFT, ...i32(1), SUB, ...block(...local(0)), 0x77,
    ...local(3), ...i32(MARKS), 0x4f, 0x1b,
    EXTEND, 0x42, 32, SHIFT_LEFT_64, OR_64, END,
  ]; // biome-ignore format: one instruction sequence

  // (pages, meter) → old size or −1, meter. More pages than the cap can only fail: free of charge. If the engine refuses what the
  // cap allows, that is its own distress, and must not become an answer that another run would not get.
  const size = [0x3f, 0];
  const room = [...i32(cap), ...size, SUB];
  const grow = [
    1, 1, I32, // one local: the answer
    ...room, ...local(0), LESS_UNSIGNED, 0x04, EMPTY, ...i32(-1), ...local(1), 0x0f, END,
    ...local(1), ...local(0), ...i32(COST.growPage), 0x6c, EXTEND, SUB_64, ...setLocal(1),
    ...check(fuel, leb(1)),
    ...local(0), 0x40, 0, ...setLocal(2),
    ...local(2), ...i32(-1), EQUAL, 0x04, EMPTY, ...i32(1), ...set(starved), ...TRAP, END,
    ...local(2), ...local(1), END,
  ]; // biome-ignore format: one instruction sequence

  const keepShadows = shadows.flatMap(({ global, shadow }) => [...get(global), ...set(shadow)]);
  const snapshot = [...noLocals, ...keepShadows, END];

  // (address) → bytes: all that the guest can change, 8 bytes each, and back. weir_out_length is the host's to set
  const changing = module.globals
    .map(({ type, mutable }, global) => ({ type, mutable, global }))
    .filter(({ mutable, global }) => mutable && global !== guest.outLength);
  const keep = [
    ...noLocals,
    ...changing.flatMap(({ type, global }, i) => [...local(0), ...get(global), ...TO_I64[type]!, 0x37, 3, ...leb(8 * i)]),
    ...i32(8 * changing.length), END,
  ]; // biome-ignore format: one instruction sequence
  const setAll = [
    ...noLocals,
    ...changing.flatMap(({ type, global }, i) => [...local(0), LOAD[type]!, 2, ...leb(8 * i), ...set(global)]),
    ...keepShadows, END,
  ]; // biome-ignore format: one instruction sequence

  // (table, count, left of the batch's fuel) → left: see README. Numbers cross to JavaScript as parameters and results, since a global's
  // value costs it 50 ns. Locals: 3 is i, 4 the entry's address, 5 the meter
  const run = [
    2, 2, I32, 1, I64,
    ...i32(0), ...set(guest.outLength), ...local(2), ...set(globals.left),
    0x02, EMPTY, 0x03, EMPTY,
    ...local(3), ...set(progress),
    ...local(3), ...local(1), 0x4f, 0x0d, 1, // i ≥ count: leave
    ...local(2), 0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0x65, 0x0d, 1, // left ≤ 0: leave
    ...get(budget), ...set(fuel),
    ...i32(STACK_BYTES), ...set(stack),
    ...shadows.flatMap(({ global, shadow }) => [...get(shadow), ...set(global)]),
    ...local(0), ...local(3), ...i32(2), 0x74, ADD, ...setLocal(4),
    ...local(4), 0x28, 2, 0,
    ...get(budget), EXTEND, ...local(5), ...MARKS_ALONE, OR_64, // all marks so far, and the budget
    ...call(guest.onTx), ...setLocal(5),
    ...local(2), ...get(budget), ...local(5), WRAP, SUB, 0xb7, 0xa1, 0x22, 2, ...set(globals.left), // left − (budget − what is left of it)
    ...local(4), ...get(guest.outLength), 0x36, 2, 0,
    ...local(3), ...i32(1), ADD, ...setLocal(3),
    0x0c, 0, END, END,
    // over the first frame, which nobody needs any more: the marks
    ...local(0), ...local(1), ...i32(1), ADD, ...i32(-2), 0x71, ...i32(2), 0x74, ADD, ...local(5), ...MARKED, 0x36, 2, 0,
    ...local(2), END,
  ]; // biome-ignore format: one instruction sequence

  const parameters = (count: number) => Array.from({ length: count }, (_, i) => local(i)).flat();
  const aborting = module.imports.indexOf("abort");
  const abort = [...noLocals, ...(aborting < 0 ? TRAP : [...parameters(4), ...call(aborting)]), ...local(4), END];
  const entryBodies = entries.map(({ target, type: { parameters: { length: meter } } }) => [
    1, 1, I64, ...parameters(meter), ...get(fuel), EXTEND, ...call(target), ...setLocal(meter),
    ...note(fuel, leb(meter)), ...check(fuel, leb(meter)), END,
  ]); // biome-ignore format: one instruction sequence
  return [bulk, grow, snapshot, run, keep, setAll, abort, ...entryBodies];
}
