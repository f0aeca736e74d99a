/** Reads the LZ4 frame format by its specification (github.com/lz4/lz4, doc/lz4_Frame_format.md), without looking at checksums: a reader for tests. */

const MAGIC = 0x184d2204;

/** @throws Error for what is no frame */
export function readLz4Frame(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw new Error("Not an LZ4 frame");
  const flags = frame[4]!;
  const hasBlockSum = (flags & 0x10) !== 0;
  const hasSize = (flags & 0x08) !== 0;
  const hasDictionary = (flags & 0x01) !== 0;
  let at = 7 + (hasSize ? 8 : 0) + (hasDictionary ? 4 : 0);
  const out: number[] = [];
  for (;;) {
    const word = view.getUint32(at, true);
    const size = word & 0x7fffffff;
    at += 4;
    if (size === 0) return Uint8Array.from(out);
    const block = frame.subarray(at, at + size);
    if (word >>> 31 === 1) for (const byte of block) out.push(byte);
    else readBlock(block, out);
    at += size + (hasBlockSum ? 4 : 0);
  }
}

/** Behind what there is: blocks may refer to what earlier ones gave. */
function readBlock(block: Uint8Array, out: number[]): void {
  let at = 0;
  const lengthOf = (nibble: number): number => {
    let length = nibble;
    if (nibble === 15) for (let byte = 255; byte === 255; length += byte) byte = block[at++]!;
    return length;
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = lengthOf(token >> 4);
    for (const end = at + literals; at < end; at++) out.push(block[at]!);
    if (at >= block.length) return; // the last sequence has literals alone
    const distance = block[at]! | (block[at + 1]! << 8);
    at += 2;
    const length = lengthOf(token & 15) + 4;
    for (let i = 0, from = out.length - distance; i < length; i++) out.push(out[from + i]!);
  }
}
