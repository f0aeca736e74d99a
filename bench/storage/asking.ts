/** How long the API's queries take in a store with history, warm, and how much of it they read. */
import { READ_SETTINGS } from "../../api/list.ts";
import { type Store, StoreUnavailable } from "../../clickhouse/client.ts";
import { figure, type Goal } from "../figure.ts";
import type { Check, Context, Figure, Measured } from "../scenario.ts";
import { countOf } from "./history.ts";
import { type Question, questionsOf } from "./questions.ts";
import { type CpuClock, millisecondsOf } from "./stopwatch.ts";

const GOALS: Readonly<Record<Question["kind"], Goal>> = { list: { below: 50 }, "roll-up": { below: 20 } };
/** Asked at this rate, whether the one before has been answered or not: a slow answer is not asked less often. */
const EVERY_MS = 50;
const TIMES = { quick: 10, full: 100 };

export async function measureQuestions(store: Store, cpu: CpuClock, { quick, say }: Context): Promise<Measured> {
  const checks: Check[] = [];
  const figures: Figure[] = [];
  const times = quick ? TIMES.quick : TIMES.full;
  let givenUp = 0;
  for (const question of await questionsOf(store)) {
    const { name, kind, table, share } = question;
    const ask = () =>
      question.ask().catch((error: unknown) => {
        if (!isGivenUp(error)) throw error;
        givenUp++; // asked faster than they are answered, questions wait for each other; an answer this late is one, too
      });
    await ask();
    await ask(); // warm
    const before = cpu();
    const ms = await atARate(times, () => millisecondsOf(ask));
    const used = (1000 * (cpu() - before)) / times;
    const at = (level: number): number => ms[Math.ceil(level * times) - 1]!;
    figures.push(figure(`${name}: p50`, "ms", [at(0.5)]));
    figures.push(figure(`${name}: p99`, "ms", [at(0.99)], GOALS[kind]));
    figures.push(figure(`${name}: CPU of the store`, "ms", [used]));
    const [read, all] = [await rowsRead(store, question), await countOf(store, table)];
    const allowed = Math.round(share * all) + GRANULES_A_PART * 8_192 * (await partsOf(store, table));
    say(`${name}: p50 ${at(0.5).toFixed(1)}, p99 ${at(0.99).toFixed(1)}, CPU ${used.toFixed(1)} ms; ${read} rows read of ${all} of ${table}`); // biome-ignore format: one line
    checks.push({ name: `${name}: rows read beyond ${allowed}`, expected: 0, got: Math.max(0, read - allowed) }); // biome-ignore format: one line
  }
  figures.push(figure("answers that the API would have given up", "", [givenUp], { below: 1 }));
  return { checks, figures };
}

const isGivenUp = (error: unknown): boolean => error instanceof StoreUnavailable && error.type === "TIMEOUT_EXCEEDED";

/** A task of a read takes up to so many of a part (merge_tree_min_rows_for_concurrent_read) before it is known where the page ends. */
const GRANULES_A_PART = 20;

async function partsOf(store: Store, table: string): Promise<number> {
  const sql = "SELECT toFloat64(count()) AS n FROM system.parts WHERE active AND database = currentDatabase() AND table = {table:String}"; // biome-ignore format: one line
  return (await store.rows<{ n: number }>(sql, { table }))[0]!.n;
}

/** Latencies of work that is begun every EVERY_MS, from when it should have begun, ascending. */
async function atARate(times: number, work: () => Promise<unknown>): Promise<number[]> {
  const began = performance.now();
  const answers = Array.from({ length: times }, async (_, i) => {
    const due = began + i * EVERY_MS;
    // not before: a timer leaves out what is less than a millisecond
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(Math.max(0, due - performance.now()))));
    await work();
    return performance.now() - due;
  });
  return (await Promise.all(answers)).sort((a, b) => a - b);
}

/** Rows of all tables that a query read, as ClickHouse counts them. */
async function rowsRead(store: Store, { query }: Question): Promise<number> {
  let text = "";
  for await (const chunk of await store.stream(query.sql, { ...query.params }, "JSON", READ_SETTINGS)) text += chunk;
  return (JSON.parse(text) as { statistics: { rows_read: number } }).statistics.rows_read;
}
