/**
 * Exactly once, tested by killing. 200,000 transactions go through a real broker and the real store while the engine is killed
 * with SIGKILL at every named place of the data path, while partitions move between two engines, while the store is killed, and
 * after both kinds of damage that a killed ClickHouse can have in its deduplication log. Then everything is counted: by position,
 * by hash, by roll-up, and on the output topic as a reader of committed records sees it. A rule that counts each sender's transactions
 * must have seen each of them once, in their order.
 */
import { randomInt } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSynthetic } from "../bench/load/synthetic.ts";
import { openStore, type Store } from "../clickhouse/client.ts";
import { stopEmbedded } from "../clickhouse/embedded/open.ts";
import { type Admin, createAdmin } from "../engine/kafka/admin.ts";
import { createProducer, type Producer } from "../engine/kafka/producer.ts";
import { FAILPOINTS, type FailpointName } from "../engine/ops/failpoint.ts";
import { decodeLedger, type PartitionState } from "../engine/sink/ledger.ts";
import { buildRule } from "../rules-as/cli/build.ts";
import { EXAMPLES } from "../rules-as/cli/buildExamples.ts";
import { createTestTopics, engineVariables, testTopics } from "./support/engineOnKafka.ts";
import { type EngineProcess, startWeir, until, untilDone } from "./support/engineProcess.ts";
import { STANDSTILL_MS } from "./support/kafkaBroker.ts";
import { readCommitted } from "./support/readCommitted.ts";
import { sharedBrokers } from "./support/sharedKafka.ts";
import { fillStore } from "./support/storeTemplate.ts";
import { forgetLastToken, loseLastRows } from "./support/tornDeduplication.ts";

const TRANSACTIONS = 200_000;
const PARTITIONS = 4;
const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
/** Every choice is drawn from the seed and a tag of its own, so that a new choice leaves the others as they were. */
const pick = (tag: string, from: number, to: number): number => {
  let hash = SEED;
  for (const char of tag) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0;
  return from + (hash % (to - from + 1));
};

