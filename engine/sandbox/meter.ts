/**
 * One function's body, rewritten in two walks over its bytes. The first checks every instruction and notes what to insert
 * where; the second copies. Inserted are
 *
 * - fuel: at the head of each metered block its cost. A metered block is a straight run of instructions: whoever enters it
 *   leaves at its end. Code behind a `block … end` that nothing jumps out of belongs to the run before it, so most loops
 *   pay once or twice a round. (The merging follows parity's wasm-instrument, `gas/mod.rs`.)
 * - stack: in functions that call others, bytes taken at entry and given back at the end; `return` becomes a branch to it.
 * - marks: which blocks of memory were written to, so that putting memory back between batches costs what was written and no more.
 * - canonical NaN, where a float's bits can get out: stores, reinterpretations, and copysign, which shows a NaN's sign.
 */
import type { Report } from "./finding.ts";
import { HOST_FUNCTIONS } from "./hostFunctions.ts";
import {
  FRAME_BYTES,
  giveBack,
  type HostFunctions,
  type HostGlobals,
  markBlock,
  read,
  SLOT_BYTES,
  take,
} from "./inject.ts";
import type { ModuleLimits } from "./limits.ts";
import { F32, F64, I32, I64, type ParsedModule, valueType } from "./wasm/module.ts";
import { EXTENDED, IMMEDIATE, INSTRUCTIONS, refusedOpcode } from "./wasm/opcodes.ts";
import { Malformed, type Reader } from "./wasm/reader.ts";
import { leb, Writer } from "./wasm/writer.ts";

export interface MeterContext {
  readonly module: ParsedModule;
  readonly limits: ModuleLimits;
  readonly report: Report;
  readonly globals: HostGlobals;
  readonly functions: HostFunctions;
  /** Counted up over all functions: at every border of a straight run of code, the function's locals. */
  readonly complexity: { merged: number };
}

/** Something to insert before the instruction at `at`, in place of `remove` bytes of it. */
interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly bytes: readonly number[];
}

/** A run of instructions paid at its head. */
interface MeteredBlock {
  readonly at: number;
  cost: number;
}

interface Control {
  readonly isLoop: boolean;
  readonly isIf: boolean;
  /** operands below this block */
  readonly base: number;
  readonly results: number;
  unreachable: boolean;
  /** outermost control block that a forward branch from in here leads to: its index on the control stack */
  lowest: number;
  block: MeteredBlock;
}

/** A leaf function that small is not counted: STACK_BYTES leaves room for one of them on top. */
const UNCOUNTED_LEAF_BYTES = 2_048;
const EMPTY_BLOCK = 0x40;
/** value types of the stores, from 0x36 on */
const STORED_TYPES = [I32, I64, F32, F64, I32, I32, I64, I64, I64];
const NAN_32 = [0x43, 0x00, 0x00, 0xc0, 0x7f];
const NAN_64 = [0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f];

/**
 * The body of function `index`, metered: locals and code, without its length in front. null if a violation was reported
 * after which the rest of the body cannot be read.
 */
export function meterBody(context: MeterContext, index: number, body: Reader): Uint8Array | null {
  const { report } = context;
  const place = { section: "code", function: index };
  try {
    return rewrite(context, index, body);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    report.add("malformed", `Cannot read function ${index}: ${error.message}`, { ...place, offset: error.offset });
    return null;
  }
}

