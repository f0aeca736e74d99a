/** Bytes of an unsigned LEB128 number, 0 … 2^32 − 1. */
export function leb(value: number): number[] {
  const bytes: number[] = [];
  do {
    const low = value % 128;
    value = Math.floor(value / 128);
    bytes.push(value > 0 ? low | 0x80 : low);
  } while (value > 0);
  return bytes;
}

/** Bytes of a signed LEB128 number, −2^31 … 2^31 − 1. */
export function signedLeb(value: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    const last = (value === 0 && low < 0x40) || (value === -1 && low >= 0x40);
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}

/** A growing byte buffer. */
export class Writer {
  private buffer: Uint8Array;
  length = 0;

  constructor(capacity = 1024) {
    this.buffer = new Uint8Array(capacity);
  }

  bytes(bytes: ArrayLike<number>): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Bytes [from, to) of another buffer; short pieces are copied by hand, a view costs more than they do. */
  range(source: Uint8Array, from: number, to: number): void {
    this.reserve(to - from);
    if (to - from > 64) this.buffer.set(source.subarray(from, to), this.length);
    else for (let i = from; i < to; i++) this.buffer[this.length + i - from] = source[i]!;
    this.length += to - from;
  }

  u8(byte: number): void {
    this.reserve(1);
    this.buffer[this.length++] = byte;
  }

  u32(value: number): void {
    this.bytes(leb(value));
  }

  name(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u32(bytes.length);
    this.bytes(bytes);
  }

  /** A section or anything else that stands behind its own length. */
  sized(content: Uint8Array): void {
    this.u32(content.length);
    this.bytes(content);
  }

  done(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  private reserve(more: number): void {
    if (this.length + more <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.length + more));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
  }
}
