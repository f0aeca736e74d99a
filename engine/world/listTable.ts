/**
 * The entries of one version of a list: a hash table in one piece of shared memory, so that all threads look things up in it and
 * none has a copy. It never changes: an edit makes another one, while batches go on with this.
 *
 *     u32  0 words of an entry (1, 5 or 8) │ 1 entries │ 2 room for entries │ 3 slots, a power of 2 │ 4 seed │ 5 … 7: 0
 *     u32 × slots      number of an entry + 1; 0: free. Open addressing: a run of slots ends at a free one
 *     u32 × words × room
 *
 * A million addresses are 8.4 MB of slots and 22.5 MB of entries. What is found is compared in all its bytes. The seed differs from process to
 * process and decides nothing but where things lie: who fills a list cannot choose entries that all share a slot.
 */
import { randomInt } from "node:crypto";
import { setImmediate as breathe } from "node:timers/promises";

export interface ListTable {
  readonly buffer: SharedArrayBuffer;
  /** Of an entry. */
  readonly bytes: number;
  readonly size: number;
  /** Are these words an entry? */
  has(words: Uint32Array, at: number): boolean;
  /** Number of these words among the entries, as they lie back to back; -1: they are none. */
  find(words: Uint32Array, at: number): number;
  /** All entries, back to back, in no order: a view. */
  readonly entries: Uint8Array;
}

/** An edit of a list: entries back to back. Removed is first, then added; what is not there is not removed, what is there not added. */
export interface ListEdit {
  readonly added: Uint8Array;
  readonly removed: Uint8Array;
}

const HEADER = 8;
const [WORDS, SIZE, ROOM, SLOTS, SEED] = [0, 1, 2, 3, 4];
const OWN_SEED = randomInt(2 ** 31);

interface Parts {
  readonly header: Uint32Array;
  readonly slots: Uint32Array;
  readonly entries: Uint32Array;
}

function partsOf(buffer: SharedArrayBuffer): Parts {
  const header = new Uint32Array(buffer, 0, HEADER);
  const slots = new Uint32Array(buffer, HEADER * 4, header[SLOTS]);
  return { header, slots, entries: new Uint32Array(buffer, (HEADER + slots.length) * 4) };
}

/** The table that lies in this memory: made here, or by another thread. */
export function openListTable(buffer: SharedArrayBuffer): ListTable {
  const { header, slots, entries } = partsOf(buffer);
  const width = header[WORDS]!;
  const size = header[SIZE]!;
  const seed = header[SEED]!;
  const mask = slots.length - 1;
  function find(words: Uint32Array, at: number): number {
    next: for (let slot = hashOf(words, at, width, seed) & mask; ; slot = (slot + 1) & mask) {
      const number = slots[slot]!;
      if (number === 0) return -1;
      const own = (number - 1) * width;
      for (let w = 0; w < width; w++) if (entries[own + w] !== words[at + w]) continue next;
      return number - 1;
    }
  }
  return {
    buffer,
    bytes: width * 4,
    size,
    entries: new Uint8Array(buffer, entries.byteOffset, size * width * 4),
    find,
    has: (words, at) => find(words, at) >= 0,
  };
}

/** A table under construction. */
export interface ListBuilder {
  /** Adds entries that lie back to back; what is there already counts once. */
  add(entries: Uint8Array): void;
  remove(entries: Uint8Array): void;
  /** Nothing may be added afterwards. */
  done(): ListTable;
}

/** @param room entries that it must hold, and some more are left for edits */
export function buildList(bytes: number, room: number): ListBuilder {
  return builderOf(allocate(bytes, room));
}

/** The table with edits, one after the other: a copy (10 ms for a million entries), unless they do not fit. */
export function editList(table: ListTable, edits: readonly ListEdit[]): ListTable {
  const more = edits.reduce((sum, { added }) => sum + added.length / table.bytes, 0);
  let builder: ListBuilder;
  if (table.size + more > partsOf(table.buffer).header[ROOM]!) {
    builder = buildList(table.bytes, table.size + more);
    builder.add(table.entries);
  } else {
    const copy = new SharedArrayBuffer(table.buffer.byteLength);
    new Uint32Array(copy).set(new Uint32Array(table.buffer));
    builder = builderOf(copy);
  }
  for (const { added, removed } of edits) {
    builder.remove(removed);
    builder.add(added);
  }
  return builder.done();
}

