import { randomUUID } from "node:crypto";
import { createProducer } from "../../engine/kafka/producer.ts";
import type { LoadRecord } from "./load.ts";

/** How many fills warm up and do not count. A broker that just started spends half of its CPU on compiling itself. */
export const warmUpFills = (quick: boolean): number => (quick ? 1 : 3);

export interface Filling {
  /** Makes everything visible at once. */
  release(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Puts the records on a topic inside a transaction that stays open: a reader of committed records sees none of them until
 * `release()`. So an engine that runs and waits has the whole load before it from one moment to the next.
 */
export async function fill(
  brokers: string,
  topic: string,
  records: readonly LoadRecord[],
  contentType: string | undefined,
): Promise<Filling> {
  const producer = await createProducer({
    brokers,
    transactionalId: `bench-${randomUUID()}`,
    config: { "linger.ms": 20, "batch.size": 1 << 20 },
  });
  await producer.begin();
  const headers = contentType ? { "content-type": contentType } : undefined;
  for (const [i, { key, value }] of records.entries()) {
    while (!producer.produce(topic, null, key, value, headers)) await producer.room();
    if (i % 4_096 === 0) await new Promise(setImmediate);
  }
  await producer.flush(); // else the last 64 MiB were sent while the clock runs already
  return {
    release: () => producer.commit(),
    close: () => producer.close(),
  };
}