function rewrite(context: MeterContext, index: number, body: Reader): Uint8Array | null {
  const { module, limits, report, globals, functions } = context;
  const { bytes } = body;
  const type = module.types[module.functions[index]!];
  if (type === undefined) return null; // reported where the function is declared
  const start = body.at;
  const place = (offset: number) => ({ section: "code", function: index, offset });
  report.limit("function_too_large", `function ${index} (bytes)`, body.end - start, limits.functionBytes, place(start));

  const groups = body.count("groups of locals");
  const groupsAt = body.at;
  let locals = type.parameters.length;
  for (let i = 0; i < groups; i++) {
    locals += body.u32();
    valueType(body, report, "code");
  }
  const codeAt = body.at;
  report.limit("too_many_locals", `the locals of function ${index}`, locals, limits.locals, place(groupsAt));

  const edits: Edit[] = [];
  const charges: MeteredBlock[] = [];
  const stack: Control[] = [];
  let height = 0;
  let highest = 0;
  let calls = false;
  // locals of the host's own, numbered behind the guest's when they are first needed; one per use and type
  const temporaries: { readonly use: string; readonly type: number }[] = [];
  const temporary = (use: string, type: number): number[] => {
    let at = temporaries.findIndex((temporary) => temporary.use === use && temporary.type === type);
    if (at < 0) at = temporaries.push({ use, type }) - 1;
    return leb(locals + at);
  };

  const push = (count: number) => {
    height += count;
    if (height > highest) highest = height;
  };
  const pop = (count: number) => {
    const { base } = stack[stack.length - 1]!;
    height = Math.max(base, height - count); // below base only in unreachable code, or in code that validation refuses
  };
  const open = (at: number, results: number, kind: "block" | "loop" | "if") => {
    // a block begins inside the run that is under way, an arm or a loop's body begins its own
    const parent = stack[stack.length - 1];
    const block = { at: kind === "block" && parent !== undefined ? parent.block.at : at, cost: 0 };
    const lowest = stack.length;
    stack.push({
      isLoop: kind === "loop",
      isIf: kind === "if",
      base: height,
      results,
      unreachable: false,
      lowest,
      block,
    });
    if (stack.length === limits.nesting + 1) {
      report.add("nested_too_deep", `Cannot admit function ${index}: blocks nested deeper than ${limits.nesting}`, {
        ...place(at),
        limit: limits.nesting,
        actual: stack.length,
      });
    }
  };
  /** Ends the run of the innermost control block; the next one begins at `next`. */
  const finish = (next: number) => {
    context.complexity.merged += locals;
    const top = stack[stack.length - 1]!;
    const ended = top.block;
    top.block = { at: next, cost: 0 };
    const parent = stack[stack.length - 2];
    if (parent !== undefined && parent.block.at === ended.at) parent.block.cost += ended.cost;
    else if (ended.cost > 0) charges.push(ended);
  };
  const branch = (depth: number, at: number, next: number): void => {
    const target = stack.length - 1 - depth;
    if (target < 0) {
      report.add("index", `Branch to label ${depth} of ${stack.length}`, place(at));
      return;
    }
    finish(next);
    const top = stack[stack.length - 1]!;
    if (!stack[target]!.isLoop) top.lowest = Math.min(top.lowest, target);
  };
  const dead = () => {
    const top = stack[stack.length - 1]!;
    height = top.base;
    top.unreachable = true;
  };
  /** x == x ? x : NaN */
  const canonical = (type: number): number[] => {
    const x = temporary("value", type);
    const nan = type === F32 ? NAN_32 : NAN_64;
    return [0x22, ...x, ...nan, 0x20, ...x, 0x20, ...x, type === F32 ? 0x5b : 0x61, 0x1b];
  };
  /** Before a store: its block is marked. On top are the address and the value. */
  const storing = (type: number, offset: number): number[] => {
    const value = temporary("value", type);
    const address = temporary("address", I32);
    const mark = markBlock(globals.dirty, locals + temporaries.findIndex(({ use }) => use === "address"), offset);
    return [0x21, ...value, 0x22, ...address, ...mark, 0x20, ...value];
  };
  /** Before a function of the host that writes so many bytes to the address on top, a multiple of 8: its one or two blocks are marked. */
  const writing = (size: number): number[] => {
    const address = temporary("address", I32);
    const number = locals + temporaries.findIndex(({ use }) => use === "address");
    return [0x22, ...address, ...markBlock(globals.dirty, number, 0), ...markBlock(globals.dirty, number, size - 8)];
  };
  /** Before memory.fill, copy or init: charged and marked. On top are the address, something, and the length. */
  const bulk = (): number[] => {
    const [length, middle, address] = [temporary("length", I32), temporary("value", I32), temporary("address", I32)];
    const call = [0x20, ...address, 0x20, ...length, 0x10, ...leb(functions.bulk), ...readFuel()];
    return [0x21, ...length, 0x21, ...middle, 0x22, ...address, ...call, 0x20, ...middle, 0x20, ...length];
  };
  /** After a call: it has spent some, and what is left is read again. */
  const readFuel = (): number[] => read(globals.fuel, temporary("fuel", I32));
  const insert = (at: number, added: readonly number[], remove = 0) => edits.push({ at, remove, bytes: added });

  open(codeAt, type.results.length, "block");
  while (stack.length > 0) {
    const at = body.at;
    const opcode = body.u8();
    const second = opcode === 0xfc || opcode === 0xfd ? body.u32() : null;
    const instruction = opcode === 0xfc ? EXTENDED[second!] : INSTRUCTIONS[opcode];
    if (instruction === undefined) {
      report.add("unsupported", `Cannot admit opcode ${refusedOpcode(opcode, second)}`, {
        ...place(at),
        actual: opcode,
      });
      return null; // what follows an unknown opcode cannot be told
    }
    const { cost, immediate } = instruction;
    if (opcode !== 0x0b && opcode !== 0x05) {
      stack[stack.length - 1]!.block.cost += cost;
      pop(instruction.pops);
      push(instruction.pushes);
    }
    if (immediate === IMMEDIATE.none) {
      // i32.reinterpret_f32, i64.reinterpret_f64, and copysign, whose second operand is on top
      if (opcode === 0xbc || opcode === 0x98) insert(at, canonical(F32));
      else if (opcode === 0xbd || opcode === 0xa6) insert(at, canonical(F64));
    } else if (immediate === IMMEDIATE.memory) {
      const align = body.u32();
      if (align > instruction.align) throw new Malformed(`Alignment 2^${align} of a memory instruction`, at);
      const offset = body.u32();
      const stored = STORED_TYPES[opcode - 0x36];
      if (stored === F32 || stored === F64) insert(at, canonical(stored));
      if (stored !== undefined) insert(at, storing(stored, offset));
    } else if (immediate === IMMEDIATE.s32) body.s32();
    else if (immediate === IMMEDIATE.s64) body.skipS64();
    else if (immediate === IMMEDIATE.f32) body.skip(4);
    else if (immediate === IMMEDIATE.f64) body.skip(8);
    else if (opcode === 0xfc) {
      if (second === 0x08) {
        const segment = body.u32();
        if (segment >= (module.dataCount ?? 0)) report.add("index", `Data segment ${segment} is not there`, place(at));
      }
      for (let zeros = second === 0x0a ? 2 : 1; zeros > 0; zeros--) {
        if (body.u8() !== 0) throw new Malformed("Memory other than 0", at);
      }
      insert(at, bulk());
    } else {
      switch (opcode) {
        case 0x00:
          dead();
          break;
        case 0x02:
        case 0x03:
        case 0x04: {
          const blockType = body.u8();
          if (blockType !== EMPTY_BLOCK && (blockType < F64 || blockType > I32)) {
            report.add(
              "unsupported",
              "Block of a type other than a number or nothing: multi-value, SIMD or references",
              place(at),
            );
            return null;
          }
          const results = blockType === EMPTY_BLOCK ? 0 : 1;
          open(body.at, results, opcode === 0x02 ? "block" : opcode === 0x03 ? "loop" : "if");
          break;
        }
        case 0x05: {
          const top = stack[stack.length - 1]!;
          if (!top.isIf) throw new Malformed("else without if", at);
          finish(body.at);
          height = top.base;
          top.unreachable = false;
          break;
        }
        case 0x0b: {
          finish(body.at);
          const closed = stack.pop()!;
          height = closed.base;
          push(closed.results);
          const top = stack[stack.length - 1];
          if (top === undefined) break;
          top.lowest = Math.min(top.lowest, closed.lowest);
          // something may jump past what follows: it needs a run of its own
          if (closed.lowest < stack.length) finish(body.at);
          break;
        }
        case 0x0c:
          branch(body.u32(), at, body.at);
          dead();
          break;
        case 0x0d:
          branch(body.u32(), at, body.at);
          break;
        case 0x0e: {
          const count = body.count("labels");
          report.limit(
            "br_table_too_large",
            `a br_table in function ${index} (labels)`,
            count,
            limits.brTable,
            place(at),
          );
          for (let i = 0; i <= count; i++) branch(body.u32(), at, body.at);
          dead();
          break;
        }
        case 0x0f:
          // behind the code stands what gives the stack back, or the function's end: a branch to the outermost label leads there
          insert(at, [0x0c, ...leb(stack.length - 1)], 1);
          branch(stack.length - 1, at, body.at);
          dead();
          break;
        case 0x10: {
          const callee = body.u32();
          calls = true;
          const imported = HOST_FUNCTIONS[module.imports[callee] ?? ""];
          if (imported !== undefined) {
            stack[stack.length - 1]!.block.cost += imported.fuel;
            if (imported.writes > 0) insert(at, writing(imported.writes));
          }
          insert(body.at, readFuel());
          const calleeType = module.types[module.functions[callee] ?? -1];
          if (calleeType === undefined) report.add("index", `Function ${callee} is not there`, place(at));
          else {
            pop(calleeType.parameters.length);
            push(calleeType.results.length);
          }
          break;
        }
        case 0x11: {
          const calleeType = module.types[body.u32()];
          if (body.u32() !== 0) throw new Malformed("Table other than 0", at);
          calls = true;
          insert(body.at, readFuel());
          if (calleeType === undefined) report.add("index", "Type of an indirect call is not there", place(at));
          else {
            pop(calleeType.parameters.length);
            push(calleeType.results.length);
          }
          break;
        }
        case 0x20:
        case 0x21:
        case 0x22: {
          const local = body.u32();
          if (local >= locals) report.add("index", `Local ${local} of ${locals}`, place(at));
          break;
        }
        case 0x23:
        case 0x24: {
          // also what keeps a guest from the host's globals, which are numbered from here on
          const global = body.u32();
          if (global >= module.globals.length) report.add("index", `Global ${global} is not there`, place(at));
          break;
        }
        case 0x3f:
        case 0x40:
          if (body.u8() !== 0) throw new Malformed("Memory other than 0", at);
          if (opcode === 0x40) insert(at, [0x10, ...leb(functions.grow), ...readFuel()], 2);
          break;
      }
    }
  }
  if (!body.done) throw new Malformed(`${body.end - body.at} bytes behind the function's end`, body.at);

  const fuel = temporary("fuel", I32);
  const stackLocal = temporary("stack", I32);
  // `highest` counts operands before the host's own few are put on top: 6 more for those
  const frame = FRAME_BYTES + SLOT_BYTES * (locals + temporaries.length + highest + 6);
  const counted = calls || frame > UNCOUNTED_LEAF_BYTES;
  const out = new Writer((body.end - start) * 2 + 128);
  out.u32(groups + temporaries.length);
  out.range(bytes, groupsAt, codeAt);
  for (const { type } of temporaries) out.bytes([1, type]);
  out.bytes(readFuel());
  if (counted) {
    out.bytes(read(globals.stack, stackLocal));
    out.bytes(take(globals.stack, stackLocal, frame));
    out.bytes([0x02, type.results[0] ?? EMPTY_BLOCK]);
  }
  charges.sort((a, b) => a.at - b.at);
  let from = codeAt;
  for (let c = 0, e = 0; c < charges.length || e < edits.length; ) {
    const charge = charges[c];
    const edit = edits[e];
    const chargeFirst = charge !== undefined && (edit === undefined || charge.at <= edit.at);
    const at = chargeFirst ? charge.at : edit!.at;
    out.range(bytes, from, at);
    from = at;
    if (chargeFirst) {
      out.bytes(take(globals.fuel, fuel, charge.cost));
      c++;
    } else {
      out.bytes(edit!.bytes);
      from += edit!.remove;
      e++;
    }
  }
  out.range(bytes, from, body.end);
  if (counted) {
    out.bytes(giveBack(globals.stack, stackLocal, frame));
    out.u8(0x0b);
  }
  return out.done();
}
