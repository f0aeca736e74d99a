/** The memory of admitted modules: the host makes it, and they import it, so that several instances can have one. */
import { SandboxExhausted } from "./trap.ts";

/** A memory, and views of all of it, made once: one costs 100 ns. They are empty once it grew; such a memory is not for another batch. */
export interface GuestMemory {
  readonly memory: WebAssembly.Memory;
  readonly words: Uint32Array;
  readonly bytes: Buffer;
}

/** Pages that a memory has at first and at most. */
interface MemorySize {
  readonly minimum: number;
  readonly maximum: number;
}

export const MEMORY_MODULE = "weir_memory";

/** An admitted module's memory is the host's, which finds its size in the import's name: JavaScript is not told an import's type. */
export const memoryImport = ({ minimum, maximum }: MemorySize) => ({
  module: MEMORY_MODULE,
  name: `${minimum} ${maximum}`,
});

/** What the import's name says of an admitted module's memory. */
export const memoryName = (module: WebAssembly.Module): string =>
  WebAssembly.Module.imports(module).find((each) => each.module === MEMORY_MODULE)!.name;

/** The memory that a module asks for. @throws SandboxExhausted */
export function createMemory(name: string): WebAssembly.Memory {
  const [initial, maximum] = name.split(" ").map(Number) as [number, number];
  try {
    return new WebAssembly.Memory({ initial, maximum });
  } catch (error) {
    throw new SandboxExhausted(`Cannot make a rule's memory: ${String(error)}`, { cause: error });
  }
}
