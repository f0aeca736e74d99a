import { createAdmin } from "../../engine/kafka/admin.ts";
import type { Channel } from "./event.ts";

/** Of each partition the first offset that is kept, and the next that will be written. */
export type Marks = readonly { readonly partition: number; readonly low: number; readonly high: number }[];

/** By channel; those whose topic is not there are left out. @throws KafkaError */
export async function readMarks(brokers: string, topics: ReadonlyMap<Channel, string>): Promise<Map<Channel, Marks>> {
  const admin = await createAdmin({ brokers });
  try {
    const there = new Set(await admin.listTopics());
    const asked = [...topics].filter(([, topic]) => there.has(topic));
    return new Map(
      await Promise.all(asked.map(async ([channel, topic]) => [channel, await admin.watermarks(topic)] as const)),
    );
  } finally {
    await admin.close();
  }
}
