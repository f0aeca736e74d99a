/** `npm run bench -- [NAME] [options]`, see USAGE: measures one scenario or all. Data on stdout, progress on stderr. */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { describeError, EXIT, exitCodeOf, UsageError } from "../engine/ops/errors.ts";
import { svg } from "./chart.ts";
import { describeThisMachine } from "./machine.ts";
import { isRight, markdown, summary } from "./report.ts";
import type { Measured, Scenario, ScenarioResult } from "./scenario.ts";
import { api } from "./scenarios/api.ts";
import { chain } from "./scenarios/chain.ts";
import { e2e } from "./scenarios/e2e.ts";
import { growth } from "./scenarios/growth.ts";
import { latency } from "./scenarios/latency.ts";
import { peers } from "./scenarios/peers.ts";
import { rules } from "./scenarios/rules.ts";
import { sandbox } from "./scenarios/sandbox.ts";
import { soak } from "./scenarios/soak.ts";
import { speed } from "./scenarios/speed.ts";
import { storage } from "./scenarios/storage.ts";

const RUNS = 5;
const QUICK_RUNS = 3;
const MINUTES = 10;

const USAGE = `npm run bench -- [NAME] [options]

Measures, checks every count, and says which goals are met. Without NAME all scenarios (two hours), with a report in bench/results/.

  e2e      Kafka to ClickHouse rows and alerts, JSON and packed, pending and blocks
  rules    1 to 10,000 rules on frames in memory, beside closures, json-rules-engine and Esper
  peers    the same job by Kafka Streams, Flink, Esper, a Java consumer and others, in turn on one broker
  sandbox  what metering, a trap and an instance cost
  chain    detection and risk score
  storage  ClickHouse: writing, questions over 10 million rows, exports (20 GB of disk while it runs)
  api      requests, WebSocket fan-out, latency of alerts
  latency  from a record to its alert at 1,000 to 20,000 transactions a second
  growth   how cost grows with rules, threads, record size, match rate, block size
  soak     whether memory and lag stay flat
  speed    the table of what is promised

Options
  --only TEXT   cases or parts whose name has TEXT in it
  --runs N      how often each figure is measured; ${RUNS} without it
  --minutes N   how long a soak takes; ${MINUTES} without it
  --quick       ${QUICK_RUNS} runs and less load: to see that it works, not to quote
  --json        a JSON line a scenario on stdout
  --help        this

Examples
  npm run bench -- e2e --only "pending packed"
  npm run bench -- rules --quick --json > rules.json

Exit codes: 0 all counts right, 1 a count is wrong, 2 usage, 70 it could not be measured
`;

const SCENARIOS: readonly Scenario[] = [e2e, rules, peers, sandbox, chain, storage, api, latency, growth, soak, speed];
const QUICK_MINUTES = 1;
/** A second a sample, and 12 stretches. */
const LEAST_MINUTES = 0.5;
const MOST_MINUTES = 10_000;
const RESULTS = fileURLToPath(new URL("results/", import.meta.url));

interface Arguments {
  readonly chosen: readonly Scenario[];
  readonly json: boolean;
  readonly quick: boolean;
  readonly only: string;
  readonly runs: number;
  readonly minutes: number;
  readonly all: boolean;
  readonly help: boolean;
}

/** @throws UsageError that names the scenarios */
function readArguments(args: string[]): Arguments {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { positionals, values } = parsed;
  const names = SCENARIOS.map(({ name }) => name).join(", ");
  if (positionals.length > 1)
    throw new UsageError(`Cannot run "${positionals.join(" ")}": expected one of ${names}, or no name for all`);
  const [name] = positionals;
  const chosen = SCENARIOS.filter((scenario) => name === undefined || scenario.name === name);
  if (chosen.length === 0)
    throw new UsageError(`Cannot run "${name}": there is no such scenario, expected one of ${names}`);
  const { json = false, quick = false, only = "", help = false } = values;
  const runs = Number(values.runs ?? (quick ? QUICK_RUNS : RUNS));
  if (!Number.isInteger(runs) || runs < 1)
    throw new UsageError(`Cannot run "${values.runs}" times: expected a whole number from 1 on`);
  const minutes = Number(values.minutes ?? (quick ? QUICK_MINUTES : MINUTES));
  if (!(minutes >= LEAST_MINUTES && minutes <= MOST_MINUTES))
    throw new UsageError(`Cannot soak for "${values.minutes}" minutes: expected ${LEAST_MINUTES} to ${MOST_MINUTES}`);
  return { chosen, json, quick, only, runs, minutes, all: name === undefined && only === "", help };
}

const parse = (args: string[]) =>
  parseArgs({
    args,
    options: {
      json: { type: "boolean" },
      quick: { type: "boolean" },
      only: { type: "string" },
      runs: { type: "string" },
      minutes: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
    allowPositionals: true,
  });

async function measure(
  scenario: Scenario,
  { quick, only, runs, minutes }: Arguments,
  known: ReadonlyMap<string, Measured>,
): Promise<ScenarioResult> {
  const machine = describeThisMachine();
  const began = performance.now();
  const say = (text: string): void => {
    process.stderr.write(
      `${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${scenario.name}  ${text}\n`,
    );
  };
  const measured = await scenario.run({ runs, minutes, quick, only, known, say });
  return { scenario: scenario.name, ok: measured.checks.every(isRight), ...measured, machine };
}

/** Markdown, JSON, and a file a chart. */
function writeReport(results: readonly ScenarioResult[]): void {
  mkdirSync(RESULTS, { recursive: true });
  const name = results[0]!.machine.date.replaceAll(/[:.]/g, "-");
  const chartFile = (scenario: string, chart: string): string => `${name}-${scenario}-${chart}.svg`;
  writeFileSync(`${RESULTS}${name}.json`, `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(`${RESULTS}${name}.md`, markdown(results, chartFile));
  for (const { scenario, charts = [] } of results)
    for (const chart of charts) writeFileSync(`${RESULTS}${chartFile(scenario, chart.name)}`, svg(chart));
  process.stderr.write(`report: ${RESULTS}${name}.md\n`);
}

process.once("SIGINT", () => process.exit(EXIT.interrupted)); // what was started ends with this process
process.once("SIGTERM", () => process.exit(EXIT.interrupted));
try {
  const args = readArguments(process.argv.slice(2));
  const { chosen, json, all, help } = args;
  if (help) {
    process.stdout.write(USAGE);
    process.exit(EXIT.ok);
  }
  const results: ScenarioResult[] = [];
  const known = new Map<string, Measured>();
  let failed: unknown;
  for (const scenario of chosen) {
    let result: ScenarioResult;
    try {
      result = await measure(scenario, args, known);
    } catch (error) {
      if (!all) throw error;
      process.stderr.write(`${scenario.name}: ${describeError(error)}\n`); // the others are an hour's work
      failed = error;
      continue;
    }
    results.push(result);
    known.set(scenario.name, result);
    process.stderr.write(`${summary(result)}\n`);
    if (json) process.stdout.write(`${JSON.stringify({ ...result, charts: undefined })}\n`);
  }
  if ((results.length > 0 && all) || results.some(({ charts }) => charts)) writeReport(results);
  if (failed) throw failed;
  process.exitCode = results.every(({ ok }) => ok) ? EXIT.ok : EXIT.refused;
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = exitCodeOf(error) === EXIT.refused ? EXIT.bug : exitCodeOf(error);
}
process.exit();
