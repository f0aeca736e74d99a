/** Values of parameters are changed while a pipeline runs: alerts and versions follow, on trial and back, without a new build. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sampleTransaction, tryRule } from "../../rules-as/cli/tryRule.ts";
import { CONTROL_KINDS, type ControlStore, emptyControl } from "../../test/support/controlStores.ts";
import { sql } from "../control/drizzle.ts";
import { migrateControl } from "../control/migrate.ts";
import { type Control, openControl } from "../control/open.ts";
import { runPipeline } from "../dispatch/pipeline.ts";
import { admit } from "../sandbox/admit.ts";
import { END, I32, op, testModule, uint32 } from "../sandbox/testModule.ts";
import { leb } from "../sandbox/wasm/writer.ts";
import { createFileLedger } from "../sink/fileLedger.ts";
import { createRecordingSource, inspectRecording } from "../source/recording.ts";
import type { Outcome } from "../worker/outcome.ts";
import { createProcessor } from "../worker/process.ts";
import { unpackRecords } from "../worker/topicRecords.ts";
import { createWorld } from "../world/world.ts";
import { type Catalogue, openCatalogue, type UploadOptions } from "./catalogue.ts";
import { loadModule, ValuesRefused } from "./content.ts";
import type { ParametersRefused } from "./newVersions.ts";

const BY = { by: "me" };
const ETHER = 10n ** 18n;
let store: ControlStore;
let control: Control;
let catalogue: Catalogue;
beforeAll(async () => {
  store = await CONTROL_KINDS[0]!.start();
  control = await emptyControl(store.options);
  await migrateControl(control);
  catalogue = await openCatalogue({ control });
});
afterAll(async () => {
  await control?.close();
  await store?.remove();
});

const json = (name: string, more: object = {}) => ({
  name,
  parameters: { least: { type: "integer", default: String(100n * ETHER), min: "1" } },
  conditions: { value_gte: { param: "least" } },
  ...more,
});
const upload = async (rule: Uint8Array | ReturnType<typeof json>, options: Partial<UploadOptions> = {}) => {
  const isJson = !(rule instanceof Uint8Array);
  const name = isJson ? rule.name : "whale-transfer";
  const content = isJson ? Buffer.from(JSON.stringify(rule)) : rule;
  const result = await catalogue.upload(name, content, { ...BY, ...(isJson && { kind: "json" }), ...options });
  if (!result.ok) throw new Error(result.findings[0]!.message);
  return result;
};

/** Of each batch: alerts as `rule@version`, and of a version on trial what it would add and drop. */
function shown({ records, rules }: Outcome): string[] {
  const alerts = [...unpackRecords(records)].map(({ value }) => JSON.parse(value.toString()) as { rule: string; version: number }); // biome-ignore format: one expression
  const trials = rules.filter(({ added, dropped }) => added + dropped > 0);
  const counts = new Map<string, number>();
  for (const { rule, version } of alerts) counts.set(`${rule}@${version}`, (counts.get(`${rule}@${version}`) ?? 0) + 1);
  return [
    ...[...counts].map(([rule, count]) => `${rule} ${count}`).sort(),
    ...trials.map(({ rule, version, added, dropped }) => `trial ${rule}@${version} +${added} -${dropped}`),
  ];
}

