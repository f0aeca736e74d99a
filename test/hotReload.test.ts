/**
 * Rules are replaced under load: transactions flow through a real broker into two engines while a rule gets version after
 * version, is switched off and on again and rolled back. Each transaction is evaluated by one version of each rule, once, and a batch
 * by one rule set.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSynthetic } from "../bench/load/synthetic.ts";
import { openStore, type Store } from "../clickhouse/client.ts";
import { stopEmbedded } from "../clickhouse/embedded/open.ts";
import { type Control, openControl } from "../engine/control/open.ts";
import { type Admin, createAdmin } from "../engine/kafka/admin.ts";
import { createProducer, type Producer } from "../engine/kafka/producer.ts";
import { type Catalogue, openCatalogue } from "../engine/rules/catalogue.ts";
import { createTestTopics, engineVariables, testTopics } from "./support/engineOnKafka.ts";
import { type EngineProcess, startWeir, until } from "./support/engineProcess.ts";
import { STANDSTILL_MS } from "./support/kafkaBroker.ts";
import { readCommitted } from "./support/readCommitted.ts";
import { sharedBrokers } from "./support/sharedKafka.ts";
import { fillStore } from "./support/storeTemplate.ts";

const PARTITIONS = 4;
const VERSIONS = 8;
const BY = "a test";

let folder: string;
let brokers: string;
let admin: Admin;
let producer: Producer;
let control: Control;
let catalogue: Catalogue;
let store: Store | undefined;
const engines: EngineProcess[] = [];
const names = testTopics();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-reload-"));
  await fillStore(join(folder, "clickhouse"));
  brokers = await sharedBrokers();
  admin = await createAdmin({ brokers, timeoutMs: STANDSTILL_MS });
  await createTestTopics(admin, names, { txRaw: PARTITIONS, alerts: 1 });
  producer = await createProducer({ brokers });
  control = openControl({ folder: join(folder, "clickhouse") });
  catalogue = await openCatalogue({ control });
});

afterAll(async () => {
  for (const engine of engines) await engine.kill();
  await producer?.close();
  await admin?.close();
  await control?.close();
  await store?.close();
  await stopEmbedded(join(folder, "clickhouse"));
  await rm(folder, { recursive: true, force: true });
});

const start = (instance: string): EngineProcess => {
  const engine = startWeir(["start", "--no-api"], engineVariables(names, { brokers, folder, instance }));
  engines.push(engine);
  return engine;
};

/** A rule that alerts on every transaction, and says which version does. Every other version asks for facts, so that they come and go. */
const every = (version: number) =>
  JSON.stringify({
    name: "every",
    description: `by version ${version}`,
    conditions: version % 2 === 0 ? { swapCount_gte: 0 } : { value_gte: 0 },
  });
const upload = (name: string, text: string) => catalogue.upload(name, Buffer.from(text), { by: BY, kind: "json" });

