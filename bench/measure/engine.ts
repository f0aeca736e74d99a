/** The engine as its users run it, a process of its own on topics and data of its own, and what can be seen of it from outside. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore, type Store } from "../../clickhouse/client.ts";
import { readAddress } from "../../clickhouse/embedded/lockFile.ts";
import { stopEmbedded } from "../../clickhouse/embedded/open.ts";
import { runnable } from "../../engine/bundle.mjs";
import { createAdmin } from "../../engine/kafka/admin.ts";
import { KafkaError } from "../../engine/kafka/errors.ts";
import { NODE_FLAGS, nodeEnvironment } from "../../engine/nodeFlags.mjs";
import { decodeLedger } from "../../engine/sink/ledger.ts";
import type { JsonRule } from "../load/ruleMix.ts";
import type { Answer, Question, Runtime } from "./engineProcess.ts";
import { peakMemory, residentMemory, type ThreadCpu, threadCpu } from "./processCpu.ts";

export interface EngineUnderTest {
  readonly topics: { readonly input: string; readonly alerts: string; readonly deadLetters: string };
  readonly store: Store;
  /** Resolves once the ledger says that everything on the input topic is stored. @throws Error after two minutes */
  stored(): Promise<void>;
  usage(): Promise<Usage>;
  /** Samples the main thread while something runs. CPU seconds by what they were used for. */
  profile(run: () => Promise<unknown>): Promise<Answer>;
  /** Most memory the engine's process had resident so far, in bytes; without the store's and the broker's. */
  peakMemory(): number | undefined;
  /** What engine and store have resident now, in bytes. */
  memory(): { readonly engine: number | undefined; readonly store: number | undefined };
  /** What the main thread waited for since this was last asked. */
  runtime(): Promise<Runtime>;
  /** Records that are not stored yet; undefined in the middle of a commit. */
  lag(): Promise<number | undefined>;
  /** Stops it in peace and starts it anew. @returns seconds from its start until it owns its topic */
  restart(): Promise<number>;
  /** Puts another version of a rule in its place, while transactions come. @returns ms until no batch is seen by the version before */
  changeRule(): Promise<number>;
  stop(): Promise<void>;
}

export interface Usage {
  /** CPU seconds of the engine's threads by name, and of the store's process; undefined without /proc. */
  readonly threads: ThreadCpu | undefined;
  readonly store: number | undefined;
  /** CPU seconds by stage of the worker. */
  readonly stages: Readonly<Record<string, number>>;
}

/** As `weir topics` makes them. */
const PARTITIONS = 12;
/** How often the ledger is looked at, in ms: what a time may be too long by. */
const LOOK_EVERY = 20;

