/**
 * Live events from our topics, as committed: every API node reads all of them, so each serves the same stream, and a reader goes on at any.
 * A lane is a partition, `at` is [offset], and for transactions [offset, n], as a record may have several. What the hub does not have any more
 * the topics have, in the same order, for as long as they keep it.
 */
import type { PublishedTap } from "../../engine/dispatch/publishedTap.ts";
import type { Message } from "../../engine/kafka/message.ts";
import type { Config } from "../../engine/ops/config.ts";
import type { Health } from "../../engine/ops/health.ts";
import type { Log } from "../../engine/ops/log.ts";
import { logSeldom } from "../../engine/ops/logSeldom.ts";
import { packBatch } from "../../engine/source/batch.ts";
import { byPartition } from "../../engine/source/kafka.ts";
import type { MessageReader } from "../labelledMessages.ts";
import { followEarlyAlerts } from "./earlyAlerts.ts";
import type { Channel, LiveEvent } from "./event.ts";
import type { Feed } from "./feed.ts";
import { followTopics } from "./followTopics.ts";
import { createTopicEvents, isTopicChannel } from "./topicEvents.ts";
import { readTopicHistory } from "./topicHistory.ts";
import { createTransactionEvents } from "./transactionEvents.ts";
import { createTurns } from "./turns.ts";

export interface KafkaFeedOptions {
  readonly kafka: Config["kafka"];
  readonly tap: PublishedTap;
  /** Chain ids; transactions of others are no events. */
  readonly chains: readonly number[];
  readonly read: MessageReader;
  readonly health: Health;
  readonly log: Log;
  readonly now?: () => number;
}

/** Histories read at a time: each takes a client of Kafka, and a thread of the pool while it waits. */
const HISTORIES = 2;

export function createKafkaFeed({ kafka, tap, chains, read, health, log, now = Date.now }: KafkaFeedOptions): Feed {
  const brokers = kafka.brokers!.join(",");
  const { alerts, arbitrageTransactions, arbitrageOpportunities, mevBundles, txRaw } = kafka.topics;
  /** Read all the time; transactions are while somebody listens. */
  const steady = new Map<Channel, string>([
    ["alerts", alerts],
    ["arbitrages", arbitrageTransactions],
    ["opportunities", arbitrageOpportunities],
    ["mev_opportunities", mevBundles],
  ]);
  const transactions = new Map<Channel, string>([["transactions", txRaw]]);
  const topics = new Map([...steady, ...transactions]);
  const closing = new AbortController();
  const running = new Set<Promise<void>>();
  const takeTurn = createTurns(HISTORIES);
  const component = health.register({ name: "live", required: false, state: { up: false, reason: "not started" } });
  const onError = ({ message }: Error): void =>
    logSeldom(log, "warn", { event: "kafka_error", reason: message }, "The Kafka client reports an error");
  const topicEvents = createTopicEvents({
    read,
    now,
    mined: "provisional",
    onRefused: ({ place }, { message }) =>
      logSeldom(log, "warn", { event: "live_record_refused", ...place, reason: message }, "A record is none of ours"),
  });
  const transactionEvents = createTransactionEvents({ chains });

  async function eventsOf(channel: Channel, messages: readonly Message[]): Promise<readonly LiveEvent[]> {
    if (isTopicChannel(channel))
      return topicEvents(
        channel,
        messages.flatMap(({ value, partition, offset }) =>
          value === null ? [] : [{ value, place: { lane: String(partition), at: [offset] } }],
        ),
      );
    return [...byPartition(messages)].flatMap(([partition, records]) => {
      const [first, last] = [records[0]!.offset, records.at(-1)!.offset];
      return transactionEvents(packBatch(txRaw, partition, first, last + 1, records), now(), (offset, n) => ({
        lane: String(partition),
        at: [offset, n],
      }));
    });
  }

  function follow(hub: Parameters<Feed["start"]>[0], of: ReadonlyMap<Channel, string>, signal: AbortSignal): void {
    const onState = of === steady ? component.set : (): void => {};
    const run = followTopics({ brokers, topics: of, hub, eventsOf, onState, onError, signal });
    running.add(run);
    void run.finally(() => running.delete(run));
  }

  let stopEarly = (): void => {};
  return {
    start(hub) {
      stopEarly = followEarlyAlerts(hub, { tap, topicEvents, now, onError });
      follow(hub, steady, closing.signal);
      let listening: AbortController | undefined;
      hub.onWanted((channel, wanted) => {
        if (channel !== "transactions" || closing.signal.aborted) return;
        listening?.abort();
        listening = wanted ? new AbortController() : undefined;
        if (listening) follow(hub, transactions, AbortSignal.any([closing.signal, listening.signal]));
      });
    },
    async *history(channel, after, until, signal) {
      const topic = topics.get(channel);
      if (topic === undefined) return;
      const endTurn = await takeTurn();
      try {
        yield* readTopicHistory({ brokers, channel, topic, after, until, eventsOf, onError, now, signal });
      } finally {
        endTurn();
      }
    },
    async close() {
      stopEarly();
      closing.abort();
      await Promise.all(running);
      component.remove();
    },
  };
}
