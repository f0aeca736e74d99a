/**
 * The walk over a function's body: every instruction is checked, and noted is what to insert where, what the function calls and which
 * globals it writes. Whether the stack is counted depends on what others call, so writing comes after all were walked: meter.ts.
 *
 * Numbers of locals in what is written:  the guest's parameters │ the meter, a parameter more │ the guest's locals, up by 1 │ ours
 */
import type { Report } from "./finding.ts";
import { HOST_FUNCTIONS } from "./hostFunctions.ts";
import { COVERED_BYTES, chargeBulk, check, fuelGlobal, type HostFunctions, markBlock, note } from "./inject.ts";
import type { ModuleLimits } from "./limits.ts";
import { F32, F64, I32, I64, type ParsedModule, valueType } from "./wasm/module.ts";
import { EXTENDED, IMMEDIATE, INSTRUCTIONS, refusedOpcode } from "./wasm/opcodes.ts";
import { Malformed, type Reader } from "./wasm/reader.ts";
import { leb } from "./wasm/writer.ts";

export interface ScanContext {
  readonly module: ParsedModule;
  readonly limits: ModuleLimits;
  readonly report: Report;
  readonly functions: HostFunctions;
  /** Counted up over all functions: at every border of a straight run of code, the function's locals. */
  readonly complexity: { merged: number };
}

/** One function's body as it was found. */
export interface ScannedBody {
  readonly index: number;
  readonly bytes: Uint8Array;
  /** where the groups of locals begin, behind their count; the code; and what is behind it */
  readonly groupsAt: number;
  readonly codeAt: number;
  readonly end: number;
  readonly groups: number;
  /** number of the local that has the meter */
  readonly meter: number;
  readonly results: readonly number[];
  /** what the guest's parameters, locals, operands, and ours take at most, in slots of the stack */
  readonly slots: number;
  /** types of our locals */
  readonly temporaries: readonly number[];
  /** in order of places */
  readonly edits: readonly Edit[];
  readonly charges: readonly MeteredBlock[];
  readonly callees: ReadonlySet<number>;
  readonly callsIndirectly: boolean;
  /** it has memory.init, which names data segments by number */
  readonly copiesData: boolean;
  /** the guest's globals that it sets */
  readonly sets: ReadonlySet<number>;
}

/** Something to insert before the instruction at `at`, in place of `remove` bytes of it. */
export interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly bytes: readonly number[];
}

/** A run of instructions paid at its head. */
export interface MeteredBlock {
  readonly at: number;
  cost: number;
  /** It begins a function or a loop: no way back to it, and no recursion, that does not look whether anything is left. */
  readonly checked: boolean;
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
  /** Of an if: the runs that its arms begin with, the one before else first. */
  readonly arms: MeteredBlock[];
}

const EMPTY_BLOCK = 0x40;
/** value types of the stores, from 0x36 on */
const STORED_TYPES = [I32, I64, F32, F64, I32, I32, I64, I64, I64];
const NAN_32 = [0x43, 0x00, 0x00, 0xc0, 0x7f];
const NAN_64 = [0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f];

/**
 * Instructions that can trap, but for access to memory: before them the fuel is noted. Noting it at each charge would cost 1 ns each;
 * so what had been used before an access out of bounds is not known.
 */
const mayTrap = (opcode: number): boolean =>
  opcode === 0x00 || // unreachable
  opcode === 0x11 || // call_indirect
  (opcode >= 0x6d && opcode <= 0x70) || // i32 division, remainder
  (opcode >= 0x7f && opcode <= 0x82) || // i64
  (opcode >= 0xa8 && opcode <= 0xab) || // i32.trunc
  (opcode >= 0xae && opcode <= 0xb1); // i64.trunc

/** Walks the body of function `index`. null if a violation was reported after which the rest of the body cannot be read. */
export function scanBody(context: ScanContext, index: number, body: Reader): ScannedBody | null {
  const { report } = context;
  const place = { section: "code", function: index };
  try {
    return scan(context, index, body);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    report.add("malformed", `Cannot read function ${index}: ${error.message}`, { ...place, offset: error.offset });
    return null;
  }
}

