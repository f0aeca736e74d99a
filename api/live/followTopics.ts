/** Reads topics into the hub, from where it stands; whatever breaks begins anew. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Message } from "../../engine/kafka/message.ts";
import { openTail, type Tail } from "../../engine/kafka/tail.ts";
import { messageOf } from "../../engine/ops/errors.ts";
import type { ComponentState } from "../../engine/ops/health.ts";
import type { Channel, LiveEvent } from "./event.ts";
import type { Hub } from "./hub.ts";
import { type Marks, readMarks } from "./marks.ts";

export interface FollowOptions {
  readonly brokers: string;
  readonly topics: ReadonlyMap<Channel, string>;
  readonly hub: Hub;
  /** Of one channel's messages. */
  readonly eventsOf: (channel: Channel, messages: readonly Message[]) => Promise<readonly LiveEvent[]>;
  readonly onState: (state: ComponentState) => void;
  readonly onError: (error: Error) => void;
  readonly signal: AbortSignal;
}

const POLL_RECORDS = 4_096;
/** After something broke. */
const PAUSE_MS = 1_000;
/** How often it is looked whether topics have come, or have more partitions. */
const LOOK_MS = 15_000;

/** Runs until the signal aborts. Begins at the ends of the topics; one that comes later is read from its beginning. */
export async function followTopics(options: FollowOptions): Promise<void> {
  const { brokers, topics, hub, onState, onError, signal } = options;
  for (let first = true; !signal.aborted; ) {
    let tail: Tail | undefined;
    try {
      const marks = await readMarks(brokers, topics);
      if (first) for (const [channel, partitions] of marks) hub.begin(channel, endsOf(partitions));
      first = false;
      const from = [...marks].flatMap(([channel, partitions]) => startsOf(options, channel, partitions));
      if (from.length > 0) tail = await openTail({ brokers, from, onError });
      const missing = [...topics].filter(([channel]) => !marks.has(channel)).map(([, topic]) => topic);
      onState(missing.length === 0 ? { up: true } : { up: false, reason: `there is no topic ${missing.join(", ")}: npx weir topics makes it` }); // biome-ignore format: one line
      await readUntilStale(options, tail, from.length);
    } catch (error) {
      if (signal.aborted) break;
      onState({ up: false, reason: messageOf(error) });
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => {});
    } finally {
      await tail?.close().catch(onError);
    }
  }
}

const endsOf = (partitions: Marks): Map<string, [number]> =>
  new Map(partitions.map(({ partition, high }) => [String(partition), [high - 1]]));

const startsOf = ({ topics, hub }: FollowOptions, channel: Channel, partitions: Marks) =>
  partitions.map(({ partition }) => ({
    topic: topics.get(channel)!,
    partition,
    offset: (hub.ring(channel).last.get(String(partition))?.[0] ?? -1) + 1,
  }));

/** Until the signal aborts, or there are partitions that are not read yet. */
async function readUntilStale(options: FollowOptions, tail: Tail | undefined, count: number): Promise<void> {
  const { brokers, topics, hub, eventsOf, onError, signal } = options;
  const channels = new Map([...topics].map(([channel, topic]) => [topic, channel]));
  let stale = false;
  const look = async (): Promise<void> => {
    const marks = await readMarks(brokers, topics);
    stale ||= [...marks.values()].flat().length > count;
  };
  const looking = setInterval(() => void look().catch(onError), LOOK_MS);
  try {
    while (!signal.aborted && !stale) {
      const messages = tail ? await tail.poll(POLL_RECORDS) : await sleep(PAUSE_MS, [], { signal });
      const byChannel = new Map<Channel, Message[]>();
      for (const message of messages) {
        const channel = channels.get(message.topic)!;
        const others = byChannel.get(channel);
        if (others) others.push(message);
        else byChannel.set(channel, [message]);
      }
      for (const [channel, some] of byChannel) {
        const events = await eventsOf(channel, some);
        if (signal.aborted) return; // who follows next begins behind these
        hub.publish(events);
      }
    }
  } finally {
    clearInterval(looking);
  }
}
