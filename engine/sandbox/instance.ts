/**
 * One admitted module at work. What it may remember ends with the batch: before each one its memory is put back to what it
 * was after initialisation, or, if it grew, the instance is replaced. Its globals are put back before each transaction.
 */
import { inMemory, readString } from "./guestMemory.ts";
import { bindHostFunctions, type Caller, type Scene } from "./hostFunctions.ts";
import { createMemory, type GuestMemory, MEMORY_MODULE, memoryName } from "./importedMemory.ts";
import { MODULE_LIMITS, RUN_LIMITS, type RunLimits } from "./limits.ts";
import { MAX_MANIFEST_LENGTH } from "./manifest.ts";
import { type MemoryContent, placeData } from "./sharedCode.ts";
import { Abort, classify, RuleFault, SandboxExhausted } from "./trap.ts";

interface GuestExports {
  readonly memory: WebAssembly.Memory;
  weir_manifest(): number;
  weir_reserve(bytes: number): number;
  weir_out(): number;
  readonly weir_parameters?: WebAssembly.Global;
  readonly weir_parameters_bytes?: WebAssembly.Global;
  readonly weir_out_length: WebAssembly.Global;
  readonly weir_host_fuel: WebAssembly.Global;
  readonly weir_host_stack: WebAssembly.Global;
  readonly weir_host_progress: WebAssembly.Global;
  readonly weir_host_budget: WebAssembly.Global;
  readonly weir_host_left: WebAssembly.Global;
  readonly weir_host_starved: WebAssembly.Global;
  weir_host_grow(pages: number, meter: bigint): [size: number, meter: bigint];
  weir_host_snapshot(): void;
  weir_host_keep(at: number): number;
  weir_host_set(at: number): void;
  weir_host_run(table: number, count: number, left: number): number;
  weir_host_start?(): void;
}

/** What is known of a rule once it has started. */
export interface Started {
  /** where the table and frames go, and how many bytes */
  readonly input: number;
  readonly capacity: number;
  /** where results are written */
  readonly out: number;
  /** The guest's globals that can change, but weir_out_length, after initialisation: two words each. */
  readonly globals: Uint32Array;
  /** Fuel that its initialisation took: the same for every instance of the module, its content and capacity. */
  readonly initFuel: number;
  /** Pages that its memory has, and may have: what another instance's must have and may have, too. */
  readonly pages: string;
}

export interface RuleInstance extends Started, GuestMemory {
  /** Makes globals what stands at the beginning of the input area; what they are put back to before each transaction, too. */
  setGlobals(): void;
  /**
   * Calls the guest for each of the table's frames, until they have used `left` fuel together (a batch's budget, unless it is given): the one under way then may
   * finish. Afterwards the table holds where each one's results end, and the first frame is written over.
   */
  run(count: number, left?: number, scene?: GuestScene): RunEnd;
  /**
   * Blocks that the guest wrote to when it last ran, see BLOCK_SHIFT; none at first. Not known of an instance that trapped or grew.
   */
  readonly marks: number;
}

/** What the guest's calls reach, and which transaction of the batch is under way when so many of the call's are done. */
export interface GuestScene extends Scene {
  transactionAt(progress: number): number;
}

export interface RunEnd {
  /** transactions that finished */
  readonly finished: number;
  /** why the next one did not; null if all finished, or no fuel was left for it to begin */
  readonly fault: RuleFault | null;
  /** fuel of those that finished */
  readonly used: number;
  /** fuel of the one that did not finish: its whole budget if that was for an access out of bounds, since then nobody knows */
  readonly lost: number;
}

const NOTHING: GuestScene = { transactionAt: (progress) => progress };
const ABORT_MESSAGE = 1_024;
const ABORT_FILE = 256;
/** Memory beyond what weir_reserve asked for, so that a small arena of the guest's need not grow it in every batch. */
const ARENA_PAGES = 1;

