/**
 * Values of parameters as a module finds them: the host writes them into its memory before anything of it runs, so that its top
 * level, its filter included, is computed with them. Only values that differ from the defaults; entries one after the other:
 *
 *     u16 size of the entry, a multiple of 8; 0: no more │ u16 bytes of the name │ u32 bytes of the value
 *     name in ASCII, padded to 8 │ value, padded to 8
 *
 *     integer  32 bytes, the lowest first      boolean                            1 byte, 0 or 1
 *     number   f64                             address, bytes32, selector, bytes  as they are
 *     text     UTF-16
 */
import type { Parameters, ParameterType, ParameterValue, ParameterValues } from "./parameters.ts";

/** Largest area that a module may have, in bytes. */
export const MAX_PARAMETER_AREA = 65_536;

/** @param values canonical ones of what is declared. @throws RangeError when one is too large for its entry */
export function encodeValues(declared: Parameters, values: ParameterValues): Uint8Array {
  const entries = Object.entries(values).map(([name, value]) => entryOf(name, bytesOf(declared[name]!.type!, value)));
  return Uint8Array.from(Buffer.concat(entries)); // bytes of its own: a rule is copied to threads with the buffer that they lie in
}

function entryOf(name: string, value: Buffer): Buffer {
  const nameBytes = padded(name.length);
  const entry = Buffer.alloc(8 + nameBytes + padded(value.length));
  entry.writeUInt16LE(entry.length, 0);
  entry.writeUInt16LE(name.length, 2);
  entry.writeUInt32LE(value.length, 4);
  entry.write(name, 8, "latin1");
  value.copy(entry, 8 + nameBytes);
  return entry;
}

function bytesOf(type: ParameterType, value: ParameterValue): Buffer {
  if (type === "integer") return Buffer.from(BigInt(value).toString(16).padStart(64, "0"), "hex").reverse();
  if (type === "boolean") return Buffer.of(value ? 1 : 0);
  if (type === "text") return Buffer.from(value as string, "utf16le");
  if (type !== "number") return Buffer.from((value as string).slice(2), "hex");
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value as number);
  return bytes;
}

const padded = (bytes: number): number => Math.ceil(bytes / 8) * 8;
