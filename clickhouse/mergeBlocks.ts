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
 * Joins Native blocks of one table into the one block that encoding all of their rows at once would have given, byte for byte: with each column that one of
 * them has. The store would take them one behind the other, too, but its token of an insert covers the blocks an insert came in: only as
 * one block do the rows of a batch have the same token in company as alone.
 * Between slices the event loop goes on.
 * @param blocks of the same table, at least one
 * @returns it in pieces, one behind the other: what is long lies in the blocks still. In a buffer of its own it was a seventh of the main thread's time at
 *   full speed, and of 64 MB more V8 makes a full collection.
 */
export async function mergeBlocks(blocks: readonly Block[]): Promise<Uint8Array[]> {
  if (blocks.length === 1) return [blocks[0]!.bytes];
  const merged = createPieces();
  const columns = columnsOf(blocks);
  merged.copy(varuintBytes(columns.count));
  merged.copy(varuintBytes(blocks.reduce((sum, { rows }) => sum + rows, 0)));
  let cost = 0;
  for (let column = columns.next(); column; column = columns.next()) {
    const { model, starts } = column;
    const { parts } = blocks[model]!;
    const start = starts[model]!;
    merged.copy(part(blocks[model]!, start));
    for (let k = start + 2; k < parts.length && parts[k] !== PART.names; k += 2) {
      const kind = parts[k]!;
      let base = 0;
      for (const [b, block] of blocks.entries()) {
        const isThere = starts[b] !== LACKING;
        const values = isThere ? part(block, starts[b]! + k - start) : nothing(block.rows, blocks[model]!, start, k);
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

const LACKING = -1;
/** Of a block: how many columns it has, and how many rows. */
const HEAD_PARTS = 2;

/** Columns that one of the blocks has, in the table's order. Of each: where it begins in each block's parts, or LACKING, and a block that has it. */
function columnsOf(blocks: readonly Block[]) {
  const [{ parts, without = [] }] = blocks as readonly [Block];
  const all = without.length + parts.filter((kind, k) => k % 2 === 0 && kind === PART.names).length - 1;
  const starts = new Int32Array(blocks.length);
  /** Of each block: the part and the column left out that come next. */
  const nextPart = new Uint32Array(blocks.length).fill(2 * HEAD_PARTS);
  const nextLacking = new Uint32Array(blocks.length);
  let number = 0;
  return {
    count: all - without.filter((each) => blocks.every((block) => block.without?.includes(each))).length,
    next(): { readonly starts: Int32Array; readonly model: number } | undefined {
      for (let model = -1; number < all; ) {
        for (const [b, { parts, without }] of blocks.entries()) {
          starts[b] = LACKING;
          if (without?.[nextLacking[b]!] === number) {
            nextLacking[b]!++;
            continue;
          }
          starts[b] = nextPart[b]!;
          do nextPart[b]! += 2;
          while (nextPart[b]! < parts.length && parts[nextPart[b]!] !== PART.names);
          model = b;
        }
        number++;
        if (model >= 0) return { starts, model };
      }
    },
  };
}

/** What rows that have nothing in a column are in one of its parts. @param model a block that has the column, whose parts begin at `start` */
function nothing(rows: number, model: Block, start: number, at: number): Uint8Array {
  const [kind, first] = [model.parts[at], start + 2];
  if (at === first) return kind === PART.nulls ? new Uint8Array(rows).fill(1) : new Uint8Array(rows * ARRAY_END_BYTES);
  if (model.parts[first] === PART.nulls) return new Uint8Array((part(model, at).length / model.rows) * rows);
  return new Uint8Array(0); // an empty array has no items
}

const ARRAY_END_BYTES = 8;

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
