/** Takes ClickHouse's Native format (clickhouse/native.ts) as it comes into a memory, where the bytes of a block stay one behind the other. */
import type { Memory } from "./kernel.ts";

/** Reads some bytes into the room, and says how many; 0 at the end. */
export type Read = (room: Buffer) => number;

export interface NativeInput {
  /** Behind the bytes that have come. */
  readonly end: number;
  /** Address of the next byte that is to be taken. */
  at: number;
  /** Whether there is another block. What was taken of the last one is forgotten. */
  begin(): boolean;
  /** Waits until `size` bytes more than were taken are there. @throws Error when it ends before */
  need(size: number): void;
  /** @returns where `size` bytes begin, which are there */
  skip(size: number): number;
  varuint(): number;
  text(): string;
}

/** Bytes that may be read and written behind what is there (assembly/rows.ts). */
export const SPARE = 64;

/** @param start of the memory that it uses, up to `end` */
export function createInput(memory: Memory, start: number, read: Read): NativeInput {
  let at = start;
  let end = start;

  function more(): boolean {
    const { bytes } = memory;
    const count = read(bytes.subarray(end, bytes.length - SPARE));
    end += count;
    return count > 0;
  }

  function need(size: number): void {
    memory.reserve(at + size + SPARE);
    while (end - at < size) if (!more()) throw new Error("Cannot read a block: it ends too early");
  }

  function skip(size: number): number {
    need(size);
    at += size;
    return at - size;
  }

  function varuint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = memory.bytes[skip(1)]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  return {
    get end() {
      return end;
    },
    get at() {
      return at;
    },
    set at(address) {
      at = address;
    },
    begin() {
      memory.reserve(start + 1 + SPARE);
      memory.bytes.copyWithin(start, at, end);
      [at, end] = [start, start + end - at];
      return end > start || more();
    },
    need,
    skip,
    varuint,
    text() {
      const size = varuint();
      const from = skip(size);
      return memory.bytes.toString("utf8", from, from + size);
    },
  };
}
