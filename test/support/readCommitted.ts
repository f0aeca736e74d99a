import { createAdmin } from "../../engine/kafka/admin.ts";
import type { Message } from "../../engine/kafka/message.ts";
import { openTail } from "../../engine/kafka/tail.ts";
import { STANDSTILL_MS } from "./kafkaBroker.ts";

/** Everything on a topic that a reader of committed records sees, up to the end as it is now; transactions that are open there are waited for. */
export async function readCommitted(brokers: string, topic: string): Promise<Message[]> {
  const admin = await createAdmin({ brokers, timeoutMs: STANDSTILL_MS });
  const marks = await admin.watermarks(topic);
  await admin.close();
  const ends = new Map(marks.filter(({ high, low }) => high > low).map(({ partition, high }) => [partition, high]));
  const messages: Message[] = [];
  const tail = await openTail({
    brokers,
    from: [...ends.keys()].map((partition) => ({ topic, partition, offset: 0 })),
    onEnd({ partition, offset }) {
      if (offset >= ends.get(partition)!) ends.delete(partition);
    },
    onError() {},
  });
  try {
    while (ends.size > 0) messages.push(...(await tail.poll(10_000)));
  } finally {
    await tail.close();
  }
  return messages;
}