interface Guest {
  readonly exports: GuestExports;
  /** Calls into the guest with a budget of its own. */
  call<T>(budget: number, action: () => T): T;
  /** Fuel that calls have used. */
  readonly used: number;
  /** It calls functions of the host's, which want to know what they are about. */
  readonly asks: boolean;
  /** What its calls reach from now on. */
  enter(next: GuestScene | null): void;
  fault(error: unknown, whose: "transaction" | "call", budget: number): RuleFault;
}

function createGuest(module: WebAssembly.Module, given?: WebAssembly.Memory): Guest {
  const name = memoryName(module);
  const memory = given ?? createMemory(name);
  let scene: GuestScene | null = null;
  const abort = (message: number, file: number, line: number, column: number): never => {
    const text = (message !== 0 && readString(memory, message, ABORT_MESSAGE)) || "no message";
    const name = (file !== 0 && readString(memory, file, ABORT_FILE)) || "?";
    throw new Abort(`${text} at ${name}:${line >>> 0}:${column >>> 0}`);
  };
  const caller: Caller = {
    memory,
    transaction: () => scene!.transactionAt(exports.weir_host_progress.value),
    get scene() {
      return scene;
    },
  };
  const bound = bindHostFunctions(module, caller);
  let instance: WebAssembly.Instance;
  try {
    instance = new WebAssembly.Instance(module, { env: { abort, ...bound }, [MEMORY_MODULE]: { [name]: memory } });
  } catch (error) {
    // the module was admitted: only the engine can be in want, of memories or address space
    throw new SandboxExhausted(`Cannot make an instance of a rule: ${String(error)}`, { cause: error });
  }
  const exports = instance.exports as unknown as GuestExports;
  const fault: Guest["fault"] = (error, whose, budget) =>
    classify(error, {
      fuel: exports.weir_host_fuel.value,
      stack: exports.weir_host_stack.value,
      starved: exports.weir_host_starved.value !== 0,
      budget,
      whose,
    });
  let used = 0;
  const call: Guest["call"] = (budget, action) => {
    exports.weir_host_fuel.value = budget;
    try {
      const answer = action();
      used += budget - exports.weir_host_fuel.value;
      return answer;
    } catch (error) {
      throw fault(error, "call", budget);
    }
  };
  return {
    exports,
    call,
    fault,
    get used() {
      return used;
    },
    asks: Object.keys(bound).length > 0,
    enter: (next) => void (scene = next),
  };
}

/** The guest as its module says that it begins. */
function start({ exports, call }: Guest, limits: RunLimits, { data, parameters }: MemoryContent): void {
  if (data) placeData(data, new Uint8Array(exports.memory.buffer));
  if (parameters) giveParameters(exports, parameters);
  if (exports.weir_host_start !== undefined) call(limits.initFuel, () => exports.weir_host_start!());
}

/** Before anything of the guest runs; admission has checked the area's place. */
function giveParameters({ memory, weir_parameters, weir_parameters_bytes }: GuestExports, values: Uint8Array): void {
  const room = weir_parameters_bytes?.value ?? 0;
  if (weir_parameters === undefined || values.length > room)
    throw new RuleFault("bad_pointer", `Cannot give the module its parameters: ${values.length} bytes, it has room for ${room}`); // biome-ignore format: one statement
  new Uint8Array(memory.buffer).set(values, weir_parameters.value);
}

/**
 * Makes an instance whose input area holds `capacity` bytes.
 *
 * @param content what its memory begins with, beyond what is in the module
 * @throws RuleFault if the start function, weir_reserve or weir_out trap or return what cannot be believed
 * @throws SandboxExhausted if the process is out of memories or stack
 */
