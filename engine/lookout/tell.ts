import { randomUUID } from "node:crypto";
import { createProducer } from "../kafka/producer.ts";
import { inTransaction, put } from "../kafka/transaction.ts";
import type { Config } from "../ops/config.ts";
import type { SilenceRecord } from "./deadMansSwitch.ts";

const HEADERS = { "content-type": "application/json" };

/** Puts records onto the topic of alerts, all or none. A producer is made for it: this is seldom. @throws KafkaError */
export async function tellOnTopic({ kafka }: Pick<Config, "kafka">, records: readonly SilenceRecord[]): Promise<void> {
  const transactionalId = `${kafka.groupId}-lookout-${randomUUID()}`;
  const producer = await createProducer({ brokers: kafka.brokers!.join(","), transactionalId });
  try {
    await inTransaction(producer, "publish silences", async () => {
      for (const { key, value } of records)
        await put(producer, kafka.topics.alerts, null, key, Buffer.from(JSON.stringify(value)), HEADERS);
    });
  } finally {
    await producer.close();
  }
}
