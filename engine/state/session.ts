/**
 * A rule's state while a batch runs: the tables as they were before it, and over them what it has written so far. Each transaction
 * writes as a whole or not at all: what an unfinished one wrote is undone.
 */
import { isPending } from "../frame/readFrame.ts";
import { entryLayout, type StateDeclaration } from "./declaration.ts";
import { borrowTable, dropLast, findEntry, giveBackTable, type KeyTable, putEntry, rebuild } from "./keyTable.ts";
import { findKnown, isKnown, type StateChange, type StateTable } from "./stateTable.ts";
import { addAmount, addToWindow, bucketOf, copyAmount, sumOfWindow } from "./values.ts";

/** Keys and amounts as words, from the first word of the array on; an amount is also where the answer goes. */
export interface StateSession {
  readonly declarations: readonly StateDeclaration[];
  /** A batch begins. @param tables one a declaration */
  open(tables: readonly StateTable[], shown: Shown): void;
  /** All that follows is this transaction's; what was another's is final. */
  begin(transaction: number): void;
  /** What the transaction has written is undone; nothing if it has not begun, or is not the last that has. */
  undo(transaction: number): void;
  /** Its value, or the sum of its window; zero where there is none. @returns whether there is one */
  get(declaration: number, key: Uint32Array, amount: Uint32Array): boolean;
  /** Adds, and answers with what there is then. */
  add(declaration: number, key: Uint32Array, amount: Uint32Array): boolean;
  /** Of a counter: puts the amount in the place of what there is. */
  set(declaration: number, key: Uint32Array, amount: Uint32Array): boolean;
  /** The batch ends. @returns of each table what was changed, undefined where nothing was */
  close(): (StateChange | undefined)[];
}

/** What is to be known of the transactions of a batch: the frame of each, and its event time in µs. */
export interface Shown {
  readonly words: Uint32Array;
  readonly frames: Uint32Array;
  readonly events: Float64Array;
}

/** What one declaration has of the batch. */
interface Layer {
  readonly declaration: StateDeclaration;
  readonly written: KeyTable;
  table: StateTable;
  generation: number;
  young: number;
}

/** Before a write: the entry as it was, at `from` in the journal's words; `fresh`: there was none. */
interface Undo {
  readonly layer: Layer;
  readonly at: number;
  readonly fresh: boolean;
  readonly before: Uint32Array;
  readonly generation: number;
  readonly young: number;
}

