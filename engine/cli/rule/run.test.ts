import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { buildRule } from "../../../rules-as/cli/build.ts";
import { readLines } from "../../source/recording.ts";
import { BUNDLED_RECORDING } from "../bundled.ts";
import { compareLines } from "./compareLines.ts";
import type { MatchLine } from "./evaluate.ts";
import { createWorkbench, type Workbench, weirRule, weirRuleProcess } from "./testCommand.ts";

vi.setConfig({ testTimeout: 180_000 }); // a busy machine

const WEIR = fileURLToPath(new URL("../../weir.mjs", import.meta.url));

/** Alerts on large values, tags and scores some of them, and fails where the nonce is 3. */
const rule = (least: number) => `import { Tx, Severity, alert, tag, score, ether } from "@weir/rules";
export function onTx(tx: Tx): void {
  if (tx.nonce == 3) throw new Error("three");
  if (tx.value < ether(${least})) return;
  alert(Severity.Low, \`\${tx.value}\`);
  if (tx.isPending) return;
  tag("mined");
  score(0.5);
}
`;
interface Record {
  readonly hash: string;
  readonly nonce: string;
  readonly value: string;
  readonly to: string | null;
  readonly blockNumber: string | null;
}

let bench: Workbench;
let records: Record[];
let module: string;
/** The first lines of the bundled one: more than a batch. */
let RECORDING: string;
beforeAll(async () => {
  bench = createWorkbench();
  records = [];
  for await (const line of readLines(BUNDLED_RECORDING)) {
    records.push(JSON.parse(line.toString()) as Record);
    if (records.length === 5_000) break;
  }
  RECORDING = bench.write("part.ndjson", records.map((record) => JSON.stringify(record)).join("\n"));
  module = bench.write("large.wasm", (await buildRule(bench.write("large.ts", rule(100)))).wasm!);
});
afterAll(() => bench.remove());

/** What the rule must say of a record, by plain JavaScript. */
function expected({ hash, nonce, value, blockNumber }: Record): MatchLine[] {
  const about = { rule: "large", tx_hash: hash, block_number: blockNumber === null ? null : Number(blockNumber) };
  if (Number(nonce) === 3)
    return [{ ...about, failure: "abort", message: expect.stringMatching(/^three at large\.ts:3:/) as never }];
  if (BigInt(value) < 100n * 10n ** 18n) return [];
  const alert = { ...about, severity: "low", message: BigInt(value).toString() };
  return blockNumber === null ? [alert] : [alert, { ...about, tag: "mined" }, { ...about, score: 0.5 }];
}

