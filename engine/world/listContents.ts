/** The entries of lists by version, out of the control store: those of the version before and what was edited since, or all of them. */
import { setImmediate as breathe } from "node:timers/promises";
import { LIST_BYTES } from "../condition/listKinds.ts";
import type { Database, Transaction } from "../control/open.ts";
import type { ListVersion } from "../control/schema.ts";
import { buildList, editList, type ListTable } from "./listTable.ts";
import { readEdits, readPart, readSnapshot } from "./listTables.ts";

/** Runs a statement: of a connection of its own, or of the transaction under way. */
export type Read = <T>(work: (db: Database | Transaction) => Promise<T>) => Promise<T>;

export interface ListContents {
  get(read: Read, version: ListVersion): Promise<ListTable>;
  /** What we have made ourselves need not be read. */
  know(version: Pick<ListVersion, "list" | "version">, table: ListTable): void;
  /** Forgets all lists but these, and a few that were asked for last. */
  keep(lists: ReadonlySet<number>): void;
}

/** Lists that no rule names and somebody looks at. */
const OTHERS_KEPT = 4;

export function createListContents(): ListContents {
  /** The newest version that we have of each list. */
  const known = new Map<number, { version: number; table: ListTable }>();

  async function load(read: Read, { name, kind, list, version }: ListVersion): Promise<ListTable> {
    const gone = (): Error => new Error(`Cannot read version ${version} of the list "${name}": its entries are gone`);
    const snapshot = await read((db) => readSnapshot(db, { list, version }));
    if (!snapshot) throw gone();
    const builder = buildList(LIST_BYTES[kind], snapshot.bytes / LIST_BYTES[kind]);
    let rest = new Uint8Array(0);
    for (let part = 0; part < snapshot.parts; part++) {
      const bytes = Buffer.concat([rest, await read((db) => readPart(db, list, snapshot.version, part))]);
      const whole = bytes.length - (bytes.length % LIST_BYTES[kind]);
      builder.add(bytes.subarray(0, whole));
      rest = bytes.subarray(whole);
      await breathe();
    }
    const edits = await read((db) => readEdits(db, list, snapshot.version, version));
    if (edits.length !== version - snapshot.version) throw gone();
    return edits.length === 0 ? builder.done() : editList(builder.done(), edits);
  }

  async function follow(read: Read, { list, version }: ListVersion): Promise<ListTable | undefined> {
    const from = known.get(list);
    if (!from || from.version >= version) return from?.version === version ? from.table : undefined;
    const edits = await read((db) => readEdits(db, list, from.version, version));
    return edits.length === version - from.version ? editList(from.table, edits) : undefined;
  }

  function know({ list, version }: Pick<ListVersion, "list" | "version">, table: ListTable): void {
    const newest = known.get(list);
    known.delete(list); // to the end
    known.set(list, newest && newest.version > version ? newest : { version, table });
  }

  return {
    know,
    async get(read, version) {
      const table = (await follow(read, version)) ?? (await load(read, version));
      know(version, table);
      return table;
    },
    keep(lists) {
      const others = [...known.keys()].filter((list) => !lists.has(list));
      for (const list of others.slice(0, -OTHERS_KEPT)) known.delete(list);
    },
  };
}
