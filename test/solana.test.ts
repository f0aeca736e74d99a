/**
 * Arbitrages on Solana, from the topic that they share with ours to what the API answers: each once in the store, each bad one a dead letter, however
 * often the same records are read again.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../api/testServer.ts";
import { type Admin, createAdmin } from "../engine/kafka/admin.ts";
import { createProducer, type Producer } from "../engine/kafka/producer.ts";
import { loadConfig } from "../engine/ops/config.ts";
import { followSolana } from "../engine/solana/follow.ts";
import { RECORD, SIGNATURE, signatureOf } from "../engine/solana/testing/records.ts";
import { until } from "./support/engineProcess.ts";
import { STANDSTILL_MS } from "./support/kafkaBroker.ts";
import { readCommitted } from "./support/readCommitted.ts";
import { sharedBrokers, uniqueName } from "./support/sharedKafka.ts";

const [topic, lettersTopic] = [uniqueName("arbitrage-transactions"), uniqueName("dead_letters")];
const VALID = 1_200;
let server: TestServer;
let brokers: string;
let admin: Admin;
let producer: Producer;

beforeAll(async () => {
  [server, brokers] = await Promise.all([startTestServer(), sharedBrokers()]);
  admin = await createAdmin({ brokers, timeoutMs: STANDSTILL_MS });
  await admin.createTopics([{ topic, partitions: 3 }, { topic: lettersTopic, partitions: 1 }]); // biome-ignore format: one call
  producer = await createProducer({ brokers });
});
afterAll(async () => {
  await producer?.close();
  await admin?.close();
  await server?.close();
});

async function produce(values: readonly (string | null)[], partition: number | null = null): Promise<void> {
  for (const value of values)
    while (!producer.produce(topic, partition, null, value === null ? null : Buffer.from(value))) await producer.room();
  await producer.flush();
}

/** Follows under a group until the group has all records of the topic, then ends. */
async function follow(group: string): Promise<void> {
  const env = { KAFKA_BROKERS: brokers, KAFKA_GROUP_ID: group, KAFKA_TOPIC_DEAD_LETTERS: lettersTopic, KAFKA_TOPIC_ARBITRAGE_TRANSACTIONS: topic }; // biome-ignore format: one line
  const { config } = loadConfig({ env });
  const stop = new AbortController();
  const { store, metrics, logger: log } = server;
  const following = followSolana({ config, store, log, metrics, signal: stop.signal });
  try {
    const hasAll = async (): Promise<boolean> => {
      const marks = await admin.watermarks(topic);
      const committed = await admin.committed(`${group}-solana`, marks.map(({ partition }) => ({ topic, partition }))); // biome-ignore format: one line
      return marks.every(({ partition, high }) => high === 0 || committed.find((each) => each.partition === partition)?.offset === high); // biome-ignore format: one line
    };
    await until(hasAll, () => server.log().slice(-2_000));
  } finally {
    stop.abort();
    await following;
  }
}

const one = async <T>(sql: string): Promise<T> => (await server.store.rows<{ value: T }>(sql))[0]!.value;
const rowCount = () => one<string>("SELECT toString(count()) AS value FROM solana_transactions FINAL");
const letters = () =>
  server.store.rows<{ partition: number; offset: string; reason: string; detail: string; size: number }>(
    "SELECT partition, toString(t.offset) AS offset, reason, detail, size FROM dead_letters AS t ORDER BY t.partition, t.offset",
  );

