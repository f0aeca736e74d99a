/** The history as a replay left it: a backtest says what the engine said then, and a diff what another version would say. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildExamples } from "../../../rules-as/cli/buildExamples.ts";
import { type Databases, openDatabases, type Run } from "../../../test/support/databases.ts";
import { startWeir } from "../../../test/support/engineProcess.ts";
import { readLines } from "../../source/recording.ts";
import { BUNDLED_RECORDING } from "../bundled.ts";
import { chart } from "./chart.ts";
import type { MatchLine } from "./evaluate.ts";
import { parseTime } from "./history.ts";
import { createWorkbench, type Ended, type Workbench, weirRule, weirRuleProcess } from "./testCommand.ts";

const ROOT = new URL("../../../", import.meta.url);
const MODULE = fileURLToPath(new URL("rules-as/examples/build/whale-transfer.wasm", ROOT));
const SOURCE = fileURLToPath(new URL("rules-as/examples/whale-transfer.ts", ROOT));
const LONG = 180_000;
const LINES = 6_000;

interface Summary {
  readonly transactions: number;
  readonly matches: number;
}

let databases: Databases;
let run: Run;
let bench: Workbench;
/** The first lines of the bundled one: more than a batch. */
let RECORDING: string;
beforeAll(async () => {
  bench = createWorkbench();
  await buildExamples();
  databases = await openDatabases();
  run = await databases.newRun();
  const lines: string[] = [];
  for await (const line of readLines(BUNDLED_RECORDING)) if (lines.push(line.toString()) === LINES) break;
  RECORDING = bench.write("part.ndjson", lines.join("\n"));
  const replay = startWeir(["replay", RECORDING, "--json"], { ...run.env, WEIR_THREADS: "1" });
  expect((await replay.exited).code, replay.log().slice(-3_000)).toBe(0);
}, LONG);
afterAll(async () => {
  bench?.remove();
  await databases?.close();
});

const weir = (...args: string[]) => weirRule(args, { env: run.env });
const weirProcess = (...args: string[]) => weirRuleProcess(args, { env: run.env });
/** The lines before the summary, and the summary. */
async function backtest(...args: string[]): Promise<{ found: MatchLine[]; summary: Summary }> {
  return resultOf(await weir("backtest", ...args, "--json"));
}
function resultOf(ended: Ended): { found: MatchLine[]; summary: Summary } {
  expect(ended.code, ended.stderr).toBe(0);
  const found = ended.lines() as unknown as (MatchLine & { summary: Summary })[];
  return { found, summary: found.pop()!.summary };
}

describe("weir rule backtest", () => {
  test("says what the engine stored, of a file as of the live rule, in the order of the recording", {
    timeout: LONG,
  }, async () => {
    const { found, summary } = resultOf(await weirProcess("backtest", MODULE, "--json"));
    const stored = await run.store.rows<MatchLine>(
      `SELECT rule, concat('0x', lower(hex(tx_hash))) AS tx_hash, toUInt32(block_number) AS block_number, severity, message
       FROM alerts WHERE rule = 'whale-transfer' ORDER BY offset, ordinal`,
    );
    expect(stored.length).toBeGreaterThan(20);
    expect(found.filter(({ severity }) => severity !== undefined)).toEqual(stored);
    expect((await backtest("whale-transfer")).found).toEqual(found);
    const over = await weirRule(["run", MODULE, RECORDING, "--json"]);
    expect(over.lines()).toEqual([...found, { summary }]);
  });

  test("takes a period by event_time, without its end; relative to what is newest", { timeout: LONG }, async () => {
    const [middle] = await run.store.rows<{ at: string; before: string; last: string }>(
      `WITH (SELECT quantileExact(0.5)(event_time) FROM transactions) AS half
       SELECT formatDateTime(half, '%Y-%m-%dT%H:%i:%S.%fZ') AS at, toString(countIf(event_time < half)) AS before,
         toString(countIf(event_time > (SELECT max(event_time) FROM transactions) - INTERVAL 10 MINUTE)) AS last FROM transactions`,
    );
    const all = await backtest(MODULE);
    const early = await backtest(MODULE, "--to", middle!.at);
    const late = await backtest(MODULE, "--from", middle!.at);
    expect(early.summary.transactions).toBe(Number(middle!.before));
    expect(early.summary.transactions + late.summary.transactions).toBe(all.summary.transactions);
    expect([...early.found, ...late.found].map((line) => JSON.stringify(line)).sort()).toEqual(
      all.found.map((line) => JSON.stringify(line)).sort(),
    );
    expect(early.found.length).toBeGreaterThan(0);
    expect((await backtest(MODULE, "--from", "-10m")).summary.transactions).toBe(Number(middle!.last));
  });

  test("says why not: nothing stored, no such rule, a wrong time, a store that is away", {
    timeout: LONG,
  }, async () => {
    const { env } = await databases.newRun();
    expect(await weirRule(["backtest", MODULE], { env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no transaction is stored"),
    });
    expect(await weir("backtest", "nobody")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no such rule"),
    });
    expect(await weir("backtest", MODULE, "--from", "yesterday")).toMatchObject({ code: 2 });
    const away = { ...run.env, CLICKHOUSE_URL: "http://127.0.0.1:1" };
    expect(await weirRule(["backtest", MODULE], { env: away })).toMatchObject({ code: 4 });
  });
});

