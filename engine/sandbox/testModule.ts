/** Hand-made modules for tests: a whole rule from which one part is swapped for something hostile. */
import { leb, signedLeb, Writer } from "./wasm/writer.ts";

export const I32 = 0x7f;
export const F64 = 0x7c;
export const END = 0x0b;
export const EMPTY = 0x40;

/** Where the test module keeps its things in memory. */
export const MANIFEST = 1024;
export const OUT = 8192;
export const INPUT = 131_072;

/** Instructions as bytes, those that the tests use most. */
export const op = {
  i32: (value: number) => [0x41, ...signedLeb(value)],
  local: (index: number) => [0x20, ...leb(index)],
  setLocal: (index: number) => [0x21, ...leb(index)],
  get: (global: number) => [0x23, ...leb(global)],
  set: (global: number) => [0x24, ...leb(global)],
  call: (index: number) => [0x10, ...leb(index)],
  load: (offset = 0) => [0x28, 2, ...leb(offset)],
  store: (offset = 0) => [0x36, 2, ...leb(offset)],
  loop: (...body: number[][]) => [0x03, EMPTY, ...body.flat(), END],
  block: (...body: number[][]) => [0x02, EMPTY, ...body.flat(), END],
  when: (...body: number[][]) => [0x04, EMPTY, ...body.flat(), END],
  br: (depth: number) => [0x0c, ...leb(depth)],
  add: [0x6a],
  equal: [0x46],
  drop: [0x1a],
  unreachable: [0x00],
};

/** Its globals: 0 weir_abi, 1 weir_out_length, 2 a mutable i32 of the guest's. Its functions: see FUNCTION. */
export const OUT_LENGTH = 1;
export const COUNTER = 2;
export const FUNCTION = { abort: 0, manifest: 1, reserve: 2, onTx: 3, out: 4, more: 5 } as const;
/** Its types, by number */
export const TYPE = { abort: 0, pointer: 1, reserve: 2, frame: 3, nothing: 4, imported: 5 } as const;

export const name = (text: string) => [...leb(text.length), ...Buffer.from(text)];
export const vector = (items: number[][]) => [...leb(items.length), ...items.flat()];

export interface TestModule {
  manifest?: string;
  /** code of weir_on_tx(frame) without the final end, and its locals as [count, type] pairs */
  onTx?: number[];
  locals?: [number, number][];
  reserve?: number[];
  out?: number[];
  getManifest?: number[];
  /** more functions of type () → (), numbered from FUNCTION.more */
  more?: number[][];
  /** host functions that it imports behind abort, all of so many i32, giving one: TYPE.imported; its own come as many places later */
  imports?: { readonly names: readonly string[]; readonly parameters: number };
  /** index of the start function */
  start?: number;
  /** whole section contents in place of the usual ones; null leaves a section out */
  sections?: Record<number, number[] | null>;
  /** bytes behind the last section */
  tail?: number[];
}

/** The module's bytes. Without options a valid rule that does nothing. */
export function testModule(options: TestModule = {}): Uint8Array {
  const {
    manifest = '{"name":"test"}',
    onTx = [],
    locals = [],
    reserve,
    out,
    getManifest,
    more = [],
    imports = { names: [], parameters: 0 },
    start,
    sections = {},
    tail = [],
  } = options;
  const exported = (field: string, index: number) => [...name(field), 0, index + imports.names.length];
  const body = (code: number[], groups: [number, number][] = []) => {
    const content = [...vector(groups.map(([count, type]) => [...leb(count), type])), ...code, END];
    return [...leb(content.length), ...content];
  };
  const text = [...Buffer.from(manifest, "utf16le")];
  const content: Record<number, number[] | null> = {
    1: vector([
      [0x60, 4, I32, I32, I32, I32, 0],
      [0x60, 0, 1, I32],
      [0x60, 1, I32, 1, I32],
      [0x60, 1, I32, 0],
      [0x60, 0, 0],
      ...(imports.names.length > 0
        ? [[0x60, imports.parameters, ...Array<number>(imports.parameters).fill(I32), 1, I32]]
        : []),
    ]),
    2: vector([
      [...name("env"), ...name("abort"), 0, TYPE.abort],
      ...imports.names.map((each) => [...name("env"), ...name(each), 0, TYPE.imported]),
    ]),
    3: vector([[TYPE.pointer], [TYPE.reserve], [TYPE.frame], [TYPE.pointer], ...more.map(() => [TYPE.nothing])]),
    4: vector([[0x70, 0, 1]]),
    5: vector([[0, 20]]), // 1.25 MiB: the largest input area and a page before it
    6: vector([
      [I32, 0, ...op.i32(1), END],
      [I32, 1, ...op.i32(0), END],
      [I32, 1, ...op.i32(7), END],
    ]),
    7: vector([
      [...name("memory"), 2, 0],
      [...name("weir_abi"), 3, 0],
      [...name("weir_out_length"), 3, OUT_LENGTH],
      exported("weir_manifest", FUNCTION.manifest),
      exported("weir_reserve", FUNCTION.reserve),
      exported("weir_on_tx", FUNCTION.onTx),
      exported("weir_out", FUNCTION.out),
    ]),
    8: start === undefined ? null : leb(start),
    10: vector([
      body(getManifest ?? op.i32(MANIFEST)),
      body(reserve ?? op.i32(INPUT)),
      body(onTx, locals),
      body(out ?? op.i32(OUT)),
      ...more.map((code) => body(code)),
    ]),
    11: vector([[0, ...op.i32(MANIFEST - 4), END, ...leb(text.length + 4), ...uint32(text.length), ...text]]),
    ...sections,
  };
  const writer = new Writer();
  writer.bytes([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  for (const id of [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11]) {
    const section = content[id];
    if (section === null || section === undefined) continue;
    writer.u8(id);
    writer.sized(Uint8Array.from(section));
  }
  writer.bytes(tail);
  return writer.done().slice();
}

export const uint32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)];

/** Code that appends a result record: 8 bytes of header as two i32, then one i64's worth of content, and counts 16 bytes. */
export function appendRecord(kindAndSeverity: number, length: number, low: number, high: number): number[] {
  const at = [...op.i32(OUT), ...op.get(OUT_LENGTH), ...op.add];
  return [
    [...at, ...op.i32(kindAndSeverity), ...op.store(0)],
    [...at, ...op.i32(length), ...op.store(4)],
    [...at, ...op.i32(low), ...op.store(8)],
    [...at, ...op.i32(high), ...op.store(12)],
    [...op.get(OUT_LENGTH), ...op.i32(16), ...op.add, ...op.set(OUT_LENGTH)],
  ].flat();
}

/** `count` frames of 416 bytes, number n with n in its nonce; sizes may differ (multiples of 8). */
export function testFrames(
  count: number,
  size: (n: number) => number = () => 416,
): { words: Uint32Array; offsets: Uint32Array } {
  const offsets = new Uint32Array(count);
  let total = 0;
  for (let n = 0; n < count; n++) {
    offsets[n] = total;
    total += size(n);
  }
  const words = new Uint32Array(total / 4);
  for (let n = 0; n < count; n++) {
    const at = offsets[n]! / 4;
    words[at] = 1 | (416 << 16);
    words[at + 1] = size(n);
    words[at + NONCE / 4] = n;
  }
  return { words, offsets };
}

/** offset of the nonce in a frame, see OFFSET.nonce */
export const NONCE = 64;
export const all = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i);

/** Seeded choices: mulberry32. */
export function random(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