test("values change alerts and versions in a running pipeline; trial, promotion and rollback carry them", async () => {
  const { wasm } = await tryRule(new URL("../../rules-as/examples/whale-transfer.ts", import.meta.url));
  await upload(wasm);
  await upload(json("plain"));
  const change = (least: bigint, options = {}) =>
    Promise.all([
      catalogue.setParameters("whale-transfer", { threshold: String(least * ETHER) }, { ...BY, ...options }),
      catalogue.setParameters("plain", { least: String(least * ETHER) }, { ...BY, ...options }),
    ]);
  const both = (act: (name: string) => Promise<unknown>) => Promise.all(["whale-transfer", "plain"].map(act));
  const steps = [
    async () => {},
    () => change(40n),
    () => change(400n, { state: "shadow" }),
    () => both((name) => catalogue.change(name, "promote", BY)),
    () => both((name) => catalogue.change(name, "rollback", { ...BY, version: 2 })),
    () => both((name) => catalogue.setParameters(name, {}, BY)), // as it was uploaded
  ];

  const folder = await mkdtemp(join(tmpdir(), "weir-parameters-"));
  try {
    const values = [50n, 150n, 500n];
    const line = (value: bigint) => JSON.stringify(sampleTransaction({ value: `0x${(value * ETHER).toString(16)}` }));
    const path = join(folder, "r.ndjson");
    await writeFile(path, steps.flatMap(() => values.map(line)).join("\n"));
    const found: string[][] = [];
    const replayed: Outcome[] = [];
    const world = createWorld({ chains: [1] });
    await steps.shift()!();
    await runPipeline(
      {
        source: createRecordingSource(await inspectRecording(path), "recording:x"),
        ledger: createFileLedger(join(folder, "ledger.json"), "recording:x"),
        limits: {
          ...{
            batch: { records: values.length, bytes: 1 << 20, blockWait: 1_000 },
            tasks: 1,
            rangeAge: 1_000,
            rangeRows: 1_000,
          },
          ...{ rangeBytes: 1 << 20, bytesInFlight: 1 << 20, drain: 1_000 },
        },
        current: () => ({ catalogue: catalogue.current(), world: world.id }),
        work: async ({ batch, catalogue: id }) => {
          const outcome = createProcessor(await catalogue.snapshot(id), world)(batch);
          // Another engine takes over with what is in the store alone: the same bytes.
          const elsewhere = await openCatalogue({ control });
          replayed.push(createProcessor(await elsewhere.snapshot(id), world)(batch));
          expect(replayed.at(-1)!.records.bytes).toEqual(outcome.records.bytes);
          found.push(shown(outcome));
          await steps.shift()?.();
          return outcome;
        },
        store: async () => {},
      },
      new AbortController().signal,
    );
    expect(found).toEqual([
      ["plain@1 2", "whale-transfer@1 2"],
      ["plain@2 3", "whale-transfer@2 3"],
      ["plain@2 3", "whale-transfer@2 3", "trial plain@3 +0 -2", "trial whale-transfer@3 +0 -2"],
      ["plain@3 1", "whale-transfer@3 1"],
      ["plain@2 3", "whale-transfer@2 3"],
      ["plain@4 2", "whale-transfer@4 2"],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }

  for (const name of ["whale-transfer", "plain"]) {
    const versions = await catalogue.versions(name);
    expect(new Set(versions.map(({ sha256 }) => sha256)).size).toBe(1);
    expect(new Set(versions.map(({ uploadedAt }) => uploadedAt.getTime())).size).toBe(4);
    const key = name === "plain" ? "least" : "threshold";
    expect(versions.map(({ parameters }) => parameters)).toEqual([
      {},
      { [key]: String(400n * ETHER) },
      { [key]: String(40n * ETHER) },
      {},
    ]);
    const log = await catalogue.audit(name, 10);
    expect(log.map(({ action }) => action)).toEqual(["parameters", "rollback", "promote", "parameters", "parameters", "upload"]); // biome-ignore format: one list
    expect(log[0]).toMatchObject({ who: "me", before: { parameters: { [key]: String(40n * ETHER) } }, after: { liveVersion: 4 } }); // biome-ignore format: one entry
    expect(log[0]!.after).not.toHaveProperty("parameters");
  }
  const stored = await control.read((db) => db.execute(sql`SELECT count(*)::int AS n FROM modules`));
  expect(stored.rows).toEqual([{ n: 2 }]);
});

test("the same values again are no new version; what is left out keeps its value with merge alone; null is the default", async () => {
  const two = { least: { type: "integer", default: "5" }, most: { type: "integer", default: "9" } };
  await upload(json("two", { parameters: two, conditions: { nonce_gte: { param: "least" }, nonce_lte: { param: "most" } } })); // biome-ignore format: one call
  const set = async (values: object, options = {}) => {
    const { rule, version, changed } = await catalogue.setParameters("two", values, { ...BY, ...options });
    return [version, changed, rule.parameters];
  };
  expect(await set({ least: 1 })).toEqual([2, true, { least: "1" }]);
  expect(await set({ least: "0x1", most: 9 })).toEqual([2, false, { least: "1" }]);
  expect(await set({ most: "12" }, { merge: true })).toEqual([3, true, { least: "1", most: "12" }]);
  expect(await set({ least: null }, { merge: true })).toEqual([4, true, { most: "12" }]);
  expect(await set({ least: 2 })).toEqual([5, true, { least: "2" }]);
  await expect(set({ least: 2 }, { state: "shadow" })).rejects.toThrow("it is the live one");
});

test("what cannot be is refused with its place, and nothing changes", async () => {
  await upload(json("strict", { parameters: { pattern: { type: "text", default: "^0x12" }, n: { type: "integer", default: "1", max: "9" } }, conditions: { input_regex: { param: "pattern" }, nonce: { param: "n" } } })); // biome-ignore format: one call
  const before = [catalogue.current(), await catalogue.audit("strict", 9)];
  const problems = async (values: unknown) =>
    catalogue.setParameters("strict", values, BY).then(
      () => [],
      (error: ParametersRefused) => error.problems.map(({ path, message }) => `${path}: ${message}`),
    );
  expect(await problems({ patern: "x", n: 10 })).toEqual([
    'patern: Unknown parameter "patern": expected one of n, pattern. Did you mean "pattern"?',
    "n: Expected a whole number of at most 9, got 10",
  ]);
  expect((await problems({ pattern: "(?=x)" }))[0]).toContain("conditions.input_regex: Cannot read the pattern");
  expect(await problems(null)).toEqual([": Expected values by name, got null"]);
  expect([catalogue.current(), await catalogue.audit("strict", 9)]).toEqual(before);
  await expect(catalogue.setParameters("nobody", {}, BY)).rejects.toThrow("there is no such rule");
  const old = testModule({ manifest: '{"name":"whale-transfer-v1","parameters":{"least":{"default":"5"}}}' });
  await catalogue.upload("whale-transfer-v1", old, BY);
  await expect(catalogue.setParameters("whale-transfer-v1", { least: "6" }, BY)).rejects.toThrow(
    "least: It cannot be changed: the module was built before values could be",
  );
});

test("a rule that is mended keeps the values it was given, as far as it still takes them", async () => {
  const of = (description: string, parameters = json("kept").parameters as object) => json("kept", { description, parameters }); // biome-ignore format: one call
  await upload(of("first"));
  await catalogue.setParameters("kept", { least: "7" }, BY);
  expect((await upload(of("second"))).rule).toMatchObject({ version: 3, parameters: { least: "7" } });
  expect((await upload(of("second"))).changed).toBe(false);
  const narrow = { least: { type: "integer", default: "9", min: "8" } };
  expect((await upload(of("third", narrow))).rule).toMatchObject({ version: 4, parameters: {} });
  const [change] = await catalogue.audit("kept", 1);
  expect(change!.before).toMatchObject({ parameters: { least: "7" } });
  expect(change!.after).not.toHaveProperty("parameters");

  // A trial goes on from the version on trial, the live one stays as it is.
  await catalogue.setParameters("kept", { least: "10" }, { ...BY, state: "shadow" });
  await upload(of("fourth", narrow), { state: "shadow" });
  const { liveVersion, shadowVersion } = catalogue.get("kept")!;
  expect([liveVersion, shadowVersion]).toEqual([4, 6]);
  expect((await catalogue.versions("kept"))[0]).toMatchObject({ version: 6, parameters: { least: "10" } });
  const [, trial] = (await catalogue.snapshot(catalogue.current())).filter(({ name }) => name === "kept");
  expect(trial).toMatchObject({ version: 6, trial: true, condition: { field: "value", value: "10" } });
  expect((await catalogue.version("kept", 2)).condition).toMatchObject({ value: "7" });
});

test("another process takes over values with the version", async () => {
  const own = openControl(store.options);
  const other = await openCatalogue({ control: own });
  await upload(json("shared"));
  await other.refresh();
  await other.setParameters("shared", { least: "3" }, { by: "you" });
  await catalogue.refresh();
  expect(catalogue.get("shared")).toMatchObject({ version: 2, parameters: { least: "3" }, uploadedBy: "you" });
  expect(catalogue.current()).toBe(other.current());
  await own.close();
});

describe("a module that is something else with other values", () => {
  const [FIRST, SECOND, AREA] = [1024, 4096, 8000];
  const name = (text: string) => [...leb(text.length), ...Buffer.from(text)];
  const exported = (text: string, kind: number, index: number) => [...name(text), kind, ...leb(index)];
  const segment = (at: number, manifest: object) => {
    const text = [...Buffer.from(JSON.stringify(manifest), "utf16le")];
    return [0, ...op.i32(at - 4), 0x0b, ...leb(text.length + 4), ...uint32(text.length), ...text];
  };
  const plain = { name: "two-faced", parameters: { n: { type: "boolean", default: false } } };
  /** Says `plain` of itself, and `other` once n is true: its byte stands behind an entry's head and name. */
  const twoFaced = (other: object) =>
    testModule({
      getManifest: [...op.i32(SECOND), ...op.i32(FIRST), ...op.i32(AREA + 16), 0x2d, 0, 0, 0x1b],
      sections: {
        6: [5, ...[I32, 0, ...op.i32(1), END], ...[I32, 1, ...op.i32(0), END], ...[I32, 1, ...op.i32(7), END], ...[I32, 0, ...op.i32(AREA), END], ...[I32, 0, ...op.i32(64), END]],
        7: [9, ...exported("memory", 2, 0), ...exported("weir_abi", 3, 0), ...exported("weir_out_length", 3, 1), ...["weir_manifest", "weir_reserve", "weir_on_tx", "weir_out"].flatMap((each, i) => exported(each, 0, i + 1)), ...exported("weir_parameters", 3, 3), ...exported("weir_parameters_bytes", 3, 4)],
        11: [2, ...segment(FIRST, plain), ...segment(SECOND, other)],
      },
    }); // biome-ignore format: one section a line
  const withTrue = (other: object) => {
    const admitted = admit(twoFaced({ ...plain, ...other }));
    if (!admitted.ok) throw new Error(admitted.findings[0]!.message);
    return loadModule({ bytes: admitted.module, manifest: admitted.manifest }).with({ n: true });
  };

  test("may have another filter, severity or description", () => {
    expect(withTrue({ filter: { chains: [5] }, severity: "low" }).manifest).toMatchObject({
      ...{ filter: { chains: [5] }, severity: "low" },
    });
  });

  test.each([
    ["name", { name: "another" }, 'the rule is called "another" with them, expected "two-faced"'],
    ["parameters", { parameters: { n: { type: "boolean", default: true } } }, "declares other parameters with them"],
    ["lists", { lists: [{ name: "bad", bytes: 20 }] }, "names other lists with them"],
    [
      "state",
      { state: [{ name: "seen", kind: "counter", key: "address", value: "u64" }] },
      "declares other state with them",
    ],
    ["manifest", { severity: "huge" }, "severity"],
  ])("is refused for another %s", (_, other, why) => {
    expect(() => withTrue(other)).toThrow(ValuesRefused);
    expect(() => withTrue(other)).toThrow(why);
  });
});