function allocate(bytes: number, wanted: number): SharedArrayBuffer {
  const room = Math.ceil(wanted * 1.125) + 8;
  const slots = 2 ** Math.ceil(Math.log2(room * 1.5));
  const buffer = new SharedArrayBuffer((HEADER + slots) * 4 + room * bytes);
  new Uint32Array(buffer).set([bytes / 4, 0, room, slots, OWN_SEED]);
  return buffer;
}

function builderOf(buffer: SharedArrayBuffer): ListBuilder {
  const { header, slots, entries } = partsOf(buffer);
  const width = header[WORDS]!;
  const seed = header[SEED]!;
  const mask = slots.length - 1;
  let size = header[SIZE]!;

  /** The slot of an entry, or the free one where it belongs. */
  function slotOf(words: Uint32Array, at: number): number {
    next: for (let slot = hashOf(words, at, width, seed) & mask; ; slot = (slot + 1) & mask) {
      const number = slots[slot]!;
      if (number === 0) return slot;
      const own = (number - 1) * width;
      for (let w = 0; w < width; w++) if (entries[own + w] !== words[at + w]) continue next;
      return slot;
    }
  }

  /** Frees a slot and closes the gap: what stands behind it in the run moves up, unless it would stand before its own slot. */
  function free(slot: number): void {
    let gap = slot;
    for (let next = (gap + 1) & mask; slots[next] !== 0; next = (next + 1) & mask) {
      const home = hashOf(entries, (slots[next]! - 1) * width, width, seed) & mask;
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      slots[gap] = slots[next]!;
      gap = next;
    }
    slots[gap] = 0;
  }

  return {
    add(added) {
      const words = wordsOf(added);
      for (let at = 0; at < words.length; at += width) {
        const slot = slotOf(words, at);
        if (slots[slot] !== 0) continue;
        if (size === header[ROOM]) throw new RangeError(`Cannot add an entry: there is room for ${size}`);
        for (let w = 0; w < width; w++) entries[size * width + w] = words[at + w]!;
        slots[slot] = ++size;
      }
    },
    remove(removed) {
      const words = wordsOf(removed);
      for (let at = 0; at < words.length; at += width) {
        const slot = slotOf(words, at);
        const number = slots[slot]!;
        if (number === 0) continue;
        free(slot);
        // the last entry takes its place
        if (number !== size) {
          const last = (size - 1) * width;
          const lastSlot = slotOf(entries, last);
          entries.copyWithin((number - 1) * width, last, last + width);
          slots[lastSlot] = number;
        }
        size--;
      }
    },
    done() {
      header[SIZE] = size;
      return openListTable(buffer);
    },
  };
}

/** Copied where they do not lie at a multiple of 4. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}

function hashOf(words: Uint32Array, at: number, width: number, seed: number): number {
  let hash = seed;
  for (let w = 0; w < width; w++) {
    hash = Math.imul(hash ^ words[at + w]!, 0x9e37_79b1);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash, 0x85eb_ca6b);
  return hash ^ (hash >>> 13);
}

/** The first entries behind `after`, as their bytes order them: of all of them, with one look at each. */
export async function sortedEntries(
  { entries, bytes }: Pick<ListTable, "entries" | "bytes">,
  { limit, after }: { readonly limit: number; readonly after?: Uint8Array | undefined },
): Promise<Buffer[]> {
  let best: Buffer[] = [];
  let worst: Buffer | undefined;
  const all = Buffer.from(entries.buffer as ArrayBuffer, entries.byteOffset, entries.length);
  for (let at = 0; at < all.length; at += bytes) {
    if (at % (bytes * 16_384) === 0) await breathe();
    if (after && all.compare(after, 0, bytes, at, at + bytes) <= 0) continue;
    if (worst && all.compare(worst, 0, bytes, at, at + bytes) >= 0) continue;
    best.push(Buffer.from(all.subarray(at, at + bytes)));
    if (best.length < 2 * limit + 1_000) continue;
    best = best.sort(Buffer.compare).slice(0, limit);
    if (best.length === limit) worst = best.at(-1);
  }
  return best.sort(Buffer.compare).slice(0, limit);
}
