/** What a topic has of a channel's past: read once, from one place of each partition to another. */
import type { Message } from "../../engine/kafka/message.ts";
import { openTail } from "../../engine/kafka/tail.ts";
import type { Channel, LiveEvent } from "./event.ts";
import { gapEvent } from "./feed.ts";
import { readMarks } from "./marks.ts";
import type { Positions } from "./positions.ts";

export interface TopicHistoryOptions {
  readonly brokers: string;
  readonly channel: Channel;
  readonly topic: string;
  /** The last that was read of each partition; of one that is not in it nothing was. */
  readonly after: Positions;
  /** The last that is wanted; of a partition that is not in it everything there is now. */
  readonly until: Positions;
  readonly eventsOf: (channel: Channel, messages: readonly Message[]) => Promise<readonly LiveEvent[]>;
  readonly onError: (error: Error) => void;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

const POLL_RECORDS = 1_024;

/** May begin with the last event that was read once more: its record may have several. @throws KafkaError */
export async function* readTopicHistory(options: TopicHistoryOptions): AsyncGenerator<readonly LiveEvent[]> {
  const { brokers, channel, topic, after, until, eventsOf, onError, now, signal } = options;
  const marks = (await readMarks(brokers, new Map([[channel, topic]]))).get(channel) ?? [];
  const open = new Map<number, number>();
  const from = [];
  for (const { partition, low, high } of marks) {
    const read = after.get(String(partition))?.[0];
    const last = until.get(String(partition))?.[0] ?? high - 1;
    if (read !== undefined && read + 1 < low && last > read)
      yield [gapEvent(channel, `Records ${read + 1} to ${low - 1} of ${topic}/${partition} are not kept any more: ask GET /api/v1 for them`, now())]; // biome-ignore format: one line
    const offset = Math.max(low, read ?? 0);
    if (last < offset) continue;
    open.set(partition, last);
    from.push({ topic, partition, offset });
  }
  if (from.length === 0) return;
  const tail = await openTail({ brokers, from, onError, onEnd: ({ partition }) => open.delete(partition) });
  try {
    while (open.size > 0 && !signal.aborted) {
      const messages = await tail.poll(POLL_RECORDS);
      if (messages.length > 0) yield await eventsOf(channel, messages);
      for (const { partition, offset } of messages)
        if (offset >= (open.get(partition) ?? offset)) open.delete(partition);
    }
  } finally {
    await tail.close();
  }
}
