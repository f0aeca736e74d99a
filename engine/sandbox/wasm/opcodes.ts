/**
 * The instructions that are admitted: WebAssembly 1.0, sign extension, saturating conversions, memory.fill/copy/init.
 * Left out on purpose: threads (no determinism), SIMD (NaN payloads of lanes would leak), reference types, table.* and
 * data.drop/elem.drop (state that would outlive a batch), exceptions and tail calls (ways past the stack's account),
 * multi-value and GC (nothing needs them yet).
 */

/** What follows the opcode. Control instructions, calls and locals are special: the scanner reads them itself. */
export const IMMEDIATE = { none: 0, special: 1, memory: 2, s32: 3, s64: 4, f32: 5, f64: 6 } as const;

export interface Instruction {
  readonly immediate: number;
  readonly pops: number;
  readonly pushes: number;
  /** fuel */
  readonly cost: number;
  /** natural alignment of a memory instruction, as a power of two */
  readonly align: number;
}

/**
 * Fuel: 1 for an instruction. 0 for block, loop, else and end, which are no code. More for what takes longer: these, and
 * what depends on an operand (charged when it is known). A float store or reinterpretation is 3: its NaN is made canonical.
 */
export const COST = {
  instruction: 1,
  division: 8, // integer division and remainder, float division and square root
  canonical: 3,
  call: 8, // with the stack's account
  callIndirect: 12,
  bulk: 8, // memory.fill, copy, init, and 1 for every 8 bytes of them
  bulkBytesShift: 3,
  grow: 1_000, // memory.grow, and for each page: clearing 64 KiB takes about 5 µs
  growPage: 16_384,
} as const;

const table: (Instruction | undefined)[] = new Array(256).fill(undefined);
const extended: (Instruction | undefined)[] = new Array(18).fill(undefined);

function define(
  from: number,
  to: number,
  pops: number,
  pushes: number,
  cost: number = COST.instruction,
  immediate = 0,
  into = table,
) {
  for (let opcode = from; opcode <= to; opcode++) into[opcode] = { immediate, pops, pushes, cost, align: 0 };
}

