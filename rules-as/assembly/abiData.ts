/**
 * ABI-encoded arguments, of a call or of a log: words of 32 bytes, and what they point to. A stranger wrote them, so reading
 * never traps: what is not there reads as zero, and what a word points to beyond the end is empty.
 *
 *     ┌ word 0 ┬ word 1 ┬ … ┐ ┌ what a word points to: its length in a word, then its content ┐
 *     0        32       64       offsets count from the beginning of the data
 */
import { Bytes, Bytes32, zeroBytes32 } from "./bytes";

/** Longest text in bytes: a message holds no more. */
const MAX_TEXT: u32 = 1024;

/** ABI-encoded arguments. */
@unmanaged
export class AbiData {
  constructor(
    private pointer: usize,
    /** Bytes. */
    readonly length: u32,
  ) {}

  /** The arguments in `bytes`: `AbiData.of(log.data)`, `AbiData.of(tx.input.slice(4))`. */
  static of(bytes: Bytes): AbiData {
    return new AbiData(bytes.pointer, bytes.length);
  }

  /** Word `i`; zero unless all of it is there. */
  word(i: u32): Bytes32 {
    return i < this.length >> 5 ? changetype<Bytes32>(this.pointer + (<usize>i << 5)) : zeroBytes32();
  }

  /** The `bytes` that word `i` points to. */
  bytes(i: u32): Bytes {
    const content = this.pointed(i);
    const length = content.word(0).asU64();
    if (content.length < 32 || length > <u64>(content.length - 32)) return new Bytes(this.pointer, 0);
    return new Bytes(content.pointer + 32, <u32>length);
  }

  /** The `string` that word `i` points to, its first 1,024 bytes. */
  text(i: u32): string {
    const bytes = this.bytes(i);
    return String.UTF8.decodeUnsafe(bytes.pointer, min(bytes.length, MAX_TEXT));
  }

  /** The array that word `i` points to, of elements that are a word each. */
  array(i: u32): AbiArray {
    const content = this.pointed(i);
    const length = content.word(0).asU64();
    if (content.length < 32 || length > <u64>((content.length - 32) >> 5)) return new AbiArray(this.pointer, 0);
    return new AbiArray(content.pointer + 32, <u32>length);
  }

  /** The struct that word `i` points to: one that holds bytes, text or arrays. */
  tuple(i: u32): AbiData {
    return this.pointed(i);
  }

  /** From where word `i` points to up to the end; nothing if that is beyond it. */
  private pointed(i: u32): AbiData {
    const offset = this.word(i).asU64();
    // A word that is missing reads as zero, which would be the beginning again.
    if (i >= this.length >> 5 || offset > <u64>this.length) return new AbiData(this.pointer, 0);
    return new AbiData(this.pointer + <usize>offset, this.length - <u32>offset);
  }
}

/** An array of words. */
@unmanaged
export class AbiArray {
  constructor(
    private pointer: usize,
    /** Elements; 0 if not all of them are there. */
    readonly length: u32,
  ) {}

  /** Element `i`; zero past the end. */
  @operator("[]")
  at(i: u32): Bytes32 {
    return i < this.length ? changetype<Bytes32>(this.pointer + (<usize>i << 5)) : zeroBytes32();
  }
}
