import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readAddress } from "../../clickhouse/embedded/lockFile.ts";
import { CONTROL_KINDS, type ControlStore, emptyControl } from "../../test/support/controlStores.ts";
import { sql } from "../control/drizzle.ts";
import { ControlUnavailable } from "../control/errors.ts";
import { migrateControl } from "../control/migrate.ts";
import { type Control, openControl } from "../control/open.ts";
import { testModule } from "../sandbox/testModule.ts";
import { type Catalogue, openCatalogue, RuleConflict, type UploadOptions, type UploadResult } from "./catalogue.ts";
import type { Quota } from "./owners.ts";

const BY = { by: "me" };
const START_MS = 60_000;

const rule = (name: string, description = "") => testModule({ manifest: JSON.stringify({ name, description }) });
const accepted = (result: UploadResult) => {
  if (!result.ok) throw new Error(result.findings[0]!.message);
  return result;
};
const live = async (of: Catalogue, id = of.current()) =>
  (await of.snapshot(id)).map(({ name, version, manifest, silent }) =>
    [`${name}@${version}`, manifest.description, silent && "silent"].filter(Boolean).join(" "),
  );

describe.each(CONTROL_KINDS.filter(({ skip }) => skip === undefined))("the catalogue, $kind", ({ kind, start }) => {
  let store: ControlStore;
  let control: Control;
  let catalogue: Catalogue;
  const controls: Control[] = [];
  beforeAll(async () => {
    store = await start();
    control = await emptyControl(store.options);
    await migrateControl(control);
  }, START_MS);
  beforeEach(async () => {
    await control.change(async (tx) => {
      await tx.execute(
        sql.raw(
          "TRUNCATE rules, rule_versions, modules, admitted_modules, rule_sets, rule_set_parts, owner_quotas, audit_log",
        ),
      );
      await tx.execute(sql.raw("UPDATE changes SET number = 0"));
    });
    catalogue = await openCatalogue({ control });
  });
  afterEach(async () => {
    for (const each of controls.splice(0)) await each.close();
  });
  afterAll(async () => {
    await control.close();
    await store.remove();
  });
  /** Another process's, as far as the store can tell. */
  const another = (maxRules?: number, quota?: Quota): Promise<Catalogue> => {
    const own = openControl(store.options);
    controls.push(own);
    return openCatalogue({ control: own, ...(maxRules !== undefined && { maxRules }), ...(quota && { quota }) });
  };
  const upload = async (name: string, description?: string, options: Partial<UploadOptions> = {}) =>
    accepted(await catalogue.upload(name, rule(name, description), { ...BY, ...options }));

  test("an empty catalogue has an id like any other", async () => {
    expect(catalogue.list()).toEqual([]);
    expect(catalogue.current()).toMatch(/^[0-9a-f]{16}$/);
    expect(await catalogue.snapshot(catalogue.current())).toEqual([]);
  });

  test("an upload is live at once, with what is known of it", async () => {
    const before = catalogue.current();
    const { rule: info, version, changed } = await upload("whale", "first");
    expect([version, changed]).toEqual([1, true]);
    const { length } = rule("whale", "first");
    expect(info).toMatchObject({ name: "whale", owner: "me", version: 1, state: "live", kind: "wasm", size: length });
    expect(info).toMatchObject({ liveVersion: 1, shadowVersion: null, newestVersion: 1, reason: null });
    expect(info.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(catalogue.get("whale")).toEqual(info);
    expect(catalogue.current()).not.toBe(before);
    const [ready] = await catalogue.snapshot(catalogue.current());
    expect(ready!.module).toBeInstanceOf(WebAssembly.Module);
  });

  test("another module is the next version; the same one again changes nothing; an older one again is a new version", async () => {
    await upload("whale", "first");
    const id = catalogue.current();
    expect((await upload("whale", "first")).changed).toBe(false);
    expect(catalogue.current()).toBe(id);
    expect((await upload("whale", "second")).rule.version).toBe(2);
    expect((await upload("whale", "first")).rule.version).toBe(3);
    expect(await live(catalogue)).toEqual(["whale@3 first"]);
  });

  test("an upload says what becomes of the state that the rule has declared", async () => {
    const stateful = (...state: object[]) => testModule({ manifest: JSON.stringify({ name: "counts", state }) });
    const counter = { name: "seen", kind: "counter", key: "address", value: "u64" };
    const carried = async (...state: object[]) =>
      accepted(await catalogue.upload("counts", stateful(...state), BY)).carried;
    expect(await carried(counter)).toBeUndefined();
    expect(await carried(counter, { ...counter, name: "more" })).toEqual({ state: "kept", why: "" });
    expect(await carried({ ...counter, value: "u256" }, { ...counter, name: "more" })).toEqual({
      state: "reset",
      why: '"seen" was a counter address u64 and is a counter address u256: it begins empty; the other one goes on',
    });
    expect(catalogue.get("counts")?.manifest.state?.map(({ name }) => name)).toEqual(["seen", "more"]);
  });

  test("a JSON rule lives the same life", async () => {
    const json = { name: "Big One", conditions: { value_gte: "1000" }, actions: { send_alert: false } };
    const text = (value: unknown) => Buffer.from(JSON.stringify(value));
    const options = { ...BY, kind: "json" as const };
    const first = accepted(await catalogue.upload("big-one", text(json), options));
    expect(first.rule).toMatchObject({ name: "big-one", kind: "json", version: 1, state: "live" });
    const again = await catalogue.upload("big-one", Buffer.from(JSON.stringify(json, null, 2)), options);
    expect(accepted(again).changed).toBe(false);
    const [ready] = await (await another()).snapshot(catalogue.current());
    expect(ready).toMatchObject({ name: "big-one", module: null, silent: true, condition: expect.anything() });
    const refused = await catalogue.upload("big-one", text({ ...json, conditions: { valeu: 1 } }), options);
    expect(refused).toMatchObject({ ok: false, findings: [{ code: "manifest" }] });
  });

  test("a snapshot stays what it was, whatever happens to its rules, and engines elsewhere find it", async () => {
    await upload("a", "first");
    await upload("b");
    const then = catalogue.current();
    await upload("a", "second");
    await catalogue.change("b", "disable", BY);
    expect(await live(catalogue, then)).toEqual(["a@1 first", "b@1"]);
    expect(await live(catalogue)).toEqual(["a@2 second"]);
    expect(await live(await another(), then)).toEqual(["a@1 first", "b@1"]);
  });

  test("of a set that differs in one rule one part is new; a set from before there were parts is read as it is", async () => {
    const parts = async (): Promise<number> => (await control.read((db) => db.execute(sql`SELECT 1 FROM rule_set_parts`))).rows.length; // biome-ignore format: one line
    for (const name of ["a", "b", "c", "d"]) await upload(name);
    const before = await parts();
    await upload("c", "second");
    expect(await parts()).toBe(before + 1);
    await upload("c"); // as it was, but another version
    expect(await parts()).toBe(before + 2);
    await catalogue.change("c", "rollback", { ...BY, version: 1 });
    expect(await parts()).toBe(before + 2);
    const whole = sql`SELECT 'whole', jsonb_agg(rule) FROM rule_sets s, rule_set_parts p, jsonb_array_elements(p.rules) rule WHERE s.id = ${catalogue.current()} AND p.id = ANY(s.parts)`;
    await control.change((tx) => tx.execute(sql`INSERT INTO rule_sets (id, rules) ${whole}`));
    expect((await live(await another(), "whole")).sort()).toEqual(["a@1", "b@1", "c@1", "d@1"]);
  });

  test("sets that nobody has used for 30 days are removed, those that run are not", async () => {
    await upload("a", "first");
    const old = catalogue.current();
    await upload("a", "second");
    const young = catalogue.current();
    const age = (id: string, days: number) =>
      control.change((tx) =>
        tx.execute(sql`UPDATE rule_sets SET used_at = now() - make_interval(days => ${days}::int) WHERE id = ${id}`),
      );
    await control.change((tx) =>
      tx.execute(sql`UPDATE rule_set_parts SET used_at = now() - make_interval(days => 31)`),
    );
    await age(old, 31);
    await age(young, 29);
    await upload("a", "third");
    const fresh = await another();
    await expect(fresh.snapshot(old)).rejects.toThrow(
      `Cannot run the rule set "${old}": the control store does not have`,
    );
    expect(await live(fresh, young)).toEqual(["a@2 second"]);
    expect(await live(fresh)).toEqual(["a@3 third"]);
    const kept = await control.read((db) => db.execute(sql`SELECT count(*)::int AS parts FROM rule_set_parts`));
    expect(kept.rows).toEqual([{ parts: 2 }]); // not the old one's
  });

  test("the id depends on what runs alone: disabled and enabled again, it is the old one", async () => {
    await upload("a");
    await upload("b");
    const both = catalogue.current();
    expect((await catalogue.change("a", "disable", { ...BY, reason: "too loud" })).reason).toBe("too loud");
    expect(catalogue.current()).not.toBe(both);
    expect(await live(catalogue)).toEqual(["b@1"]);
    await catalogue.change("a", "enable", BY);
    expect(catalogue.current()).toBe(both);
  });

  test("a version on trial runs beside the live one and raises nothing; promoted, it is the live one", async () => {
    await upload("a", "first");
    const tried = await upload("a", "second", { state: "shadow" });
    expect(tried).toMatchObject({ version: 2, changed: true, rule: { version: 1, state: "live", shadowVersion: 2 } });
    expect(await live(catalogue)).toEqual(["a@1 first", "a@2 second silent"]);
    expect(await catalogue.change("a", "promote", BY)).toMatchObject({
      version: 2,
      liveVersion: 2,
      shadowVersion: null,
    });
    expect(await live(catalogue)).toEqual(["a@2 second"]);
  });

  test("a draft does not run until it is enabled; the same module again may ask for more", async () => {
    expect((await upload("a", "", { state: "draft" })).rule.state).toBe("draft");
    expect(await live(catalogue)).toEqual([]);
    expect(await upload("a", "", { state: "shadow" })).toMatchObject({ version: 1, changed: true });
    expect(await live(catalogue)).toEqual(["a@1 silent"]);
    await upload("b", "", { state: "draft" });
    await catalogue.change("b", "enable", BY);
    expect(await live(catalogue)).toEqual(["a@1 silent", "b@1"]);
  });

  test("a rollback makes the older version live as it was, and the audit log says who did what", async () => {
    await upload("a", "first");
    const one = catalogue.current();
    await upload("a", "second", { by: "you" });
    const back = await catalogue.change("a", "rollback", { by: "them", version: 1 });
    expect(back).toMatchObject({ version: 1, liveVersion: 1, newestVersion: 2 });
    expect(catalogue.current()).toBe(one);
    const versions = await catalogue.versions("a");
    expect(versions.map(({ version, uploadedBy }) => [version, uploadedBy])).toEqual([
      [2, "you"],
      [1, "me"],
    ]);
    const log = await catalogue.audit("a", 10);
    expect(log.map(({ who, action }) => `${who} ${action}`)).toEqual(["them rollback", "you upload", "me upload"]);
    expect(log[0]).toMatchObject({ before: { liveVersion: 2 }, after: { liveVersion: 1, state: "live" } });
    expect(log[2]!.before).toBeNull();
    expect(await catalogue.audit("a", 1)).toHaveLength(1);
  });

  test("what the state does not allow, and one rule too many, are conflicts that change nothing", async () => {
    const small = await another(2);
    for (const name of ["a", "b"]) accepted(await small.upload(name, rule(name), BY));
    const before = await catalogue.refresh().then(() => catalogue.list());
    await expect(small.upload("c", rule("c"), BY)).rejects.toThrow(
      'Cannot run the rule "c": 3 rules would run, expected at most MAX_CONCURRENT_RULES=2',
    );
    await expect(small.change("a", "release", BY)).rejects.toThrow(RuleConflict);
    await catalogue.refresh();
    expect(catalogue.list()).toEqual(before);
    accepted(await small.upload("a", rule("a", "newer"), BY)); // is no rule more
    accepted(await small.upload("c", rule("c"), { ...BY, state: "draft" }));
    await expect(small.change("c", "enable", BY)).rejects.toThrow(RuleConflict);
    expect(await small.audit("c", 10)).toHaveLength(1);
  });

  test("an owner has so many rules as its quota says, and one of its own takes its place at once", async () => {
    const small = await another(10, { maxRules: 1, fuelPerSecond: 5 });
    accepted(await small.upload("a", rule("a"), BY));
    const refusal = 'Cannot run the rule "b": 2 rules of "me" would run, expected at most 1';
    await expect(small.upload("b", rule("b"), BY)).rejects.toThrow(refusal);
    accepted(await small.upload("b", rule("b"), { by: "you" }));
    accepted(await small.upload("a", rule("a", "newer"), BY)); // is no rule more
    accepted(await small.upload("c", rule("c"), { ...BY, state: "draft" }));
    await expect(small.change("c", "enable", BY)).rejects.toThrow(RuleConflict);

    expect(await catalogue.owners.setQuota("me", { maxRules: 2, fuelPerSecond: null }, "them")).toMatchObject({ maxRules: 2 }); // biome-ignore format: one call
    await small.change("c", "enable", BY); // though it has not heard of it yet
    expect(small.owners.quotaOf("me")).toEqual({ maxRules: 2, fuelPerSecond: 5 });
    expect(small.owners.quotaOf("you")).toEqual({ maxRules: 1, fuelPerSecond: 5 });
    expect(small.owners.withOwn()).toEqual(["me"]);
    await catalogue.owners.setQuota("me", { maxRules: null, fuelPerSecond: null }, "them");
    await small.refresh();
    expect([small.owners.quotaOf("me").maxRules, small.owners.withOwn()]).toEqual([1, []]);
    await expect(small.change("b", "disable", BY)).resolves.toMatchObject({ state: "disabled" }); // over it, and less is welcome
    expect([...small.countByOwner()]).toEqual([["me", { running: 2, throttled: 0 }], ["you", { running: 0, throttled: 0 }]]); // biome-ignore format: two rows
  });

  test("rules are throttled and released together; they stay in the rule set, and count", async () => {
    for (const name of ["a", "b", "c"]) await upload(name);
    const [before] = [catalogue.current(), await upload("a", "greedy trial", { state: "shadow" })];
    const { since } = catalogue.get("b")!;
    await catalogue.change("c", "disable", BY);
    const throttle = (name: string, version: number) => ({ name, action: "throttle" as const, version, reason: "too much" }); // biome-ignore format: one call
    const changed = await catalogue.changeEach([throttle("a", 2), throttle("b", 1), throttle("c", 1), throttle("none", 1)], "engine"); // biome-ignore format: one call
    expect(changed).toEqual(["a", "b"]);
    expect(catalogue.get("a")).toMatchObject({ state: "live", shadowVersion: null, reason: "too much" });
    expect(catalogue.get("b")).toMatchObject({ state: "throttled", liveVersion: 1, reason: "too much" });
    expect(catalogue.get("b")!.since.getTime()).toBeGreaterThan(since.getTime());
    expect(catalogue.countByOwner().get("me")).toEqual({ running: 2, throttled: 1 });
    const rules = await catalogue.snapshot(catalogue.current());
    expect(rules.map(({ name, throttled }) => [name, throttled])).toEqual([["a", undefined], ["b", true]]); // biome-ignore format: two rows
    expect((await (await another()).snapshot(catalogue.current())).map(({ throttled }) => throttled)).toEqual([undefined, true]); // biome-ignore format: one call
    expect((await catalogue.audit("b", 1))[0]).toMatchObject({ who: "engine", action: "throttle" });

    const at = catalogue.get("b")!.since;
    await upload("b", "newer");
    expect(catalogue.get("b")).toMatchObject({ state: "throttled", liveVersion: 2, since: at });
    const release = (name: string) => ({ name, action: "release" as const, from: "throttled" as const });
    await catalogue.change("a", "quarantine", BY);
    expect(await catalogue.changeEach([release("a"), release("b")], "engine")).toEqual(["b"]);
    expect(catalogue.get("b")).toMatchObject({ state: "live", liveVersion: 2, reason: null });
    expect(catalogue.current()).not.toBe(before);
  });

  test("what is not a rule is refused with findings and leaves no trace", async () => {
    const texts = ["\0", "\ud800"].map((text) =>
      testModule({ manifest: JSON.stringify({ name: "a", description: text }) }),
    );
    for (const wasm of [new Uint8Array(0), Buffer.from("no module"), testModule({ manifest: "{" }), ...texts]) {
      const result = await catalogue.upload("a", wasm, BY);
      expect(result.ok).toBe(false);
      if (!result.ok) expect(result.findings[0]!.message).toMatch(/^Cannot |expected/);
    }
    expect(catalogue.list()).toEqual([]);
    const { rows } = await control.read((db) => db.execute(sql`SELECT * FROM modules`));
    expect(rows).toEqual([]);
  });

  test("a module under another name than its own is refused", async () => {
    const result = await catalogue.upload("whale", rule("shrimp"), BY);
    expect(result).toMatchObject({
      ok: false,
      findings: [
        { code: "manifest", actual: "shrimp", message: expect.stringContaining('its manifest says "shrimp"') },
      ],
    });
    expect(catalogue.get("shrimp")).toBeUndefined();
  });

  test.each(["__proto__", "toString", ""])("there is no rule %j", async (name) => {
    expect(catalogue.get(name)).toBeUndefined();
    await expect(catalogue.change(name, "enable", BY)).rejects.toThrow(
      `Cannot enable the rule "${name}": there is no such rule`,
    );
    await expect(catalogue.versions(name)).rejects.toThrow("there is no such rule");
  });

  test("a restart finds everything as it was", async () => {
    await upload("a", "first");
    await upload("a", "second", { state: "shadow" });
    await upload("constructor");
    await catalogue.change("constructor", "disable", BY);
    const again = await another();
    expect(again.list()).toEqual(catalogue.list());
    expect(again.current()).toBe(catalogue.current());
  });

  test("another takes over changes when it is told to look, and changes of both are kept", async () => {
    const other = await another();
    await live(other); // it runs rules: a new set is loaded before it is current
    await upload("a");
    expect(other.get("a")).toBeUndefined();
    await other.refresh();
    expect(other.list()).toEqual(catalogue.list());
    expect(other.current()).toBe(catalogue.current());
    accepted(await other.upload("b", rule("b"), BY));
    await upload("c"); // without a refresh in between
    await other.refresh();
    expect(other.list().map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect(catalogue.current()).toBe(other.current());
  });

  test("many that change the rules at the same time lose no change", async () => {
    const others = await Promise.all([another(), another()]);
    const names = others.flatMap((_, i) => Array.from({ length: 6 }, (_, j) => `rule-${i}-${j}`));
    await Promise.all([
      ...names.map(async (name, i) => accepted(await others[i % 2]!.upload(name, rule(name), BY))),
      ...Array.from({ length: 10 }, () => catalogue.refresh()),
    ]);
    await Promise.all([catalogue, ...others].map((each) => each.refresh()));
    expect(catalogue.list().map(({ name }) => name)).toEqual(names.sort());
    expect(others.map((each) => each.current())).toEqual([catalogue.current(), catalogue.current()]);
    expect(await live(catalogue)).toHaveLength(12);
  });

  test("a folder's modules are taken at start; a start does not undo what was done since", async () => {
    const folder = await mkdtemp(join(tmpdir(), "weir-rules-"));
    try {
      const from = join(folder, "from");
      await mkdir(from);
      await writeFile(join(from, "a.wasm"), rule("a", "of the folder"));
      await writeFile(join(from, "b.wasm"), "no module");
      await writeFile(join(from, "readme.txt"), "no module either");
      expect(await catalogue.loadFolder(from)).toMatchObject({ rules: 1, refused: [{ file: join(from, "b.wasm") }] });
      expect(catalogue.list().map(({ name, state, owner }) => [name, state, owner])).toEqual([["a", "live", "folder"]]);
      expect(await catalogue.loadFolder(join(folder, "nowhere"))).toEqual({ rules: 0, refused: [] });

      await upload("a", "uploaded");
      await catalogue.change("a", "disable", BY);
      const restarted = await another();
      await restarted.loadFolder(from);
      expect(restarted.get("a")).toMatchObject({ version: 2, state: "disabled" });
      await writeFile(join(from, "a.wasm"), rule("a", "of the folder, newer"));
      await restarted.loadFolder(from);
      expect(restarted.get("a")).toMatchObject({ version: 3, manifest: { description: "of the folder, newer" } });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("what another version of ours has admitted is admitted anew, once", async () => {
    await upload("a");
    const admissions = async () =>
      (await control.read((db) => db.execute<{ admission: string }>(sql`SELECT admission FROM admitted_modules`))).rows;
    const [{ admission }] = (await admissions()) as [{ admission: string }];
    await control.change((tx) => tx.execute(sql`UPDATE admitted_modules SET admission = 'older', bytes = '\\x00'`));
    expect(await live(await another())).toEqual(["a@1"]);
    expect((await admissions()).map((row) => row.admission).sort()).toEqual([admission, "older"].sort());
  });

  test("a content that is not what was accepted is an error that names its rule", async () => {
    await upload("a");
    await control.change(async (tx) => {
      await tx.execute(sql`UPDATE modules SET bytes = '\\x00'`);
      await tx.execute(sql`DELETE FROM admitted_modules`);
    });
    await expect((await another()).snapshot(catalogue.current())).rejects.toThrow(
      'Cannot run version 1 of the rule "a": it was accepted once and this version of Weir refuses it',
    );
  });

  test("without the control store the rules go on, and changes are refused", async () => {
    await upload("a", "first");
    const own = openControl(store.options);
    const engine = await openCatalogue({ control: own });
    expect(await live(engine)).toEqual(["a@1 first"]);
    await own.close();
    await expect(engine.refresh()).rejects.toThrow(ControlUnavailable);
    await expect(engine.upload("a", rule("a", "second"), BY)).rejects.toThrow(ControlUnavailable);
    await expect(engine.change("a", "disable", BY)).rejects.toThrow(ControlUnavailable);
    expect(engine.get("a")).toMatchObject({ version: 1, state: "live" });
    expect(await live(engine)).toEqual(["a@1 first"]);
  });

  if (kind === "embedded")
    test("an accepted upload is there after the store was killed", async () => {
      await upload("a", "first");
      process.kill((await readAddress(store.options.folder!))!.pid, "SIGKILL");
      expect(await live(await another())).toEqual(["a@1 first"]);
      await upload("a", "second").catch((error: unknown) => expect(error).toBeInstanceOf(ControlUnavailable));
      await upload("a", "second");
      expect(await live(catalogue)).toEqual(["a@2 second"]);
    });
});