const { special, memory, s32, s64, f32, f64 } = IMMEDIATE;
define(0x00, 0x00, 0, 0, 1, special); // unreachable
define(0x01, 0x01, 0, 0); // nop
define(0x02, 0x03, 0, 0, 0, special); // block, loop
define(0x04, 0x04, 1, 0, 1, special); // if
define(0x05, 0x05, 0, 0, 0, special); // else
define(0x0b, 0x0b, 0, 0, 0, special); // end
define(0x0c, 0x0c, 0, 0, 1, special); // br
define(0x0d, 0x0e, 1, 0, 1, special); // br_if, br_table
define(0x0f, 0x0f, 0, 0, 1, special); // return
define(0x10, 0x10, 0, 0, COST.call, special);
define(0x11, 0x11, 1, 0, COST.callIndirect, special);
define(0x1a, 0x1a, 1, 0); // drop
define(0x1b, 0x1b, 3, 1); // select
define(0x20, 0x20, 0, 1, 1, special); // local.get
define(0x21, 0x21, 1, 0, 1, special); // local.set
define(0x22, 0x22, 1, 1, 1, special); // local.tee
define(0x23, 0x23, 0, 1, 1, special); // global.get
define(0x24, 0x24, 1, 0, 1, special); // global.set
define(0x28, 0x35, 1, 1, 1, memory); // loads
define(0x36, 0x3e, 2, 0, 1, memory); // stores
define(0x38, 0x39, 2, 0, COST.canonical, memory); // f32.store, f64.store
define(0x3f, 0x3f, 0, 1, 1, special); // memory.size
define(0x40, 0x40, 1, 1, COST.grow, special); // memory.grow
define(0x41, 0x41, 0, 1, 1, s32);
define(0x42, 0x42, 0, 1, 1, s64);
define(0x43, 0x43, 0, 1, 1, f32);
define(0x44, 0x44, 0, 1, 1, f64);
define(0x45, 0x45, 1, 1); // i32.eqz
define(0x46, 0x4f, 2, 1); // i32 comparisons
define(0x50, 0x50, 1, 1); // i64.eqz
define(0x51, 0x66, 2, 1); // i64, f32, f64 comparisons
define(0x67, 0x69, 1, 1); // i32.clz, ctz, popcnt
define(0x6a, 0x78, 2, 1); // i32 arithmetic
define(0x6d, 0x70, 2, 1, COST.division);
define(0x79, 0x7b, 1, 1); // i64.clz, ctz, popcnt
define(0x7c, 0x8a, 2, 1); // i64 arithmetic
define(0x7f, 0x82, 2, 1, COST.division);
define(0x8b, 0x91, 1, 1); // f32 unary
define(0x91, 0x91, 1, 1, COST.division); // f32.sqrt
define(0x92, 0x98, 2, 1); // f32 binary
define(0x95, 0x95, 2, 1, COST.division); // f32.div
define(0x98, 0x98, 2, 1, COST.canonical); // f32.copysign
define(0x99, 0x9f, 1, 1); // f64 unary
define(0x9f, 0x9f, 1, 1, COST.division); // f64.sqrt
define(0xa0, 0xa6, 2, 1); // f64 binary
define(0xa3, 0xa3, 2, 1, COST.division); // f64.div
define(0xa6, 0xa6, 2, 1, COST.canonical); // f64.copysign
define(0xa7, 0xbf, 1, 1); // conversions
define(0xbc, 0xbd, 1, 1, COST.canonical); // i32.reinterpret_f32, i64.reinterpret_f64
define(0xc0, 0xc4, 1, 1); // sign extension
define(0x00, 0x07, 1, 1, 1, IMMEDIATE.none, extended); // saturating conversions
define(0x08, 0x08, 3, 0, COST.bulk, special, extended); // memory.init
define(0x0a, 0x0b, 3, 0, COST.bulk, special, extended); // memory.copy, memory.fill

// 0x28 i32.load, i64, f32, f64, i32.load8_s, 8_u, 16_s, 16_u, i64.load8_s, 8_u, 16_s, 16_u, 32_s, 32_u,
// 0x36 i32.store, i64, f32, f64, i32.store8, 16, i64.store8, 16, 32
[2, 3, 2, 3, 0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, 3, 2, 3, 0, 1, 0, 1, 2].forEach((align, i) => {
  table[0x28 + i] = { ...table[0x28 + i]!, align };
});

/** Admitted instructions by opcode, and by second byte behind the prefix 0xfc. */
export const INSTRUCTIONS: readonly (Instruction | undefined)[] = table;
export const EXTENDED: readonly (Instruction | undefined)[] = extended;

/** Names a refused opcode by the proposal that it belongs to. */
export function refusedOpcode(opcode: number, second: number | null): string {
  const code = `0x${opcode.toString(16).padStart(2, "0")}${second === null ? "" : ` ${second}`}`;
  if (opcode === 0xfe) return `${code}: threads and atomics are not deterministic`;
  if (opcode === 0xfd) {
    return `${code}: SIMD, as NaN payloads of its lanes differ between machines`;
  }
  if (opcode === 0xfc && (second === 9 || second === 13)) return `${code}: data.drop and elem.drop outlive a batch`;
  if (opcode === 0xfc && second !== null && second >= 12 && second <= 17) return `${code}: tables must not change`;
  if (opcode === 0x25 || opcode === 0x26) return `${code}: table.get and table.set, as tables must not change`;
  if (opcode === 0x12 || opcode === 0x13 || opcode === 0x15) return `${code}: tail calls`;
  if ((opcode >= 0x06 && opcode <= 0x0a) || (opcode >= 0x18 && opcode <= 0x19) || opcode === 0x1f)
    return `${code}: exceptions`;
  if (opcode === 0x1c || (opcode >= 0xd0 && opcode <= 0xd6)) return `${code}: reference types`;
  if (opcode === 0xfb) return `${code}: garbage collection`;
  return `${code}: unknown`;
}
