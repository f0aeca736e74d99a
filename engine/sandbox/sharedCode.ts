/**
 * An admitted module in two parts: its code, and the data that its memory begins with. V8 keeps a compiled module once for all
 * modules with the same bytes, so rules that differ in their constants only, as copies of one source do, share the code: it is
 * compiled once, by the optimising compiler sooner, and stays in the processor's caches from one rule's turn to the next. Memory,
 * globals and table are each instance's own as before. Measured, 10,000 rules made of three sources: see bench/README.md.
 */
import { createHash } from "node:crypto";
import { SECTION } from "./wasm/module.ts";
import { Reader } from "./wasm/reader.ts";

/** What a module's memory has before anything of it runs, beyond what is in the module. */
export interface MemoryContent {
  /** Content of the data section that `shareCode` took out; admission has checked it. */
  readonly data?: Uint8Array;
  /** Names the module that is left: rules of one code may share an instance. Not there where data was not taken out. */
  readonly code?: string;
  /** Values of parameters that are not the defaults, as `encodeValues` has them. */
  readonly parameters?: Uint8Array;
}

/** @param admitted what `admit` returned */
export function shareCode(
  admitted: Uint8Array,
): { readonly module: WebAssembly.Module } & Pick<MemoryContent, "code" | "data"> {
  const reader = new Reader(admitted, 8);
  let dataAt = -1;
  let section: Reader | undefined;
  while (!reader.done) {
    const at = reader.at;
    const id = reader.u8();
    const content = reader.part(reader.u32());
    // who counts data ahead of the code refers to segments by number
    if (id === SECTION.dataCount) return { module: compiled(admitted) };
    if (id === SECTION.data) [dataAt, section] = [at, content];
  }
  if (section === undefined) return { module: compiled(admitted) };
  const code = new Uint8Array(admitted.length - (section.end - dataAt));
  code.set(admitted.subarray(0, dataAt));
  code.set(admitted.subarray(section.end), dataAt);
  // shared memory: threads that a rule is handed to take no copy
  const data = new Uint8Array(new SharedArrayBuffer(section.end - section.at));
  data.set(admitted.subarray(section.at, section.end));
  const id = createHash("sha256").update(code).digest("hex").slice(0, 32);
  return { module: compiled(code), data, code: id };
}

const compiled = (bytes: Uint8Array): WebAssembly.Module => new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);

/** Writes the segments of a data section into a fresh memory. */
export function placeData(data: Uint8Array, memory: Uint8Array): void {
  const reader = new Reader(data);
  for (let segments = reader.u32(); segments > 0; segments--) {
    const active = reader.u32() === 0;
    if (active) reader.skip(1); // i32.const
    const start = active ? reader.s32() : 0;
    if (active) reader.skip(1); // end
    const { at, end } = reader.part(reader.u32());
    if (active) memory.set(data.subarray(at, end), start);
  }
}