/** @param rules JSON rules that run in place of the examples; they alert */
export async function startEngine(
  brokers: string,
  name: string,
  rules?: readonly JsonRule[],
): Promise<EngineUnderTest> {
  const unique = `${name}-${process.pid}-${Date.now().toString(36)}`;
  const topics = { input: `${unique}-in`, alerts: `${unique}-alerts`, deadLetters: `${unique}-dead` };
  const findings = {
    mevBundles: `${unique}-bundles`,
    arbitrages: `${unique}-arbitrages`,
    opportunities: `${unique}-opportunities`,
    riskMetrics: `${unique}-risk-metrics`,
  };
  const folder = await mkdtemp(join(tmpdir(), "weir-bench-"));
  const admin = await createAdmin({ brokers });
  await admin.createTopics([
    { topic: topics.input, partitions: PARTITIONS },
    { topic: topics.alerts, partitions: 6 },
    { topic: topics.deadLetters, partitions: 3 },
    { topic: findings.mevBundles, partitions: 6 },
    { topic: findings.arbitrages, partitions: 10 },
    { topic: findings.opportunities, partitions: 5 },
    { topic: findings.riskMetrics, partitions: 3 },
  ]);
  const env = {
    KAFKA_BROKERS: brokers,
    KAFKA_GROUP_ID: unique,
    KAFKA_INSTANCE_ID: "one",
    KAFKA_TOPIC_TX_RAW: topics.input,
    KAFKA_TOPIC_ALERTS: topics.alerts,
    KAFKA_TOPIC_DEAD_LETTERS: topics.deadLetters,
    KAFKA_TOPIC_MEV_BUNDLES: findings.mevBundles,
    KAFKA_TOPIC_ARBITRAGE_TRANSACTIONS: findings.arbitrages,
    KAFKA_TOPIC_ARBITRAGE_OPPORTUNITIES: findings.opportunities,
    KAFKA_TOPIC_RISK_METRICS: findings.riskMetrics,
    WEIR_DATA: folder,
    ...(rules && (await asRules(folder, rules))),
  };
  let engine = await startProcess(env);

  type Mark = { readonly partition: number; readonly high: number };
  const marksOfInput = async (): Promise<Mark[]> =>
    (await admin.watermarks(topics.input)).filter(({ high, low }) => high > low);

  /** What the ledger says of each partition; undefined in the middle of a commit. */
  async function ledgerAt(marks: readonly Mark[]): Promise<{ stored: number; waiting: number }[] | undefined> {
    engine.assertRunning();
    const partitions = marks.map(({ partition }) => ({ topic: topics.input, partition }));
    try {
      const committed = await admin.committed(unique, partitions);
      return marks.map(({ partition }) => {
        const found = committed.find((each) => each.partition === partition);
        if (!found || found.offset === null || found.metadata === "") return { stored: 0, waiting: 0 };
        const { stored, ranges } = decodeLedger(found.metadata, found.offset);
        return { stored, waiting: ranges.length };
      });
    } catch (error) {
      if (error instanceof KafkaError && error.kind === "retry") return undefined;
      throw error;
    }
  }

  /** The last offset of each partition is the marker of the transaction that filled it, or its last record. */
  async function isStoredTo(marks: readonly Mark[]): Promise<boolean> {
    const ledger = await ledgerAt(marks);
    return ledger?.every(({ stored, waiting }, i) => stored >= marks[i]!.high - 1 && waiting === 0) ?? false;
  }

  try {
    await engine.assigned;
    const store = await openStore({ folder: join(folder, "clickhouse"), database: "weir" });
    const { pid: storePid } = (await readAddress(join(folder, "clickhouse")))!;

    return {
      topics,
      store,
      async stored() {
        const deadline = performance.now() + 120_000;
        // Marks are asked for twice, not at each look, which would keep the broker busy. The first are lower by the markers
        // that the filling transaction is still writing; once all records were read, those are there.
        for (let marks = await marksOfInput(); ; ) {
          if (await isStoredTo(marks)) {
            const last = await marksOfInput();
            if (last.every(({ high }, i) => high === marks[i]!.high)) return;
            marks = last;
            continue;
          }
          if (performance.now() > deadline)
            throw new Error(`Cannot measure: not everything is stored after 120 s\n${engine.log().slice(-4_000)}`);
          await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
        }
      },
      async usage() {
        const cpu = threadCpu(storePid);
        return {
          threads: threadCpu(engine.pid),
          store: cpu && Object.values(cpu).reduce((sum, seconds) => sum + seconds, 0),
          stages: await engine.ask("stages"),
        };
      },
      async profile(run) {
        await engine.ask("profile start");
        await run();
        return engine.ask("profile stop");
      },
      peakMemory: () => peakMemory(engine.pid),
      memory: () => ({ engine: residentMemory(engine.pid), store: residentMemory(storePid) }),
      runtime: async () => (await engine.ask("runtime")) as Runtime,
      async lag() {
        const marks = await marksOfInput();
        const ledger = await ledgerAt(marks);
        return ledger?.reduce((sum, { stored }, i) => sum + Math.max(0, marks[i]!.high - stored), 0);
      },
      async restart() {
        await engine.stop("SIGTERM");
        const began = performance.now();
        engine = await startProcess(env);
        await engine.assigned;
        return (performance.now() - began) / 1000;
      },
      changeRule: async () => (await engine.ask("change a rule")).liveMs!,
      async stop() {
        await store.close();
        await engine.stop("SIGTERM");
        await cleanUp();
      },
    };
  } catch (error) {
    await engine.stop("SIGKILL");
    await cleanUp();
    throw error;
  }

  async function cleanUp(): Promise<void> {
    await stopEmbedded(join(folder, "clickhouse"));
    await rm(folder, { recursive: true, force: true });
    await admin.deleteTopics(Object.values(topics));
    await admin.close();
  }
}

/** Variables of an engine that has these rules alone, and the file that it takes them from (engineProcess.ts). */
async function asRules(folder: string, rules: readonly JsonRule[]): Promise<Record<string, string>> {
  const file = join(folder, "rules.ndjson");
  const none = join(folder, "no-modules");
  await mkdir(none);
  await writeFile(file, rules.map((rule) => JSON.stringify(rule)).join("\n"));
  return { BENCH_RULES: file, RULES_DIR: none, MAX_CONCURRENT_RULES: String(rules.length + 1) };
}

/** For a closer look: BENCH_NODE_FLAGS="--cpu-prof --cpu-prof-dir=/tmp/profiles" (NODE_OPTIONS does not take them). */
const MORE_FLAGS = process.env.BENCH_NODE_FLAGS?.split(" ") ?? [];

/** @param env variables of the engine; it gets none of ours that configure one */
async function startProcess(env: Readonly<Record<string, string>>) {
  const script = await runnable("bench/measure/engineProcess");
  const child: ChildProcess = fork(script.at(-1)!, {
    env: nodeEnvironment({ PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: "warn", ...env }),
    execArgv: [...NODE_FLAGS, ...script.slice(0, -1), ...MORE_FLAGS],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const kill = (): boolean => child.kill("SIGKILL");
  process.once("exit", kill);
  let log = "";
  child.stderr!.on("data", (chunk: Buffer) => {
    log = (log + chunk).slice(-10_000);
  });
  let ended: string | undefined;
  const exited = once(child, "close").then(([code, signal]) => {
    process.off("exit", kill);
    ended = `the engine ended with ${code ?? signal}, expected it to run\n${log}`;
    return code as number | null;
  });
  const assertRunning = (): void => {
    if (ended !== undefined) throw new Error(`Cannot measure: ${ended}`);
  };
  const heard = async (): Promise<unknown> => {
    const [message] = await Promise.race([once(child, "message"), exited.then(() => [undefined])]);
    assertRunning();
    return message;
  };
  return {
    pid: child.pid!,
    log: () => log,
    assertRunning,
    /** It is a member of its group and owns the topic. */
    assigned: heard(),
    async ask(question: Question): Promise<Answer> {
      const answer = heard();
      child.send(question);
      return (await answer) as Answer;
    },
    async stop(signal: NodeJS.Signals): Promise<void> {
      child.kill(signal);
      const code = await exited;
      if (signal === "SIGTERM" && code !== 0) throw new Error(`The engine did not stop cleanly: code ${code}\n${log}`);
    },
  };
}
