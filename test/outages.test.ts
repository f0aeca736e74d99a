/**
 * What the engine needs goes away for 20 seconds: the broker, the store, the disk. It goes on in one process, says at /ready
 * what it waits for, recovers by itself, and nothing is lost or doubled.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { open, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSynthetic } from "../bench/load/synthetic.ts";
import { openStore, type Store } from "../clickhouse/client.ts";
import { openThroughOutage } from "./support/clientsThroughOutage.ts";
import { type EngineProcess, until } from "./support/engineProcess.ts";
import { type Broker, startBroker } from "./support/kafkaBroker.ts";
import { createKafkaScene, type KafkaScene } from "./support/kafkaScene.ts";
import { readCommitted } from "./support/readCommitted.ts";
import { sharedBrokers } from "./support/sharedKafka.ts";

const OUTAGE_MS = 20_000;
/** A crash loop, or a client that cannot hold still, writes thousands. */
const MAX_LOG_LINES = 150;

interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** Asks /ready again and again and keeps every answer that differs from the one before. */
function watchReady(url: string, engine: EngineProcess) {
  const changes: Readiness[] = [];
  let watching = true;
  let failed: Error | undefined;
  const done = (async () => {
    while (watching) {
      // A connection of its own: a busy machine may ask again just when the server closes an idle one.
      const response = await fetch(`${url}/ready`, { headers: { connection: "close" } });
      const body = (await response.json()) as Readiness;
      expect(response.status).toBe(body.ready ? 200 : 503);
      if (JSON.stringify(body) !== JSON.stringify(changes.at(-1))) changes.push(body);
      await sleep(300);
    }
  })().catch(async (cause) => {
    await sleep(1_000); // an engine that has just died is known to be so a little later
    const { exitCode, signalCode } = engine.child;
    const state = exitCode ?? signalCode ?? "still running";
    failed = new Error(`Asked /ready in vain; the engine: ${state}\n${engine.log().slice(-4_000)}`, { cause });
  });
  return {
    changes,
    /** Waits until the last answer is such a one. @throws at once when none can come any more */
    async until(check: (last: Readiness | undefined) => boolean): Promise<void> {
      await until(
        () => failed !== undefined || check(changes.at(-1)),
        () => `${JSON.stringify(changes)}\n${engine.log().slice(-3_000)}`,
      );
      if (failed) throw failed;
    },
    async stop() {
      watching = false;
      await done;
    },
  };
}

async function urlOf(engine: EngineProcess): Promise<string> {
  const url = () => /API {2}(http:\/\/\S+)/.exec(engine.log())?.[1];
  await until(() => url() !== undefined, engine.log);
  return url()!;
}

interface Outage {
  readonly scene: KafkaScene;
  readonly engine: EngineProcess;
  readonly brokers: string;
  /** Called with the means to send more while it lasts. */
  begin(send: (count: number) => Promise<void>): Promise<unknown>;
  end(send: (count: number) => Promise<void>): Promise<unknown>;
  /** What /ready must say meanwhile. */
  readonly reason: RegExp;
  store(): Promise<Store>;
}

/** The course of all of them. */
async function survive({ scene, engine, brokers, begin, end, reason, store }: Outage): Promise<void> {
  const synthetic = createSynthetic({ seed: 3 });
  const send = (count: number) =>
    scene.send(Array.from({ length: count }, (_, i) => ({ partition: i % 2, value: Buffer.from(synthetic.next()) })));
  await send(2_000);
  const watch = watchReady(await urlOf(engine), engine);
  try {
    await scene.settle(engine);
    await watch.until((last) => last?.ready === true);
    const linesBefore = engine.log().split("\n").length;

    await begin(send);
    await sleep(OUTAGE_MS);
    await watch.until((last) => last!.reasons.some((each) => reason.test(each)));
    expect(engine.child.exitCode).toBeNull();
    await end(send);
    await scene.settle(engine);
    await watch.until((last) => last?.ready === true);
    await send(1_000);
    await scene.settle(engine);
    expect(engine.log().split("\n").length - linesBefore, engine.log()).toBeLessThan(MAX_LOG_LINES);
  } finally {
    await watch.stop();
  }

  const { transactions, whales, approvals } = synthetic.expected;
  const counted = await store();
  const [rows] = await counted.rows(
    `SELECT toFloat64(count()) AS n, toFloat64(uniqExact(partition, offset)) AS places, toFloat64(uniqExact(hash)) AS hashes FROM transactions`,
  );
  expect(rows).toEqual({ n: transactions, places: transactions, hashes: transactions });
  const [minutes] = await counted.rows("SELECT toFloat64(sum(transactions)) AS n FROM transactions_per_minute");
  expect(minutes).toEqual({ n: transactions });
  const [alerts] = await counted.rows("SELECT toFloat64(count()) AS n FROM alerts");
  expect(alerts).toEqual({ n: whales + approvals });
  const ids = (await readCommitted(brokers, scene.topics.alerts)).map(({ value }) => JSON.parse(value!.toString()).id);
  expect(ids).toHaveLength(whales + approvals);
  expect(new Set(ids).size).toBe(ids.length);
  await engine.stop();
}

const API = { API_PORT: "0" };
const START = ["start"];

