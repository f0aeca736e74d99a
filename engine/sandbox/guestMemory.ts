/** The one place where a guest's pointers and lengths are believed: after they were checked. */

/** True if [pointer, pointer + length) lies in the memory and pointer is a multiple of `alignment`. */
export function inMemory(memory: WebAssembly.Memory, pointer: number, length: number, alignment: number): boolean {
  const size = memory.buffer.byteLength;
  return pointer >= 0 && length >= 0 && pointer % alignment === 0 && pointer <= size && length <= size - pointer;
}

/**
 * An AssemblyScript string: UTF-16 code units at `pointer`, its length in bytes as u32 just before.
 *
 * @param most longest that is accepted, in code units
 * @returns null if pointer or length are not to be believed
 */
export function readString(memory: WebAssembly.Memory, pointer: number, most: number): string | null {
  if (!inMemory(memory, pointer, 0, 2) || pointer < 4) return null;
  const bytes = new DataView(memory.buffer).getUint32(pointer - 4, true);
  if (bytes > most * 2 || bytes % 2 !== 0 || !inMemory(memory, pointer, bytes, 2)) return null;
  let text = "";
  const units = new Uint16Array(memory.buffer, pointer, bytes / 2);
  // in pieces: each code unit is an argument on the stack
  for (let i = 0; i < units.length; i += 4096) text += String.fromCharCode(...units.subarray(i, i + 4096));
  return text;
}
