/**
 * The time machine as its users have it: a recording goes through the engine, into the archive, out of the store, through backtests and once more
 * through the engine from the archive, and back. Processes are killed on the way.
 */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cleanStore } from "../clickhouse/archive/clean.ts";
import { ARCHIVED_TABLES, checksum, readColumns } from "../clickhouse/archive/columns.ts";
import { effective } from "../clickhouse/archive/manifest.ts";
import { openFolder } from "../clickhouse/archive/place.ts";
import { createArchiveReader } from "../clickhouse/archive/reader.ts";
import { restoreSegments } from "../clickhouse/archive/restore.ts";
import type { Store } from "../clickhouse/client.ts";
import { stopEmbedded } from "../clickhouse/embedded/open.ts";
import { storedPositions } from "../engine/archive/positions.ts";
import { runArchive } from "../engine/archive/run.ts";
import { BUNDLED_RECORDING } from "../engine/cli/bundled.ts";
import { openStores } from "../engine/cli/store.ts";
import { sql } from "../engine/control/drizzle.ts";
import type { Control } from "../engine/control/open.ts";
import { type Config, loadConfig } from "../engine/ops/config.ts";
import type { FailpointName } from "../engine/ops/failpoint.ts";
import { startWeir } from "./support/engineProcess.ts";

/** Lines of the bundled recording: whole blocks with findings, pending transactions, alerts of several rules. */
const LINES = 900;

let folder: string;
let env: Record<string, string>;
let config: Config;
let store: Store;
let control: Control;
let source: string;
const place = () => openFolder(config.archive.place!);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-time-"));
  env = {
    WEIR_DATA: join(folder, "data"),
    WEIR_ARCHIVE: join(folder, "archive"),
    LOG_LEVEL: "warn",
    WEIR_THREADS: "1",
  };
  config = loadConfig({ env }).config;
  const recording = gunzipSync(await readFile(BUNDLED_RECORDING)).toString().split("\n").slice(0, LINES).join("\n"); // biome-ignore format: one chain
  await writeFile(join(folder, "part.ndjson"), recording);
  await weir("replay", join(folder, "part.ndjson"));
  ({ store, control } = await openStores(config));
  const [row] = await store.rows<{ source: string }>("SELECT any(source) AS source FROM transactions");
  ({ source } = row!);
});
afterAll(async () => {
  await control?.close();
  await store?.close();
  await stopEmbedded(join(folder, "data", "clickhouse"));
  await rm(folder, { recursive: true, force: true });
});

async function weir(...args: string[]): Promise<string> {
  const process = startWeir(args, env);
  const { code } = await process.exited;
  expect(code, process.log()).toBe(0);
  return process.stdout();
}

/** SIGKILL when it gets to a place for so many times; its lease is given back, which others would wait a minute for. */
async function killed(name: FailpointName, times: number, ...args: string[]): Promise<void> {
  const mark = join(folder, `fired ${name}`);
  const process = startWeir(args, { ...env, WEIR_FAILPOINT: `${name}@${times}=${mark}` });
  expect((await process.exited).signal, process.log()).toBe("SIGKILL");
  expect(existsSync(mark)).toBe(true);
  await control.change((tx) => tx.execute(sql`UPDATE jobs SET holder = NULL, held_until = NULL`));
}

/** Count and checksum of what each table has of the recording. */
async function contents(): Promise<Record<string, string>> {
  const each: Record<string, string> = {};
  for (const [table, columns] of await readColumns(store)) {
    const [row] = await store.rows<{ is: string }>(
      `SELECT concat(toString(count()), ' ', ${checksum(columns)}) AS is FROM ${table} WHERE source = {source:String}`,
      { source },
    );
    each[table] = row!.is;
  }
  return each;
}
const alertsOf = (of: string) =>
  store.rows(
    `SELECT rule, rule_version, severity, ordinal, hex(tx_hash) AS tx, hex(alert_id) AS id, message, event_time FROM alerts
     WHERE source = {of:String} ORDER BY ALL`,
    { of },
  );
const rollUps = () =>
  store.rows(
    "SELECT minute, sum(transactions) AS n FROM transactions_per_minute WHERE source = {source:String} GROUP BY ALL ORDER BY ALL",
    { source },
  );
const hours = () => store.rows("SELECT * EXCEPT (version) FROM stats_hours FINAL ORDER BY ALL");
const run = () => runArchive({ config, store, control, signal: new AbortController().signal });
const stop = new AbortController().signal;