describe(`exactly once (SEED=${SEED})`, () => {
  let folder: string;
  let brokers: string;
  let admin: Admin;
  let producer: Producer;
  let store: Store | undefined;
  const names = testTopics();
  const synthetic = createSynthetic({ seed: SEED });
  const engines = new Set<EngineProcess>();
  const hashes = new Set<string>();
  /** Transactions by partition and sender: the rule `sequence` alerts on every fifth. */
  const sent = new Map<string, number>();
  let broken = 0;

  const env = (instance: string): Record<string, string> => ({
    ...engineVariables(names, { brokers, folder, instance }),
    WEIR_RANGE_MAX_ROWS: "3500", // rows of all tables: eight rounds a failpoint, of which it waits for up to four
    RULES_DIR: join(folder, "rules"),
  });

  const start = (instance = "one", failpoint?: string): EngineProcess => {
    const engine = startWeir(["start", "--no-api"], {
      ...env(instance),
      ...(failpoint ? { WEIR_FAILPOINT: failpoint } : {}),
    });
    engines.add(engine);
    void engine.exited.then(() => engines.delete(engine));
    return engine;
  };

  /** Puts so many transactions on the topic, and among them some that cannot be decoded. */
  async function produce(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const text = synthetic.next();
      const hash = text.slice(text.indexOf('"hash":"0x') + 10, text.indexOf('"hash":"0x') + 74);
      hashes.add(hash);
      const sender = `${i % PARTITIONS} ${text.slice(text.indexOf('"from":"0x') + 8, text.indexOf('"from":"0x') + 50)}`;
      sent.set(sender, (sent.get(sender) ?? 0) + 1);
      while (
        !producer.produce(names.txRaw, i % PARTITIONS, hash, Buffer.from(text), { "content-type": "application/json" })
      )
        await producer.room();
      if (i % 100 === 0) producer.produce(names.txRaw, i % PARTITIONS, null, Buffer.from(`{"broken":${broken++}`));
      if (i % 2_000 === 0) await new Promise(setImmediate);
    }
    await producer.flush();
  }

  async function ledger(): Promise<PartitionState[]> {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: names.txRaw, partition }));
    const committed = await admin.committed(names.group, partitions);
    return committed.map(({ offset, metadata }) =>
      offset === null
        ? { stored: 0, published: 0, ranges: [] }
        : metadata === ""
          ? { stored: offset, published: offset, ranges: [] }
          : decodeLedger(metadata, offset),
    );
  }

  /** Everything on the topic is published, stored, and the ledger says so. */
  async function settled(): Promise<boolean> {
    const marks = new Map((await admin.watermarks(names.txRaw)).map(({ partition, high }) => [partition, high]));
    return (await ledger()).every(
      ({ stored, ranges }, partition) => ranges.length === 0 && stored === marks.get(partition),
    );
  }

  const settle = (engine: EngineProcess): Promise<void> => untilDone([engine], settled);

  beforeAll(async () => {
    console.log(`SEED=${SEED} npx vitest run test/crash.test.ts repeats this run`);
    folder = await mkdtemp(join(tmpdir(), "weir-crash-"));
    await fillStore(join(folder, "clickhouse"));
    await cp(join(EXAMPLES, "build"), join(folder, "rules"), { recursive: true });
    const { wasm } = await buildRule(fileURLToPath(new URL("../rules-as/test/guests/sequence.ts", import.meta.url)));
    await writeFile(join(folder, "rules", "sequence.wasm"), wasm!);
    brokers = await sharedBrokers();
    // What a killed engine's transaction was to commit is not said before the next one has started and ended it.
    admin = await createAdmin({ brokers, timeoutMs: STANDSTILL_MS });
    await createTestTopics(admin, names, { txRaw: PARTITIONS, alerts: 2 });
    producer = await createProducer({ brokers });
  });

  afterAll(async () => {
    for (const engine of engines) await engine.kill();
    await producer?.close();
    await admin?.close();
    await store?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs the engine into a failpoint and makes sure that it was there that it died. */
  async function killAt(name: FailpointName, instance = "one"): Promise<void> {
    const mark = join(folder, `fired-${name.replaceAll(" ", "-")}-${instance}`);
    await rm(mark, { force: true });
    const times = name === "after assign" || name === "before revoke" ? 1 : pick(`times ${name}`, 1, 4);
    const engine = start(instance, `${name}@${times}=${mark}`);
    // Everything else comes by itself; this one comes when the engine leaves.
    if (name === "before revoke") {
      await settle(engine);
      engine.child.kill("SIGTERM");
    }
    const { signal, code } = await engine.exited;
    expect(existsSync(mark), `failpoint "${name}" never fired: code ${code}\n${engine.log().slice(-3_000)}`).toBe(true);
    expect(readFileSync(mark, "utf8")).toBe(`${name}\n`);
    expect(signal).toBe("SIGKILL");
  }

  const ownsAll = async (): Promise<boolean> => (await ledger()).every(({ published }) => published > 0);

  test("every failpoint fires, and each restart goes on where the ledger says", async () => {
    const share = Math.floor((TRANSACTIONS * 0.7) / FAILPOINTS.length);
    for (const name of FAILPOINTS) {
      await produce(share);
      await killAt(name);
    }
  });

  test("partitions move between two engines while one is killed", async () => {
    await produce(TRANSACTIONS * 0.05);
    const one = start("one");
    await untilDone([one], ownsAll);
    await produce(TRANSACTIONS * 0.05);
    const two = start("two", `before revoke@1=${join(folder, "fired-rebalance")}`);
    const three = start("three");
    await Promise.race([two.exited, untilDone([one, two, three], settled)]);
    await two.kill();
    await one.kill();
    await settle(three);
    await three.stop();
  });

  test("the store is killed while ranges are inserted", async () => {
    const engine = start("one");
    await produce(TRANSACTIONS * 0.05);
    await until(
      () => engine.log().includes("partitions_assigned"),
      () => engine.log(),
    ); // a start without a store fails
    for (let kill = 0; kill < 3; kill++) {
      await new Promise((resolve) => setTimeout(resolve, pick(`store ${kill}`, 100, 900)));
      await killStore();
      await produce(TRANSACTIONS * 0.01);
    }
    await settle(engine);
    await engine.stop();
  });

  test.each([
    { damage: "rows without their token", point: "stored transactions", tear: forgetLastToken },
    { damage: "a token without its rows", point: "stored transactions", tear: loseLastRows },
  ] as const)("the store was killed and left $damage", async ({ point, tear }) => {
    await produce(TRANSACTIONS * 0.03);
    await killAt(point);
    await stopEmbedded(join(folder, "clickhouse"));
    await tear({ folder: join(folder, "clickhouse"), table: "transactions" });
    const engine = start("one");
    await settle(engine);
    await engine.stop();
  });

  test("each transaction is stored once, roll-ups agree, and each alert is published once", async () => {
    await produce(TRANSACTIONS - synthetic.expected.transactions);
    const engine = start("one");
    await settle(engine);
    await engine.stop();

    store = await openStore({ folder: join(folder, "clickhouse"), database: "weir" });
    const one = async <T>(sql: string): Promise<T> => (await store!.rows<T>(sql))[0]!;
    const { transactions, whales, approvals } = synthetic.expected;
    const fifths = [...sent.values()].reduce((sum, count) => sum + Math.floor(count / 5), 0);
    expect(transactions).toBe(TRANSACTIONS);
    expect(
      await one(
        "SELECT toFloat64(count()) AS rows, toFloat64(uniqExact(partition, offset, n)) AS positions, toFloat64(uniqExact(hash)) AS hashes FROM transactions",
      ),
    ).toEqual({ rows: TRANSACTIONS, positions: TRANSACTIONS, hashes: hashes.size });
    expect(
      await one("SELECT toFloat64(count()) AS rows, toFloat64(uniqExact(bytes)) AS letters FROM dead_letters"),
    ).toEqual({ rows: broken, letters: broken });
    expect(await one("SELECT toFloat64(sum(transactions)) AS total FROM transactions_per_minute")).toEqual({
      total: TRANSACTIONS,
    });
    expect(
      await store.rows(
        `SELECT chain_id, minute, sum(transactions) AS total FROM transactions_per_minute GROUP BY ALL
         EXCEPT SELECT chain_id, toDateTime(toStartOfMinute(event_time), 'UTC') AS minute, count() AS total FROM transactions GROUP BY ALL`,
      ),
    ).toEqual([]);
    expect(
      await store.rows(
        "SELECT rule, toFloat64(count()) AS alerts, toFloat64(uniqExact(alert_id)) AS ids FROM alerts GROUP BY rule ORDER BY rule",
      ),
    ).toEqual([
      { rule: "sequence", alerts: fifths, ids: fifths },
      { rule: "unlimited-approval", alerts: approvals, ids: approvals },
      { rule: "whale-transfer", alerts: whales, ids: whales },
    ]);
    expect(await one("SELECT toFloat64(sum(alerts)) AS total FROM alerts_per_minute")).toEqual({
      total: whales + approvals + fifths,
    });
    // What the rule counted is what there is: each fifth transaction of a sender in its partition, by its number.
    const sequence = `SELECT partition, offset, n, concat('0x', lower(hex(from_address)), ' ', toString(place)) AS says FROM
      (SELECT partition, offset, n, from_address, row_number() OVER (PARTITION BY partition, from_address ORDER BY offset, n) AS place FROM transactions)
      WHERE place % 5 = 0`;
    const said = `SELECT partition, offset, n, arrayStringConcat(arraySlice(splitByChar(' ', message), 1, 2), ' ') AS says FROM alerts WHERE rule = 'sequence'`;
    expect(await store.rows(`${sequence} EXCEPT ${said}`)).toEqual([]);
    expect(await store.rows(`${said} EXCEPT ${sequence}`)).toEqual([]);
    // and what it remembers
    expect(
      await one(
        `SELECT toFloat64(sum(last)) AS counted, toFloat64(count()) AS keys FROM (SELECT argMax(reinterpretAsUInt64(value), offset) AS last
         FROM rule_state WHERE rule = 'sequence' AND name = 'sent' GROUP BY partition, key)`,
      ),
    ).toEqual({ counted: TRANSACTIONS, keys: sent.size });

    const published = (await readCommitted(brokers, names.alerts)).map(
      ({ value }) => (JSON.parse(value!.toString()) as { id: string }).id,
    );
    expect((await readCommitted(brokers, names.deadLetters)).length).toBe(broken);
    const stored = (await store.rows<{ id: string }>("SELECT lower(hex(alert_id)) AS id FROM alerts")).map(
      ({ id }) => id,
    );
    expect(published.length).toBe(new Set(published).size);
    expect(published.sort()).toEqual(stored.sort());
  });

  /** The child's pid is in its address file; after a kill, the engine's next request starts another. */
  async function killStore(): Promise<void> {
    const pid = (): number =>
      (JSON.parse(readFileSync(join(folder, "clickhouse", "store.json"), "utf8")) as { pid: number }).pid;
    await until(
      () => existsSync(`/proc/${pid()}`),
      () => `no store runs, the last was ${pid()}`,
    );
    process.kill(pid(), "SIGKILL");
  }
});
