/** `weir process`: a processor is shown committed records and what it makes of them is there once, through failures, kills and neighbours that fail. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Admin, createAdmin } from "../engine/kafka/admin.ts";
import { createProducer, type Producer } from "../engine/kafka/producer.ts";
import { startWeir, until } from "./support/engineProcess.ts";
import { STANDSTILL_MS } from "./support/kafkaBroker.ts";
import { readCommitted } from "./support/readCommitted.ts";
import { sharedBrokers, uniqueName } from "./support/sharedKafka.ts";

const [arbitrages, large] = [uniqueName("arbitrage-transactions"), uniqueName("large-arbitrages")];
let brokers: string;
let folder: string;
let admin: Admin;
let producer: Producer;
let env: Record<string, string>;

beforeAll(async () => {
  brokers = await sharedBrokers();
  folder = await mkdtemp(join(tmpdir(), "weir-process-"));
  admin = await createAdmin({ brokers, timeoutMs: STANDSTILL_MS });
  await admin.createTopics([arbitrages, large].map((topic) => ({ topic, partitions: 1 })));
  producer = await createProducer({ brokers });
  const [fails, wrong] = ["fails", "wrong"].map((name) => join(folder, `${name}.mjs`)) as [string, string];
  const module = (name: string, body: string) =>
    `export default { kind: "processor", name: "${name}", reads: "arbitrage-transactions", async process() { ${body} } }`;
  await writeFile(fails, module("fails", 'throw new Error("not today")'));
  await writeFile(wrong, module("wrong", "return [{ topic: 1 }]"));
  env = {
    KAFKA_BROKERS: brokers,
    KAFKA_GROUP_ID: uniqueName("process"),
    KAFKA_TOPIC_ARBITRAGE_TRANSACTIONS: arbitrages,
    LARGE_ARBITRAGES_TOPIC: large,
    WEIR_EXTENSIONS: `${fails},engine/extensions/examples/large-arbitrages.mjs,${wrong}`,
    WEIR_DATA: join(folder, "data"),
  };
});
afterAll(async () => {
  await producer?.close();
  await admin?.close();
  await rm(folder, { recursive: true, force: true });
});

async function produce(from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) {
    const arbitrage = { chain_id: 1, tx_hash: `0x${i}`, account: "0xa", net_usd: i % 2 === 0 ? 5_000 + i : 3 };
    while (!producer.produce(arbitrages, 0, `1:0x${i}`, Buffer.from(JSON.stringify(arbitrage)))) await producer.room();
  }
  await producer.flush();
}
const found = async () => (await readCommitted(brokers, large)).map(({ key, value }) => [String(key), (JSON.parse(String(value)) as { net_usd: number }).net_usd]); // biome-ignore format: one line
const expected = (to: number) => Array.from({ length: to / 2 }, (_, i) => [`1:0x${2 * i}`, 5_000 + 2 * i]);

test("what a processor makes of records is there once, whoever is killed, and whatever others of its process do", async () => {
  await produce(0, 600);
  const first = startWeir(["process"], env);
  await until(async () => (await found()).length > 0, first.log);
  await first.kill();
  await produce(600, 1_000);
  const second = startWeir(["process"], env);
  await until(async () => (await found()).length >= 500, second.log);
  await until(() => /"processor":"fails".*not today/.test(second.log()) && second.log().includes('"processor":"wrong"'), second.log); // biome-ignore format: one line
  expect(second.log()).toMatch(/it returned 0\.\w+ of another shape: .*expected an array of \{ topic, key, value \}/);
  await second.stop();
  expect(await found()).toEqual(expected(1_000));
});

test("without a processor, or without brokers, it says what is missing; --list shows what there is", async () => {
  const run = async (more: Record<string, string>, ...args: string[]) => {
    const { KAFKA_BROKERS: _, ...without } = env;
    const weir = startWeir(["process", ...args], { ...without, ...more });
    return { code: (await weir.exited).code, log: weir.log(), stdout: weir.stdout() };
  };
  expect(await run({ WEIR_EXTENSIONS: "" })).toMatchObject({ code: 3, log: expect.stringContaining("it names no processor") }); // biome-ignore format: one line
  expect(await run({})).toMatchObject({ code: 3, log: expect.stringContaining("KAFKA_BROKERS: it is not set") });
  expect((await run({}, "--list")).stdout).toContain('"name":"large-arbitrages"');
});
