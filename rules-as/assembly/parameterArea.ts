/**
 * Values that whoever runs the rule has given to its parameters. The host writes them here before anything of the rule runs, so
 * that its top level, its filter included, is computed with them; what is not here has its default. Entries, by any order of names:
 *
 *     u16 size of the entry, a multiple of 8; 0: no more │ u16 bytes of the name │ u32 bytes of the value
 *     name in ASCII, padded to 8 │ value, padded to 8
 *
 * The generated entry exports place and size if the rule mentions `param`; engine/sandbox/parameterArea.ts is the other end.
 */

/** Room for 64 amounts; a text takes two bytes a character. */
const BYTES: i32 = 4096;
const area: usize = memory.data(4096, 8);

export const weir_parameters: usize = area;
export const weir_parameters_bytes: i32 = BYTES;

/** Address of the value that was given to this parameter, 0 if none was. */
export function givenValue(name: string): usize {
  const end = area + BYTES;
  for (let at = area; at + 8 <= end && load<u16>(at) != 0; at += load<u16>(at)) {
    if (<i32>load<u16>(at, 2) == name.length && isName(at + 8, name)) return at + 8 + ((name.length + 7) & ~7);
  }
  return 0;
}

/** Bytes of the value that `givenValue` has found for this name. */
export function givenLength(name: string, value: usize): i32 {
  return load<u32>(value - ((name.length + 7) & ~7) - 4);
}

function isName(ascii: usize, name: string): bool {
  for (let i = 0; i < name.length; ++i) {
    if (<i32>load<u8>(ascii + i) != name.charCodeAt(i)) return false;
  }
  return true;
}
