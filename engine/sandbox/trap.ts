/** What can go wrong while a rule runs, told apart and told in words. */

export type FailureCode =
  | "fuel" // the transaction's budget ran out
  | "batch_fuel" // the batch's budget was used up by the transactions before it
  | "stack" // calls took more than STACK_BYTES
  | "abort" // the guest called env.abort: an assertion, an exception
  | "unreachable"
  | "out_of_bounds" // memory access
  | "division" // by zero, or of the least integer by −1
  | "conversion" // a float that no integer can hold
  | "indirect_call" // null, of another type, or outside the table
  | "bad_pointer" // weir_reserve, weir_out or a call of the host's had a pointer that is nonsense
  | "host_call" // a call of the host's for what is not declared, or while nothing is evaluated
  | "bad_result" // a result record that breaks the ABI
  | "too_many_results"
  | "frame_too_large"
  | "thread_lost"; // alone with the batch it ended a thread: banned from it

export interface Failure {
  /** number of the transaction in the batch */
  readonly transaction: number;
  readonly code: FailureCode;
  readonly message: string;
}

/** A rule's own fault: it would happen again with the same transaction. */
export class RuleFault extends Error {
  readonly code: FailureCode;
  /** @param options with what the guest threw, whose stack has the offsets in the module */
  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The engine's distress, no fault of the rule's: memory or stack of the process ran out. To be retried, never recorded as a result. */
export class SandboxExhausted extends Error {}

/** What env.abort threw, on its way through the guest. */
export class Abort extends Error {}

const KINDS: readonly (readonly [RegExp, FailureCode])[] = [
  [/memory access out of bounds/, "out_of_bounds"],
  [/divide by zero|remainder by zero|divide result unrepresentable/, "division"],
  [/float unrepresentable/, "conversion"],
  [/null function|signature mismatch|table (index|access)|table index/, "indirect_call"],
  [/unreachable/, "unreachable"],
];

export interface TrapState {
  readonly fuel: number;
  readonly stack: number;
  readonly starved: boolean;
  /** what the guest was given, and for what */
  readonly budget: number;
  readonly whose: "transaction" | "call";
}

/**
 * Names what a guest threw. The host's counters decide first: running out of fuel or stack is an `unreachable` of our own.
 *
 * @throws SandboxExhausted if it was the engine's doing, and whatever is not a guest's error at all
 */
export function classify(error: unknown, { fuel, stack, starved, budget, whose }: TrapState): RuleFault {
  if (error instanceof RuleFault) return error;
  if (error instanceof Abort) return new RuleFault("abort", error.message);
  if (error instanceof RangeError) throw new SandboxExhausted(`Cannot run a rule: ${error.message}`, { cause: error });
  if (!(error instanceof WebAssembly.RuntimeError)) throw error;
  if (starved)
    throw new SandboxExhausted("Cannot grow the memory of a rule: the process is out of memory", { cause: error });
  const where = firstFrame(error);
  const thrown = { cause: error };
  if (fuel < 0) return new RuleFault("fuel", `Cannot go on${where}: the ${whose}'s ${budget} fuel is used up`, thrown);
  if (stack < 0) return new RuleFault("stack", `Cannot call any deeper${where}: the stack is used up`, thrown);
  const code = KINDS.find(([pattern]) => pattern.test(error.message))?.[1];
  if (code === undefined) throw error;
  return new RuleFault(code, `Cannot go on${where}: ${error.message}`);
}

/** " in assembly/index/check (function 12)": the guest's innermost function, its name as the module tells it. */
function firstFrame(error: Error): string {
  const match = /^\s+at (?:(.{1,200}?) \()?wasm:\/\/[^\n]*?wasm-function\[(\d+)\]/m.exec(error.stack ?? "");
  if (match === null) return "";
  const name = match[1]?.replace(/[^\x20-\x7e]/g, "?");
  return name === undefined ? ` in function ${match[2]}` : ` in ${name} (function ${match[2]})`;
}
