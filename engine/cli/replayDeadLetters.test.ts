/** `weir replay --dead-letters` over a real store: within this process, but for the replay that is killed on its way and the first one. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createSynthetic } from "../../bench/load/synthetic.ts";
import { type Databases, openDatabases, type Run } from "../../test/support/databases.ts";
import { startWeir } from "../../test/support/engineProcess.ts";
import { createFrameWriter } from "../frame/frameWriter.ts";
import { type TransactionRecord, writeFrame } from "../frame/writeFrame.ts";
import type { FailpointName } from "../ops/failpoint.ts";
import { weir as weirHere } from "./rule/testCommand.ts";

let databases: Databases;
let run: Run;
let env: Record<string, string>;
beforeAll(async () => {
  databases = await openDatabases();
});
afterAll(() => databases?.close());
beforeEach(async () => {
  run = await databases.newRun();
  env = { ...run.env, RULES_DIR: join(run.data, "rules"), WEIR_THREADS: "1", LOG_LEVEL: "error" };
  await mkdir(env.RULES_DIR!, { recursive: true });
});

type Summary = Record<string, unknown>;
const lastLine = (stdout: string): Summary => JSON.parse(stdout.trim().split("\n").at(-1)!) as Summary;

/** @returns what its last line says */
async function weir(args: readonly string[], more: Record<string, string> = {}): Promise<Summary> {
  const { code, stdout, stderr } = await weirHere(args, { env: { ...env, ...more } });
  expect(code, stderr).toBe(0);
  return lastLine(stdout);
}

/** In a process of its own, as its users run it. For one that was killed, nothing. */
async function weirProcess(args: readonly string[], more: Record<string, string> = {}): Promise<Summary> {
  const running = startWeir(args, { ...env, ...more });
  const { code, signal } = await running.exited;
  if (signal === "SIGKILL") return { killed: true };
  expect(code, running.log()).toBe(0);
  return lastLine(running.stdout());
}

const stored = async (): Promise<unknown> =>
  (
    await run.store.rows(`SELECT toFloat64(count()) AS rows, toFloat64(uniqExact(hash)) AS hashes,
      (SELECT toFloat64(sum(transactions)) FROM transactions_per_minute) AS in_minutes,
      (SELECT toFloat64(count()) FROM dead_letters) AS letters FROM transactions`)
  )[0];

test("letters are put back once their chain is configured: once, through a kill and a second call", async () => {
  const synthetic = createSynthetic({ seed: 5 });
  const lines = Array.from({ length: 200 }, (_, i) =>
    i % 4 === 0 ? synthetic.next().replace(/"chainId":\d+/, '"chainId":999') : synthetic.next(),
  );
  const recording = join(run.data, "some.ndjson");
  await writeFile(recording, [...lines, "no transaction", ""].join("\n"));
  expect(await weirProcess(["replay", recording])).toMatchObject({ transactions: 150, dead_letters: 51 });

  const failing = { not_json: 1, unknown_chain: 50 };
  expect(await weir(["replay", "--dead-letters"])).toMatchObject({ put_back: 0, still_failing: failing });
  expect(await stored()).toEqual({ rows: 150, hashes: 150, in_minutes: 150, letters: 51 });

  const configured = { WEIR_CHAINS: "1,999" };
  const kill: FailpointName = "stored transactions";
  expect(await weirProcess(["replay", "--dead-letters"], { ...configured, WEIR_FAILPOINT: kill })).toEqual({
    killed: true,
  });
  expect(await weir(["replay", "--dead-letters"], configured)).toMatchObject({
    put_back: 50,
    already: 0,
    still_failing: { not_json: 1 },
    transactions: 50,
    dead_letters: 0,
  });
  expect(await stored()).toEqual({ rows: 200, hashes: 200, in_minutes: 200, letters: 51 });
  expect(await weir(["replay", "--dead-letters"], configured)).toMatchObject({ put_back: 0, already: 50 });
  expect(await stored()).toEqual({ rows: 200, hashes: 200, in_minutes: 200, letters: 51 });
});

test("what a letter holds is told from its bytes: packed frames, many lines, one; its record's time counts", async () => {
  const synthetic = createSynthetic({ seed: 6 });
  const pending = (): TransactionRecord => {
    const { seenAt: _, ...record } = JSON.parse(synthetic.next());
    return record;
  };
  const writer = createFrameWriter();
  for (let i = 0; i < 3; i++) writeFrame(writer, pending());
  const frames = Buffer.from(writer.bytes.slice(0, writer.end));
  const time = Date.UTC(2024, 5, 1);
  const letter = (offset: number, bytes: Uint8Array, { reason = "other", rule = "", blankKiB = 0 } = {}) =>
    run.store.command(
      `INSERT INTO dead_letters (source, partition, offset, n, record_time, reason, rule, size, bytes)
        SELECT 'tx_raw', 2, {offset:UInt64}, 0, fromUnixTimestamp64Milli({time:Int64}, 'UTC'), {reason:String}, {rule:String},
          length(body), concat(base64Decode({bytes:String}), repeat(repeat(' ', 1024), {blankKiB:UInt32})) AS body`,
      { offset, time, reason, rule, blankKiB, bytes: Buffer.from(bytes).toString("base64") },
    );
  const line = (): string => JSON.stringify(pending());
  await weir(["replay", "--dead-letters"]); // makes the tables
  await letter(1, frames);
  await letter(1, frames); // a range that is stored anew after a crash may be there twice for a moment
  await letter(2, Buffer.from(`${line()}\n${line()}`));
  await letter(3, Buffer.from(line()));
  await letter(4, frames.subarray(0, 300), { reason: "bad_frame" });
  await letter(5, Buffer.from(`${line()}\n{`), { reason: "half" }); // all of a letter or nothing
  await letter(6, Buffer.from(line()), { reason: "too_large", blankKiB: 5 << 10 });
  await letter(7, Buffer.alloc(0), { reason: "no_value" });
  await letter(8, Buffer.from(line()), { reason: "rule_fuel", rule: "slow" });
  expect(await weir(["replay", "--dead-letters"])).toMatchObject({
    put_back: 3,
    still_failing: { bad_frame: 1, half: 1, no_value: 1, too_large: 1 },
    of_rules: 1,
    transactions: 6,
  });
  expect(await stored()).toMatchObject({ rows: 6, hashes: 6 });
  expect(await run.store.rows("SELECT DISTINCT toUnixTimestamp64Milli(event_time) AS ms FROM transactions")).toEqual([
    { ms: String(time) },
  ]);
  const file = await readFile(join(run.data, "ledger/dead-letters-1.ndjson"), "utf8");
  expect(file.trim().split("\n")).toHaveLength(3);
});