test("no evaluation is lost or doubled, and a batch has one rule set", async () => {
  expect((await upload("every", every(1))).ok).toBe(true);
  const counting = { name: "counting", conditions: { not: { value_lt: 0 } }, actions: { send_alert: false } };
  expect((await upload("counting", JSON.stringify(counting))).ok).toBe(true);

  const synthetic = createSynthetic({ seed: 5 });
  let producing = true;
  const load = (async () => {
    for (let sent = 0; producing; sent++) {
      while (
        !producer.produce(names.txRaw, sent % PARTITIONS, null, Buffer.from(synthetic.next()), {
          "content-type": "application/json",
        })
      )
        await producer.room();
      if (sent % 25 === 0) await sleep(50);
    }
    await producer.flush();
  })();

  const [one, two] = [start("one"), start("two")];
  const logs = (): string => engines.map((engine) => engine.log().slice(-2_000)).join("\n");
  await until(() => [one, two].every((engine) => engine.log().includes("partitions_assigned")), logs);
  store = await openStore({ folder: join(folder, "clickhouse"), database: "weir" });
  const ask = async <T>(sql: string): Promise<T> => (await store!.rows<T>(sql))[0]!;
  const hasRun = (version: number) =>
    until(
      async () => (await ask<{ ran: number }>(`SELECT count() > 0 AS ran FROM alerts WHERE rule_version = ${version}`)).ran > 0,
      () => `version ${version} does not run\n${logs()}`,
    ); // biome-ignore format: one line each
  /** How many transactions the rule that counts was not shown. */
  const unseen = async () =>
    (await ask<{ n: number }>("SELECT toFloat64(sumIf(matches, rule = 'every')) - toFloat64(sumIf(matches, rule = 'counting')) AS n FROM rule_stats")).n; // biome-ignore format: one line
  for (let version = 2; version <= VERSIONS; version++) {
    expect(await upload("every", every(version))).toMatchObject({ ok: true, version });
    // every third is replaced before anybody may have seen it
    if (version % 3 !== 0) await hasRun(version);
    if (version % 4 !== 0) continue;
    const before = await unseen();
    await catalogue.change("counting", "disable", { by: BY });
    await until(
      async () => (await unseen()) > before,
      () => `the rule that was switched off goes on\n${logs()}`,
    );
    await catalogue.change("counting", "enable", { by: BY });
  }
  await catalogue.change("every", "rollback", { by: BY, version: 3 });
  // The last batch of each partition ran with the version that was rolled back to.
  const lastVersions = () =>
    store!.rows<{ v: number }>(
      "SELECT DISTINCT argMax(rule_version, offset) AS v FROM alerts WHERE rule = 'every' GROUP BY partition",
    );
  await until(
    async () => (await lastVersions()).every(({ v }) => v === 3),
    () => `some partition does not run version 3\n${logs()}`,
  );
  producing = false;
  await load;

  const total = synthetic.expected.transactions;
  await until(
    async () => (await ask<{ n: number }>("SELECT toFloat64(count()) AS n FROM transactions")).n >= total,
    () => `not all of ${total} are stored\n${logs()}`,
  );
  for (const engine of engines) await engine.stop();

  expect(
    await ask("SELECT toFloat64(count()) AS n, toFloat64(uniqExact(partition, offset)) AS places FROM transactions"),
  ).toEqual({ n: total, places: total });
  // Every transaction has one alert, of whichever version.
  expect(
    await ask(
      "SELECT toFloat64(count()) AS n, toFloat64(uniqExact(partition, offset)) AS places, toFloat64(uniqExact(alert_id)) AS ids FROM alerts WHERE rule = 'every'",
    ),
  ).toEqual({ n: total, places: total, ids: total });
  expect(
    await ask(
      "SELECT toFloat64(sum(evaluations)) AS evaluations, toFloat64(sum(matches)) AS matches FROM rule_stats WHERE rule = 'every'",
    ),
  ).toEqual({
    evaluations: total,
    matches: total,
  });
  // An alert says what its version says.
  expect(
    await store.rows(
      "SELECT rule_version, message FROM alerts WHERE rule = 'every' AND message != concat('by version ', toString(rule_version)) LIMIT 3",
    ),
  ).toEqual([]);
  // rule_stats has a row a batch and version: a batch that two versions had seen would have two.
  expect(
    await store.rows(
      "SELECT partition, offset FROM rule_stats WHERE rule = 'every' GROUP BY partition, offset HAVING count() > 1",
    ),
  ).toEqual([]);
  const seen = (
    await store.rows<{ v: number }>("SELECT DISTINCT rule_version AS v FROM alerts WHERE rule = 'every' ORDER BY v")
  ).map(({ v }) => v);
  expect(seen).toEqual(expect.arrayContaining([2, 3, 4, 5, 7, 8]));
  expect(await lastVersions()).toEqual([{ v: 3 }]);
  // The rule that was off missed some.
  const { counted } = await ask<{ counted: number }>(
    "SELECT toFloat64(sum(matches)) AS counted FROM rule_stats WHERE rule = 'counting'",
  );
  expect(counted).toBeGreaterThan(0);
  expect(counted).toBeLessThan(total);
  const published = (await readCommitted(brokers, names.alerts))
    .map(({ value }) => JSON.parse(value!.toString()) as { id: string; rule: string })
    .filter(({ rule }) => rule === "every");
  expect(published.length).toBe(total);
  expect(new Set(published.map(({ id }) => id)).size).toBe(total);
});
