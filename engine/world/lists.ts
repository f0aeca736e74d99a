/**
 * Named lists: sets of addresses, tokens, selectors or topics that rules refer to. Their entries are in the control store, as a
 * snapshot now and then and the edits since:
 *
 *     version   1          2      3      4          5
 *               snapshot ─ edit ─ edit ─ snapshot ─ edit      one entry of a million costs its 20 bytes, not 20 MB
 *
 * An edit is one transaction, like the change of a rule, and whoever follows the control store's number has it then.
 */
import { createHash } from "node:crypto";
import { setImmediate as breathe } from "node:timers/promises";
import { didYouMean } from "../condition/didYouMean.ts";
import { entryForm, LIST_BYTES, LIST_LIMITS, type ListKind } from "../condition/listKinds.ts";
import { readAudit, writeAudit } from "../control/changes.ts";
import type { Control, Transaction } from "../control/open.ts";
import type { ListVersion } from "../control/schema.ts";
import { UserError } from "../ops/errors.ts";
import type { ListContents } from "./listContents.ts";
import { buildList, editList, type ListEdit, type ListTable } from "./listTable.ts";
import * as tables from "./listTables.ts";

export interface ListInfo {
  readonly name: string;
  readonly kind: ListKind;
  /** Who made it. */
  readonly owner: string;
  /** Counts its changes from 1. */
  readonly version: number;
  /** Names its entries. */
  readonly id: string;
  /** Entries. */
  readonly size: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface ListChange {
  readonly list: ListInfo;
  readonly isNew: boolean;
  /** Entries that made a difference. */
  readonly added: number;
  readonly removed: number;
}

/** The list is not in a state for that. */
export class ListConflict extends UserError {}

/** There is no such list. */
export class NoSuchList extends UserError {}

export interface ListStore {
  list(): ListInfo[];
  get(name: string): ListInfo | undefined;
  /** Of which version, for a world. */
  version(name: string): ListVersion | undefined;
  /** Takes over what the control store says. */
  take(rows: readonly tables.ListRow[]): void;
  /**
   * Makes a list, or replaces what is in it.
   * @param entries back to back; those that are there twice count once
   * @throws ListConflict when the list is of another kind, or lists would have too many entries; ControlUnavailable
   */
  put(name: string, kind: ListKind, entries: Uint8Array, by: string): Promise<ListChange>;
  /** @throws NoSuchList; ListConflict when the list would have too many entries; ControlUnavailable */
  edit(name: string, edit: ListEdit, by: string): Promise<ListChange>;
  /** @throws NoSuchList; ListConflict while rules that run name it; ControlUnavailable */
  remove(name: string, by: string): Promise<void>;
  /** The entries as they are now. @throws NoSuchList, ControlUnavailable */
  table(name: string): Promise<ListTable>;
  /** What was done to it, newest first, also to one of this name that is gone. */
  audit(name: string, limit: number): ReturnType<typeof readAudit>;
}

/** Makes a change on what is in the store by then; `committed` before it is taken over. */
export type Change = <T>(
  edit: (tx: Transaction, number: number) => Promise<T>,
  committed?: (result: T) => void,
) => Promise<T>;

/** A table under construction takes so many bytes before others get their turn: 1 ms. */
const SLICE_BYTES = 32 * 20 * 256;
/** Edits are kept until they have so many bytes, and a quarter of what the list has: then a snapshot is made. */
const SMALL_BYTES = 256 << 10;

/** @param contents shared with the worlds */
export function createListStore(control: Control, contents: ListContents, change: Change): ListStore {
  const known = new Map<string, tables.ListRow>();

  const need = (name: string, action: string): tables.ListRow => {
    const row = known.get(name);
    if (row) return row;
    throw new NoSuchList(
      `Cannot ${action} the list "${name}": there is no such list.${didYouMean(name, [...known.keys()])}`,
      { next: "GET /api/v1/lists has them all" },
    );
  };

  /** Writes a list's next version as an edit, now and then with a snapshot, and who made it. */
  async function writeEdited(tx: Transaction, row: tables.ListRow, made: Edited, by: string): Promise<Written> {
    const { table, edit } = made;
    const bytes = edit.added.length + edit.removed.length;
    const next = { ...row, version: row.version + 1, content: idAfter(row.content, edit), size: table.size };
    const full = row.editBytes + bytes > Math.max(SMALL_BYTES, table.entries.length / 4);
    await tables.updateList(tx, { ...next, editBytes: full ? 0 : row.editBytes + bytes });
    await tables.writeEdit(tx, next, edit);
    if (full) await tables.writeSnapshot(tx, next, table.entries);
    const width = table.bytes;
    return finish(tx, "edit", by, row, {
      row: { ...next, updatedAt: new Date() },
      table,
      added: edit.added.length / width,
      removed: edit.removed.length / width,
    });
  }

  async function finish(
    tx: Transaction,
    action: string,
    by: string,
    before: tables.ListRow | undefined,
    written: Written,
  ): Promise<Written> {
    const { row, added, removed } = written;
    const of = ({ kind, version, size }: tables.ListRow) => ({ kind, version, size });
    const after = { ...of(row), added, removed };
    await writeAudit(tx, [
      { who: by, action, subject: subjectOf(row.name), before: before ? of(before) : null, after },
    ]);
    await checkRoom(tx, row.name, row.size - (before?.size ?? 0));
    return written;
  }

  /** @param more entries that the change has added to what all lists have */
  async function checkRoom(tx: Transaction, name: string, more: number): Promise<void> {
    if (more <= 0) return;
    const rows = await tables.readLists(tx);
    const refuse = (state: string, most: number): ListConflict =>
      new ListConflict(`Cannot change the list "${name}": ${state}, expected at most ${most}`, {
        next: "Remove lists or entries that are not needed",
      });
    const own = rows.find((row) => row.name === name)!.size;
    const all = rows.reduce((sum, { size }) => sum + size, 0);
    if (own > LIST_LIMITS.entries) throw refuse(`it would have ${own} entries`, LIST_LIMITS.entries);
    if (rows.length > LIST_LIMITS.lists) throw refuse(`there would be ${rows.length} lists`, LIST_LIMITS.lists);
    if (all > LIST_LIMITS.allEntries)
      throw refuse(`all lists together would have ${all} entries`, LIST_LIMITS.allEntries);
  }

  const current = (tx: Transaction, row: tables.ListRow): Promise<ListTable> =>
    contents.get((work) => work(tx), versionOf(row));

  const committed = (written: Written | undefined): void => {
    if (written?.table) contents.know(written.row, written.table);
  };

  const resultOf = (written: Written | undefined, name: string, isNew = false): ListChange => ({
    list: infoOf(written?.row ?? need(name, "change")),
    isNew,
    added: written?.added ?? 0,
    removed: written?.removed ?? 0,
  });

  return {
    list: () => [...known.values()].map(infoOf).sort((a, b) => (a.name < b.name ? -1 : 1)),
    get: (name) => {
      const row = known.get(name);
      return row && infoOf(row);
    },
    version: (name) => {
      const row = known.get(name);
      return row && versionOf(row);
    },
    take(rows) {
      known.clear();
      for (const row of rows) known.set(row.name, row);
    },
    async put(name, kind, entries, by) {
      const table = await tableOf(kind, entries);
      let isNew = false;
      const written = await change(async (tx, number) => {
        const row = await tables.readList(tx, name);
        isNew = row === undefined;
        if (row === undefined) {
          const now = new Date();
          const made = {
            ...{ list: number, name, kind, owner: by, version: 1, content: idOf(kind, table), size: table.size },
            ...{ editBytes: 0, createdAt: now, updatedAt: now, removedAt: null },
          };
          await tables.insertList(tx, made);
          await tables.writeSnapshot(tx, made, table.entries);
          return finish(tx, "put", by, undefined, { row: made, table, added: table.size, removed: 0 });
        }
        if (row.kind !== kind)
          throw new ListConflict(
            `Cannot make the list "${name}" one of kind ${kind}: it is of kind ${row.kind}, expected entries as before`,
            { next: "Remove the list first, or take another name" },
          );
        const before = await current(tx, row);
        const edit = await difference(before, table);
        const bytes = edit.added.length + edit.removed.length;
        if (bytes === 0) return undefined;
        if (bytes <= table.entries.length / 4)
          return writeEdited(tx, row, { table: editList(before, [edit]), edit }, by);
        const next = { ...row, version: row.version + 1, content: idOf(kind, table), size: table.size, editBytes: 0 };
        await tables.updateList(tx, next);
        await tables.writeSnapshot(tx, next, table.entries);
        return finish(tx, "put", by, row, {
          row: { ...next, updatedAt: new Date() },
          table,
          added: edit.added.length / table.bytes,
          removed: edit.removed.length / table.bytes,
        });
      }, committed);
      return resultOf(written, name, isNew);
    },
    async edit(name, wanted, by) {
      const written = await change(async (tx) => {
        const row = await tables.readList(tx, name);
        if (!row) throw needless(name);
        const before = await current(tx, row);
        const edit = effective(before, wanted);
        if (edit.added.length + edit.removed.length === 0) return undefined;
        return writeEdited(tx, row, { table: editList(before, [edit]), edit }, by);
      }, committed);
      return resultOf(written, name);
    },
    async remove(name, by) {
      await change(async (tx) => {
        const row = await tables.readList(tx, name);
        if (!row) throw needless(name);
        const naming = await tables.rulesNaming(tx, name);
        if (naming.length > 0)
          throw new ListConflict(
            `Cannot remove the list "${name}": ${naming.length === 1 ? "a rule that runs names" : `${naming.length} rules that run name`} it (${naming.slice(0, 20).join(", ")}${naming.length > 20 ? ", …" : ""}), expected none`,
            { next: "Disable them, or upload versions that do not name it" },
          );
        await tables.endList(tx, row.list);
        const { kind, version, size } = row;
        await writeAudit(tx, [{ who: by, action: "remove", subject: subjectOf(name), before: { kind, version, size }, after: null }]); // biome-ignore format: one entry
      });
    },
    table: async (name) => contents.get((work) => control.read(work), versionOf(need(name, "read"))),
    audit: (name, limit) => control.read((db) => readAudit(db, subjectOf(name), limit)),
  };

  function needless(name: string): NoSuchList {
    known.delete(name);
    try {
      need(name, "change");
    } catch (error) {
      if (error instanceof NoSuchList) return error;
    }
    throw new Error(`Cannot change the list "${name}"`);
  }
}

interface Edited {
  readonly table: ListTable;
  readonly edit: ListEdit;
}

interface Written {
  readonly row: tables.ListRow;
  readonly table: ListTable;
  readonly added: number;
  readonly removed: number;
}

const subjectOf = (name: string): string => `list ${name}`;

const versionOf = ({ name, kind, list, version, content }: tables.ListRow): ListVersion => ({
  ...{ name, kind, list, version },
  id: content,
});

const infoOf = ({ name, kind, owner, version, content, size, createdAt, updatedAt }: tables.ListRow): ListInfo => ({
  ...{ name, kind, owner, version, id: content, size, createdAt, updatedAt },
});

/** Made in slices: a million entries take 0.3 s. */
async function tableOf(kind: ListKind, entries: Uint8Array): Promise<ListTable> {
  const builder = buildList(LIST_BYTES[kind], entries.length / LIST_BYTES[kind]);
  for (let at = 0; at < entries.length; at += SLICE_BYTES) {
    builder.add(entries.subarray(at, at + SLICE_BYTES));
    await breathe();
  }
  return builder.done();
}

/** Names a snapshot. */
function idOf(kind: ListKind, { entries }: ListTable): string {
  const hash = createHash("sha256").update(`${kind}\n`);
  for (let at = 0; at < entries.length; at += SLICE_BYTES) hash.update(entries.slice(at, at + SLICE_BYTES));
  return hash.digest("hex").slice(0, 32);
}

/** Names what an edit makes of a version: who has one name has the same entries. */
function idAfter(id: string, { added, removed }: ListEdit): string {
  const hash = createHash("sha256").update(`${id}\n${added.length}\n`);
  return hash.update(Buffer.from(added)).update(Buffer.from(removed)).digest("hex").slice(0, 32);
}

/** What leads from one table to another. */
async function difference(from: ListTable, to: ListTable): Promise<ListEdit> {
  return { added: await missingIn(from, to), removed: await missingIn(to, from) };
}

async function missingIn(table: ListTable, of: ListTable): Promise<Uint8Array> {
  const missing: Uint8Array[] = [];
  const words = new Uint32Array(of.entries.buffer, of.entries.byteOffset, of.entries.length / 4);
  const width = of.bytes / 4;
  for (let at = 0; at < words.length; at += width) {
    if (!table.has(words, at)) missing.push(of.entries.subarray(at * 4, (at + width) * 4));
    if (at % (SLICE_BYTES / 4) === 0) await breathe();
  }
  return Buffer.concat(missing);
}

/** Of a wish what makes a difference, each entry once; what is to be added is not removed. */
function effective(table: ListTable, { added, removed }: ListEdit): ListEdit {
  const width = table.bytes / 4;
  const once = (entries: Uint8Array): ListTable => {
    const builder = buildList(table.bytes, entries.length / table.bytes);
    builder.add(entries);
    return builder.done();
  };
  const pick = ({ entries }: ListTable, makesDifference: (words: Uint32Array, at: number) => boolean): Uint8Array => {
    const words = new Uint32Array(entries.buffer, entries.byteOffset, entries.length / 4);
    const found: Uint8Array[] = [];
    for (let at = 0; at < words.length; at += width)
      if (makesDifference(words, at)) found.push(entries.subarray(at * 4, (at + width) * 4));
    return Buffer.concat(found);
  };
  const wanted = once(added);
  return {
    added: pick(wanted, (words, at) => !table.has(words, at)),
    removed: pick(once(removed), (words, at) => table.has(words, at) && !wanted.has(words, at)),
  };
}

/** An entry as text in bytes; undefined when it is none of this kind. */
export function entryBytes(kind: ListKind, text: string): Uint8Array | undefined {
  const digits = LIST_BYTES[kind] * 2;
  if (text.length !== digits + 2 || !/^0x[0-9a-fA-F]+$/.test(text)) return undefined;
  return Uint8Array.from(Buffer.from(text.slice(2), "hex"));
}

/** @throws UserError that says what was expected */
export function needEntry(kind: ListKind, text: string): Uint8Array {
  const bytes = entryBytes(kind, text);
  if (bytes) return bytes;
  throw new UserError(`Cannot read "${text.slice(0, 80)}": expected ${entryForm(kind)}`);
}

export const isIn = (table: ListTable, entry: Uint8Array): boolean =>
  table.has(new Uint32Array(Uint8Array.from(entry).buffer), 0);
