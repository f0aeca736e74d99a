/**
 * An owner whose rules use too much fuel, in a real engine that is killed on its way: each transaction was evaluated by the greedy rule or
 * is counted as skipped, once; no other rule notices; after a while it runs again.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSynthetic } from "../bench/load/synthetic.ts";
import { migrateControl } from "../engine/control/migrate.ts";
import { openControl } from "../engine/control/open.ts";
import { openCatalogue } from "../engine/rules/catalogue.ts";
import { buildRule } from "../rules-as/cli/build.ts";
import { type Databases, openDatabases } from "./support/databases.ts";
import { startWeir } from "./support/engineProcess.ts";

/** 10 s of the stream: some 30,000 fuel a transaction, and an alert on each. */
const TRANSACTIONS = 10_000;
const SOURCE = `import { alert, Severity, Tx } from "@weir/rules";
export function onTx(tx: Tx): void {
  let sum = tx.nonce;
  for (let i = 0; i < 2_000; i++) sum = sum * 31 + i;
  if (sum != 0) alert(Severity.Low, "seen");
}
`;
/** Of 2,000 transactions in a minute. */
const FUEL_PER_SECOND = 1_000_000;

let databases: Databases;
let folder: string;
let wasm: Uint8Array;

beforeAll(async () => {
  databases = await openDatabases();
  folder = await mkdtemp(join(tmpdir(), "weir-greedy-"));
  await writeFile(join(folder, "greedy.ts"), SOURCE);
  const built = await buildRule(join(folder, "greedy.ts"));
  if (!built.wasm) throw new Error(JSON.stringify(built.diagnostics));
  wasm = built.wasm;
});
afterAll(async () => {
  await databases?.close();
  await rm(folder, { recursive: true, force: true });
});

async function recording(seed: number): Promise<string> {
  const synthetic = createSynthetic({ seed });
  const path = join(folder, `${seed}.ndjson`);
  await writeFile(path, Array.from({ length: TRANSACTIONS }, () => `${synthetic.next()}\n`).join(""));
  return path;
}

test("its greediest rule is throttled, counted exactly once through a crash, and released", async () => {
  const { env, store } = await databases.newRun();
  const control = openControl({ url: env.DATABASE_URL });
  try {
    await migrateControl(control);
    const catalogue = await openCatalogue({ control });
    expect(await catalogue.upload("greedy", wasm, { by: "stranger" })).toMatchObject({ ok: true });
    const every = JSON.stringify({ name: "modest", conditions: { value_gte: 0 } });
    expect(await catalogue.upload("modest", Buffer.from(every), { by: "stranger", kind: "json" })).toMatchObject({ ok: true }); // biome-ignore format: one call
    await catalogue.owners.setQuota("stranger", { maxRules: null, fuelPerSecond: FUEL_PER_SECOND }, "a test");

    const replay = async (path: string, more: Record<string, string>) => {
      const run = startWeir(["replay", path, "--json"], { ...env, WEIR_BATCH_MAX_RECORDS: "100", ...more });
      const { code, signal } = await run.exited;
      return { code, signal, log: run.log() };
    };
    const first = await recording(1);
    const waiting = { WEIR_THROTTLE_SECONDS: "3600" };
    const killed = await replay(first, {
      ...waiting,
      WEIR_RANGE_MAX_ROWS: "3000",
      WEIR_FAILPOINT: "stored rule_stats@3",
    });
    expect(killed.signal, killed.log.slice(-3_000)).toBe("SIGKILL");
    const done = await replay(first, waiting);
    expect(done.code, done.log.slice(-3_000)).toBe(0);
    expect(killed.log + done.log).toContain('"event":"rule_throttled"');

    await catalogue.refresh();
    expect(catalogue.get("greedy")).toMatchObject({ state: "throttled", liveVersion: 1, owner: "stranger" });
    expect(catalogue.get("greedy")!.reason).toMatch(/^version 1: The rules of "stranger" used \d+ fuel .* at most 1000000 a second; this one used 100 %$/); // biome-ignore format: one expression
    expect((await catalogue.audit("greedy", 1))[0]).toMatchObject({ who: "engine", action: "throttle" });
    expect(catalogue.get("modest")!.state).toBe("live");

    const account = async (rule: string) => {
      const [row] = await store.rows<Record<"evaluations" | "skipped" | "alerts" | "places" | "doubled", number>>(
        `SELECT toFloat64(sum(evaluations)) AS evaluations, toFloat64(sum(skipped)) AS skipped,
           (SELECT toFloat64(count()) FROM alerts WHERE rule = {rule:String}) AS alerts,
           (SELECT toFloat64(uniqExact(source, offset, n)) FROM alerts WHERE rule = {rule:String}) AS places,
           toFloat64(count() - uniqExact(source, offset)) AS doubled
         FROM rule_stats WHERE rule = {rule:String}`,
        { rule },
      );
      return row!;
    };
    const { evaluations, skipped, ...alerted } = await account("greedy");
    expect(evaluations).toBeGreaterThanOrEqual(2_000);
    expect(skipped).toBeGreaterThan(0);
    expect(evaluations + skipped).toBe(TRANSACTIONS);
    expect(alerted).toEqual({ alerts: evaluations, places: evaluations, doubled: 0 });
    const all = { evaluations: TRANSACTIONS, skipped: 0, alerts: TRANSACTIONS, places: TRANSACTIONS, doubled: 0 };
    expect(await account("modest")).toEqual(all);

    await catalogue.owners.setQuota("stranger", { maxRules: null, fuelPerSecond: null }, "a test");
    const again = await replay(await recording(2), { WEIR_THROTTLE_SECONDS: "1" });
    expect(again.code, again.log.slice(-3_000)).toBe(0);
    expect(again.log).toContain('"event":"rule_released"');
    await catalogue.refresh();
    expect(catalogue.get("greedy")).toMatchObject({ state: "live", reason: null });
    const later = await account("greedy");
    expect(later.evaluations + later.skipped).toBe(2 * TRANSACTIONS);
  } finally {
    await control.close();
  }
});
