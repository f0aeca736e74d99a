/** What writing costs, by table: as the engine inserts, and ClickHouse by itself from a file. And what a row takes. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "../../clickhouse/client.ts";
import { quoteText } from "../../clickhouse/quote.ts";
import { COLUMNS } from "../../clickhouse/tables.ts";
import type { TableName } from "../../engine/worker/outcome.ts";
import { figure } from "../figure.ts";
import type { Load } from "../load/load.ts";
import type { Check, Context, Figure, Measured } from "../scenario.ts";
import { countOf } from "./history.ts";
import type { TableRows } from "./rows.ts";
import { type CpuClock, millisecondsOf } from "./stopwatch.ts";

export interface Writing {
  /** Begins the name of each figure. */
  readonly name: string;
  readonly store: Store;
  readonly tables: readonly TableRows[];
  /** That these are of. */
  readonly transactions: number;
  /** Of them a second. */
  readonly goal: number;
  /** Of the embedded store: a folder that it reads files in, and its CPU. */
  readonly embedded?: { readonly folder: string; readonly cpu: CpuClock };
}

/** Leaves each table with these rows, once. */
export async function measureWriting(writing: Writing, { runs, say }: Context): Promise<Measured> {
  const { name, store, tables, transactions, goal, embedded } = writing;
  const checks: Check[] = [];
  const figures: Figure[] = [];
  const totals = Array.from({ length: runs }, () => ({ ms: 0, cpu: 0 }));
  for (const part of tables) {
    const { table, rows } = part;
    say(`${name}: writing ${rows} rows of ${table}`);
    const alone = embedded && (await insertFromFile(store, part, embedded.folder));
    const [ours, theirs]: [number[], number[]] = [[], []];
    await insert(store, part); // warms up
    for (const total of totals) {
      if (alone) theirs.push((1000 * rows) / (await millisecondsOf(alone)));
      await store.command(`TRUNCATE TABLE ${table}`);
      const before = embedded?.cpu() ?? 0;
      const ms = await millisecondsOf(() => insert(store, part));
      ours.push((1000 * rows) / ms);
      total.ms += ms;
      total.cpu += (embedded?.cpu() ?? 0) - before;
    }
    figures.push(figure(`${name}: ${table} written`, "rows/s", ours));
    if (alone) figures.push(figure(`${name}: ${table}, INSERT … SELECT FROM file by ClickHouse`, "rows/s", theirs));
    // The last insert came behind a TRUNCATE: nothing else is there.
    checks.push({ name: `${name}: rows of ${table}`, expected: rows, got: await countOf(store, table) });
  }
  const rates = totals.map(({ ms }) => (1000 * transactions) / ms);
  figures.push(figure(`${name}: written with all rows made of them`, "tx/s", rates, { atLeast: goal }));
  const used = totals.map(({ cpu }) => (1e6 * cpu) / transactions);
  if (embedded) figures.push(figure(`${name}: CPU of the store for that`, "µs/tx", used));
  return { checks, figures };
}

const insert = (store: Store, { table, body, rows }: TableRows): Promise<void> =>
  store.insertBlock({ table, ...shapeOf(table), format: "Native", bodies: [body], rows });

/** @returns what inserts the same rows without us */
async function insertFromFile(store: Store, { table, body }: TableRows, folder: string): Promise<() => Promise<void>> {
  const { columns, types } = shapeOf(table);
  const file = join(folder, `${table}.native`);
  await writeFile(file, body);
  const structure = columns.map((column, i) => `${column} ${types[i]}`).join(", ");
  const source = `file(${quoteText(file)}, 'Native', ${quoteText(structure)})`;
  return () => store.command(`INSERT INTO ${table} (${columns.join(", ")}) SELECT * FROM ${source}`);
}

const shapeOf = (table: TableName) => ({
  columns: COLUMNS[table].map(([name]) => name),
  types: COLUMNS[table].map(([, type]) => type),
});

/** Bytes on disk after a merge, by row, and of transactions against the JSON that came in, whose every byte they have. */
export async function measureSize(
  store: Store,
  name: string,
  tables: readonly TableRows[],
  load: Load,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { table, rows } of tables) {
    await store.command(`OPTIMIZE TABLE ${table} FINAL`);
    const [size] = await store.rows<{ bytes: number }>(
      `SELECT toFloat64(sum(data_compressed_bytes)) AS bytes FROM system.parts
       WHERE active AND database = currentDatabase() AND table = {table:String}`,
      { table },
    );
    figures.push(figure(`${name}: ${table} on disk`, "B/row", [size!.bytes / rows]));
    if (table !== "transactions") continue;
    const ratio = (load.bytes * load.lines.length) / size!.bytes;
    const goal = name === "blocks" ? { atLeast: 10 } : undefined; // generated transactions are mostly noise, which nothing compresses
    figures.push(figure(`${name}: JSON that came in by bytes of transactions`, "", [ratio], goal));
  }
  return figures;
}
