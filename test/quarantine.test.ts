/** A rule that fails on everything, on its way through a real engine: a dead letter each until it is taken out, and no other rule notices. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BUNDLED_RECORDING } from "../engine/cli/bundled.ts";
import { migrateControl } from "../engine/control/migrate.ts";
import { openControl } from "../engine/control/open.ts";
import { openCatalogue } from "../engine/rules/catalogue.ts";
import { buildRule } from "../rules-as/cli/build.ts";
import { type Counts, countRecording } from "./support/countRecording.ts";
import { type Databases, openDatabases } from "./support/databases.ts";
import { startWeir } from "./support/engineProcess.ts";

const SOURCE = `import { Tx } from "@weir/rules";
export function onTx(tx: Tx): void { assert(tx.nonce > u64.MAX_VALUE - 1, "never right"); }
`;

let databases: Databases;
let expected: Counts;
let wasm: Uint8Array;

beforeAll(async () => {
  databases = await openDatabases();
  expected = countRecording(BUNDLED_RECORDING);
  const folder = await mkdtemp(join(tmpdir(), "weir-failing-"));
  await writeFile(join(folder, "failing.ts"), SOURCE);
  const built = await buildRule(join(folder, "failing.ts"));
  if (!built.wasm) throw new Error(JSON.stringify(built.diagnostics));
  wasm = built.wasm;
  await rm(folder, { recursive: true });
});
afterAll(() => databases?.close());

test("it is quarantined with the reason, released by hand, and what it did until then is in the dead letters", async () => {
  const { env, store } = await databases.newRun();
  const control = openControl({ url: env.DATABASE_URL });
  try {
    await migrateControl(control);
    const catalogue = await openCatalogue({ control });
    expect(await catalogue.upload("failing", wasm, { by: "a test" })).toMatchObject({ ok: true });
    const run = startWeir(["replay", BUNDLED_RECORDING, "--json"], { ...env, WEIR_BATCH_MAX_RECORDS: "200" });
    expect((await run.exited).code, run.log().slice(-3_000)).toBe(0);

    await catalogue.refresh();
    expect(catalogue.get("failing")).toMatchObject({ state: "quarantined", liveVersion: 1 });
    expect(catalogue.get("failing")!.reason).toMatch(/^version 1: Failed on \d+ of its last \d+ transactions/);
    expect((await catalogue.audit("failing", 1))[0]).toMatchObject({ who: "engine", action: "quarantine" });

    const [letters] = await store.rows<{ total: number; places: number }>(
      "SELECT toFloat64(count()) AS total, toFloat64(uniqExact(offset, n)) AS places FROM dead_letters WHERE rule = 'failing' AND reason = 'rule_abort'",
    );
    expect(letters!.total).toBe(letters!.places);
    expect(letters!.total).toBeGreaterThanOrEqual(100);
    expect(letters!.total).toBeLessThan(expected.transactions);
    const rows = await store.rows<{ rule: string; alerts: number }>(
      "SELECT rule, toFloat64(count()) AS alerts FROM alerts GROUP BY rule",
    );
    expect(Object.fromEntries(rows.map(({ rule, alerts }) => [rule, alerts]))).toEqual(expected.alerts);

    expect(await catalogue.change("failing", "release", { by: "a test" })).toMatchObject({
      state: "live",
      reason: null,
    });
  } finally {
    await control.close();
  }
});
