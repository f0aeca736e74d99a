/**
 * The store alone: what writing costs by table, what a row takes, how long the API's queries take over history, how fast exports leave.
 *
 *     write      rows that the worker makes, as the engine inserts them; beside it ClickHouse reading the same from a file. Embedded, and
 *                a server where CLICKHOUSE_URL names one
 *     size       of a row on disk; of a transaction against the JSON that it came as
 *     questions  over 10 million transactions, the blocks repeated with fresh hashes
 *     export     10 million swaps, all columns, by format, into files
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore, type Store } from "../../clickhouse/client.ts";
import { stopEmbedded } from "../../clickhouse/embedded/open.ts";
import { migrate } from "../../clickhouse/migrate.ts";
import { quoteName } from "../../clickhouse/quote.ts";
import { closeHours } from "../../engine/statistics/closeHours.ts";
import { blocksLoad, pendingLoad } from "../load/load.ts";
import type { Check, Context, Figure, Measured, Scenario } from "../scenario.ts";
import { measureQuestions } from "../storage/asking.ts";
import { measureExports } from "../storage/exporting.ts";
import { countOf, fillHistory } from "../storage/history.ts";
import { rowsOf } from "../storage/rows.ts";
import { storeCpu } from "../storage/stopwatch.ts";
import { measureSize, measureWriting, type Writing } from "../storage/writing.ts";
import { exampleRules } from "./exampleRules.ts";

const QUICK = { pending: 20_000, rounds: 1, history: 1_000_000, exported: 1_000_000 };
const FULL = { pending: 100_000, rounds: 4, history: 10_000_000, exported: 10_000_000 };
const GOALS = { pending: 100_000, blocks: 20_000 };

export const storage: Scenario = {
  name: "storage",
  async run(context) {
    const size = context.quick ? QUICK : FULL;
    const rules = await exampleRules();
    const [pending, blocks] = [pendingLoad(size.pending), await blocksLoad(size.rounds, context.say)];
    const loads: Omit<Writing, "store">[] = [];
    for (const load of [pending, blocks])
      loads.push({
        name: load.name,
        tables: await rowsOf(load, rules),
        transactions: load.lines.length,
        goal: load === pending ? GOALS.pending : GOALS.blocks,
      });
    const parts: Measured[] = [];
    await onServer(async (store) => {
      for (const load of loads)
        parts.push(await measureWriting({ ...load, name: `server, ${load.name}`, store }, context));
    });
    await onEmbedded(async (store, folder) => {
      const cpu = await storeCpu(join(folder, "store"));
      for (const [i, load] of loads.entries()) {
        // The last of them leaves the rows that history is made of.
        parts.push(await measureWriting({ ...load, store, embedded: { folder, cpu } }, context));
        parts.push({ checks: [], figures: await measureSize(store, load.name, load.tables, [pending, blocks][i]!) });
      }
      if ("questions".includes(context.only)) parts.push(await questions(store, size.history, folder, context));
      if ("export".includes(context.only))
        parts.push(await measureExports({ store, folder, rows: size.exported, cpu }, context));
    });
    return { checks: parts.flatMap(({ checks }) => checks), figures: parts.flatMap(({ figures }) => figures) };
  },
};

/** The last 64 blocks of each chain could be replaced: its last hour or two are open. */
const FOLLOWED_LIVE =
  "INSERT INTO chain_heads SELECT chain_id, max(block_number), argMax(block_hash, block_number), max(block_number) - 64, 0 FROM gas_blocks GROUP BY chain_id";

async function questions(store: Store, wanted: number, folder: string, context: Context): Promise<Measured> {
  const expected = await fillHistory(store, wanted, context.say);
  await store.command(FOLLOWED_LIVE);
  await closeHours(store); // as the engine does
  const checks: Check[] = [];
  const figures: Figure[] = [];
  for (const [table, rows] of expected)
    checks.push({ name: `history: rows of ${table}`, expected: rows, got: await countOf(store, table) });
  const asked = await measureQuestions(store, await storeCpu(join(folder, "store")), context);
  return { checks: [...checks, ...asked.checks], figures: [...figures, ...asked.figures] };
}

async function onEmbedded(work: (store: Store, folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "weir-bench-storage-"));
  const store = await openStore({ folder: join(folder, "store") });
  try {
    await store.createDatabase();
    await migrate(store);
    await work(store, folder);
  } finally {
    await store.close();
    await stopEmbedded(join(folder, "store"));
    await rm(folder, { recursive: true, force: true });
  }
}

/** In a database of its own, which is dropped. Without a server nothing is done. */
async function onServer(work: (store: Store) => Promise<void>): Promise<void> {
  const { CLICKHOUSE_URL: url, CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password } = process.env;
  if (!url) return;
  const database = `weir_bench_${randomUUID().slice(0, 8)}`;
  const store = await openStore({ url, database, ...(username && { username }), ...(password && { password }) });
  try {
    await store.createDatabase();
    await migrate(store);
    await work(store);
  } finally {
    await store.command(`DROP DATABASE ${quoteName(database)}`);
    await store.close();
  }
}
