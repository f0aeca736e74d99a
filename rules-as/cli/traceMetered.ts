/**
 * Where a transaction ran out of fuel or stack. That ends in what metering added, of which no source map knows: so the transaction runs
 * once more through the metered module, and the offsets of its calls are brought back to the module that the author's compiler made.
 */
import { readmit } from "../../engine/sandbox/admit.ts";
import { instantiate } from "../../engine/sandbox/instance.ts";
import type { Stretch } from "../../engine/sandbox/meter.ts";
import { createLocalState } from "../../engine/state/localState.ts";
import { functionBodies } from "./sourceMap.ts";

export interface CallSite {
  /** In bytes from the module's first. */
  readonly offset: number;
  /** The budget ended before what stands there, not within. */
  readonly before: boolean;
}

/** Calls that are looked at: a library's may be many. */
const DEEPEST = 100;
/** The table of one entry in front of the frame. */
const TABLE_BYTES = 8;

/** @returns the innermost call first; none when it does not run out: the state it met, or its lists, are not known here */
export function traceMetered(wasm: Uint8Array, frame: Uint8Array): CallSite[] {
  const stretches: Stretch[][] = [];
  const admitted = readmit(wasm, undefined, undefined, stretches);
  if (!admitted.ok) return [];
  const { state = [], lists = [] } = admitted.manifest;
  const words = new Uint32Array(frame.slice().buffer);
  const deepest = Error.stackTraceLimit;
  Error.stackTraceLimit = DEEPEST;
  try {
    const guest = instantiate(new WebAssembly.Module(admitted.module), TABLE_BYTES + frame.length);
    guest.words[guest.input >> 2] = guest.input + TABLE_BYTES;
    new Uint8Array(guest.memory.buffer).set(frame, guest.input + TABLE_BYTES);
    const { fault } = guest.run(1, undefined, {
      state: createLocalState(state).open("", { words, frames: new Uint32Array(1), events: new Float64Array(1) }),
      lists: lists.map(({ bytes }) => ({ bytes, has: () => false })),
      transactionAt: () => 0,
    });
    const bodies = functionBodies(admitted.module);
    return offsetsOf(fault?.cause).flatMap((offset) => {
      const body = bodies.findIndex(({ from, to }) => from <= offset && offset < to);
      const inBody = offset - (bodies[body]?.from ?? 0);
      const stretch = stretches[body]?.findLast(({ at }) => at <= inBody); // none in what is the host's own
      if (!stretch) return [];
      const { at, from, copied } = stretch;
      return [{ offset: copied ? from + inBody - at : from, before: !copied }];
    });
  } finally {
    Error.stackTraceLimit = deepest;
  }
}

/** `at rule/onTx (wasm://wasm/0123abcd:wasm-function[12]:0x1f3)` */
const offsetsOf = (thrown: unknown): number[] =>
  thrown instanceof Error
    ? [...(thrown.stack ?? "").matchAll(/wasm-function\[\d+\]:0x([0-9a-f]+)/g)].map(([, hex]) =>
        Number.parseInt(hex!, 16),
      )
    : [];
