/** Writers of columns that several tables have. Native's layout: ../native.ts. */
import { type BlockWriter, raw, reserve, string, u64, varuint } from "../native.ts";

export function values(out: BlockWriter, array: Uint8Array | Uint16Array | Uint32Array): void {
  raw(out, new Uint8Array(array.buffer, array.byteOffset, array.byteLength), 0, array.byteLength);
}

export function wholes(out: BlockWriter, numbers: Float64Array, count: number): void {
  reserve(out, count * 8);
  for (let i = 0; i < count; i++) u64(out, numbers[i]);
}

/** The same byte so many times. */
export function fill(out: BlockWriter, byte: number, count: number): void {
  reserve(out, count);
  out.bytes.fill(byte, out.at, (out.at += count));
}

export function repeat(out: BlockWriter, count: number, text: string): void {
  const start = out.at;
  if (count === 0) return;
  string(out, text);
  const width = out.at - start;
  reserve(out, (count - 1) * width);
  for (let i = 1; i < count; i++, out.at += width) out.bytes.copyWithin(out.at, start, start + width);
}

export function sized(out: BlockWriter, bytes: Uint8Array, start: number, length: number): void {
  reserve(out, 10);
  varuint(out, length);
  raw(out, bytes, start, start + length);
}
