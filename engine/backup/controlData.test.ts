/** Rows of every kind go out of the control store and come back as they were, in both kinds of control store. */
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONTROL_KINDS, type ControlStore, emptyControl } from "../../test/support/controlStores.ts";
import { sql } from "../control/drizzle.ts";
import { migrateControl } from "../control/migrate.ts";
import type { Control } from "../control/open.ts";
import { countControlRows, dumpControl, loadControl } from "./controlData.ts";

/** Separators that `node:readline` takes for ends of lines, quotes, what JSON escapes. */
const TEXT = 'a\u2028b\u2029c "d" \\ \n\t é 漢 \u0001';

describe.each(CONTROL_KINDS)("$kind", ({ skip, start }) => {
  let place: ControlStore;
  let control: Control;
  beforeAll(async () => {
    if (skip !== undefined) return;
    place = await start();
    control = await emptyControl(place.options);
    await migrateControl(control);
  });
  afterAll(async () => {
    await control?.close();
    await place?.remove();
  });

  const files = new Map<string, Buffer>();
  const dump = () =>
    dumpControl(control, [], async (name, content) => {
      files.set(name, await buffer(Readable.from(content)));
      return { bytes: 0, sha256: "" };
    });
  const load = (facts: Awaited<ReturnType<typeof dump>>) =>
    loadControl(control, facts, async (name) => Readable.from([files.get(name)!]));

  test.skipIf(skip !== undefined)("rows come back as they were, sequences go on, leases are free", async () => {
    expect(await countControlRows(control)).toBe(0);
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256));
    await control.change(async (tx) => {
      await tx.execute(sql`INSERT INTO modules (sha256, bytes) VALUES (${"ab".repeat(32)}, ${bytes})`);
      await tx.execute(sql`INSERT INTO rules (name, owner, state, newest_version, change) VALUES ('r', ${TEXT}, 'draft', 1, 9007199254740993)`); // biome-ignore format: one line
      await tx.execute(sql`INSERT INTO rule_versions (rule, version, kind, sha256, size, manifest, uploaded_by, uploaded_at)
        VALUES ('r', 1, 'wasm', ${"ab".repeat(32)}, 70000, ${JSON.stringify({ text: TEXT })}::jsonb || '{"n": 123456789012345678901234567890.5}', 'me', '2024-06-01 12:00:00.123456+02')`);
      await tx.execute(sql`INSERT INTO users (username, password_hash, role) SELECT 'user' || i, 'x', 'viewer' FROM generate_series(1, 2500) i`); // biome-ignore format: one line
      await tx.execute(sql`DELETE FROM users WHERE id > 2400`);
      await tx.execute(sql`INSERT INTO jobs (name, holder, held_until) VALUES ('archive', 'somebody', now() + interval '1 hour')`); // biome-ignore format: one line
    });
    const facts = await dump();
    const before = new Map(files);
    expect(facts.tables.find(({ table }) => table === "users")!.rows).toBe(2400);

    await control.change((tx) => tx.execute(sql`DELETE FROM users`));
    await control.change((tx) => tx.execute(sql`UPDATE rules SET owner = 'another'`));
    await load(facts);
    const after = await dump();
    const others = (of: typeof facts) => of.tables.filter(({ table }) => table !== "jobs");
    expect(others(after)).toEqual(others(facts));
    for (const { file } of others(facts)) expect(files.get(file)!.equals(before.get(file)!), file).toBe(true);

    const made = await control.change(
      (tx) =>
      tx.execute<{ id: string }>(sql`INSERT INTO users (username, password_hash, role) VALUES ('new', 'x', 'viewer') RETURNING id::text`), // biome-ignore format: one line
    );
    expect(made.rows).toEqual([{ id: "2501" }]); // not that of one who was removed
    const jobs = await control.read((db) => db.execute(sql`SELECT holder, held_until FROM jobs`));
    expect(jobs.rows).toEqual([{ holder: null, held_until: null }]);
    expect(await migrateControl(control)).toMatchObject({ applied: [] });
  });

  test.skipIf(skip !== undefined)("what does not fit is put back not at all", async () => {
    const facts = await dump();
    const rows = async () => (await control.read((db) => db.execute(sql`SELECT count(*) AS n FROM users`))).rows;
    const before = await rows();
    const more = facts.tables.map((each) => (each.table === "users" ? { ...each, rows: each.rows + 1 } : each));
    await expect(load({ ...facts, tables: more })).rejects.toThrow(/rows of the control store came in, expected/);
    expect(await rows()).toEqual(before);
  });
});
