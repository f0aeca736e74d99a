/**
 * What a module may import: some functions of the host, each only where the manifest declares what it is about. Their answers
 * depend on the transaction, what is declared and what came before it in the stream, on nothing else.
 */
import type { StateSession } from "../state/session.ts";
import type { ListTable } from "../world/listTable.ts";
import { inMemory } from "./guestMemory.ts";
import type { Manifest } from "./parseManifest.ts";
import { RuleFault } from "./trap.ts";

/** What a rule's calls reach while it is shown transactions. */
export interface Scene {
  readonly state?: StateSession | undefined;
  /** As the manifest has them, in that order. */
  readonly lists?: readonly GuestList[] | undefined;
}

/** A list as far as a guest asks it. */
export type GuestList = Pick<ListTable, "bytes" | "has">;

/** The guest that calls. */
export interface Caller {
  readonly memory: WebAssembly.Memory;
  /** Number in the batch of the transaction that is being evaluated. */
  transaction(): number;
  /** null: nothing is being evaluated, the module starts or says what it is. */
  readonly scene: Scene | null;
}

type Needs = "state" | "lists";

export interface HostFunction {
  /** As typeText has it. */
  readonly type: string;
  /** Member of the manifest that must not be empty. */
  readonly needs: Needs | null;
  /** Fuel, charged where the call stands. */
  readonly fuel: number;
  /** Bytes that are written to where the last parameter points: at most 32, marked there as a store is. */
  readonly writes: number;
  /** Made for each instance. */
  readonly bind: ((caller: Caller) => (...parameters: number[]) => number) | null;
}

/** A call takes 0.1 µs, in a list of a million 0.3. */
const LIST_FUEL = 500;
/** A call takes 0.2 to 1 µs, the sum over 64 buckets 2: fuel is about half a nanosecond. */
const GET_FUEL = 1_000;
const PUT_FUEL = 2_000;

const state = (name: "get" | "add" | "set", fuel: number): HostFunction => ({
  type: "(i32, i32, i32) → i32",
  needs: "state",
  fuel,
  writes: 32,
  bind: (caller) => {
    const key = new Uint32Array(8);
    const amount = new Uint32Array(8);
    return (declaration, keyAt, amountAt) => {
      const session = caller.scene?.state;
      if (session === undefined)
        throw new RuleFault("host_call", `Cannot call state_${name} here: expected it within weir_on_tx`);
      const declared = session.declarations[declaration];
      if (declared === undefined || (name === "set" && declared.kind !== "counter")) {
        const what = declared === undefined ? `state ${declaration}` : `the window "${declared.name}"`;
        const wanted =
          declared === undefined ? `0 to ${session.declarations.length - 1}, as the manifest has them` : "a counter";
        throw new RuleFault("host_call", `Cannot call state_${name} for ${what}: expected ${wanted}`);
      }
      session.begin(caller.transaction());
      readWords(caller.memory, keyAt >>> 0, key, declared.key === "address" ? 5 : 8, 1, `state_${name}`);
      const words = declared.value === "u256" ? 8 : 2;
      const view = readWords(caller.memory, amountAt >>> 0, amount, words, 8, `state_${name}`);
      const there = session[name](declaration, key, amount);
      for (let i = 0; i < words; i++) view.setUint32((amountAt >>> 0) + i * 4, amount[i]!, true);
      return there ? 1 : 0;
    };
  },
});

const listHas: HostFunction = {
  type: "(i32, i32) → i32",
  needs: "lists",
  fuel: LIST_FUEL,
  writes: 0,
  bind: (caller) => {
    const entry = new Uint32Array(8);
    return (number, entryAt) => {
      const lists = caller.scene?.lists;
      if (lists === undefined)
        throw new RuleFault("host_call", "Cannot call list_has here: expected it within weir_on_tx");
      const list = lists[number];
      if (list === undefined) {
        const wanted = `0 to ${lists.length - 1}, as the manifest has them`;
        throw new RuleFault("host_call", `Cannot call list_has for list ${number}: expected ${wanted}`);
      }
      readWords(caller.memory, entryAt >>> 0, entry, list.bytes / 4, 1, "list_has");
      return list.has(entry, 0) ? 1 : 0;
    };
  },
};

export const HOST_FUNCTIONS: Readonly<Record<string, HostFunction>> = {
  // AssemblyScript's own, of every instance: see instance.ts
  abort: { type: "(i32, i32, i32, i32)", needs: null, fuel: 0, writes: 0, bind: null },
  // (declaration, key, amount) → whether the key is known; what there is (then) is put where the amount is
  state_get: state("get", GET_FUEL),
  state_add: state("add", PUT_FUEL),
  state_set: state("set", PUT_FUEL),
  // (list, entry) → whether the list has the bytes that are there
  list_has: listHas,
};

/** Of `env`, but abort, what the module imports: most import nothing. */
export function bindHostFunctions(module: WebAssembly.Module, caller: Caller): Record<string, unknown> {
  const bound: Record<string, unknown> = {};
  for (const { name } of WebAssembly.Module.imports(module)) {
    const bind = HOST_FUNCTIONS[name]?.bind;
    if (bind) bound[name] = bind(caller);
  }
  return bound;
}

export const declares = (manifest: Manifest, needs: Needs): boolean => (manifest[needs]?.length ?? 0) > 0;

/** words = memory[pointer …], little-endian; checked. */
function readWords(
  memory: WebAssembly.Memory,
  pointer: number,
  words: Uint32Array,
  count: number,
  alignment: number,
  name: string,
): DataView {
  if (!inMemory(memory, pointer, count * 4, alignment)) {
    const wanted = `${count * 4} bytes${alignment > 1 ? ` at a multiple of ${alignment}` : ""} within the memory`;
    throw new RuleFault("bad_pointer", `Cannot call ${name} with what is at ${pointer}: expected ${wanted}`);
  }
  const view = new DataView(memory.buffer);
  for (let i = 0; i < count; i++) words[i] = view.getUint32(pointer + i * 4, true);
  return view;
}
