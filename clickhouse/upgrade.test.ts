/** An installation of an earlier release, with rows in every table, comes to this version without losing or changing one. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TemporaryStore, temporaryStore } from "../test/support/embeddedStore.ts";
import { migrate } from "./migrate.ts";
import { quoteName, quoteText } from "./quote.ts";

/** The last migration of that release. */
const RELEASED = 16;
const ROWS = 200;

let home: TemporaryStore;
beforeAll(async () => {
  home = await temporaryStore({}, { tables: false });
}, 120_000);
afterAll(() => home?.remove());

interface Column {
  readonly table: string;
  readonly name: string;
  readonly type: string;
}

const columnsOf = (): Promise<Column[]> =>
  home.store.rows<Column>(
    `SELECT table, name, type FROM system.columns
     WHERE database = currentDatabase() AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')
       AND default_kind NOT IN ('MATERIALIZED', 'ALIAS') AND table != 'weir_migrations'
     ORDER BY table, position`,
  );

/** Rows, and the sum of their hashes over the columns that they had. */
async function contents(columns: ReadonlyMap<string, readonly Column[]>): Promise<Record<string, string>> {
  const each: Record<string, string> = {};
  for (const [table, ofTable] of columns) {
    const names = ofTable.map(({ name }) => quoteName(name)).join(", ");
    const [row] = await home.store.rows<{ is: string }>(
      `SELECT concat(toString(count()), ' ', toString(sum(reinterpretAsUInt128(sipHash128(formatRow('RowBinary', ${names})))))) AS is FROM ${table}`,
    );
    each[table] = row!.is;
  }
  return each;
}

test(`a store of migrations 0001 to 00${RELEASED} is brought to this version and reads the same`, async () => {
  const { store } = home;
  const first = await migrate(store, { to: RELEASED });
  expect(first.applied).toHaveLength(RELEASED);
  const columns = new Map<string, Column[]>();
  for (const column of await columnsOf()) columns.set(column.table, [...(columns.get(column.table) ?? []), column]);
  expect(columns.size).toBeGreaterThan(12);
  for (const [table, ofTable] of columns) {
    const structure = ofTable.map(({ name, type }) => `${quoteName(name)} ${type}`).join(", ");
    await store.command(
      `INSERT INTO ${table} SELECT * FROM generateRandom(${quoteText(structure)}, 3, 30, 3) LIMIT ${ROWS}`,
    );
  }
  const before = await contents(columns);

  const { applied, already } = await migrate(store);
  expect(already).toBe(RELEASED);
  expect(applied.length).toBeGreaterThan(0);
  expect(await contents(columns)).toEqual(before);
  // What was added later holds what is said of a row that knows nothing of it, and can be read.
  for (const table of columns.keys()) await store.rows(`SELECT * FROM ${table} LIMIT 1`);
  expect(await migrate(store)).toEqual({ applied: [], already: RELEASED + applied.length });
}, 300_000);
