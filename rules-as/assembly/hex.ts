/** Hex digits: formatting for messages, parsing for constants. */

const DIGITS = memory.data<u8>([48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102]);

/** `0x` and two lower-case digits a byte. */
export function toHex(pointer: usize, length: usize): string {
  const text = changetype<string>(__new((length << 2) + 4, idof<string>()));
  let out = changetype<usize>(text);
  store<u32>(out, 0x0078_0030); // "0x" in UTF-16
  for (const end = pointer + length; pointer < end; ++pointer) {
    out += 4;
    const byte = load<u8>(pointer);
    store<u16>(out, load<u8>(DIGITS + (byte >> 4)), 0);
    store<u16>(out, load<u8>(DIGITS + (byte & 15)), 2);
  }
  return text;
}

/** Value of a digit, -1 for any other character. */
export function digit(code: i32): i32 {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Writes exactly `length` bytes at `pointer` from `0x…`, or aborts saying what `what` should look like. */
export function parseHex(text: string, pointer: usize, length: i32, what: string): void {
  const fits = text.length == 2 + 2 * length && text.charCodeAt(0) == 48 && (text.charCodeAt(1) | 32) == 120;
  for (let i = 0; fits && i < length; ++i) {
    const high = digit(text.charCodeAt(2 + 2 * i));
    const low = digit(text.charCodeAt(3 + 2 * i));
    if ((high | low) < 0) break;
    store<u8>(pointer + i, (high << 4) | low);
    if (i == length - 1) return;
  }
  if (fits && length == 0) return;
  throw new Error(`Cannot read "${text}" as ${what}: expected 0x and ${2 * length} hexadecimal digits`);
}