function scan(context: ScanContext, index: number, body: Reader): ScannedBody | null {
  const { module, limits, report, functions } = context;
  const { bytes } = body;
  const type = module.types[module.functions[index]!];
  if (type === undefined) return null; // reported where the function is declared
  const start = body.at;
  const place = (offset: number) => ({ section: "code", function: index, offset });
  report.limit("function_too_large", `function ${index} (bytes)`, body.end - start, limits.functionBytes, place(start));

  const groups = body.count("groups of locals");
  const groupsAt = body.at;
  const parameters = type.parameters.length;
  let locals = parameters;
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
  const callees = new Set<number>();
  let callsIndirectly = false;
  let copiesData = false;
  const sets = new Set<number>();
  // our locals, numbered when they are first needed; one per use and type
  const temporaries: { readonly use: string; readonly type: number }[] = [];
  const temporary = (use: string, type: number): number[] => {
    let at = temporaries.findIndex((temporary) => temporary.use === use && temporary.type === type);
    if (at < 0) at = temporaries.push({ use, type }) - 1;
    return leb(locals + 1 + at);
  };
  const meter = leb(parameters);
  const noteFuel = note(fuelGlobal(module), meter);

  /** Of each operand the local whose value it is, or −1. */
  const origins: number[] = [];
  /** Of a local the least offset to its value that a store has marked on the way here, whichever that was. */
  const marked = new Map<number, number>();

  const push = (count: number) => {
    for (; count > 0; count--) origins[height++] = -1;
    if (height > highest) highest = height;
  };
  const pop = (count: number) => {
    const { base } = stack[stack.length - 1]!;
    height = Math.max(base, height - count); // below base only in unreachable code, or in code that validation refuses
  };
  const open = (at: number, results: number, kind: "block" | "loop" | "if") => {
    // a block begins inside the run that is under way, an arm or a loop's body begins its own
    const parent = stack[stack.length - 1];
    const isInside = kind === "block" && parent !== undefined;
    const block = { at: isInside ? parent.block.at : at, cost: 0, checked: kind === "loop" || parent === undefined };
    const lowest = stack.length;
    stack.push({
      isLoop: kind === "loop",
      isIf: kind === "if",
      base: height,
      results,
      unreachable: false,
      lowest,
      block,
      arms: kind === "if" ? [block] : [],
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
    top.block = { at: next, cost: 0, checked: false };
    const parent = stack[stack.length - 2];
    if (parent !== undefined && parent.block.at === ended.at) parent.block.cost += ended.cost;
    else if (ended.cost > 0 || (ended.checked && parent !== undefined)) charges.push(ended);
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
    const mark = markBlock(meter, address, offset);
    return [0x21, ...value, 0x22, ...address, ...mark, 0x20, ...value];
  };
  /** Whether a mark made on the way here covers a store of `size` bytes to the address that was under its value; if not, the store's own will from now on. */
  const isCovered = (offset: number, size: number): boolean => {
    const local = origins[height]!;
    const from = marked.get(local);
    if (from !== undefined && offset >= from && offset + size <= from + COVERED_BYTES) return true;
    if (local >= 0) marked.set(local, offset);
    return false;
  };
  /** The local has another value from here on. */
  const change = (local: number): void => {
    marked.delete(local);
    for (let i = 0; i < height; i++) if (origins[i] === local) origins[i] = -1;
  };
  /** Before memory.fill, copy or init: charged and marked. On top are the address, something, and the length. */
  const bulk = (): number[] => {
    const [length, middle, address] = [temporary("length", I32), temporary("value", I32), temporary("address", I32)];
    const charged = chargeBulk({ address, length, last: temporary("last", I32), meter }, fuelGlobal(module), functions.bulk); // biome-ignore format: one call
    return [0x21, ...length, 0x21, ...middle, 0x22, ...address, ...charged, 0x20, ...middle, 0x20, ...length];
  };
  /** Before a function of the host that writes so many bytes to the address on top, a multiple of 8: its one or two blocks are marked. */
  const writing = (size: number): number[] => {
    const address = temporary("address", I32);
    return [0x22, ...address, ...markBlock(meter, address, 0), ...markBlock(meter, address, size - 8)];
  };
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
    if (mayTrap(opcode)) insert(at, noteFuel);
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
      if (stored !== undefined && !isCovered(offset, 1 << instruction.align)) insert(at, storing(stored, offset));
    } else if (immediate === IMMEDIATE.s32) body.s32();
    else if (immediate === IMMEDIATE.s64) body.skipS64();
    else if (immediate === IMMEDIATE.f32) body.skip(4);
    else if (immediate === IMMEDIATE.f64) body.skip(8);
    else if (opcode === 0xfc) {
      if (second === 0x08) {
        const segment = body.u32();
        copiesData = true;
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
          if (opcode === 0x03) marked.clear(); // a round may come here from its end
          open(body.at, results, opcode === 0x02 ? "block" : opcode === 0x03 ? "loop" : "if");
          break;
        }
        case 0x05: {
          const top = stack[stack.length - 1]!;
          if (!top.isIf) throw new Malformed("else without if", at);
          marked.clear(); // here and at an end one arrives by other ways, too
          finish(body.at);
          top.arms.push(top.block);
          height = top.base;
          top.unreachable = false;
          break;
        }
        case 0x0b: {
          marked.clear();
          finish(body.at);
          const closed = stack.pop()!;
          height = closed.base;
          push(closed.results);
          const top = stack[stack.length - 1];
          if (top === undefined) break;
          top.lowest = Math.min(top.lowest, closed.lowest);
          // what either arm costs is paid before the if: of most comparisons one arm is a constant, and has nothing left to pay
          const [first, second] = closed.arms;
          if (first !== undefined && second !== undefined) {
            const least = Math.min(first.cost, second.cost);
            top.block.cost += least;
            first.cost -= least;
            second.cost -= least;
          }
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
          callees.add(callee);
          const imported = HOST_FUNCTIONS[module.imports[callee] ?? ""];
          if (imported !== undefined) {
            stack[stack.length - 1]!.block.cost += imported.fuel;
            if (imported.writes > 0) insert(at, writing(imported.writes));
            insert(at, [...noteFuel, ...check(fuelGlobal(module), meter)]);
          } else {
            // what is left goes in as the last operand and comes out as the last result
            insert(at, [0x20, ...meter]);
            insert(body.at, [0x21, ...meter]);
          }
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
          callsIndirectly = true;
          const entry = temporary("value", I32); // the table's, behind the operands
          insert(at, [0x21, ...entry, 0x20, ...meter, 0x20, ...entry]);
          insert(body.at, [0x21, ...meter]);
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
          if (local >= parameters) insert(at, [opcode, ...leb(local + 1)], body.at - at);
          if (opcode !== 0x20) change(local);
          if (opcode !== 0x21) origins[height - 1] = local;
          break;
        }
        case 0x23:
        case 0x24: {
          // also what keeps a guest from the host's globals, which are numbered from here on
          const global = body.u32();
          if (global >= module.globals.length) report.add("index", `Global ${global} is not there`, place(at));
          if (opcode === 0x24) sets.add(global);
          break;
        }
        case 0x3f:
        case 0x40:
          if (body.u8() !== 0) throw new Malformed("Memory other than 0", at);
          if (opcode === 0x40) insert(at, [0x20, ...meter, 0x10, ...leb(functions.grow), 0x21, ...meter], 2);
          break;
      }
    }
  }
  if (!body.done) throw new Malformed(`${body.end - body.at} bytes behind the function's end`, body.at);

  const charged = charges.filter(({ cost, checked }) => cost > 0 || checked).sort((a, b) => a.at - b.at);
  return {
    index,
    bytes,
    groupsAt,
    codeAt,
    end: body.end,
    groups,
    meter: parameters,
    results: type.results,
    // operands were counted before our own few are put on top: 6 more for those; and the meter
    slots: locals + 1 + temporaries.length + highest + 6,
    temporaries: temporaries.map(({ type }) => type),
    edits,
    charges: charged,
    callees,
    callsIndirectly,
    copiesData,
    sets,
  };
}
