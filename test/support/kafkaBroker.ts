import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { cp, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createAdmin } from "../../engine/kafka/admin.ts";
import { freePort } from "./freePort.ts";
import { kafkaJars } from "./kafkaJars.ts";
import { run } from "./mavenJars.ts";

export type BrokerOptions = {
  /** Default number of partitions of a topic created without a count. */
  partitions?: number;
  /** Further lines of server.properties. */
  settings?: Record<string, string | number | boolean>;
  /**
   * It is to be measured: compiled by the JVM as well as it can, which costs it 7 s of CPU a start instead of 3, and with the GB of memory that Kafka's own script
   * gives it, most of it for what is new. With 512 MB it stood still for 30 ms every 2 s to collect garbage: a wait for one alert in fifty that was its alone.
   */
  measured?: boolean;
};

export type Broker = {
  /** `127.0.0.1:port`, or KAFKA_BROKERS as it is set. */
  brokers: string;
  /** Null when the broker is not ours. */
  dataDir: string | null;
  /** Of the process that runs now; undefined when it is not ours, or stopped. */
  readonly pid: number | undefined;
  /** Stops it gracefully (SIGTERM); its data stay. */
  stop(): Promise<void>;
  /** SIGKILL; its data stay as they are. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data; stops it first if it runs. */
  restart(): Promise<void>;
  /** Stops it if it runs and removes its data. Call it at the end. */
  close(): Promise<void>;
};

/** How long a test's client waits for its broker, in ms: on a busy machine that stands still at times. */
export const STANDSTILL_MS = 60_000;

const startDeadlineMs = 300_000;
const stopDeadlineMs = 120_000;