describe("weir rule diff", () => {
  test("shows what other values of parameters add and drop, of the very same rule", { timeout: LONG }, async () => {
    const value = (ether: number) => `${ether}000000000000000000`;
    const more = await weir("diff", "whale-transfer", "whale-transfer", "--param", `threshold=${value(200)}`, "--json");
    expect(more.code, more.stderr).toBe(0);
    const { summary } = more.lines<{ summary: { dropped: number } }>().at(-1)!;
    const all = await backtest("whale-transfer");
    const fewer = await backtest("whale-transfer", "--param", `threshold=${value(200)}`);
    expect(fewer.found.length).toBeLessThan(all.found.length);
    expect(summary).toMatchObject({ added: 0, dropped: all.found.length - fewer.found.length });
    expect((await backtest(MODULE, "--param", `threshold=${value(200)}`)).found).toEqual(fewer.found);
  });

  test("shows what a new version adds and drops, transaction by transaction", { timeout: LONG }, async () => {
    // From 200 on, and all of them high.
    const changed = readFileSync(SOURCE, "utf8")
      .replace("ether(100)", "ether(200)")
      .replace("ether(1000)", "ether(200)");
    const ended = await weirProcess("diff", MODULE, bench.write("whale-transfer.ts", changed), "--json");
    expect(ended.code, ended.stderr).toBe(0);
    const changes = ended.lines<MatchLine & { change: string; summary: Record<string, number> }>();
    const { summary } = changes.pop()!;
    const value = "toUInt256(value)";
    const ether = (amount: number) => `toUInt256('${amount}000000000000000000')`;
    const [expected] = await run.store.rows<{ gone: number; raised: number; all: number }>(
      `SELECT toFloat64(countIf(${value} < ${ether(200)})) AS gone, toFloat64(countIf(${value} >= ${ether(200)} AND ${value} < ${ether(1000)})) AS raised,
         toFloat64(count()) AS all
       FROM transactions WHERE ${value} >= ${ether(100)} AND (status IS NULL OR status = 1)`,
    );
    const { gone, raised, all } = expected!;
    expect(raised).toBeGreaterThan(2);
    // what is gone had an alert and a tag; what is raised has another alert
    expect(summary).toEqual({
      transactions: LINES,
      added: raised,
      dropped: 2 * gone + raised,
      unchanged: 2 * all - 2 * gone - raised,
    });
    expect(changes.length).toBe(summary.added! + summary.dropped!);
    const added = changes.filter(({ change }) => change === "+");
    expect(new Set(added.map(({ severity }) => severity))).toEqual(new Set(["high"]));
  });

  test("shows nothing between a module and its source", { timeout: LONG }, async () => {
    const { code, lines } = await weir("diff", MODULE, SOURCE, "--recording", RECORDING);
    expect(lines()).toEqual([
      { summary: { transactions: LINES, added: 0, dropped: 0, unchanged: expect.any(Number) } },
    ]);
    expect(code).toBe(0);
  });
});

test("parseTime() takes moments and how long before", () => {
  expect(parseTime("2024-06-01")).toEqual({ at: Date.UTC(2024, 5, 1) * 1000 });
  expect(parseTime("2024-06-01T12:00:00+02:00")).toEqual({ at: Date.UTC(2024, 5, 1, 10) * 1000 });
  expect(parseTime("2024-06-01T12:00:00.123456Z")).toEqual({ at: Date.UTC(2024, 5, 1, 12) * 1000 + 123_456 });
  expect(parseTime("-24h")).toEqual({ before: 86_400e6 });
  for (const wrong of ["yesterday", "24h", "-1y", "2024-13-01", "2024-06-01T12:00:00", ""])
    expect(parseTime(wrong)).toBeUndefined();
});

test("chart() has a bar for each stretch with an alert, the highest for the most", () => {
  const bars = chart([0, 1e12, 1e12, 1e12, 1e12]).split("\n")[1]!.split(" 1970")[0]!;
  expect(bars).toMatch(/^1970-01-01T00:00 ▂ +█$/);
  expect(chart([])).toBe("");
});
