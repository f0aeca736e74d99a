/**
 * Makes a backup while engines go on. Its parts are read one after the other, so each is as of another moment; what makes one moment of them
 * is a position:
 *
 *     1. ledgers      below `stored` of each partition every row is in the store, and no row ever changes again
 *     2. the store    has all of these, and some beyond: these are removed when it is restored
 *     3. control      has the versions of rules and worlds that ranges beyond `stored` were begun with, and more
 *
 * So what is restored stands at `stored`, with ledgers that say so, and the engine does what comes behind once more.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "../../clickhouse/client.ts";
import { appliedMigrations } from "../../clickhouse/migrate.ts";
import { unknownSources } from "../archive/positions.ts";
import { ARCHIVE_JOB } from "../archive/run.ts";
import { runJob } from "../control/jobs.ts";
import type { Control } from "../control/open.ts";
import { secretKeyId } from "../control/secrets.ts";
import type { Config } from "../ops/config.ts";
import { UserError } from "../ops/errors.ts";
import type { Failpoint } from "../ops/failpoint.ts";
import { VERSION } from "../ops/version.ts";
import { readLedgers, storedTo } from "../sink/ledgers.ts";
import { dumpControl } from "./controlData.ts";
import type { Manifest } from "./manifest.ts";
import { type BackupPlace, bytesOf } from "./place.ts";
import { backUpDatabase, compactions, countRows, type OnProgress } from "./storeData.ts";

export interface BackupOptions {
  readonly config: Config;
  readonly store: Store;
  readonly control: Control;
  readonly place: BackupPlace;
  readonly failpoint: Failpoint;
  readonly now?: () => Date;
  /** Bytes of the store. */
  readonly onProgress?: OnProgress;
}

/** How often it begins anew when rules' state was compacted under it, which happens once in 200,000 rows of it. */
const TRIES = 3;

/**
 * The archive and retention wait meanwhile, in all processes: they remove rows.
 * @throws JobHeld while another process archives or makes a backup; UserError, StoreUnavailable, ControlUnavailable, KafkaError
 */
export async function backUp(options: BackupOptions): Promise<Manifest> {
  const ran = await runJob(options.control, ARCHIVE_JOB, (lost) => make(options, lost));
  return ran!.result;
}

async function make(options: BackupOptions, lost: AbortSignal): Promise<Manifest> {
  const { config, store, control, place, failpoint, now = () => new Date() } = options;
  const created = now();
  await place.begin();
  const { ledgers, positions } = await storeAtPosition(options);
  failpoint("backup of store");
  const later = new Set(storedTo(await readLedgers(config), config).map(({ source }) => source));
  const begun = [...later].filter((source) => !positions.some((each) => each.source === source));
  const rows = await countRows(store, positions);
  const unknown = await unknownSources(store, [...positions, ...begun.map((source) => ({ source, partition: 0, stored: 0 }))]); // biome-ignore format: one line

  for (const { name, text } of ledgers.files) await place.write(`ledger/${name}`, bytesOf(text));
  const controlFacts = await dumpControl(control, await secretKeyIds(config), place.write);
  failpoint("backup of control");
  const files: Manifest["files"] = {};
  for (const file of await place.written()) files[file] = await place.facts(file, true);
  lost.throwIfAborted();
  const manifest: Manifest = {
    version: 1,
    weir: VERSION,
    created_at: created.toISOString(),
    store: {
      database: store.database,
      clickhouse: await store.version(),
      migrations: (await appliedMigrations(store)).map(({ number, name, sha256 }) => ({ number, name, sha256 })),
      rows,
    },
    positions,
    begun,
    unknown,
    ledgers: ledgers.files.map(({ name }) => name),
    commits: [...ledgers.commits],
    control: controlFacts,
    files,
  };
  await place.publish(`${JSON.stringify(manifest)}\n`);
  return manifest;
}

async function storeAtPosition({ config, store, place, onProgress }: BackupOptions) {
  for (let attempt = 1; ; attempt++) {
    const before = await compactions(store);
    const ledgers = await readLedgers(config);
    await place.storing(store, () => backUpDatabase(store, place.store(true), onProgress));
    if ((await compactions(store)) === before) return { ledgers, positions: storedTo(ledgers, config) };
    await place.dropStore();
    if (attempt === TRIES)
      throw new UserError(
        `Cannot back up to "${place.where}": what rules remember was compacted during each of ${TRIES} attempts, expected one without`,
        { next: "Run it again when less is going on" },
      );
  }
}

/** Of the keys as they are: none is made for this. */
export async function secretKeyIds({ secretsKeys, data }: Config): Promise<string[]> {
  if (secretsKeys) return secretsKeys.map(secretKeyId);
  const kept = await readFile(join(data, "secrets-key"), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return kept === undefined ? [] : [secretKeyId(kept.trim())];
}