/** One KRaft node that is broker and controller, with everything that a cluster would replicate kept once. */
function serverProperties(port: number, controllerPort: number, dataDir: string, options: BrokerOptions): string {
  const eightMiB = 8 * 1024 * 1024; // a record may be 4 MiB (design), JSON and packing add to it
  const properties = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "log.dirs": join(dataDir, "log"),
    "num.partitions": options.partitions ?? 1,
    "default.replication.factor": 1,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.num.partitions": 4,
    "transaction.state.log.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1_000,
    "message.max.bytes": eightMiB,
    "replica.fetch.max.bytes": eightMiB,
    "auto.create.topics.enable": false,
    "log.retention.ms": -1, // records of old blocks carry old times
    "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024, // the default 128 MiB is a quarter of our heap
    ...options.settings,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

/**
 * Starts a real Apache Kafka (KRaft, one node) on free ports, or uses KAFKA_BROKERS if that is set.
 * The broker and its data go with this process, even if that is killed: a watcher holds a pipe to us.
 * Throws when neither brokers nor Java and Maven (or jars in the cache) are there, saying what to do.
 */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  if (process.env.KAFKA_BROKERS) return foreignBroker(process.env.KAFKA_BROKERS);

  const jars = await kafkaJars();
  const dataDir = await mkdtemp(join(tmpdir(), "weir-kafka-"));
  const [port, controllerPort] = [await freePort(), await freePort()];
  const brokers = `127.0.0.1:${port}`;
  const config = join(dataDir, "server.properties");
  const log = join(dataDir, "broker.out");
  const compiler = options.measured ? [] : ["-XX:TieredStopAtLevel=1"];
  const heap = options.measured ? ["-Xms1g", "-Xmx1g", "-Xmn640m"] : ["-Xmx512m"];
  const java = [...heap, "-XX:+UseSerialGC", ...compiler, "-cp", join(jars, "*")];
  const archive = join(jars, "../classes.jsa");
  const newArchive = `${archive}.${process.pid}-${port}`;
  let broker: ChildProcess | null = null;
  let watcher: ChildProcess | null = null;

  const onExit = () => {
    broker?.kill("SIGKILL");
    rmSync(dataDir, { recursive: true, force: true });
  };

  async function launch(): Promise<void> {
    const out = openSync(log, "a");
    // Loaded classes are kept by the first broker that ends in peace: a start takes 2.7 s of CPU with them, 4.2 without. A Java
    // that is not the one that wrote them starts without.
    const classes = existsSync(archive) ? `-XX:SharedArchiveFile=${archive}` : `-XX:ArchiveClassesAtExit=${newArchive}`;
    const child = spawn("java", [classes, ...java, "kafka.Kafka", config], {
      cwd: dataDir,
      stdio: ["ignore", out, out],
    });
    broker = child;
    child.once("exit", () => {
      if (broker === child) broker = null;
    });
    // Reads until our end of the pipe closes, which only our death does: close() ends it by a signal.
    watcher = spawn("sh", ["-c", 'cat; kill -9 "$1"; rm -rf "$2"', "watch", String(child.pid), dataDir], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    watcher.unref();
    await untilReady(child);
  }

  /** Ready is when a client can list topics; every try is a fresh client, as one keeps waiting after a refused connection. */
  async function untilReady(child: ChildProcess): Promise<void> {
    const deadline = Date.now() + startDeadlineMs;
    let reason: unknown;
    while (Date.now() < deadline) {
      if (child.exitCode !== null || child.signalCode !== null) {
        const tail = readFileSync(log, "utf8").trim().split("\n").slice(-20).join("\n");
        throw new Error(
          `Cannot start Kafka on "${brokers}": Java ended with ${child.exitCode}, expected it to run\n${tail}`,
        );
      }
      try {
        const admin = await createAdmin({ brokers, timeoutMs: 1_000 });
        try {
          await admin.listTopics();
          return;
        } finally {
          await admin.close();
        }
      } catch (error) {
        reason = error;
        await sleep(100);
      }
    }
    throw new Error(
      `Cannot start Kafka on "${brokers}": not ready after ${startDeadlineMs / 1000} s, expected topics`,
      {
        cause: reason,
      },
    );
  }

  async function end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = broker;
    if (!child) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), stopDeadlineMs);
    await ended;
    clearTimeout(timer);
    watcher?.kill("SIGKILL");
    if (existsSync(newArchive)) await (child.exitCode === 143 ? rename(newArchive, archive) : rm(newArchive));
  }

  async function close(): Promise<void> {
    await end("SIGKILL");
    process.off("exit", onExit);
    await rm(dataDir, { recursive: true, force: true });
  }

  process.once("exit", onExit);
  try {
    await writeFile(config, serverProperties(port, controllerPort, dataDir, options));
    const formatted = join(jars, "../formatted");
    if (existsSync(formatted)) await cp(formatted, join(dataDir, "log"), { recursive: true });
    else {
      const clusterId = "weir-tests-0000000000g"; // 22 characters of base64url: 16 bytes
      await run("java", [...java, "kafka.tools.StorageTool", "format", "-t", clusterId, "-c", config], dataDir);
      await keepFormatted(join(dataDir, "log"), formatted);
    }
    await launch();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    brokers,
    dataDir,
    get pid() {
      return broker?.pid;
    },
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    async restart() {
      await end("SIGTERM");
      await launch();
    },
    close,
  };
}

/** A new broker's two files are the same for all of them; to write them is 1.6 s of CPU. Of several processes the first keeps its own. */
async function keepFormatted(log: string, formatted: string): Promise<void> {
  const copy = `${formatted}.${process.pid}`;
  await cp(log, copy, { recursive: true });
  await rename(copy, formatted).catch(() => rm(copy, { recursive: true }));
}

function foreignBroker(brokers: string): Broker {
  const refuse = (action: string) => async () => {
    throw new Error(
      `Cannot ${action} the broker "${brokers}": it comes from KAFKA_BROKERS, expected one that this test started\n  Unset KAFKA_BROKERS`,
    );
  };
  return {
    brokers,
    dataDir: null,
    pid: undefined,
    stop: refuse("stop"),
    kill: refuse("kill"),
    restart: refuse("restart"),
    close: async () => {},
  };
}
