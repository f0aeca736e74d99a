/** Lists of what was found of a transaction, as they lie behind its frame (layout in engine/chain/facts/schema.ts): no copy. */
import { PART_at, PART_count, PART_stride } from "./facts";

const NAME_BYTES = 32;

/** What was found of a kind: `for (let i: u32 = 0; i < tx.swaps.length; ++i) tx.swaps[i]`. */
@unmanaged
export class Entries<T> {
  /** How many there are, 1,024 at most. */
  get length(): u32 {
    return load<u32>(changetype<usize>(this), PART_count);
  }

  /** Entry `i`, from 0; aborts past the end. */
  @operator("[]")
  at(i: u32): T {
    if (i >= this.length) throw new Error(`Cannot read entry ${i}: there are ${this.length}`);
    const part = changetype<usize>(this);
    return changetype<T>(part + load<u32>(part, PART_at) + <usize>i * load<u32>(part, PART_stride));
  }
}

/** The part of a section of a transaction of which nothing was found. */
const NOTHING = memory.data(16, 8);

/** @param facts where the record begins, 0: there is none  @param part of the section */
export function entriesOf<T>(facts: usize, part: usize): Entries<T> {
  return changetype<Entries<T>>(facts == 0 ? NOTHING : facts + part);
}

/** The text at this place, without the zeros behind it. */
export function nameAt(pointer: usize): string {
  return String.UTF8.decodeUnsafe(pointer, NAME_BYTES, true);
}

/** The same text? Of what has other characters than ASCII it says no. */
export function nameIs(pointer: usize, name: string): bool {
  const length = name.length;
  if (length > NAME_BYTES) return false;
  for (let i = 0; i < length; ++i) if (<i32>load<u8>(pointer + i) != name.charCodeAt(i)) return false;
  return length == NAME_BYTES || load<u8>(pointer + length) == 0;
}
