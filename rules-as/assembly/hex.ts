/** Hex digits: formatting for messages, parsing for constants. */

const PREFIX: u32 = 0x0078_0030; // "0x" in UTF-16

/** Digits, one in each half word: 6 more reach past 15 for a to f, which stand 39 behind the others. */
// @ts-ignore: decorator
@inline
function digits(nibbles: u64): u64 {
  const letters = ((nibbles + 0x0006_0006_0006_0006) >> 4) & 0x0001_0001_0001_0001;
  return nibbles + 0x0030_0030_0030_0030 + letters * 39;
}

/** The four digits of two bytes. */
// @ts-ignore: decorator
@inline
function fourDigits(pair: u64): u64 {
  return digits(((pair >> 4) & 15) | ((pair & 15) << 16) | ((pair >> 12) << 32) | (((pair >> 8) & 15) << 48));
}

/** `0x` and two lower-case digits a byte. */
export function toHex(pointer: usize, length: usize): string {
  const text = changetype<string>(__new((length << 2) + 4, idof<string>()));
  let out = changetype<usize>(text);
  store<u32>(out, PREFIX);
  out += 4;
  const end = pointer + length;
  // a round has its price, in fuel too: four bytes at once
  for (; pointer + 4 <= end; pointer += 4, out += 16) {
    const four: u64 = load<u32>(pointer);
    store<u64>(out, fourDigits(four & 0xffff));
    store<u64>(out, fourDigits(four >> 16), 8);
  }
  for (; pointer < end; pointer += 1, out += 4) {
    const byte: u64 = load<u8>(pointer);
    store<u32>(out, <u32>digits((byte >> 4) | ((byte & 15) << 16)));
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
