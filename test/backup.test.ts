/**
 * An installation is backed up in the middle of its work, destroyed, restored, and goes on: what it comes to is what an undisturbed run comes to.
 * Everything in one store: the undisturbed run is one of the same recording.
 */
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checksum, readColumns } from "../clickhouse/archive/columns.ts";
import type { Store } from "../clickhouse/client.ts";
import { stopEmbedded } from "../clickhouse/embedded/open.ts";
import { backUp } from "../engine/backup/backUp.ts";
import type { Manifest } from "../engine/backup/manifest.ts";
import { openBackupPlace } from "../engine/backup/place.ts";
import { restore, verifyBackup } from "../engine/backup/restore.ts";
import { BUNDLED_RECORDING } from "../engine/cli/bundled.ts";
import { openStores } from "../engine/cli/store.ts";
import { sql } from "../engine/control/drizzle.ts";
import type { Control } from "../engine/control/open.ts";
import { type Config, loadConfig } from "../engine/ops/config.ts";
import type { Failpoint, FailpointName } from "../engine/ops/failpoint.ts";
import { startWeir } from "./support/engineProcess.ts";
import { startS3 } from "./support/s3Server.ts";

/** Lines of the bundled recording: rounds enough to be killed between two of them. */
const LINES = 1_500;

let folder: string;
let env: Record<string, string>;
let config: Config;
let store: Store;
let control: Control;
let recording: string;
let s3: Awaited<ReturnType<typeof startS3>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-backup-"));
  s3 = await startS3("backups");
  env = {
    ...s3.env,
    WEIR_DATA: join(folder, "data"),
    LOG_LEVEL: "warn",
    WEIR_THREADS: "1",
    WEIR_RANGE_MAX_AGE_MS: "50",
    WEIR_RANGE_MAX_ROWS: "1000",
  };
  config = loadConfig({ env }).config;
  recording = join(folder, "part.ndjson");
  const lines = gunzipSync(await readFile(BUNDLED_RECORDING))
    .toString()
    .split("\n")
    .slice(0, LINES);
  await writeFile(recording, lines.join("\n"));
});
afterAll(async () => {
  await control?.close();
  await store?.close();
  await stopEmbedded(join(folder, "data", "clickhouse"));
  await s3?.stop();
  await rm(folder, { recursive: true, force: true });
});

const at = (name: string) => openBackupPlace(name, config);
const failAt =
  (name: FailpointName): Failpoint =>
  (reached) => {
    if (reached === name) throw new Error(`killed at ${name}`);
  };
const make = (name: string, failpoint: Failpoint = () => {}): Promise<Manifest> =>
  backUp({ config, store, control, place: at(name), failpoint });
const bringBack = (name: string, { replace = true, failpoint = (() => {}) as Failpoint } = {}) =>
  restore({ config, store, control, place: at(name), replace, failpoint });

/** Count and checksum of what each table has of a run, whatever it is called. */
async function contents(source: string): Promise<Record<string, string>> {
  const each: Record<string, string> = {};
  for (const [table, columns] of await readColumns(store)) {
    const [row] = await store.rows<{ is: string }>(
      `SELECT concat(toString(count()), ' ', ${checksum(columns.filter(([name]) => name !== "source"))}) AS is FROM ${table} WHERE source = {source:String}`,
      { source },
    );
    each[table] = row!.is;
  }
  // Where batches are cut depends on how fast the disk is: of these the sums count.
  const [stats] = await store.rows<Record<string, string>>(
    "SELECT sum(evaluations) AS e, sum(matches) AS m, sum(traps) AS t FROM rule_stats WHERE source = {source:String}",
    { source },
  );
  each.rule_stats = JSON.stringify(stats);
  for (const table of ["transactions_per_minute", "alerts_per_minute"]) {
    const sums = table.startsWith("t") ? "sum(transactions), sum(pending), sum(gas_used)" : "sum(alerts)";
    const [row] = await store.rows<{ is: string }>(
      `SELECT toString(groupArray(each)) AS is FROM (SELECT (minute, ${sums}) AS each FROM ${table} WHERE source = {source:String} GROUP BY minute ORDER BY minute)`,
      { source },
    );
    each[table] = row!.is;
  }
  return each;
}

