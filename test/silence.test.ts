/** A chain that falls silent is told on a real topic of alerts, all of it or nothing. */
import { expect, test } from "vitest";
import { createAdmin } from "../engine/kafka/admin.ts";
import { tellOnTopic } from "../engine/lookout/tell.ts";
import { loadConfig } from "../engine/ops/config.ts";
import { STANDSTILL_MS } from "./support/kafkaBroker.ts";
import { readCommitted } from "./support/readCommitted.ts";
import { sharedBrokers, uniqueName } from "./support/sharedKafka.ts";

test("records of a silence arrive once, in order; one that cannot be put takes the others with it", async () => {
  const [brokers, topic] = [await sharedBrokers(), uniqueName("alerts")];
  const admin = await createAdmin({ brokers, timeoutMs: STANDSTILL_MS });
  await admin.createTopics([{ topic, partitions: 1 }]);
  await admin.close();
  const { config } = loadConfig({ env: { KAFKA_BROKERS: brokers, KAFKA_TOPIC_ALERTS: topic } });
  const record = (status: string, more = {}) => ({ key: "1:silence", value: { status, ...more } });
  await tellOnTopic(config, [record("raised"), record("retracted")]);
  await expect(tellOnTopic(config, [record("lost"), record("large", { text: "x".repeat(9 << 20) })])).rejects.toThrow(/^Cannot /); // biome-ignore format: one call
  const values = (await readCommitted(brokers, topic)).map(({ value }) => JSON.parse(value!.toString()) as object);
  expect(values).toEqual([{ status: "raised" }, { status: "retracted" }]);
});
