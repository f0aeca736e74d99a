/** Why a binary cannot be read any further, and where. */
export class Malformed extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads WebAssembly's primitives from [at, end). Every method throws Malformed rather than read past the end, and LEB128
 * numbers are as strict as the specification: no more bytes than their width needs, unused bits zero or sign.
 */
export class Reader {
  at: number;
  readonly end: number;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  u8(): number {
    if (this.at >= this.end) throw new Malformed("Unexpected end", this.at);
    return this.bytes[this.at++]!;
  }

  u32(): number {
    const from = this.at;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      if (shift === 28 && byte > 0x0f) throw new Malformed("Integer of more than 32 bits", from);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Malformed("Integer of more than 32 bits", from);
  }

  s32(): number {
    const from = this.at;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      // the fifth byte holds bits 28 to 31 and copies of the sign
      if (shift === 28 && byte > 0x07 && (byte < 0x78 || byte > 0x7f))
        throw new Malformed("Integer of more than 32 bits", from);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return shift < 28 ? (value << (25 - shift)) >> (25 - shift) : value;
    }
    throw new Malformed("Integer of more than 32 bits", from);
  }

  /** Skips a signed 64-bit LEB128. */
  skipS64(): void {
    const from = this.at;
    for (let n = 1; n <= 10; n++) {
      const byte = this.u8();
      if (n === 10 && byte !== 0x00 && byte !== 0x7f) throw new Malformed("Integer of more than 64 bits", from);
      if (byte < 0x80) return;
    }
    throw new Malformed("Integer of more than 64 bits", from);
  }

  /** Length of a vector whose items take at least a byte each: what cannot fit is refused before anybody loops over it. */
  count(what: string): number {
    const from = this.at;
    const count = this.u32();
    if (count > this.end - this.at) throw new Malformed(`${count} ${what} in ${this.end - this.at} bytes`, from);
    return count;
  }

  skip(length: number): void {
    if (length > this.end - this.at) throw new Malformed("Unexpected end", this.at);
    this.at += length;
  }

  name(): string {
    const length = this.count("bytes of a name");
    const from = this.at;
    this.skip(length);
    try {
      return utf8.decode(this.bytes.subarray(from, this.at));
    } catch {
      throw new Malformed("Name is not UTF-8", from);
    }
  }

  /** A reader of the next `length` bytes, which this one skips. */
  part(length: number): Reader {
    const from = this.at;
    this.skip(length);
    return new Reader(this.bytes, from, this.at);
  }
}