export function createStateSession(declarations: readonly StateDeclaration[]): StateSession {
  let layers: Layer[] = [];
  let shown: Shown = NOBODY;
  let current = -1;
  const journal: Undo[] = [];
  const sum = new Uint32Array(8);

  /** The entry to write to, as it was before; noted in the journal. */
  function entryFor(layer: Layer, key: Uint32Array): number {
    const { written, table } = layer;
    const { entryWords, keyWords } = written.layout;
    const fresh = findEntry(written, key) < 0;
    const at = putEntry(written, key);
    const { entries } = written;
    const before = fresh ? NOTHING : entries.slice(at, at + entryWords);
    journal.push({ layer, at, fresh, before, generation: layer.generation, young: layer.young });
    if (fresh) {
      const known = findKnown(table, key, layer.generation);
      if (known >= 0) entries.set(table.keys.entries.subarray(known, known + entryWords), at);
    } else if (!isKnown(entries[at]!, layer.generation)) entries.fill(0, at + 1 + keyWords, at + entryWords);
    return at;
  }

  /** The entry was written: it belongs to this generation, and may be the last one to. */
  function wrote(layer: Layer, at: number): void {
    const { entries, layout } = layer.written;
    if (entries[at] === layer.generation) return;
    entries[at] = layer.generation;
    layer.young++;
    if (layer.young < layout.half) return;
    layer.generation++;
    layer.young = 0;
  }

  /** Where the key's value is: its words and the first of them. */
  function wordsOf(layer: Layer, key: Uint32Array): { words: Uint32Array; at: number } | undefined {
    const { written, table, generation } = layer;
    const first = 1 + written.layout.keyWords;
    const at = findEntry(written, key);
    if (at >= 0)
      return isKnown(written.entries[at]!, generation) ? { words: written.entries, at: at + first } : undefined;
    const known = findKnown(table, key, generation);
    return known < 0 ? undefined : { words: table.keys.entries, at: known + first };
  }

  const bucket = (window: Extract<StateDeclaration, { kind: "window" }>): number =>
    bucketOf(window, shown.events[current]!);
  const ignores = ({ declaration }: Layer): boolean =>
    declaration.mined === true && isPending(shown.words, shown.frames[current]!);

  const get: StateSession["get"] = (i, key, amount) => {
    const layer = layers[i]!;
    const { declaration } = layer;
    const value = wordsOf(layer, key);
    if (value === undefined) amount.fill(0);
    else if (declaration.kind === "counter") copyAmount(declaration.value, amount, 0, value.words, value.at);
    else sumOfWindow(declaration, value.words, value.at, bucket(declaration), amount);
    return value !== undefined;
  };

  return {
    declarations,
    open(tables, transactions) {
      shown = transactions;
      current = -1;
      journal.length = 0;
      layers = tables.map((table) => {
        const { declaration, generation, young } = table;
        return { declaration, written: borrowTable(entryLayout(declaration)), table, generation, young };
      });
    },
    begin(transaction) {
      if (transaction === current) return;
      current = transaction;
      journal.length = 0;
      for (const { written, generation } of layers)
        if (written.count > MOST_WRITTEN * written.layout.half) rebuild(written, (each) => isKnown(each, generation));
    },
    undo(transaction) {
      if (transaction !== current) return;
      current = -1;
      for (let step = journal.pop(); step !== undefined; step = journal.pop()) {
        const { layer, at, fresh, before, generation, young } = step;
        layer.generation = generation;
        layer.young = young;
        if (fresh) dropLast(layer.written);
        else layer.written.entries.set(before, at);
      }
    },
    get,
    add(i, key, amount) {
      const layer = layers[i]!;
      if (ignores(layer)) return get(i, key, amount);
      const { declaration, written } = layer;
      const at = entryFor(layer, key);
      const { entries, layout } = written;
      const there = isKnown(entries[at]!, layer.generation);
      const value = at + 1 + layout.keyWords;
      if (declaration.kind === "counter") {
        addAmount(declaration.value, entries, value, amount, 0);
        copyAmount(declaration.value, amount, 0, entries, value);
      } else {
        addToWindow(declaration, entries, value, bucket(declaration), amount, 0);
        sumOfWindow(declaration, entries, value, bucket(declaration), sum);
        copyAmount(declaration.value, amount, 0, sum, 0);
      }
      wrote(layer, at);
      return there;
    },
    set(i, key, amount) {
      const layer = layers[i]!;
      if (ignores(layer)) return get(i, key, amount);
      const at = entryFor(layer, key);
      const { entries, layout } = layer.written;
      const there = isKnown(entries[at]!, layer.generation);
      copyAmount(layer.declaration.value, entries, at + 1 + layout.keyWords, amount, 0);
      wrote(layer, at);
      return there;
    },
    close() {
      current = -1;
      journal.length = 0;
      const changes = layers.map(({ written, generation, young }) =>
        written.count === 0 ? undefined : { generation, young, entries: knownEntries(written, generation) },
      );
      for (const { written } of layers) giveBackTable(written);
      layers = []; // nor is a table held that its owner lets go
      shown = NOBODY;
      return changes;
    },
  };
}

/** A batch may write to any number of keys. Once they are so many times what is known at least, those that are forgotten are dropped. */
const MOST_WRITTEN = 4;
const NOBODY: Shown = { words: new Uint32Array(0), frames: new Uint32Array(0), events: new Float64Array(0) };
const NOTHING = new Uint32Array(0);

/** What is still known at the end, copied. */
function knownEntries({ entries, count, layout }: KeyTable, generation: number): Uint32Array {
  const { entryWords } = layout;
  const known = new Uint32Array(count * entryWords);
  let to = 0;
  for (let at = 0; at < count * entryWords; at += entryWords) {
    if (!isKnown(entries[at]!, generation)) continue;
    known.set(entries.subarray(at, at + entryWords), to);
    to += entryWords;
  }
  return known.slice(0, to);
}
