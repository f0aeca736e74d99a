import { randomUUID } from "node:crypto";
import { createAdmin } from "../../engine/kafka/admin.ts";
import { createConsumer } from "../../engine/kafka/consumer.ts";
import type { Message } from "../../engine/kafka/message.ts";

/** Everything on a topic that a reader of committed records sees, up to the end as it is now. */
export async function readCommitted(brokers: string, topic: string): Promise<Message[]> {
  const admin = await createAdmin({ brokers });
  const marks = await admin.watermarks(topic);
  await admin.close();
  const messages: Message[] = [];
  const consumer = await createConsumer({
    brokers,
    groupId: `reader-${randomUUID()}`,
    topics: [topic],
    onAssign: (partitions) => partitions.map((each) => ({ ...each, offset: 0 })),
    onRevoke: async () => {},
    onLost: () => {},
    onError: () => {},
  });
  try {
    // The last offsets are commit markers, which no reader sees: the end is reached when nothing has come for a while.
    for (let quiet = 0; quiet < 20 || messages.length === 0; ) {
      const got = await consumer.poll(10_000);
      messages.push(...got);
      quiet = got.length === 0 && consumer.owned().length === marks.length ? quiet + 1 : 0;
      if (marks.every(({ high }) => high === 0)) break;
    }
  } finally {
    await consumer.close();
  }
  return messages;
}
