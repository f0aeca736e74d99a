/**
 * The values of one declaration in one partition, in shared memory: worker threads read it, and what a batch changed comes back
 * with its outcome and is put in afterwards, by whoever holds the table. So a batch can run again on any thread, as often as it must.
 *
 * It does not grow without end. A key belongs to the generation in which it was last written. Once `half` of the keys a declaration
 * may have were written in one generation, the next begins, and what was not written in this one or the one before is forgotten:
 * of all keys at least the `half` written last are known. That depends on the order of writes alone, on no clock and no batch.
 */
import { entryLayout, type StateDeclaration } from "./declaration.ts";
import { createKeyTable, findEntry, type KeyTable, putEntry, rebuild } from "./keyTable.ts";

export interface StateTable {
  readonly declaration: StateDeclaration;
  readonly keys: KeyTable;
  /** Counts from 2: an entry of zeros is of none that is known. */
  generation: number;
  /** Keys written in this generation. */
  young: number;
}

/** What a batch changed in a table. */
export interface StateChange {
  readonly generation: number;
  readonly young: number;
  /** Whole entries, in the order in which they were first written. */
  readonly entries: Uint32Array;
}

const FIRST_GENERATION = 2;

export function createStateTable(declaration: StateDeclaration): StateTable {
  return { declaration, keys: createKeyTable(entryLayout(declaration), true), generation: FIRST_GENERATION, young: 0 };
}

export const isKnown = (generation: number, current: number): boolean => generation >= current - 1;

/** First word of the key's entry; -1: it has none, or is forgotten by the generation `current`. */
export function findKnown({ keys }: StateTable, key: Uint32Array, current: number): number {
  const at = findEntry(keys, key);
  return at >= 0 && isKnown(keys.entries[at]!, current) ? at : -1;
}

/** Puts in what a batch changed. */
export function applyChange(table: StateTable, { generation, young, entries }: StateChange): void {
  const { keys } = table;
  const { entryWords } = keys.layout;
  table.generation = generation;
  table.young = young;
  for (let from = 0; from < entries.length; from += entryWords) {
    if ((keys.count + 1) * entryWords > keys.entries.length) rebuild(keys, (each) => isKnown(each, generation));
    const at = putEntry(keys, entries, from + 1);
    keys.entries.set(entries.subarray(from, from + entryWords), at);
  }
}

/** A table with these entries, which were written in this order: the last of each key, as the store has them. */
export function restoreTable(declaration: StateDeclaration, entries: Uint32Array): StateTable {
  const table = createStateTable(declaration);
  const { entryWords, half } = table.keys.layout;
  let generation = FIRST_GENERATION;
  for (let at = 0; at < entries.length; at += entryWords) generation = Math.max(generation, entries[at]!);
  let young = 0;
  for (let at = 0; at < entries.length; at += entryWords) if (entries[at] === generation) young++;
  // whoever wrote the last of them has begun the next generation
  applyChange(table, young < half ? { generation, young, entries } : { generation: generation + 1, young: 0, entries });
  return table;
}
