/**
 * Entries by key: a hash table over entries that lie one behind the other in the order in which they came, so that whoever goes
 * over them sees that order and not the hash's.
 *
 *     slots:    ┌──┬──┬──┬──┐  number of the entry + 1, 0: none        entries:  ┌────────────┬─────┬───────┐
 *               └──┴──┴──┴──┘                                                    │ generation │ key │ value │ …
 *
 * Keys are strangers' addresses and topics. The hash is multiply-shift over 16 bits at a time with secret factors, which no
 * choice of keys can make collide more than chance does: of two keys one in `slots.length`.
 */
import { randomFillSync } from "node:crypto";
import type { EntryLayout } from "./declaration.ts";

export interface KeyTable {
  readonly layout: EntryLayout;
  /** Whether its memory can be read by other threads. */
  readonly shared: boolean;
  readonly factors: Uint32Array;
  entries: Uint32Array;
  count: number;
  slots: Uint32Array;
}

const FIRST_CAPACITY = 64;

export function createKeyTable(layout: EntryLayout, shared: boolean): KeyTable {
  const factors = randomFillSync(new Uint32Array(16));
  return { layout, shared, factors, count: 0, ...memoryOf(layout, shared, FIRST_CAPACITY) };
}

function memoryOf({ entryWords }: EntryLayout, shared: boolean, capacity: number): Pick<KeyTable, "entries" | "slots"> {
  const words = (count: number) =>
    new Uint32Array(shared ? new SharedArrayBuffer(count * 4) : new ArrayBuffer(count * 4));
  return { entries: words(capacity * entryWords), slots: words(capacity * 2) };
}

/** The slot with the key, or the empty one where it belongs. */
function slotOf({ layout, factors, entries, slots }: KeyTable, key: Uint32Array, from: number): number {
  const { keyWords, entryWords } = layout;
  let hash = 0;
  for (let i = 0; i < keyWords; i++) {
    const word = key[from + i]!;
    hash += Math.imul(factors[2 * i]!, word & 0xffff) + Math.imul(factors[2 * i + 1]!, word >>> 16);
    hash |= 0;
  }
  const mask = slots.length - 1;
  let slot = hash >>> (Math.clz32(slots.length) + 1); // its highest bits are the good ones
  for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
    const at = (slots[slot]! - 1) * entryWords + 1;
    let i = 0;
    while (i < keyWords && entries[at + i] === key[from + i]) i++;
    if (i === keyWords) break;
  }
  return slot;
}

/** First word of the key's entry; -1: there is none. @param from where in `key` it begins */
export const findEntry = (table: KeyTable, key: Uint32Array, from = 0): number =>
  (table.slots[slotOf(table, key, from)]! - 1) * table.layout.entryWords;

/** The key's entry, a new one of zeros if need be. `entries` may be another array afterwards. */
export function putEntry(table: KeyTable, key: Uint32Array, from = 0): number {
  const { entryWords, keyWords } = table.layout;
  let slot = slotOf(table, key, from);
  if (table.slots[slot] === 0) {
    if ((table.count + 1) * entryWords > table.entries.length) {
      rebuild(table, () => true);
      slot = slotOf(table, key, from);
    }
    const at = table.count++ * entryWords;
    table.entries.fill(0, at, at + entryWords);
    for (let i = 0; i < keyWords; i++) table.entries[at + 1 + i] = key[from + i]!;
    table.slots[slot] = table.count;
    return at;
  }
  return (table.slots[slot]! - 1) * entryWords;
}

/** Takes the last entry out again. Nothing that came before it was put further on because of it. */
export function dropLast(table: KeyTable): void {
  const at = (table.count - 1) * table.layout.entryWords;
  table.slots[slotOf(table, table.entries, at + 1)] = 0;
  table.count--;
}

/**
 * Tables of this thread that nobody uses: rules run one after the other, and with memory of its own for each of 10,000 a thread would
 * hold gigabytes. Few, and none that it takes long to clear.
 */
const spare: KeyTable[] = [];
const SPARE = { tables: 16, bytes: 1 << 20 };

/** An empty table, until it is given back. */
export function borrowTable(layout: EntryLayout): KeyTable {
  const { keyWords, entryWords } = layout;
  const at = spare.findLastIndex((each) => each.layout.entryWords === entryWords && each.layout.keyWords === keyWords);
  return at < 0 ? createKeyTable(layout, false) : Object.assign(spare.splice(at, 1)[0]!, { layout });
}

export function giveBackTable(table: KeyTable): void {
  if (table.entries.byteLength > SPARE.bytes) return;
  table.slots.fill(0);
  table.count = 0;
  spare.push(table);
  if (spare.length > SPARE.tables) spare.shift();
}

/** Moves the entries that `keeps` to new memory with room for as many more. */
export function rebuild(table: KeyTable, keeps: (generation: number) => boolean): void {
  const { layout, shared, entries, count } = table;
  const { entryWords } = layout;
  const kept: number[] = [];
  for (let at = 0; at < count * entryWords; at += entryWords) if (keeps(entries[at]!)) kept.push(at);
  let capacity = FIRST_CAPACITY;
  while (capacity < kept.length * 2) capacity *= 2;
  Object.assign(table, memoryOf(layout, shared, capacity));
  table.count = 0;
  for (const from of kept) {
    const at = table.count * entryWords;
    table.entries.set(entries.subarray(from, from + entryWords), at);
    table.slots[slotOf(table, entries, from + 1)] = ++table.count;
  }
}
