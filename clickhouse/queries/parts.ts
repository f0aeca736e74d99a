/** Which parts tables have: what there is to read. */
import { createHash } from "node:crypto";
import type { Stillness } from "../embedded/stillness.ts";
import type { ListSource } from "./readList.ts";

/** All tables that a statement of this folder's names: `FROM alerts AS t`, `FROM replaced_blocks FINAL`. */
export const tablesOf = (sql: string): string[] => [
  ...new Set([...sql.matchAll(/\b(?:FROM|JOIN)\s+([a-z]\w*)/g)].map(([, table]) => table!)),
];

/** As `system.parts` has it. A part's name is of the blocks in it, and of the last mutation; after a crash another may get the same. */
interface PartRow {
  readonly table: string;
  readonly name: string;
  readonly rows: number;
  readonly engine: string;
  readonly modification_time: string;
  readonly path: string;
  readonly uptime: number;
  /** 1: some of its rows are left out (DELETE FROM). */
  readonly masked: number;
}

/** Parts of one table, as a moment had them. */
interface TableParts {
  readonly table: string;
  readonly engine: string;
  /** Where they lie: a table that takes the place of another one, by the same name, has another. */
  readonly folder: string;
  /** What they come to. */
  readonly hash: string;
  readonly parts: readonly (readonly [name: string, rows: number, isMasked: boolean])[];
}

/** What a statement over some tables would have read at one moment. */
export interface PartsSeen {
  /** Another one once anything was written to any of the tables. */
  readonly hash: string;
  /** Those that have parts. */
  readonly tables: readonly TableParts[];
  /** Seconds that the store has run. */
  readonly uptime: number;
}

/** Hashed and put together here: to do that took the store a fifth of the question. */
const PARTS = `SELECT table, name, rows, engine, modification_time, path, uptime() AS uptime, has_lightweight_delete AS masked
FROM system.parts WHERE database = currentDatabase() AND active AND table IN {tables:Array(String)}`;

/** Which parts these tables have; undefined: none of them has any, and nobody knows when that changes. */
type PartsReader = (tables: readonly string[]) => Promise<PartsSeen | undefined>;

interface Known {
  readonly parts: PartsSeen;
  /** The store's name for what it had when it was asked. */
  readonly name: string;
  readonly askedAt: number;
}

/** What changes without a statement that runs is seen after that: what somebody has put off (async_insert, mutations_sync = 0), a TTL, a mutation whose store was killed. */
const MAX_AGE_MS = 1_000;

export interface PartsReaders {
  /** Asks nobody as long as nobody writes: what the parts had is there still, maybe merged, and with FINAL it reads the same. */
  readonly read: PartsReader;
  /** Nor while somebody does who has not been told yet that it is stored: without that the parts may be as they were before. */
  readonly readStored: PartsReader;
  /** Asks at once. */
  readonly readNow: PartsReader;
}

/**
 * They ask after they are called, `read` and `readStored` once for all who came before that, behind who came before them.
 * @param now ms
 */
export function createPartsReaders(
  store: ListSource,
  settings: Readonly<Record<string, string | number>>,
  now: () => number,
): PartsReaders {
  const known = new Map<string, Known>();

  async function readNow(names: readonly string[]): Promise<PartsSeen | undefined> {
    const [stillness, askedAt] = [store.stillness?.(names), now()];
    const rows = await store.rows<PartRow>(PARTS, { tables: names }, { ...settings, output_format_json_quote_64bit_integers: 0 }); // biome-ignore format: one line
    const tables = names.map((name) => partsOf(rows.filter(({ table }) => table === name))).filter((each) => each !== undefined); // biome-ignore format: one line
    if (!rows[0] && !stillness) return undefined;
    const parts = { hash: hashOf(tables), tables, uptime: rows[0]?.uptime ?? 0 };
    if (stillness) known.set(names.join(), { parts, name: stillness.name, askedAt });
    return parts;
  }

  /** Answered before, and still so. */
  function recall(tables: readonly string[], isEnough: (now: Stillness) => boolean): PartsSeen | undefined {
    const last = known.get(tables.join());
    if (!last || now() - last.askedAt >= MAX_AGE_MS) return undefined;
    const stillness = store.stillness?.(tables);
    return stillness?.name === last.name && isEnough(stillness) ? last.parts : undefined;
  }

  function together(isEnough: (now: Stillness) => boolean): PartsReader {
    const next = new Map<string, Promise<PartsSeen | undefined>>();
    const running = new Map<string, Promise<unknown>>();
    return async (tables) => {
      const name = tables.join();
      const parts = recall(tables, isEnough);
      if (parts) return parts;
      const waiting = next.get(name);
      if (waiting) return waiting;
      const asked = (running.get(name) ?? Promise.resolve()).then(() => {
        next.delete(name);
        const parts = recall(tables, isEnough);
        if (parts) return parts;
        const reading = readNow(tables);
        running.set(
          name,
          reading.catch(() => {}),
        ); // its callers are told
        return reading;
      });
      next.set(name, asked);
      return asked;
    };
  }

  return { read: together(({ isStill }) => isStill), readStored: together(() => true), readNow };
}

