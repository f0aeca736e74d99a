import { setImmediate as turn } from "node:timers/promises";
import { type Block, PART, varuintBytes } from "./native.ts";

/** Bytes that are copied before others have their say, some 1 ms of them. A second of 10,000 transactions comes in 800 blocks: at once they took 15 to 30 ms. */
const SLICE = 4 << 20;
/** What a part costs, however few bytes it has: as much as so many. */
const PART_BYTES = 2_048;
/** Shorter ones are copied together: each that is not is one more for the kernel to look at. */
const LONG = 4_096;
const COPIED_TOGETHER = 256 << 10;

/**
 * Joins Native blocks of one table into the one block that encoding all of their rows at once would have given, byte for byte.
 * The store would take them one behind the other, too, but its token of an insert covers the blocks an insert came in: only as
 * one block do the rows of a batch have the same token in company as alone.
 * Between slices the event loop goes on.
 * @param blocks of the same columns, at least one
 * @returns it in pieces, one behind the other: what is long lies in the blocks still. In a buffer of its own it was a seventh of the main thread's time at
 *   full speed, and of 64 MB more V8 makes a full collection.
 */
export async function mergeBlocks(blocks: readonly Block[]): Promise<Uint8Array[]> {
  const [first] = blocks;
  if (blocks.length === 1) return [first!.bytes];
  const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
  const merged = createPieces();
  let cost = 0;
  for (let i = 0; i < first!.parts.length; i += 2) {
    const kind = first!.parts[i]!;
    if (kind === PART.rows) {
      merged.copy(varuintBytes(rows));
    } else if (kind === PART.names) {
      merged.copy(part(first!, i));
    } else {
      let base = 0;
      for (const block of blocks) {
        const values = part(block, i);
        cost += PART_BYTES;
        if (kind === PART.values && values.length >= LONG) merged.add(values);
        else {
          const copy = merged.copy(values);
          if (kind === PART.ends) base = raise(copy, base);
          cost += copy.length;
        }
        if (cost < SLICE) continue;
        cost = 0;
        await turn();
      }
    }
  }
  return merged.all();
}

const part = ({ bytes, parts }: Block, i: number): Uint8Array =>
  bytes.subarray(parts[i + 1]!, parts[i + 3] ?? bytes.length);

/** Pieces in their order: as they are, or copied behind each other. */
function createPieces() {
  const pieces: Uint8Array[] = [];
  let chunk = new Uint8Array(0);
  /** Of the chunk, what is no piece yet. */
  let [from, to] = [0, 0];
  function close(): void {
    if (to > from) pieces.push(chunk.subarray(from, to));
    from = to;
  }
  return {
    add(bytes: Uint8Array): void {
      close();
      pieces.push(bytes);
    },
    /** @returns the copy */
    copy(bytes: Uint8Array): Uint8Array {
      if (chunk.length - to < bytes.length) {
        close();
        chunk = new Uint8Array(Math.max(COPIED_TOGETHER, bytes.length));
        from = to = 0;
      }
      chunk.set(bytes, to);
      to += bytes.length;
      return chunk.subarray(to - bytes.length, to);
    },
    all(): Uint8Array[] {
      close();
      return pieces;
    },
  };
}

/** Adds what came before to ends of arrays, u64 each. A block has fewer than 2^32 items. Returns the last end. */
function raise({ buffer, byteOffset, byteLength }: Uint8Array, base: number): number {
  const view = new DataView(buffer, byteOffset, byteLength);
  if (base > 0) for (let at = 0; at < byteLength; at += 8) view.setUint32(at, view.getUint32(at, true) + base, true);
  return byteLength > 0 ? view.getUint32(byteLength - 8, true) : base;
}
