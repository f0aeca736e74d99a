/**
 * What Weir promises of its speed, as one table: figure, goal, met or not. Each is measured by the scenario that it belongs to; here it gets
 * its goal. None is left out: what could not be measured is said so.
 */
import { createProducer } from "../../engine/kafka/producer.ts";
import { UsageError } from "../../engine/ops/errors.ts";
import { startBroker } from "../../test/support/kafkaBroker.ts";
import { figure, type Goal } from "../figure.ts";
import { middle } from "../fit.ts";
import { blockRuleLoad, ruleLoad } from "../load/load.ts";
import { openLoop } from "../load/openLoop.ts";
import { mixRules, mixTransactions } from "../load/ruleMix.ts";
import type { EngineUnderTest } from "../measure/engine.ts";
import { runWorkerCase } from "../measure/workerCase.ts";
import type { Check, Context, Figure, Measured, Scenario } from "../scenario.ts";
import { chain } from "./chain.ts";
import { e2e, measureCase } from "./e2e.ts";
import { latency } from "./latency.ts";
import { peers } from "./peers.ts";
import { rules } from "./rules.ts";
import { soak } from "./soak.ts";
import { countPacked } from "./speed/countPacked.ts";

const RULES = 10_000;

/** A row of the table. */
interface Promised {
  readonly name: string;
  /** Of the measured figures it is the one whose name begins and ends so. */
  readonly begins: string;
  readonly ends?: string;
  readonly goal: Goal;
}

interface Part {
  readonly name: string;
  readonly rows: readonly Promised[];
  readonly measure: (context: Context) => Promise<Measured>;
}

/** What this run has of a scenario, or its part measured now. */
const from =
  (scenario: Scenario, only: string): Part["measure"] =>
  async (context) =>
    context.known?.get(scenario.name) ?? scenario.run({ ...context, only });
const atLeast = (value: number): Goal => ({ atLeast: value });
const below = (value: number): Goal => ({ below: value });

const PARTS: readonly Part[] = [
  {
    name: "pending",
    rows: [
      { name: "Kafka JSON, pending, 10,000 rules (sparse) → rows and alerts", begins: "pending sparse json: rate", goal: atLeast(150_000) }, // biome-ignore format: a row
      { name: "RSS of the engine meanwhile, without the store", begins: "pending sparse json: peak RSS", goal: below(1_000) }, // biome-ignore format: a row
      { name: "10,000 rules, cold start from the store", begins: "cold start", goal: below(5) },
      { name: "10,000 rules, one changed, live on all threads", begins: "one rule changed", goal: below(300) },
    ],
    measure: (context) => withBroker((brokers) => measurePending(brokers, context)),
  },
  {
    name: "blocks",
    rows: [{ name: "Kafka JSON, real blocks, 10,000 rules (sparse) → rows and alerts", begins: "blocks json: rate", goal: atLeast(25_000) }], // biome-ignore format: a row
    measure: (context) => withBroker((brokers) => measureBlocks(brokers, context)),
  },
  {
    name: "peers",
    rows: [{ name: "counting matches of 10,000 rules (dense), by the best of the JVM's", begins: "Weir by the best", goal: atLeast(1) }], // biome-ignore format: a row
    measure: from(peers, ""),
  },
  {
    name: "packed",
    rows: [
      { name: "packed records, five example rules → rows and alerts", begins: "pending packed: rate", goal: atLeast(200_000) }, // biome-ignore format: a row
      { name: "packed records, counting matches of 10,000 rules (dense)", begins: "packed, counting only", goal: atLeast(600_000) }, // biome-ignore format: a row
    ],
    measure: async (context) =>
      joined([await from(e2e, "pending packed")(context), await withBroker((brokers) => countPacked(brokers, context))]), // biome-ignore format: one line
  },
  {
    name: "decode",
    rows: [{ name: "decode JSON → frame", begins: "decode", goal: below(0.6) }],
    measure: measureDecode,
  },
  {
    name: "rules",
    rows: [
      { name: "10,000 JSON rules in memory, one core", begins: "dense, 10000 rules: rate", goal: atLeast(5_000_000) },
      { name: "the same, 30 % ranges, OR and NOT", begins: "ranges, 10000 rules: rate", goal: atLeast(2_000_000) },
      { name: "10,000 modules behind filters, dense", begins: "dense, 10000 modules: rate", goal: atLeast(500_000) },
      { name: "10,000 modules behind filters, sparse", begins: "sparse, 10000 modules: rate", goal: atLeast(2_000_000) }, // biome-ignore format: a row
    ],
    measure: async (context) =>
      joined([
        await from(rules, "dense")(context),
        await from(rules, "ranges")(context),
        await from(rules, "modules")(context),
      ]),
  },
  {
    name: "risk",
    rows: [{ name: "risk score", begins: "all (", ends: ": risk", goal: below(5) }],
    measure: from(chain, ""),
  },
  {
    name: "latency",
    rows: [
      { name: "alert to a read_committed reader at 10,000 tx/s, p50", begins: "alert to read_committed reader at 10000 tx/s", ends: "p50", goal: below(25) }, // biome-ignore format: a row
      { name: "alert to a read_committed reader at 10,000 tx/s, p99", begins: "alert to read_committed reader at 10000 tx/s", ends: "p99", goal: below(100) }, // biome-ignore format: a row
      { name: "provisional alert to a WebSocket at 10,000 tx/s, p50", begins: "alert to WebSocket, provisional at 10000 tx/s", ends: "p50", goal: below(10) }, // biome-ignore format: a row
      { name: "provisional alert to a WebSocket at 10,000 tx/s, p99", begins: "alert to WebSocket, provisional at 10000 tx/s", ends: "p99", goal: below(50) }, // biome-ignore format: a row
    ],
    measure: from(latency, "10000"),
  },
  {
    name: "soak",
    rows: [{ name: "RSS of the engine in the soak, without the store", begins: "peak RSS of the engine", goal: below(1_000) }], // biome-ignore format: a row
    measure: from(soak, ""),
  },
];

