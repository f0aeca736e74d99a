/**
 * Metering: what every function of a module gets.
 *
 * - fuel: at the head of each metered block its cost. A metered block is a straight run of instructions: whoever enters it
 *   leaves at its end. Code behind a `block … end` that nothing jumps out of belongs to the run before it, so most loops
 *   pay once or twice a round. Whether anything is left is asked where the same code could be come by again: at the beginning of a
 *   function and of a loop's round, and at the end of a function that may call itself; before what is large (bulk memory over 128 bytes, memory.grow, a
 *   function of the host's); and when the transaction is done. In between one goes over the budget by what the code costs once, at
 *   most, and fails all the same. (The merging follows parity's wasm-instrument, `gas/mod.rs`.) What is left stays in a register, the meter: it is
 *   each function's last parameter and last result. Through a global it would cost 5 cycles after every call before the next charge.
 * - stack: in functions that call themselves or whatever a table says, and in those that call such, bytes taken at entry and given back
 *   at the end. All others are as deep as their calls say: only if that is much are they counted as well.
 * - marks: which blocks of memory were written to, so that putting memory back between batches costs what was written and no more.
 *   They are in the same register. A trap ends the instance, then nobody asks.
 * - canonical NaN, where a float's bits can get out: stores, reinterpretations, and copysign, which shows a NaN's sign.
 */
import { charge, check, FRAME_BYTES, giveBack, type HostGlobals, SLOT_BYTES, take } from "./inject.ts";
import type { MeteredBlock, ScannedBody } from "./scanBody.ts";
import type { ParsedModule } from "./wasm/module.ts";
import { leb, Writer } from "./wasm/writer.ts";

/** A function that takes no more than that with all that it calls is not counted: STACK_BYTES leaves room for it on top. */
const UNCOUNTED_BYTES = 32 * 1024;
const EMPTY_BLOCK = 0x40;

/** Functions whose stack is counted: those of unknown depth, and those of much. */
export function countedFunctions(bodies: readonly ScannedBody[], imports: number): Set<number> {
  const counted = new Set(bodies.map(({ index }) => index));
  const callers = new Map<number, ScannedBody[]>();
  /** callees whose depth is not known yet */
  const open = new Map<ScannedBody, number>();
  /** bytes with all that it calls */
  const depth = new Map<number, number>();
  const known: ScannedBody[] = [];
  for (const body of bodies) {
    if (body.callsIndirectly) continue;
    let waiting = 0;
    for (const callee of body.callees) {
      if (callee < imports) continue;
      waiting++;
      const list = callers.get(callee);
      if (list === undefined) callers.set(callee, [body]);
      else list.push(body);
    }
    open.set(body, waiting);
    if (waiting === 0) known.push(body);
  }
  // from the leaves upward; what calls itself is never reached
  for (let body = known.pop(); body !== undefined; body = known.pop()) {
    let deepest = 0;
    for (const callee of body.callees) deepest = Math.max(deepest, depth.get(callee) ?? 0);
    const bytes = frameOf(body) + deepest;
    if (bytes > UNCOUNTED_BYTES) continue;
    depth.set(body.index, bytes);
    counted.delete(body.index);
    for (const caller of callers.get(body.index) ?? []) {
      const waiting = open.get(caller)! - 1;
      open.set(caller, waiting);
      if (waiting === 0) known.push(caller);
    }
  }
  return counted;
}

/** The guest's globals that a call of function `from` can set. */
export function globalsSetBy(
  from: number,
  bodies: readonly ScannedBody[],
  { imports, elements }: ParsedModule,
): Set<number> {
  const sets = new Set<number>();
  const reached = new Set([from]);
  for (const index of reached) {
    const body = bodies[index - imports.length];
    if (body === undefined) continue; // a function of the host
    for (const global of body.sets) sets.add(global);
    for (const callee of body.callees) reached.add(callee);
    if (body.callsIndirectly) for (const { functions } of elements) for (const callee of functions) reached.add(callee);
  }
  return sets;
}

const frameOf = ({ slots }: ScannedBody): number => FRAME_BYTES + SLOT_BYTES * slots;

/** A stretch of a metered body, up to the next one: what was copied from the module's `from` on, or stands in front of what is there. */
export interface Stretch {
  /** in bytes from the body's first */
  readonly at: number;
  /** in bytes from the module's first */
  readonly from: number;
  readonly copied: boolean;
}

/**
 * The function's body as it is written: locals and code, without its length in front.
 * @param counted its stack is
 * @param isLast nobody looks at the fuel after it
 * @param stretches filled with where its parts are from
 */
export function meteredBody(
  body: ScannedBody,
  globals: HostGlobals,
  counted: boolean,
  isLast: boolean,
  stretches?: Stretch[],
): Uint8Array {
  const { bytes, groupsAt, codeAt, end, groups, results, temporaries, edits, charges } = body;
  const meter = leb(body.meter);
  const out = new Writer((end - groupsAt) * 2 + 128);
  out.u32(groups + temporaries.length);
  out.range(bytes, groupsAt, codeAt);
  for (const type of temporaries) out.bytes([1, type]);
  if (counted) out.bytes(take(globals.stack, frameOf(body), globals.fuel, meter));
  out.bytes([0x02, results[0] ?? EMPTY_BLOCK]);
  let from = codeAt;
  const note = (copied: boolean): void => void stretches?.push({ at: out.length, from, copied });
  for (let c = 0, e = 0; c < charges.length || e < edits.length; ) {
    const block: MeteredBlock | undefined = charges[c];
    const edit = edits[e];
    const chargeFirst = block !== undefined && (edit === undefined || block.at <= edit.at);
    const at = chargeFirst ? block.at : edit!.at;
    note(true);
    out.range(bytes, from, at);
    from = at;
    note(false);
    if (chargeFirst) {
      out.bytes(charge(meter, block.cost));
      if (block.checked) out.bytes(check(globals.fuel, meter));
      c++;
    } else {
      out.bytes(edit!.bytes);
      from += edit!.remove;
      e++;
    }
  }
  note(true);
  out.range(bytes, from, end); // the function's own end is the block's
  from = end - 1;
  note(false);
  if (counted) out.bytes(giveBack(globals.stack, frameOf(body)));
  if (counted || isLast) out.bytes(check(globals.fuel, meter));
  out.bytes([0x20, ...meter, 0x0b]);
  return out.done();
}
