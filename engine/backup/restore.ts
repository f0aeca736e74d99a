/**
 * Puts a backup in place of an installation. Everything that can be known to be wrong is found before anything is touched: each file is read and
 * compared with its checksum. From then on two notes say that a restore is under way, one in WEIR_DATA and one among the store's migrations, and
 * whoever opens the installation meets one of them and stops. A restore that was interrupted is run again, from its beginning.
 */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "../../clickhouse/client.ts";
import {
  type Applied,
  appliedMigrations,
  checkRecord,
  createRecord,
  type Migration,
  RESTORE_UNFINISHED,
  recordMigrations,
  storeMigrations,
} from "../../clickhouse/migrate.ts";
import { quoteName } from "../../clickhouse/quote.ts";
import { controlMigrations } from "../control/migrate.ts";
import type { Control } from "../control/open.ts";
import type { Config } from "../ops/config.ts";
import { UserError } from "../ops/errors.ts";
import type { Failpoint } from "../ops/failpoint.ts";
import { replaceFile } from "../ops/replaceFile.ts";
import { ledgerFolder } from "../sink/ledgers.ts";
import { secretKeyIds } from "./backUp.ts";
import { countControlRows, loadControl } from "./controlData.ts";
import { checkIdle, restoreCommits } from "./kafkaCommits.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { type BackupPlace, textOf } from "./place.ts";
import { countRows, type OnProgress, restoreDatabase, trimToPositions } from "./storeData.ts";
import { forgetRestore, isRestoring, noteRestore } from "./unfinished.ts";

export interface RestoreOptions {
  readonly config: Config;
  readonly store: Store;
  readonly control: Control;
  readonly place: BackupPlace;
  /** What is there goes. */
  readonly replace: boolean;
  readonly failpoint: Failpoint;
  readonly onProgress?: OnProgress;
}

export interface Restored {
  readonly manifest: Manifest;
  /** Rows that lay beyond the positions, by table. */
  readonly beyond: Readonly<Record<string, number>>;
  /** What somebody should know, as sentences. */
  readonly notes: readonly string[];
}

/** Reads the backup, all of it. @throws UserError naming the first file that is not as it was written */
export async function verifyBackup(place: BackupPlace, onProgress?: OnProgress): Promise<Manifest> {
  const manifest = readManifest(await place.manifest(), place.where);
  const files = Object.entries(manifest.files);
  const total = files.reduce((sum, [, { bytes }]) => sum + bytes, 0);
  let done = 0;
  for (const [name, expected] of files) {
    const damaged = (found: string, wanted: string): UserError =>
      new UserError(`Cannot restore "${place.where}": ${name} ${found}, expected ${wanted}`, {
        next: "The backup is damaged: use another one",
      });
    const found = await place.facts(name, false).catch((error: Error) => {
      throw damaged(`cannot be read (${error.message})`, "the file");
    });
    if (found.bytes !== expected.bytes) throw damaged(`has ${found.bytes} bytes`, String(expected.bytes));
    if (found.sha256 !== expected.sha256) throw damaged(`has the sha256 ${found.sha256}`, expected.sha256);
    onProgress?.((done += expected.bytes), total);
  }
  return manifest;
}

/** @throws UserError when the backup is damaged or too new, or there is something already; StoreUnavailable, ControlUnavailable, KafkaError */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { config, store, control, place, replace, failpoint, onProgress } = options;
  const manifest = await verifyBackup(place, onProgress);
  checkMigrations(manifest.store.migrations, await storeMigrations(), place);
  checkMigrations(manifest.control.migrations, await controlMigrations(), place);
  await store.createDatabase();
  if (!replace && !(await isRestoring(config))) await checkEmpty(options);

  await checkIdle(config, manifest);

  await noteRestore(config, place.where);
  await store.command(`DROP DATABASE ${quoteName(store.database)} SYNC`);
  await store.createDatabase();
  await createRecord(store);
  await recordMigrations(store, [RESTORE_UNFINISHED]);
  const from = { database: manifest.store.database, from: place.store(false), folder: config.data };
  await restoreDatabase(store, from, onProgress);
  failpoint("restore of store");
  await store.command("TRUNCATE TABLE IF EXISTS weir_instance"); // a name of a process that is not this one
  const beyond = await trimToPositions(store, manifest.positions, manifest.begun);
  await checkRows(store, manifest);

  await loadControl(control, manifest.control, (file) => place.read(file));
  failpoint("restore of control");
  await restoreLedgerFiles(config, manifest, place);
  const notes = [...(await restoreCommits(config, manifest)), ...(await notesOf(config, manifest))];
  failpoint("restore of ledgers");

  await recordMigrations(store, manifest.store.migrations);
  await store.command("ALTER TABLE weir_migrations DELETE WHERE number = {number:UInt32}", {
    number: RESTORE_UNFINISHED.number,
  });
  await forgetRestore(config);
  return { manifest, beyond, notes };
}

function checkMigrations(applied: readonly Applied[], known: readonly Migration[], place: BackupPlace): void {
  for (const record of applied)
    try {
      checkRecord(record, known);
    } catch (error) {
      throw new UserError(`Cannot restore "${place.where}": ${(error as Error).message}`);
    }
}

async function checkEmpty({ config, store, control }: RestoreOptions): Promise<void> {
  const found: string[] = [];
  if ((await appliedMigrations(store)).some(({ number }) => number === RESTORE_UNFINISHED.number)) return;
  const [tables] = await store.rows<{ n: string }>(
    "SELECT sum(total_rows) AS n FROM system.tables WHERE database = currentDatabase() AND name NOT IN ('weir_migrations', 'weir_instance')",
  );
  if (Number(tables!.n) > 0) found.push(`${tables!.n} rows in the store`);
  const rows = await countControlRows(control);
  if (rows > 0) found.push(`${rows} rows in the control store`);
  const ledgers = (await readdir(ledgerFolder(config)).catch(() => [])).filter((name) => name.endsWith(".json"));
  if (ledgers.length > 0) found.push(`${ledgers.length} ledgers in ${ledgerFolder(config)}`);
  if (found.length > 0)
    throw new UserError(`Cannot restore into "${config.data}": there are ${found.join(", ")}, expected nothing`, {
      next: "Restore into another WEIR_DATA, or say --replace: then what is there goes",
    });
}

async function checkRows(store: Store, { store: { rows }, positions }: Manifest): Promise<void> {
  const restored = await countRows(store, positions);
  for (const [table, expected] of Object.entries(rows))
    if (restored[table] !== expected)
      throw new Error(
        `Cannot restore "${table}": ${restored[table] ?? 0} rows came back, expected ${expected} below the positions of the backup`,
      );
}

async function restoreLedgerFiles(config: Config, { ledgers }: Manifest, place: BackupPlace): Promise<void> {
  const folder = ledgerFolder(config);
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) if (name.endsWith(".json")) await rm(join(folder, name));
  for (const name of ledgers) await replaceFile(join(folder, name), await textOf(await place.read(`ledger/${name}`)));
}

async function notesOf(config: Config, { control, unknown }: Manifest): Promise<string[]> {
  const notes: string[] = [];
  const here = await secretKeyIds(config);
  const missing = control.secret_keys.filter((id) => !here.includes(id));
  if (missing.length > 0)
    notes.push(
      `Secrets of channels were sealed with the key ${missing.join(", ")}, which is not here: put it into WEIR_SECRETS_KEYS, or ${join(config.data, "secrets-key")} of then back`,
    );
  if (unknown.length > 0)
    notes.push(`Of ${unknown.join(", ")} no ledger is in the backup: nobody knows up to where they are whole`);
  return notes;
}