test("records of Solana are in the store and the API once, what cannot be read is a dead letter, ours are passed over", async () => {
  const valid = Array.from({ length: VALID }, (_, i) => JSON.stringify({ ...RECORD, tx_signature: signatureOf(i), slot: 1_000 + i, revenue_sol: i / 1_000 })); // biome-ignore format: one line
  const ours = JSON.stringify({ kind: "arbitrage", definition: "cycle", chain_id: 1, tx_hash: `0x${"1".repeat(64)}` });
  const bad = ["{", JSON.stringify({ ...RECORD, slot: -1 }), null, JSON.stringify({ ...RECORD, tx_signature: "0x12" })];
  await produce(valid.flatMap((value, i) => (i % 3 === 0 ? [value, ours] : [value])));
  await produce(bad, 1);
  await produce(valid.slice(0, 100)); // told again by a collector that was not sure
  await follow("first");

  expect(await rowCount()).toBe(String(VALID));
  const found = await letters();
  expect(found.map(({ partition, reason }) => [partition, reason])).toEqual([
    [1, "solana_not_json"],
    [1, "solana_invalid"],
    [1, "solana_not_json"],
    [1, "solana_invalid"],
  ]);
  expect(found[1]!.detail).toBe(`Cannot take the Solana record at ${topic}/1, offset ${found[1]!.offset}: slot: Expected an integer from 0 to 9007199254740991`); // biome-ignore format: one line
  const onTopic = async () =>
    (await readCommitted(brokers, lettersTopic)).map(
      ({ headers }) =>
      Object.assign({}, ...(headers as unknown as Record<string, Buffer>[]).map((header) => Object.fromEntries(Object.entries(header).map(([name, value]) => [name, value.toString()])))), // biome-ignore format: one line
    );
  const told = found.map(({ partition, offset, reason }) => ({ "weir-source": topic, "weir-partition": String(partition), "weir-offset": offset, "weir-reason": reason })); // biome-ignore format: one line
  expect(await onTopic()).toMatchObject(told);

  const { text } = await server.get("/metrics");
  expect(text).toContain(`\nweir_solana_transactions_total ${VALID + 100}\n`);
  expect(text).toContain(`\narbitrage_transactions_total{chain="solana"} ${VALID + 100}\n`);
  expect(Number(/\narbitrage_profit_total_sol (\S+)/.exec(text)![1])).toBeCloseTo((VALID + 100) * 0.031000005, 6);
  expect(text).toContain('\nweir_dead_letters_total{reason="solana_invalid"} 2\n');

  // Nothing new: the group goes on where it was. A group that knows nothing reads all of it again, as after a kill before the commit.
  await follow("first");
  expect(await onTopic()).toHaveLength(bad.length);
  await follow("second");
  expect(await rowCount()).toBe(String(VALID));
  expect(await letters()).toEqual(found);

  // A part of the letters is there from an attempt that broke off, and one more comes.
  await server.store.command(`DELETE FROM dead_letters WHERE source = '${topic}' AND offset = ${found[2]!.offset}`);
  await produce(["[]"], 1);
  await follow("third");
  expect((await letters()).slice(0, -1)).toEqual(found);
  expect((await letters()).at(-1)).toMatchObject({ partition: 1, reason: "solana_invalid", size: 2 });
});

test("the API answers in the words of the seed, the latest record of a transaction", async () => {
  await produce([JSON.stringify({ ...RECORD, block_time: 1_705_314_700, note: "first" })], 0);
  await produce([JSON.stringify({ ...RECORD, block_time: 1_705_314_700, note: "second", chain: "theirs" })], 0);
  await follow("first");
  const expected = { ...RECORD, chain: "solana", block_time: "2024-01-15T10:31:40.000Z", note: "second", revenue_sol_raw: "32500000", net_profit_sol: 0.031000005, net_profit_sol_raw: "31000005" }; // biome-ignore format: one line
  const body = async (path: string) => (await server.get(path)).body();
  expect(await body(`/api/v1/transactions/solana/${SIGNATURE}`)).toEqual(expected);
  expect(await body("/api/v1/transactions/solana?limit=1")).toEqual([expected]);
  const page = await server.get("/api/v1/transactions/solana?limit=400&min_revenue_sol=0.8");
  expect(page.headers.get("x-total-count")).toBe("400");
  const slots = (page.body() as { slot: number }[]).map(({ slot }) => slot);
  expect(slots).toEqual(Array.from({ length: 400 }, (_, i) => 1_000 + VALID - 1 - i));
  const next = /<([^>]+)>; rel="next"/.exec(page.headers.get("link")!)![1]!;
  expect(await body(next)).toEqual([]);
  const first = await server.get("/api/v1/transactions/solana?limit=1000");
  const rest = await body(/<([^>]+)>; rel="next"/.exec(first.headers.get("link")!)![1]!);
  expect(new Set([...(first.body() as { tx_signature: string }[]), ...(rest as { tx_signature: string }[])].map(({ tx_signature }) => tx_signature)).size).toBe(VALID + 1); // biome-ignore format: one line
  expect(await body("/api/v1/transactions/solana?until=2024-01-15T10:30:00Z")).toEqual([]);
  await server.problem(`/api/v1/transactions/solana/${signatureOf(VALID + 7)}`, 404);
  await server.problem("/api/v1/transactions/solana/0x12", 400);
  await server.problem("/api/v1/transactions/solana?chain_id=1", 400);
  await server.problem("/api/v1/transactions/solana?min_revenue_sol=much", 400);
  expect(await body("/api/v1/transactions")).toEqual([]);
});