describe("weir rule run", () => {
  test("gives a line a match in the order of the recording, then the summary", async () => {
    const { code, lines } = await weirRuleProcess(["run", module, RECORDING, "--json"]);
    const all = lines();
    const { summary } = all.pop() as { summary: Record & { fuel: number } };
    const said = records.flatMap(expected);
    const failed = said.filter(({ failure }) => failure !== undefined).length;
    expect(code).toBe(0);
    expect(all).toEqual(said);
    expect(failed).toBeGreaterThan(10);
    expect(summary).toEqual({
      transactions: records.length,
      matches: said.length - failed,
      traps: failed,
      fuel: expect.any(Number),
    });
    expect(summary.fuel).toBeGreaterThan(0);
  });

  test("gives the same bytes from source or module, whatever the batches, of the file packed or not", async () => {
    const first = await weirRule(["run", module, RECORDING, "--json"]);
    const lines = records.map((record) => JSON.stringify(record)).join("\n\n"); // blank lines do not count
    const packed = bench.write("packed.ndjson.gz", gzipSync(lines));
    const others = await Promise.all([
      weirRule(["run", bench.write("large.ts", rule(100)), RECORDING, "--json"]),
      weirRule(["run", module, RECORDING, "--batch", "13"]), // in a pipe, JSON needs no flag
      weirRule(["run", module, packed]),
    ]);
    for (const { stdout } of others) expect(stdout).toBe(first.stdout);
  });

  test("says why not: no recording, nothing in it, a refused module, a wrong option", async () => {
    const garbage = bench.write("garbage.ndjson", "one\ntwo\n");
    const [none, empty, refused, usage] = await Promise.all([
      weirRule(["run", module, "nowhere.ndjson"]),
      weirRule(["run", module, garbage]),
      weirRule(["run", bench.write("empty.wasm", Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))]),
      weirRule(["run", module, "--batch", "0"]),
    ]);
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining("ENOENT") });
    expect(empty).toMatchObject({ code: 1, stderr: expect.stringContaining("none of its lines is a transaction") });
    expect(refused).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("missing_export") });
    expect(usage).toMatchObject({ code: 2, stderr: expect.stringContaining("whole number") });
  });

  test("runs a JSON rule as well, and says what is wrong with one", async () => {
    const json = {
      name: "Large values",
      description: "at least 100 ETH",
      conditions: { field: "value", operator: "gte", value: `${100n * 10n ** 18n}` },
      actions: { severity: "high" },
    };
    const ran = await weirRule(["run", bench.write("large.json", JSON.stringify(json)), RECORDING]);
    const large = records.filter(({ value }) => BigInt(value) >= 100n * 10n ** 18n);
    const said = { rule: "large-values", severity: "high", message: "at least 100 ETH" };
    const lines = ran.lines();
    expect(lines.pop()).toEqual({
      summary: { transactions: records.length, matches: large.length, traps: 0, fuel: 0 },
    });
    expect(lines).toEqual(
      large.map(({ hash, blockNumber }) => ({
        ...said,
        tx_hash: hash,
        block_number: blockNumber === null ? null : Number(blockNumber),
      })),
    );
    const sized = { ...json, parameters: { least: { type: "integer", default: "1", max: `${10n ** 30n}` } }, conditions: { value_gte: { param: "least" } } }; // biome-ignore format: one rule
    const file = bench.write("sized.json", JSON.stringify(sized));
    const again = await weirRule(["run", file, RECORDING, "--param", `least=${100n * 10n ** 18n}`]);
    expect(again.stdout).toBe(ran.stdout);
    expect(await weirRule(["run", file, RECORDING, "--param", `least=${10n ** 31n}`])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`least: Expected a whole number of at most ${10n ** 30n}, got "1`),
    });
    const wrong = bench.write("wrong.json", JSON.stringify({ ...json, conditions: { field: "valeu", operator: "gte", value: "1" } })); // biome-ignore format: one file
    expect(await weirRule(["run", wrong])).toMatchObject({ code: 1, stderr: expect.stringMatching(/valeu.*value/) });
  });

  test("shows where in the source a failure was, once a kind", async () => {
    const source = bench.write(
      "fails.ts",
      rule(100).replace('throw new Error("three")', "alert(Severity.Low, (tx.gas / (tx.nonce - 3)).toString())"),
    );
    const { code, stderr, lines } = await weirRule(["run", source, RECORDING]);
    const failed = lines().filter(({ failure }) => failure === "division").length;
    expect(failed).toBe(records.filter(({ nonce }) => Number(nonce) === 3).length);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      new RegExp(
        `^failed on 0x[0-9a-f]{64}, and ${failed - 1} more like it: Cannot go on.*divide by zero\nfails.ts:3:\\d+\n +3 \\|   if \\(tx.nonce == 3\\) alert.*\n +\\| +\\^+\n$`,
      ),
    );
  });

  test("--watch runs again when the rule is saved and shows what changed; a mistake on the way does not end it", async () => {
    const file = bench.write("large.ts", rule(100));
    const child = spawn(process.execPath, [WEIR, "rule", "run", file, RECORDING, "--watch", "--json"], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME },
    });
    const said: string[] = [];
    createInterface(child.stderr).on("line", (line) => said.push(line));
    const stdout = createInterface(child.stdout)[Symbol.asyncIterator]();
    const untilSummary = async (): Promise<string[]> => {
      for (const lines: string[] = []; ; ) {
        const { value, done } = await stdout.next();
        if (done) throw new Error(said.join("\n"));
        if (value.startsWith('{"summary"')) return lines;
        lines.push(value);
      }
    };
    try {
      expect((await untilSummary()).length).toBe(records.flatMap(expected).length);
      writeFileSync(file, rule(100).replace("tag(", "tga("));
      while (!said.some((line) => line.includes('Did you mean "tag"?'))) await once(child.stderr, "data");
      writeFileSync(file, rule(1000));
      const changes = await untilSummary();
      const gone = records.flatMap((record) => (BigInt(record.value) < 1000n * 10n ** 18n ? expected(record) : []));
      const dropped = gone.filter(({ failure }) => failure === undefined);
      expect(changes.length).toBe(dropped.length);
      expect(changes.every((line) => line.startsWith('- {"rule":"large"'))).toBe(true);
    } finally {
      child.kill("SIGTERM");
      await once(child, "close");
    }
  });
});

describe("weir rule run and test with lists", () => {
  test("takes a list of a file, says which is missing, and tests have their own", async () => {
    const { to } = records.find((record) => record.to !== null)!;
    const json = bench.write("listed.json", JSON.stringify({ name: "listed", conditions: { to_in_list: "watched" } }));
    const list = bench.write("watched.txt", `${to} # the first\n`);
    const ran = await weirRule(["run", json, RECORDING, "--list", `watched=${list}`, "--json"]);
    expect(ran.lines().at(-1)).toMatchObject({
      summary: { transactions: records.length, matches: records.filter((record) => record.to === to).length },
    });
    expect(await weirRule(["run", json, RECORDING])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('it names the list "watched", expected a file of it'),
    });
    expect(await weirRule(["run", json, RECORDING, "--list", "watched"])).toMatchObject({ code: 2 });
    const transactions = [{ to: `0x${"cc".repeat(20)}` }];
    const tests = {
      lists: { watched: [transactions[0]!.to] },
      tests: [
        { name: "listed", transactions, alerts: ["medium: listed"] },
        { name: "not listed", transactions, lists: { watched: [] }, alerts: [] },
      ],
    };
    const tested = await weirRule(["test", bench.write("listed.test.json", JSON.stringify(tests))]);
    expect(tested.lines().at(-1)).toEqual({ summary: { passed: 2, failed: 0 } });
  });
});

test("compareLines() counts lines that are there several times", () => {
  expect(compareLines(["a", "b", "b", "c"], ["b", "c", "d", "d"])).toEqual([
    { sign: "-", line: "a" },
    { sign: "-", line: "b" },
    { sign: "+", line: "d" },
    { sign: "+", line: "d" },
  ]);
});