test("archive, clean, backtest, replay from the archive, restore: nothing is lost, doubled or changed, whoever is killed", async () => {
  const before = await contents();
  const alerts = await alertsOf(source);
  const summed = await rollUps();
  expect(alerts.length).toBeGreaterThan(50);

  await killed("segment file written", 3, "archive", "run");
  expect(await readdir(config.archive.place!)).toEqual([expect.stringMatching(/\.draft$/)]);
  expect(await place().manifests()).toEqual([]);

  const closed = await hours();
  expect(closed.length).toBeGreaterThan(0);
  await store.command("TRUNCATE TABLE stats_hours"); // none was closed yet
  await killed("hours closed", 1, "archive", "run");
  expect((await place().manifests()).map(({ tables }) => tables.transactions!.rows)).toEqual([LINES]);
  expect(await run()).toMatchObject({ segments: [], removed: {} });
  expect(await hours()).toEqual(closed);
  const segments = effective(await place().manifests());
  expect(segments).toHaveLength(1);
  expect((await readdir(config.archive.place!)).length).toBe(1);

  const backtest = ["rule", "backtest", "rules-as/examples/build/unlimited-approval.wasm", "--json"];
  const tested = await weir(...backtest);

  await killed("table cleaned", 2, "archive", "clean", "--before", "2100-01-01");
  const left = Object.values(await contents()).filter((is) => !is.startsWith("0 "));
  expect(left.length).toBe(Object.values(before).filter((is) => !is.startsWith("0 ")).length - 2);
  const cleaned = await cleanStore({
    ...{ store, now: () => new Date(), positions: await storedPositions(config), signal: stop },
    archive: { place: place(), encoding: config.archive },
    before: new Map(ARCHIVED_TABLES.map((table) => [table, new Date("2100-01-01")])),
  });
  expect(cleaned.late).toEqual([]);
  for (const [table, is] of Object.entries(await contents())) expect([table, is.split(" ")[0]]).toEqual([table, "0"]);
  expect(await rollUps()).toEqual(summed);

  expect(await weir(...backtest)).toBe(tested);

  const again = join(folder, "again.ndjson.gz");
  await weir("archive", "extract", again);
  await weir("replay", again);
  const [row] = await store.rows<{ source: string }>("SELECT any(source) AS source FROM transactions");
  expect(row!.source).not.toBe(source);
  expect(await alertsOf(row!.source)).toEqual(alerts);

  await killed("table restored", 2, "archive", "restore", "--all");
  const restored = await restoreSegments({ store, place: place(), segments });
  expect(Object.keys(restored)).toHaveLength(Object.keys(segments[0]!.tables).length - 2);
  expect(await store.rows("SHOW TABLES LIKE 'restoring%'")).toEqual([]);
  expect(await contents()).toEqual(before);
  expect(await rollUps()).toEqual(summed);
});

test("pages of the archive are all rows once, newest first, with and without filters", async () => {
  const reader = createArchiveReader(store, place());
  const seen: string[] = [];
  let after: readonly string[] | undefined;
  let total = "";
  do {
    const page = await reader.rows("alerts", {}, { limit: 17, offset: 0, after });
    ({ total } = page);
    for (const row of page.rows) seen.push(`${row.event_time} ${row.alert_id}`);
    after = page.rows.at(-1)?.cursor;
  } while (after);
  expect(new Set(seen).size).toBe(Number(total));
  expect(seen.map((text) => text.split(" ")[0])).toEqual(seen.map((text) => text.split(" ")[0]).sort().reverse()); // biome-ignore format: one line
  const { rows } = await reader.rows("transactions", {}, { limit: 1, offset: 100 });
  const { hash, from_address, block_number } = rows[0] as Record<string, string>;
  const byHash = await reader.rows("transactions", { hash, address: from_address }, { limit: 10, offset: 0 });
  expect(byHash.rows.every((row) => row.hash === hash && row.from_address === from_address)).toBe(true);
  expect(byHash.rows.length).toBeGreaterThan(0);
  if (block_number !== null) expect(byHash.rows.map((row) => row.block_number)).toContain(block_number);
  expect((await reader.rows("transactions", { chainId: 1 }, { limit: 1, offset: 0 })).rows).toEqual([]);
  expect((await reader.rows("transactions", { until: new Date("2020-01-01") }, { limit: 1, offset: 0 })).segments).toBe(
    0,
  );
  await expect(reader.rows("rule_state", {}, { limit: 1, offset: 0 })).rejects.toThrow(
    /"rule_state" of the archive: there is none/,
  );
});