export function instantiate(
  module: WebAssembly.Module,
  capacity: number,
  limits: RunLimits = RUN_LIMITS,
  content: MemoryContent = {},
): RuleInstance {
  const guest = createGuest(module);
  start(guest, limits, content);
  const { exports, call } = guest;
  const { memory } = exports;
  const input = call(limits.initFuel, () => exports.weir_reserve(capacity)) >>> 0;
  if (!inMemory(memory, input, capacity, 16)) {
    const message = `Cannot use the input area at ${input}: ${capacity} bytes at a multiple of 16 within the memory were expected`;
    throw new RuleFault("bad_pointer", message);
  }
  const out = call(limits.initFuel, () => exports.weir_out()) >>> 0;
  if (!inMemory(memory, out, 0, 8)) {
    throw new RuleFault("bad_pointer", `Cannot read results at ${out}: expected a multiple of 8 within the memory`);
  }
  call(limits.initFuel, () => {
    const [, meter] = exports.weir_host_grow(ARENA_PAGES, BigInt(limits.initFuel)); // -1 at the cap: then there is no more to have
    exports.weir_host_fuel.value = Number(BigInt.asIntN(32, meter));
  });
  exports.weir_host_snapshot();
  const words = new Uint32Array(memory.buffer);
  const place = input >> 2;
  const before = words.slice(place, place + 2 * MODULE_LIMITS.globals);
  const globals = words.slice(place, place + (exports.weir_host_keep(input) >> 2));
  words.set(before, place);
  const [, maximum] = memoryName(module).split(" ");
  const pages = `${memory.buffer.byteLength / 65_536} ${maximum}`;
  const started = { input, capacity, out, globals, initFuel: guest.used, pages };
  return instanceOf(guest, limits, started, { memory, words, bytes: Buffer.from(memory.buffer) });
}

/** Another instance of a rule that has started before, in a memory of that size. Memory and globals have to be made that rule's. */
export function instantiateIn(
  place: GuestMemory,
  module: WebAssembly.Module,
  limits: RunLimits,
  started: Started,
): RuleInstance {
  return instanceOf(createGuest(module, place.memory), limits, started, place);
}

function instanceOf(guest: Guest, limits: RunLimits, started: Started, place: GuestMemory): RuleInstance {
  const { exports, asks, fault } = guest;
  const { memory, words, bytes } = place;
  const { input, capacity, out, globals, initFuel, pages } = started;
  exports.weir_host_budget.value = limits.fuel;
  // each instance's exports are of a shape of their own: looking one up in a call would cost it 200 ns
  const { weir_host_run, weir_host_progress, weir_host_set } = exports;
  const made = {
    memory,
    input,
    capacity,
    out,
    words,
    bytes,
    marks: 0,
    initFuel,
    pages,
    globals,
    setGlobals: () => weir_host_set(input),
    run(count: number, left = limits.batchFuel, scene = NOTHING): RunEnd {
      if (asks) guest.enter(scene);
      try {
        const rest = weir_host_run(input, count, left);
        const finished = rest > 0 ? count : weir_host_progress.value;
        if (words.length > 0) made.marks = words[(input >> 2) + count + (count & 1)]!;
        return { finished, fault: null, used: left - rest, lost: 0 };
      } catch (error) {
        const finished = weir_host_progress.value;
        const used = left - exports.weir_host_left.value;
        const why = fault(error, "transaction", limits.fuel);
        const known = why.code === "out_of_bounds" ? 0 : Math.max(0, exports.weir_host_fuel.value);
        return { finished, fault: why, used, lost: limits.fuel - known };
      } finally {
        if (asks) guest.enter(null);
      }
    },
  };
  return made;
}

export type ManifestReading =
  | { readonly ok: true; readonly json: string }
  | { readonly ok: false; readonly fault: RuleFault };

/** Starts a module, with limits, and asks for its manifest's text: with parameters, what it is with them. The instance is not used again. */
export function readManifest(
  module: WebAssembly.Module,
  limits: RunLimits = RUN_LIMITS,
  content: MemoryContent = {},
): ManifestReading {
  try {
    const guest = createGuest(module);
    start(guest, limits, content);
    const { exports, call } = guest;
    const pointer = call(limits.initFuel, () => exports.weir_manifest()) >>> 0;
    const json = readString(exports.memory, pointer, MAX_MANIFEST_LENGTH);
    if (json === null)
      throw new RuleFault(
        "bad_pointer",
        `Cannot read the manifest at ${pointer}: expected a string of at most ${MAX_MANIFEST_LENGTH} characters`,
      );
    return { ok: true, json };
  } catch (error) {
    if (error instanceof RuleFault) return { ok: false, fault: error };
    throw error;
  }
}
