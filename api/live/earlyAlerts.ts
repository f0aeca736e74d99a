/**
 * Alerts as soon as the engine of this process has raised them: before they are published, so they may be dropped with their batch, which then runs
 * again. The same alert with the same id follows on the channel `alerts` once it is published.
 */
import type { PublishedTap } from "../../engine/dispatch/publishedTap.ts";
import type { Outcome } from "../../engine/worker/outcome.ts";
import { unpackRecords } from "../../engine/worker/topicRecords.ts";
import { createEvent } from "./event.ts";
import type { Hub } from "./hub.ts";
import type { createTopicEvents, TopicValue } from "./topicEvents.ts";

export interface EarlyAlertsOptions {
  readonly tap: Pick<PublishedTap, "listenEarly">;
  readonly topicEvents: ReturnType<typeof createTopicEvents>;
  readonly now: () => number;
  readonly onError: (error: Error) => void;
}

/** Does nothing while nobody listens to them. @returns stops it */
export function followEarlyAlerts(hub: Hub, { tap, topicEvents, now, onError }: EarlyAlertsOptions): () => void {
  async function publish(values: readonly TopicValue[]): Promise<void> {
    const events = await topicEvents("alerts", values);
    hub.publish(events.map(({ type, data }) => createEvent({ channel: "early_alerts", type, data: { ...data, early: true }, now: now() }))); // biome-ignore format: one line
  }

  return tap.listenEarly((outcome) => {
    const values = hub.isWanted("early_alerts") ? alertsOf(outcome) : [];
    if (values.length > 0) void publish(values).catch(onError);
  });
}

const alertsOf = ({ records }: Outcome): TopicValue[] =>
  [...unpackRecords(records)]
    .filter(({ topic }) => topic === "alerts")
    .map(({ value }) => ({ value: Buffer.from(value), place: undefined })); // a copy: the outcome's memory goes on
