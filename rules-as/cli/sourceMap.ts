/** Source maps of WebAssembly: one line, whose columns are offsets in the module. https://tc39.es/ecma426/ */

export interface Mapping {
  /** in bytes from the module's first */
  readonly offset: number;
  readonly source: string;
  /** from 1 */
  readonly line: number;
  readonly column: number;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** All places of a map, in the order of their offsets. @param json as the compiler makes it */
export function parseSourceMap(json: string): Mapping[] {
  const { mappings, sources } = JSON.parse(json) as { mappings: string; sources: string[] };
  const all: Mapping[] = [];
  let [offset, source, line, column] = [0, 0, 0, 0];
  for (const segment of mappings.split(",")) {
    // each number is the difference to the one before; a segment of one number has no place
    const [dOffset = 0, dSource, dLine = 0, dColumn = 0] = decodeVlq(segment);
    offset += dOffset;
    if (dSource === undefined) continue;
    source += dSource;
    line += dLine;
    column += dColumn;
    all.push({ offset, source: sources[source]!, line: line + 1, column: column + 1 });
  }
  return all;
}

/** Base 64 digits of 5 bits, the lowest first; the sixth bit says that more follow, the lowest of all is the sign. */
function decodeVlq(text: string): number[] {
  const numbers: number[] = [];
  let [value, shift] = [0, 0];
  for (const char of text) {
    const digit = DIGITS.indexOf(char);
    value += (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return numbers;
}

/** Where each function's body lies in a valid module, by index without imports: first byte and the one after the last. */
export function functionBodies(wasm: Uint8Array): { readonly from: number; readonly to: number }[] {
  const CODE = 10;
  let at = 8; // behind magic and version
  const u32 = (): number => {
    let [value, shift] = [0, 0];
    for (; ; shift += 7) {
      const byte = wasm[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < wasm.length) {
    const id = wasm[at++];
    const size = u32();
    if (id !== CODE) {
      at += size;
      continue;
    }
    return Array.from({ length: u32() }, () => {
      const length = u32();
      at += length;
      return { from: at - length, to: at };
    });
  }
  return [];
}
