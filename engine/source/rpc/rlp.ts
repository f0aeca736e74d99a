/** What RLP encodes: bytes, or a list of such. */
export type Rlp = Uint8Array | readonly Rlp[];

const EMPTY = Buffer.alloc(0);

/** Hex data as bytes; what is absent is empty. @throws TypeError for anything else */
export function bytes(hex: unknown): Buffer {
  if (hex === null || hex === undefined) return EMPTY;
  if (typeof hex !== "string" || !hex.startsWith("0x")) throw new TypeError(`"${String(hex).slice(0, 20)}" is no hex`);
  return Buffer.from(hex.slice(2), "hex"); // what is no digit ends it, and then no hash fits
}

/** A number as RLP wants it: big-endian without leading zeros, 0 is empty. @param value hex or decimal text, or a number */
export function number(value: unknown): Buffer {
  const digits = BigInt(value as string).toString(16);
  if (digits === "0") return EMPTY;
  return Buffer.from(digits.length % 2 ? `0${digits}` : digits, "hex");
}

/**
 * Recursive length prefix (Yellow Paper, appendix B), in one pass over what it encodes: a block has thousands of fields, and viem's, which
 * goes by way of hex, takes ten times as long.
 *
 *     bytes  one below 0x80: itself │ up to 55: 0x80 + length │ more: 0xb7 + bytes of the length, the length │ then the bytes
 *     list   the same with 0xc0 and 0xf7, the length being that of its encoded members
 */
export function rlp(value: Rlp): Buffer {
  const target = Buffer.allocUnsafe(sizeOf(value));
  write(value, target, 0);
  return target;
}

function sizeOf(value: Rlp): number {
  const length = lengthOf(value);
  return length === 1 && isSelf(value) ? 1 : 1 + (length > 55 ? bytesOf(length) : 0) + length;
}

/** Of what stands behind the prefix. */
function lengthOf(value: Rlp): number {
  if (value instanceof Uint8Array) return value.length;
  let length = 0;
  for (const member of value) length += sizeOf(member);
  return length;
}

const isSelf = (value: Rlp): boolean => value instanceof Uint8Array && value[0]! < 0x80;
const bytesOf = (length: number): number => (length < 0x100 ? 1 : length < 0x1_0000 ? 2 : length < 0x100_0000 ? 3 : 4);

/** @returns where it ends */
function write(value: Rlp, target: Buffer, start: number): number {
  const length = lengthOf(value);
  let at = start;
  if (!(length === 1 && isSelf(value))) {
    const base = value instanceof Uint8Array ? 0x80 : 0xc0;
    if (length > 55) {
      target[at++] = base + 55 + bytesOf(length);
      at = target.writeUIntBE(length, at, bytesOf(length));
    } else target[at++] = base + length;
  }
  if (!(value instanceof Uint8Array)) {
    for (const member of value) at = write(member, target, at);
    return at;
  }
  target.set(value, at);
  return at + length;
}
