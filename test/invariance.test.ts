/**
 * The same input gives the same result: with any number of threads, any cut into batches, stopped in the middle and resumed,
 * with worker threads killed. Compared are all rows of all tables, byte by byte, and the records for the topics, of the first blocks of the bundled
 * recording. Besides the examples two rules run that ask what was found: a condition, and a module that counts, which sees the batches one
 * after the other.
 */
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Store } from "../clickhouse/client.ts";
import { COLUMNS } from "../clickhouse/tables.ts";
import { runnable } from "../engine/bundle.mjs";
import { BUNDLED_RECORDING } from "../engine/cli/bundled.ts";
import { migrateControl } from "../engine/control/migrate.ts";
import { openControl } from "../engine/control/open.ts";
import { openCatalogue } from "../engine/rules/catalogue.ts";
import { readLines } from "../engine/source/recording.ts";
import { tryRule } from "../rules-as/cli/tryRule.ts";
import { type Counts, countRecording } from "./support/countRecording.ts";
import { type Databases, openDatabases, type Run } from "./support/databases.ts";
import { startNode, startWeir, until } from "./support/engineProcess.ts";
import { wholeBlocks } from "./support/wholeBlocks.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 100_000);
const pick = (tag: string, from: number, to: number): number =>
  from + (createHash("sha256").update(`${SEED} ${tag}`).digest().readUInt32LE() % (to - from + 1));
const TRACED_REPLAY = await runnable("test/support/tracedReplay");

let databases: Databases;
let run: Run;
let folder: string;

beforeAll(async () => {
  console.log(`SEED=${SEED} npx vitest run test/invariance.test.ts repeats this run`);
  databases = await openDatabases();
  folder = await mkdtemp(join(tmpdir(), "weir-invariance-"));
  run = await databases.newRun();
  await addFactRules(run.env.DATABASE_URL!);
});

afterEach(async () => {
  await run.giveBack();
  run = await databases.newRun();
});

/** Live from the start, in the control store of all runs. */
async function addFactRules(url: string): Promise<void> {
  const template = (file: string): URL => new URL(`../rules-as/examples/templates/${file}`, import.meta.url);
  const control = openControl({ url });
  await migrateControl(control);
  const catalogue = await openCatalogue({ control });
  const by = "a test";
  const { wasm } = await tryRule(template("unseen-arbitrage.ts"));
  const uploads = [
    await catalogue.upload("unseen-arbitrage", wasm, { by }),
    await catalogue.upload("paid-arbitrage", await readFile(template("paid-arbitrage.json")), { by, kind: "json" }),
  ];
  expect(uploads).toMatchObject([{ ok: true }, { ok: true }]);
  await control.close();
}

