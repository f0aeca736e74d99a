/** How far behind the end of its partitions an engine is. */
import type { Consumer } from "./kafka/consumer.ts";
import type { Metrics } from "./ops/metrics.ts";

/** Committed offsets are a question to the group's coordinator. */
const EVERY_MS = 10_000;

/**
 * Keeps `weir_consumer_lag` of the partitions that are ours: from what is committed, that is published, to the last end that the client has
 * heard of. While nobody answers there is none: the old one would look like a stream that keeps up.
 */
export function followLag(
  source: { running(): Consumer | undefined },
  topic: string,
  { consumerLag }: Pick<Metrics, "consumerLag">,
): { stop(): void } {
  let asking = false;
  let stopped = false;
  async function look(): Promise<void> {
    const consumer = source.running();
    if (asking || !consumer) return;
    asking = true;
    const lags = await lagsOf(consumer).finally(() => {
      asking = false;
    });
    consumerLag.reset();
    if (!stopped) for (const [partition, lag] of lags) consumerLag.set({ topic, partition }, lag);
  }
  const timer = setInterval(() => void look().catch(() => consumerLag.reset()), EVERY_MS).unref();
  return {
    stop() {
      stopped = true;
      clearInterval(timer);
      consumerLag.reset();
    },
  };
}

/** How many records lie behind what is committed, by partition; of those that are ours and whose end the client knows. */
export async function lagsOf(consumer: Consumer): Promise<Map<number, number>> {
  const lags = new Map<number, number>();
  for (const { topic, partition, offset } of await consumer.committed(consumer.owned())) {
    // -1001: the client has not heard of the partition yet
    const { lowOffset, highOffset } = consumer.native.getWatermarkOffsets(topic, partition);
    if (highOffset >= 0) lags.set(partition, Math.max(0, highOffset - (offset ?? Math.max(0, lowOffset))));
  }
  return lags;
}
