/** An installation of an earlier release, with rows in every table, comes to this version without losing or changing one. */

import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dumpControl } from "../engine/backup/controlData.ts";
import { sql } from "../engine/control/drizzle.ts";
import { migrateControl } from "../engine/control/migrate.ts";
import { type Control, openControl } from "../engine/control/open.ts";
import { type TemporaryStore, temporaryStore } from "../test/support/embeddedStore.ts";
import { migrate } from "./migrate.ts";
import { quoteName, quoteText } from "./quote.ts";

/** The last migrations of that release. */
const RELEASED = 16;
const RELEASED_CONTROL = 7;
const ROWS = 200;

let home: TemporaryStore;
beforeAll(async () => {
  home = await temporaryStore({}, { tables: false });
});
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
});

type Rows = Record<string, Record<string, unknown>[]>;

/** All rows of the control store. */
async function controlRows(control: Control): Promise<Rows> {
  const each: Rows = {};
  await dumpControl(control, [], async (file, content) => {
    const lines = gunzipSync(await buffer(Readable.from(content))).toString().split("\n").filter(Boolean);
    each[file.replace(/.*\/|\..*/g, "")] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    return { bytes: 0, sha256: "" };
  }); // biome-ignore format: one call
  return each;
}

/** Statements of an installation that has been in use: rules in every state of then, lists, labels, coverage. */
const CONTROL_ROWS = `
INSERT INTO modules SELECT repeat(to_hex(i), 64), decode('0061736d01000000', 'hex') FROM generate_series(1, 6) i;
INSERT INTO rules (name, owner, state, newest_version, live_version, shadow_version, reason, change)
  SELECT 'rule-' || i, 'owner-' || i % 2, (ARRAY['draft', 'shadow', 'live', 'disabled', 'quarantined', 'throttled'])[i], 2,
         CASE WHEN i <> 2 THEN 1 END, CASE WHEN i = 2 THEN 2 END, 'because', i FROM generate_series(1, 6) i;
INSERT INTO rule_versions (rule, version, kind, sha256, size, manifest, parameters, uploaded_by)
  SELECT 'rule-' || i, v, CASE WHEN i % 2 = 0 THEN 'json' ELSE 'wasm' END, repeat(to_hex(i), 64), 8, jsonb_build_object('name', 'rule-' || i), '{"least": "5"}', 'somebody'
  FROM generate_series(1, 6) i, generate_series(1, 2) v;
INSERT INTO rule_sets (id, rules) VALUES ('0123456789abcdef', '[{"name": "rule-3", "version": 1}]');
INSERT INTO audit_log (who, action, subject, after) SELECT 'somebody', 'upload', 'rule-' || i, '{"state": "live"}' FROM generate_series(1, 6) i;
INSERT INTO admitted_modules (sha256, admission, bytes, manifest) SELECT sha256, 'a1', bytes, '{}' FROM modules;
INSERT INTO lists (list, name, kind, owner, version, content, size, edit_bytes) VALUES (1, 'watched', 'address', 'owner-1', 2, 'abc', 2, 40);
INSERT INTO list_snapshots (list, version, part, entries) VALUES (1, 1, 0, decode(repeat('ab', 20), 'hex'));
INSERT INTO list_edits (list, version, added, removed) VALUES (1, 2, decode(repeat('cd', 20), 'hex'), '');
INSERT INTO worlds (id, content) VALUES ('fedcba9876543210', '{"chains": [1], "lists": []}');
INSERT INTO owner_quotas (owner, max_rules, fuel_per_second) VALUES ('owner-1', 10, 1000000);
INSERT INTO labels (chain_id, address, name, symbol, decimals, owner) VALUES (1, decode(repeat('ee', 20), 'hex'), 'Treasury', 'TRS', 18, 'owner-1');
INSERT INTO chain_coverage (chain_id, source, from_block, to_block, proven, last) VALUES (1, 'watch', 100, 200, true, '[]');
INSERT INTO pending_coverage (chain_id, source, node, via, since, until) VALUES (1, 'watch', 'a.example', 'pool', now(), now());
UPDATE changes SET number = 6;`;

test(`a control store of migrations 0001 to 000${RELEASED_CONTROL} is brought to this version and says the same`, async () => {
  const control = openControl({ folder: home.folder });
  try {
    expect((await migrateControl(control, { to: RELEASED_CONTROL })).applied).toHaveLength(RELEASED_CONTROL);
    await control.change((tx) => tx.execute(sql.raw(CONTROL_ROWS)));
    const before = await controlRows(control);
    expect(Object.values(before).filter((rows) => rows.length === 0)).toEqual([]); // every table of then has some

    const { applied, already } = await migrateControl(control);
    expect(already).toBe(RELEASED_CONTROL);
    expect(applied.length).toBeGreaterThan(0);
    const after = await controlRows(control);
    for (const [table, rows] of Object.entries(before)) expect(after[table], table).toMatchObject(rows);
    expect(await migrateControl(control)).toEqual({ applied: [], already: RELEASED_CONTROL + applied.length });
  } finally {
    await control.close();
  }
});
