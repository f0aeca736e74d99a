/**
 * A new database is a copy of one that was made before: PGlite's initdb takes 5 s of CPU, copying what is left of it 0.1 s (24 MB,
 * 370 files; without the two templates of databases that nobody will make it was 0.8 s). The one that is copied lies in the
 * user's cache folder, a folder for each version of PGlite:
 *
 *     $XDG_CACHE_HOME or ~/.cache     weir/pglite-0.5.14-lean/
 */
import { constants, cpSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { cacheFolder, UNUSABLE } from "../../../engine/ops/cacheFolder.ts";

/**
 * Makes the database of a folder unless it is there. It appears at once and whole, however often this is interrupted. Several
 * processes may fill the cache at a time; the caller alone may make `folder`.
 *
 * @param make a database from nothing
 */
export async function ensureDatabase(folder: string, cache = cacheFolder(), make = initdb): Promise<void> {
  if (await isThere(folder)) return;
  const template = await ensureTemplate(cache, make).catch((error: NodeJS.ErrnoException) => {
    if (!UNUSABLE.has(error.code)) throw error;
    return undefined;
  });
  const draft = `${folder}.new`;
  await rm(draft, { recursive: true, force: true });
  if (template === undefined) await make(draft);
  else cpSync(template, draft, { recursive: true, mode: constants.COPYFILE_FICLONE }); // a quarter of what `cp` takes
  await rename(draft, folder);
}

/** Each process fills a folder of its own, and the first rename wins. undefined: there is one that we had better not trust. */
async function ensureTemplate(cache: string, make: typeof initdb): Promise<string | undefined> {
  const template = join(cache, `pglite-${await pgliteVersion()}-lean`);
  if (!(await isThere(template))) {
    await mkdir(cache, { recursive: true, mode: 0o700 });
    const draft = await mkdtemp(`${template}.`);
    try {
      await make(draft);
      await rename(draft, template);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      if (!(await isThere(template))) throw error; // else another was faster: its copy is as good
    }
  }
  const { uid, mode } = await stat(template);
  const ours = uid === process.getuid?.() && (mode & 0o022) === 0;
  return ours ? template : undefined;
}

async function initdb(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const made = await PGlite.create(folder);
  await made.exec("UPDATE pg_database SET datistemplate = false");
  for (const name of ["template0", "template1"]) await made.exec(`DROP DATABASE ${name}`);
  await made.exec("CHECKPOINT");
  await made.close();
}

/** initdb writes PG_VERSION early, but into a draft. */
async function isThere(folder: string): Promise<boolean> {
  try {
    await stat(join(folder, "PG_VERSION"));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

async function pgliteVersion(): Promise<string> {
  const main = createRequire(import.meta.url).resolve("@electric-sql/pglite");
  const { version } = JSON.parse(await readFile(join(dirname(main), "..", "package.json"), "utf8")) as {
    version: string;
  };
  return version;
}
