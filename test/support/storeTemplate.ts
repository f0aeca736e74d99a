/**
 * Embedded stores of tests begin as a copy of one that has all migrations: they take 1.5 s of CPU, copying what they leave 0.1 s.
 * It lies in the user's cache folder, one for each set of migrations and each version of what applied them. Tests of migrations
 * and of first starts begin with nothing instead.
 */
import { createHash } from "node:crypto";
import { constants, cpSync } from "node:fs";
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openStore } from "../../clickhouse/client.ts";
import { stopEmbedded } from "../../clickhouse/embedded/open.ts";
import { migrate } from "../../clickhouse/migrate.ts";
import { migrateControl } from "../../engine/control/migrate.ts";
import { openControl } from "../../engine/control/open.ts";
import { cacheFolder } from "../../engine/ops/cacheFolder.ts";

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/**
 * Puts an embedded store into a folder that has none: database `weir` with all migrations.
 * @param control the control store, too, with all of its own
 */
export async function fillStore(folder: string, { control = true } = {}): Promise<void> {
  const template = join(cacheFolder(), `test-store-${await version()}`);
  if (!(await isThere(template))) await make(template);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const part of control ? ["data", "postgres"] : ["data"])
    cpSync(join(template, part), join(folder, part), { recursive: true, mode: constants.COPYFILE_FICLONE });
}

/** Several test processes may make it at a time: each in a folder of its own, and the first rename wins. */
async function make(template: string): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(`${template}.`);
  try {
    const store = await openStore({ folder });
    await migrate(store);
    const control = openControl({ folder });
    await migrateControl(control);
    await control.close();
    await store.close();
    await stopEmbedded(folder);
    await rename(folder, template);
  } catch (error) {
    await stopEmbedded(folder);
    await rm(folder, { recursive: true, force: true });
    if (!(await isThere(template))) throw error;
  }
}

/** Of everything that a template is made of. */
async function version(): Promise<string> {
  const hash = createHash("sha256");
  for (const folder of ["clickhouse/migrations", "engine/control/migrations"])
    for (const file of (await readdir(root(folder))).sort()) hash.update(await readFile(join(root(folder), file)));
  for (const name of ["chdb", "@electric-sql/pglite"])
    hash.update(await readFile(root(`node_modules/${name}/package.json`)));
  return hash.digest("hex").slice(0, 16);
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