async function replay(...args: string[]): Promise<string> {
  const engine = startWeir(["replay", recording, ...args], env);
  const { code } = await engine.exited;
  expect(code, engine.log()).toBe(0);
  return engine.stdout();
}

test("killed while it stores, backed up, destroyed, restored, and on: nothing is lost, doubled or changed", async () => {
  await replay();
  const killed = startWeir(["replay", recording, "--again"], {
    ...env,
    WEIR_FAILPOINT: `stored transactions@2=${join(folder, "mark")}`,
  });
  expect((await killed.exited).signal, killed.log()).toBe("SIGKILL");
  ({ store, control } = await openStores(config));
  const [first, second] = (
    await store.rows<{ source: string }>("SELECT DISTINCT source FROM transactions ORDER BY length(source)")
  ).map(({ source }) => source) as [string, string];
  const whole = await contents(first);

  // What a kill in the middle leaves is no backup, and the next one does not mind it.
  const place = join(folder, "backups", "one");
  await expect(make(place, failAt("backup of control"))).rejects.toThrow("killed at backup of control");
  await expect(verifyBackup(at(place))).rejects.toThrow(/there is no backup\.json/);
  const manifest = await make(place);
  expect(await readdir(join(folder, "backups"))).toEqual(["one"]);
  await expect(make(place)).rejects.toThrow(/expected an empty folder/);
  const stored = (of: string) => manifest.positions.find(({ source }) => source === of)!.stored;
  expect(stored(first)).toBe(LINES);
  expect(stored(second)).toBeGreaterThan(0);
  const [there] = await store.rows<{ n: string }>(
    "SELECT count() AS n FROM transactions WHERE source = {second:String}",
    { second },
  );
  expect(Number(there!.n)).toBeGreaterThan(stored(second)); // of a round that is not whole: it must not come back

  // There is something: nothing is touched unless told so, and nothing by a backup that is damaged.
  await expect(bringBack(place, { replace: false })).rejects.toThrow(/rows in the store.*expected nothing/);
  const inBucket = await make("s3://backups/weir/two");
  expect(inBucket.store.rows).toEqual(manifest.store.rows);
  const part = Object.keys(manifest.files).find((name) => name.endsWith("data.bin"))!;
  const undamaged = await readFile(join(place, part));
  await appendFile(join(place, part), "x");
  await expect(bringBack(place)).rejects.toThrow(/data\.bin has \d+ bytes, expected \d+/);
  await writeFile(join(place, part), undamaged);
  expect(await contents(first)).toEqual(whole);

  // Destroyed: other rows, no ledger, somebody else's rules. An interrupted restore keeps everybody out.
  await store.command("DELETE FROM alerts WHERE 1");
  await control.change((tx) => tx.execute(sql`DELETE FROM audit_log`));
  await rm(join(folder, "data", "ledger"), { recursive: true });
  await expect(bringBack(place, { failpoint: failAt("restore of ledgers") })).rejects.toThrow(
    "killed at restore of ledgers",
  );
  await expect(openStores(config)).rejects.toThrow(/backup is being restored.*expected a whole installation/);
  const restored = await bringBack("s3://backups/weir/two", { replace: false });
  expect(restored.beyond.transactions).toBe(Number(there!.n) - stored(second));
  expect(restored.notes).toEqual([]);
  expect(await contents(first)).toEqual(whole);
  await control.close();
  await store.close();
  ({ store, control } = await openStores(config));

  const rules = await control.read((db) => db.execute(sql`SELECT count(*)::int AS n FROM audit_log`));
  const { rows } = manifest.control.tables.find(({ table }) => table === "audit_log")!;
  expect(rules.rows).toEqual([{ n: rows }]);
  expect(rows).toBeGreaterThan(0);

  expect(JSON.parse(await replay("--again", "--json"))).toMatchObject({ transactions: LINES });
  expect(await contents(second)).toEqual(whole);
});