/** Of one table. */
function partsOf(rows: readonly PartRow[]): TableParts | undefined {
  const [first] = rows;
  if (!first) return undefined;
  const { table, engine, name, path } = first;
  const all = rows.map((row) => `${row.name} ${row.rows} ${row.modification_time}`).sort();
  return {
    ...{ table, engine },
    folder: path.slice(0, path.lastIndexOf(name)),
    hash: createHash("sha1").update(all.join()).digest("base64"),
    parts: rows.map((row) => [row.name, row.rows, row.masked === 1]),
  };
}

/**
 * Parts that have been added to a table, by their names, if they are all that has changed in what a statement reads: what it read before is there still,
 * row by row, in the same parts or merged into others. The store numbers what is inserted, upwards, and a part's name has the first and the last
 * number of its rows:
 *
 *     before   all_1_4_1  all_5_5_0  all_6_6_0
 *     now      all_1_4_1  all_5_6_1                all_7_7_0     all_7_7_0 was added: as many rows as before are numbered 1 to 6
 *              all_1_4_1  all_5_7_1                              not known: added and merged
 *              all_1_4_1_7  all_5_5_0_7  all_6_6_0_7             not known: mutation 7 has changed rows
 *
 * @returns undefined: something else has changed, or it cannot be told
 */
export function addedParts(before: PartsSeen, now: PartsSeen, table: string): AddedParts | undefined {
  const [was, is] = [before, now].map(({ tables }) => tables.find((each) => each.table === table));
  // where rows are replaced or summed, merges change them; a store that was started anew may give a number twice
  if (!was || !is || was.engine !== "MergeTree" || was.folder !== is.folder || now.uptime < before.uptime)
    return undefined;
  if (othersOf(before, table) !== othersOf(now, table)) return undefined;
  const old = placesOf(was);
  const all = placesOf(is);
  if (!old || !all) return undefined;
  const last = Math.max(...old.map((part) => part.last));
  const added = all.filter(({ first }) => first > last);
  const kept = all.filter(({ first }) => first <= last);
  const isMixed = kept.some((part) => part.last > last);
  const isMutated = Math.max(...kept.map(({ mutation }) => mutation)) > Math.min(...old.map(({ version }) => version));
  if (isMixed || isMutated || rowsOf(kept) !== rowsOf(old)) return undefined;
  return {
    names: added.map(({ name }) => name),
    rows: rowsOf(added),
    areWhole: !added.some(({ isMasked }) => isMasked),
  };
}

export interface AddedParts {
  readonly names: readonly string[];
  readonly rows: number;
  /** All of their rows count. */
  readonly areWhole: boolean;
}

/** Whether these parts of a table are still there, and the other tables as they were. */
export function hasStill(before: PartsSeen, now: PartsSeen, table: string, names: readonly string[]): boolean {
  const there = new Set(now.tables.find((each) => each.table === table)?.parts.map(([name]) => name));
  return names.every((name) => there.has(name)) && othersOf(before, table) === othersOf(now, table);
}

const hashOf = (tables: readonly TableParts[]): string =>
  tables.map(({ table, folder, hash }) => `${table} ${folder} ${hash}`).join(" ");

const othersOf = ({ tables }: PartsSeen, table: string): string =>
  hashOf(tables.filter((each) => each.table !== table));

/** Of a table without partitions: `all_FIRST_LAST_LEVEL`, and `_MUTATION` once there was one. */
const NAME = /^all_(\d+)_(\d+)_\d+(?:_(\d+))?$/;

interface Place {
  readonly name: string;
  readonly rows: number;
  readonly isMasked: boolean;
  readonly first: number;
  readonly last: number;
  /** The last that made it; 0: none. */
  readonly mutation: number;
  /** Mutations with a higher number than that are not in it yet. */
  readonly version: number;
}

/** undefined: not all have such names */
function placesOf({ parts }: TableParts): Place[] | undefined {
  const places = parts.flatMap(([name, rows, isMasked]) => {
    const numbers = NAME.exec(name)
      ?.slice(1)
      .map((digits) => Number(digits ?? 0));
    if (!numbers) return [];
    const [first, last, mutation] = numbers as [number, number, number];
    return [{ name, rows, isMasked, first, last, mutation, version: mutation || first }];
  });
  return places.length === parts.length ? places : undefined;
}

const rowsOf = (parts: readonly Place[]): number => parts.reduce((sum, { rows }) => sum + rows, 0);
