/**
 * Forges what SIGKILL can leave between ClickHouse's two writes of an insert into a MergeTree with a deduplication window: the
 * part, and the token's line in `deduplication_logs/deduplication_log_N.txt`
 *
 *     1 <tab> all_1_1_0 <tab> all_<hash>_<hash>        1: token added with this part   2: dropped
 *
 * The store's child must be stopped (`stopEmbedded`), and the part neither merged nor mutated since.
 */
import { access, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface TornTable {
  /** Folder of the embedded store. */
  readonly folder: string;
  readonly table: string;
  /** Default `weir`. */
  readonly database?: string;
}

/** Keeps the rows of the last insert, and forgets its token: a repeat will add them again. */
export async function forgetLastToken(torn: TornTable): Promise<void> {
  const { file, lines } = await lastInsert(torn);
  await writeFile(file, lines.slice(0, -1).join(""));
}

/** Removes the rows of the last insert, and keeps its token: a repeat will add nothing. */
export async function loseLastRows(torn: TornTable): Promise<void> {
  const { part } = await lastInsert(torn);
  await access(part); // merged away: forging would do nothing
  await rm(part, { recursive: true });
}

async function lastInsert(torn: TornTable): Promise<{ file: string; lines: string[]; part: string }> {
  const folder = await tableFolder(torn);
  const logs = join(folder, "deduplication_logs");
  const numbered = (name: string): number => Number(/_(\d+)\.txt$/.exec(name)?.[1]);
  for (const name of (await readdir(logs)).sort((a, b) => numbered(b) - numbered(a))) {
    const file = join(logs, name);
    const lines = (await readFile(file, "utf8")).split(/(?<=\n)/);
    const [operation, part] = lines.at(-1)!.split("\t");
    if (operation === "1") return { file, lines, part: join(folder, part!) };
  }
  throw new Error(`Cannot forge a torn insert into "${torn.table}": no token is recorded, expected an insert with one`);
}

/** `data/metadata/<database>.sql` and the table's own file name the UUIDs that folders are made of. */
async function tableFolder({ folder, table, database = "weir" }: TornTable): Promise<string> {
  const data = join(folder, "data");
  const schema = storeFolder(data, await uuidIn(join(data, "metadata", `${database}.sql`)));
  return storeFolder(data, await uuidIn(join(schema, `${table}.sql`)));
}

const storeFolder = (data: string, uuid: string): string => join(data, "store", uuid.slice(0, 3), uuid);

async function uuidIn(file: string): Promise<string> {
  const uuid = /UUID '([0-9a-f-]{36})'/.exec(await readFile(file, "utf8"))?.[1];
  if (uuid === undefined) throw new Error(`Cannot find the UUID in "${file}": expected ATTACH … UUID '…'`);
  return uuid;
}