describe.concurrent("20 seconds without", () => {
  let own: Broker;
  let shared: string;
  const scenes: KafkaScene[] = [];
  const scene = async (options: Parameters<typeof createKafkaScene>[0]): Promise<KafkaScene> => {
    const made = await createKafkaScene(options);
    scenes.push(made);
    return made;
  };

  beforeAll(async () => {
    shared = await sharedBrokers();
    if (!process.env.KAFKA_BROKERS) own = await startBroker();
  });
  afterAll(async () => {
    for (const each of scenes) await each.close();
    await own?.close();
  });

  test.skipIf(process.env.KAFKA_BROKERS)("the broker", async () => {
    const { brokers } = own;
    const made = await scene({ brokers });
    const engine = made.start(START, API);
    const clients = await openThroughOutage(brokers);
    await survive({
      scene: made,
      engine,
      brokers,
      async begin(send) {
        await send(3_000); // on their way when the broker goes
        await own.stop();
        await clients.during();
      },
      async end() {
        await own.restart();
        await clients.after();
      },
      reason: /kafka: Cannot reach the brokers/i,
      store: () => made.store(),
    });
    await clients.close();
  });

  test("the store: it hangs", async () => {
    const made = await scene({ brokers: shared });
    const engine = made.start(START, API);
    let pid = 0;
    await survive({
      scene: made,
      engine,
      brokers: shared,
      async begin(send) {
        pid = await storePid(made.data);
        process.kill(pid, "SIGSTOP");
        await send(3_000);
      },
      async end() {
        process.kill(pid, "SIGCONT");
      },
      reason: /store|clickhouse/i,
      store: () => made.store(),
    });
  });

  test("the store: it is killed again and again", async () => {
    const made = await scene({ brokers: shared });
    const engine = made.start(START, API);
    let killing: Promise<void> | undefined;
    let kills = 0;
    let over = false;
    await survive({
      scene: made,
      engine,
      brokers: shared,
      async begin(send) {
        killing = (async () => {
          for (let last = 0; !over; await sleep(20)) {
            const pid = await storePid(made.data).catch(() => 0);
            if (pid === 0 || pid === last || !isRunning(pid)) continue;
            process.kill(pid, "SIGKILL");
            last = pid;
            kills++;
          }
        })();
        await send(3_000);
      },
      async end() {
        await until(
          () => kills > 2,
          () => `only ${kills} stores were there to be killed`,
        );
        over = true;
        await killing;
      },
      reason: /store|clickhouse/i,
      store: () => made.store(),
    });
  });

  const why = noNamespaces();
  if (why) console.warn(`The test with a full disk is skipped: ${why}`);
  test.skipIf(why !== undefined)("room on the store's disk", async () => {
    const made = await scene({ brokers: shared });
    const disk = await startOnSmallDisk(made, 192);
    let opened: Store | undefined;
    try {
      await survive({
        scene: made,
        engine: disk.engine,
        brokers: shared,
        async begin(send) {
          await disk.fill();
          await send(3_000);
        },
        end: () => disk.free(),
        reason: /not enough space|no space left/i,
        async store() {
          const { port, secret } = JSON.parse(await readFile(join(disk.folder, "store.json"), "utf8"));
          const address = { url: `http://127.0.0.1:${port}`, username: "weir", password: secret, database: "weir" };
          opened ??= await openStore(address);
          return opened;
        },
      });
    } finally {
      await opened?.close();
      await disk.close();
    }
  });
});

const storePid = async (data: string): Promise<number> =>
  (JSON.parse(await readFile(join(data, "clickhouse", "store.json"), "utf8")) as { pid: number }).pid;

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Why no small disk can be mounted here; undefined when one can. */
function noNamespaces(): string | undefined {
  const tried = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { encoding: "utf8" });
  if (tried.error) return `unshare cannot be run: ${tried.error.message}`;
  return tried.status === 0 ? undefined : `a mount namespace is refused: ${tried.stderr.trim()}`;
}

/**
 * The engine in a mount namespace of its own, in which the store's folder is a tmpfs of so many MiB. It is seen from here
 * through /proc/<pid>/root, and gone with the last process in it.
 */
async function startOnSmallDisk(scene: KafkaScene, size: number) {
  const folder = join(scene.data, "clickhouse");
  // Holds the namespace, so that the folder can be looked into before and after the engine.
  const script = `mkdir -p "$0" && mount -t tmpfs -o size=${size}m tmpfs "$0" && echo ready && exec sleep 600`;
  const holder: ChildProcess = spawn("unshare", ["-rm", "sh", "-c", script, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    holder.stdout!.once("data", () => resolve());
    holder.once("exit", (code) => reject(new Error(`The small disk could not be mounted: exit code ${code}`)));
  });
  const inside = `/proc/${holder.pid}/root${folder}`;
  const enter = ["nsenter", "-t", String(holder.pid), "-U", "-m", "--preserve-credentials"];
  const engine = scene.start(START, API, [...enter, "env", `--chdir=${process.cwd()}`]);
  const filler = join(inside, "filler");
  return {
    engine,
    folder: inside,
    async fill() {
      const file = await open(filler, "w");
      try {
        const block = Buffer.alloc(64 << 10);
        for (;;) await file.write(block);
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe("ENOSPC");
      } finally {
        await file.close();
      }
      expect((await stat(filler)).size).toBeGreaterThan(1 << 20);
    },
    free: () => rm(filler),
    async close() {
      const pid = await readFile(join(inside, "store.json"), "utf8").then(
        (text) => JSON.parse(text).pid as number,
        () => 0,
      );
      if (pid > 0 && isRunning(pid)) process.kill(pid, "SIGKILL");
      holder.kill("SIGKILL");
    },
  };
}
