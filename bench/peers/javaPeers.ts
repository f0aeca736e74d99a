/**
 * The JVM's stream processors with the same hand-made index (java/HashIndex.java), and Esper with its own. Their jars come from Maven
 * Central into the user's cache folder once; Java 17 and Maven are needed.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { kafkaJars, kafkaVersion } from "../../test/support/kafkaJars.ts";
import { mavenJars, run } from "../../test/support/mavenJars.ts";
import type { JsonRule } from "../load/ruleMix.ts";
import { processCpu } from "../measure/processCpu.ts";
import { esperJars, statementOf } from "./esper.ts";
import { indexLine } from "./indexLine.ts";
import { createProgress, type KafkaPeer, type PeerJob, type RunningPeer } from "./kafkaPeer.ts";

const FLINK = "2.1.0";
const JAVA = fileURLToPath(new URL("java/", import.meta.url));
const ESPER = fileURLToPath(new URL("esper/", import.meta.url));

interface JavaPeer {
  readonly name: string;
  readonly main: string;
  /** Sources beside those that all have, by their path. */
  readonly sources: readonly string[];
  readonly jars: () => Promise<readonly string[]>;
  readonly rule: (rule: JsonRule) => string;
  readonly flags?: readonly string[];
}

const artifact = (group: string, name: string, version: string): string =>
  `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`;
const jarsOf = (name: string, ...artifacts: string[]): Promise<string> =>
  mavenJars(
    name,
    `<project><modelVersion>4.0.0</modelVersion><groupId>weir</groupId><artifactId>${name}</artifactId><version>1</version>
<dependencies>${artifacts.join("\n")}</dependencies></project>\n`,
  );
const streamsJars = (): Promise<string> =>
  jarsOf(`kafka-streams-${kafkaVersion}`, artifact("org.apache.kafka", "kafka-streams", kafkaVersion));
const flinkJars = (): Promise<string> =>
  jarsOf(
    `flink-${FLINK}`,
    ...["flink-streaming-java", "flink-clients", "flink-connector-base"].map((name) =>
      artifact("org.apache.flink", name, FLINK),
    ),
    artifact("org.apache.flink", "flink-connector-kafka", "4.0.1-2.0"),
  );
/** Flink reads into the JDK's own classes, as its start scripts allow it. */
const OPEN = ["java.lang", "java.util", "java.util.concurrent", "java.util.concurrent.atomic", "java.net", "java.io"];

/** @param rules of the dense mix: the hand-made index knows its shapes alone */
export function javaPeers(rules: readonly JsonRule[]): KafkaPeer[] {
  const kafka = async () => [await kafkaJars()];
  const peers: readonly JavaPeer[] = [
    { name: "Java consumer, hash index", main: "PlainConsumer", sources: [], jars: kafka, rule: indexLine },
    { name: `Kafka Streams ${kafkaVersion}, hash index`, main: "StreamsPeer", sources: [`${JAVA}StreamsPeer.java`], jars: async () => [await kafkaJars(), await streamsJars()], rule: indexLine }, // biome-ignore format: a row
    { name: `Flink ${FLINK}, hash index`, main: "FlinkPeer", sources: [`${JAVA}FlinkPeer.java`], jars: async () => [await flinkJars(), await kafkaJars()], rule: indexLine, flags: OPEN.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`) }, // biome-ignore format: a row
    { name: "Esper 9.0.0, its own index", main: "EsperKafkaPeer", sources: [`${ESPER}EsperRules.java`, `${ESPER}EsperKafkaPeer.java`], jars: async () => [await kafkaJars(), await esperJars()], rule: statementOf, flags: ["-Xmx4g"] }, // biome-ignore format: a row
  ];
  return peers.map((peer) => ({ name: peer.name, start: (job) => startJava(peer, rules, job) }));
}

const SHARED = ["Transaction", "HashIndex", "Tally", "PlainConsumer"].map((name) => `${JAVA}${name}.java`);

async function startJava(peer: JavaPeer, rules: readonly JsonRule[], job: PeerJob): Promise<RunningPeer> {
  const classPath = (await peer.jars()).map((lib) => join(lib, "*")).join(":");
  const folder = await mkdtemp(join(tmpdir(), "weir-peer-"));
  await run("javac", ["-cp", classPath, "-d", folder, ...SHARED, ...peer.sources], folder);
  const ruleFile = join(folder, "rules");
  await writeFile(ruleFile, `${rules.map(peer.rule).join("\n")}\n`);
  const child = spawn(
    "java",
    [
      ...["-Xms1g", "-Xmx2g", "-XX:+UseParallelGC", `-Djava.io.tmpdir=${folder}`],
      ...["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", ...(peer.flags ?? [])],
      ...["-cp", `${classPath}:${folder}`, peer.main],
      ...[job.brokers, job.topic, job.group, ruleFile, String(job.threads)],
    ],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  let trouble = "";
  child.stderr.on("data", (chunk: Buffer) => {
    trouble = (trouble + chunk).slice(-4_000);
  });
  const progress = createProgress(1);
  let counted: (counts: number[]) => void = () => {};
  createInterface(child.stdout).on("line", (line) => {
    const [first, ...rest] = line.split(" ");
    if (first === "counts") counted(rest.map(Number));
    else progress.tell(0, { transactions: Number(first), matches: Number(rest[0]) });
  });
  const closed = once(child, "close").then(([code, signal]) => {
    process.off("exit", kill);
    progress.end(new Error(`Cannot measure ${peer.name}: it ended with ${code ?? signal}: ${trouble.trim()}`));
  });
  return {
    until: progress.until,
    counts: () =>
      new Promise((resolve, reject) => {
        counted = resolve;
        void closed.then(() => reject(new Error(`Cannot count: ${peer.name} has ended\n${trouble}`)));
        child.stdin.write("counts\n");
      }),
    cpu: () => processCpu(child.pid!),
    async stop() {
      child.stdin.end();
      await closed;
      await rm(folder, { recursive: true });
    },
  };
}