export const speed: Scenario = {
  name: "speed",
  async run(context) {
    const parts = PARTS.filter(({ name }) => name.includes(context.only));
    if (parts.length === 0)
      throw new UsageError(`Cannot run "${context.only}": expected a part of ${PARTS.map(({ name }) => name).join(", ")}`); // biome-ignore format: one line
    const checks: Check[] = [];
    const figures: Figure[] = [];
    const notes: string[] = [];
    for (const part of parts) {
      context.say(part.name);
      try {
        const measured = await part.measure(context);
        checks.push(...measured.checks);
        notes.push(...(measured.notes ?? []));
        for (const row of part.rows) {
          const found = pick(measured.figures, row);
          if (found) figures.push(found);
          else notes.push(`Not measured: ${row.name}`);
        }
      } catch (error) {
        context.say(`${part.name} could not be measured: ${(error as Error).stack}`);
        const reason = (error as Error).message.split("\n")[0];
        notes.push(...part.rows.map(({ name }) => `Not measured: ${name}: ${reason}`));
        checks.push({ name: `${part.name}: could be measured`, expected: 1, got: 0 });
      }
    }
    return { checks, figures, notes };
  },
};

/** The figure of a row, under its name and with its goal. */
export function pick(figures: readonly Figure[], { name, begins, ends = "", goal }: Promised): Figure | undefined {
  const found = figures.find((each) => each.name.startsWith(begins) && each.name.endsWith(ends));
  if (found === undefined) return undefined;
  const judged = figure(name, found.unit, [found.median], goal);
  return { ...found, name, goal: judged.goal, met: judged.met };
}

async function withBroker(run: (brokers: string) => Promise<Measured>): Promise<Measured> {
  const broker = await startBroker({ measured: true });
  try {
    return await run(broker.brokers);
  } finally {
    await broker.close();
  }
}

const joined = (all: readonly Measured[]): Measured => ({
  checks: all.flatMap(({ checks }) => checks),
  figures: all.flatMap(({ figures }) => figures),
});

function measurePending(brokers: string, context: Context): Promise<Measured> {
  const sparse = mixRules("sparse", RULES);
  const [distinct, times] = context.quick ? [5_000, 10] : [10_000, 30];
  const load = ruleLoad("pending sparse", sparse, mixTransactions(distinct), times);
  const measured = { load, rules: sparse, format: "json", goal: undefined } as const;
  return measureCase(brokers, measured, context, (engine) => changeAndRestart(engine, brokers, load.lines, context));
}

async function measureBlocks(brokers: string, context: Context): Promise<Measured> {
  const { load, rules } = await blockRuleLoad(RULES, context.quick ? 2 : 12, context.say);
  return measureCase(brokers, { load, rules, format: "json", goal: undefined }, context);
}

/** A rule is changed while transactions come; then the engine starts anew with all it has. */
async function changeAndRestart(
  engine: EngineUnderTest,
  brokers: string,
  lines: readonly Buffer[],
  { runs, say }: Context,
): Promise<Measured> {
  const producer = await createProducer({ brokers });
  const changes: number[] = [];
  const starts: number[] = [];
  for (let run = 0; run < runs; run++) {
    const enough = new AbortController();
    const changing = engine.changeRule().finally(() => enough.abort());
    while (!enough.signal.aborted)
      await openLoop({
        perSecond: 5_000,
        seconds: 0.2,
        fire: (i) => void producer.produce(engine.topics.input, null, String(i), lines[i % lines.length]!),
      });
    changes.push(await changing);
    await engine.stored();
  }
  await producer.close();
  for (let run = 0; run < runs; run++) starts.push(await engine.restart());
  say(`one rule changed: ${middle(changes).toFixed(0)} ms; cold start: ${middle(starts).toFixed(1)} s`);
  const load = `${RULES} rules`;
  return {
    checks: [],
    figures: [
      { ...figure("one rule changed", "ms", changes), load: `${load}, 5,000 tx/s` },
      { ...figure("cold start", "s", starts), load },
    ],
  };
}

async function measureDecode({ runs }: Context): Promise<Measured> {
  const result = await runWorkerCase({ load: { kind: "mix" }, transactions: 8_192, rules: { dense: 1 }, runs });
  return {
    checks: [{ name: "decode: dead letters", expected: 0, got: result.deadLetters }],
    figures: [{ ...figure("decode", "µs/tx", result.stages.decode), load: `${result.bytes} B, no rules` }],
  };
}
