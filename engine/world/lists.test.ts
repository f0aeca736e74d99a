import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { stopEmbedded } from "../../clickhouse/embedded/open.ts";
import { sql } from "../control/drizzle.ts";
import { migrateControl } from "../control/migrate.ts";
import { type Control, openControl } from "../control/open.ts";
import { type Catalogue, openCatalogue } from "../rules/catalogue.ts";
import { isIn, needEntry } from "./lists.ts";
import type { ListTable } from "./listTable.ts";
import { KNOWN_BAD, listsOf } from "./world.ts";

const START_MS = 60_000;
const BY = { by: "me" };
const address = (n: number): string => `0x${n.toString(16).padStart(40, "0")}`;
const pack = (addresses: readonly string[]): Uint8Array =>
  Uint8Array.from(Buffer.from(addresses.map((each) => each.slice(2)).join(""), "hex"));
const contentOf = ({ entries, size, bytes }: ListTable): string[] =>
  Array.from({ length: size }, (_, i) => `0x${Buffer.from(entries.slice(i * bytes, (i + 1) * bytes)).toString("hex")}`).sort(); // biome-ignore format: one expression

describe("named lists", () => {
  let folder: string;
  let control: Control;
  let catalogue: Catalogue;
  const opened: Control[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "weir-lists-"));
    control = openControl({ folder });
    await migrateControl(control);
  }, START_MS);
  beforeEach(async () => {
    await control.change(async (tx) => {
      await tx.execute(sql.raw("TRUNCATE rules, rule_versions, modules, admitted_modules, rule_sets, rule_set_parts, audit_log, lists, list_snapshots, list_edits, worlds")); // biome-ignore format: one statement
      await tx.execute(sql.raw("UPDATE changes SET number = 0"));
    });
    catalogue = await openCatalogue({ control, chains: [1] });
  });
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
  });
  afterAll(async () => {
    await control.close();
    await stopEmbedded(folder);
    await rm(folder, { recursive: true, force: true });
  });
  /** Another process's, as far as the store can tell. */
  const another = (): Promise<Catalogue> => {
    const own = openControl({ folder });
    opened.push(own);
    return openCatalogue({ control: own, chains: [1] });
  };
  const put = (name: string, addresses: readonly string[]) =>
    catalogue.lists.put(name, "address", pack(addresses), "me");
  const edit = (name: string, added: readonly string[], removed: readonly string[] = []) =>
    catalogue.lists.edit(name, { added: pack(added), removed: pack(removed) }, "me");
  const rule = (name: string, conditions: unknown) =>
    catalogue.upload(name, Buffer.from(JSON.stringify({ name, conditions })), { ...BY, kind: "json" });

  test("a registry is part of the world, and comes back from the store as it was", async () => {
    const registry = {
      methods: { "0x38ed1739": "swap()" },
      chains: [{ name: "Ours", id: 31_337, routers: { [address(2)]: "b", [address(1)]: "a" } }],
    };
    const ours = await openCatalogue({ control, chains: [1], registry });
    expect(ours.world()).not.toBe(catalogue.world());
    const world = await (await another()).worldOf(ours.world());
    expect(world).toMatchObject({ id: ours.world(), registry, chains: [1] });
    const turned = { chains: registry.chains, methods: registry.methods };
    expect((await openCatalogue({ control, chains: [1], registry: turned })).world()).toBe(ours.world());
  });

  test("are made, edited, replaced and removed; what changes nothing is no version", async () => {
    expect(await put("bad", [address(1), address(2), address(1)])).toMatchObject({
      isNew: true,
      added: 2,
      list: { name: "bad", kind: "address", version: 1, size: 2, owner: "me" },
    });
    expect(await put("bad", [address(2), address(1)])).toMatchObject({ isNew: false, added: 0, list: { version: 1 } });
    expect(await edit("bad", [address(2)], [address(9)])).toMatchObject({ added: 0, removed: 0, list: { version: 1 } });
    expect(await edit("bad", [address(3), address(4)], [address(1), address(3)])).toMatchObject({
      ...{ added: 2, removed: 1 },
      list: { version: 2, size: 3 },
    });
    expect(contentOf(await catalogue.lists.table("bad"))).toEqual([address(2), address(3), address(4)]);
    expect(await put("bad", [address(7)])).toMatchObject({ added: 1, removed: 3, list: { version: 3, size: 1 } });
    expect(contentOf(await (await another()).lists.table("bad"))).toEqual([address(7)]);
    await expect(catalogue.lists.put("bad", "topic", new Uint8Array(32), "me")).rejects.toThrow(
      "it is of kind address",
    );
    await expect(edit("bed", [address(1)])).rejects.toThrow('there is no such list. Did you mean "bad"?');
    await catalogue.lists.remove("bad", "you");
    expect(catalogue.lists.get("bad")).toBeUndefined();
    await expect(catalogue.lists.remove("bad", "you")).rejects.toThrow("there is no such list");
    expect(await put("bad", [address(1)])).toMatchObject({ isNew: true, list: { version: 1, size: 1 } });
    const said = (await catalogue.lists.audit("bad", 10)).map(({ who, action, after }) => [who, action, after]);
    expect(said.slice(0, 3)).toEqual([
      ["me", "put", { kind: "address", version: 1, size: 1, added: 1, removed: 0 }],
      ["you", "remove", null],
      ["me", "put", { kind: "address", version: 3, size: 1, added: 1, removed: 3 }],
    ]);
  });

  test("have what a Set has after any edits, in processes that followed and in one that begins", async () => {
    const follower = await another();
    const some = fc.array(fc.nat(30), { maxLength: 8 });
    const input = fc.array(fc.record({ added: some, removed: some, all: fc.nat(9) }), { minLength: 1, maxLength: 5 });
    let name = 0;
    await fc.assert(
      fc.asyncProperty(input, async (edits) => {
        const list = `list-${name++}`;
        await put(list, []);
        const truth = new Set<string>();
        for (const { added, removed, all } of edits) {
          if (all === 0) {
            truth.clear();
            await put(list, added.map(address)); // biome-ignore format: as below
          } else await edit(list, added.map(address), removed.map(address)); // biome-ignore format: as above
          if (all !== 0) for (const each of removed) truth.delete(address(each));
          for (const each of added) truth.add(address(each));
          await follower.refresh();
          expect(contentOf(await follower.lists.table(list))).toEqual([...truth].sort());
        }
        expect(contentOf(await (await another()).lists.table(list))).toEqual([...truth].sort());
      }),
      { numRuns: 8 },
    );
  });

  test("a rule is refused whose list is not there, or of entries that do not fit", async () => {
    await put("sanctioned", [address(1)]);
    const findings = async (conditions: unknown) => {
      const result = await rule("a", conditions);
      return result.ok ? [] : result.findings.map(({ message }) => message);
    };
    expect(await findings({ to_in_list: "sanctoined" })).toEqual([
      'There is no list "sanctoined". Did you mean "sanctioned"? PUT /api/v1/lists/sanctoined makes it',
    ]);
    expect(await findings({ topic1_not_in_list: "sanctioned" })).toEqual([
      'The list "sanctioned" is of addresses, 20 bytes each: expected one of 32 bytes',
    ]);
    expect((await findings({ to_in_list: "No List" }))[0]).toContain("Expected the name of a list");
    expect((await findings({ value_in_list: "sanctioned" }))[0]).toContain('"in_list" cannot be asked of value');
    expect(await findings({ or: [{ to_in_list: "sanctioned" }, { from_not_in_list: "sanctioned" }] })).toEqual([]);
    const parameters = { which: { type: "text", default: "sanctioned" } };
    const named = { name: "p", parameters, conditions: { to_in_list: { param: "which" } } };
    await catalogue.upload("p", Buffer.from(JSON.stringify(named)), { ...BY, kind: "json" });
    await put("other", []);
    await expect(catalogue.setParameters("p", { which: "other" }, BY)).rejects.toThrow("names other lists with them");
    expect(catalogue.get("a")!.manifest.lists).toEqual([{ name: "sanctioned", bytes: 20 }]);
  });

  test("a list stays while rules that run name it; a rule that was stopped starts again only with its list", async () => {
    await put("bad", [address(1)]);
    await rule("a", { to_in_list: "bad" });
    await rule("b", { from_in_list: "bad" });
    await expect(catalogue.lists.remove("bad", "me")).rejects.toThrow(
      'Cannot remove the list "bad": 2 rules that run name it (a, b), expected none',
    );
    await catalogue.change("a", "disable", BY);
    await catalogue.change("b", "disable", BY);
    await catalogue.lists.remove("bad", "me");
    await expect(catalogue.change("a", "enable", BY)).rejects.toThrow(
      'Cannot enable the rule "a": There is no list "bad"',
    );
    await put("bad", []);
    expect((await catalogue.change("a", "enable", BY)).state).toBe("live");
  });

  test("known-bad, which risk asks, is in the world though no rule names it", async () => {
    const without = catalogue.world();
    await put(KNOWN_BAD, [address(1)]);
    const bad = async () => listsOf(await catalogue.worldOf(catalogue.world())).get(KNOWN_BAD)!;
    expect((await bad()).size).toBe(1);
    await edit(KNOWN_BAD, [address(2)]);
    expect(isIn(await bad(), needEntry("address", address(2)))).toBe(true);
    await catalogue.lists.remove(KNOWN_BAD, "me");
    expect(catalogue.world()).toBe(without);
  });

  test("are part of the world: an edit makes another one, and the one before stays for whoever has to finish in it", async () => {
    await put("bad", [address(1)]);
    await put("unused", [address(1)]);
    const plain = catalogue.world();
    await rule("a", { to_in_list: "bad" });
    const first = catalogue.world();
    expect(first).not.toBe(plain);
    await edit("unused", [address(2)]);
    expect(catalogue.world()).toBe(first);
    const engine = await another();
    const has = async (of: Catalogue, id: string, n: number) =>
      isIn(listsOf(await of.worldOf(id)).get("bad")!, needEntry("address", address(n)));
    expect(await has(engine, first, 2)).toBe(false);
    await edit("bad", [address(2)]);
    const second = catalogue.world();
    await engine.refresh();
    expect(engine.world()).toBe(second);
    expect([await has(engine, second, 2), await has(engine, first, 2)]).toEqual([true, false]);
    await catalogue.change("a", "disable", BY);
    expect(catalogue.world()).toBe(plain);
    await catalogue.lists.remove("bad", "me");
    const recovering = await another();
    expect([await has(recovering, first, 2), await has(recovering, second, 2)]).toEqual([false, true]);
    await expect(recovering.worldOf("0123456789abcdef")).rejects.toThrow("the control store does not have it");

    // 30 days later it is gone, with the entries that nobody else has
    await control.change(async (tx) => {
      for (const [table, column] of [["worlds", "used_at"], ["lists", "removed_at"], ["list_snapshots", "created_at"]]) // biome-ignore format: pairs
        await tx.execute(
          sql.raw(`UPDATE ${table} SET ${column} = now() - interval '31 days' WHERE ${column} IS NOT NULL`),
        );
    });
    await put("other", [address(1)]);
    await rule("c", { to_in_list: "other" });
    await expect((await another()).worldOf(second)).rejects.toThrow("the control store does not have it");
    const left = await control.read((db) => db.execute(sql`SELECT name FROM lists ORDER BY name`));
    expect(left.rows).toEqual([{ name: "other" }, { name: "unused" }]);
    expect(contentOf(await (await another()).lists.table("unused"))).toEqual([address(1), address(2)]);
  });

  test("a million entries: what they take to keep, to load and to edit", async () => {
    const count = 1_000_000;
    const words = new Uint32Array(count * 5).map((_, i) => Math.imul(i + 1, 0x9e37_79b1));
    const gone = `0x${Buffer.from(words.buffer, 0, 20).toString("hex")}`;
    const engine = await another();
    const bytes = async () => {
      const { rows } = await control.read((db) => db.execute<{ n: string }>(sql`SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS n`)); // biome-ignore format: one expression
      return Number(rows[0]!.n);
    };
    const timed = async <T>(work: () => Promise<T>): Promise<[number, T]> => {
      const began = performance.now();
      const result = await work();
      return [Math.round(performance.now() - began), result];
    };
    const [made, { list }] = await timed(() =>
      catalogue.lists.put("big", "address", new Uint8Array(words.buffer), "me"),
    );
    expect(list.size).toBe(count);
    await rule("a", { to_in_list: "big" });
    await engine.refresh();
    const [loaded] = await timed(() => engine.worldOf(engine.world()));
    const before = await bytes();
    const [edited] = await timed(() => edit("big", [address(1)], [gone]));
    const written = (await bytes()) - before;
    const [taken] = await timed(() => engine.refresh());
    const table = listsOf(await engine.worldOf(engine.world())).get("big")!;
    const there = [address(1), gone].map((each) => isIn(table, needEntry("address", each)));
    expect([table.size, ...there]).toEqual([count, true, false]);
    await expect(edit("big", [address(2)])).rejects.toThrow("it would have 1000001 entries, expected at most 1000000");
    expect(written).toBeLessThan(1 << 20);
    console.log(
      `a million addresses (wall time, a busy machine): kept in ${made} ms, loaded in ${loaded} ms; one for another: ${edited} ms, ${written} bytes of log written, taken over in ${taken} ms`,
    );
  });
});