afterAll(async () => {
  await databases?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Rows in an order of their own, as bytes. Statistics are a row a batch, so their sums are compared. */
async function content(store: Store): Promise<Record<string, string>> {
  const hashOf = async (sql: string): Promise<string> => {
    const hash = createHash("sha256");
    for await (const chunk of await store.stream(sql, {}, "RowBinary")) hash.update(chunk as Buffer);
    return hash.digest("hex");
  };
  const names = (table: keyof typeof COLUMNS): string => COLUMNS[table].map(([name]) => `\`${name}\``).join(", ");
  return {
    transactions: await hashOf(`SELECT ${names("transactions")} FROM transactions ORDER BY offset, n`),
    transfers: await hashOf(`SELECT ${names("transfers")} FROM transfers ORDER BY offset, n, log_index`),
    alerts: await hashOf(`SELECT ${names("alerts")} FROM alerts ORDER BY offset, n, rule, ordinal`),
    dead_letters: await hashOf(`SELECT ${names("dead_letters")} FROM dead_letters ORDER BY offset, n, rule`),
    swaps: await hashOf(`SELECT ${names("swaps")} FROM swaps ORDER BY offset, n, log_index`),
    arbitrages: await hashOf(`SELECT ${names("arbitrages")} FROM arbitrages ORDER BY offset, n, log_index`),
    sandwiches: await hashOf(`SELECT ${names("sandwiches")} FROM sandwiches ORDER BY offset, n, log_index`),
    opportunity_captures: await hashOf(
      `SELECT ${names("opportunity_captures")} FROM opportunity_captures ORDER BY offset, n, pool`,
    ),
    gas_blocks: await hashOf(`SELECT ${names("gas_blocks")} FROM gas_blocks ORDER BY offset, n`),
    rule_stats: await hashOf(
      `SELECT source, rule, rule_version, sum(evaluations), sum(matches), sum(traps), sum(fuel) FROM rule_stats GROUP BY ALL ORDER BY ALL`,
    ),
    transactions_per_minute: await hashOf(
      `SELECT chain_id, minute, source, sum(transactions), sum(pending), sum(failed), sum(gas_used), sum(input_bytes)
       FROM transactions_per_minute GROUP BY ALL ORDER BY ALL`,
    ),
  };
}

interface Trace {
  readonly records: string[];
  readonly complete: boolean;
  readonly killed: number;
}

async function traced(env: Record<string, string>, disturbance = ""): Promise<Trace> {
  const run = startNode([...TRACED_REPLAY, join(folder, "part.ndjson"), disturbance], env);
  const { code } = await run.exited;
  expect(code, run.log().slice(-3_000)).toBe(0);
  return JSON.parse(run.stdout().trim().split("\n").at(-1)!) as Trace;
}

const small = { WEIR_THREADS: "2", WEIR_BATCH_MAX_RECORDS: "100", WEIR_RANGE_MAX_ROWS: "1000" };
const cut = (tag: string) => ({
  WEIR_BATCH_MAX_RECORDS: String(pick(`records ${tag}`, 60, 900)),
  WEIR_RANGE_MAX_ROWS: String(pick(`rows ${tag}`, 1_000, 9_000)),
});

/** Findings of all kinds, and batches enough to be disturbed on the way. */
const LINES = 4_000;

describe("the first blocks of the bundled recording", () => {
  let first: { content: Record<string, string>; records: string[] };
  let expected: Counts;
  beforeAll(async () => {
    const lines: Buffer[] = [];
    for await (const line of readLines(BUNDLED_RECORDING)) lines.push(Buffer.from(line));
    const part = join(folder, "part.ndjson");
    await writeFile(part, `${lines.slice(0, wholeBlocks(lines, LINES)).join("\n")}\n`);
    expected = countRecording(part);
  });

  test("one thread and large batches: the reference", async () => {
    const { env, store } = run;
    const { records, complete } = await traced({ ...env, WEIR_THREADS: "1" });
    expect(complete).toBe(true);
    first = { content: await content(store), records: records.sort() };
    const rowsOf = async (table: string) =>
      (await store.rows<{ n: number }>(`SELECT toFloat64(count()) AS n FROM ${table}`))[0]!.n;
    const { transactions, blocks, alerts, findings } = expected;
    const [arbitrages, sandwiches] = [
      await rowsOf("arbitrages WHERE definition = 'cycle'"),
      await rowsOf("sandwiches"),
    ];
    expect(Math.min(...Object.values(alerts), arbitrages, sandwiches)).toBeGreaterThan(5);
    const raised = Object.values(alerts).reduce((sum, count) => sum + count) + 2 * arbitrages; // two rules tell of each
    expect([await rowsOf("transactions"), await rowsOf("swaps"), await rowsOf("alerts")]).toEqual([transactions, findings.swap, raised]); // biome-ignore format: one call
    // each block has a record of risk metrics; arbitrages are on two topics
    expect(records.length).toBe(raised + sandwiches + 2 * arbitrages + blocks);
  });

  test("four threads and other batches give the same rows and records", async () => {
    const { env, store } = run;
    const { records } = await traced({ ...env, WEIR_THREADS: "4", ...cut("4") });
    expect(await content(store)).toEqual(first.content);
    expect(records.sort()).toEqual(first.records);
  });

  test("stopped in the middle and resumed with other threads and batches: the same", async () => {
    const { env, store } = run;
    const before = await traced({ ...env, ...small, WEIR_THREADS: "4" }, "stop");
    expect(before.complete).toBe(false);
    const after = await traced({ ...env, WEIR_THREADS: "1", ...cut("resumed") });
    expect(after.complete).toBe(true);
    expect(await content(store)).toEqual(first.content);
    expect([...before.records, ...after.records].sort()).toEqual(first.records);
  });

  test("two threads, killed on the way: the same", async () => {
    const { env, store } = run;
    const { records, killed } = await traced({ ...env, ...small }, "kill-worker");
    expect(killed).toBe(3);
    expect(await content(store)).toEqual(first.content);
    expect(records.sort()).toEqual(first.records);
  });
});

describe("weir", () => {
  let expected: Counts;
  beforeAll(() => {
    const counts = countRecording(BUNDLED_RECORDING);
    const { arbitrage } = counts.findings as { arbitrage: number }; // all of them paid, and none was seen pending
    expected = { ...counts, alerts: { ...counts.alerts, "paid-arbitrage": arbitrage, "unseen-arbitrage": arbitrage } };
  });
  interface Summary extends Counts {
    readonly dead_letters: number;
    readonly seconds: number;
    readonly tx_per_s: number;
  }
  const summaryOf = (stdout: string): Summary => JSON.parse(stdout.trim().split("\n").at(-1)!) as Summary;
  const counted = ({ transactions, blocks, alerts, findings }: Counts): Counts => ({
    transactions,
    blocks,
    alerts,
    findings,
  });

  async function weir(args: readonly string[], env: Record<string, string>): Promise<Summary> {
    const run = startWeir(args, env);
    expect((await run.exited).code, run.log().slice(-3_000)).toBe(0);
    return summaryOf(run.stdout());
  }

  const stored = async (store: Store): Promise<unknown> => {
    const [row] = await store.rows<Record<string, number>>(
      `SELECT toFloat64(count()) AS transactions, toFloat64(uniqExactIf((chain_id, block_number), block_number IS NOT NULL)) AS blocks,
         toFloat64(uniqExact(offset)) AS offsets FROM transactions`,
    );
    const alerts = await store.rows<{ rule: string; n: number }>(
      "SELECT rule, toFloat64(count()) AS n FROM alerts GROUP BY rule",
    );
    // findings stand where their transaction does, and say of it what it says
    const [findings] = await store.rows<Record<string, number>>(
      `SELECT toFloat64(countIf(kind = 's')) AS swap, toFloat64(countIf(kind = 'a')) AS arbitrage, toFloat64(countIf(kind = 'w')) AS sandwich
       FROM (SELECT 's' AS kind, source, offset, n, tx_hash, tx_from, block_hash, event_time FROM swaps
         UNION ALL SELECT 'a', source, offset, n, tx_hash, tx_from, block_hash, event_time FROM arbitrages
         UNION ALL SELECT 'w', source, offset, n, tx_hash, tx_from, block_hash, event_time FROM sandwiches) AS f
       JOIN transactions AS t ON t.source = f.source AND t.offset = f.offset AND t.n = f.n AND t.hash = f.tx_hash
         AND t.from_address = f.tx_from AND t.block_hash = f.block_hash AND t.event_time = f.event_time`,
    );
    return { ...row, alerts: Object.fromEntries(alerts.map(({ rule, n }) => [rule, n])), findings };
  };

  test("start --exit: its summary is what plain JavaScript and ClickHouse count; again it is stored already; --again stores it again", async () => {
    const { env, store } = run;
    const summary = await weir(["start", "--exit"], env);
    expect(counted(summary)).toEqual(expected);
    expect(summary.dead_letters).toBe(0);
    expect(summary.tx_per_s).toBeGreaterThan(0);
    expect(await stored(store)).toEqual({ ...expected, offsets: expected.transactions });

    const second = await weir(["replay", BUNDLED_RECORDING, "--json"], env);
    expect(counted(second)).toEqual(expected);
    expect(second.tx_per_s).toBe(0);
    expect(await stored(store)).toEqual({ ...expected, offsets: expected.transactions });

    const again = await weir(["replay", BUNDLED_RECORDING, "--json", "--again"], env);
    expect(counted(again)).toEqual(expected);
    const sources = await store.rows<{ source: string; n: number }>(
      "SELECT source, toFloat64(count()) AS n FROM transactions GROUP BY source ORDER BY source",
    );
    expect(sources).toEqual([
      { source: expect.stringMatching(/^recording:[0-9a-f]{64}$/), n: expected.transactions },
      { source: `${sources[0]!.source}#2`, n: expected.transactions },
    ]);
  });

  test("Ctrl-C in the middle: exit 130, what was begun is finished, and the same command goes on to the same counts", async () => {
    const { env, store, data } = run;
    const slow = { ...env, WEIR_THREADS: "1", WEIR_BATCH_MAX_RECORDS: "20", WEIR_RANGE_MAX_ROWS: "1000" };
    const replay = startWeir(["replay", BUNDLED_RECORDING, "--json"], slow);
    await until(
      async () =>
        (await store.rows<{ n: string }>("SELECT count() AS n FROM transactions").catch(() => [{ n: "0" }]))[0]!.n !==
        "0",
      replay.log,
    );
    replay.child.kill("SIGINT");
    expect((await replay.exited).code, replay.log()).toBe(130);
    const partial = summaryOf(replay.stdout());
    expect(partial.transactions).toBeGreaterThan(0);
    expect(partial.transactions).toBeLessThan(expected.transactions);
    const sha256 = createHash("sha256")
      .update(await readFile(BUNDLED_RECORDING))
      .digest("hex");
    const ledger = JSON.parse(await readFile(join(data, "ledger", `${sha256}-1.json`), "utf8"));
    expect(ledger.partitions["0"]).toEqual({
      published: partial.transactions,
      ledger: `1;${partial.transactions.toString(36)}`,
    });
    expect(counted(await weir(["replay", BUNDLED_RECORDING, "--json"], env))).toEqual(expected);
    expect(await stored(store)).toEqual({ ...expected, offsets: expected.transactions });
  });
});
